/* SPDX-License-Identifier: Apache-2.0
 *
 * HardSwish: x max(0, min(1, x / 6 + 1/2)).
 */
#include "ops/common.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    (void)attrs;
    ((cvk_unary_params *)params)->act.kind = CVK_ACT_HARD_SWISH;
    return CVK_OK;
}

const cvk_op cvk_op_HardSwish = {
    .name = "HardSwish",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_unary_params),
    .parse = parse,
    .infer = cvk_infer_same_float,
    .reference = cvk_reference_unary,
};
