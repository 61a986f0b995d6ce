/* SPDX-License-Identifier: Apache-2.0
 *
 * GatherElements: for each index, the element of the data that is there along the axis, and where
 * the index is along the others.
 */
#include "ops/move.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    return cvk_attrs_int(attrs, "axis", 0, &((cvk_axis_params *)params)->axis);
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_in, (void)n_out;
    cvk_axis_params *p = params;
    int64_t dim = -1;
    if (cvk_ranked(in)) {
        CVK_TRY(cvk_check_axis(&p->axis, in->shape.rank));
        dim = in->shape.dims[p->axis];
    }
    CVK_TRY(cvk_check_indices(&in[1], &dim, 1));
    if (cvk_ranked(in) && cvk_ranked(&in[1]))
        CVK_TRY(cvk_check_within(&in[1], &in[0], (int)p->axis));
    cvk_set_out(&out[0], in->dtype, &in[1].shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_shape *shape = &in[1].shape;
    int64_t strides[CVK_MAX_RANK], at[CVK_MAX_RANK] = {0}, count = cvk_view_count(&in[1]);
    int axis = (int)((const cvk_axis_params *)params)->axis;
    cvk_shape_strides(&in->shape, strides);
    for (int64_t i = 0; i < count; i++, cvk_index_next(shape, at)) {
        int64_t index = cvk_view_get_int(&in[1], i);
        CVK_TRY(cvk_index_normalise(&index, in->shape.dims[axis], i, CVK_BAD_INPUT));
        int64_t base = cvk_index_dot(at, strides, shape->rank) - at[axis] * strides[axis];
        cvk_move_one(in, base + index * strides[axis], &out[0], i);
    }
    return CVK_OK;
}

const cvk_op cvk_op_GatherElements = {
    .name = "GatherElements",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_axis_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
};
