/* SPDX-License-Identifier: Apache-2.0
 *
 * CumSum: sums of all elements up to each along an axis, which is an input; exclusive leaves out
 * the element itself, reverse begins at the end.
 */
#include "ops/move.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_cum_sum_params *p = params;
    int64_t exclusive, reverse;
    CVK_TRY(cvk_attrs_int(attrs, "exclusive", 0, &exclusive));
    CVK_TRY(cvk_attrs_int(attrs, "reverse", 0, &reverse));
    p->exclusive = exclusive != 0;
    p->reverse = reverse != 0;
    return CVK_OK;
}

static cvk_status read_axis(const cvk_view *in, int64_t *axis)
{
    CVK_TRY(cvk_input_number(&in[1], "axis", axis));
    return cvk_check_axis(axis, in->shape.rank);
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    CVK_TRY(cvk_check_numeric(in, "input"));
    if (cvk_ranked(in) && cvk_input_constant(in, n_in, 1))
        CVK_TRY(read_axis(in, &((cvk_cum_sum_params *)params)->axis));
    cvk_set_out(&out[0], in->dtype, &in->shape);
    return CVK_OK;
}

static void sum_line(const cvk_cum_sum_params *p, const cvk_view *in, cvk_view *out, int64_t base,
                     int64_t length, int64_t pitch)
{
    bool real = cvk_dtype_is_float(in->dtype);
    double sum = 0;
    uint64_t whole = 0;
    for (int64_t k = 0; k < length; k++) {
        int64_t at = base + (p->reverse ? length - 1 - k : k) * pitch;
        double x = real ? cvk_view_get(in, at) : 0;
        uint64_t n = real ? 0 : (uint64_t)cvk_view_get_int(in, at);
        if (real)
            cvk_view_set(out, at, p->exclusive ? sum : sum + x);
        else
            cvk_view_set_int(out, at, (int64_t)(p->exclusive ? whole : whole + n));
        sum += x;
        whole += n;
    }
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_shape *shape = &in->shape;
    int64_t axis;
    CVK_TRY(read_axis(in, &axis));
    int64_t outer = cvk_shape_span(shape, 0, (int)axis), length = shape->dims[axis],
            inner = cvk_shape_span(shape, (int)axis + 1, shape->rank);
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++)
            sum_line(params, in, out, o * length * inner + i, length, inner);
    return CVK_OK;
}

const cvk_op cvk_op_CumSum = {
    .name = "CumSum",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_cum_sum_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .settings = CVK_ALL_BUT_FIRST,
};
