/* SPDX-License-Identifier: Apache-2.0
 *
 * What Conv and ConvTranspose share; lives in conv.c.
 */
#ifndef CVK_OPS_CONV_H
#define CVK_OPS_CONV_H

#include "ops/op.h"
#include "ops/window.h"

/* Window and group. */
cvk_status cvk_conv_parse(const cvk_attrs *attrs, cvk_conv_params *params);

/* Checks types, ranks, and the kernel's size, which is that of the weights as far as they are
 * known. The input's rank must be known. `what` names the operation in sentences. */
cvk_status cvk_conv_check(cvk_conv_params *params, const cvk_view *in, int n_in, const char *what);

/* What one weight, whose tap lies at `offset`, adds to a row of the output: positions p of the row
 * that is strided over (Conv: src, ConvTranspose: dst) are o * stride + offset. */
typedef void (*cvk_conv_row)(double *dst, const double *src, double wgt, const cvk_sweep_axis *axis,
                             int64_t offset);

/* All that is around it. transposed: W is (ic, oc / group, ...) and the output is strided over. */
cvk_status cvk_conv_reference(const cvk_conv_params *params, const cvk_view *in, int n_in,
                              cvk_view *out, cvk_conv_row add_row, bool transposed);

#endif
