/* SPDX-License-Identifier: Apache-2.0
 *
 * Exp: e to the power x.
 */
#include "ops/common.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    (void)attrs;
    ((cvk_unary_params *)params)->act.kind = CVK_ACT_EXP;
    return CVK_OK;
}

const cvk_op cvk_op_Exp = {
    .name = "Exp",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_unary_params),
    .parse = parse,
    .infer = cvk_infer_same_float,
    .reference = cvk_reference_unary,
};
