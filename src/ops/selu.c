/* SPDX-License-Identifier: Apache-2.0
 *
 * Selu: gamma x where x is above 0, else gamma alpha (exp(x) - 1).
 */
#include "ops/common.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_act *act = &((cvk_unary_params *)params)->act;
    CVK_TRY(cvk_attrs_float(attrs, "alpha", 1.67326319217681884765625f, &act->a));
    return cvk_attrs_float(attrs, "gamma", 1.05070102214813232421875f, &act->b);
}

const cvk_op cvk_op_Selu = {
    .name = "Selu",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_unary_params),
    .form = {.kind = CVK_FORM_UNARY, .act = CVK_ACT_SELU},
    .parse = parse,
    .infer = cvk_infer_same_float,
    .reference = cvk_reference_unary,
};
