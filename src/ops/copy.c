/* SPDX-License-Identifier: Apache-2.0
 *
 * Copy, made by schedule: a strided gather (graph/params.h). Its output's shape is set by whoever
 * makes the node.
 */
#include "ops/move.h"
#include "ops/tell.h"

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

/* " walk=[2:24,3:8] offset=1": lengths and strides. */
static void tell(const void *params, char *text, size_t size)
{
    const cvk_copy_params *copy = params;
    for (int d = 0; d < copy->n; d++)
        cvk_tell(text, size, "%s%lld:%lld", d ? "," : " walk=[", (long long)copy->dims[d],
                 (long long)copy->strides[d]);
    if (copy->n) cvk_tell(text, size, "]");
    if (copy->offset) cvk_tell(text, size, " offset=%lld", (long long)copy->offset);
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
    .tell = tell,
    .internal = true,
};
