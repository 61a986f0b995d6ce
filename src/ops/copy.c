/* SPDX-License-Identifier: Apache-2.0
 *
 * Copy, made by schedule: a strided gather (graph/params.h). Its output's shape is set by whoever
 * makes the node.
 */
#include "ops/move.h"

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)params, (void)n_in, (void)n_out;
    out[0].dtype = in->dtype;
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    cvk_move_strided(params, in, out);
    return CVK_OK;
}

const cvk_op cvk_op_Copy = {
    .name = "Copy",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_copy_params),
    .infer = infer,
    .reference = reference,
    .internal = true,
};
