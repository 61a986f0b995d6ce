/* SPDX-License-Identifier: Apache-2.0
 *
 * Mean: the mean of any number of inputs, broadcast.
 */
#include <stdlib.h>

#include "ops/common.h"

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    CVK_TRY(cvk_check_float(&in[0], "input"));
    return cvk_infer_broadcast(params, in, n_in, out, n_out);
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)params, (void)n_out;
    cvk_view sum;
    CVK_TRY(cvk_view_temp(&out[0].shape, &sum));
    cvk_status status =
        cvk_reference_binary(&(cvk_binary_params){CVK_BINARY_ADD}, in, n_in, &sum, 1);
    int64_t count = status ? 0 : cvk_view_count(&sum);
    for (int64_t i = 0; i < count; i++) cvk_view_set(&out[0], i, cvk_view_get(&sum, i) / n_in);
    free(sum.data);
    return status;
}

const cvk_op cvk_op_Mean = {
    .name = "Mean",
    .min_in = 1,
    .max_in = -1,
    .min_out = 1,
    .max_out = 1,
    .form = {.kind = CVK_FORM_MEAN},
    .infer = infer,
    .reference = reference,
};
