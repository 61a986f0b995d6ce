/* SPDX-License-Identifier: Apache-2.0
 *
 * What ArgMax, ArgMin and Hardmax share; lives in arg_max.c.
 */
#ifndef CVK_OPS_ARG_H
#define CVK_OPS_ARG_H

#include "ops/reduce.h"

/* Which of `length` elements, `pitch` apart from `base` on, is the largest (smallest); of equal ones
 * the first or the last. */
int64_t cvk_arg_best(const cvk_view *in, int64_t base, int64_t length, int64_t pitch, bool smallest,
                     bool last);

cvk_status cvk_arg_parse(const cvk_attrs *attrs, bool smallest, cvk_reduce_params *params);
cvk_status cvk_arg_infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out);
cvk_status cvk_arg_reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                             int n_out);

#endif
