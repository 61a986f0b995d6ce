/* SPDX-License-Identifier: Apache-2.0
 *
 * Depthwise convolution (one filter per channel) in blocked layout, with bias and posts.
 *
 *      src, one row of a block of 16 channels        dst, PX pixels of one row
 *      |..o..o..o..|   o: float16 under one tap      acc[p] += src[x] * wgt[tap], lane by lane
 *
 *   wgt  [block][kh][kw] in float16      bias, slope  [channel]
 *
 * A work-item computes PX neighbouring pixels of one block. Taps that leave the image at the left
 * or right look at each pixel; all others read without a question.
 *
 *   PX  pixels of an item      SW  horizontal stride
 */
#ifndef PX
#define PX 7
#endif
#ifndef SW
#define SW 1
#endif

typedef struct {
    int c, blocks, ih, iw, oh, ow, kh, kw, sh, dh, dw, pt, pl, has_bias;
    posts_args posts;
} depthwise_args;

INLINE void tap(float16 acc[PX], __global const float16 *row, int left, int iw, float16 w)
{
    if (left >= 0 && left + (PX - 1) * SW < iw) {
#pragma unroll
        for (int p = 0; p < PX; p++) acc[p] = mad16(row[left + p * SW], w, acc[p]);
        return;
    }
#pragma unroll
    for (int p = 0; p < PX; p++) {
        const int ix = left + p * SW;
        if (ix >= 0 && ix < iw) acc[p] = mad16(row[ix], w, acc[p]);
    }
}

/* Items: strips of all rows, blocks, images. */
__kernel void depthwise(__global const float16 *src, __global const float16 *wgt,
                        __global const float *bias, __global const float *slope,
                        __global const float16 *residual, __global float16 *dst,
                        const depthwise_args args)
{
    const int strips = (args.ow + PX - 1) / PX, block = (int)get_global_id(1);
    const int y = (int)get_global_id(0) / strips, x0 = (int)get_global_id(0) % strips * PX;
    const int valid = min(PX, args.ow - x0), c = block * BLOCK;
    const size_t plane = get_global_id(2) * args.blocks + block,
                 to = (plane * args.oh + y) * args.ow + x0;
    const float16 shift = args.has_bias ? load_n(bias + c, args.c - c) : (float16)(0.0f);
    float16 acc[PX], out[PX], slopes = (float16)(0.0f);
#pragma unroll
    for (int p = 0; p < PX; p++) acc[p] = shift;
    for (int kh = 0; kh < args.kh; kh++) {
        const int iy = y * args.sh - args.pt + kh * args.dh;
        if (iy < 0 || iy >= args.ih) continue;
        __global const float16 *row = src + (plane * args.ih + iy) * args.iw;
        for (int kw = 0; kw < args.kw; kw++)
            tap(acc, row, x0 * SW - args.pl + kw * args.dw, args.iw,
                wgt[(block * args.kh + kh) * args.kw + kw]);
    }
    if (args.posts.simple && !args.posts.add && valid == PX) {
#pragma unroll
        for (int p = 0; p < PX; p++) dst[to + p] = clamp16(acc[p], args.posts.low, args.posts.high);
        return;
    }
    if (args.posts.prelu)
        slopes = args.posts.prelu == 1 ? load_n(slope + c, args.c - c) : (float16)(slope[0]);
#pragma unroll
    for (int p = 0; p < PX; p++) out[p] = acc[p];
    for (int p = 0; p < valid; p++) {
        const float16 added = args.posts.add ? residual[to + p] : (float16)(0.0f);
        dst[to + p] = apply_posts(&args.posts, out[p], added, slopes);
    }
}
