/* SPDX-License-Identifier: Apache-2.0
 *
 * CenterCropPad: the middle of the input, or the input in the middle of zeros, until the dimensions
 * are those of the second input; axes says which they are.
 */
#include <string.h>

#include "ops/move.h"

static cvk_status apply(cvk_axes_params *p, const cvk_view *sizes, cvk_shape *shape)
{
    int64_t list[CVK_MAX_RANK];
    bool taken[CVK_MAX_RANK] = {false};
    int n;
    CVK_TRY(cvk_const_ints(sizes, "shape", CVK_MAX_RANK, list, &n));
    if (n != (p->n_axes ? p->n_axes : shape->rank))
        return cvk_fail(CVK_SHAPE, "shape has %d elements, %d are expected", n,
                        p->n_axes ? p->n_axes : shape->rank);
    for (int i = 0; i < n; i++) {
        int64_t axis = p->n_axes ? p->axes[i] : i;
        CVK_TRY(cvk_check_axis(&axis, shape->rank));
        if (taken[axis])
            return cvk_fail(CVK_BAD_MODEL, "axis %lld comes twice in axes", (long long)axis);
        taken[axis] = true;
        if (list[i] < 0)
            return cvk_fail(CVK_SHAPE, "shape lists %lld at place %d", (long long)list[i], i);
        shape->dims[axis] = list[i];
    }
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    cvk_shape shape = in->shape;
    if (cvk_ranked(in) && cvk_input_constant(in, n_in, 1))
        CVK_TRY(apply(params, &in[1], &shape));
    else if (cvk_ranked(in))
        CVK_TRY(cvk_shape_of_rank(in->shape.rank, &shape));
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)params, (void)n_in, (void)n_out;
    int64_t in_strides[CVK_MAX_RANK], out_strides[CVK_MAX_RANK], at[CVK_MAX_RANK] = {0};
    int64_t from = 0, to = 0;
    cvk_shape common = in->shape;
    cvk_shape_strides(&in->shape, in_strides);
    cvk_shape_strides(&out->shape, out_strides);
    for (int d = 0; d < common.rank; d++) {
        int64_t more = in->shape.dims[d] - out->shape.dims[d];
        if (more > 0) {
            from += more / 2 * in_strides[d];
            common.dims[d] = out->shape.dims[d];
        } else {
            to += -more / 2 * out_strides[d];
        }
    }
    if (cvk_view_bytes(out)) memset(out->data, 0, cvk_view_bytes(out));
    if (cvk_shape_count(&common) > 0) do {
            cvk_move_one(in, from + cvk_index_dot(at, in_strides, common.rank), out,
                         to + cvk_index_dot(at, out_strides, common.rank));
        } while (cvk_index_next(&common, at));
    return CVK_OK;
}

const cvk_op cvk_op_CenterCropPad = {
    .name = "CenterCropPad",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_axes_params),
    .parse = cvk_parse_axes,
    .infer = infer,
    .reference = reference,
    .settings = CVK_ALL_BUT_FIRST,
};
