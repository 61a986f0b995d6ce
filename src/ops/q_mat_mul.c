/* SPDX-License-Identifier: Apache-2.0
 *
 * QMatMul, the form into which matrix products of 8-bit integers are brought: zero points in the
 * parameters or one per column, a multiplier for all or one per column.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "ops/quant.h"
#include "ops/tell.h"

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    const cvk_qmatmul_params *matmul = params;
    const cvk_view *bias = cvk_input(in, n_in, 2), *m = cvk_input(in, n_in, 3);
    const cvk_view *bz = cvk_input(in, n_in, 4);
    int64_t n = in[1].shape.rank > 1 ? in[1].shape.dims[in[1].shape.rank - 1] : -1;
    CVK_TRY(cvk_check_8bit(&in[0], "input A"));
    CVK_TRY(cvk_check_8bit(&in[1], "input B"));
    if (bias) CVK_TRY(cvk_check_vector(bias, n, "bias"));
    if (m) CVK_TRY(cvk_check_each(m, n, "multiplier"));
    if (bz) CVK_TRY(cvk_check_each(bz, n, "zero point of B"));
    return cvk_infer_as_float(&cvk_op_MatMul, NULL, in, 2, out, m ? matmul->y.dtype : CVK_I32);
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_out;
    const cvk_qmatmul_params *matmul = params;
    const cvk_view *bias = cvk_input(in, n_in, 2), *m = cvk_input(in, n_in, 3);
    const cvk_view a_zp = cvk_view_of_int(&matmul->a_zp);
    cvk_view acc;
    CVK_TRY(cvk_accumulate_matmul(&in[0], &a_zp, &in[1], cvk_input(in, n_in, 4), out, &acc));
    int64_t count = cvk_view_count(out), n = 1;
    if (in[1].shape.rank > 1) n = in[1].shape.dims[in[1].shape.rank - 1];
    for (int64_t i = 0; i < count; i++) {
        double whole = ((const double *)acc.data)[i] + (bias ? cvk_view_get(bias, i % n) : 0);
        int32_t sum = cvk_wrap32(whole);
        if (m) sum = cvk_requantise(sum, (float)cvk_each(m, i % n), &matmul->y);
        cvk_view_set(out, i, sum);
    }
    free(acc.data);
    return CVK_OK;
}

static uint64_t macs(const void *params, const cvk_view *in, int n_in, const cvk_view *out)
{
    return cvk_op_MatMul.macs(params, in, n_in, out);
}

static void tell(const void *params, char *text, size_t size)
{
    const cvk_qmatmul_params *matmul = params;
    cvk_tell(text, size, " a=%" PRId32, matmul->a_zp);
    cvk_tell_range(&matmul->y, text, size);
}

const cvk_op cvk_op_QMatMul = {
    .name = "QMatMul",
    .min_in = 2,
    .max_in = 5,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_qmatmul_params),
    .infer = infer,
    .reference = reference,
    .macs = macs,
    .tell = tell,
    .internal = true,
};
