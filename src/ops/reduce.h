/* SPDX-License-Identifier: Apache-2.0
 *
 * What the reductions (ReduceMax, ReduceMean ...) and the Reduce that schedule makes of them share.
 */
#ifndef CVK_OPS_REDUCE_H
#define CVK_OPS_REDUCE_H

#include "ops/move.h"

/* Attributes axes, keepdims, noop_with_empty_axes; the kind is there already (cvk_form). */
cvk_status cvk_parse_reduce(const cvk_attrs *attrs, void *values);
cvk_status cvk_infer_reduce(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out);
cvk_status cvk_reference_reduce(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                                int n_out);
/* `in` with the axes marked made 1, or dropped. */
cvk_shape cvk_shape_reduced(const cvk_shape *in, int n_axes, const int64_t *axes, bool keepdims);

#endif
