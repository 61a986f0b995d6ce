/* SPDX-License-Identifier: Apache-2.0
 *
 * Pool: maximum or average over a window of one or two dimensions (others: pool_any.c), and the map
 * and activation per channel that may stand before it.
 *
 *     blocked: one pixel of 16 channels after the other, taps in registers
 *     plain:   columns whose window has all its taps go CVK_VLEN at a time, the others one by one
 */
#include <math.h>

#include "kernels/cpu/half.h"
#include "kernels/cpu/posts.h"
#include "kernels/cpu/span.h"
#include "kernels/cpu/work.h"

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

/* What happens to a tap on its way in (node->pre); a literal where this is inlined. */
typedef enum way { AS_IS, MAP_RELU, MAP_ANY } way;

/* The map of a vec of channels. */
typedef struct map {
    vec scale, shift;
    const cvk_act *act;
} map;

static way way_of(const cvk_node *node)
{
    if (!node->pre.on) return AS_IS;
    return node->pre.act.kind == CVK_ACT_RELU ? MAP_RELU : MAP_ANY;
}

CVK_INLINE vec map_tap(const way how, const map *m, vec tap)
{
    if (how == AS_IS) return tap;
    return vec_act(how == MAP_RELU ? CVK_ACT_RELU : m->act->kind, m->act,
                   vec_fma(tap, m->scale, m->shift));
}

/* One vec of channels of one output pixel: th x tw taps, dy and dx elements apart. */
CVK_INLINE vec window(const bool average, const way how, const map *m, const void *src, int th,
                      int tw, ptrdiff_t dy, ptrdiff_t dx, const bool half)
{
    vec acc = average ? vec_zero() : vec_set1(-INFINITY);
    for (int y = 0; y < th; y++) {
        for (int x = 0; x < tw; x++) {
            vec tap = map_tap(how, m, row_load(src, y * dy + x * dx, half));
            acc = average ? vec_add(acc, tap) : vec_max(acc, tap);
        }
    }
    return acc;
}

/* Windows of the usual sizes are unrolled, unless each tap is a switch over all activations. */
CVK_INLINE vec window_of(const bool average, const way how, const map *m, const void *src, int th,
                         int tw, ptrdiff_t dy, ptrdiff_t dx, const bool half)
{
    if (how == MAP_ANY) return window(average, how, m, src, th, tw, dy, dx, half);
    if (th == 3 && tw == 3) return window(average, how, m, src, 3, 3, dy, dx, half);
    if (th == 2 && tw == 2) return window(average, how, m, src, 2, 2, dy, dx, half);
    return window(average, how, m, src, th, tw, dy, dx, half);
}

/* What is the same for all rows of a run. */
typedef struct job {
    const state *s;
    posts after;
    const float *scale, *shift; /* of all channels; NULL without a map */
    const cvk_act *act;
} job;

static job job_of(const cvk_step *step)
{
    const cvk_pre *pre = &step->node->pre;
    job j = {.s = step->state, .after = posts_make(step), .act = &pre->act};
    if (pre->on) {
        j.scale = step->in[pre->scale].data;
        j.shift = step->in[pre->shift].data;
    }
    return j;
}

/* The map of the first `lanes` channels from c on, which are none at the end of a last block. */
static map map_at(const job *j, int c, int lanes)
{
    map m = {.scale = vec_zero(), .shift = vec_zero(), .act = j->act};
    if (j->scale && lanes > 0) {
        m.scale = vec_load_n(j->scale + c, lanes);
        m.shift = vec_load_n(j->shift + c, lanes);
    }
    return m;
}

/* src, dst: a plane of blocks, and its output row; block: of channels. */
CVK_INLINE void row_blocked_of(const bool average, const way how, const job *j, int block,
                               const void *src, void *dst, int oh, const bool half)
{
    const cvk_geom *g = &j->s->g;
    const span *row = &j->s->rows[oh];
    const ptrdiff_t dy = (ptrdiff_t)g->dh * g->iw * CVK_BLOCK, dx = (ptrdiff_t)g->dw * CVK_BLOCK;
    map m[CVK_VPB];
    for (int v = 0; v < CVK_VPB; v++) {
        const int c = block * CVK_BLOCK + v * CVK_VLEN;
        m[v] = map_at(j, c, g->ic - c < CVK_VLEN ? g->ic - c : CVK_VLEN);
    }
    for (int x = 0; x < g->ow; x++) {
        const span *col = &j->s->cols[x];
        const ptrdiff_t from = ((ptrdiff_t)row->first * g->iw + col->first) * CVK_BLOCK;
        const vec scale = vec_set1(average ? scale_of(row, col) : 1.0f);
        for (int v = 0; v < CVK_VPB; v++) {
            vec y = window_of(average, how, &m[v], row_at(src, from + v * CVK_VLEN, half),
                              row->taps, col->taps, dy, dx, half);
            if (average) y = vec_mul(y, scale);
            row_store(dst, (ptrdiff_t)x * CVK_BLOCK + v * CVK_VLEN,
                      posts_apply(&j->after, y, 0, CVK_VLEN), half);
        }
    }
}

CVK_INLINE void rows_blocked(const bool average, const way how, const cvk_step *step, int worker,
                             int workers, const bool half)
{
    const job j = job_of(step);
    const cvk_geom *g = &j.s->g;
    const int blocks = (g->ic + CVK_BLOCK - 1) / CVK_BLOCK;
    row_parts parts = row_parts_of(g->n, blocks, g->oh, worker, workers);
    int first, begin, end;
    while (row_parts_next(&parts, &first, &begin, &end)) {
        for (int plane = first; plane < first + parts.planes; plane++) {
            const void *src =
                row_at(step->in[0].data, (ptrdiff_t)plane * g->ih * g->iw * CVK_BLOCK, half);
            for (int y = begin; y < end; y++) {
                ptrdiff_t at = ((ptrdiff_t)plane * g->oh + y) * g->ow * CVK_BLOCK;
                row_blocked_of(average, how, &j, plane % blocks, src,
                               (void *)row_at(step->out[0].data, at, half), y, half);
            }
        }
    }
}

static cvk_status run_blocked(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const bool average = ((const state *)step->state)->kind == CVK_POOL_AVERAGE;
    const way how = way_of(step->node);
    const bool half = step->in[0].dtype == CVK_F16;
    if (half && how == AS_IS)
        rows_blocked(average, AS_IS, step, worker, workers, true);
    else if (half)
        rows_blocked(average, MAP_ANY, step, worker, workers, true);
    else if (average && how == MAP_RELU)
        rows_blocked(true, MAP_RELU, step, worker, workers, false);
    else if (how != AS_IS)
        rows_blocked(average, MAP_ANY, step, worker, workers, false);
    else if (average)
        rows_blocked(true, AS_IS, step, worker, workers, false);
    else
        rows_blocked(false, AS_IS, step, worker, workers, false);
    return CVK_OK;
}

/* `lanes` neighbours (CVK_VLEN, whose windows have all their columns, or 1 in all lanes) of a plain
 * plane; src: the window's first row. */
CVK_INLINE vec elements(const bool average, const way how, const map *m, const state *s,
                        const float *src, const span *row, int x, const int lanes)
{
    const cvk_geom *g = &s->g;
    const span *col = &s->cols[x];
    vec acc = average ? vec_zero() : vec_set1(-INFINITY);
    src += col->first;
    for (int ky = 0; ky < row->taps; ky++, src += (ptrdiff_t)g->dh * g->iw) {
        for (int kx = 0; kx < col->taps; kx++) {
            const float *at = src + kx * g->dw;
            vec tap = lanes == 1   ? vec_set1(*at)
                      : g->sw == 1 ? vec_load(at)
                                   : vec_load_stride(at, g->sw);
            tap = map_tap(how, m, tap);
            acc = average ? vec_add(acc, tap) : vec_max(acc, tap);
        }
    }
    return average ? vec_mul(acc, vec_set1(scale_of(row, col))) : acc;
}

/* Columns with all their taps have one divisor. The last of them go with some that are done
 * already, if together they fill a vec. */
CVK_INLINE void row_plain(const bool average, const way how, const job *j, const map *m,
                          const float *src, float *dst, int oh)
{
    const state *s = j->s;
    const span *row = &s->rows[oh];
    src += (ptrdiff_t)row->first * s->g.iw;
    for (int x = 0; x < s->g.ow;) {
        if (x >= s->full_begin && x < s->full_end && s->full_end - s->full_begin >= CVK_VLEN) {
            if (x > s->full_end - CVK_VLEN) x = s->full_end - CVK_VLEN;
            vec y = elements(average, how, m, s, src, row, x, CVK_VLEN);
            vec_store(dst + x, posts_apply(&j->after, y, 0, CVK_VLEN));
            x += CVK_VLEN;
        } else {
            vec y = elements(average, how, m, s, src, row, x, 1);
            vec_store_n(dst + x, posts_apply(&j->after, y, 0, 1), 1);
            x++;
        }
    }
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const job j = job_of(step);
    const cvk_geom *g = &j.s->g;
    const bool average = j.s->kind == CVK_POOL_AVERAGE;
    int begin, end;
    cvk_team_share(g->n * g->ic * g->oh, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        const float *src = (const float *)step->in[0].data + (ptrdiff_t)(i / g->oh) * g->ih * g->iw;
        float *dst = (float *)step->out[0].data + (ptrdiff_t)i * g->ow;
        map m = {.act = j.act};
        if (j.scale) {
            m.scale = vec_set1(j.scale[i / g->oh % g->ic]);
            m.shift = vec_set1(j.shift[i / g->oh % g->ic]);
            row_plain(average, MAP_ANY, &j, &m, src, dst, i % g->oh);
        } else if (average) {
            row_plain(true, AS_IS, &j, &m, src, dst, i % g->oh);
        } else {
            row_plain(false, AS_IS, &j, &m, src, dst, i % g->oh);
        }
    }
    return CVK_OK;
}

/* A map is worth it where each pixel is in one window at most. */
static bool accepts_map(const cvk_problem *p, const cvk_geom *g, const char **why_not)
{
    if (!p->node->pre.on) return true;
    if ((g->kh - 1) * g->dh >= g->sh || (g->kw - 1) * g->dw >= g->sw)
        return row_refuse(why_not, "windows overlap: pixels would be mapped again and again");
    return true;
}

static bool accepts_window(const cvk_problem *p, const char **why_not)
{
    const cvk_pool_params *params = p->node->params;
    cvk_geom g;
    if (!posts_accept(p, false, why_not)) return false;
    if (params->kind == CVK_POOL_LP) return row_refuse(why_not, "maximum and average only");
    if (p->node->n_out != 1) return row_refuse(why_not, "indices of the maxima are not computed");
    if (!cvk_geom_make(&params->window, 1, &p->in[0].shape, &p->out[0].shape, &g))
        return row_refuse(why_not, "only 1-D and 2-D windows");
    return accepts_map(p, &g, why_not);
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    return row_f32(p, why_not) && accepts_window(p, why_not);
}

static bool accepts_blocked(const cvk_problem *p, const char **why_not)
{
    return row_floats(p, why_not) && row_blocked(&p->in[0], why_not) && accepts_window(p, why_not);
}

/* Where a channel is a plane of its own, elements of a window are visited one by one. */
static void cost_plain(const cvk_problem *p, cvk_work *work)
{
    static const double visit_cycles = 1.2;
    const cvk_pool_params *params = p->node->params;
    double window = 1;
    for (int d = 0; d < params->window.spatial; d++) window *= (double)params->window.kernel[d];
    work->macs =
        work_shared_macs(p->caps, visit_cycles * window * (double)cvk_view_count(&p->out[0]));
}

const cvk_kernel CVK_FN(cvk_cpu_pool) = {
    .op = CVK_OP_Pool,
    .name = "pool",
    .prologue = true,
    .accepts = accepts,
    .cost = cost_plain,
    .prepare = prepare,
    .run = run,
};

const cvk_kernel CVK_FN(cvk_cpu_pool_blocked) = {
    .op = CVK_OP_Pool,
    .name = "pool_blocked",
    .in_layout = CVK_LAYOUT_BLOCKED,
    .out_layout = CVK_LAYOUT_BLOCKED,
    .prologue = true,
    .accepts = accepts_blocked,
    .prepare = prepare,
    .run = run_blocked,
};
