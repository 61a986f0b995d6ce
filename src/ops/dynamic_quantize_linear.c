/* SPDX-License-Identifier: Apache-2.0
 *
 * DynamicQuantizeLinear: float32 to uint8, over the range of what is there with 0 in it; outputs y,
 * the scale and the zero point.
 */
#include "ops/quant.h"

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)params;
    (void)n_in;
    const cvk_shape scalar = {0};
    if (in->dtype != CVK_F32)
        return cvk_fail(CVK_UNSUPPORTED, "x has type %s, float32 is expected",
                        cvk_dtype_name(in->dtype));
    cvk_set_out(&out[0], CVK_U8, &in->shape);
    if (n_out > 1) cvk_set_out(&out[1], CVK_F32, &scalar);
    if (n_out > 2) cvk_set_out(&out[2], CVK_U8, &scalar);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)params;
    (void)n_in;
    const float *src = in->data;
    float low = 0, high = 0;
    int64_t count = cvk_view_count(in);
    for (int64_t i = 0; i < count; i++) {
        if (src[i] < low) low = src[i];
        if (src[i] > high) high = src[i];
    }
    float scale = (high - low) / 255.0f;
    if (scale == 0) scale = 1; /* nothing but zeros */
    const cvk_quant_range whole = cvk_quant_full(CVK_U8, 0);
    cvk_quant_range y = cvk_quant_full(CVK_U8, cvk_quant_round((0.0f - low) / scale, &whole));
    for (int64_t i = 0; i < count; i++)
        cvk_view_set(&out[0], i, cvk_quant_round(src[i] / scale, &y));
    if (cvk_wanted(out, n_out, 1)) cvk_view_set(&out[1], 0, (double)scale);
    if (cvk_wanted(out, n_out, 2)) cvk_view_set_int(&out[2], 0, y.zp);
    return CVK_OK;
}

const cvk_op cvk_op_DynamicQuantizeLinear = {
    .name = "DynamicQuantizeLinear",
    .min_in = 1,
    .max_in = 1,
    .min_out = 3,
    .max_out = 3,
    .infer = infer,
    .reference = reference,
};
