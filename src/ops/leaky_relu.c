/* SPDX-License-Identifier: Apache-2.0
 *
 * LeakyRelu: x where x is 0 or more, else alpha x.
 */
#include "ops/common.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_act *act = &((cvk_unary_params *)params)->act;
    return cvk_attrs_float(attrs, "alpha", 0.01f, &act->a);
}

const cvk_op cvk_op_LeakyRelu = {
    .name = "LeakyRelu",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_unary_params),
    .form = {.kind = CVK_FORM_UNARY, .act = CVK_ACT_LEAKY_RELU},
    .parse = parse,
    .infer = cvk_infer_same_float,
    .reference = cvk_reference_unary,
};
