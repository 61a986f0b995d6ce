/* SPDX-License-Identifier: Apache-2.0
 *
 * Erf: the error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.
 */
#include "ops/common.h"

const cvk_op cvk_op_Erf = {
    .name = "Erf",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_unary_params),
    .form = {.kind = CVK_FORM_UNARY, .act = CVK_ACT_ERF},
    .infer = cvk_infer_same_float,
    .reference = cvk_reference_unary,
};
