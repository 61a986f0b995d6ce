/* SPDX-License-Identifier: Apache-2.0
 *
 * What slides over or samples H and W: pooling with a window, and resize. float32, or float16 (with
 * HALF) in pool_blocked.
 *
 *   src   plane p, ih x iw        dst   plane p, oh x ow
 *         . [ k k k ] . .                row y: [ ..chunk 0.. | ..chunk 1.. | .. ]
 *         . [ k k k ] . .    ->          a unit is one chunk of one row of dst,
 *                                        an item does `span` units
 *
 * Plain layout: a plane is one channel of one image, a pixel one float. Blocked layout: a plane is
 * 16 channels, a pixel a float16 (lanes beyond C hold anything and stay among themselves). A 1-D
 * problem has one row.
 *
 *   MAP   1: a pool's taps get a scale and a shift per channel and args.before on their way in; 0
 *         (default): they count as they are, and there is neither scale nor shift
 */
#ifndef MAP
#define MAP 0
#endif

typedef struct {
    int span, planes, channels, chunk, chunks;
    int ih, iw, oh, ow, kh, kw, sh, sw, dh, dw, pt, pl, pb, pr;
    int average, include_pad;
    posts_args posts, before; /* activations only */
} pool_args;

/* What an average divides by; 1 for a window that has nothing in it, whose sum is 0. */
static float pool_divisor(const pool_args *args, int4 rows, int4 columns)
{
    int count = args->include_pad ? rows.w * columns.w : rows.z * columns.z;
    return (float)max(count, 1);
}

/* A tap on its way in. */
INLINE float16 pool_tap(const pool_args *args, float16 x, float16 scale, float16 shift)
{
    if (!MAP) return x;
    x = mad16(x, scale, shift);
    return apply_posts(&args->before, x, x, x);
}

/* A window of one plane. */
INLINE float16 pool_window(const pool_args *args, const __global stored_t *from, int4 rows,
                           int4 columns, float16 scale, float16 shift, const int average)
{
    float16 v = (float16)(average ? 0.0f : -INFINITY);
    for (int sy = rows.x; sy < rows.y; sy += args->dh) {
        for (int sx = columns.x; sx < columns.y; sx += args->dw) {
            const float16 tap =
                pool_tap(args, load_pixel(from, sy * args->iw + sx), scale, shift);
            v = average ? v + tap : (v < tap ? tap : v);
        }
    }
    return average ? v * (1.0f / pool_divisor(args, rows, columns)) : v;
}

__kernel void pool_blocked(const __global stored_t *src, const __global float *scale,
                           const __global float *shift, __global stored_t *dst,
                           const pool_args args)
{
    int begin = (int)get_global_id(0) * args.span;
    int end = min(begin + args.span, args.planes * args.oh * args.chunks);
    for (int u = begin; u < end; u++) {
        int row = u / args.chunks, x0 = (u - row * args.chunks) * args.chunk;
        int x1 = min(x0 + args.chunk, args.ow), plane = row / args.oh, y = row - plane * args.oh;
        int4 rows = window_taps(y, args.sh, args.kh, args.dh, args.pt, args.pb, args.ih);
        const __global stored_t *from = src + plane * args.ih * args.iw * 16;
        const int c = MAP ? plane % ((args.channels + 15) / 16) * 16 : 0;
        const float16 k = MAP ? load_n(scale + c, args.channels - c) : (float16)(1.0f);
        const float16 s = MAP ? load_n(shift + c, args.channels - c) : (float16)(0.0f);
        for (int x = x0; x < x1; x++) {
            int4 columns = window_taps(x, args.sw, args.kw, args.dw, args.pl, args.pr, args.iw);
            const float16 v = args.average
                                  ? pool_window(&args, from, rows, columns, k, s, 1)
                                  : pool_window(&args, from, rows, columns, k, s, 0);
            store_pixel(apply_posts(&args.posts, v, v, v), dst, row * args.ow + x);
        }
    }
}

/* k, s: scale and shift of the plane. */
static float pool_pixel(const pool_args *args, const __global float *from, int4 rows, int x,
                        float k, float s)
{
    int4 columns = window_taps(x, args->sw, args->kw, args->dw, args->pl, args->pr, args->iw);
    float v = args->average ? 0.0f : -INFINITY;
    for (int sy = rows.x; sy < rows.y; sy += args->dh) {
        for (int sx = columns.x; sx < columns.y; sx += args->dw) {
            float tap = from[sy * args->iw + sx];
            if (MAP) tap = pool_tap(args, (float16)(tap), (float16)(k), (float16)(s)).s0;
            v = args->average ? v + tap : fmax(v, tap);
        }
    }
    return args->average ? v / pool_divisor(args, rows, columns) : v;
}

/* A chunk is at most 16 pixels. */
__kernel void pool_plain(const __global float *src, const __global float *scale,
                         const __global float *shift, __global float *dst, const pool_args args)
{
    int begin = (int)get_global_id(0) * args.span;
    int end = min(begin + args.span, args.planes * args.oh * args.chunks);
    for (int u = begin; u < end; u++) {
        int row = u / args.chunks, x0 = (u - row * args.chunks) * args.chunk;
        int lanes = min(args.chunk, args.ow - x0), plane = row / args.oh, y = row - plane * args.oh;
        int4 rows = window_taps(y, args.sh, args.kh, args.dh, args.pt, args.pb, args.ih);
        const __global float *from = src + plane * args.ih * args.iw;
        const float k = MAP ? scale[plane % args.channels] : 1.0f;
        const float s = MAP ? shift[plane % args.channels] : 0.0f;
        float lane[16];
        for (int i = 0; i < 16; i++)
            lane[i] = i < lanes ? pool_pixel(&args, from, rows, x0 + i, k, s) : 0.0f;
        float16 v = vload16(0, lane);
        store_n(apply_posts(&args.posts, v, v, v), dst + row * args.ow + x0, lanes);
    }
}

typedef struct {
    int span, planes, chunk, chunks;
    int ih, iw, oh, ow;
    int linear;
} resize_args;

/* Between a and b; a weight of 0 must not bring in an infinity. `bits` are the weight's. */
static float16 between16(float16 a, float16 b, int bits)
{
    float w = as_float(bits);
    return bits ? a * (1.0f - w) + b * w : a;
}

static float between(float a, float b, int bits)
{
    float w = as_float(bits);
    return bits ? a * (1.0f - w) + b * w : a;
}

/* taps: one entry of four per row of dst, then one per column: x and y are the two source indices,
 * z the bits of the second one's weight (a float). Nearest takes x. */
__kernel void resize_blocked(const __global float *src, const __global int *taps,
                             __global float *dst, const resize_args args)
{
    int begin = (int)get_global_id(0) * args.span;
    int end = min(begin + args.span, args.planes * args.oh * args.chunks);
    for (int u = begin; u < end; u++) {
        int row = u / args.chunks, x0 = (u - row * args.chunks) * args.chunk;
        int x1 = min(x0 + args.chunk, args.ow), plane = row / args.oh, y = row - plane * args.oh;
        int4 ty = vload4(y, taps);
        const __global float *top = src + (plane * args.ih + ty.x) * args.iw * 16;
        const __global float *bottom = src + (plane * args.ih + ty.y) * args.iw * 16;
        for (int x = x0; x < x1; x++) {
            int4 tx = vload4(args.oh + x, taps);
            float16 v = vload16(tx.x, top);
            if (args.linear) {
                float16 low = between16(vload16(tx.x, bottom), vload16(tx.y, bottom), tx.z);
                v = between16(between16(v, vload16(tx.y, top), tx.z), low, ty.z);
            }
            vstore16(v, row * args.ow + x, dst);
        }
    }
}

__kernel void resize_plain(const __global float *src, const __global int *taps, __global float *dst,
                           const resize_args args)
{
    int begin = (int)get_global_id(0) * args.span;
    int end = min(begin + args.span, args.planes * args.oh * args.chunks);
    for (int u = begin; u < end; u++) {
        int row = u / args.chunks, x0 = (u - row * args.chunks) * args.chunk;
        int x1 = min(x0 + args.chunk, args.ow), plane = row / args.oh, y = row - plane * args.oh;
        int4 ty = vload4(y, taps);
        const __global float *top = src + (plane * args.ih + ty.x) * args.iw;
        const __global float *bottom = src + (plane * args.ih + ty.y) * args.iw;
        for (int x = x0; x < x1; x++) {
            int4 tx = vload4(args.oh + x, taps);
            float v = top[tx.x];
            if (args.linear) {
                float low = between(bottom[tx.x], bottom[tx.y], tx.z);
                v = between(between(v, top[tx.y], tx.z), low, ty.z);
            }
            dst[row * args.ow + x] = v;
        }
    }
}
