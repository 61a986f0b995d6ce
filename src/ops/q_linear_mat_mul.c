/* SPDX-License-Identifier: Apache-2.0
 *
 * QLinearMatMul: a matrix product of 8-bit integers, requantised. Inputs a, a_scale, a_zero_point,
 * b, b_scale, b_zero_point, y_scale, y_zero_point; a vector of scales and zero points is one per
 * row of a, or one per column of b.
 */
#include <stdlib.h>

#include "ops/quant.h"

enum { A, A_SCALE, A_ZERO, B, B_SCALE, B_ZERO, Y_SCALE, Y_ZERO, INPUTS };

static int64_t rows(const cvk_shape *a)
{
    return a->rank < 0 ? -1 : a->rank < 2 ? 1 : a->dims[a->rank - 2];
}

static int64_t columns(const cvk_shape *b)
{
    return b->rank < 0 ? -1 : b->rank < 2 ? 1 : b->dims[b->rank - 1];
}

static cvk_status check_scale(const cvk_view *scale, int64_t length, const char *what)
{
    CVK_TRY(cvk_check_float(scale, what));
    return cvk_check_each(scale, length, what);
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_in;
    (void)n_out;
    const cvk_view product[2] = {in[A], in[B]};
    int64_t m = rows(&in[A].shape), n = columns(&in[B].shape);
    CVK_TRY(cvk_check_8bit(&in[A], "a"));
    CVK_TRY(cvk_check_8bit(&in[B], "b"));
    CVK_TRY(cvk_check_8bit(&in[Y_ZERO], "y_zero_point"));
    CVK_TRY(cvk_check_zero_point(&in[A_ZERO], &in[A], "a_zero_point"));
    CVK_TRY(cvk_check_zero_point(&in[B_ZERO], &in[B], "b_zero_point"));
    CVK_TRY(check_scale(&in[A_SCALE], m, "a_scale"));
    CVK_TRY(check_scale(&in[B_SCALE], n, "b_scale"));
    CVK_TRY(cvk_check_float(&in[Y_SCALE], "y_scale"));
    CVK_TRY(cvk_check_each(&in[A_ZERO], m, "a_zero_point"));
    CVK_TRY(cvk_check_each(&in[B_ZERO], n, "b_zero_point"));
    CVK_TRY(cvk_check_single(&in[Y_SCALE], CVK_NONE, "y_scale"));
    CVK_TRY(cvk_check_single(&in[Y_ZERO], CVK_NONE, "y_zero_point"));
    return cvk_infer_as_float(&cvk_op_MatMul, params, product, 2, out, in[Y_ZERO].dtype);
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)params;
    (void)n_in;
    (void)n_out;
    cvk_view acc;
    CVK_TRY(cvk_accumulate_matmul(&in[A], &in[A_ZERO], &in[B], &in[B_ZERO], out, &acc));
    const cvk_quant_range y = cvk_quant_full(out->dtype == CVK_I8 ? CVK_I8 : CVK_U8,
                                             (int32_t)cvk_view_get_int(&in[Y_ZERO], 0));
    float y_scale = (float)cvk_view_get(&in[Y_SCALE], 0);
    int64_t count = cvk_view_count(out);
    int64_t m = rows(&in[A].shape), n = columns(&in[B].shape);
    for (int64_t i = 0; i < count; i++) {
        float scale = cvk_requant_scale((float)cvk_each(&in[A_SCALE], i / n % m),
                                        (float)cvk_each(&in[B_SCALE], i % n), y_scale);
        cvk_view_set(out, i, cvk_requantise(cvk_wrap32(((double *)acc.data)[i]), scale, &y));
    }
    free(acc.data);
    return CVK_OK;
}

static uint64_t macs(const void *params, const cvk_view *in, int n_in, const cvk_view *out)
{
    const cvk_view product[2] = {in[A], in[B]};
    return n_in > B ? cvk_op_MatMul.macs(params, product, 2, out) : 0;
}

const cvk_op cvk_op_QLinearMatMul = {
    .name = "QLinearMatMul",
    .min_in = INPUTS,
    .max_in = INPUTS,
    .min_out = 1,
    .max_out = 1,
    .form = {.kind = CVK_FORM_QUANT,
             .quant = {CVK_OP_QMatMul, A_SCALE, A_ZERO, B, B_SCALE, B_ZERO, Y_SCALE, Y_ZERO, 0}},
    .infer = infer,
    .reference = reference,
    .macs = macs,
    .settings =
        1u << A_SCALE | 1u << A_ZERO | 1u << B_SCALE | 1u << B_ZERO | 1u << Y_SCALE | 1u << Y_ZERO,
};
