/* SPDX-License-Identifier: Apache-2.0
 *
 * ConvInteger: a convolution of 8-bit integers, x less its zero point by w less its own, as int32.
 */
#include "ops/conv.h"
#include "ops/quant.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    return cvk_conv_parse(attrs, params);
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    const cvk_view *x_zero = cvk_input(in, n_in, 2), *w_zero = cvk_input(in, n_in, 3);
    CVK_TRY(cvk_check_8bit(&in[0], "x"));
    CVK_TRY(cvk_check_8bit(&in[1], "w"));
    CVK_TRY(cvk_check_zero_point(x_zero, &in[0], "x_zero_point"));
    CVK_TRY(cvk_check_zero_point(w_zero, &in[1], "w_zero_point"));
    if (x_zero) CVK_TRY(cvk_check_single(x_zero, CVK_NONE, "x_zero_point"));
    if (w_zero)
        CVK_TRY(cvk_check_each(w_zero, in[1].shape.rank > 0 ? in[1].shape.dims[0] : -1,
                               "w_zero_point"));
    return cvk_infer_as_float(&cvk_op_Conv, params, in, 2, out, CVK_I32);
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_out;
    cvk_view acc;
    CVK_TRY(cvk_accumulate_conv(params, &in[0], cvk_input(in, n_in, 2), &in[1],
                                cvk_input(in, n_in, 3), NULL, out, &acc));
    cvk_store_sums(&acc, out);
    return CVK_OK;
}

static uint64_t macs(const void *params, const cvk_view *in, int n_in, const cvk_view *out)
{
    return cvk_op_Conv.macs(params, in, n_in, out);
}

const cvk_op cvk_op_ConvInteger = {
    .name = "ConvInteger",
    .min_in = 2,
    .max_in = 4,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_conv_params),
    .form = {.kind = CVK_FORM_QUANT, .quant = {CVK_OP_QConv, .x_zero = 2, .w = 1, .w_zero = 3}},
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .macs = macs,
    .settings = 1u << 2 | 1u << 3,
    .needs_elements = true,
};
