/* SPDX-License-Identifier: Apache-2.0
 *
 * GlobalPool, the form into which GlobalMaxPool and GlobalAveragePool are lowered, and what they
 * share with it: one number per channel.
 */
#include <math.h>

#include "ops/common.h"
#include "ops/window.h"

cvk_status cvk_global_pool_infer(void *params, const cvk_view *in, int n_in, cvk_view *out,
                                 int n_out)
{
    (void)params;
    (void)n_in;
    (void)n_out;
    char text[CVK_SHAPE_TEXT];
    cvk_shape shape = in[0].shape;
    CVK_TRY(cvk_check_float(&in[0], "input"));
    if (shape.rank == 0 || shape.rank == 1)
        return cvk_fail(CVK_SHAPE,
                        "input has shape %s, global pooling wants N x C x spatial dimensions",
                        cvk_shape_text(&shape, text));
    for (int d = 2; d < shape.rank; d++) shape.dims[d] = 1;
    cvk_set_out(&out[0], in[0].dtype, &shape);
    return CVK_OK;
}

cvk_status cvk_global_pool_reference(const void *params, const cvk_view *in, int n_in,
                                     cvk_view *out, int n_out)
{
    (void)n_in;
    (void)n_out;
    const cvk_global_pool_params *pool = params;
    int64_t planes = cvk_view_count(&out[0]);
    int64_t length = cvk_shape_span(&in[0].shape, 2, in[0].shape.rank);
    for (int64_t p = 0; p < planes; p++) {
        double best = -INFINITY, sum = 0;
        for (int64_t i = 0; i < length; i++) {
            double value = cvk_view_get(&in[0], p * length + i);
            best = cvk_binary_apply(CVK_BINARY_MAX, best, value);
            sum += value;
        }
        cvk_view_set(&out[0], p, pool->kind == CVK_POOL_MAX ? best : sum / (double)length);
    }
    return CVK_OK;
}

const cvk_op cvk_op_GlobalPool = {
    .name = "GlobalPool",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_global_pool_params),
    .infer = cvk_global_pool_infer,
    .reference = cvk_global_pool_reference,
    .internal = true,
};
