/* SPDX-License-Identifier: Apache-2.0
 *
 * OneHot: a new axis of `depth` elements, values[1] where the index is (negative: from the end) and
 * values[0] elsewhere; an index outside is nowhere.
 */
#include "ops/move.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    return cvk_attrs_int(attrs, "axis", -1, &((cvk_axis_params *)params)->axis);
}

/* The number in depth, which may be of any type. */
static cvk_status read_depth(const cvk_view *depth, int64_t *number)
{
    if (!cvk_dtype_is_float(depth->dtype)) {
        CVK_TRY(cvk_input_number(depth, "depth", number));
    } else {
        cvk_view rounded = {.dtype = CVK_I64, .shape = depth->shape, .data = number};
        if (cvk_view_count(depth) == 1)
            cvk_view_set(&rounded, 0, cvk_view_get(depth, 0));
        else
            return cvk_input_number(depth, "depth", number);
    }
    if (*number >= 0 && *number <= INT32_MAX) return CVK_OK;
    return cvk_fail(CVK_SHAPE, "depth is %lld", (long long)*number);
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    cvk_axis_params *p = params;
    cvk_shape shape = cvk_shape_unknown();
    int64_t depth = -1;
    CVK_TRY(cvk_check_numeric(&in[0], "indices"));
    CVK_TRY(cvk_check_numeric(&in[1], "depth"));
    CVK_TRY(cvk_check_vector(&in[2], 2, "values"));
    if (cvk_input_constant(in, n_in, 1)) CVK_TRY(read_depth(&in[1], &depth));
    if (cvk_ranked(in)) {
        CVK_TRY(cvk_shape_of_rank(in->shape.rank + 1, &shape));
        CVK_TRY(cvk_check_axis(&p->axis, shape.rank));
        for (int d = 0, from = 0; d < shape.rank; d++)
            shape.dims[d] = d == p->axis ? depth : in->shape.dims[from++];
    }
    cvk_set_out(&out[0], in[2].dtype, &shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    int axis = (int)((const cvk_axis_params *)params)->axis;
    const cvk_shape *shape = &out->shape;
    int64_t depth = shape->dims[axis], inner = cvk_shape_span(shape, axis + 1, shape->rank),
            count = cvk_view_count(out);
    bool real = cvk_dtype_is_float(in->dtype);
    for (int64_t i = 0; i < count; i++) {
        int64_t k = i / inner % depth, from = i / (inner * depth) * inner + i % inner;
        bool hot;
        if (real) {
            double index = cvk_view_get(in, from);
            hot = (index < 0 ? index + (double)depth : index) == (double)k;
        } else {
            int64_t index = cvk_view_get_int(in, from);
            hot = (index < 0 ? index + depth : index) == k;
        }
        cvk_move_one(&in[2], hot, out, i);
    }
    return CVK_OK;
}

const cvk_op cvk_op_OneHot = {
    .name = "OneHot",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_axis_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .settings = CVK_ALL_BUT_FIRST,
};
