/* SPDX-License-Identifier: Apache-2.0
 *
 * QBinary: the sum or product of two 8-bit tensors, each with a scale and zero point, as an 8-bit
 * tensor with those of its own.
 */
#include "ops/quant.h"

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    const cvk_qbinary_params *binary = params;
    CVK_TRY(cvk_check_8bit(&in[0], "input A"));
    CVK_TRY(cvk_check_8bit(&in[1], "input B"));
    if (binary->kind != CVK_BINARY_ADD && binary->kind != CVK_BINARY_MUL)
        return cvk_fail(CVK_UNSUPPORTED, "quantised %s is not done, Add and Mul are",
                        cvk_binary_name(binary->kind));
    return cvk_infer_as_float(&cvk_op_Add, NULL, in, n_in, out, binary->y.dtype);
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in;
    (void)n_out;
    int rank = out->shape.rank;
    int64_t a[CVK_MAX_RANK], b[CVK_MAX_RANK], index[CVK_MAX_RANK] = {0}, i = 0;
    cvk_shape_broadcast_strides(&in[0].shape, &out->shape, a);
    cvk_shape_broadcast_strides(&in[1].shape, &out->shape, b);
    if (cvk_view_count(out) <= 0) return CVK_OK;
    do {
        int64_t x = cvk_view_get_int(&in[0], cvk_index_dot(index, a, rank));
        int64_t z = cvk_view_get_int(&in[1], cvk_index_dot(index, b, rank));
        cvk_view_set(out, i++, cvk_qbinary(params, (int32_t)x, (int32_t)z));
    } while (cvk_index_next(&out->shape, index));
    return CVK_OK;
}

const cvk_op cvk_op_QBinary = {
    .name = "QBinary",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_qbinary_params),
    .infer = infer,
    .reference = reference,
    .internal = true,
};
