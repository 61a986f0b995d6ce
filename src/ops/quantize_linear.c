/* SPDX-License-Identifier: Apache-2.0
 *
 * QuantizeLinear: saturate(round(x / scale) + zero point), halves to even, to uint8, int8 or (since
 * opset 21) uint16, int16; and what DequantizeLinear shares with it.
 */
#include "ops/quantize.h"

#include <math.h>

cvk_status cvk_parse_quantize(const cvk_attrs *attrs, void *params)
{
    cvk_quantize_params *p = params;
    CVK_TRY(cvk_attrs_int(attrs, "axis", 1, &p->axis));
    if (attrs->opset < 21) return CVK_OK;
    CVK_TRY(cvk_attrs_int(attrs, "block_size", 0, &p->block));
    if (p->block >= 0) return CVK_OK;
    return cvk_fail(CVK_BAD_MODEL, "attribute 'block_size' is %lld, 0 or more is expected",
                    (long long)p->block);
}

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    int64_t type = 0;
    CVK_TRY(cvk_parse_quantize(attrs, params));
    if (attrs->opset >= 19) cvk_attrs_ignore(attrs, "saturate"); /* of float8 */
    if (attrs->opset >= 21) CVK_TRY(cvk_attrs_int(attrs, "output_dtype", 0, &type));
    ((cvk_quantize_params *)params)->to = type > 0 && type < 32 ? (cvk_dtype)type : CVK_NONE;
    if (type == 0 || cvk_is_quantized_type(((cvk_quantize_params *)params)->to)) return CVK_OK;
    const char *name = cvk_dtype_bytes((cvk_dtype)type) ? cvk_dtype_name((cvk_dtype)type)
                                                        : cvk_dtype_foreign_name(type);
    return cvk_fail(CVK_UNSUPPORTED, "output_dtype is %s, expected an integer of 8 or 16 bits",
                    name);
}

bool cvk_is_quantized_type(cvk_dtype dtype)
{
    return dtype == CVK_U8 || dtype == CVK_I8 || dtype == CVK_U16 || dtype == CVK_I16;
}

/* One scale per block along the axis: the dims of X but for that one. */
static cvk_status check_blocks(const cvk_quantize_params *params, const cvk_view *in)
{
    char text[CVK_SHAPE_TEXT], other[CVK_SHAPE_TEXT];
    const cvk_shape *scale = &in[1].shape;
    bool fits = scale->rank == in->shape.rank;
    for (int d = 0; fits && d < scale->rank; d++) {
        int64_t dim = in->shape.dims[d];
        if (d == params->axis && dim > 0) dim = (dim - 1) / params->block + 1;
        fits = cvk_dims_agree(scale->dims[d], dim);
    }
    if (fits) return CVK_OK;
    return cvk_fail(CVK_SHAPE, "scale has shape %s, which does not fit %s in blocks of %lld",
                    cvk_shape_text(scale, text), cvk_shape_text(&in->shape, other),
                    (long long)params->block);
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
    if (params->block) return check_blocks(params, in);
    return cvk_check_vector(scale, in->shape.dims[params->axis], "scale");
}

cvk_quantize_runs cvk_quantize_runs_of(const cvk_quantize_params *params, const cvk_view *in)
{
    cvk_quantize_runs runs = {.outer = 1, .channels = 1, .inner = cvk_view_count(in)};
    if (!is_single(&in[1]) && params->block) {
        runs = (cvk_quantize_runs){.outer = runs.inner, .channels = 1, .inner = 1};
        runs.block = params->block;
        runs.length = in->shape.dims[params->axis];
        runs.span = cvk_shape_span(&in->shape, (int)params->axis + 1, in->shape.rank);
    } else if (!is_single(&in[1])) {
        runs.outer = cvk_shape_span(&in->shape, 0, (int)params->axis);
        runs.channels = in->shape.dims[params->axis];
        runs.inner = cvk_shape_span(&in->shape, (int)params->axis + 1, in->shape.rank);
    }
    return runs;
}

int64_t cvk_quantize_scale_of(const cvk_quantize_runs *runs, int64_t run)
{
    if (!runs->block) return run % runs->channels;
    int64_t blocks = (runs->length - 1) / runs->block + 1, at = run / runs->span;
    return (at / runs->length * blocks + at % runs->length / runs->block) * runs->span +
           run % runs->span;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    const cvk_view *zero = cvk_input(in, n_in, 2);
    cvk_dtype to = ((const cvk_quantize_params *)params)->to;
    cvk_dtype dtype = zero ? zero->dtype : to ? to : CVK_U8;
    CVK_TRY(cvk_check_numeric(in, "input"));
    if (!cvk_is_quantized_type(dtype))
        return cvk_fail(CVK_UNSUPPORTED,
                        "zero point has type %s, expected an integer of 8 or 16 bits",
                        cvk_dtype_name(dtype));
    if (to && to != dtype)
        return cvk_fail(CVK_BAD_MODEL, "output_dtype is %s, zero point has type %s",
                        cvk_dtype_name(to), cvk_dtype_name(dtype));
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
        int64_t c = cvk_quantize_scale_of(&runs, run);
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
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .settings = CVK_ALL_BUT_FIRST,
};
