/* SPDX-License-Identifier: Apache-2.0
 *
 * Direct convolution into blocked layout, and what fuses with it: bias, posts, a pool. Also
 * ConvTranspose, which is one small convolution per phase of its stride.
 *
 *      src, one row of a block of 16 channels     dst, the item's tile: PX pixels x OCB blocks
 *      |..o..o..o..o..o..o..o..|   o: under tap (kh, kw)
 *         x sw apart           acc[p][b] (float16) += src[p][i] * wgt[i][b]
 *
 *   p  pixel of the tile's strip (one output row)      b  block of 16 output channels in the tile
 *   i  channel within an input block (its lanes below the last channel only)
 *   wgt  [group of OCB blocks][input block][kh][kw][i][b] in float16      bias  [b over all groups]
 *
 * A work-item computes `span` strips of a tile, one after the other, each for all its taps in
 * registers. Rows above and below the image are skipped. A tap that leaves the image at the left or
 * right goes through a copy of its pixels with zeros put in; all others read src where it lies.
 *
 * With a pool an item walks down a band of pooled rows: each row of the convolution goes, strip
 * after strip, into a row in local memory; the row is then reduced under each pooled column into
 * the accumulators of the pooled rows that it belongs to (`depth` of them are open at a time). So
 * no column is computed twice, and rows only where two bands meet.
 *
 *   PX, OCB    pixels and blocks of the register tile; at most 20 accumulators, see conv.c
 *   PLAIN_SRC  1: src is plain NCHW with few channels and one group, wgt is [group][c][kh][kw][b]
 *   MAP        1: pixels get a scale and a shift per channel, or a gate per image and channel, and
 *              args.before on their way in, through a copy; not with PLAIN_SRC
 *   POOL_AVERAGE  1: the pool takes the average; 0 (default): the largest
 *   HALF       1: src, residual and dst are float16; every tap goes through a copy
 */
#ifndef PX
#define PX 4
#endif
#ifndef OCB
#define OCB 4
#endif
#ifndef PLAIN_SRC
#define PLAIN_SRC 0
#endif
#ifndef MAP
#define MAP 0
#endif
#ifndef POOL_AVERAGE
#define POOL_AVERAGE 0
#endif

/* cvk_cl_conv of kernels/opencl/conv.h. */
typedef struct {
    int ic, ih, iw;            /* channels (PLAIN_SRC) or blocks of the whole input */
    int group_ic, last_lanes;  /* channels or blocks that a result reads; lanes of the last block */
    int oc, oc_blocks, oh, ow; /* of the convolution, before a pool */
    int group_oc_blocks, group_tiles; /* blocks of one group's results; tiles that cover them */
    int kh, kw, sh, sw, dh, dw, pt, pl;
    int has_bias;
    int pool_count_pad, pool_kh, pool_kw, pool_sh, pool_sw, pool_pt, pool_pl;
    int pool_eh, pool_ew; /* where the padded image ends: as far as count_include_pad counts */
    int pool_oh, pool_ow;
    int span;        /* strips of an item */
    int band, depth; /* pooled rows of an item; pooled rows open at a time */
    int map_ic;           /* channels that have a scale and a shift */
    int gated;            /* with MAP: instead each image's channels have a factor, blocked */
    posts_args posts, before; /* before: an activation only */
} conv_args;

/* The map of a block's pixels. */
typedef struct {
    float16 scale, shift;
} map_t;

/* The item's tile of output blocks. */
typedef struct {
    int n, first, count; /* image; first block, of the whole output; blocks that exist */
    int src;             /* first channel or block of the input that it reads */
} tile_t;

OUTLINE void tile_of(tile_t *tile, const conv_args *a, int t, int n)
{
    const int group = t / a->group_tiles, in_group = t % a->group_tiles;
    tile->n = n;
    tile->first = group * a->group_oc_blocks + in_group * OCB;
    tile->count = min(OCB, a->group_oc_blocks - in_group * OCB);
    tile->src = group * a->group_ic;
}

/* `count` products for every pixel and block of the tile: over the lanes of a block, or (PLAIN_SRC)
 * over the columns of the window. Pixels are `pixel` floats apart, which may be a constant, and
 * products `next`. */
INLINE void products(float16 acc[PX * OCB], __global const float *src, __global const float16 *wgt,
                     int count, const int pixel, int next)
{
    for (int i = 0; i < count; i++) {
#pragma unroll
        for (int p = 0; p < PX; p++) {
            const float16 x = (float16)(src[p * pixel]);
#pragma unroll
            for (int b = 0; b < OCB; b++)
                acc[p * OCB + b] = mad16(x, wgt[i * OCB + b], acc[p * OCB + b]);
        }
        src += next;
    }
}

/* The same from pixels that were copied. */
INLINE void products_copied(float16 acc[PX * OCB], const float *src, __global const float16 *wgt,
                            int count, const int pixel, int next)
{
    for (int i = 0; i < count; i++) {
#pragma unroll
        for (int p = 0; p < PX; p++) {
            const float16 x = (float16)(src[p * pixel]);
#pragma unroll
            for (int b = 0; b < OCB; b++)
                acc[p * OCB + b] = mad16(x, wgt[i * OCB + b], acc[p * OCB + b]);
        }
        src += next;
    }
}

#if PLAIN_SRC
/* The longest strip under a window: cvk_cl_conv_first_accepts knows the limits. */
#define SEGMENT ((PX - 1) * 16 + 64 + 1)

/* All taps of one row of a channel on the strip whose first tap is at column `left`. */
INLINE void row_taps(float16 acc[PX * OCB], __global const stored_t *row, int left,
                     __global const float16 *wgt, const conv_args *a)
{
    const int kw = a->kw, dw = a->dw, sw = a->sw, iw = a->iw;
    const int length = (PX - 1) * sw + (kw - 1) * dw + 1;
#if !HALF
    if (left >= 0 && left + length <= iw) {
        products(acc, row + left, wgt, kw, sw, dw);
        return;
    }
#endif
    float segment[SEGMENT];
    for (int i = 0; i < length; i++)
        segment[i] = left + i >= 0 && left + i < iw ? load_stored(row, left + i) : 0.0f;
    products_copied(acc, segment, wgt, kw, sw, dw);
}
#else
INLINE float16 map_pixel(float16 x, const map_t *map, const posts_args *before)
{
    if (!MAP) return x;
    if (before->count == 0) return mad16(x, map->scale, map->shift);
    x = mad16(x, map->scale, map->shift);
    return apply_posts(before, x, x, x);
}

/* One tap of one row of a block on the strip whose pixels begin at column `left`, `sw` apart. */
INLINE void tap(float16 acc[PX * OCB], __global const stored_t *row, int left,
                __global const float16 *wgt, const conv_args *a, int sw, int lanes,
                const map_t *map)
{
    const int iw = a->iw;
#if !HALF && !MAP
    if (left >= 0 && left + (PX - 1) * sw < iw) {
        products(acc, row + left * BLOCK, wgt, lanes, sw * BLOCK, 1);
        return;
    }
#endif
    float16 pixel[PX];
    for (int p = 0; p < PX; p++) {
        const int ix = left + p * sw;
        pixel[p] = (float16)(0.0f);
        if (ix >= 0 && ix < iw) pixel[p] = map_pixel(load_pixel(row, ix), map, &a->before);
    }
    products_copied(acc, (const float *)pixel, wgt, lanes, BLOCK, 1);
}
#endif

/* Adds the whole window on the strip of PX pixels of row y that begins at x0. */
INLINE void convolve(float16 acc[PX * OCB], __global const stored_t *src,
                     __global const float16 *wgt, __global const float *scale,
                     __global const float *shift, const conv_args *a, int y, int x0)
{
    const int left = x0 * a->sw - a->pl;
    for (int c = 0; c < a->group_ic; c++) {
        map_t map;
        if (MAP && a->gated) {
            map.scale = vload16(c, scale);
            map.shift = (float16)(0.0f);
        } else if (MAP) {
            map.scale = load_n(scale + c * BLOCK, a->map_ic - c * BLOCK);
            map.shift = load_n(shift + c * BLOCK, a->map_ic - c * BLOCK);
        }
        for (int kh = 0; kh < a->kh; kh++) {
            const int iy = y * a->sh - a->pt + kh * a->dh;
            if (iy < 0 || iy >= a->ih) continue;
#if PLAIN_SRC
            row_taps(acc, src + ((size_t)c * a->ih + iy) * a->iw, left,
                     wgt + (c * a->kh + kh) * a->kw * OCB, a);
#else
            __global const stored_t *row = src + ((size_t)c * a->ih + iy) * a->iw * BLOCK;
            __global const float16 *w = wgt + (size_t)(c * a->kh + kh) * a->kw * BLOCK * OCB;
            const int lanes = c == a->group_ic - 1 ? a->last_lanes : BLOCK;
            for (int kw = 0; kw < a->kw; kw++)
                tap(acc, row, left + kw * a->dw, w + kw * BLOCK * OCB, a, a->sw, lanes,
                    &map);
#endif
        }
    }
}

/* The item's inputs, moved to the tile: src to its image and group, wgt to its tile. */
OUTLINE __global const stored_t *tile_src(__global const stored_t *src, const tile_t *tile,
                                  const conv_args *a)
{
    const size_t pixels = (size_t)a->ih * a->iw;
#if PLAIN_SRC
    return src + (size_t)tile->n * a->ic * pixels;
#else
    return src + ((size_t)tile->n * a->ic + tile->src) * pixels * BLOCK;
#endif
}

OUTLINE __global const float16 *tile_wgt(__global const float16 *wgt, int t, const conv_args *a)
{
#if PLAIN_SRC
    return wgt + (size_t)t * a->group_ic * a->kh * a->kw * OCB;
#else
    return wgt + (size_t)t * a->group_ic * a->kh * a->kw * BLOCK * OCB;
#endif
}

/* What the posts read. */
typedef struct {
    __global const float *bias, *slope;
    __global const stored_t *residual;
} extras_t;

/* Where block b of the tile has its pixel (y, x) in a blocked tensor of oc_blocks x h x w. */
OUTLINE size_t place(const tile_t *tile, const conv_args *a, int b, int h, int w, int y, int x)
{
    return (((size_t)tile->n * a->oc_blocks + tile->first + b) * h + y) * w + x;
}

OUTLINE float16 bias_of(const tile_t *tile, const conv_args *a, const extras_t *extras, int b)
{
    const int c = (tile->first + b) * BLOCK;
    return a->has_bias ? load_n(extras->bias + c, a->oc - c) : (float16)(0.0f);
}

/* Sums begin with the bias. */
INLINE void start(float16 acc[PX * OCB], const tile_t *tile, const conv_args *a,
                  const extras_t *extras)
{
#pragma unroll
    for (int b = 0; b < OCB; b++) {
        const float16 bias = bias_of(tile, a, extras, min(b, tile->count - 1));
#pragma unroll
        for (int p = 0; p < PX; p++) acc[p * OCB + b] = bias;
    }
}

/* Of a PRelu. */
OUTLINE float16 slope_of(const tile_t *tile, const conv_args *a, const extras_t *extras, int b)
{
    const int c = (tile->first + b) * BLOCK;
    return a->posts.prelu == 1 ? load_n(extras->slope + c, a->oc - c)
                               : (float16)(extras->slope[0]);
}

/* Any posts, one after the other: the tile goes through memory. */
INLINE void finish_any(float16 acc[PX * OCB], const tile_t *tile, const conv_args *a,
                       const extras_t *extras, int y, int x0, int dx, int valid)
{
    float16 out[PX * OCB];
#pragma unroll
    for (int i = 0; i < PX * OCB; i++) out[i] = acc[i];
    for (int i = 0; i < a->posts.count; i++) {
        const post_args post = post_of(&a->posts, i);
        if (post.kind == POST_ACT) {
            act_all(post, out, PX * OCB);
            continue;
        }
        for (int b = 0; b < tile->count; b++) {
            const bool add = post.kind == POST_ADD;
            const float16 slope = add ? (float16)(0.0f) : slope_of(tile, a, extras, b);
            const size_t at = place(tile, a, b, a->oh, a->ow, y, x0);
            for (int p = 0; p < valid; p++) {
                const float16 x = out[p * OCB + b];
                out[p * OCB + b] = add        ? x + load_pixel(extras->residual, at + p * dx)
                                   : x < 0.0f ? slope * x
                                              : x;
            }
        }
    }
#pragma unroll
    for (int i = 0; i < PX * OCB; i++) acc[i] = out[i];
}

/* Posts on pixels x0, x0 + dx, ... of row y, of which `valid` exist. */
INLINE void finish(float16 acc[PX * OCB], const tile_t *tile, const conv_args *a,
                   const extras_t *extras, int y, int x0, int dx, int valid)
{
    if (POSTS >= 3 && !a->posts.simple) {
        finish_any(acc, tile, a, extras, y, x0, dx, valid);
        return;
    }
#pragma unroll
    for (int b = 0; b < OCB; b++) {
        const int known = min(b, tile->count - 1);
        if (POSTS >= 1 && a->posts.add) {
            const size_t at = place(tile, a, known, a->oh, a->ow, y, x0);
#pragma unroll
            for (int p = 0; p < PX; p++)
                acc[p * OCB + b] += load_pixel(extras->residual, at + min(p, valid - 1) * dx);
        }
        if (POSTS >= 2 && a->posts.prelu) {
            const float16 slope = slope_of(tile, a, extras, known);
#pragma unroll
            for (int p = 0; p < PX; p++) {
                const float16 x = acc[p * OCB + b];
                acc[p * OCB + b] = x < 0.0f ? slope * x : x;
            }
        }
#pragma unroll
        for (int p = 0; p < PX; p++)
            acc[p * OCB + b] = clamp16(acc[p * OCB + b], a->posts.low, a->posts.high);
    }
}

INLINE void store(const float16 acc[PX * OCB], __global stored_t *dst, const tile_t *tile,
                  const conv_args *a, int y, int x0, int dx, int valid)
{
#pragma unroll
    for (int b = 0; b < OCB; b++) {
        if (b < tile->count) {
            const size_t at = place(tile, a, b, a->oh, a->ow, y, x0);
#pragma unroll
            for (int p = 0; p < PX; p++)
                if (p < valid) store_pixel(acc[p * OCB + b], dst, at + p * dx);
        }
    }
}

/* Items: spans of the strips of all rows, tiles, images. scale and shift: with MAP. */
__kernel void conv(__global const stored_t *src, __global const float16 *wgt,
                   __global const float *bias, __global const float *slope,
                   __global const stored_t *residual, __global stored_t *dst, const conv_args args,
                   __global const float *scale, __global const float *shift)
{
    const int strips = (args.ow + PX - 1) / PX, t = (int)get_global_id(1);
    const int begin = (int)get_global_id(0) * args.span;
    const int count = min(args.span, strips * args.oh - begin);
    tile_t tile;
    tile_of(&tile, &args, t, (int)get_global_id(2));
    const extras_t extras = {bias, slope, residual};
    int y = begin / strips, x0 = begin % strips * PX;
    src = tile_src(src, &tile, &args);
    wgt = tile_wgt(wgt, t, &args);
    if (MAP && args.gated) scale += (size_t)tile.n * args.ic * BLOCK;
    for (int i = 0; i < count; i++) {
        const int valid = min(PX, args.ow - x0);
        float16 acc[PX * OCB];
        start(acc, &tile, &args, &extras);
        convolve(acc, src, wgt, scale, shift, &args, y, x0);
        finish(acc, &tile, &args, &extras, y, x0, 1, valid);
        store(acc, dst, &tile, &args, y, x0, 1, valid);
        x0 += PX;
        if (x0 >= args.ow) {
            x0 = 0;
            y++;
        }
    }
}

#if !MAP
INLINE float16 pool_join(float16 a, float16 b)
{
    return POOL_AVERAGE ? a + b : (a < b ? b : a);
}

/* What a finished average is multiplied with: one over the pixels that count. */
OUTLINE float pool_scale(const conv_args *a, int q, int px)
{
    const int top = q * a->pool_sh - a->pool_pt, left = px * a->pool_sw - a->pool_pl;
    int h, w;
    if (a->pool_count_pad) {
        h = min(top + a->pool_kh, a->pool_eh) - top;
        w = min(left + a->pool_kw, a->pool_ew) - left;
    } else {
        h = min(top + a->pool_kh, a->oh) - max(top, 0);
        w = min(left + a->pool_kw, a->ow) - max(left, 0);
    }
    return 1.0f / (float)(h * w);
}

/* What a row of the convolution gives to one pooled row: it sets the open row, or (last) sends it to
 * dst, row q. */
INLINE void pool_columns(__local const float16 *row, __local float16 *open, __global stored_t *dst,
                         const tile_t *tile, const conv_args *a, int q, int first, int last)
{
    const int count = last ? tile->count : OCB;
    for (int px = 0; px < a->pool_ow; px++) {
        const int left = px * a->pool_sw - a->pool_pl, from = max(left, 0);
        const int to = min(left + a->pool_kw, a->ow);
        const float scale = POOL_AVERAGE && last ? pool_scale(a, q, px) : 1.0f;
        for (int b = 0; b < count; b++) {
            float16 sum = row[from * OCB + b];
            for (int x = from + 1; x < to; x++) sum = pool_join(sum, row[x * OCB + b]);
            if (!first) sum = pool_join(open[px * OCB + b], sum);
            if (!last)
                open[px * OCB + b] = sum;
            else
                store_pixel(POOL_AVERAGE ? sum * scale : sum, dst,
                            place(tile, a, b, a->pool_oh, a->pool_ow, q, px));
        }
    }
}

/* Row y of the convolution, in `row`, into the pooled rows q0 .. q1 - 1 that it belongs to. open
 * holds row q at (q % depth); a row's first row of the convolution sets it, its last one sends it
 * to dst. */
OUTLINE void pool_row(__local const float16 *row, __local float16 *open, __global stored_t *dst,
              const tile_t *tile, const conv_args *a, int y, int q0, int q1)
{
    const int from = max(q0, (y + a->pool_pt - a->pool_kh + a->pool_sh) / a->pool_sh);
    const int to = min(q1 - 1, (y + a->pool_pt) / a->pool_sh);
    for (int q = from; q <= to; q++) {
        const int top = q * a->pool_sh - a->pool_pt, first = y == max(top, 0);
        const int last = y == min(top + a->pool_kh, a->oh) - 1;
        __local float16 *slots = open + (q % a->depth) * a->pool_ow * OCB;
        pool_columns(row, slots, dst, tile, a, q, first, last);
    }
}

/* Items: bands of pooled rows, tiles, images. rows holds ow + depth * pool_ow pixels of the tile. A
 * work-group is one item. */
__kernel void conv_pool(__global const stored_t *src, __global const float16 *wgt,
                        __global const float *bias, __global const float *slope,
                        __global const stored_t *residual, __global stored_t *dst,
                        const conv_args args, __local float16 *rows)
{
    const int t = (int)get_global_id(1), q0 = (int)get_global_id(0) * args.band;
    const int q1 = min(q0 + args.band, args.pool_oh);
    const int end = min((q1 - 1) * args.pool_sh - args.pool_pt + args.pool_kh, args.oh);
    tile_t tile;
    tile_of(&tile, &args, t, (int)get_global_id(2));
    const extras_t extras = {bias, slope, residual};
    src = tile_src(src, &tile, &args);
    wgt = tile_wgt(wgt, t, &args);
    for (int y = max(q0 * args.pool_sh - args.pool_pt, 0); y < end; y++) {
        for (int x0 = 0; x0 < args.ow; x0 += PX) {
            const int valid = min(PX, args.ow - x0);
            float16 acc[PX * OCB];
            start(acc, &tile, &args, &extras);
            convolve(acc, src, wgt, NULL, NULL, &args, y, x0);
            finish(acc, &tile, &args, &extras, y, x0, 1, valid);
#pragma unroll
            for (int i = 0; i < PX * OCB; i++)
                if (i < valid * OCB) rows[x0 * OCB + i] = acc[i];
        }
        pool_row(rows, rows + args.ow * OCB, dst, &tile, &args, y, q0, q1);
    }
}
#endif

#if !PLAIN_SRC && !MAP
/* ConvTranspose, by results: (y, x) is fed by taps with y + pt - kh dh = sh iy, and so for x.
 * Pixels sw apart have the same taps, and neighbouring inputs: a strip is PX of them. kw:  0 1 2 0
 * 1 2 ..    sw = 3, dw = 1: x = 0, 3, 6 .. are one phase, 1, 4, 7 .. the next Items: strips of all
 * phases of all rows, tiles, images. */
__kernel void conv_transpose(__global const stored_t *src, __global const float16 *wgt,
                             __global const float *bias, __global const float *slope,
                             __global const stored_t *residual, __global stored_t *dst,
                             const conv_args args)
{
    const int columns = (args.ow + args.sw - 1) / args.sw, strips = (columns + PX - 1) / PX;
    const int id = (int)get_global_id(0), t = (int)get_global_id(1);
    const int y = id / (strips * args.sw), phase = id / strips % args.sw;
    const int x0 = phase + id % strips * PX * args.sw;
    const int valid = min(PX, (args.ow - x0 + args.sw - 1) / args.sw);
    if (x0 >= args.ow) return;
    tile_t tile;
    tile_of(&tile, &args, t, (int)get_global_id(2));
    const extras_t extras = {bias, slope, residual};
    float16 acc[PX * OCB];
    src = tile_src(src, &tile, &args);
    wgt = tile_wgt(wgt, t, &args);
    start(acc, &tile, &args, &extras);
    for (int c = 0; c < args.group_ic; c++) {
        const int lanes = c == args.group_ic - 1 ? args.last_lanes : BLOCK;
        for (int kh = 0; kh < args.kh; kh++) {
            const int ty = y + args.pt - kh * args.dh;
            if (ty < 0 || ty % args.sh || ty / args.sh >= args.ih) continue;
            __global const stored_t *row =
                src + ((size_t)c * args.ih + ty / args.sh) * args.iw * BLOCK;
            __global const float16 *w = wgt + (size_t)(c * args.kh + kh) * args.kw * BLOCK * OCB;
            for (int kw = 0; kw < args.kw; kw++) {
                const int tx = x0 + args.pl - kw * args.dw;
                if (tx % args.sw == 0)
                    tap(acc, row, tx / args.sw, w + kw * BLOCK * OCB, &args, 1, lanes, NULL);
            }
        }
    }
    finish(acc, &tile, &args, &extras, y, x0, args.sw, valid);
    store(acc, dst, &tile, &args, y, x0, args.sw, valid);
}
#endif
