/* SPDX-License-Identifier: Apache-2.0
 *
 * QPool: averages of 8-bit integers over a sliding window, as 8-bit integers with another scale and
 * zero point.
 */
#include <stdlib.h>

#include "ops/quant.h"
#include "ops/window.h"

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    cvk_qpool_params *pool = params;
    CVK_TRY(cvk_check_8bit(&in[0], "input"));
    return cvk_infer_as_float(&cvk_op_AveragePool, &pool->pool, in, n_in, out, pool->y.dtype);
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in;
    (void)n_out;
    const cvk_qpool_params *pool = params;
    const cvk_view x_zp = cvk_view_of_int(&pool->x_zp);
    cvk_view x;
    CVK_TRY(cvk_view_centred(&in[0], &x_zp, 0, &x));
    int64_t count = cvk_view_count(out);
    for (int64_t i = 0; i < count; i++) {
        int64_t divisor;
        double sum = cvk_pool_sum(&pool->pool, &x, &out->shape, i, &divisor);
        float scale = cvk_qpool_scale(pool, divisor ? (int32_t)divisor : 1);
        cvk_view_set(out, i, cvk_requantise(cvk_wrap32(sum), scale, &pool->y));
    }
    free(x.data);
    return CVK_OK;
}

static uint64_t work(const void *params, const cvk_view *in, int n_in, const cvk_view *out)
{
    return cvk_pool_work(&((const cvk_qpool_params *)params)->pool, in, n_in, out);
}

const cvk_op cvk_op_QPool = {
    .name = "QPool",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_qpool_params),
    .infer = infer,
    .reference = reference,
    .work = work,
    .internal = true,
};
