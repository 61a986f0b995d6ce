/* SPDX-License-Identifier: Apache-2.0
 *
 * Resize and Upsample: one inference and one reference for both.
 */
#ifndef CVK_OPS_RESIZE_H
#define CVK_OPS_RESIZE_H

#include "ops/move.h"

/* The output's shape from params->scales (without inputs), or from the inputs: scales second
 * (params->upsample) or roi, scales, sizes. */
cvk_status cvk_infer_resize(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out);
cvk_status cvk_reference_resize(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                                int n_out);

#endif
