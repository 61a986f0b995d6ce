/* SPDX-License-Identifier: Apache-2.0
 *
 * GreaterOrEqual: whether a >= b, broadcast.
 */
#include "ops/common.h"

const cvk_op cvk_op_GreaterOrEqual = {
    .name = "GreaterOrEqual",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_binary_params),
    .form = {.kind = CVK_FORM_BINARY, .binary = CVK_BINARY_GREATER_EQUAL},
    .infer = cvk_infer_order,
    .reference = cvk_reference_binary,
};
