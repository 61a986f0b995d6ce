/* SPDX-License-Identifier: Apache-2.0
 *
 * Acosh: the number of 0 or more whose hyperbolic cosine is x; NaN below 1.
 */
#include "ops/common.h"

const cvk_op cvk_op_Acosh = {
    .name = "Acosh",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_unary_params),
    .form = {.kind = CVK_FORM_UNARY, .act = CVK_ACT_ACOSH},
    .infer = cvk_infer_same_float,
    .reference = cvk_reference_unary,
};
