/* SPDX-License-Identifier: Apache-2.0
 *
 * Depthwise convolution (one filter per channel) in blocked layout, with bias and posts.
 *
 *      src, one row of a block of 16 channels        dst, a strip of PX pixels of one row
 *      |..o..o..o..|   o: float16 under one tap      acc[p] += src[x] * wgt[tap], lane by lane
 *
 *   wgt  [block][kh][kw] in float16      bias, slope  [channel]
 *
 * A unit is a chunk of one row of a block, a work-item does `span` units, strip after strip; the
 * last strip of a chunk begins earlier rather than leave the chunk, where that is long enough.
 * Strips with taps left or right of the image look at each pixel; all others read without a
 * question.
 *
 *   PX  pixels of a strip
 */
#ifndef PX
#define PX 7
#endif

typedef struct {
    int span, planes, chunk, chunks; /* planes: blocks of all images; chunks of a row */
    int c, blocks, ih, iw, oh, ow, kh, kw, sh, sw, dh, dw, pt, pl, has_bias;
    posts_args posts;
} depthwise_args;

/* What a plane reads and writes. */
typedef struct {
    __global const float16 *src, *wgt, *residual;
    __global float16 *dst;
    float16 shift, slopes;
} plane_t;

/* The rows of taps of output row y that lie in the image. */
INLINE int2 tap_rows(const depthwise_args *a, int y)
{
    const int top = y * a->sh - a->pt;
    int from = 0, to = a->kh;
    while (from < to && top + from * a->dh < 0) from++;
    while (to > from && top + (to - 1) * a->dh >= a->ih) to--;
    return (int2)(from, to);
}

/* A strip whose taps all lie in the image; left: column of its first one. kw, sw, dw may be
 * constants. */
INLINE void inside(float16 acc[PX], const plane_t *plane, const depthwise_args *a, int y, int left,
                   const int kw, const int sw, const int dw)
{
    const int2 rows = tap_rows(a, y);
    for (int kh = rows.x; kh < rows.y; kh++) {
        __global const float16 *row =
            plane->src + (y * a->sh - a->pt + kh * a->dh) * a->iw + left;
        __global const float16 *wgt = plane->wgt + kh * kw;
        for (int k = 0; k < kw; k++) {
            const float16 w = wgt[k];
#pragma unroll
            for (int p = 0; p < PX; p++) acc[p] = mad16(row[k * dw + p * sw], w, acc[p]);
        }
    }
}

/* Any strip. */
INLINE void border(float16 acc[PX], const plane_t *plane, const depthwise_args *a, int y, int left)
{
    const int2 rows = tap_rows(a, y);
    for (int kh = rows.x; kh < rows.y; kh++) {
        __global const float16 *row = plane->src + (y * a->sh - a->pt + kh * a->dh) * a->iw;
        for (int k = 0; k < a->kw; k++) {
            const float16 w = plane->wgt[kh * a->kw + k];
#pragma unroll
            for (int p = 0; p < PX; p++) {
                const int x = left + k * a->dw + p * a->sw;
                if (x >= 0 && x < a->iw) acc[p] = mad16(row[x], w, acc[p]);
            }
        }
    }
}

/* A strip with loops of its own for the usual windows and strides. */
INLINE void strip(float16 acc[PX], const plane_t *plane, const depthwise_args *a, int y, int left)
{
    if (left < 0 || left + (PX - 1) * a->sw + (a->kw - 1) * a->dw >= a->iw)
        border(acc, plane, a, y, left);
    else if (a->kw == 3 && a->dw == 1 && a->sw == 1)
        inside(acc, plane, a, y, left, 3, 1, 1);
    else if (a->kw == 3 && a->dw == 1 && a->sw == 2)
        inside(acc, plane, a, y, left, 3, 2, 1);
    else if (a->kw == 5 && a->dw == 1 && a->sw == 1)
        inside(acc, plane, a, y, left, 5, 1, 1);
    else
        inside(acc, plane, a, y, left, a->kw, a->sw, a->dw);
}

/* Posts and the store of the strip's first `valid` pixels, at pixel `to` of the plane. */
INLINE void put(const float16 acc[PX], const plane_t *plane, const depthwise_args *a, int to,
                int valid)
{
    if (a->posts.simple && !a->posts.add && !a->posts.prelu && valid == PX) {
#pragma unroll
        for (int p = 0; p < PX; p++)
            plane->dst[to + p] = clamp16(acc[p], a->posts.low, a->posts.high);
        return;
    }
    float16 out[PX];
#pragma unroll
    for (int p = 0; p < PX; p++) out[p] = acc[p];
    if (POSTS < 3) {
        for (int p = 0; p < valid; p++) {
            const float16 added = a->posts.add ? plane->residual[to + p] : out[p];
            out[p] = apply_simple(POSTS, &a->posts, out[p], added, plane->slopes);
        }
    }
    for (int i = 0; POSTS >= 3 && i < a->posts.count; i++) {
        const post_args post = post_of(&a->posts, i);
        if (post.kind == POST_ACT)
            act_all(post, out, PX);
        else if (post.kind == POST_ADD)
            for (int p = 0; p < valid; p++) out[p] += plane->residual[to + p];
        else
            for (int p = 0; p < PX; p++) out[p] = out[p] < 0.0f ? plane->slopes * out[p] : out[p];
    }
    for (int p = 0; p < valid; p++) plane->dst[to + p] = out[p];
}

/* Pixels [x0, x1) of row y. */
INLINE void chunk(const plane_t *plane, const depthwise_args *a, int y, int x0, int x1)
{
    for (int at = x0; at < x1; at += PX) {
        const int x = max(min(at, x1 - PX), x0);
        float16 acc[PX];
#pragma unroll
        for (int p = 0; p < PX; p++) acc[p] = plane->shift;
        strip(acc, plane, a, y, x * a->sw - a->pl);
        put(acc, plane, a, y * a->ow + x, min(PX, x1 - x));
    }
}

__kernel void depthwise(__global const float16 *src, __global const float16 *wgt,
                        __global const float *bias, __global const float *slope,
                        __global const float16 *residual, __global float16 *dst,
                        const depthwise_args args)
{
    const int begin = (int)get_global_id(0) * args.span;
    const int end = min(begin + args.span, args.planes * args.oh * args.chunks);
    for (int u = begin; u < end; u++) {
        const int row = u / args.chunks, x0 = (u - row * args.chunks) * args.chunk;
        const int x1 = min(x0 + args.chunk, args.ow), p = row / args.oh, y = row - p * args.oh;
        const int block = p % args.blocks, c = block * BLOCK;
        const size_t to = (size_t)p * args.oh * args.ow;
        plane_t plane = {src + (size_t)p * args.ih * args.iw,
                         wgt + block * args.kh * args.kw,
                         residual,
                         dst + to,
                         args.has_bias ? load_n(bias + c, args.c - c) : (float16)(0.0f),
                         (float16)(0.0f)};
        if (args.posts.add) plane.residual = residual + to;
        if (args.posts.prelu)
            plane.slopes =
                args.posts.prelu == 1 ? load_n(slope + c, args.c - c) : (float16)(slope[0]);
        chunk(&plane, &args, y, x0, x1);
    }
}
