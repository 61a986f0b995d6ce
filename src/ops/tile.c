/* SPDX-License-Identifier: Apache-2.0
 *
 * Tile: the input repeated along each dimension as often as the second input says.
 */
#include <string.h>

#include "ops/move.h"

static cvk_status apply(const cvk_view *repeats, cvk_shape *shape)
{
    int64_t times[CVK_MAX_RANK];
    int n;
    CVK_TRY(cvk_const_ints(repeats, "repeats", CVK_MAX_RANK, times, &n));
    if (n != shape->rank)
        return cvk_fail(CVK_SHAPE, "repeats has %d elements for a tensor of rank %d", n,
                        shape->rank);
    for (int d = 0; d < n; d++) {
        if (times[d] < 0)
            return cvk_fail(CVK_SHAPE, "repeats lists %lld at place %d", (long long)times[d], d);
        if (shape->dims[d] >= 0 &&
            __builtin_mul_overflow(shape->dims[d], times[d], &shape->dims[d]))
            return cvk_fail(CVK_SHAPE, "dimension %d overflows when it is repeated", d);
    }
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)params, (void)n_out;
    cvk_shape shape = in->shape;
    if (in[1].dtype != CVK_I64)
        return cvk_fail(CVK_BAD_MODEL, "repeats are %s, expected int64",
                        cvk_dtype_name(in[1].dtype));
    if (cvk_ranked(in) && cvk_input_constant(in, n_in, 1))
        CVK_TRY(apply(&in[1], &shape));
    else
        CVK_TRY(
            cvk_shape_of_rank(cvk_ranked(in) ? in->shape.rank : cvk_input_length(&in[1]), &shape));
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

/* Element by element, where a walk has too few dimensions. */
static void repeat(const cvk_view *in, cvk_view *out)
{
    int64_t strides[CVK_MAX_RANK], at[CVK_MAX_RANK] = {0}, count = cvk_view_count(out);
    cvk_shape_strides(&in->shape, strides);
    for (int64_t i = 0; i < count; i++, cvk_index_next(&out->shape, at)) {
        int64_t from = 0;
        for (int d = 0; d < in->shape.rank; d++) from += at[d] % in->shape.dims[d] * strides[d];
        cvk_move_one(in, from, out, i);
    }
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)params, (void)n_in, (void)n_out;
    cvk_copy_params walk;
    if (cvk_view_count(out) == 0) return CVK_OK;
    if (cvk_walk_tiled(&in->shape, &out->shape, &walk))
        cvk_move_strided(&walk, in, out);
    else
        repeat(in, out);
    return CVK_OK;
}

const cvk_op cvk_op_Tile = {
    .name = "Tile",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .form = {.kind = CVK_FORM_COPY},
    .infer = infer,
    .reference = reference,
    .settings = CVK_ALL_BUT_FIRST,
};
