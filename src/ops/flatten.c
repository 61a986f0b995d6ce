/* SPDX-License-Identifier: Apache-2.0
 *
 * Flatten: a matrix of the dims before `axis` by those from it on.
 */
#include "ops/move.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    return cvk_attrs_int(attrs, "axis", 1, &((cvk_axis_params *)params)->axis);
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_in, (void)n_out;
    cvk_axis_params *p = params;
    cvk_shape shape = {.rank = 2, .dims = {-1, -1}};
    if (cvk_ranked(in)) {
        int rank = in->shape.rank;
        int64_t axis = p->axis < 0 ? p->axis + rank : p->axis; /* rank itself is allowed */
        if (axis < 0 || axis > rank)
            return cvk_fail(CVK_BAD_MODEL, "axis %lld is outside a tensor of rank %d",
                            (long long)p->axis, rank);
        p->axis = axis;
        shape.dims[0] = cvk_shape_span(&in->shape, 0, (int)axis);
        shape.dims[1] = cvk_shape_span(&in->shape, (int)axis, rank);
    }
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

const cvk_op cvk_op_Flatten = {
    .name = "Flatten",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_axis_params),
    .parse = parse,
    .infer = infer,
    .reference = cvk_reference_alias,
    .alias = true,
};
