/* SPDX-License-Identifier: Apache-2.0
 *
 * Cast between numeric types and bool: integers wrap, floats are truncated and saturated to
 * integers, anything but 0 is true, float16 is rounded to nearest even.
 */
#include <math.h>

#include "ops/move.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_cast_params *p = params;
    int64_t to;
    CVK_TRY(cvk_attrs_int(attrs, "to", 0, &to));
    if (attrs->opset >= 19) cvk_attrs_ignore(attrs, "saturate"); /* of casts to float8 */
    p->to = to > 0 && to < 32 ? (cvk_dtype)to : CVK_NONE;
    if (cvk_dtype_bytes(p->to) == 0)
        return cvk_fail(CVK_UNSUPPORTED, "a cast to element type %s (%lld) is not supported",
                        cvk_dtype_foreign_name(to), (long long)to);
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_in, (void)n_out;
    cvk_set_out(&out[0], ((const cvk_cast_params *)params)->to, &in->shape);
    return CVK_OK;
}

/* float64 to float16 in one rounding: by way of a float32 that is odd where it is not exact. */
static uint16_t narrow_twice(double value)
{
    float near = (float)value;
    if ((double)near != value && isfinite(near)) {
        float away = nextafterf(near, (double)near < value ? INFINITY : -INFINITY);
        union {
            float f;
            uint32_t bits;
        } odd = {.f = near};
        near = odd.bits & 1 ? near : away;
    }
    return cvk_f32_to_f16(near);
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)params, (void)n_in, (void)n_out;
    int64_t count = cvk_view_count(out);
    if (in->dtype == out->dtype) {
        cvk_move_all(in, out);
    } else if (in->dtype == CVK_F64 && out->dtype == CVK_F16) {
        for (int64_t i = 0; i < count; i++)
            ((uint16_t *)out->data)[i] = narrow_twice(((const double *)in->data)[i]);
    } else if (in->dtype == CVK_F16 && out->dtype == CVK_F32) {
        for (int64_t i = 0; i < count; i++)
            ((float *)out->data)[i] = cvk_f16_to_f32(((const uint16_t *)in->data)[i]);
    } else if (cvk_dtype_is_float(in->dtype) || cvk_dtype_is_float(out->dtype)) {
        for (int64_t i = 0; i < count; i++) cvk_view_set(out, i, cvk_view_get(in, i));
    } else {
        for (int64_t i = 0; i < count; i++) cvk_view_set_int(out, i, cvk_view_get_int(in, i));
    }
    return CVK_OK;
}

const cvk_op cvk_op_Cast = {
    .name = "Cast",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_cast_params),
    .form = {.kind = CVK_FORM_CAST},
    .parse = parse,
    .infer = infer,
    .reference = reference,
};
