/* SPDX-License-Identifier: Apache-2.0
 *
 * Atan: the angle in (-pi/2, pi/2) whose tangent is x.
 */
#include "ops/common.h"

const cvk_op cvk_op_Atan = {
    .name = "Atan",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_unary_params),
    .form = {.kind = CVK_FORM_UNARY, .act = CVK_ACT_ATAN},
    .infer = cvk_infer_same_float,
    .reference = cvk_reference_unary,
};
