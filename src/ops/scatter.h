/* SPDX-License-Identifier: Apache-2.0
 *
 * What Scatter, ScatterElements and ScatterND share.
 */
#ifndef CVK_OPS_SCATTER_H
#define CVK_OPS_SCATTER_H

#include "ops/move.h"

/* The attribute reduction (since opset 16) into params->kind. */
cvk_status cvk_scatter_parse_kind(const cvk_attrs *attrs, cvk_scatter_params *params);
/* Types: data and updates alike, indices whole numbers, and a reduction of numbers only. */
cvk_status cvk_scatter_check(const cvk_scatter_params *params, const cvk_view *in);
/* dst[i] becomes src[k], or what both give. */
void cvk_scatter_put(cvk_scatter_kind kind, const cvk_view *src, int64_t k, cvk_view *dst,
                     int64_t i);

/* Along an axis: Scatter and ScatterElements. */
cvk_status cvk_scatter_elements_infer(void *params, const cvk_view *in, int n_in, cvk_view *out,
                                      int n_out);
cvk_status cvk_scatter_elements_reference(const void *params, const cvk_view *in, int n_in,
                                          cvk_view *out, int n_out);

#endif
