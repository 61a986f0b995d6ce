/* SPDX-License-Identifier: Apache-2.0
 *
 * LogSoftmax: the logarithm of Softmax.
 */
#include "ops/softmax.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    return cvk_softmax_parse(attrs, true, params);
}

const cvk_op cvk_op_LogSoftmax = {
    .name = "LogSoftmax",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_softmax_params),
    .parse = parse,
    .infer = cvk_softmax_infer,
    .reference = cvk_softmax_reference,
};
