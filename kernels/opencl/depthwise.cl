/* SPDX-License-Identifier: Apache-2.0
 *
 * Depthwise convolution (one filter per channel) in blocked layout, with bias and posts: by itself,
 * and between a 1x1 convolution that makes its channels (expand) and one that reads them (project),
 * either of which may be absent.
 *
 *      src, one row of a block of 16 channels        dst, a strip of px pixels of one row
 *      |..o..o..o..|   o: float16 under one tap      acc[p] += src[x] * wgt[tap], lane by lane
 *
 *   wgt  [block][kh][kw] in float16; the bottleneck's has the bias [block] behind them
 *   bias, slope  [channel]
 *
 * Windows of 3 or 5 columns have strips of 5, 7 or 8 pixels, whichever leaves the least of the row
 * over; the last one of a row begins earlier rather than leave it. What the first and last columns
 * under a strip have beyond the picture is read from within it and put to zero. Other windows, and
 * rows shorter than 5, have strips of 7 that look at each pixel.
 *
 * bottleneck: an item takes rows of the images, or blocks of the channels, band after band:
 *
 *      src --expand--> ring of rows, a block of channels --depthwise--> band --project--> dst
 *
 *      row 4 | row 5 | row 2 | row 3        ring of 4: row y is its row y % 4
 *
 * Ring and band lie in the item's scratch, small enough to stay in its core's cache. A band makes only
 * those rows of the ring that the one before it did not. Without expand the rows are those of src, as
 * if the ring held all; without project the band is rows of dst, and a block goes through all bands
 * before the next does.
 *
 *   expand, project  [block of results][channel of the source] in float16, then the bias [block]; as
 *                    many sums are in registers as a strip has PIXELS
 *
 *   ITEMS  1: for devices whose lanes are work-items (tiles.h): short strips of any window; no
 *          bottleneck
 */
#ifndef ITEMS
#define ITEMS 0
#endif
#if ITEMS
enum { STRIP = 2, ANY_STRIP = 2, PIXELS = 2 };
#else
enum { STRIP = 8, ANY_STRIP = 7, PIXELS = 14 };
#endif

/* cvk_cl_window of kernels/opencl/depthwise.h. */
typedef struct {
    int ih, iw, oh, ow, kh, kw, sh, sw, dh, dw, pt, pl;
    int px; /* of a strip; 0: any window */
} window_args;

/* Where rows are read: row y at row y % ring of src. */
typedef struct {
    __global const float16 *src, *wgt;
    int ring;
} rows_t;

/* The rows of taps of output row y that lie in the image. */
INLINE int2 tap_rows(const window_args *w, int y)
{
    const int top = y * w->sh - w->pt;
    int from = 0, to = w->kh;
    while (from < to && top + from * w->dh < 0) from++;
    while (to > from && top + (to - 1) * w->dh >= w->ih) to--;
    return (int2)(from, to);
}

/* Column `left + i` of the row, where only the first and last `edge` of `columns` may lie outside. */
INLINE float16 column(__global const float16 *row, int left, const int i, const int columns,
                      const int edge, int iw)
{
    if (i >= edge && i < columns - edge) return row[left + i];
    const int x = left + i;
    const float16 pixel = row[clamp(x, 0, iw - 1)];
    return x >= 0 && x < iw ? pixel : (float16)(0.0f);
}

/* px pixels of row y from column x on; px, kw and sw are constants. */
INLINE void strip(float16 acc[STRIP], const rows_t *rows, const window_args *w, int y, int x,
                  const int px, const int kw, const int sw)
{
    const int2 taps = tap_rows(w, y);
    const int left = x * sw - w->pl, columns = (px - 1) * sw + kw;
    int slot = taps.x < taps.y ? (y * w->sh - w->pt + taps.x * w->dh) % rows->ring : 0;
    for (int ky = taps.x; ky < taps.y; ky++) {
        __global const float16 *row = rows->src + slot * w->iw, *wgt = rows->wgt + ky * kw;
#pragma unroll
        for (int kx = 0; kx < kw; kx++) {
            const float16 tap = wgt[kx];
#pragma unroll
            for (int p = 0; p < px; p++)
                acc[p] = mad16(column(row, left, p * sw + kx, columns, kw / 2, w->iw), tap, acc[p]);
        }
        slot += w->dh;
        if (slot >= rows->ring) slot -= rows->ring;
    }
}

INLINE void wide_strip(float16 acc[STRIP], const rows_t *rows, const window_args *w, int y, int x,
                       const int px)
{
    if (w->kw == 3 && w->sw == 1)
        strip(acc, rows, w, y, x, px, 3, 1);
    else if (w->kw == 3)
        strip(acc, rows, w, y, x, px, 3, 2);
    else if (w->sw == 1)
        strip(acc, rows, w, y, x, px, 5, 1);
    else
        strip(acc, rows, w, y, x, px, 5, 2);
}

/* Any window: ANY_STRIP pixels, of which the last may not exist. */
INLINE void any_strip(float16 acc[STRIP], const rows_t *rows, const window_args *w, int y, int x)
{
    const int2 taps = tap_rows(w, y);
    for (int ky = taps.x; ky < taps.y; ky++) {
        const int iy = y * w->sh - w->pt + ky * w->dh;
        __global const float16 *row = rows->src + iy % rows->ring * w->iw;
        for (int kx = 0; kx < w->kw; kx++) {
            const float16 tap = rows->wgt[ky * w->kw + kx];
#pragma unroll
            for (int p = 0; p < ANY_STRIP; p++) {
                const int ix = (x + p) * w->sw - w->pl + kx * w->dw;
                if (ix >= 0 && ix < w->iw) acc[p] = mad16(row[ix], tap, acc[p]);
            }
        }
    }
}

/* What follows: res and dst begin at the row's first pixel. */
typedef struct {
    __global const float16 *res;
    __global float16 *dst;
    float16 slope;
} after_t;

/* Posts on n pixels in memory, of which the first stands for pixel x; those before `from` do not
 * count. */
INLINE void apply_all(float16 *out, const posts_args *posts, const after_t *after, int x, int from,
                      int n)
{
    if (POSTS < 3) {
        for (int p = from; p < n; p++) {
            const float16 added = posts->add ? after->res[x + p] : out[p];
            out[p] = apply_simple(POSTS, posts, out[p], added, after->slope);
        }
    }
    for (int i = 0; POSTS >= 3 && i < posts->count; i++) {
        const post_args post = post_of(posts, i);
        if (post.kind == POST_ACT)
            act_all(post, out, n);
        else if (post.kind == POST_ADD)
            for (int p = from; p < n; p++) out[p] += after->res[x + p];
        else
            for (int p = 0; p < n; p++) out[p] = out[p] < 0.0f ? after->slope * out[p] : out[p];
    }
}

/* Posts on pixels x + from to x + to - 1, and their store. */
INLINE void put(const float16 acc[STRIP], const posts_args *posts, const after_t *after, int x,
                int from, int to)
{
    if (posts->simple && !posts->add && !posts->prelu) {
#pragma unroll
        for (int p = 0; p < STRIP; p++)
            if (p >= from && p < to) after->dst[x + p] = clamp16(acc[p], posts->low, posts->high);
        return;
    }
    float16 out[STRIP];
#pragma unroll
    for (int p = 0; p < STRIP; p++) out[p] = acc[p];
    apply_all(out, posts, after, x, from, to);
    for (int p = from; p < to; p++) after->dst[x + p] = out[p];
}

/* Pixels [x0, x1) of row y. */
INLINE void depthwise_row(const rows_t *rows, const window_args *w, const posts_args *posts,
                          const after_t *after, float16 bias, int y, int x0, int x1)
{
    const int px = w->px ? w->px : ANY_STRIP;
    for (int at = x0; at < x1; at += px) {
        const int x = w->px ? min(at, x1 - px) : at;
        float16 acc[STRIP];
#pragma unroll
        for (int p = 0; p < STRIP; p++) acc[p] = bias;
#if !ITEMS
        if (w->px == 8)
            wide_strip(acc, rows, w, y, x, 8);
        else if (w->px == 7)
            wide_strip(acc, rows, w, y, x, 7);
        else if (w->px == 5)
            wide_strip(acc, rows, w, y, x, 5);
        else
#endif
            any_strip(acc, rows, w, y, x);
        put(acc, posts, after, x, at - x, min(px, x1 - x));
    }
}

/* --- by itself --- */

typedef struct {
    int span, planes, chunk, chunks; /* planes: blocks of all images; chunks of a row */
    int c, blocks, has_bias;
    window_args window;
    posts_args posts;
} depthwise_args;

/* A unit is a chunk of one row of a block, a work-item does `span` units. */
__kernel void depthwise(__global const float16 *src, __global const float16 *wgt,
                        __global const float *bias, __global const float *slope,
                        __global const float16 *residual, __global float16 *dst,
                        const depthwise_args args)
{
    const window_args w = args.window;
    const int begin = (int)get_global_id(0) * args.span;
    const int end = min(begin + args.span, args.planes * w.oh * args.chunks);
    for (int u = begin; u < end; u++) {
        const int row = u / args.chunks, x0 = (u - row * args.chunks) * args.chunk;
        const int p = row / w.oh, y = row - p * w.oh, block = p % args.blocks, c = block * BLOCK;
        const size_t to = (size_t)row * w.ow;
        const rows_t rows = {src + (size_t)p * w.ih * w.iw, wgt + block * w.kh * w.kw, w.ih};
        after_t after = {residual, dst + to, (float16)(0.0f)};
        if (args.posts.add) after.res += to;
        if (args.posts.prelu)
            after.slope =
                args.posts.prelu == 1 ? load_n(slope + c, args.c - c) : (float16)(slope[0]);
        depthwise_row(&rows, &w, &args.posts, &after,
                      args.has_bias ? load_n(bias + c, args.c - c) : (float16)(0.0f), y, x0,
                      min(x0 + args.chunk, w.ow));
    }
}

/* --- between 1x1 convolutions --- */

/* cvk_cl_pointwise of kernels/opencl/bottleneck.c. */
typedef struct {
    int blocks, last;  /* of the source; channels in the last */
    int oc, oc_blocks; /* results */
    posts_args posts;
} pointwise_args;

typedef struct {
    int expands, projects;
    int n, c, blocks;                /* images; channels of the depthwise convolution */
    int parts, groups, group_blocks; /* shares of all rows; of the channels, of so many blocks */
    int band, ring;                  /* rows at a time; source rows that are kept */
    int ring_step, deep_step;        /* pixels between blocks of the ring, of the band */
    int deep, item;                  /* pixels of scratch before the band; of an item */
    window_args window;
    pointwise_args expand, project;
    posts_args middle;
} bottleneck_args;

/* Neighbouring pixels, all blocks of them. */
typedef struct {
    __global const float16 *src, *res;
    __global float16 *dst;
    int src_step, dst_step; /* pixels between blocks; of res as of dst */
    int first, count;       /* the block that dst and res begin with; pixels */
} run_t;

/* What follows one of them: slopes per channel, or one for all. */
INLINE float16 slope_of(const posts_args *posts, __global const float *slope, int block,
                        int channels)
{
    const int c = block * BLOCK;
    return posts->prelu == 1 ? load_n(slope + c, channels - c) : (float16)(slope[0]);
}

/* Posts on the first px of PIXELS sums, which stand for pixels x, x + 1, ..., and their store. */
INLINE void put_pixels(const float16 acc[PIXELS], const posts_args *posts, const after_t *after,
                       int x, const int px)
{
    if (posts->simple && !posts->prelu) {
#pragma unroll
        for (int p = 0; p < px; p++) {
            const float16 sum = posts->add ? acc[p] + after->res[x + p] : acc[p];
            after->dst[x + p] = clamp16(sum, posts->low, posts->high);
        }
        return;
    }
    float16 out[PIXELS];
#pragma unroll
    for (int p = 0; p < PIXELS; p++) out[p] = acc[p];
    apply_all(out, posts, after, x, 0, px);
    for (int p = 0; p < px; p++) after->dst[x + p] = out[p];
}

/* px pixels of a block of results from pixel `at` of the run on; px is a constant. */
INLINE void pointwise_strip(const pointwise_args *a, const run_t *run, __global const float16 *wgt,
                            float16 bias, float16 slope, size_t to, int at, const int px)
{
    float16 acc[PIXELS];
#pragma unroll
    for (int p = 0; p < PIXELS; p++) acc[p] = bias;
    for (int c = 0; c < a->blocks; c++) {
        __global const float *src =
            (__global const float *)(run->src + (size_t)c * run->src_step + at);
        const int lanes = c == a->blocks - 1 ? a->last : BLOCK;
        for (int i = 0; i < lanes; i++) {
#pragma unroll
            for (int p = 0; p < px; p++)
                acc[p] = mad16((float16)(src[p * BLOCK + i]), wgt[i], acc[p]);
        }
        wgt += BLOCK;
    }
    const after_t after = {run->res + to, run->dst + to, slope};
    put_pixels(acc, &a->posts, &after, at, px);
}

/* A block of results; where strips do not cover the run's pixels, the last one begins earlier. */
void pointwise(const pointwise_args *a, const run_t *run, __global const float16 *all,
               __global const float *slopes, int block)
{
    const int rows = a->blocks * BLOCK, count = run->count;
    __global const float16 *wgt = all + (size_t)block * rows;
    const float16 bias = all[(size_t)a->oc_blocks * rows + block];
    const float16 slope =
        a->posts.prelu ? slope_of(&a->posts, slopes, block, a->oc) : (float16)(0.0f);
    const size_t to = (size_t)(block - run->first) * run->dst_step;
    int at = 0;
    for (; at + PIXELS <= count; at += PIXELS)
        pointwise_strip(a, run, wgt, bias, slope, to, at, PIXELS);
    if (count - at > PIXELS / 2 && count >= PIXELS) {
        pointwise_strip(a, run, wgt, bias, slope, to, count - PIXELS, PIXELS);
        return;
    }
    for (; count - at > 0 && count >= PIXELS / 2; at += PIXELS / 2)
        pointwise_strip(a, run, wgt, bias, slope, to, min(at, count - PIXELS / 2), PIXELS / 2);
    for (; at < count; at++) pointwise_strip(a, run, wgt, bias, slope, to, at, 1);
}

/* What an item works with. */
typedef struct {
    __global const float16 *src, *res, *expand, *wgt, *project;
    __global const float *expand_slope, *middle_slope, *last_slope;
    __global float16 *dst, *ring, *deep;
} job_t;

/* Source rows [begin, end) of an image into the ring, one block; as far as the ring goes at a time.
 * first: the ring's first block. */
INLINE void expand_rows(const job_t *j, const bottleneck_args *a, int image, int block, int first,
                        int begin, int end)
{
    const window_args *w = &a->window;
    const int plane = w->ih * w->iw;
    for (int y = begin; y < end;) {
        const int slot = y % a->ring, rows = min(end - y, a->ring - slot);
        const run_t run = {j->src + (size_t)image * a->expand.blocks * plane + y * w->iw,
                           j->src,
                           j->ring + slot * w->iw,
                           plane,
                           a->ring_step,
                           first,
                           rows * w->iw};
        pointwise(&a->expand, &run, j->expand, j->expand_slope, block);
        y += rows;
    }
}

/* Output rows [row, row + count) of the depthwise convolution, one block; first: of the ring. */
INLINE void depthwise_rows(const job_t *j, const bottleneck_args *a, int image, int block,
                           int first, int row, int count)
{
    const window_args *w = &a->window;
    const size_t plane = (size_t)image * a->blocks + block;
    const rows_t rows = {a->expands ? j->ring + (block - first) * a->ring_step
                                    : j->src + plane * a->ring_step,
                         j->wgt + block * w->kh * w->kw, a->ring};
    const float16 bias = j->wgt[a->blocks * w->kh * w->kw + block];
    __global const float *slope = a->projects ? j->middle_slope : j->last_slope;
    after_t after = {j->res, j->dst, (float16)(0.0f)};
    if (a->middle.prelu) after.slope = slope_of(&a->middle, slope, block, a->c);
    for (int y = row; y < row + count; y++) {
        const size_t to = (plane * w->oh + y) * w->ow;
        after.dst = a->projects ? j->deep + block * a->deep_step + (y - row) * w->ow : j->dst + to;
        if (a->middle.add) after.res = j->res + to;
        depthwise_row(&rows, w, &a->middle, &after, bias, y, 0, w->ow);
    }
}

INLINE void project_rows(const job_t *j, const bottleneck_args *a, int image, int row, int count)
{
    const window_args *w = &a->window;
    const int plane = w->oh * w->ow;
    const size_t to = (size_t)image * a->project.oc_blocks * plane + row * w->ow;
    run_t run = {j->deep, j->res, j->dst + to, a->deep_step, plane, 0, count * w->ow};
    if (a->project.posts.add) run.res += to;
    for (int b = 0; b < a->project.oc_blocks; b++)
        pointwise(&a->project, &run, j->project, j->last_slope, b);
}

/* Output rows [begin, end) of an image, blocks [first, stop) of the channels. */
INLINE void run_image(const job_t *j, const bottleneck_args *a, int image, int begin, int end,
                      int first, int stop)
{
    const window_args *w = &a->window;
    int done = 0; /* source rows before it are in the ring, if they are needed */
    for (int row = begin; row < end; row += a->band) {
        const int count = min(end - row, a->band), last_row = row + count - 1;
        const int top = clamp(row * w->sh - w->pt, 0, w->ih);
        const int bottom = max(top, min(last_row * w->sh - w->pt + (w->kh - 1) * w->dh + 1, w->ih));
        for (int b = first; b < stop; b++) {
            if (a->expands) expand_rows(j, a, image, b, first, max(top, done), bottom);
            depthwise_rows(j, a, image, b, first, row, count);
        }
        done = bottom;
        if (a->projects) project_rows(j, a, image, row, count);
    }
}

/* Items: parts of the rows of all images, groups of blocks of the channels (one with project). */
__kernel void bottleneck(__global const float16 *src, __global const float16 *expand,
                         __global const float16 *wgt, __global const float16 *project,
                         __global const float *expand_slope, __global const float *middle_slope,
                         __global const float *last_slope, __global const float16 *residual,
                         __global float16 *dst, __global float16 *scratch,
                         const bottleneck_args args)
{
    const int part = (int)get_global_id(0), group = (int)get_global_id(1);
    const int oh = args.window.oh, units = args.n * oh;
    const int end = (int)((long)units * (part + 1) / args.parts);
    const int first = group * args.group_blocks, stop = min(first + args.group_blocks, args.blocks);
    job_t j = {src,          residual,
               expand,       wgt,
               project,      expand_slope,
               middle_slope, last_slope,
               dst,          scratch + (size_t)(group * args.parts + part) * args.item,
               scratch};
    j.deep = j.ring + args.deep;
    for (int begin = (int)((long)units * part / args.parts); begin < end;) {
        const int image = begin / oh, row = begin % oh, rows = min(end - begin, oh - row);
        if (args.projects) {
            run_image(&j, &args, image, row, row + rows, first, stop);
        } else {
            for (int b = first; b < stop; b++)
                run_image(&j, &args, image, row, row + rows, b, b + 1);
        }
        begin += rows;
    }
}
