/* SPDX-License-Identifier: Apache-2.0
 *
 * Softsign: x / (1 + |x|).
 */
#include "ops/common.h"

const cvk_op cvk_op_Softsign = {
    .name = "Softsign",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_unary_params),
    .form = {.kind = CVK_FORM_UNARY, .act = CVK_ACT_SOFTSIGN},
    .infer = cvk_infer_same_float,
    .reference = cvk_reference_unary,
};
