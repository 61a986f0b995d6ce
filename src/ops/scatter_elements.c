/* SPDX-License-Identifier: Apache-2.0
 *
 * ScatterElements: data, in which the element that is indices[i] along the axis, and where
 * updates[i] is along the others, becomes updates[i] or what the reduction makes of both.
 */
#include "ops/scatter.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_scatter_params *p = params;
    CVK_TRY(cvk_attrs_int(attrs, "axis", 0, &p->axis));
    return cvk_scatter_parse_kind(attrs, p);
}

cvk_status cvk_scatter_elements_infer(void *params, const cvk_view *in, int n_in, cvk_view *out,
                                      int n_out)
{
    (void)n_in, (void)n_out;
    cvk_scatter_params *p = params;
    const cvk_view *data = &in[0], *indices = &in[1], *updates = &in[2];
    int64_t dim = -1;
    CVK_TRY(cvk_scatter_check(p, in));
    if (cvk_ranked(data)) {
        CVK_TRY(cvk_check_axis(&p->axis, data->shape.rank));
        dim = data->shape.dims[p->axis];
    }
    CVK_TRY(cvk_check_indices(indices, &dim, 1));
    CVK_TRY(cvk_check_same_dims(indices, "indices", updates, "updates"));
    if (cvk_ranked(data) && cvk_ranked(indices))
        CVK_TRY(cvk_check_within(indices, data, (int)p->axis));
    cvk_set_out(&out[0], data->dtype, &data->shape);
    return CVK_OK;
}

cvk_status cvk_scatter_elements_reference(const void *params, const cvk_view *in, int n_in,
                                          cvk_view *out, int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_scatter_params *p = params;
    const cvk_shape *shape = &in[1].shape;
    int64_t strides[CVK_MAX_RANK], at[CVK_MAX_RANK] = {0}, count = cvk_view_count(&in[1]);
    int axis = (int)p->axis;
    cvk_move_all(&in[0], &out[0]);
    cvk_shape_strides(&in[0].shape, strides);
    for (int64_t i = 0; i < count; i++, cvk_index_next(shape, at)) {
        int64_t index = cvk_view_get_int(&in[1], i);
        CVK_TRY(cvk_index_normalise(&index, in[0].shape.dims[axis], i, CVK_BAD_INPUT));
        int64_t base = cvk_index_dot(at, strides, shape->rank) - at[axis] * strides[axis];
        cvk_scatter_put(p->kind, &in[2], i, &out[0], base + index * strides[axis]);
    }
    return CVK_OK;
}

const cvk_op cvk_op_ScatterElements = {
    .name = "ScatterElements",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_scatter_params),
    .parse = parse,
    .infer = cvk_scatter_elements_infer,
    .reference = cvk_scatter_elements_reference,
};
