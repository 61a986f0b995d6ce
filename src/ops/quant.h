/* SPDX-License-Identifier: Apache-2.0
 *
 * What the operators on 8-bit integers share: checks of types, scales and zero points, and integer
 * tensors as exact doubles, on which the float operators' shapes and references serve unchanged.
 * Their arithmetic: graph/quant.h.
 */
#ifndef CVK_OPS_QUANT_H
#define CVK_OPS_QUANT_H

#include "graph/quant.h"
#include "ops/common.h"

/* One number: a scalar, or a vector of one. */
bool cvk_is_single(const cvk_view *view);

cvk_status cvk_check_8bit(const cvk_view *view, const char *what);
/* A zero point of `of`'s type, if it is there. */
cvk_status cvk_check_zero_point(const cvk_view *zero, const cvk_view *of, const char *what);
/* One number of a type (CVK_NONE: of any), or what is not known yet. */
cvk_status cvk_check_single(const cvk_view *view, cvk_dtype dtype, const char *what);
/* One number or a vector of `length` (-1: not known yet). */
cvk_status cvk_check_each(const cvk_view *view, int64_t length, const char *what);

/* Element i of a number per channel, or the one number that all have. */
double cvk_each(const cvk_view *view, int64_t i);

/* The shape of an operator on views of these shapes, as `op` infers it for float32. At most four
 * inputs. */
cvk_status cvk_infer_as_float(const cvk_op *op, void *params, const cvk_view *in, int n_in,
                              cvk_view *out, cvk_dtype dtype);

/* x - zero as float64 from malloc (free temp->data). zero (may be NULL) is one number, one per
 * element of `axis`, or of a shape that broadcasts to x. */
cvk_status cvk_view_centred(const cvk_view *x, const cvk_view *zero, int axis, cvk_view *temp);

/* Whole numbers as wrapping int32, which is what integer sums are. */
int32_t cvk_wrap32(double whole);

/* The accumulators of a convolution of x - x_zp by w - w_zp, plus bias (may be NULL), as float64
 * from malloc; out has the shape. */
cvk_status cvk_accumulate_conv(const cvk_conv_params *conv, const cvk_view *x, const cvk_view *x_zp,
                               const cvk_view *w, const cvk_view *w_zp, const cvk_view *bias,
                               const cvk_view *out, cvk_view *acc);
/* The same of a matrix product; a vector of zero points belongs to rows of a and columns of b. */
cvk_status cvk_accumulate_matmul(const cvk_view *a, const cvk_view *a_zp, const cvk_view *b,
                                 const cvk_view *b_zp, const cvk_view *out, cvk_view *acc);

/* The accumulators as int32 into out; frees them. */
void cvk_store_sums(cvk_view *acc, cvk_view *out);

/* A single number of type int32 as a view; `number` holds it. */
cvk_view cvk_view_of_int(const int32_t *number);

#endif
