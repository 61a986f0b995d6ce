/* SPDX-License-Identifier: Apache-2.0
 *
 * DequantizeLinear: (x - zero point) scale, from integers of 8, 16 (since opset 21) or 32 bits to the
 * type of scale. A model with 8-bit weights has it on every weight, so the common cases have loops of their own.
 */
#include "ops/quantize.h"

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    const cvk_view *zero = cvk_input(in, n_in, 2);
    if (!cvk_is_quantized_type(in->dtype) && in->dtype != CVK_I32)
        return cvk_fail(CVK_UNSUPPORTED,
                        "input has type %s, expected an integer of 8 or 16 bits or int32",
                        cvk_dtype_name(in->dtype));
    if (zero && zero->dtype != in->dtype)
        return cvk_fail(CVK_BAD_MODEL, "input has type %s, zero point has type %s",
                        cvk_dtype_name(in->dtype), cvk_dtype_name(zero->dtype));
    CVK_TRY(cvk_check_quantize(params, in, n_in));
    cvk_set_out(&out[0], in[1].dtype, &in->shape);
    return CVK_OK;
}

static void dequantize(const cvk_view *in, cvk_view *out, int64_t begin, int64_t end, double scale,
                       int64_t zero)
{
    if (out->dtype == CVK_F32 && (in->dtype == CVK_U8 || in->dtype == CVK_I8)) {
        float *dst = out->data;
        const uint8_t *u8 = in->data;
        const int8_t *i8 = in->data;
        if (in->dtype == CVK_U8)
            for (int64_t i = begin; i < end; i++) dst[i] = (float)((double)(u8[i] - zero) * scale);
        else
            for (int64_t i = begin; i < end; i++) dst[i] = (float)((double)(i8[i] - zero) * scale);
    } else {
        for (int64_t i = begin; i < end; i++)
            cvk_view_set(out, i, (double)(float)(cvk_view_get_int(in, i) - zero) * scale);
    }
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_out;
    const cvk_view *zero = cvk_input(in, n_in, 2);
    cvk_quantize_runs runs = cvk_quantize_runs_of(params, in);
    for (int64_t run = 0; run < runs.outer * runs.channels; run++) {
        int64_t c = cvk_quantize_scale_of(&runs, run);
        dequantize(in, out, run * runs.inner, (run + 1) * runs.inner, cvk_view_get(&in[1], c),
                   zero ? cvk_view_get_int(zero, c) : 0);
    }
    return CVK_OK;
}

const cvk_op cvk_op_DequantizeLinear = {
    .name = "DequantizeLinear",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_quantize_params),
    .parse = cvk_parse_quantize,
    .infer = infer,
    .reference = reference,
    .settings = CVK_ALL_BUT_FIRST,
};
