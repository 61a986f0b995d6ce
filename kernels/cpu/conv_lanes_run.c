/* SPDX-License-Identifier: Apache-2.0
 *
 * Running a convolution with pictures in the lanes: the loops that conv_lanes.h draws.
 */
#include <string.h>

#include "kernels/cpu/act.h"
#include "kernels/cpu/conv_lanes.h"
#include "kernels/cpu/conv_pool.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/ints.h"
#include "kernels/cpu/row.h"
#include "kernels/cpu/unroll.h"

/* The bands in the lanes of a group. */
typedef struct lane_set {
    int count;
    int image[CVK_VLEN], row[CVK_VLEN]; /* picture, first result row */
    int top[CVK_VLEN];                  /* first source row; may be padding */
    ptrdiff_t at[CVK_VLEN];             /* where it is, in channel 0 */
} lane_set;

typedef struct job {
    const lanes_plan *plan;
    const float *src;
    float *dst;
    float *zero, *turned, *rows, *conv, *out; /* scratch */
    chain pre, post;
    chain_simple simple, late; /* of pre and post; if not, these are applied by chain_plane */
    bool is_simple, late_simple;
    lane_set lanes;
} job;

static void fill_lanes(const lanes_plan *plan, int group, lane_set *lanes)
{
    const int first = group * CVK_VLEN;
    const int step = (plan->pooled ? plan->pool.sh : 1) * plan->g.sh;
    lanes->count = min(CVK_VLEN, plan->items - first);
    for (int l = 0; l < lanes->count; l++) {
        lanes->image[l] = (first + l) / plan->bands;
        lanes->row[l] = (first + l) % plan->bands * plan->band;
        lanes->top[l] = lanes->row[l] * step - plan->g.pt;
        lanes->at[l] =
            ((ptrdiff_t)lanes->image[l] * plan->g.ic * plan->g.ih + lanes->top[l]) * plan->g.iw;
    }
}

/* Columns [x, x + count) of all lanes as vecs, and zeros up to CVK_VLEN of them. */
CVK_INLINE void turn_square(const float *const *line, int x, int count, float *dst,
                            const bool whole)
{
    vec v[CVK_VLEN];
    CVK_UNROLL for (int l = 0; l < CVK_VLEN; l++) v[l] =
        whole ? vec_load(line[l] + x) : vec_load_n(line[l] + x, count);
    vec_transpose(v);
    CVK_UNROLL for (int i = 0; i < CVK_VLEN; i++) vec_store(dst + i * CVK_VLEN, v[i]);
}

/* One source row of all lanes, columns [0, n), whose neighbours are neighbours in dst. */
static void turn_row(const float *const *line, int n, float *dst)
{
    int x = 0;
    for (; x + CVK_VLEN <= n; x += CVK_VLEN)
        turn_square(line, x, CVK_VLEN, dst + x * CVK_VLEN, true);
    if (x < n) turn_square(line, x, n - x, dst + x * CVK_VLEN, false);
}

/* The same, sorted into slots. */
static void turn_strided(const lanes_plan *plan, const float *const *line, int n, float *dst)
{
    float square[CVK_VLEN * CVK_VLEN];
    for (int x = 0; x < n; x += CVK_VLEN) {
        const int count = min(CVK_VLEN, n - x);
        turn_square(line, x, count, square, false);
        for (int i = 0; i < count; i++) {
            const int at = x + i + plan->g.pl;
            vec_store(dst + (at % plan->slots * plan->pitch + at / plan->slots) * CVK_VLEN,
                      vec_load(square + i * CVK_VLEN));
        }
    }
}

/* The columns beside the picture. */
static void pad_row(const lanes_plan *plan, int n, float *dst)
{
    if (plan->g.pl == 0 && n == plan->slots * plan->pitch) return;
    for (int s = 0; s < plan->slots; s++) {
        for (int i = 0; i < plan->pitch; i++) {
            const int x = i * plan->slots + s - plan->g.pl;
            if (x < 0 || x >= n) vec_store(dst + (s * plan->pitch + i) * CVK_VLEN, vec_zero());
        }
    }
}

static void turn_source(const job *j)
{
    const lanes_plan *plan = j->plan;
    const cvk_geom *g = &plan->g;
    const lane_set *lanes = &j->lanes;
    const int n = max(0, min(g->iw, plan->slots * plan->pitch - g->pl));
    const float *line[CVK_VLEN];
    for (int l = 0; l < CVK_VLEN; l++) line[l] = j->zero;
    if (plan->by_line) pad_row(plan, n, j->turned);
    for (int i = 0; i < g->ic * plan->src_rows; i++) {
        const int c = i / plan->src_rows, r = i % plan->src_rows;
        const ptrdiff_t further = ((ptrdiff_t)c * g->ih + r) * g->iw;
        for (int l = 0; l < lanes->count; l++) {
            const int y = lanes->top[l] + r;
            line[l] = y < 0 || y >= g->ih ? j->zero : j->src + lanes->at[l] + further;
        }
        float *dst = j->rows + i * plan->row_step;
        if (plan->by_line) {
            turn_row(line, n, j->turned + g->pl * CVK_VLEN);
            CVK_FN(cvk_conv_line_source)(j->turned, &plan->line, dst);
            continue;
        }
        if (plan->slots == 1)
            turn_row(line, n, dst + g->pl * CVK_VLEN);
        else
            turn_strided(plan, line, n, dst);
        pad_row(plan, n, dst);
    }
}

/* A tile of output channels. */
typedef struct tile {
    int channel; /* the first */
    conv_tile direct;
    conv_line line;
} tile;

/* Row `row` of the convolution, of a band and tile of channels, to dst. */
static void run_row(const job *j, tile *t, int row, float *dst)
{
    const lanes_plan *plan = j->plan;
    t->direct.src = j->rows + (ptrdiff_t)row * plan->g.sh * plan->row_step;
    t->direct.dst = dst;
    if (plan->by_line)
        CVK_FN(cvk_conv_tile_line)(&t->direct, &t->line, plan->g.ow);
    else
        CVK_FN(cvk_conv_tile_planes)(&t->direct, plan->g.ow * CVK_VLEN, CONV_PLANES_PX);
}

/* Rows before the pool that are held. */
typedef struct held {
    int base, end;
} held;

/* The rows that pooled row `row` reads, those that are held from the row before, then the pool. */
static void run_pooled_row(const job *j, tile *t, int row, held *h, float *dst, ptrdiff_t dst_step)
{
    const lanes_plan *plan = j->plan;
    const cvk_geom *p = &plan->pool;
    const ptrdiff_t line = (ptrdiff_t)plan->g.ow * CVK_VLEN, each = plan->conv_lines * line;
    const int count = t->direct.ocv, first = max(0, row * p->sh - p->pt),
              end = min(plan->g.oh, row * p->sh - p->pt + lanes_reach(p->kh, p->dh));
    for (int v = 0; v < count && first < h->end && first > h->base; v++)
        memmove(j->conv + v * each, j->conv + v * each + (first - h->base) * line,
                (size_t)((h->end - first) * line) * sizeof(float));
    for (int r = max(first, h->end); r < end; r++) {
        float *to = j->conv + (r - first) * line;
        run_row(j, t, r, to);
        for (int v = 0; v < count && !j->is_simple; v++)
            CVK_FN(cvk_chain_plane)(&j->pre, to + v * each, 1, 0, (int)line, t->channel + v);
    }
    *h = (held){first, max(end, h->end)};
    for (int v = 0; v < count; v++) CVK_FN(cvk_conv_pool_row)
    (p, &plan->pool_params, row, j->conv + v * each, first, dst + v * dst_step, CVK_VLEN);
}

/* Pixels of a channel back from the lanes. pixels: of each lane. What lies behind them in scratch is
 * turned too, to nowhere. */
static void put_channel(const job *j, const float *src, const int *pixels, const ptrdiff_t *at,
                        int most)
{
    const vec lo = vec_set1(j->late.lo), hi = vec_set1(j->late.hi);
    for (int x = 0; x < most; x += CVK_VLEN, src += CVK_VLEN * CVK_VLEN) {
        vec v[CVK_VLEN];
        CVK_UNROLL for (int i = 0; i < CVK_VLEN; i++) v[i] = vec_load(src + i * CVK_VLEN);
        if (j->late.clamp) {
            CVK_UNROLL for (int i = 0; i < CVK_VLEN; i++) v[i] = vec_clamp(v[i], lo, hi);
        }
        vec_transpose(v);
        CVK_UNROLL for (int l = 0; l < CVK_VLEN; l++)
        {
            if (l >= j->lanes.count) break;
            float *dst = j->dst + at[l] + x;
            if (pixels[l] - x >= CVK_VLEN)
                vec_store(dst, v[l]);
            else if (pixels[l] > x)
                vec_store_n(dst, v[l], pixels[l] - x);
        }
    }
}

/* Result rows [row, row + rows) of the bands, of channels [channel, channel + count). */
static void put_rows(const job *j, int row, int rows, int channel, int count)
{
    const lanes_plan *plan = j->plan;
    const chain *rest = plan->pooled ? &j->post : &j->pre;
    const bool finish = plan->pooled ? !j->late_simple : !j->is_simple;
    for (int v = 0; v < count; v++) {
        int pixels[CVK_VLEN] = {0};
        ptrdiff_t at[CVK_VLEN] = {0};
        for (int l = 0; l < j->lanes.count; l++) {
            const int y = j->lanes.row[l] + row;
            pixels[l] = max(0, min(rows, plan->rows - y)) * plan->cols;
            at[l] = ((ptrdiff_t)(j->lanes.image[l] * plan->g.oc + channel + v) * plan->rows + y) *
                    plan->cols;
        }
        put_channel(j, j->out + (ptrdiff_t)v * plan->stretch * plan->cols * CVK_VLEN, pixels, at,
                    rows * plan->cols);
        for (int l = 0; finish && l < j->lanes.count; l++) CVK_FN(cvk_chain_plane)
        (rest, j->dst + at[l], 1, (size_t)at[l], pixels[l], channel + v);
    }
}

static tile tile_of(const job *j, int index, ptrdiff_t vec_step)
{
    const lanes_plan *plan = j->plan;
    const float *wgt = plan->wgt;
    tile t = {.channel = lanes_tile_first(plan, index), .line = plan->line};
    const size_t filters = (size_t)plan->g.ic * (size_t)t.channel,
                 points = (size_t)(plan->taps * (plan->by_line ? plan->g.kw + 5 : 1));
    t.direct = (conv_tile){.ocv = lanes_tile_first(plan, index + 1) - t.channel,
                           .block_step = plan->block_step,
                           .off = plan->off,
                           .taps = plan->taps,
                           .blocks = plan->g.ic,
                           .wgt = wgt + filters * points,
                           .bias = wgt + plan->bias_at + t.channel,
                           .px_step = 1,
                           .clamp = j->is_simple && j->simple.clamp,
                           .lo = j->simple.lo,
                           .hi = j->simple.hi};
    t.line.wgt6 = t.direct.wgt;
    if (plan->by_line)
        t.line.wgt4 = wgt + plan->wgt_at[1] + filters * (size_t)(plan->taps * (plan->g.kw + 3));
    for (int v = 0; v < t.direct.ocv; v++) t.direct.vec_off[v] = v * vec_step;
    return t;
}

static void run_tile(const job *j, int index)
{
    const lanes_plan *plan = j->plan;
    const ptrdiff_t row_floats = (ptrdiff_t)plan->cols * CVK_VLEN,
                    out_step = plan->stretch * row_floats,
                    conv_step = (ptrdiff_t)plan->conv_lines * plan->g.ow * CVK_VLEN;
    tile t = tile_of(j, index, plan->pooled ? conv_step : out_step);
    held h = {0, 0};
    for (int row = 0; row < plan->band; row += plan->stretch) {
        const int rows = min(plan->stretch, plan->band - row);
        for (int i = 0; i < rows; i++) {
            float *dst = j->out + i * row_floats;
            if (plan->pooled)
                run_pooled_row(j, &t, row + i, &h, dst, out_step);
            else
                run_row(j, &t, row + i, dst);
        }
        put_rows(j, row, rows, t.channel, t.direct.ocv);
    }
}

cvk_status CVK_FN(cvk_conv_lanes_run)(cvk_device *device, const cvk_step *step, int worker,
                                      int workers)
{
    (void)device;
    const lanes_plan *plan = step->state;
    const int parts = plan->groups * plan->oc_parts;
    if (worker >= parts) return CVK_OK;
    job j = {.plan = plan, .src = step->in[0].data, .dst = step->out[0].data};
    j.zero = (float *)step->scratch + (size_t)worker * plan->worker_floats;
    j.turned = j.zero + plan->zero_floats;
    j.rows = j.turned + plan->turned_floats;
    j.conv = j.rows + plan->src_floats;
    j.out = j.conv + plan->conv_floats;
    memset(j.zero, 0, plan->zero_floats * sizeof(float));
    CVK_FN(cvk_chain_make)(step->node, step->in, 0, plan->pre, plan->g.oc, &j.pre);
    CVK_FN(cvk_chain_make)(step->node, step->in, plan->pre, plan->post, plan->g.oc, &j.post);
    j.is_simple = CVK_FN(cvk_chain_simplify)(&j.pre, &j.simple) && !j.simple.res;
    j.late_simple = CVK_FN(cvk_chain_simplify)(&j.post, &j.late);
    if (!j.late_simple) j.late.clamp = false;
    for (int part = worker; part < parts; part += workers) {
        int begin, end;
        fill_lanes(plan, part / plan->oc_parts, &j.lanes);
        cvk_team_share(plan->tiles, part % plan->oc_parts, plan->oc_parts, &begin, &end);
        turn_source(&j);
        for (int t = begin; t < end; t++) run_tile(&j, t);
    }
    return CVK_OK;
}
