/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks, shapes and indices that many operators share. The element-wise references are in
 * elementwise.c, the arithmetic of one element in act.c.
 */
#include "ops/common.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const cvk_view *cvk_input(const cvk_view *in, int n_in, int i)
{
    return i < n_in && in[i].dtype != CVK_NONE ? &in[i] : NULL;
}

bool cvk_wanted(const cvk_view *out, int n_out, int i)
{
    return i < n_out && out[i].dtype != CVK_NONE;
}

bool cvk_ranked(const cvk_view *view)
{
    return view->shape.rank >= 0;
}

bool cvk_shaped(const cvk_view *view)
{
    return cvk_shape_known(&view->shape);
}

cvk_shape cvk_shape_unknown(void)
{
    return (cvk_shape){.rank = -1};
}

void cvk_set_out(cvk_view *out, cvk_dtype dtype, const cvk_shape *shape)
{
    out->dtype = dtype;
    out->shape = *shape;
}

bool cvk_dims_agree(int64_t a, int64_t b)
{
    return a < 0 || b < 0 || a == b;
}

cvk_status cvk_check_float(const cvk_view *view, const char *what)
{
    if (cvk_dtype_is_float(view->dtype)) return CVK_OK;
    return cvk_fail(CVK_UNSUPPORTED, "%s has type %s, a float type is expected", what,
                    cvk_dtype_name(view->dtype));
}

cvk_status cvk_check_numeric(const cvk_view *view, const char *what)
{
    if (view->dtype != CVK_BOOL) return CVK_OK;
    return cvk_fail(CVK_UNSUPPORTED, "%s has type bool, a number is expected", what);
}

cvk_status cvk_check_same_type(const cvk_view *in, int n_in)
{
    const cvk_view *first = NULL;
    for (int i = 0; i < n_in; i++) {
        if (!cvk_input(in, n_in, i)) continue;
        if (!first) first = &in[i];
        if (in[i].dtype != first->dtype)
            return cvk_fail(
                CVK_BAD_MODEL, "input %d has type %s, input %d has type %s, one type is expected",
                i, cvk_dtype_name(in[i].dtype), (int)(first - in), cvk_dtype_name(first->dtype));
    }
    return CVK_OK;
}

cvk_status cvk_check_vector(const cvk_view *view, int64_t length, const char *what)
{
    char text[CVK_SHAPE_TEXT];
    if (!cvk_ranked(view)) return CVK_OK;
    if (view->shape.rank == 1 && cvk_dims_agree(view->shape.dims[0], length)) return CVK_OK;
    if (length < 0)
        return cvk_fail(CVK_SHAPE, "%s has shape %s, a vector is expected", what,
                        cvk_shape_text(&view->shape, text));
    return cvk_fail(CVK_SHAPE, "%s has shape %s, %" PRId64 " elements are expected", what,
                    cvk_shape_text(&view->shape, text), length);
}

cvk_status cvk_check_axis(int64_t *axis, int rank)
{
    int normal;
    if (!cvk_axis_normalise(*axis, rank, &normal))
        return cvk_fail(CVK_SHAPE, "axis %" PRId64 " is outside a tensor of rank %d", *axis, rank);
    *axis = normal;
    return CVK_OK;
}

cvk_status cvk_const_ints(const cvk_view *view, const char *what, int capacity, int64_t *values,
                          int *count)
{
    if (!view->data)
        return cvk_fail(CVK_UNSUPPORTED, "%s is computed, a constant is expected", what);
    if (cvk_dtype_is_float(view->dtype))
        return cvk_fail(CVK_BAD_MODEL, "%s has type %s, integers are expected", what,
                        cvk_dtype_name(view->dtype));
    int64_t length = cvk_view_count(view);
    if (length < 0 || length > capacity)
        return cvk_fail(CVK_SHAPE, "%s has %" PRId64 " elements, at most %d are expected", what,
                        length, capacity);
    for (int64_t i = 0; i < length; i++) values[i] = cvk_view_get_int(view, i);
    *count = (int)length;
    return CVK_OK;
}

cvk_status cvk_const_shape(const cvk_view *view, cvk_shape *shape)
{
    CVK_TRY(cvk_const_ints(view, "shape", CVK_MAX_RANK, shape->dims, &shape->rank));
    for (int d = 0; d < shape->rank; d++)
        if (shape->dims[d] < 0)
            return cvk_fail(CVK_SHAPE, "shape lists %lld at place %d", (long long)shape->dims[d],
                            d);
    return CVK_OK;
}

cvk_status cvk_infer_same(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)params;
    (void)n_in;
    (void)n_out;
    cvk_set_out(&out[0], in[0].dtype, &in[0].shape);
    return CVK_OK;
}

cvk_status cvk_infer_same_float(void *params, const cvk_view *in, int n_in, cvk_view *out,
                                int n_out)
{
    CVK_TRY(cvk_check_float(&in[0], "input"));
    return cvk_infer_same(params, in, n_in, out, n_out);
}

cvk_status cvk_infer_same_numeric(void *params, const cvk_view *in, int n_in, cvk_view *out,
                                  int n_out)
{
    CVK_TRY(cvk_check_numeric(&in[0], "input"));
    return cvk_infer_same(params, in, n_in, out, n_out);
}

cvk_status cvk_broadcast_all(const cvk_view *in, int n_in, cvk_shape *shape)
{
    *shape = in[0].shape;
    for (int i = 1; i < n_in && shape->rank >= 0; i++) {
        char text[CVK_SHAPE_TEXT], other[CVK_SHAPE_TEXT];
        if (!cvk_ranked(&in[i]))
            *shape = cvk_shape_unknown();
        else if (!cvk_shape_broadcast(shape, &in[i].shape, shape))
            return cvk_fail(CVK_SHAPE, "shapes %s and %s do not broadcast",
                            cvk_shape_text(shape, text), cvk_shape_text(&in[i].shape, other));
    }
    return CVK_OK;
}

/* All inputs of one type, broadcast, with a result of `dtype`. */
static cvk_status infer_combined(const cvk_view *in, int n_in, cvk_view *out, cvk_dtype dtype)
{
    cvk_shape shape;
    CVK_TRY(cvk_check_same_type(in, n_in));
    CVK_TRY(cvk_broadcast_all(in, n_in, &shape));
    cvk_set_out(&out[0], dtype, &shape);
    return CVK_OK;
}

cvk_status cvk_infer_broadcast(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)params, (void)n_out;
    CVK_TRY(cvk_check_numeric(&in[0], "input"));
    return infer_combined(in, n_in, out, in[0].dtype);
}

cvk_status cvk_infer_equal(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)params, (void)n_out;
    return infer_combined(in, n_in, out, CVK_BOOL);
}

cvk_status cvk_infer_order(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    CVK_TRY(cvk_check_numeric(&in[0], "input"));
    return cvk_infer_equal(params, in, n_in, out, n_out);
}

cvk_status cvk_infer_logic(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    if (in[0].dtype != CVK_BOOL)
        return cvk_fail(CVK_UNSUPPORTED, "input has type %s, bool is expected",
                        cvk_dtype_name(in[0].dtype));
    return cvk_infer_equal(params, in, n_in, out, n_out);
}

cvk_status cvk_infer_float_test(void *params, const cvk_view *in, int n_in, cvk_view *out,
                                int n_out)
{
    (void)params, (void)n_in, (void)n_out;
    CVK_TRY(cvk_check_float(&in[0], "input"));
    cvk_set_out(&out[0], CVK_BOOL, &in[0].shape);
    return CVK_OK;
}

cvk_status cvk_infer_bits(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    if (cvk_dtype_is_float(in[0].dtype) || in[0].dtype == CVK_BOOL)
        return cvk_fail(CVK_UNSUPPORTED, "input has type %s, an integer type is expected",
                        cvk_dtype_name(in[0].dtype));
    return cvk_infer_broadcast(params, in, n_in, out, n_out);
}

bool cvk_index_next(const cvk_shape *shape, int64_t *index)
{
    for (int d = shape->rank - 1; d >= 0; d--) {
        if (++index[d] < shape->dims[d]) return true;
        index[d] = 0;
    }
    return false;
}

int64_t cvk_index_dot(const int64_t *index, const int64_t *strides, int rank)
{
    int64_t at = 0;
    for (int d = 0; d < rank; d++) at += index[d] * strides[d];
    return at;
}

double *cvk_view_doubles(const cvk_view *view)
{
    int64_t count = cvk_view_count(view);
    double *values = malloc((size_t)(count > 0 ? count : 1) * sizeof *values);
    if (!values) cvk_fail(CVK_NO_MEMORY, "out of memory: %" PRId64 " elements", count);
    for (int64_t i = 0; values && i < count; i++) values[i] = cvk_view_get(view, i);
    return values;
}

cvk_status cvk_view_temp(const cvk_shape *shape, cvk_view *temp)
{
    int64_t count = cvk_shape_count(shape);
    *temp = (cvk_view){.dtype = CVK_F64, .shape = *shape};
    temp->data = calloc((size_t)(count > 0 ? count : 1), sizeof(double));
    if (!temp->data) return cvk_fail(CVK_NO_MEMORY, "out of memory: %" PRId64 " elements", count);
    return CVK_OK;
}

void cvk_view_convert(const cvk_view *src, cvk_view *dst)
{
    int64_t count = cvk_view_count(src);
    bool exact = !cvk_dtype_is_float(src->dtype) && !cvk_dtype_is_float(dst->dtype);
    if (src->dtype == dst->dtype) {
        if (count > 0) memmove(dst->data, src->data, cvk_view_bytes(src));
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        if (exact)
            cvk_view_set_int(dst, i, cvk_view_get_int(src, i));
        else
            cvk_view_set(dst, i, cvk_view_get(src, i));
    }
}
