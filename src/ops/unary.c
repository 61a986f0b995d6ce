/* SPDX-License-Identifier: Apache-2.0
 *
 * Unary, the form into which activations and the element-wise operators of one input are lowered.
 */
#include "ops/common.h"

const cvk_op cvk_op_Unary = {
    .name = "Unary",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_unary_params),
    .infer = cvk_infer_same_numeric,
    .reference = cvk_reference_unary,
    .internal = true,
};
