/* SPDX-License-Identifier: Apache-2.0
 *
 * BitwiseXor: xor of the bits of two integers, broadcast.
 */
#include "ops/common.h"

const cvk_op cvk_op_BitwiseXor = {
    .name = "BitwiseXor",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_binary_params),
    .form = {.kind = CVK_FORM_BINARY, .binary = CVK_BINARY_BIT_XOR},
    .infer = cvk_infer_bits,
    .reference = cvk_reference_binary,
};
