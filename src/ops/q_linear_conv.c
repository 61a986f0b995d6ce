/* SPDX-License-Identifier: Apache-2.0
 *
 * QLinearConv: a convolution of 8-bit integers, requantised. Inputs x, x_scale, x_zero_point, w,
 * w_scale, w_zero_point, y_scale, y_zero_point, [B int32]; those of w are one number or one per
 * output channel.
 */
#include <stdlib.h>

#include "ops/conv.h"
#include "ops/quant.h"

enum { X, X_SCALE, X_ZERO, W, W_SCALE, W_ZERO, Y_SCALE, Y_ZERO, B, INPUTS };

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    return cvk_conv_parse(attrs, params);
}

static cvk_status check(const cvk_view *in, const cvk_view *bias, int64_t oc)
{
    CVK_TRY(cvk_check_8bit(&in[X], "x"));
    CVK_TRY(cvk_check_8bit(&in[W], "w"));
    CVK_TRY(cvk_check_8bit(&in[Y_ZERO], "y_zero_point"));
    CVK_TRY(cvk_check_zero_point(&in[X_ZERO], &in[X], "x_zero_point"));
    CVK_TRY(cvk_check_zero_point(&in[W_ZERO], &in[W], "w_zero_point"));
    CVK_TRY(cvk_check_single(&in[X_ZERO], CVK_NONE, "x_zero_point"));
    CVK_TRY(cvk_check_single(&in[Y_ZERO], CVK_NONE, "y_zero_point"));
    CVK_TRY(cvk_check_single(&in[X_SCALE], CVK_F32, "x_scale"));
    CVK_TRY(cvk_check_single(&in[Y_SCALE], CVK_F32, "y_scale"));
    CVK_TRY(cvk_check_float(&in[W_SCALE], "w_scale"));
    CVK_TRY(cvk_check_each(&in[W_SCALE], oc, "w_scale"));
    CVK_TRY(cvk_check_each(&in[W_ZERO], oc, "w_zero_point"));
    if (bias && bias->dtype != CVK_I32)
        return cvk_fail(CVK_UNSUPPORTED, "B has type %s, int32 is expected",
                        cvk_dtype_name(bias->dtype));
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    const cvk_view *bias = cvk_input(in, n_in, B);
    const cvk_view conv[3] = {in[X], in[W], bias ? *bias : (cvk_view){0}};
    CVK_TRY(check(in, bias, in[W].shape.rank > 0 ? in[W].shape.dims[0] : -1));
    return cvk_infer_as_float(&cvk_op_Conv, params, conv, bias ? 3 : 2, out, in[Y_ZERO].dtype);
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_out;
    cvk_view acc;
    CVK_TRY(cvk_accumulate_conv(params, &in[X], &in[X_ZERO], &in[W], &in[W_ZERO],
                                cvk_input(in, n_in, B), out, &acc));
    const cvk_quant_range y = cvk_quant_full(out->dtype == CVK_I8 ? CVK_I8 : CVK_U8,
                                             (int32_t)cvk_view_get_int(&in[Y_ZERO], 0));
    float x_scale = (float)cvk_view_get(&in[X_SCALE], 0);
    float y_scale = (float)cvk_view_get(&in[Y_SCALE], 0);
    int64_t count = cvk_view_count(out), oc = out->shape.dims[1];
    int64_t spatial = cvk_shape_span(&out->shape, 2, out->shape.rank);
    for (int64_t i = 0; i < count; i++) {
        float w_scale = (float)cvk_each(&in[W_SCALE], i / spatial % oc);
        float m = cvk_requant_scale(x_scale, w_scale, y_scale);
        cvk_view_set(out, i, cvk_requantise(cvk_wrap32(((double *)acc.data)[i]), m, &y));
    }
    free(acc.data);
    return CVK_OK;
}

static uint64_t macs(const void *params, const cvk_view *in, int n_in, const cvk_view *out)
{
    const cvk_view conv[2] = {in[X], in[W]};
    return n_in > W ? cvk_op_Conv.macs(params, conv, 2, out) : 0;
}

const cvk_op cvk_op_QLinearConv = {
    .name = "QLinearConv",
    .min_in = INPUTS - 1,
    .max_in = INPUTS,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_conv_params),
    .form = {.kind = CVK_FORM_QUANT,
             .quant = {CVK_OP_QConv, X_SCALE, X_ZERO, W, W_SCALE, W_ZERO, Y_SCALE, Y_ZERO, B}},
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .macs = macs,
    .settings =
        1u << X_SCALE | 1u << X_ZERO | 1u << W_SCALE | 1u << W_ZERO | 1u << Y_SCALE | 1u << Y_ZERO,
    .needs_elements = true,
};
