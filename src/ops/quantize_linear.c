/* SPDX-License-Identifier: Apache-2.0
 *
 * QuantizeLinear: saturate(round(x / scale) + zero point), halves to even, to uint8 or int8; and
 * what DequantizeLinear shares with it.
 */
#include "ops/quantize.h"

#include <math.h>

cvk_status cvk_parse_quantize(const cvk_attrs *attrs, void *params)
{
    return cvk_attrs_int(attrs, "axis", 1, &((cvk_quantize_params *)params)->axis);
}

/* One number: a scalar, or a vector of one. */
static bool is_single(const cvk_view *view)
{
    return cvk_shape_count(&view->shape) == 1 && view->shape.rank <= 1;
}

cvk_status cvk_check_quantize(cvk_quantize_params *params, const cvk_view *in, int n_in)
{
    const cvk_view *scale = &in[1], *zero = cvk_input(in, n_in, 2);
    CVK_TRY(cvk_check_float(scale, "scale"));
    if (zero && cvk_shaped(scale) && cvk_shaped(zero) &&
        cvk_view_count(scale) != cvk_view_count(zero))
        return cvk_fail(CVK_SHAPE, "scale has %lld elements, zero point has %lld",
                        (long long)cvk_view_count(scale), (long long)cvk_view_count(zero));
    if (!cvk_shaped(scale) || is_single(scale) || !cvk_ranked(in)) return CVK_OK;
    CVK_TRY(cvk_check_axis(&params->axis, in->shape.rank));
    return cvk_check_vector(scale, in->shape.dims[params->axis], "scale");
}

cvk_quantize_runs cvk_quantize_runs_of(const cvk_quantize_params *params, const cvk_view *in)
{
    cvk_quantize_runs runs = {.outer = 1, .channels = 1, .inner = cvk_view_count(in)};
    if (!is_single(&in[1])) {
        runs.outer = cvk_shape_span(&in->shape, 0, (int)params->axis);
        runs.channels = in->shape.dims[params->axis];
        runs.inner = cvk_shape_span(&in->shape, (int)params->axis + 1, in->shape.rank);
    }
    return runs;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    const cvk_view *zero = cvk_input(in, n_in, 2);
    cvk_dtype dtype = zero ? zero->dtype : CVK_U8;
    CVK_TRY(cvk_check_numeric(in, "input"));
    if (dtype != CVK_U8 && dtype != CVK_I8)
        return cvk_fail(CVK_UNSUPPORTED, "zero point has type %s, expected uint8 or int8",
                        cvk_dtype_name(dtype));
    CVK_TRY(cvk_check_quantize(params, in, n_in));
    cvk_set_out(&out[0], dtype, &in->shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_out;
    const cvk_view *zero = cvk_input(in, n_in, 2);
    cvk_quantize_runs runs = cvk_quantize_runs_of(params, in);
    int64_t i = 0;
    for (int64_t run = 0; run < runs.outer * runs.channels; run++) {
        int64_t c = run % runs.channels;
        float scale =
            (float)cvk_view_get(&in[1], c); /* the quotient is a float32, as ONNX types it */
        double offset = zero ? cvk_view_get(zero, c) : 0;
        for (int64_t end = i + runs.inner; i < end; i++)
            cvk_view_set(out, i, (double)nearbyintf((float)cvk_view_get(in, i) / scale) + offset);
    }
    return CVK_OK;
}

const cvk_op cvk_op_QuantizeLinear = {
    .name = "QuantizeLinear",
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
