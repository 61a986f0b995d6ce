/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of a depthwise convolution, and its packed weights: depthwise_row.h.
 */
#include "kernels/cpu/depthwise_row.h"

#include "kernels/cpu/act.h"
#include "kernels/cpu/unroll.h"

/* Pixels of a tile. Of pairs of rows that share what they read, sums and a row of the source fit into
 * the registers. */
enum {
    PX = CVK_VLEN == 16 ? 8 : 4,
    PAIR_PX = CVK_VREGS >= 32 ? 8 : 4,
    PAIR_KW = CVK_VREGS >= 32 ? 5 : 3,
    EDGE = 2 /* columns beyond the picture that a tile can stand for: half a window of 5 */
};

/* One output row, or two. */
typedef struct row_job {
    const depthwise_row *of;
    const float *src; /* source row of the first valid tap, column -pl */
    const float *wgt; /* of that tap */
    int taps;         /* valid taps down */
    int before;       /* source rows before the ring's end */
    ptrdiff_t down;   /* floats from one tap's row to the next */
    ptrdiff_t back;   /* the same across the ring's end */
} row_job;

CVK_INLINE void put(const depthwise_row *r, ptrdiff_t at, vec sum)
{
    if (r->res) sum = vec_add(sum, vec_load(r->res + at));
    if (r->clamp) sum = vec_clamp(sum, vec_set1(r->lo), vec_set1(r->hi));
    vec_store(r->dst + at, sum);
}

/* Floats to the source row of the next tap, after `done` of them. */
CVK_INLINE ptrdiff_t step_down(const row_job *r, int done)
{
    return done == r->before ? r->back : r->down;
}

/* --- windows of 3 or 5 columns: whole rows in tiles --- */

/* The columns that a tile reads of a source row: `cols` of them, of which some of the first and last
 * `edge` may lie beyond the picture. */
typedef struct columns {
    const float *first[EDGE], *inner, *last[EDGE]; /* last[0] is the last column */
    bool left[EDGE], right[EDGE]; /* which of them lie beyond: stay where they are */
} columns;

static const float beyond[CVK_BLOCK];

CVK_INLINE columns columns_of(const row_job *r, int x, const int cols, const int edge, const int sw)
{
    const cvk_geom *g = r->of->g;
    const int begin = x * sw - g->pl, lack = begin + cols - g->iw;
    columns c = {.inner = r->src + (ptrdiff_t)x * sw * CVK_BLOCK};
    CVK_UNROLL for (int i = 0; i < edge; i++)
    {
        c.left[i] = begin + i < 0;
        c.right[i] = i < lack;
        c.first[i] = c.left[i] ? beyond : c.inner + i * CVK_BLOCK;
        c.last[i] = c.right[i] ? beyond : c.inner + (cols - 1 - i) * CVK_BLOCK;
    }
    return c;
}

CVK_INLINE vec column(const columns *c, const int i, const int cols, const int edge)
{
    if (i < edge) return vec_load(c->first[i]);
    return vec_load(i < cols - edge ? c->inner + i * CVK_BLOCK : c->last[cols - 1 - i]);
}

CVK_INLINE void next_row(columns *c, ptrdiff_t step, const int edge)
{
    c->inner += step;
    CVK_UNROLL for (int i = 0; i < edge; i++)
    {
        c->first[i] += c->left[i] ? 0 : step;
        c->last[i] += c->right[i] ? 0 : step;
    }
}

/* `px` pixels from column x on. */
CVK_INLINE void tile(const row_job *r, int x, const int px, const int kw, const int sw)
{
    const int cols = (px - 1) * sw + kw, edge = kw / 2;
    columns c = columns_of(r, x, cols, edge, sw);
    const float *wgt = r->wgt;
    const vec bias = vec_load(r->of->bias);
    vec acc[PX];
    CVK_UNROLL for (int p = 0; p < px; p++) acc[p] = bias;
    for (int ky = 0; ky < r->taps; ky++, next_row(&c, step_down(r, ky), edge)) {
        CVK_UNROLL for (int kx = 0; kx < kw; kx++, wgt += CVK_BLOCK)
        {
            const vec w = vec_load(wgt);
            CVK_UNROLL for (int p = 0; p < px; p++) acc[p] =
                vec_fma(w, column(&c, p * sw + kx, cols, edge), acc[p]);
        }
    }
    CVK_UNROLL for (int p = 0; p < px; p++) put(r->of, (ptrdiff_t)(x + p) * CVK_BLOCK, acc[p]);
}

/* The same of two output rows with stride 1, all of whose taps are valid: what is read serves both. */
CVK_INLINE void pair(const row_job *r, int x, const int px, const int kw)
{
    const int cols = px - 1 + kw, edge = kw / 2;
    columns c = columns_of(r, x, cols, edge, 1);
    const vec bias = vec_load(r->of->bias);
    vec upper[PAIR_PX], lower[PAIR_PX], line[PAIR_PX + PAIR_KW - 1];
    CVK_UNROLL for (int p = 0; p < px; p++) upper[p] = lower[p] = bias;
    for (int ky = 0; ky <= r->taps; ky++, next_row(&c, step_down(r, ky), edge)) {
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
    const ptrdiff_t row = (ptrdiff_t)r->of->g->ow * CVK_BLOCK;
    CVK_UNROLL for (int p = 0; p < px; p++)
    {
        put(r->of, (ptrdiff_t)(x + p) * CVK_BLOCK, upper[p]);
        put(r->of, row + (ptrdiff_t)(x + p) * CVK_BLOCK, lower[p]);
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
    const int cols = r->of->g->ow, most = two ? PAIR_PX : PX, tiles = (cols + most - 1) / most;
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
    if (r->of->g->kw == 3 && r->of->g->sw == 1)
        across(r, 3, 1, false);
    else if (r->of->g->kw == 3)
        across(r, 3, 2, false);
    else if (r->of->g->sw == 1)
        across(r, 5, 1, false);
    else
        across(r, 5, 2, false);
}

static void two_rows(const row_job *r)
{
    if (r->of->g->kw == 3)
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
    const cvk_geom *g = r->of->g;
    for (int x = begin; x < end; x++) {
        vec acc = vec_load(r->of->bias);
        int kx_begin, kx_end;
        valid_taps(x * g->sw - g->pl, g->kw, g->dw, g->iw, &kx_begin, &kx_end);
        const float *src = r->src + (ptrdiff_t)x * g->sw * CVK_BLOCK, *wgt = r->wgt;
        for (int ky = 0; ky < r->taps; wgt += (ptrdiff_t)g->kw * CVK_BLOCK) {
            for (int kx = kx_begin; kx < kx_end; kx++)
                acc = vec_fma(vec_load(wgt + (ptrdiff_t)kx * CVK_BLOCK),
                              vec_load(src + (ptrdiff_t)kx * g->dw * CVK_BLOCK), acc);
            src += step_down(r, ++ky);
        }
        put(r->of, (ptrdiff_t)x * CVK_BLOCK, acc);
    }
}

CVK_INLINE void inside_tile(const row_job *r, int x, const int px)
{
    const cvk_geom *g = r->of->g;
    const float *src = r->src + (ptrdiff_t)x * g->sw * CVK_BLOCK, *wgt = r->wgt;
    const vec bias = vec_load(r->of->bias);
    vec acc[PX];
    CVK_UNROLL for (int p = 0; p < px; p++) acc[p] = bias;
    for (int ky = 0; ky < r->taps;) {
        for (int kx = 0; kx < g->kw; kx++, wgt += CVK_BLOCK) {
            const vec w = vec_load(wgt);
            CVK_UNROLL for (int p = 0; p < px; p++) acc[p] =
                vec_fma(w, vec_load(src + (ptrdiff_t)(p * g->sw + kx * g->dw) * CVK_BLOCK), acc[p]);
        }
        src += step_down(r, ++ky);
    }
    CVK_UNROLL for (int p = 0; p < px; p++) put(r->of, (ptrdiff_t)(x + p) * CVK_BLOCK, acc[p]);
}

static void any_row(const row_job *r)
{
    const int end = r->of->inside_end;
    int x = r->of->inside_begin;
    border(r, 0, x);
    for (; x + PX <= end; x += PX) inside_tile(r, x, PX);
    for (; x < end; x++) inside_tile(r, x, 1);
    border(r, x, r->of->g->ow);
}

/* Whether tiles can stand for all columns that windows reach beyond the picture. */
static bool is_tiled(const cvk_geom *g)
{
    const int lack = (g->ow - 1) * g->sw - g->pl + g->kw - g->iw;
    return g->dw == 1 && (g->kw == 3 || g->kw == 5) && (g->sw == 1 || g->sw == 2) && g->pl >= 0 &&
           g->pl <= g->kw / 2 && lack <= g->kw / 2;
}

int CVK_FN(cvk_depthwise_row)(const depthwise_row *of, int y, bool two)
{
    const cvk_geom *g = of->g;
    const ptrdiff_t row = (ptrdiff_t)g->iw * CVK_BLOCK;
    int ky, ky_end;
    valid_taps(y * g->sh - g->pt, g->kh, g->dh, g->ih, &ky, &ky_end);
    const int taps = ky_end - ky, slot = taps ? (y * g->sh - g->pt + ky * g->dh) % of->ring : 0;
    const row_job r = {.of = of,
                       .src = of->src + slot * row - (ptrdiff_t)g->pl * CVK_BLOCK,
                       .wgt = of->wgt + (ptrdiff_t)ky * g->kw * CVK_BLOCK,
                       .taps = taps,
                       .before = (of->ring - slot + g->dh - 1) / g->dh,
                       .down = g->dh * row,
                       .back = (g->dh - of->ring) * row};
    if (!is_tiled(g)) {
        any_row(&r);
        return 1;
    }
    two = two && g->sh == 1 && g->sw == 1 && g->dh == 1 && g->kw <= PAIR_KW && taps == g->kh &&
          y - g->pt + g->kh < g->ih;
    if (two)
        two_rows(&r);
    else
        one_row(&r);
    return two ? 2 : 1;
}

void CVK_FN(cvk_depthwise_inside)(const cvk_geom *g, int *begin, int *end)
{
    int room = g->iw + g->pl - (g->kw - 1) * g->dw; /* x sw < room: the last tap is inside */
    *begin = g->pl > 0 ? (g->pl + g->sw - 1) / g->sw : 0;
    *end = room > 0 ? (room - 1) / g->sw + 1 : 0;
    if (*end > g->ow) *end = g->ow;
    if (*begin > *end) *begin = *end;
}

/* --- packed weights --- */

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

cvk_status CVK_FN(cvk_depthwise_pack)(cvk_device *device, cvk_step *step, const cvk_geom *g,
                                      const cvk_view *wgt, const cvk_view *bias,
                                      const float **packed)
{
    pack_arg arg = {.g = g, .wgt = wgt->data, .bias = bias ? bias->data : NULL};
    size_t lanes = ((size_t)g->ic + CVK_BLOCK - 1) / CVK_BLOCK * CVK_BLOCK;
    cvk_pack pack = {.source = wgt->data,
                     .source_bytes = cvk_view_bytes(wgt),
                     .source2 = arg.bias,
                     .source2_bytes = bias ? cvk_view_bytes(bias) : 0,
                     .kind = "depthwise",
                     .variant = (uint64_t)g->ic,
                     .bytes = lanes * ((size_t)g->kh * (size_t)g->kw + 1) * sizeof(float),
                     .fill = pack_fill,
                     .arg = &arg};
    void *data = NULL;
    CVK_TRY(cvk_step_pack(device, step, &pack, &data));
    *packed = data;
    return CVK_OK;
}
