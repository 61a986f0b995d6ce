/* SPDX-License-Identifier: Apache-2.0
 *
 * Pow: a to the power b, broadcast. The types may differ; the result has that of a.
 */
#include "ops/common.h"

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    cvk_view both[2] = {in[0], in[1]};
    CVK_TRY(cvk_check_numeric(&in[1], "exponent"));
    both[1].dtype = in[0].dtype;
    return cvk_infer_broadcast(params, both, n_in, out, n_out);
}

const cvk_op cvk_op_Pow = {
    .name = "Pow",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_binary_params),
    .form = {.kind = CVK_FORM_BINARY, .binary = CVK_BINARY_POW},
    .infer = infer,
    .reference = cvk_reference_binary,
};
