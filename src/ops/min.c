/* SPDX-License-Identifier: Apache-2.0
 *
 * Min: the smallest of any number of inputs, broadcast.
 */
#include "ops/common.h"

const cvk_op cvk_op_Min = {
    .name = "Min",
    .min_in = 1,
    .max_in = -1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_binary_params),
    .form = {.kind = CVK_FORM_BINARY, .binary = CVK_BINARY_MIN},
    .infer = cvk_infer_broadcast,
    .reference = cvk_reference_binary,
};
