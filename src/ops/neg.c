/* SPDX-License-Identifier: Apache-2.0
 *
 * Neg: -x.
 */
#include "ops/common.h"

const cvk_op cvk_op_Neg = {
    .name = "Neg",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_unary_params),
    .form = {.kind = CVK_FORM_UNARY, .act = CVK_ACT_NEG},
    .infer = cvk_infer_same_numeric,
    .reference = cvk_reference_unary,
};
