/* SPDX-License-Identifier: Apache-2.0
 *
 * Gelu: x times the distribution function of the normal distribution, exactly or by way of tanh.
 */
#include <string.h>

#include "ops/common.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    const char *approximate;
    CVK_TRY(cvk_attrs_string(attrs, "approximate", "none", &approximate));
    if (strcmp(approximate, "tanh") == 0)
        ((cvk_unary_params *)params)->act.kind = CVK_ACT_GELU_TANH;
    else if (strcmp(approximate, "none") != 0)
        return cvk_fail(CVK_BAD_MODEL, "attribute 'approximate' is '%s', none or tanh is expected",
                        approximate);
    return CVK_OK;
}

const cvk_op cvk_op_Gelu = {
    .name = "Gelu",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_unary_params),
    .form = {.kind = CVK_FORM_UNARY, .act = CVK_ACT_GELU},
    .parse = parse,
    .infer = cvk_infer_same_float,
    .reference = cvk_reference_unary,
};
