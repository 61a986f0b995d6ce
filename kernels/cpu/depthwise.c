/* SPDX-License-Identifier: Apache-2.0
 *
 * Depthwise convolution, blocked to blocked: one filter per channel, so every lane has its own
 * weights and reads its own channel. No copy of the source: pixels whose window leaves the picture
 * take a slow path, all others go in tiles of PX pixels that keep a vec each in a register.
 */
#include "backend/kernel.h"
#include "kernels/cpu/act.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/row.h"
#include "kernels/cpu/unroll.h"

enum { PX = CVK_VLEN == 16 ? 8 : 4 };

typedef struct depthwise {
    cvk_geom g;
    int blocks;
    int inside_begin, inside_end; /* output columns whose window lies within the source's width */
    const float *wgt;             /* [block][kh][kw][16], then bias [block][16] */
} depthwise;

/* One output row of one vec of channels. */
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

CVK_INLINE void put(const row_job *r, int x, vec sum)
{
    if (r->res) sum = vec_add(sum, vec_load(r->res + (ptrdiff_t)x * CVK_BLOCK));
    if (r->clamp) sum = vec_clamp(sum, vec_set1(r->lo), vec_set1(r->hi));
    vec_store(r->dst + (ptrdiff_t)x * CVK_BLOCK, sum);
}

/* `px` pixels from column x on; kernel width and strides may be literals. */
CVK_INLINE void tile(const row_job *r, int x, const int px, const int kw, const int sw,
                     const int dw)
{
    vec acc[PX];
    CVK_UNROLL for (int p = 0; p < px; p++) acc[p] = r->bias;
    const float *src = r->src + (ptrdiff_t)x * sw * CVK_BLOCK, *wgt = r->wgt;
    for (int ky = 0; ky < r->taps; ky++, src += (ptrdiff_t)r->g->dh * r->g->iw * CVK_BLOCK) {
        for (int kx = 0; kx < kw; kx++, wgt += CVK_BLOCK) {
            vec w = vec_load(wgt);
            CVK_UNROLL for (int p = 0; p < px; p++) acc[p] =
                vec_fma(w, vec_load(src + (p * sw + kx * dw) * CVK_BLOCK), acc[p]);
        }
    }
    CVK_UNROLL for (int p = 0; p < px; p++) put(r, x + p, acc[p]);
}

/* Sizes that this level's tiles never have compile to nothing. */
CVK_INLINE void sized(const row_job *r, int x, const int px, const int kw, const int sw,
                      const int dw)
{
    if (px <= PX) tile(r, x, px, kw, sw, dw);
}

/* Tiles of nearly equal width. */
CVK_INLINE void inside(const row_job *r, int begin, int end, const int kw, const int sw,
                       const int dw)
{
    int cols = end - begin, tiles = (cols + PX - 1) / PX;
    for (int i = 0, at = 0; i < tiles; i++) {
        int stop = cols * (i + 1) / tiles;
        switch (stop - at) {
        case 1: sized(r, begin + at, 1, kw, sw, dw); break;
        case 2: sized(r, begin + at, 2, kw, sw, dw); break;
        case 3: sized(r, begin + at, 3, kw, sw, dw); break;
        case 4: sized(r, begin + at, 4, kw, sw, dw); break;
        case 5: sized(r, begin + at, 5, kw, sw, dw); break;
        case 6: sized(r, begin + at, 6, kw, sw, dw); break;
        case 7: sized(r, begin + at, 7, kw, sw, dw); break;
        default: sized(r, begin + at, 8, kw, sw, dw); break;
        }
        at = stop;
    }
}

static void inside_any(const row_job *r, int begin, int end)
{
    const cvk_geom *g = r->g;
    if (g->dw == 1 && g->kw == 3 && g->sw == 1)
        inside(r, begin, end, 3, 1, 1);
    else if (g->dw == 1 && g->kw == 3 && g->sw == 2)
        inside(r, begin, end, 3, 2, 1);
    else if (g->dw == 1 && g->kw == 5 && g->sw == 1)
        inside(r, begin, end, 5, 1, 1);
    else if (g->dw == 1 && g->kw == 5 && g->sw == 2)
        inside(r, begin, end, 5, 2, 1);
    else
        inside(r, begin, end, g->kw, g->sw, g->dw);
}

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
        put(r, x, acc);
    }
}

static void run_row(const depthwise *d, row_job *r, const float *plane, const float *wgt, int y)
{
    const cvk_geom *g = &d->g;
    int ky, ky_end;
    valid_taps(y * g->sh - g->pt, g->kh, g->dh, g->ih, &ky, &ky_end);
    r->taps = ky_end - ky;
    r->wgt = wgt + ky * g->kw * CVK_BLOCK;
    r->src = plane + ((ptrdiff_t)(r->taps ? y * g->sh - g->pt + ky * g->dh : 0) * g->iw - g->pl) *
                         CVK_BLOCK;
    border(r, 0, d->inside_begin);
    inside_any(r, d->inside_begin, d->inside_end);
    border(r, d->inside_end, g->ow);
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
    for (int y = begin; y < end; y++) {
        for (int lane = 0; lane < CVK_BLOCK; lane += CVK_VLEN) {
            int channel = block * CVK_BLOCK + lane;
            if (channel >= g->oc) break;
            size_t row = (size_t)plane * (size_t)g->oh + (size_t)y;
            size_t at = row * (size_t)g->ow * CVK_BLOCK + (size_t)lane;
            r.bias = vec_load(bias + lane);
            r.dst = (float *)j->step->out[0].data + at;
            r.res = j->is_simple && j->simple.res ? j->simple.res + at : NULL;
            run_row(d, &r, src + lane, wgt + lane, y);
            if (!j->is_simple)
                CVK_FN(cvk_chain_lanes)(&j->c, r.dst, CVK_BLOCK, at, CVK_BLOCK, g->ow, channel);
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
