/* SPDX-License-Identifier: Apache-2.0
 *
 * GlobalAveragePool: the mean of each channel.
 */
#include "ops/window.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    (void)attrs;
    ((cvk_global_pool_params *)params)->kind = CVK_POOL_AVERAGE;
    return CVK_OK;
}

const cvk_op cvk_op_GlobalAveragePool = {
    .name = "GlobalAveragePool",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_global_pool_params),
    .parse = parse,
    .infer = cvk_global_pool_infer,
    .reference = cvk_global_pool_reference,
    .needs_elements = true,
};
