/* SPDX-License-Identifier: Apache-2.0
 *
 * AveragePool: the mean of a sliding window.
 */
#include "ops/window.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    return cvk_pool_parse(attrs, CVK_POOL_AVERAGE, params);
}

const cvk_op cvk_op_AveragePool = {
    .name = "AveragePool",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_pool_params),
    .parse = parse,
    .infer = cvk_pool_infer,
    .reference = cvk_pool_reference,
    .work = cvk_pool_work,
    .needs_elements = true,
};
