/* SPDX-License-Identifier: Apache-2.0
 *
 * A convolution around a product that another library makes: dst = posts(wgt x columns + bias).
 *
 *   src  [n][ic][ih][iw]
 *   dst  [n][ic][kh][kw][oh][ow]   of im2col: a row for each tap, a column for each pixel
 *
 *             |oooooo|             the pixels of an output row under one tap: columns of one row of
 *          ..|oooooo|              the matrix; zeros where the tap reaches over the picture's end
 *
 *   im2col       items: 16 pixels of an output row, tap and channel, rows of all pictures
 *   conv_finish  items: 16 pixels of a plane, planes of all pictures: [n][oc][oh ow] in place
 *
 * bias [oc]; slope [oc] or one; residual as dst.
 */
typedef struct {
    int ic, ih, iw, oc, oh, ow;
    int kh, kw, sh, sw, dh, dw, pt, pl;
    int has_bias;
    posts_args posts;
} im2col_args;

__kernel void im2col(__global const float *src, __global float *dst, const im2col_args args)
{
    const int ox = (int)get_global_id(0) * 16, tap = (int)get_global_id(1);
    const int oy = (int)get_global_id(2) % args.oh, image = (int)get_global_id(2) / args.oh;
    const int kx = tap % args.kw, ky = tap / args.kw % args.kh, c = tap / (args.kw * args.kh);
    const int iy = oy * args.sh - args.pt + ky * args.dh;
    const int ix = ox * args.sw - args.pl + kx * args.dw;
    const int count = min(args.ow - ox, 16);
    float16 pixels = (float16)(0.0f);
    if (iy >= 0 && iy < args.ih) {
        __global const float *row = src + (((size_t)image * args.ic + c) * args.ih + iy) * args.iw;
        if (args.sw == 1 && ix >= 0 && ix + 16 <= args.iw) {
            pixels = vload16(0, row + ix);
        } else {
            float lane[16];
            for (int i = 0; i < 16; i++) {
                const int x = ix + i * args.sw;
                lane[i] = i < count && x >= 0 && x < args.iw ? row[x] : 0.0f;
            }
            pixels = vload16(0, lane);
        }
    }
    const size_t taps = (size_t)args.ic * args.kh * args.kw;
    store_n(pixels, dst + ((image * taps + tap) * args.oh + oy) * args.ow + ox, count);
}

__kernel void conv_finish(__global const float *bias, __global const float *slope,
                          __global const float *residual, __global float *dst,
                          const im2col_args args)
{
    const int pixels = args.oh * args.ow, p = (int)get_global_id(0) * 16;
    const int plane = (int)get_global_id(1), c = plane % args.oc, count = pixels - p;
    const size_t at = (size_t)plane * pixels + p;
    float16 x = load_n(dst + at, count), added = (float16)(0.0f), slopes = (float16)(0.0f);
    if (args.has_bias) x += bias[c];
    if (args.posts.add) added = load_n(residual + at, count);
    if (args.posts.prelu) slopes = (float16)(slope[args.posts.prelu == 1 ? c : 0]);
    store_n(apply_posts(&args.posts, x, added, slopes), dst + at, count);
}
