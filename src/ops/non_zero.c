/* SPDX-License-Identifier: Apache-2.0
 *
 * NonZero: where the elements are that are not 0, in order: (rank, count) indices as int64. How
 * many there are is known with the elements.
 */
#include "ops/move.h"

static bool is_zero(const cvk_view *in, int64_t i)
{
    return cvk_dtype_is_float(in->dtype) ? cvk_view_get(in, i) == 0 : cvk_view_get_int(in, i) == 0;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)params, (void)n_out;
    cvk_shape shape = {.rank = 2, .dims = {cvk_ranked(in) ? in->shape.rank : -1, -1}};
    if (cvk_input_constant(in, n_in, 0)) {
        int64_t count = cvk_view_count(in);
        shape.dims[1] = 0;
        for (int64_t i = 0; i < count; i++) shape.dims[1] += !is_zero(in, i);
    }
    cvk_set_out(&out[0], CVK_I64, &shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)params, (void)n_in, (void)n_out;
    int64_t at[CVK_MAX_RANK] = {0}, count = cvk_view_count(in), found = 0,
            width = out->shape.dims[1];
    for (int64_t i = 0; i < count && found < width; i++, cvk_index_next(&in->shape, at)) {
        if (is_zero(in, i)) continue;
        for (int d = 0; d < in->shape.rank; d++) ((int64_t *)out->data)[d * width + found] = at[d];
        found++;
    }
    return CVK_OK;
}

const cvk_op cvk_op_NonZero = {
    .name = "NonZero",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .infer = infer,
    .reference = reference,
};
