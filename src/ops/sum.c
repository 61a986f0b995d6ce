/* SPDX-License-Identifier: Apache-2.0
 *
 * Sum: the sum of any number of inputs, broadcast.
 */
#include "ops/common.h"

const cvk_op cvk_op_Sum = {
    .name = "Sum",
    .min_in = 1,
    .max_in = -1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_binary_params),
    .form = {.kind = CVK_FORM_BINARY, .binary = CVK_BINARY_ADD},
    .infer = cvk_infer_broadcast,
    .reference = cvk_reference_binary,
};
