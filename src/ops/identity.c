/* SPDX-License-Identifier: Apache-2.0
 *
 * Identity: y = x, of any type.
 */
#include "ops/move.h"

const cvk_op cvk_op_Identity = {
    .name = "Identity",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .infer = cvk_infer_same,
    .reference = cvk_reference_alias,
    .alias = true,
};
