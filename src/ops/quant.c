/* SPDX-License-Identifier: Apache-2.0
 *
 * What the operators on 8-bit integers share.
 */
#include "ops/quant.h"

#include <inttypes.h>
#include <stdlib.h>

bool cvk_is_single(const cvk_view *view)
{
    return cvk_shape_count(&view->shape) == 1 && view->shape.rank <= 1;
}

cvk_status cvk_check_8bit(const cvk_view *view, const char *what)
{
    if (view->dtype == CVK_U8 || view->dtype == CVK_I8) return CVK_OK;
    return cvk_fail(CVK_UNSUPPORTED, "%s has type %s, uint8 or int8 is expected", what,
                    cvk_dtype_name(view->dtype));
}

cvk_status cvk_check_zero_point(const cvk_view *zero, const cvk_view *of, const char *what)
{
    if (!zero || zero->dtype == of->dtype) return CVK_OK;
    return cvk_fail(CVK_BAD_MODEL, "%s has type %s, %s is expected as of its tensor", what,
                    cvk_dtype_name(zero->dtype), cvk_dtype_name(of->dtype));
}

cvk_status cvk_check_single(const cvk_view *view, cvk_dtype dtype, const char *what)
{
    char text[CVK_SHAPE_TEXT];
    if (dtype != CVK_NONE && view->dtype != dtype)
        return cvk_fail(CVK_UNSUPPORTED, "%s has type %s, %s is expected", what,
                        cvk_dtype_name(view->dtype), cvk_dtype_name(dtype));
    if (!cvk_shaped(view) || cvk_is_single(view)) return CVK_OK;
    return cvk_fail(CVK_SHAPE, "%s has shape %s, one number is expected", what,
                    cvk_shape_text(&view->shape, text));
}

cvk_status cvk_check_each(const cvk_view *view, int64_t length, const char *what)
{
    if (!cvk_shaped(view) || cvk_is_single(view)) return CVK_OK;
    return cvk_check_vector(view, length, what);
}

double cvk_each(const cvk_view *view, int64_t i)
{
    return cvk_view_get(view, cvk_view_count(view) == 1 ? 0 : i);
}

cvk_status cvk_infer_as_float(const cvk_op *op, void *params, const cvk_view *in, int n_in,
                              cvk_view *out, cvk_dtype dtype)
{
    cvk_view as_float[4], shaped = {.shape = cvk_shape_unknown()};
    for (int i = 0; i < n_in; i++) {
        as_float[i] = in[i];
        as_float[i].data = NULL;
        if (in[i].dtype != CVK_NONE) as_float[i].dtype = CVK_F32;
    }
    CVK_TRY(op->infer(params, as_float, n_in, &shaped, 1));
    cvk_set_out(out, dtype, &shaped.shape);
    return CVK_OK;
}

/* `zero` seen as a tensor that broadcasts to x. */
static cvk_status zero_strides(const cvk_view *x, const cvk_view *zero, int axis, int64_t *strides)
{
    cvk_shape shape = zero->shape, both;
    char text[CVK_SHAPE_TEXT], other[CVK_SHAPE_TEXT];
    if (shape.rank == 1 && shape.dims[0] != 1 && x->shape.rank > axis) {
        shape.rank = x->shape.rank - axis;
        for (int d = 1; d < shape.rank; d++) shape.dims[d] = 1;
    }
    if (!cvk_shape_broadcast(&shape, &x->shape, &both) || !cvk_shape_equal(&both, &x->shape))
        return cvk_fail(CVK_SHAPE, "zero points of shape %s do not fit a tensor of shape %s",
                        cvk_shape_text(&zero->shape, text), cvk_shape_text(&x->shape, other));
    cvk_shape_broadcast_strides(&shape, &x->shape, strides);
    return CVK_OK;
}

cvk_status cvk_view_centred(const cvk_view *x, const cvk_view *zero, int axis, cvk_view *temp)
{
    int64_t strides[CVK_MAX_RANK] = {0}, index[CVK_MAX_RANK] = {0}, i = 0;
    if (zero) CVK_TRY(zero_strides(x, zero, axis, strides));
    CVK_TRY(cvk_view_temp(&x->shape, temp));
    double *dst = temp->data;
    if (cvk_view_count(x) <= 0) return CVK_OK;
    do {
        int64_t at = cvk_index_dot(index, strides, x->shape.rank);
        dst[i] = (double)(cvk_view_get_int(x, i) - (zero ? cvk_view_get_int(zero, at) : 0));
        i++;
    } while (cvk_index_next(&x->shape, index));
    return CVK_OK;
}

int32_t cvk_wrap32(double whole)
{
    return (int32_t)(uint32_t)(uint64_t)(int64_t)whole;
}

/* One product of centred tensors. */
static cvk_status accumulate(const cvk_op *op, const void *params, cvk_view in[3], int n_in,
                             const cvk_view *out, cvk_view *acc)
{
    CVK_TRY(cvk_view_temp(&out->shape, acc));
    cvk_status status = op->reference(params, in, n_in, acc, 1);
    if (status) {
        free(acc->data);
        acc->data = NULL;
    }
    return status;
}

cvk_status cvk_accumulate_conv(const cvk_conv_params *conv, const cvk_view *x, const cvk_view *x_zp,
                               const cvk_view *w, const cvk_view *w_zp, const cvk_view *bias,
                               const cvk_view *out, cvk_view *acc)
{
    cvk_view in[3] = {{0}, {0}, bias ? *bias : (cvk_view){0}};
    cvk_status status = cvk_view_centred(x, x_zp, 1, &in[0]);
    if (!status) status = cvk_view_centred(w, w_zp, 0, &in[1]);
    if (!status) status = accumulate(&cvk_op_Conv, conv, in, 3, out, acc);
    free(in[0].data);
    free(in[1].data);
    return status;
}

cvk_status cvk_accumulate_matmul(const cvk_view *a, const cvk_view *a_zp, const cvk_view *b,
                                 const cvk_view *b_zp, const cvk_view *out, cvk_view *acc)
{
    cvk_view in[3] = {{0}};
    int row = a->shape.rank > 1 ? a->shape.rank - 2 : 0, column = b->shape.rank - 1;
    cvk_status status = cvk_view_centred(a, a_zp, row, &in[0]);
    if (!status) status = cvk_view_centred(b, b_zp, column, &in[1]);
    if (!status) status = accumulate(&cvk_op_MatMul, NULL, in, 2, out, acc);
    free(in[0].data);
    free(in[1].data);
    return status;
}

void cvk_store_sums(cvk_view *acc, cvk_view *out)
{
    const double *sums = acc->data;
    int64_t count = cvk_view_count(out);
    for (int64_t i = 0; i < count; i++) cvk_view_set(out, i, cvk_wrap32(sums[i]));
    free(acc->data);
    acc->data = NULL;
}

cvk_view cvk_view_of_int(const int32_t *number)
{
    return (cvk_view){.dtype = CVK_I32, .data = (void *)number};
}
