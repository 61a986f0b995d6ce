/* SPDX-License-Identifier: Apache-2.0
 *
 * Depthwise convolution, blocked to blocked: one filter per channel, so every lane has its own
 * weights and reads its own channel. No copy of the source: pixels go in tiles that keep a vec each
 * in a register. Windows of 3 and 5 columns go through whole rows, where columns beyond the picture
 * are read as zeros from elsewhere, and with stride 1 through two rows at a time:
 *
 *     source rows  0 1 2 3        each is read once and multiplied for both:
 *     upper        w0 w1 w2
 *     lower           w0 w1 w2
 *
 * Of other windows, those that leave the picture take a slow path.
 */
#include "backend/kernel.h"
#include "kernels/cpu/act.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/row.h"
#include "kernels/cpu/unroll.h"

/* Pixels of a tile. Of pairs of rows that share what they read, sums and a row of the source fit into
 * the registers. */
enum {
    PX = CVK_VLEN == 16 ? 8 : 4,
    PAIR_PX = CVK_VREGS >= 32 ? 8 : 4,
    PAIR_KW = CVK_VREGS >= 32 ? 5 : 3,
    EDGE = 2 /* columns beyond the picture that a tile can stand for: half a window of 5 */
};

typedef struct depthwise {
    cvk_geom g;
    int blocks;
    bool tiled; /* a window of 3 or 5 columns that leaves the picture by its half */
    int inside_begin, inside_end; /* output columns whose window lies within the source's width */
    const float *wgt;             /* [block][kh][kw][16], then bias [block][16] */
} depthwise;

/* One output row of one vec of channels, or two. */
typedef struct row_job {
    const cvk_geom *g;
    const float *src; /* source row of the first valid tap, column -pl */
    const float *wgt; /* of that tap */
    int taps;         /* valid taps down */
    vec bias;
    float *dst;
    const float *res;
    bool clamp;
    float lo, hi;
} row_job;

CVK_INLINE void put(const row_job *r, ptrdiff_t at, vec sum)
{
    if (r->res) sum = vec_add(sum, vec_load(r->res + at));
    if (r->clamp) sum = vec_clamp(sum, vec_set1(r->lo), vec_set1(r->hi));
    vec_store(r->dst + at, sum);
}

/* --- windows of 3 or 5 columns: whole rows in tiles --- */

/* The columns that a tile reads of a source row: `cols` of them, of which some of the first and last
 * `edge` may lie beyond the picture. */
typedef struct columns {
    const float *first[EDGE], *inner, *last[EDGE]; /* last[0] is the last column */
    ptrdiff_t first_step[EDGE], last_step[EDGE];   /* to the next row: 0 beyond the picture */
} columns;

static const float beyond[CVK_BLOCK];

CVK_INLINE columns columns_of(const row_job *r, int x, const int cols, const int edge, const int sw)
{
    const cvk_geom *g = r->g;
    const int begin = x * sw - g->pl, lack = begin + cols - g->iw;
    const ptrdiff_t step = (ptrdiff_t)g->dh * g->iw * CVK_BLOCK;
    columns c = {.inner = r->src + (ptrdiff_t)x * sw * CVK_BLOCK};
    CVK_UNROLL for (int i = 0; i < edge; i++)
    {
        const bool left = begin + i < 0, right = i < lack;
        c.first[i] = left ? beyond : c.inner + i * CVK_BLOCK;
        c.first_step[i] = left ? 0 : step;
        c.last[i] = right ? beyond : c.inner + (cols - 1 - i) * CVK_BLOCK;
        c.last_step[i] = right ? 0 : step;
    }
    return c;
}

CVK_INLINE vec column(const columns *c, const int i, const int cols, const int edge)
{
    if (i < edge) return vec_load(c->first[i]);
    return vec_load(i < cols - edge ? c->inner + i * CVK_BLOCK : c->last[cols - 1 - i]);
}

CVK_INLINE void next_row(const row_job *r, columns *c, const int edge)
{
    c->inner += (ptrdiff_t)r->g->dh * r->g->iw * CVK_BLOCK;
    CVK_UNROLL for (int i = 0; i < edge; i++)
    {
        c->first[i] += c->first_step[i];
        c->last[i] += c->last_step[i];
    }
}

/* `px` pixels from column x on. */
CVK_INLINE void tile(const row_job *r, int x, const int px, const int kw, const int sw)
{
    const int cols = (px - 1) * sw + kw, edge = kw / 2;
    columns c = columns_of(r, x, cols, edge, sw);
    const float *wgt = r->wgt;
    vec acc[PX];
    CVK_UNROLL for (int p = 0; p < px; p++) acc[p] = r->bias;
    for (int ky = 0; ky < r->taps; ky++, next_row(r, &c, edge)) {
        CVK_UNROLL for (int kx = 0; kx < kw; kx++, wgt += CVK_BLOCK)
        {
            const vec w = vec_load(wgt);
            CVK_UNROLL for (int p = 0; p < px; p++) acc[p] =
                vec_fma(w, column(&c, p * sw + kx, cols, edge), acc[p]);
        }
    }
    CVK_UNROLL for (int p = 0; p < px; p++) put(r, (ptrdiff_t)(x + p) * CVK_BLOCK, acc[p]);
}

/* The same of two output rows with stride 1, all of whose taps are valid: what is read serves both. */
CVK_INLINE void pair(const row_job *r, int x, const int px, const int kw)
{
    const int cols = px - 1 + kw, edge = kw / 2;
    columns c = columns_of(r, x, cols, edge, 1);
    vec upper[PAIR_PX], lower[PAIR_PX], line[PAIR_PX + PAIR_KW - 1];
    CVK_UNROLL for (int p = 0; p < px; p++) upper[p] = lower[p] = r->bias;
    for (int ky = 0; ky <= r->taps; ky++, next_row(r, &c, edge)) {
        CVK_UNROLL for (int i = 0; i < cols; i++) line[i] = column(&c, i, cols, edge);
        const float *wgt = r->wgt + (ptrdiff_t)ky * kw * CVK_BLOCK;
        if (ky < r->taps) {
            CVK_UNROLL for (int kx = 0; kx < kw; kx++)
            {
                const vec w = vec_load(wgt + kx * CVK_BLOCK);
                CVK_UNROLL for (int p = 0; p < px; p++) upper[p] =
                    vec_fma(w, line[p + kx], upper[p]);
            }
        }
        if (ky == 0) continue;
        CVK_UNROLL for (int kx = 0; kx < kw; kx++)
        {
            const vec w = vec_load(wgt + (kx - kw) * CVK_BLOCK);
            CVK_UNROLL for (int p = 0; p < px; p++) lower[p] = vec_fma(w, line[p + kx], lower[p]);
        }
    }
    const ptrdiff_t row = (ptrdiff_t)r->g->ow * CVK_BLOCK;
    CVK_UNROLL for (int p = 0; p < px; p++)
    {
        put(r, (ptrdiff_t)(x + p) * CVK_BLOCK, upper[p]);
        put(r, row + (ptrdiff_t)(x + p) * CVK_BLOCK, lower[p]);
    }
}

/* Sizes that this level's tiles never have compile to nothing. */
CVK_INLINE void sized(const row_job *r, int x, const int px, const int kw, const int sw,
                      const bool two)
{
    if (two && px <= PAIR_PX && kw <= PAIR_KW) pair(r, x, px, kw);
    if (!two && px <= PX) tile(r, x, px, kw, sw);
}

/* Tiles of nearly equal width. */
CVK_INLINE void across(const row_job *r, const int kw, const int sw, const bool two)
{
    const int cols = r->g->ow, most = two ? PAIR_PX : PX, tiles = (cols + most - 1) / most;
    for (int i = 0, at = 0; i < tiles; i++) {
        const int stop = (int)((int64_t)cols * (i + 1) / tiles);
        switch (stop - at) {
        case 1: sized(r, at, 1, kw, sw, two); break;
        case 2: sized(r, at, 2, kw, sw, two); break;
        case 3: sized(r, at, 3, kw, sw, two); break;
        case 4: sized(r, at, 4, kw, sw, two); break;
        case 5: sized(r, at, 5, kw, sw, two); break;
        case 6: sized(r, at, 6, kw, sw, two); break;
        case 7: sized(r, at, 7, kw, sw, two); break;
        default: sized(r, at, 8, kw, sw, two); break;
        }
        at = stop;
    }
}

static void one_row(const row_job *r)
{
    if (r->g->kw == 3 && r->g->sw == 1)
        across(r, 3, 1, false);
    else if (r->g->kw == 3)
        across(r, 3, 2, false);
    else if (r->g->sw == 1)
        across(r, 5, 1, false);
    else
        across(r, 5, 2, false);
}

static void two_rows(const row_job *r)
{
    if (r->g->kw == 3)
        across(r, 3, 1, true);
    else
        across(r, 5, 1, true);
}

/* --- any window --- */

/* The taps of a window at source line `first` that lie within the source: [*begin, *end). */
static void valid_taps(int first, int kernel, int dilation, int size, int *begin, int *end)
{
    *begin = 0;
    *end = kernel;
    while (*begin < *end && first + *begin * dilation < 0) ++*begin;
    while (*end > *begin && first + (*end - 1) * dilation >= size) --*end;
}

static void border(const row_job *r, int begin, int end)
{
    const cvk_geom *g = r->g;
    for (int x = begin; x < end; x++) {
        vec acc = r->bias;
        int kx_begin, kx_end;
        valid_taps(x * g->sw - g->pl, g->kw, g->dw, g->iw, &kx_begin, &kx_end);
        for (int ky = 0; ky < r->taps; ky++) {
            const float *src = r->src + ((ptrdiff_t)ky * g->dh * g->iw + x * g->sw) * CVK_BLOCK;
            const float *wgt = r->wgt + ky * g->kw * CVK_BLOCK;
            for (int kx = kx_begin; kx < kx_end; kx++)
                acc = vec_fma(vec_load(wgt + kx * CVK_BLOCK),
                              vec_load(src + (ptrdiff_t)kx * g->dw * CVK_BLOCK), acc);
        }
        put(r, (ptrdiff_t)x * CVK_BLOCK, acc);
    }
}

CVK_INLINE void inside_tile(const row_job *r, int x, const int px)
{
    const cvk_geom *g = r->g;
    const float *src = r->src + (ptrdiff_t)x * g->sw * CVK_BLOCK, *wgt = r->wgt;
    vec acc[PX];
    CVK_UNROLL for (int p = 0; p < px; p++) acc[p] = r->bias;
    for (int ky = 0; ky < r->taps; ky++, src += (ptrdiff_t)g->dh * g->iw * CVK_BLOCK) {
        for (int kx = 0; kx < g->kw; kx++, wgt += CVK_BLOCK) {
            const vec w = vec_load(wgt);
            CVK_UNROLL for (int p = 0; p < px; p++) acc[p] =
                vec_fma(w, vec_load(src + (ptrdiff_t)(p * g->sw + kx * g->dw) * CVK_BLOCK), acc[p]);
        }
    }
    CVK_UNROLL for (int p = 0; p < px; p++) put(r, (ptrdiff_t)(x + p) * CVK_BLOCK, acc[p]);
}

static void any_row(const depthwise *d, const row_job *r)
{
    int x = d->inside_begin;
    border(r, 0, x);
    for (; x + PX <= d->inside_end; x += PX) inside_tile(r, x, PX);
    for (; x < d->inside_end; x++) inside_tile(r, x, 1);
    border(r, x, d->g.ow);
}

/* Output row y, or with it the next, and how many that were; *ahead: whether the next may be taken. */
static int run_rows(const depthwise *d, row_job *r, const float *plane, const float *wgt, int y,
                    bool ahead)
{
    const cvk_geom *g = &d->g;
    int ky, ky_end;
    valid_taps(y * g->sh - g->pt, g->kh, g->dh, g->ih, &ky, &ky_end);
    r->taps = ky_end - ky;
    r->wgt = wgt + ky * g->kw * CVK_BLOCK;
    r->src = plane + ((ptrdiff_t)(r->taps ? y * g->sh - g->pt + ky * g->dh : 0) * g->iw - g->pl) *
                         CVK_BLOCK;
    if (!d->tiled) {
        any_row(d, r);
        return 1;
    }
    const bool two = ahead && g->sh == 1 && g->sw == 1 && g->dh == 1 && g->kw <= PAIR_KW &&
                     r->taps == g->kh && y - g->pt + g->kh < g->ih;
    if (!two) {
        one_row(r);
        return 1;
    }
    two_rows(r);
    return 2;
}

/* One worker's view of a run. */
typedef struct job {
    const depthwise *d;
    const cvk_step *step;
    chain c;
    chain_simple simple;
    bool is_simple;
} job;

/* Rows [begin, end) of a channel block of an image: `plane` counts blocks over all images. */
static void run_plane(const job *j, int plane, int begin, int end)
{
    const depthwise *d = j->d;
    const cvk_geom *g = &d->g;
    const int block = plane % d->blocks;
    const float *src =
        (const float *)j->step->in[0].data + (ptrdiff_t)plane * g->ih * g->iw * CVK_BLOCK;
    const float *wgt = d->wgt + (ptrdiff_t)block * g->kh * g->kw * CVK_BLOCK;
    const float *bias = d->wgt + ((ptrdiff_t)d->blocks * g->kh * g->kw + block) * CVK_BLOCK;
    row_job r = {
        .g = g, .clamp = j->is_simple && j->simple.clamp, .lo = j->simple.lo, .hi = j->simple.hi};
    for (int y = begin, rows = 1; y < end; y += rows) {
        for (int lane = 0; lane < CVK_BLOCK; lane += CVK_VLEN) {
            int channel = block * CVK_BLOCK + lane;
            if (channel >= g->oc) break;
            size_t row = (size_t)plane * (size_t)g->oh + (size_t)y;
            size_t at = row * (size_t)g->ow * CVK_BLOCK + (size_t)lane;
            r.bias = vec_load(bias + lane);
            r.dst = (float *)j->step->out[0].data + at;
            r.res = j->is_simple && j->simple.res ? j->simple.res + at : NULL;
            rows = run_rows(d, &r, src + lane, wgt + lane, y, y + 1 < end);
            if (!j->is_simple) CVK_FN(cvk_chain_lanes)
            (&j->c, r.dst, CVK_BLOCK, at, CVK_BLOCK, rows * g->ow, channel);
        }
    }
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const depthwise *d = step->state;
    const cvk_geom *g = &d->g;
    job j = {.d = d, .step = step};
    CVK_FN(cvk_chain_make)(step->node, step->in, 0, step->node->n_posts, g->oc, &j.c);
    j.is_simple = CVK_FN(cvk_chain_simplify)(&j.c, &j.simple);
    row_parts parts = row_parts_of(g->n, d->blocks, g->oh, worker, workers);
    int plane, begin, end;
    while (row_parts_next(&parts, &plane, &begin, &end))
        for (int k = 0; k < parts.planes; k++) run_plane(&j, plane + k, begin, end);
    return CVK_OK;
}

/* --- preparing --- */

static bool accepts(const cvk_problem *problem, const char **why_not)
{
    const cvk_view *in = problem->in;
    const cvk_view *bias = CVK_FN(cvk_third_input)(problem->node, in);
    cvk_geom g;
    *why_not = NULL;
    if (in[0].dtype != CVK_F32 || !in[1].data || (bias && !bias->data))
        *why_not = "not float32, or weights are not constant";
    else if (!cvk_geom_conv(problem->node, &in[0].shape, &problem->out[0].shape, &g))
        *why_not = "neither 1-D nor 2-D, or too large";
    else if (g.group != g.ic || g.oc != g.ic || g.ic == 1)
        *why_not = "not depthwise";
    for (int i = 0; i < problem->node->n_posts; i++)
        if (problem->node->posts[i].kind == CVK_POST_POOL) *why_not = "has no fused pool";
    return !*why_not;
}

typedef struct pack_arg {
    const cvk_geom *g;
    const float *wgt, *bias;
} pack_arg;

static void pack_fill(void *memory, const void *context)
{
    const pack_arg *arg = context;
    int taps = arg->g->kh * arg->g->kw, blocks = (arg->g->ic + CVK_BLOCK - 1) / CVK_BLOCK;
    float *dst = memory;
    for (int c = 0; c < arg->g->ic; c++) {
        ptrdiff_t block = c / CVK_BLOCK, lane = c % CVK_BLOCK;
        for (int t = 0; t < taps; t++)
            dst[(block * taps + t) * CVK_BLOCK + lane] = arg->wgt[(ptrdiff_t)c * taps + t];
        if (arg->bias) dst[((ptrdiff_t)blocks * taps + block) * CVK_BLOCK + lane] = arg->bias[c];
    }
}

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    depthwise *d = cvk_step_alloc(step, sizeof *d);
    if (!d) return CVK_NO_MEMORY;
    const cvk_view *wgt = &step->in[1], *bias = CVK_FN(cvk_third_input)(step->node, step->in);
    cvk_geom *g = &d->g;
    if (!cvk_geom_conv(step->node, &step->in[0].shape, &step->out[0].shape, g))
        return cvk_fail(CVK_SHAPE, "convolution '%s': neither 1-D nor 2-D, or too large",
                        step->node->name);
    d->blocks = (g->ic + CVK_BLOCK - 1) / CVK_BLOCK;
    int room = g->iw + g->pl - (g->kw - 1) * g->dw; /* x sw < room: the last tap is inside */
    d->inside_begin = g->pl > 0 ? (g->pl + g->sw - 1) / g->sw : 0;
    d->inside_end = room > 0 ? (room - 1) / g->sw + 1 : 0;
    if (d->inside_end > g->ow) d->inside_end = g->ow;
    if (d->inside_begin > d->inside_end) d->inside_begin = d->inside_end;
    const int lack = (g->ow - 1) * g->sw - g->pl + g->kw - g->iw;
    d->tiled = g->dw == 1 && (g->kw == 3 || g->kw == 5) && g->sw <= 2 && g->pl >= 0 &&
               g->pl <= g->kw / 2 && lack <= g->kw / 2;
    pack_arg arg = {.g = g, .wgt = wgt->data, .bias = bias ? bias->data : NULL};
    size_t floats = (size_t)d->blocks * CVK_BLOCK * ((size_t)g->kh * (size_t)g->kw + 1);
    cvk_pack pack = {.source = wgt->data,
                     .source_bytes = cvk_view_bytes(wgt),
                     .source2 = arg.bias,
                     .source2_bytes = bias ? cvk_view_bytes(bias) : 0,
                     .kind = "depthwise",
                     .variant = (uint64_t)g->ic,
                     .bytes = floats * sizeof(float),
                     .fill = pack_fill,
                     .arg = &arg};
    void *data = NULL;
    CVK_TRY(cvk_step_pack(device, step, &pack, &data));
    d->wgt = data;
    step->state = d;
    return CVK_OK;
}

const cvk_kernel CVK_FN(cvk_cpu_depthwise) = {
    .op = CVK_OP_Conv,
    .name = "depthwise",
    .in_layout = CVK_LAYOUT_BLOCKED,
    .out_layout = CVK_LAYOUT_BLOCKED,
    .packs = 1u << 1 | 1u << 2,
    .accepts = accepts,
    .prepare = prepare,
    .run = run,
};
