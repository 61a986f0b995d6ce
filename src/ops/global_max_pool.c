/* SPDX-License-Identifier: Apache-2.0
 *
 * GlobalMaxPool: the largest element of each channel.
 */
#include "ops/window.h"

const cvk_op cvk_op_GlobalMaxPool = {
    .name = "GlobalMaxPool",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_global_pool_params),
    .form = {.kind = CVK_FORM_GLOBAL_POOL, .pool = CVK_POOL_MAX},
    .infer = cvk_global_pool_infer,
    .reference = cvk_global_pool_reference,
    .needs_elements = true,
};
