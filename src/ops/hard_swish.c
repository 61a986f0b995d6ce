/* SPDX-License-Identifier: Apache-2.0
 *
 * HardSwish: x max(0, min(1, x / 6 + 1/2)).
 */
#include "ops/common.h"

const cvk_op cvk_op_HardSwish = {
    .name = "HardSwish",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_unary_params),
    .form = {.kind = CVK_FORM_UNARY, .act = CVK_ACT_HARD_SWISH},
    .infer = cvk_infer_same_float,
    .reference = cvk_reference_unary,
};
