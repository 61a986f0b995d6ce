/* SPDX-License-Identifier: Apache-2.0
 *
 * What Conv and ConvTranspose share; lives in conv.c.
 */
#ifndef CVK_OPS_CONV_H
#define CVK_OPS_CONV_H

#include "graph/geom.h"
#include "ops/op.h"

/* Window and group. */
cvk_status cvk_conv_parse(const cvk_attrs *attrs, cvk_conv_params *params);

/* Checks types, ranks, and the kernel's size, which is that of the weights as far as they are
 * known. The input's rank must be known. `what` names the operation in sentences. */
cvk_status cvk_conv_check(cvk_conv_params *params, const cvk_view *in, int n_in, const char *what);

/* One input channel's part of one output channel: dst and src are planes, wgt is kh x kw. */
typedef void (*cvk_conv_plane)(double *dst, const double *src, const double *wgt,
                               const cvk_geom *geom);

/* The loops over images, groups and channels around it. transposed: W is (ic, oc / group, ...). */
cvk_status cvk_conv_reference(const cvk_conv_params *params, const cvk_view *in, int n_in,
                              cvk_view *out, cvk_conv_plane add_plane, bool transposed);

#endif
