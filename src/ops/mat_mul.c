/* SPDX-License-Identifier: Apache-2.0
 *
 * MatMul, as numpy.matmul: matrices in the last two dimensions, the others broadcast; a vector on
 * the left is a row, on the right a column, and that dimension is dropped from the result.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "ops/common.h"

/* A vector as a matrix. */
static cvk_shape as_matrix(const cvk_shape *shape, bool left)
{
    if (shape->rank != 1) return *shape;
    int64_t n = shape->dims[0];
    return (cvk_shape){.rank = 2, .dims = {left ? 1 : n, left ? n : 1}};
}

static cvk_status product_shape(const cvk_shape *left, const cvk_shape *right, cvk_shape *out)
{
    char text[CVK_SHAPE_TEXT], other[CVK_SHAPE_TEXT];
    cvk_shape a = as_matrix(left, true), b = as_matrix(right, false);
    int64_t ka = a.dims[a.rank - 1], kb = b.dims[b.rank - 2];
    if (!cvk_dims_agree(ka, kb))
        return cvk_fail(CVK_SHAPE, "input A has %" PRId64 " columns, input B has %" PRId64 " rows",
                        ka, kb);
    int64_t m = a.dims[a.rank - 2], n = b.dims[b.rank - 1];
    a.rank -= 2;
    b.rank -= 2;
    if (!cvk_shape_broadcast(&a, &b, out))
        return cvk_fail(CVK_SHAPE, "shapes %s and %s do not broadcast", cvk_shape_text(left, text),
                        cvk_shape_text(right, other));
    if (left->rank > 1) out->dims[out->rank++] = m;
    if (right->rank > 1) out->dims[out->rank++] = n;
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)params;
    (void)n_out;
    CVK_TRY(cvk_check_numeric(&in[0], "input A"));
    CVK_TRY(cvk_check_same_type(in, n_in));
    if (in[0].shape.rank == 0 || in[1].shape.rank == 0)
        return cvk_fail(CVK_SHAPE, "input %s is a scalar, a vector or more is expected",
                        in[0].shape.rank ? "B" : "A");
    cvk_shape shape = cvk_shape_unknown();
    if (cvk_ranked(&in[0]) && cvk_ranked(&in[1]))
        CVK_TRY(product_shape(&in[0].shape, &in[1].shape, &shape));
    cvk_set_out(&out[0], in[0].dtype, &shape);
    return CVK_OK;
}

/* One product of (m, k) and (k, n) matrices, in double or in wrapping integers. */
static void multiply(const cvk_view *a, int64_t a0, const cvk_view *b, int64_t b0, int64_t m,
                     int64_t k, int64_t n, cvk_view *out, int64_t out0)
{
    bool exact = !cvk_dtype_is_float(a->dtype) && !cvk_dtype_is_float(out->dtype);
    for (int64_t i = 0; i < m * n; i++) {
        int64_t row = a0 + i / n * k, column = b0 + i % n;
        double sum = 0;
        uint64_t whole = 0;
        for (int64_t p = 0; p < k; p++) {
            if (exact)
                whole += (uint64_t)cvk_view_get_int(a, row + p) *
                         (uint64_t)cvk_view_get_int(b, column + p * n);
            else
                sum += cvk_view_get(a, row + p) * cvk_view_get(b, column + p * n);
        }
        if (exact)
            cvk_view_set_int(out, out0 + i, (int64_t)whole);
        else
            cvk_view_set(out, out0 + i, sum);
    }
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)params;
    (void)n_in;
    (void)n_out;
    cvk_shape a = as_matrix(&in[0].shape, true), b = as_matrix(&in[1].shape, false), batch;
    int64_t m = a.dims[a.rank - 2], k = a.dims[a.rank - 1], n = b.dims[b.rank - 1];
    int64_t a_strides[CVK_MAX_RANK], b_strides[CVK_MAX_RANK], index[CVK_MAX_RANK] = {0}, at = 0;
    if (cvk_view_count(&out[0]) == 0) return CVK_OK;
    a.rank -= 2;
    b.rank -= 2;
    if (!cvk_shape_broadcast(&a, &b, &batch)) return cvk_fail(CVK_SHAPE, "shapes do not broadcast");
    cvk_shape_broadcast_strides(&a, &batch, a_strides);
    cvk_shape_broadcast_strides(&b, &batch, b_strides);
    do {
        int64_t a0 = cvk_index_dot(index, a_strides, batch.rank) * m * k;
        int64_t b0 = cvk_index_dot(index, b_strides, batch.rank) * k * n;
        multiply(&in[0], a0, &in[1], b0, m, k, n, &out[0], at);
        at += m * n;
    } while (cvk_index_next(&batch, index));
    return CVK_OK;
}

static uint64_t macs(const void *params, const cvk_view *in, int n_in, const cvk_view *out)
{
    (void)params;
    (void)n_in;
    const cvk_shape *a = &in[0].shape;
    return (uint64_t)cvk_view_count(&out[0]) * (uint64_t)a->dims[a->rank - 1];
}

const cvk_op cvk_op_MatMul = {
    .name = "MatMul",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .infer = infer,
    .reference = reference,
    .macs = macs,
};
