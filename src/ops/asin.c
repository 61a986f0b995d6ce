/* SPDX-License-Identifier: Apache-2.0
 *
 * Asin: the angle in [-pi/2, pi/2] whose sine is x; NaN beyond [-1, 1].
 */
#include "ops/common.h"

const cvk_op cvk_op_Asin = {
    .name = "Asin",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_unary_params),
    .form = {.kind = CVK_FORM_UNARY, .act = CVK_ACT_ASIN},
    .infer = cvk_infer_same_float,
    .reference = cvk_reference_unary,
};
