/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution and transposed convolution in plain NCHW with any group: no packing, no tiles, every
 * problem. What others decline comes here.
 *
 *   src [n][c][ih][iw]     |..oooooooooooooooo..|   16 pixels under one tap
 *   wgt as ONNX has it     Conv [oc][c of group][kh][kw], ConvTranspose [c][oc of group][kh][kw]
 *   dst [n][oc][oh][ow]    a work-item computes 16 neighbouring pixels (lanes) of one row of one oc
 *
 * bias [oc]; slope [oc] or one; residual as dst.
 */
typedef struct {
    int group_ic, group_oc, ic, oc, ih, iw, oh, ow, kh, kw, sh, sw, dh, dw, pt, pl, has_bias;
    posts_args posts;
} plain_args;

/* row[ix + lane * step] where that is inside [0, iw), else 0. */
float16 gather(__global const float *row, int ix, int step, int iw)
{
    float lane[16];
    if (step == 1 && ix >= 0 && ix + 16 <= iw)
        return vload16(0, row + ix);
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

/* Posts and the store of an item's 16 pixels. */
void finish(float16 acc, __global const float *slope, __global const float *residual, __global float *dst,
            const plain_args *a, int oc, size_t to, int count)
{
    const float16 added = a->posts.add ? load_n(residual + to, count) : (float16)(0.0f);
    const float factor = a->posts.prelu ? slope[a->posts.prelu == 1 ? oc : 0] : 0.0f;
    store_n(apply_posts(&a->posts, acc, added, (float16)(factor)), dst + to, count);
}

/* Items of both kernels: strips of 16 of all rows, output channels, images. */
__kernel void conv(__global const float *src, __global const float *wgt, __global const float *bias,
                   __global const float *slope, __global const float *residual, __global float *dst,
                   const plain_args args)
{
    const int strips = (args.ow + 15) / 16, oc = (int)get_global_id(1), n = (int)get_global_id(2);
    const int y = (int)get_global_id(0) / strips, x0 = (int)get_global_id(0) % strips * 16;
    const int first = oc / args.group_oc * args.group_ic;
    float16 acc = (float16)(args.has_bias ? bias[oc] : 0.0f);
    for (int c = 0; c < args.group_ic; c++) {
        for (int kh = 0; kh < args.kh; kh++) {
            const int iy = y * args.sh - args.pt + kh * args.dh;
            if (iy < 0 || iy >= args.ih)
                continue;
            __global const float *row = src + (((size_t)n * args.ic + first + c) * args.ih + iy) * args.iw;
            __global const float *w = wgt + (((size_t)oc * args.group_ic + c) * args.kh + kh) * args.kw;
            for (int kw = 0; kw < args.kw; kw++)
                acc = mad16(gather(row, x0 * args.sw - args.pl + kw * args.dw, args.sw, args.iw), (float16)(w[kw]), acc);
        }
    }
    finish(acc, slope, residual, dst, &args, oc, (((size_t)n * args.oc + oc) * args.oh + y) * args.ow + x0,
           args.ow - x0);
}

__kernel void conv_transpose(__global const float *src, __global const float *wgt, __global const float *bias,
                             __global const float *slope, __global const float *residual, __global float *dst,
                             const plain_args args)
{
    const int strips = (args.ow + 15) / 16, oc = (int)get_global_id(1), n = (int)get_global_id(2);
    const int y = (int)get_global_id(0) / strips, x0 = (int)get_global_id(0) % strips * 16;
    const int first = oc / args.group_oc * args.group_ic, in_group = oc % args.group_oc;
    float16 acc = (float16)(args.has_bias ? bias[oc] : 0.0f);
    for (int c = 0; c < args.group_ic; c++) {
        for (int kh = 0; kh < args.kh; kh++) {
            const int t = y + args.pt - kh * args.dh;
            if (t < 0 || t % args.sh || t / args.sh >= args.ih)
                continue;
            __global const float *row = src + (((size_t)n * args.ic + first + c) * args.ih + t / args.sh) * args.iw;
            __global const float *w = wgt + (((size_t)(first + c) * args.group_oc + in_group) * args.kh + kh) * args.kw;
            for (int kw = 0; kw < args.kw; kw++)
                acc = mad16(spread(row, x0 + args.pl - kw * args.dw, args.sw, args.iw), (float16)(w[kw]), acc);
        }
    }
    finish(acc, slope, residual, dst, &args, oc, (((size_t)n * args.oc + oc) * args.oh + y) * args.ow + x0,
           args.ow - x0);
}
