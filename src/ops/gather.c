/* SPDX-License-Identifier: Apache-2.0
 *
 * Gather: slices of X along `axis`, picked by a tensor of indices (negative: from the end), whose
 * dims take the place of that axis.
 */
#include <string.h>

#include "ops/move.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    return cvk_attrs_int(attrs, "axis", 0, &((cvk_axis_params *)params)->axis);
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_in, (void)n_out;
    cvk_axis_params *p = params;
    const cvk_view *indices = &in[1];
    cvk_shape shape = cvk_shape_unknown();
    if (cvk_ranked(in)) CVK_TRY(cvk_check_axis(&p->axis, in->shape.rank));
    if (cvk_ranked(in) && cvk_ranked(indices)) {
        CVK_TRY(cvk_shape_of_rank(in->shape.rank - 1 + indices->shape.rank, &shape));
        int at = 0;
        for (int d = 0; d < p->axis; d++) shape.dims[at++] = in->shape.dims[d];
        for (int d = 0; d < indices->shape.rank; d++) shape.dims[at++] = indices->shape.dims[d];
        for (int d = (int)p->axis + 1; d < in->shape.rank; d++)
            shape.dims[at++] = in->shape.dims[d];
    }
    int64_t dim = cvk_ranked(in) ? in->shape.dims[p->axis] : -1;
    CVK_TRY(cvk_check_indices(indices, &dim, 1));
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    int axis = (int)((const cvk_axis_params *)params)->axis;
    int64_t outer = cvk_shape_span(&in->shape, 0, axis), dim = in->shape.dims[axis],
            picks = cvk_view_count(&in[1]);
    size_t bytes =
        (size_t)cvk_shape_span(&in->shape, axis + 1, in->shape.rank) * cvk_dtype_bytes(in->dtype);
    for (int64_t i = 0; i < picks; i++) {
        int64_t index = cvk_view_get_int(&in[1], i);
        CVK_TRY(cvk_index_normalise(&index, dim, i, CVK_BAD_INPUT));
        for (int64_t o = 0; bytes && o < outer; o++)
            memcpy((char *)out->data + (size_t)(o * picks + i) * bytes,
                   (const char *)in->data + (size_t)(o * dim + index) * bytes, bytes);
    }
    return CVK_OK;
}

const cvk_op cvk_op_Gather = {
    .name = "Gather",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_axis_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
};
