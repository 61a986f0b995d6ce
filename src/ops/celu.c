/* SPDX-License-Identifier: Apache-2.0
 *
 * Celu: x where x is 0 or more, else alpha (exp(x / alpha) - 1).
 */
#include "ops/common.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_act *act = &((cvk_unary_params *)params)->act;
    return cvk_attrs_float(attrs, "alpha", 1, &act->a);
}

const cvk_op cvk_op_Celu = {
    .name = "Celu",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_unary_params),
    .form = {.kind = CVK_FORM_UNARY, .act = CVK_ACT_CELU},
    .parse = parse,
    .infer = cvk_infer_same_float,
    .reference = cvk_reference_unary,
};
