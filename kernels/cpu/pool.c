/* SPDX-License-Identifier: Apache-2.0
 *
 * Pool: maximum or average over a window of one or two dimensions (others: pool_any.c).
 *
 *     blocked: one pixel of 16 channels after the other, taps in registers
 *     plain:   columns whose window has all its taps go CVK_VLEN at a time, the others one by one
 */
#include <math.h>

#include "kernels/cpu/half.h"
#include "kernels/cpu/posts.h"
#include "kernels/cpu/span.h"

typedef struct state {
    cvk_geom g;
    cvk_pool_kind kind;
    const span *rows, *cols;
    int full_begin, full_end; /* columns with all their taps */
} state;

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    (void)device;
    const cvk_pool_params *params = step->node->params;
    const cvk_shape *in = &step->in[0].shape, *out = &step->out[0].shape;
    cvk_geom3 axes;
    state *s = cvk_step_alloc(step, sizeof *s);
    if (!s) return CVK_NO_MEMORY;
    s->kind = params->kind;
    if (!cvk_geom_make(&params->window, 1, in, out, &s->g) ||
        !cvk_geom3_make(&params->window, 1, in, out, &axes))
        return cvk_fail(CVK_SHAPE, "pool '%s': the window does not fit its tensors",
                        step->node->name);
    s->rows = span_table(step, &axes.axis[1], params->count_include_pad);
    s->cols = span_table(step, &axes.axis[2], params->count_include_pad);
    if (!s->rows || !s->cols) return CVK_NO_MEMORY;
    span_full(s->cols, &axes.axis[2], &s->full_begin, &s->full_end);
    step->state = s;
    return CVK_OK;
}

/* One over the number of taps that count; of none, the sum is 0 anyhow. */
static inline float scale_of(const span *row, const span *col)
{
    int taps = row->divisor * col->divisor;
    return taps ? 1.0f / (float)taps : 0.0f;
}

/* One vec of channels of one output pixel: th x tw taps, dy and dx elements apart. */
CVK_INLINE vec window(const bool average, const void *src, int th, int tw, ptrdiff_t dy,
                      ptrdiff_t dx, const bool half)
{
    vec acc = average ? vec_zero() : vec_set1(-INFINITY);
    for (int y = 0; y < th; y++) {
        for (int x = 0; x < tw; x++) {
            vec tap = row_load(src, y * dy + x * dx, half);
            acc = average ? vec_add(acc, tap) : vec_max(acc, tap);
        }
    }
    return acc;
}

/* Windows of the usual sizes are unrolled. */
CVK_INLINE vec window_of(const bool average, const void *src, int th, int tw, ptrdiff_t dy,
                         ptrdiff_t dx, const bool half)
{
    if (th == 3 && tw == 3) return window(average, src, 3, 3, dy, dx, half);
    if (th == 2 && tw == 2) return window(average, src, 2, 2, dy, dx, half);
    return window(average, src, th, tw, dy, dx, half);
}

/* src, dst: a plane of blocks, and its output row. */
CVK_INLINE void row_blocked_of(const bool average, const state *s, const posts *after,
                               const void *src, void *dst, int oh, const bool half)
{
    const cvk_geom *g = &s->g;
    const span *row = &s->rows[oh];
    const ptrdiff_t dy = (ptrdiff_t)g->dh * g->iw * CVK_BLOCK, dx = (ptrdiff_t)g->dw * CVK_BLOCK;
    for (int x = 0; x < g->ow; x++) {
        const span *col = &s->cols[x];
        const ptrdiff_t from = ((ptrdiff_t)row->first * g->iw + col->first) * CVK_BLOCK;
        const vec scale = vec_set1(average ? scale_of(row, col) : 1.0f);
        for (int v = 0; v < CVK_VPB; v++) {
            vec y = window_of(average, row_at(src, from + v * CVK_VLEN, half), row->taps, col->taps,
                              dy, dx, half);
            if (average) y = vec_mul(y, scale);
            row_store(dst, (ptrdiff_t)x * CVK_BLOCK + v * CVK_VLEN,
                      posts_apply(after, y, 0, CVK_VLEN), half);
        }
    }
}

CVK_INLINE void rows_blocked(const bool average, const cvk_step *step, int worker, int workers,
                             const bool half)
{
    const state *s = step->state;
    const cvk_geom *g = &s->g;
    const posts after = posts_make(step);
    const int blocks = (g->ic + CVK_BLOCK - 1) / CVK_BLOCK;
    row_parts parts = row_parts_of(g->n, blocks, g->oh, worker, workers);
    int first, begin, end;
    while (row_parts_next(&parts, &first, &begin, &end)) {
        for (ptrdiff_t plane = first; plane < first + parts.planes; plane++) {
            const void *src = row_at(step->in[0].data, plane * g->ih * g->iw * CVK_BLOCK, half);
            for (int y = begin; y < end; y++) {
                ptrdiff_t at = (plane * g->oh + y) * g->ow * CVK_BLOCK;
                row_blocked_of(average, s, &after, src, (void *)row_at(step->out[0].data, at, half),
                               y, half);
            }
        }
    }
}

static cvk_status run_blocked(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const bool average = ((const state *)step->state)->kind == CVK_POOL_AVERAGE;
    if (step->in[0].dtype == CVK_F16)
        rows_blocked(average, step, worker, workers, true);
    else if (average)
        rows_blocked(true, step, worker, workers, false);
    else
        rows_blocked(false, step, worker, workers, false);
    return CVK_OK;
}

/* One output element of a plain plane; src: the window's first row. */
static float element(const state *s, const float *src, const span *row, const span *col)
{
    const cvk_geom *g = &s->g;
    float best = -INFINITY, sum = 0;
    for (int y = 0; y < row->taps; y++) {
        for (int x = 0; x < col->taps; x++) {
            float tap = src[(ptrdiff_t)y * g->dh * g->iw + col->first + x * g->dw];
            best = tap > best ? tap : best;
            sum += tap;
        }
    }
    return s->kind == CVK_POOL_AVERAGE ? sum * scale_of(row, col) : best;
}

/* CVK_VLEN neighbours whose windows have all their columns. */
CVK_INLINE vec elements(const bool average, const state *s, const float *src, const span *row,
                        int x)
{
    const cvk_geom *g = &s->g;
    vec acc = average ? vec_zero() : vec_set1(-INFINITY);
    src += s->cols[x].first;
    for (int ky = 0; ky < row->taps; ky++, src += (ptrdiff_t)g->dh * g->iw) {
        for (int kx = 0; kx < g->kw; kx++) {
            const float *at = src + kx * g->dw;
            vec tap = g->sw == 1 ? vec_load(at) : vec_load_stride(at, g->sw);
            acc = average ? vec_add(acc, tap) : vec_max(acc, tap);
        }
    }
    return acc;
}

/* Columns with all their taps have one divisor. The last of them go with some that are done
 * already, if together they fill a vec. */
static void row_plain(const state *s, const posts *after, const float *src, float *dst, int oh)
{
    const cvk_geom *g = &s->g;
    const span *row = &s->rows[oh];
    const bool average = s->kind == CVK_POOL_AVERAGE;
    src += (ptrdiff_t)row->first * g->iw;
    for (int x = 0; x < g->ow;) {
        if (x >= s->full_begin && x < s->full_end && s->full_end - s->full_begin >= CVK_VLEN) {
            if (x > s->full_end - CVK_VLEN) x = s->full_end - CVK_VLEN;
            vec y = average ? elements(true, s, src, row, x) : elements(false, s, src, row, x);
            if (average) y = vec_mul(y, vec_set1(scale_of(row, &s->cols[x])));
            vec_store(dst + x, posts_apply(after, y, 0, CVK_VLEN));
            x += CVK_VLEN;
        } else {
            vec y = vec_set1(element(s, src, row, &s->cols[x]));
            vec_store_n(dst + x, posts_apply(after, y, 0, 1), 1);
            x++;
        }
    }
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const state *s = step->state;
    const cvk_geom *g = &s->g;
    const posts after = posts_make(step);
    int begin, end;
    cvk_team_share(g->n * g->ic * g->oh, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        const float *src = (const float *)step->in[0].data + (ptrdiff_t)(i / g->oh) * g->ih * g->iw;
        row_plain(s, &after, src, (float *)step->out[0].data + (ptrdiff_t)i * g->ow, i % g->oh);
    }
    return CVK_OK;
}

static bool accepts_window(const cvk_problem *p, const char **why_not)
{
    const cvk_pool_params *params = p->node->params;
    cvk_geom g;
    if (!posts_accept(p, false, why_not)) return false;
    if (params->kind == CVK_POOL_LP) return row_refuse(why_not, "maximum and average only");
    if (p->node->n_out != 1) return row_refuse(why_not, "indices of the maxima are not computed");
    return cvk_geom_make(&params->window, 1, &p->in[0].shape, &p->out[0].shape, &g)
               ? true
               : row_refuse(why_not, "only 1-D and 2-D windows");
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    return row_f32(p, why_not) && accepts_window(p, why_not);
}

static bool accepts_blocked(const cvk_problem *p, const char **why_not)
{
    return row_floats(p, why_not) && row_blocked(&p->in[0], why_not) && accepts_window(p, why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_pool) = {
    .op = CVK_OP_Pool,
    .name = "pool",
    .accepts = accepts,
    .prepare = prepare,
    .run = run,
};

const cvk_kernel CVK_FN(cvk_cpu_pool_blocked) = {
    .op = CVK_OP_Pool,
    .name = "pool_blocked",
    .in_layout = CVK_LAYOUT_BLOCKED,
    .out_layout = CVK_LAYOUT_BLOCKED,
    .accepts = accepts_blocked,
    .prepare = prepare,
    .run = run_blocked,
};
