/* SPDX-License-Identifier: Apache-2.0
 *
 * DequantizeLinear: (x - zero) scale from uint8, int8 or int32.
 */
#include "kernels/cpu/quantize.h"

static void dequantize(const quantize_run *r, const cvk_view *src, float *dst)
{
    const uint8_t *u8 = src->data;
    const int8_t *i8 = src->data;
    const int32_t *i32 = src->data;
    const float scale = r->scale;
    if (src->dtype == CVK_U8)
        for (int i = r->begin; i < r->end; i++) dst[i] = (float)(u8[i] - r->zero) * scale;
    else if (src->dtype == CVK_I8)
        for (int i = r->begin; i < r->end; i++) dst[i] = (float)(i8[i] - r->zero) * scale;
    else
        for (int i = r->begin; i < r->end; i++)
            dst[i] = (float)((int64_t)i32[i] - r->zero) * scale;
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    int begin, end;
    row_share((int)cvk_view_count(&step->in[0]), worker, workers, &begin, &end);
    while (begin < end) {
        quantize_run r = quantize_next(step, begin, end);
        dequantize(&r, &step->in[0], step->out[0].data);
        begin = r.end;
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    return quantize_accepts(p, &p->out[0], &p->in[0], true, why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_dequantize_linear) = {
    .op = CVK_OP_DequantizeLinear,
    .name = "dequantize_linear",
    .accepts = accepts,
    .run = run,
};
