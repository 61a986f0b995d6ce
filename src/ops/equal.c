/* SPDX-License-Identifier: Apache-2.0
 *
 * Equal: whether a and b are equal, broadcast.
 */
#include "ops/common.h"

const cvk_op cvk_op_Equal = {
    .name = "Equal",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_binary_params),
    .form = {.kind = CVK_FORM_BINARY, .binary = CVK_BINARY_EQUAL},
    .infer = cvk_infer_equal,
    .reference = cvk_reference_binary,
};
