/* SPDX-License-Identifier: Apache-2.0
 *
 * LpPool: the p-norm of a sliding window.
 */
#include "ops/window.h"

const cvk_op cvk_op_LpPool = {
    .name = "LpPool",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_pool_params),
    .form = {.kind = CVK_FORM_POOL, .pool = CVK_POOL_LP},
    .parse = cvk_pool_parse,
    .infer = cvk_pool_infer,
    .reference = cvk_pool_reference,
    .work = cvk_pool_work,
    .needs_elements = true,
};
