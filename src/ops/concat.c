/* SPDX-License-Identifier: Apache-2.0
 *
 * Concat: inputs of one type behind each other along `axis`; all other dims are equal.
 */
#include <string.h>

#include "ops/move.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    if (!cvk_attrs_find(attrs, "axis")) return cvk_fail(CVK_BAD_MODEL, "attribute axis is missing");
    return cvk_attrs_int(attrs, "axis", 0, &((cvk_axis_params *)params)->axis);
}

/* Adds input i to the shape so far. */
static cvk_status join(cvk_shape *shape, const cvk_shape *in, int i, int axis)
{
    char a[CVK_SHAPE_TEXT], b[CVK_SHAPE_TEXT];
    if (in->rank != shape->rank)
        return cvk_fail(CVK_SHAPE, "input %d has rank %d, the inputs before it %d", i, in->rank,
                        shape->rank);
    for (int d = 0; d < in->rank; d++)
        if (d != axis && !cvk_dims_agree(shape->dims[d], in->dims[d]))
            return cvk_fail(CVK_SHAPE, "input %d is %s and does not fit %s besides axis %d", i,
                            cvk_shape_text(in, a), cvk_shape_text(shape, b), axis);
    for (int d = 0; d < in->rank; d++)
        if (d != axis && shape->dims[d] < 0) shape->dims[d] = in->dims[d];
    int64_t *length = &shape->dims[axis];
    if (*length < 0 || in->dims[axis] < 0)
        *length = -1;
    else if (__builtin_add_overflow(*length, in->dims[axis], length))
        return cvk_fail(CVK_SHAPE, "the inputs together are too long along axis %d", axis);
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    cvk_axis_params *p = params;
    cvk_shape shape = cvk_shape_unknown();
    bool all_ranked = true;
    CVK_TRY(cvk_check_same_type(in, n_in));
    for (int i = 0; i < n_in; i++) {
        if (!cvk_input(in, n_in, i)) return cvk_fail(CVK_BAD_MODEL, "input %d is missing", i);
        if (!cvk_ranked(&in[i])) {
            all_ranked = false;
        } else if (shape.rank < 0) {
            CVK_TRY(cvk_check_axis(&p->axis, in[i].shape.rank));
            shape = in[i].shape;
        } else {
            CVK_TRY(join(&shape, &in[i].shape, i, (int)p->axis));
        }
    }
    if (!all_ranked && shape.rank >= 0) shape.dims[p->axis] = -1;
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_out;
    int axis = (int)((const cvk_axis_params *)params)->axis, rank = out->shape.rank;
    int64_t outer = cvk_shape_span(&out->shape, 0, axis);
    size_t size = cvk_dtype_bytes(out->dtype);
    size_t pitch = (size_t)cvk_shape_span(&out->shape, axis, rank) * size;
    char *dst = out->data;
    for (int i = 0; i < n_in; i++) {
        size_t bytes = (size_t)cvk_shape_span(&in[i].shape, axis, rank) * size;
        for (int64_t o = 0; bytes && o < outer; o++)
            memcpy(dst + (size_t)o * pitch, (const char *)in[i].data + (size_t)o * bytes, bytes);
        dst += bytes;
    }
    return CVK_OK;
}

const cvk_op cvk_op_Concat = {
    .name = "Concat",
    .min_in = 1,
    .max_in = -1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_axis_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
};
