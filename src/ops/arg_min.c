/* SPDX-License-Identifier: Apache-2.0
 *
 * ArgMin: the index of the smallest element along an axis, as int64; of equal ones the first, or
 * the last with select_last_index.
 */
#include "ops/arg.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    return cvk_arg_parse(attrs, true, params);
}

const cvk_op cvk_op_ArgMin = {
    .name = "ArgMin",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_reduce_params),
    .parse = parse,
    .infer = cvk_arg_infer,
    .reference = cvk_arg_reference,
};
