/* SPDX-License-Identifier: Apache-2.0
 *
 * MatMulInteger: a matrix product of 8-bit integers, each less its zero point, as int32. A vector of
 * zero points is one per row of A, or one per column of B.
 */
#include "ops/quant.h"

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    CVK_TRY(cvk_check_8bit(&in[0], "A"));
    CVK_TRY(cvk_check_8bit(&in[1], "B"));
    CVK_TRY(cvk_check_zero_point(cvk_input(in, n_in, 2), &in[0], "a_zero_point"));
    CVK_TRY(cvk_check_zero_point(cvk_input(in, n_in, 3), &in[1], "b_zero_point"));
    return cvk_infer_as_float(&cvk_op_MatMul, params, in, 2, out, CVK_I32);
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)params;
    (void)n_out;
    cvk_view acc;
    CVK_TRY(cvk_accumulate_matmul(&in[0], cvk_input(in, n_in, 2), &in[1], cvk_input(in, n_in, 3),
                                  out, &acc));
    cvk_store_sums(&acc, out);
    return CVK_OK;
}

static uint64_t macs(const void *params, const cvk_view *in, int n_in, const cvk_view *out)
{
    return cvk_op_MatMul.macs(params, in, n_in, out);
}

const cvk_op cvk_op_MatMulInteger = {
    .name = "MatMulInteger",
    .min_in = 2,
    .max_in = 4,
    .min_out = 1,
    .max_out = 1,
    .form = {.kind = CVK_FORM_QUANT, .quant = {CVK_OP_QMatMul, .x_zero = 2, .w = 1, .w_zero = 3}},
    .infer = infer,
    .reference = reference,
    .macs = macs,
    .settings = 1u << 2 | 1u << 3,
};
