/* SPDX-License-Identifier: Apache-2.0
 *
 * Shrink: x + bias below -lambd, x - bias above lambd, 0 in between.
 */
#include "ops/common.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_act *act = &((cvk_unary_params *)params)->act;
    CVK_TRY(cvk_attrs_float(attrs, "lambd", 0.5f, &act->a));
    return cvk_attrs_float(attrs, "bias", 0, &act->b);
}

const cvk_op cvk_op_Shrink = {
    .name = "Shrink",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_unary_params),
    .form = {.kind = CVK_FORM_UNARY, .act = CVK_ACT_SHRINK},
    .parse = parse,
    .infer = cvk_infer_same_numeric,
    .reference = cvk_reference_unary,
};
