/* SPDX-License-Identifier: Apache-2.0
 *
 * Size: the number of elements of the input, as an int64 scalar.
 */
#include "ops/move.h"

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)params, (void)in, (void)n_in, (void)n_out;
    cvk_shape shape = {0};
    cvk_set_out(&out[0], CVK_I64, &shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)params, (void)n_in, (void)n_out;
    *(int64_t *)out->data = cvk_view_count(in);
    return CVK_OK;
}

const cvk_op cvk_op_Size = {
    .name = "Size",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .infer = infer,
    .reference = reference,
    .shape_only = true,
};
