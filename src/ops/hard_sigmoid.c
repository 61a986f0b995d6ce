/* SPDX-License-Identifier: Apache-2.0
 *
 * HardSigmoid: max(0, min(1, alpha x + beta)).
 */
#include "ops/common.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_act *act = &((cvk_unary_params *)params)->act;
    CVK_TRY(cvk_attrs_float(attrs, "alpha", 0.2f, &act->a));
    return cvk_attrs_float(attrs, "beta", 0.5f, &act->b);
}

const cvk_op cvk_op_HardSigmoid = {
    .name = "HardSigmoid",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_unary_params),
    .form = {.kind = CVK_FORM_UNARY, .act = CVK_ACT_HARD_SIGMOID},
    .parse = parse,
    .infer = cvk_infer_same_float,
    .reference = cvk_reference_unary,
};
