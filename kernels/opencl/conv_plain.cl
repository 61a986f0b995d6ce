/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution and transposed convolution in plain NCHW with any group: no packing, no tiles, every
 * problem. What others decline comes here.
 *
 *   src [n][c][ih][iw]     |..oooooooooooooooo..|   16 pixels under one tap
 *   wgt as ONNX has it     Conv [oc][c of group][kh][kw], ConvTranspose [c][oc of group][kh][kw]
 *   dst [n][oc][oh][ow]    a work-item computes 16 neighbouring pixels (lanes) of one row, of OCT
 *                          output channels of one group
 *
 * bias [oc]; slope [oc] or one; residual as dst.
 *
 *   OCT  output channels of an item
 */
#ifndef OCT
#define OCT 4
#endif

typedef struct {
    int group_ic, group_oc, ic, oc, ih, iw, oh, ow, kh, kw, sh, sw, dh, dw, pt, pl, has_bias;
    posts_args posts;
} plain_args;

/* row[ix + lane * step] where that is inside [0, iw), else 0. */
float16 gather(__global const float *row, int ix, int step, int iw)
{
    float lane[16];
    if (step == 1 && ix >= 0 && ix + 16 <= iw) return vload16(0, row + ix);
    for (int i = 0; i < 16; i++) {
        const int x = ix + i * step;
        lane[i] = x >= 0 && x < iw ? row[x] : 0.0f;
    }
    return vload16(0, lane);
}

/* row[t / step] for t = first + lane where step divides t and that is inside, else 0. */
float16 spread(__global const float *row, int first, int step, int iw)
{
    float lane[16];
    for (int i = 0; i < 16; i++) {
        const int t = first + i;
        lane[i] = t >= 0 && t % step == 0 && t / step < iw ? row[t / step] : 0.0f;
    }
    return vload16(0, lane);
}

/* The item's output channels: the first, how many exist, and the first input channel they read. */
typedef struct {
    int first, count, in_group, src;
} channels_t;

channels_t channels_of(const plain_args *a, int t)
{
    const int tiles = (a->group_oc + OCT - 1) / OCT, group = t / tiles;
    channels_t c;
    c.in_group = t % tiles * OCT;
    c.first = group * a->group_oc + c.in_group;
    c.count = min(OCT, a->group_oc - c.in_group);
    c.src = group * a->group_ic;
    return c;
}

/* One tap: 16 pixels times the weights of the item's channels, `step` apart; channels beyond the
 * last one repeat it. */
INLINE void tap(float16 acc[OCT], float16 x, __global const float *wgt, size_t step, int count)
{
#pragma unroll
    for (int o = 0; o < OCT; o++)
        acc[o] = mad16(x, (float16)(wgt[min(o, count - 1) * step]), acc[o]);
}

/* Bias, posts and the store of the item's pixels x0 .. of row y. */
INLINE void finish(const float16 acc[OCT], __global const float *bias, __global const float *slope,
                   __global const float *residual, __global float *dst, const plain_args *a,
                   channels_t c, int n, int y, int x0)
{
    const int count = a->ow - x0;
#pragma unroll
    for (int o = 0; o < OCT; o++) {
        if (o < c.count) {
            const int oc = c.first + o;
            const size_t to = (((size_t)n * a->oc + oc) * a->oh + y) * a->ow + x0;
            const float16 added = a->posts.add ? load_n(residual + to, count) : (float16)(0.0f);
            const float factor = a->posts.prelu ? slope[a->posts.prelu == 1 ? oc : 0] : 0.0f;
            const float shift = a->has_bias ? bias[oc] : 0.0f;
            store_n(apply_posts(&a->posts, acc[o] + shift, added, (float16)(factor)), dst + to,
                    count);
        }
    }
}

/* Items of both kernels: strips of 16 of all rows, tiles of output channels, images. */
__kernel void conv(__global const float *src, __global const float *wgt, __global const float *bias,
                   __global const float *slope, __global const float *residual, __global float *dst,
                   const plain_args args)
{
    const int strips = (args.ow + 15) / 16, n = (int)get_global_id(2);
    const int y = (int)get_global_id(0) / strips, x0 = (int)get_global_id(0) % strips * 16;
    const channels_t channels = channels_of(&args, (int)get_global_id(1));
    const size_t step = (size_t)args.group_ic * args.kh * args.kw;
    float16 acc[OCT];
#pragma unroll
    for (int o = 0; o < OCT; o++) acc[o] = (float16)(0.0f);
    for (int c = 0; c < args.group_ic; c++) {
        for (int kh = 0; kh < args.kh; kh++) {
            const int iy = y * args.sh - args.pt + kh * args.dh;
            if (iy < 0 || iy >= args.ih) continue;
            __global const float *row =
                src + (((size_t)n * args.ic + channels.src + c) * args.ih + iy) * args.iw;
            __global const float *w = wgt + channels.first * step + (c * args.kh + kh) * args.kw;
            for (int kw = 0; kw < args.kw; kw++)
                tap(acc, gather(row, x0 * args.sw - args.pl + kw * args.dw, args.sw, args.iw),
                    w + kw, step, channels.count);
        }
    }
    finish(acc, bias, slope, residual, dst, &args, channels, n, y, x0);
}

__kernel void conv_transpose(__global const float *src, __global const float *wgt,
                             __global const float *bias, __global const float *slope,
                             __global const float *residual, __global float *dst,
                             const plain_args args)
{
    const int strips = (args.ow + 15) / 16, n = (int)get_global_id(2);
    const int y = (int)get_global_id(0) / strips, x0 = (int)get_global_id(0) % strips * 16;
    const channels_t channels = channels_of(&args, (int)get_global_id(1));
    const size_t step = (size_t)args.kh * args.kw;
    float16 acc[OCT];
#pragma unroll
    for (int o = 0; o < OCT; o++) acc[o] = (float16)(0.0f);
    for (int c = 0; c < args.group_ic; c++) {
        for (int kh = 0; kh < args.kh; kh++) {
            const int t = y + args.pt - kh * args.dh;
            if (t < 0 || t % args.sh || t / args.sh >= args.ih) continue;
            __global const float *row =
                src + (((size_t)n * args.ic + channels.src + c) * args.ih + t / args.sh) * args.iw;
            __global const float *w =
                wgt + ((size_t)(channels.src + c) * args.group_oc + channels.in_group) * step +
                kh * args.kw;
            for (int kw = 0; kw < args.kw; kw++)
                tap(acc, spread(row, x0 + args.pl - kw * args.dw, args.sw, args.iw), w + kw, step,
                    channels.count);
        }
    }
    finish(acc, bias, slope, residual, dst, &args, channels, n, y, x0);
}
