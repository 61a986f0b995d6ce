/* SPDX-License-Identifier: Apache-2.0
 *
 * Not: whether x does not hold.
 */
#include "ops/common.h"

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    (void)params;
    int64_t count = cvk_view_count(&in[0]);
    for (int64_t i = 0; i < count; i++) cvk_view_set_int(&out[0], i, !cvk_view_get_int(&in[0], i));
    return CVK_OK;
}

const cvk_op cvk_op_Not = {
    .name = "Not",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .form = {.kind = CVK_FORM_WITH_1, .binary = CVK_BINARY_XOR},
    .infer = cvk_infer_logic,
    .reference = reference,
};
