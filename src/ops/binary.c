/* SPDX-License-Identifier: Apache-2.0
 *
 * Binary, the form into which the element-wise operators of two inputs are lowered.
 */
#include "ops/common.h"

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    switch (((const cvk_binary_params *)params)->kind) {
    case CVK_BINARY_POW: return cvk_op_Pow.infer(params, in, n_in, out, n_out);
    case CVK_BINARY_PRELU: return cvk_op_PRelu.infer(params, in, n_in, out, n_out);
    default: return cvk_infer_broadcast(params, in, n_in, out, n_out);
    }
}

const cvk_op cvk_op_Binary = {
    .name = "Binary",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_binary_params),
    .infer = infer,
    .reference = cvk_reference_binary,
    .internal = true,
};
