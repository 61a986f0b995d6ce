/* SPDX-License-Identifier: Apache-2.0
 *
 * ScatterND: data, in which the slice at each tuple of the last dimension of indices becomes the
 * slice of updates of the same place, or what the reduction makes of both.
 */
#include "ops/scatter.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    return cvk_scatter_parse_kind(attrs, params);
}

/* updates: the dims of indices without the last, then the data's from `tuple` on. */
static cvk_status check_updates(const cvk_view *data, const cvk_view *indices, int64_t tuple,
                                const cvk_view *updates)
{
    char text[CVK_SHAPE_TEXT], other[CVK_SHAPE_TEXT];
    int lead = indices->shape.rank - 1;
    cvk_shape want;
    CVK_TRY(cvk_shape_of_rank(lead + data->shape.rank - tuple, &want));
    for (int d = 0; d < want.rank; d++)
        want.dims[d] = d < lead ? indices->shape.dims[d] : data->shape.dims[d - lead + (int)tuple];
    bool fits = updates->shape.rank == want.rank;
    for (int d = 0; fits && d < want.rank; d++)
        fits = cvk_dims_agree(want.dims[d], updates->shape.dims[d]);
    if (fits) return CVK_OK;
    return cvk_fail(CVK_SHAPE, "updates are %s, expected %s", cvk_shape_text(&updates->shape, text),
                    cvk_shape_text(&want, other));
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_view *data = &in[0], *indices = &in[1];
    int64_t tuple;
    CVK_TRY(cvk_scatter_check(params, in));
    CVK_TRY(cvk_check_tuples(data, indices, 0, &tuple));
    if (tuple >= 0 && cvk_ranked(&in[2])) CVK_TRY(check_updates(data, indices, tuple, &in[2]));
    cvk_set_out(&out[0], data->dtype, &data->shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_shape *shape = &in[0].shape;
    int last = in[1].shape.rank - 1, tuple = (int)in[1].shape.dims[last];
    int64_t count = cvk_shape_span(&in[1].shape, 0, last),
            slice = cvk_shape_span(shape, tuple, shape->rank);
    cvk_move_all(&in[0], &out[0]);
    for (int64_t i = 0; i < count; i++) {
        int64_t at;
        CVK_TRY(cvk_tuple_place(&in[1], i, tuple, shape->dims, &at));
        for (int64_t k = 0; k < slice; k++)
            cvk_scatter_put(((const cvk_scatter_params *)params)->kind, &in[2], i * slice + k,
                            &out[0], at * slice + k);
    }
    return CVK_OK;
}

const cvk_op cvk_op_ScatterND = {
    .name = "ScatterND",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_scatter_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
};
