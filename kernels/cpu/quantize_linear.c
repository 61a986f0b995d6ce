/* SPDX-License-Identifier: Apache-2.0
 *
 * QuantizeLinear: saturate(round_half_even(x / scale) + zero) as uint8 or int8.
 */
#include "kernels/cpu/quantize.h"

static void quantize(const quantize_run *r, const float *src, void *dst, bool is_signed)
{
    const vec scale = vec_set1(r->scale), zero = vec_set1((float)r->zero);
    const vec low = vec_set1(is_signed ? -128.0f : 0.0f),
              high = vec_set1(is_signed ? 127.0f : 255.0f);
    for (int i = r->begin; i < r->end; i += CVK_VLEN) {
        int n = r->end - i < CVK_VLEN ? r->end - i : CVK_VLEN;
        float part[CVK_VLEN];
        vec q = vec_add(vec_round(vec_div(vec_load_n(src + i, n), scale)), zero);
        vec_store(part, vec_min(vec_max(q, low), high)); /* NaN gives low */
        for (int l = 0; l < n && is_signed; l++) ((int8_t *)dst)[i + l] = (int8_t)part[l];
        for (int l = 0; l < n && !is_signed; l++) ((uint8_t *)dst)[i + l] = (uint8_t)part[l];
    }
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    int begin, end;
    row_share((int)cvk_view_count(&step->in[0]), worker, workers, &begin, &end);
    while (begin < end) {
        quantize_run r = quantize_next(step, begin, end);
        quantize(&r, step->in[0].data, step->out[0].data, step->out[0].dtype == CVK_I8);
        begin = r.end;
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    return quantize_accepts(p, &p->in[0], &p->out[0], false, why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_quantize_linear) = {
    .op = CVK_OP_QuantizeLinear,
    .name = "quantize_linear",
    .accepts = accepts,
    .run = run,
};
