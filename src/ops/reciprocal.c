/* SPDX-License-Identifier: Apache-2.0
 *
 * Reciprocal: 1 / x.
 */
#include "ops/common.h"

const cvk_op cvk_op_Reciprocal = {
    .name = "Reciprocal",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_unary_params),
    .form = {.kind = CVK_FORM_UNARY, .act = CVK_ACT_RECIPROCAL},
    .infer = cvk_infer_same_float,
    .reference = cvk_reference_unary,
};
