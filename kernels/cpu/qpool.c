/* SPDX-License-Identifier: Apache-2.0
 *
 * Pools of 8-bit integers in plain layout: QPool, averages with sums in int32, and Pool, the largest.
 * Workers share the planes of channels.
 */
#include <string.h>

#include "kernels/cpu/requant.h"

typedef struct span {
    int begin, end; /* positions of the window inside the input, `by` apart */
    int taps, padded;
} span;

/* The window at output position o of one axis. */
static span span_at(int o, int in, int kernel, int stride, int by, int begin, int end)
{
    int64_t start = (int64_t)o * stride - begin, stop = start + (int64_t)(kernel - 1) * by + 1;
    int64_t limit = stop < (int64_t)in + end ? stop : (int64_t)in + end;
    span s = {.padded = limit > start ? (int)((limit - start + by - 1) / by) : 0};
    if (start < 0) start += (-start + by - 1) / by * by;
    if (stop > in) stop = in;
    s.begin = (int)start;
    s.end = (int)stop;
    s.taps = stop > start ? (int)((stop - start + by - 1) / by) : 0;
    return s;
}

static int32_t sum_of(const cvk_geom *g, const void *src, bool is_signed, int64_t base,
                      const span *h, const span *w)
{
    int32_t sum = 0;
    for (int y = h->begin; y < h->end; y += g->dh)
        for (int x = w->begin; x < w->end; x += g->dw)
            sum += requant_get(src, is_signed, base + (int64_t)y * g->iw + x);
    return sum;
}

static int32_t largest(const cvk_geom *g, const void *src, bool is_signed, int64_t base,
                       const span *h, const span *w)
{
    int32_t best = is_signed ? -128 : 0;
    for (int y = h->begin; y < h->end; y += g->dh)
        for (int x = w->begin; x < w->end; x += g->dw) {
            int32_t value = requant_get(src, is_signed, base + (int64_t)y * g->iw + x);
            if (value > best) best = value;
        }
    return best;
}

static int32_t average(const cvk_qpool_params *p, int32_t sum, const span *h, const span *w)
{
    int taps = h->taps * w->taps;
    int n = p->pool.count_include_pad ? h->padded * w->padded : taps;
    return cvk_requantise(sum - taps * p->x_zp, cvk_qpool_scale(p, n ? n : 1), &p->y);
}

/* Plane number `plane`; p: NULL for the largest. */
static void pool_plane(const cvk_step *step, const cvk_geom *g, const cvk_qpool_params *p,
                       int plane)
{
    const bool is_signed = step->in[0].dtype == CVK_I8;
    const int64_t base = (int64_t)plane * g->ih * g->iw;
    uint8_t *dst = (uint8_t *)step->out[0].data + (int64_t)plane * g->oh * g->ow;
    for (int oy = 0; oy < g->oh; oy++) {
        span h = span_at(oy, g->ih, g->kh, g->sh, g->dh, g->pt, g->pb);
        for (int ox = 0; ox < g->ow; ox++) {
            span w = span_at(ox, g->iw, g->kw, g->sw, g->dw, g->pl, g->pr);
            int32_t q;
            if (p)
                q = average(p, sum_of(g, step->in[0].data, is_signed, base, &h, &w), &h, &w);
            else
                q = largest(g, step->in[0].data, is_signed, base, &h, &w);
            dst[(int64_t)oy * g->ow + ox] = (uint8_t)q;
        }
    }
}

static cvk_status prepare_as(cvk_step *step, const cvk_pool_params *pool)
{
    cvk_geom *g = cvk_step_alloc(step, sizeof *g);
    if (!g) return CVK_NO_MEMORY;
    step->state = g;
    if (cvk_geom_make(&pool->window, 1, &step->in[0].shape, &step->out[0].shape, g)) return CVK_OK;
    return cvk_fail(CVK_SHAPE, "pool too large");
}

static cvk_status prepare_average(cvk_device *device, cvk_step *step)
{
    (void)device;
    return prepare_as(step, &((const cvk_qpool_params *)step->node->params)->pool);
}

static cvk_status prepare_max(cvk_device *device, cvk_step *step)
{
    (void)device;
    return prepare_as(step, step->node->params);
}

static cvk_status run_as(const cvk_step *step, const cvk_qpool_params *p, int worker, int workers)
{
    const cvk_geom *g = step->state;
    int begin, end;
    cvk_team_share(g->n * g->ic, worker, workers, &begin, &end);
    for (int plane = begin; plane < end; plane++) pool_plane(step, g, p, plane);
    return CVK_OK;
}

static cvk_status run_average(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    return run_as(step, step->node->params, worker, workers);
}

static cvk_status run_max(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    return run_as(step, NULL, worker, workers);
}

static bool accepts_as(const cvk_problem *p, const cvk_pool_params *pool, const char **why_not)
{
    cvk_geom g;
    if (!cvk_geom_make(&pool->window, 1, &p->in[0].shape, &p->out[0].shape, &g))
        return row_refuse(why_not, "neither 1-D nor 2-D, or too large");
    if ((int64_t)g.kh * g.kw > INT_MAX / 512) return row_refuse(why_not, "the window is too large");
    return row_sized(p, why_not) && row_no_posts(p, why_not);
}

static bool accepts_average(const cvk_problem *p, const char **why_not)
{
    return accepts_as(p, &((const cvk_qpool_params *)p->node->params)->pool, why_not);
}

static bool accepts_max(const cvk_problem *p, const char **why_not)
{
    if (!requant_is_8bit(&p->in[0])) return row_refuse(why_not, "not an 8-bit type");
    if (p->node->n_out != 1) return row_refuse(why_not, "indices of the maxima are not computed");
    return accepts_as(p, p->node->params, why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_qpool) = {
    .op = CVK_OP_QPool,
    .name = "qpool",
    .accepts = accepts_average,
    .prepare = prepare_average,
    .run = run_average,
};

const cvk_kernel CVK_FN(cvk_cpu_pool_8bit) = {
    .op = CVK_OP_Pool,
    .name = "pool_8bit",
    .accepts = accepts_max,
    .prepare = prepare_max,
    .run = run_max,
};
