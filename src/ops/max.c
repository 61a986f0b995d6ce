/* SPDX-License-Identifier: Apache-2.0
 *
 * Max: the largest of any number of inputs, broadcast.
 */
#include "ops/common.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    (void)attrs;
    ((cvk_binary_params *)params)->kind = CVK_BINARY_MAX;
    return CVK_OK;
}

const cvk_op cvk_op_Max = {
    .name = "Max",
    .min_in = 1,
    .max_in = -1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_binary_params),
    .parse = parse,
    .infer = cvk_infer_broadcast,
    .reference = cvk_reference_binary,
};
