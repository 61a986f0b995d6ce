/* SPDX-License-Identifier: Apache-2.0
 *
 * Tan: of an angle in radians.
 */
#include "ops/common.h"

const cvk_op cvk_op_Tan = {
    .name = "Tan",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_unary_params),
    .form = {.kind = CVK_FORM_UNARY, .act = CVK_ACT_TAN},
    .infer = cvk_infer_same_float,
    .reference = cvk_reference_unary,
};
