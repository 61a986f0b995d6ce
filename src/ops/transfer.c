/* SPDX-License-Identifier: Apache-2.0
 *
 * Transfer: the same elements in another device's memory.
 */
#include "ops/common.h"

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)params;
    (void)n_in;
    (void)n_out;
    cvk_view_convert(&in[0], &out[0]);
    return CVK_OK;
}

const cvk_op cvk_op_Transfer = {
    .name = "Transfer",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .infer = cvk_infer_same,
    .reference = reference,
    .internal = true,
};
