/* SPDX-License-Identifier: Apache-2.0
 *
 * Div: a / b, broadcast; integers truncate towards 0.
 */
#include "ops/common.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    (void)attrs;
    ((cvk_binary_params *)params)->kind = CVK_BINARY_DIV;
    return CVK_OK;
}

const cvk_op cvk_op_Div = {
    .name = "Div",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_binary_params),
    .parse = parse,
    .infer = cvk_infer_broadcast,
    .reference = cvk_reference_binary,
};
