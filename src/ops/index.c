/* SPDX-License-Identifier: Apache-2.0
 *
 * Indices into tensors: one at a time, and tuples of them, as the operators that gather and scatter
 * check and follow them. Declared in ops/move.h.
 */
#include "ops/move.h"

cvk_status cvk_index_normalise(int64_t *index, int64_t dim, int64_t place, cvk_status status)
{
    if (*index < -dim || *index >= dim)
        return cvk_fail(status, "index %lld at place %lld is outside a dimension of %lld",
                        (long long)*index, (long long)place, (long long)dim);
    if (*index < 0) *index += dim;
    return CVK_OK;
}

cvk_status cvk_check_indices(const cvk_view *indices, const int64_t *dims, int n)
{
    if (indices->dtype != CVK_I32 && indices->dtype != CVK_I64)
        return cvk_fail(CVK_BAD_MODEL, "indices are %s, expected int32 or int64",
                        cvk_dtype_name(indices->dtype));
    int64_t count = indices->data && n > 0 ? cvk_view_count(indices) : 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t index = cvk_view_get_int(indices, i), dim = dims[i % n];
        if (dim >= 0) CVK_TRY(cvk_index_normalise(&index, dim, i, CVK_BAD_MODEL));
    }
    return CVK_OK;
}

cvk_status cvk_check_within(const cvk_view *indices, const cvk_view *data, int axis)
{
    char a[CVK_SHAPE_TEXT], b[CVK_SHAPE_TEXT];
    bool fits = indices->shape.rank == data->shape.rank;
    for (int d = 0; fits && d < data->shape.rank; d++)
        fits =
            d == axis || data->shape.dims[d] < 0 || indices->shape.dims[d] <= data->shape.dims[d];
    if (fits) return CVK_OK;
    return cvk_fail(CVK_SHAPE, "indices are %s and do not fit data of %s besides axis %d",
                    cvk_shape_text(&indices->shape, a), cvk_shape_text(&data->shape, b), axis);
}

cvk_status cvk_check_same_dims(const cvk_view *a, const char *a_name, const cvk_view *b,
                               const char *b_name)
{
    char text[CVK_SHAPE_TEXT], other[CVK_SHAPE_TEXT];
    if (!cvk_ranked(a) || !cvk_ranked(b)) return CVK_OK;
    bool same = a->shape.rank == b->shape.rank;
    for (int d = 0; same && d < a->shape.rank; d++)
        same = cvk_dims_agree(a->shape.dims[d], b->shape.dims[d]);
    if (same) return CVK_OK;
    return cvk_fail(CVK_SHAPE, "%s are %s, %s are %s, one shape is expected", a_name,
                    cvk_shape_text(&a->shape, text), b_name, cvk_shape_text(&b->shape, other));
}

cvk_status cvk_check_tuples(const cvk_view *data, const cvk_view *indices, int64_t batch,
                            int64_t *tuple)
{
    char a[CVK_SHAPE_TEXT], b[CVK_SHAPE_TEXT];
    const cvk_shape *to = &data->shape, *from = &indices->shape;
    *tuple = -1;
    CVK_TRY(cvk_check_indices(indices, NULL, 0));
    if (from->rank == 0) return cvk_fail(CVK_SHAPE, "indices are a scalar, tuples are expected");
    if (batch < 0 || (cvk_ranked(indices) && batch >= from->rank) ||
        (cvk_ranked(data) && batch >= to->rank))
        return cvk_fail(CVK_BAD_MODEL,
                        "batch_dims is %lld, less than the rank of data and indices "
                        "is expected",
                        (long long)batch);
    if (!cvk_ranked(data) || !cvk_ranked(indices) || from->dims[from->rank - 1] < 0) return CVK_OK;
    int64_t length = from->dims[from->rank - 1];
    bool fits = length >= 1 && batch + length <= to->rank;
    for (int d = 0; d < batch; d++) fits = fits && cvk_dims_agree(to->dims[d], from->dims[d]);
    if (!fits)
        return cvk_fail(CVK_SHAPE,
                        "indices of %s do not point into data of %s behind %lld "
                        "common dimensions",
                        cvk_shape_text(from, a), cvk_shape_text(to, b), (long long)batch);
    *tuple = length;
    return cvk_check_indices(indices, to->dims + batch, (int)length);
}

cvk_status cvk_tuple_place(const cvk_view *indices, int64_t i, int tuple, const int64_t *dims,
                           int64_t *place)
{
    *place = 0;
    for (int d = 0; d < tuple; d++) {
        int64_t index = cvk_view_get_int(indices, i * tuple + d);
        CVK_TRY(cvk_index_normalise(&index, dims[d], i * tuple + d, CVK_BAD_INPUT));
        *place = *place * dims[d] + index;
    }
    return CVK_OK;
}
