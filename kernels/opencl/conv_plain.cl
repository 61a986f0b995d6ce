/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution and transposed convolution in plain layout with any group: no packing, no tiles,
 * every problem of one to three dimensions. What others decline comes here.
 *
 *   src [n][c][id][ih][iw]     |..oooooooooooooooo..|   16 VECS pixels under one tap
 *   wgt as ONNX has it         Conv [oc][c of group][kd][kh][kw],
 *                              ConvTranspose [c][oc of group][kd][kh][kw]
 *   dst [n][oc][od][oh][ow]    a work-item computes 16 VECS neighbouring pixels (lanes) of one row, of
 *                              OCT output channels of one group
 *
 * Dimensions that a problem lacks have length 1.
 *
 * bias [oc]; slope [oc] or one; residual as dst.
 *
 * Rows of taps that reach over the image's left or right end go through a copy with zeros put in.
 *
 *   OCT   output channels of an item
 *   VECS  sixteens of its pixels
 */
#ifndef OCT
#define OCT 4
#endif
#ifndef VECS
#define VECS 1
#endif

#define STRIP (16 * VECS)
#define REACH 32 /* most columns from a window's first to its last, of rows that are copied */

typedef struct {
    int group_ic, group_oc, ic, oc;
    int id, od, kd, sd, dd, pf; /* pf: padding in front */
    int ih, oh, kh, sh, dh, pt;
    int iw, ow, kw, sw, dw, pl;
    int has_bias;
    posts_args posts;
} plain_args;

/* row[ix + lane * step] where that is inside [0, iw), else 0. */
OUTLINE float16 gather(__global const float *row, int ix, int step, int iw)
{
    float lane[16];
    if (step == 1 && ix >= 0 && ix + 16 <= iw) return vload16(0, row + ix);
    for (int i = 0; i < 16; i++) {
        const int x = ix + i * step;
        lane[i] = x >= 0 && x < iw ? row[x] : 0.0f;
    }
    return vload16(0, lane);
}

/* The first `count` lanes to p, `step` apart. */
OUTLINE void scatter(float16 x, __global float *p, int step, int count)
{
    float lane[16];
    vstore16(x, 0, lane);
    for (int i = 0; i < min(count, 16); i++) p[i * step] = lane[i];
}

/* The item's output channels: the first, how many exist, and the first input channel they read. */
typedef struct {
    int first, count, in_group, src;
} channels_t;

OUTLINE channels_t channels_of(const plain_args *a, int t)
{
    const int tiles = (a->group_oc + OCT - 1) / OCT, group = t / tiles;
    channels_t c;
    c.in_group = t % tiles * OCT;
    c.first = group * a->group_oc + c.in_group;
    c.count = min(OCT, a->group_oc - c.in_group);
    c.src = group * a->group_ic;
    return c;
}

/* One tap: the item's pixels times the weights of its channels, `step` apart; channels beyond the
 * last one repeat it. */
INLINE void tap(float16 acc[OCT * VECS], const float16 x[VECS], __global const float *wgt,
                size_t step, int count)
{
#pragma unroll
    for (int o = 0; o < OCT; o++) {
        const float16 w = (float16)(wgt[min(o, count - 1) * step]);
#pragma unroll
        for (int v = 0; v < VECS; v++) acc[o * VECS + v] = mad16(x[v], w, acc[o * VECS + v]);
    }
}

/* Bias, posts and the store of the item's pixels x0, x0 + dx .. of row y (of all planes). */
INLINE void finish(const float16 acc[OCT * VECS], __global const float *bias,
                   __global const float *slope, __global const float *residual, __global float *dst,
                   const plain_args *a, channels_t c, int n, int y, int x0, int dx)
{
    float16 out[OCT * VECS];
#pragma unroll
    for (int i = 0; i < OCT * VECS; i++) out[i] = acc[i];
    for (int i = 0; i < c.count * VECS; i++) {
        const int oc = c.first + i / VECS, x = x0 + i % VECS * 16 * dx;
        const int count = (a->ow - x + dx - 1) / dx;
        if (x >= a->ow) continue;
        const size_t to = (((size_t)n * a->oc + oc) * a->od * a->oh + y) * a->ow + x;
        float16 added = (float16)(0.0f);
        if (a->posts.add)
            added = dx == 1 ? load_n(residual + to, count) : gather(residual + to, 0, dx, a->ow - x);
        const float factor = a->posts.prelu ? slope[a->posts.prelu == 1 ? oc : 0] : 0.0f;
        const float shift = a->has_bias ? bias[oc] : 0.0f;
        const float16 result = apply_posts(&a->posts, out[i] + shift, added, (float16)(factor));
        if (dx == 1)
            store_n(result, dst + to, count);
        else
            scatter(result, dst + to, dx, count);
    }
}

/* Adds all columns of one row of taps; at: source row. */
INLINE void row_taps(float16 acc[OCT * VECS], const plain_args *a, __global const float *src,
                     size_t at, __global const float *wgt, size_t step, int count, int x0)
{
    __global const float *row = src + at * a->iw;
    const int left = x0 * a->sw - a->pl, reach = (a->kw - 1) * a->dw;
    float16 x[VECS];
    if (a->sw == 1 && reach <= REACH && (left < 0 || left + STRIP + reach > a->iw)) {
        float copy[STRIP + REACH];
        for (int i = 0; i < STRIP + reach; i += 16)
            vstore16(gather(row, left + i, 1, a->iw), 0, copy + i);
        for (int k = 0; k < a->kw; k++) {
#pragma unroll
            for (int v = 0; v < VECS; v++) x[v] = vload16(0, copy + k * a->dw + v * 16);
            tap(acc, x, wgt + k, step, count);
        }
        return;
    }
    for (int k = 0; k < a->kw; k++) {
#pragma unroll
        for (int v = 0; v < VECS; v++)
            x[v] = gather(row, left + k * a->dw + v * 16 * a->sw, a->sw, a->iw);
        tap(acc, x, wgt + k, step, count);
    }
}

/* Items: strips of all rows, tiles of output channels, images. */
__kernel void conv(__global const float *src, __global const float *wgt, __global const float *bias,
                   __global const float *slope, __global const float *residual, __global float *dst,
                   const plain_args args)
{
    const int strips = (args.ow + STRIP - 1) / STRIP, n = (int)get_global_id(2);
    const int row = (int)get_global_id(0) / strips, x0 = (int)get_global_id(0) % strips * STRIP;
    const int z = row / args.oh, y = row - z * args.oh;
    const channels_t channels = channels_of(&args, (int)get_global_id(1));
    const size_t volume = (size_t)args.kd * args.kh * args.kw, step = args.group_ic * volume;
    float16 acc[OCT * VECS];
#pragma unroll
    for (int i = 0; i < OCT * VECS; i++) acc[i] = (float16)(0.0f);
    for (int c = 0; c < args.group_ic; c++) {
        const size_t planes = ((size_t)n * args.ic + channels.src + c) * args.id;
        for (int kd = 0; kd < args.kd; kd++) {
            const int iz = z * args.sd - args.pf + kd * args.dd;
            if (iz < 0 || iz >= args.id) continue;
            for (int kh = 0; kh < args.kh; kh++) {
                const int iy = y * args.sh - args.pt + kh * args.dh;
                if (iy < 0 || iy >= args.ih) continue;
                row_taps(acc, &args, src, (planes + iz) * args.ih + iy,
                         wgt + channels.first * step + c * volume + (kd * args.kh + kh) * args.kw,
                         step, channels.count, x0);
            }
        }
    }
    finish(acc, bias, slope, residual, dst, &args, channels, n, row, x0, 1);
}

/* Pixels sw apart, from x0 on, have the same taps, and neighbouring inputs. */
INLINE void row_taps_transposed(float16 acc[OCT * VECS], const plain_args *a,
                                __global const float *src, size_t at, __global const float *wgt,
                                size_t step, int count, int x0)
{
    __global const float *row = src + at * a->iw;
    for (int k = 0; k < a->kw; k++) {
        const int tx = x0 + a->pl - k * a->dw;
        if (tx % a->sw) continue;
        float16 x[VECS];
#pragma unroll
        for (int v = 0; v < VECS; v++) x[v] = gather(row, tx / a->sw + v * 16, 1, a->iw);
        tap(acc, x, wgt + k, step, count);
    }
}

/* Items: strips of all phases of all rows, tiles of output channels, images. */
__kernel void conv_transpose(__global const float *src, __global const float *wgt,
                             __global const float *bias, __global const float *slope,
                             __global const float *residual, __global float *dst,
                             const plain_args args)
{
    const int columns = (args.ow + args.sw - 1) / args.sw, strips = (columns + STRIP - 1) / STRIP;
    const int id = (int)get_global_id(0), n = (int)get_global_id(2), row = id / (strips * args.sw);
    const int x0 = id / strips % args.sw + id % strips * STRIP * args.sw;
    if (x0 >= args.ow) return;
    const int z = row / args.oh, y = row - z * args.oh;
    const channels_t channels = channels_of(&args, (int)get_global_id(1));
    const size_t step = (size_t)args.kd * args.kh * args.kw;
    float16 acc[OCT * VECS];
#pragma unroll
    for (int i = 0; i < OCT * VECS; i++) acc[i] = (float16)(0.0f);
    for (int c = 0; c < args.group_ic; c++) {
        const size_t planes = ((size_t)n * args.ic + channels.src + c) * args.id;
        __global const float *w =
            wgt + ((size_t)(channels.src + c) * args.group_oc + channels.in_group) * step;
        for (int kd = 0; kd < args.kd; kd++) {
            const int tz = z + args.pf - kd * args.dd;
            if (tz < 0 || tz % args.sd || tz / args.sd >= args.id) continue;
            for (int kh = 0; kh < args.kh; kh++) {
                const int ty = y + args.pt - kh * args.dh;
                if (ty < 0 || ty % args.sh || ty / args.sh >= args.ih) continue;
                row_taps_transposed(acc, &args, src,
                                    (planes + tz / args.sd) * args.ih + ty / args.sh,
                                    w + (kd * args.kh + kh) * args.kw, step, channels.count, x0);
            }
        }
    }
    finish(acc, bias, slope, residual, dst, &args, channels, n, row, x0, args.sw);
}
