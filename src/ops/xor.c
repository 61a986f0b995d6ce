/* SPDX-License-Identifier: Apache-2.0
 *
 * Xor: whether one, not both, of a and b hold, broadcast.
 */
#include "ops/common.h"

const cvk_op cvk_op_Xor = {
    .name = "Xor",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_binary_params),
    .form = {.kind = CVK_FORM_BINARY, .binary = CVK_BINARY_XOR},
    .infer = cvk_infer_logic,
    .reference = cvk_reference_binary,
};
