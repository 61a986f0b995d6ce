/* SPDX-License-Identifier: Apache-2.0
 *
 * Resample: one dimension by tables, of a plain tensor seen as [outer][length][inner].
 *
 *     inner 1    each output is a short sum over its line
 *     else       CVK_VLEN neighbours along inner at a time, all with the same taps
 */
#include "kernels/cpu/row.h"
#include "kernels/cpu/vec.h"

typedef struct state {
    int outer, inner, in, out;
} state;

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    (void)device;
    const cvk_resample_params *p = step->node->params;
    const cvk_shape *shape = &step->in[0].shape;
    state *s = cvk_step_alloc(step, sizeof *s);
    if (!s) return CVK_NO_MEMORY;
    *s = (state){.outer = (int)cvk_shape_span(shape, 0, (int)p->axis),
                 .inner = (int)cvk_shape_span(shape, (int)p->axis + 1, shape->rank),
                 .in = (int)shape->dims[p->axis],
                 .out = (int)p->length};
    step->state = s;
    return CVK_OK;
}

/* A weight of 0 must not bring in a NaN or an infinity. */
static float sum_of(const cvk_resample_params *p, const float *src, ptrdiff_t step, ptrdiff_t first)
{
    float sum = 0;
    for (int k = 0; k < p->taps; k++)
        if (p->weight[first + k] != 0) sum += p->weight[first + k] * src[p->at[first + k] * step];
    return sum;
}

/* The `inner` outputs of index x: neighbours. */
static void neighbours(const cvk_resample_params *p, const float *src, float *dst, int inner, int x)
{
    const ptrdiff_t first = (ptrdiff_t)x * p->taps;
    for (int i = 0; i < inner; i += CVK_VLEN) {
        const int lanes = inner - i < CVK_VLEN ? inner - i : CVK_VLEN;
        vec sum = p->at[first] < 0 ? vec_set1(p->fill) : vec_zero();
        for (int k = 0; k < p->taps && p->at[first] >= 0; k++) {
            if (p->weight[first + k] == 0) continue;
            const float *from = src + (ptrdiff_t)p->at[first + k] * inner + i;
            vec tap = lanes == CVK_VLEN ? vec_load(from) : vec_load_n(from, lanes);
            sum = vec_fma(tap, vec_set1(p->weight[first + k]), sum);
        }
        vec_store_n(dst + i, sum, lanes);
    }
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const cvk_resample_params *p = step->node->params;
    const state *s = step->state;
    int begin, end;
    cvk_team_share(s->outer * s->out, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        const int x = i % s->out;
        const float *src =
            (const float *)step->in[0].data + (ptrdiff_t)(i / s->out) * s->in * s->inner;
        float *dst = (float *)step->out[0].data + (ptrdiff_t)i * s->inner;
        const ptrdiff_t first = (ptrdiff_t)x * p->taps;
        if (s->inner == 1)
            *dst = p->at[first] < 0 ? p->fill : sum_of(p, src, 1, first);
        else
            neighbours(p, src, dst, s->inner, x);
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    return row_f32(p, why_not) && row_no_posts(p, why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_resample) = {
    .op = CVK_OP_Resample,
    .name = "resample",
    .accepts = accepts,
    .prepare = prepare,
    .run = run,
};
