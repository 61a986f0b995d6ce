/* SPDX-License-Identifier: Apache-2.0
 *
 * Mish: x tanh(log(1 + exp(x))).
 */
#include "ops/common.h"

const cvk_op cvk_op_Mish = {
    .name = "Mish",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_unary_params),
    .form = {.kind = CVK_FORM_UNARY, .act = CVK_ACT_MISH},
    .infer = cvk_infer_same_float,
    .reference = cvk_reference_unary,
};
