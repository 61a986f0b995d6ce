/* SPDX-License-Identifier: Apache-2.0
 *
 * Relu: max(x, 0).
 */
#include "ops/common.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    (void)attrs;
    ((cvk_unary_params *)params)->act.kind = CVK_ACT_RELU;
    return CVK_OK;
}

const cvk_op cvk_op_Relu = {
    .name = "Relu",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_unary_params),
    .parse = parse,
    .infer = cvk_infer_same_numeric,
    .reference = cvk_reference_unary,
};
