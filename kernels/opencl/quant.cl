/* SPDX-License-Identifier: Apache-2.0
 *
 * Operators on 8-bit integers, plain layout: qconv, qmatmul, qbinary, qpool, max pooling of bytes,
 * and what quantises floats by their own range. The arithmetic is that of graph/quant.h bit for bit: no product and sum are contracted,
 * divisions are correctly rounded.
 *
 *   byte ^ flip - zero   a value less its zero point; flip is 128 and zero 128 more for int8, so that
 *                        both types are read as uint8
 *   qconv    src [n][c][ih][iw]     |..oooooooooooooooo..|  16 pixels (lanes) under one tap
 *            wgt, less its zero points, [tile of OCT channels of a group][c][kh][kw][OCT]
 *            dst [n][oc][oh][ow]    an item: 16 neighbouring pixels of OCT channels
 *   qmatmul  an item: 16 columns of MR rows; B as it lies; batches by the strides of their dimensions
 *   qbinary  rows of nested loops over both operands; a unit is one chunk of one row, an item does
 *            `span` units
 *   qpool, pool_bytes   a unit is 16 neighbouring pixels of dst, an item does `span` units
 *
 *   OCT  output channels of an item of qconv      MR  rows of an item of qmatmul
 */
#ifndef OCT
#define OCT 8
#endif
#ifndef MR
#define MR 4
#endif

#pragma OPENCL FP_CONTRACT OFF

typedef struct {
    int flip, zero;
} bytes_args;

/* cvk_quant_range; sums: results stay int32 sums. */
typedef struct {
    int zp, lo, hi, sums;
} range_args;

/* cvk_qbinary_params; each operand's zero is in its bytes, that of a first one that was computed
 * is its zero point. */
typedef struct {
    int mul;
    float a_scale, b_scale, y_scale;
    bytes_args a, b;
    range_args y;
} qbinary_params;

/* What becomes of a sum. */
typedef struct {
    int has_bias, each; /* a multiplier for each channel, else one */
    int add;            /* a residual follows */
    range_args y;
    qbinary_params residual;
} result_args;

#define LANES (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)

INLINE short16 centre(uchar16 v, bytes_args b)
{
    return convert_short16(v ^ (uchar16)((uchar)b.flip)) - (short16)((short)b.zero);
}

/* The first `count` of 16 bytes, `step` apart; the others are 0. */
INLINE uchar16 load_bytes(__global const uchar *p, int step, int count)
{
    uchar lane[16];
    if (step == 0) return (uchar16)(*p);
    if (step == 1 && count >= 16) return vload16(0, p);
    for (int i = 0; i < 16; i++) lane[i] = i < count ? p[i * step] : 0;
    return vload16(0, lane);
}

INLINE void store_bytes(int16 q, __global uchar *p, int count)
{
    const uchar16 v = convert_uchar16(q & 255);
    uchar lane[16];
    if (count >= 16) {
        vstore16(v, 0, p);
        return;
    }
    vstore16(v, 0, lane);
    for (int i = 0; i < count; i++) p[i] = lane[i];
}

INLINE int16 load_ints(__global const int *p, int count)
{
    int lane[16];
    if (count >= 16) return vload16(0, p);
    for (int i = 0; i < 16; i++) lane[i] = i < count ? p[i] : 0;
    return vload16(0, lane);
}

INLINE void store_ints(int16 q, __global int *p, int count)
{
    int lane[16];
    if (count >= 16) {
        vstore16(q, 0, p);
        return;
    }
    vstore16(q, 0, lane);
    for (int i = 0; i < count; i++) p[i] = lane[i];
}

/* Centred elements ix + lane * step of the row of iw that begins at `at` in a tensor of `total`;
 * 0 beyond its ends. Borders are read from the neighbouring rows and blanked, except at the ends of
 * the tensor. */
INLINE short16 row_lanes(__global const uchar *src, int at, int ix, int step, int iw, int total,
                         bytes_args b)
{
    if (step == 1 && ix >= 0 && ix + 16 <= iw) return centre(vload16(0, src + at + ix), b);
    const int16 x = LANES * step + ix;
    uchar16 v;
    if (step <= 2 && at + ix >= 0 && at + ix + 16 * step <= total) {
        __global const uchar *p = src + at + ix;
        v = vload16(0, p);
        if (step == 2) v = (uchar16)(v.even, vload16(1, p).even);
    } else {
        uchar lane[16];
        for (int i = 0; i < 16; i++) {
            const int k = ix + i * step;
            lane[i] = k >= 0 && k < iw ? src[at + k] : 0;
        }
        v = vload16(0, lane);
    }
    return select((short16)(0), centre(v, b), convert_short16(x >= 0 && x < iw));
}

/* cvk_quant_round */
INLINE int16 round_lanes(float16 x, range_args y)
{
    const float16 lo = (float16)((float)(y.lo - y.zp)), hi = (float16)((float)(y.hi - y.zp));
    float16 q = rint(x);
    q = q > lo ? q : lo;
    q = q < hi ? q : hi;
    return convert_int16(q) + y.zp;
}

/* cvk_qbinary, of values less their zero points */
INLINE int16 combine(const qbinary_params *p, int16 a, int16 b)
{
    const float16 x = convert_float16(a) * p->a_scale, z = convert_float16(b) * p->b_scale;
    const float16 r = p->mul ? x * z : x + z;
    return round_lanes(divide16(r, (float16)(p->y_scale)), p->y);
}

/* A sum of 16 neighbours to dst + to, `count` of which exist. */
INLINE void finish(const result_args *r, int16 sum, float16 m, __global const uchar *residual,
                   __global uchar *dst, size_t to, int count)
{
    if (r->y.sums) {
        store_ints(sum, (__global int *)dst + to, count);
        return;
    }
    int16 q = round_lanes(convert_float16(sum) * m, r->y);
    if (r->add) {
        const short16 other = centre(load_bytes(residual + to, 1, count), r->residual.b);
        q = combine(&r->residual, q - r->residual.a.zero, convert_int16(other));
    }
    store_bytes(q, dst + to, count);
}

typedef struct {
    int group_ic, group_oc, ic, oc, ih, iw, oh, ow, kh, kw, sh, sw, dh, dw, pt, pl;
    int total; /* elements of src */
    bytes_args x;
    result_args y;
} qconv_args;

/* Items: strips of 16 of all rows, tiles of output channels, images. */
__kernel void qconv(__global const uchar *src, __global const short *wgt, __global const int *bias,
                    __global const float *m, __global const uchar *residual, __global uchar *dst,
                    const qconv_args args)
{
    const int strips = (args.ow + 15) / 16, n = (int)get_global_id(2);
    const int y = (int)get_global_id(0) / strips, x0 = (int)get_global_id(0) % strips * 16;
    const int tiles = (args.group_oc + OCT - 1) / OCT, t = (int)get_global_id(1);
    const int group = t / tiles, in_group = t % tiles * OCT;
    int16 acc[OCT];
    wgt += (size_t)t * args.group_ic * args.kh * args.kw * OCT;
#pragma unroll
    for (int o = 0; o < OCT; o++) acc[o] = (int16)(0);
    for (int c = 0; c < args.group_ic; c++) {
        const int plane = (n * args.ic + group * args.group_ic + c) * args.ih;
        for (int kh = 0; kh < args.kh; kh++) {
            const int iy = y * args.sh - args.pt + kh * args.dh;
            if (iy < 0 || iy >= args.ih) {
                wgt += args.kw * OCT;
                continue;
            }
            for (int kw = 0; kw < args.kw; kw++, wgt += OCT) {
                const int16 x = convert_int16(
                    row_lanes(src, (plane + iy) * args.iw, x0 * args.sw - args.pl + kw * args.dw,
                              args.sw, args.iw, args.total, args.x));
#pragma unroll
                for (int o = 0; o < OCT; o++) acc[o] += x * (int16)((int)wgt[o]);
            }
        }
    }
#pragma unroll
    for (int o = 0; o < OCT; o++) {
        const int oc = group * args.group_oc + in_group + o;
        if (in_group + o < args.group_oc) {
            const size_t to = (((size_t)n * args.oc + oc) * args.oh + y) * args.ow + x0;
            const int shift = args.y.has_bias ? bias[oc] : 0;
            const float factor = args.y.y.sums ? 1.0f : m[oc];
            finish(&args.y, acc[o] + shift, (float16)(factor), residual, dst, to, args.ow - x0);
        }
    }
}

typedef struct {
    int m, n, k;
    int total, each_zero; /* elements of B; 0: no BZ, 1: one, 2: one for each column */
    int rank, batch[6], step_a[6], step_b[6];
    bytes_args a, b;
    result_args y;
} qmatmul_args;

/* Items: tiles of rows, 16 columns, products of the batch. */
__kernel void qmatmul(__global const uchar *src, __global const uchar *wgt,
                      __global const int *bias, __global const float *m,
                      __global const uchar *residual, __global uchar *dst,
                      __global const int *zeros, const qmatmul_args args)
{
    const int r0 = (int)get_global_id(0) * MR, n0 = (int)get_global_id(1) * 16;
    const int count = args.n - n0, flip = args.a.flip;
    int rest = (int)get_global_id(2), at_a = 0, at_b = 0, rows[MR];
    int16 acc[MR], zero = (int16)(0);
    for (int d = 5; d >= 0; d--) {
        if (d >= args.rank) continue;
        at_a += rest % args.batch[d] * args.step_a[d];
        at_b += rest % args.batch[d] * args.step_b[d];
        rest /= args.batch[d];
    }
    if (args.each_zero) zero = args.each_zero == 1 ? (int16)(zeros[0]) : load_ints(zeros + n0, count);
    const int16 start = args.y.has_bias ? load_ints(bias + n0, count) : (int16)(0);
#pragma unroll
    for (int r = 0; r < MR; r++) {
        rows[r] = at_a + min(r0 + r, args.m - 1) * args.k;
        acc[r] = start;
    }
    for (int k = 0; k < args.k; k++) {
        const short16 b = row_lanes(wgt, at_b + k * args.n, n0, 1, args.n, args.total, args.b);
        const int16 w = convert_int16(b - convert_short16(zero));
#pragma unroll
        for (int r = 0; r < MR; r++)
            acc[r] += w * (int16)((src[rows[r] + k] ^ flip) - args.a.zero);
    }
    float16 factor = (float16)(1.0f);
    if (!args.y.y.sums) factor = args.y.each ? load_n(m + n0, count) : (float16)(m[0]);
#pragma unroll
    for (int r = 0; r < MR; r++) {
        const size_t to = (get_global_id(2) * args.m + r0 + r) * args.n + n0;
        if (r0 + r < args.m) finish(&args.y, acc[r], factor, residual, dst, to, count);
    }
}

typedef struct {
    int span, rows, length, chunk, chunks, step_a, step_b;
    rows_args walk;
    qbinary_params p;
} qbinary_args;

__kernel void qbinary(__global const uchar *a, __global const uchar *b, __global uchar *dst,
                      const qbinary_args args)
{
    const int begin = (int)get_global_id(0) * args.span;
    const int end = min(begin + args.span, args.rows * args.chunks);
    for (int u = begin; u < end; u++) {
        const int row = u / args.chunks, x0 = (u - row * args.chunks) * args.chunk;
        const int x1 = min(x0 + args.chunk, args.length);
        const int2 at = row_places(&args.walk, row);
        for (int x = x0; x < x1; x += 16) {
            const uchar16 va = load_bytes(a + at.x + x * args.step_a, args.step_a, x1 - x);
            const uchar16 vb = load_bytes(b + at.y + x * args.step_b, args.step_b, x1 - x);
            const int16 q = combine(&args.p, convert_int16(centre(va, args.p.a)),
                                    convert_int16(centre(vb, args.p.b)));
            store_bytes(q, dst + row * args.length + x, x1 - x);
        }
    }
}

typedef struct {
    int span, planes, strips;
    int ih, iw, oh, ow, kh, kw, sh, sw, dh, dw, pt, pl, pb, pr;
    int include_pad, total;
    float x_scale, y_scale;
    bytes_args x;
    range_args y;
} qpool_args;

/* What the averages at 16 positions of a row divide by. */
INLINE int16 divisors(const qpool_args *args, int4 rows, int x0)
{
    int lane[16];
    for (int i = 0; i < 16; i++) {
        const int4 columns =
            window_taps(x0 + i, args->sw, args->kw, args->dw, args->pl, args->pr, args->iw);
        lane[i] = max(args->include_pad ? rows.w * columns.w : rows.z * columns.z, 1);
    }
    return vload16(0, lane);
}

/* 16 positions of a row of the output: where they stand, and which rows of the input they see. */
typedef struct {
    int row, plane, x0; /* row: of all planes */
    int4 rows;
} pool_place;

INLINE pool_place place_of(const qpool_args *args, int unit)
{
    pool_place at;
    at.row = unit / args->strips;
    at.x0 = (unit - at.row * args->strips) * 16;
    at.plane = at.row / args->oh;
    at.rows = window_taps(at.row - at.plane * args->oh, args->sh, args->kh, args->dh, args->pt,
                          args->pb, args->ih);
    return at;
}

/* Input row sy under kernel column k, as those positions see it. */
INLINE short16 pool_tap(__global const uchar *src, const qpool_args *args, const pool_place *at,
                        int sy, int k)
{
    return row_lanes(src, (at->plane * args->ih + sy) * args->iw,
                     at->x0 * args->sw - args->pl + k * args->dw, args->sw, args->iw, args->total,
                     args->x);
}

__kernel void qpool(__global const uchar *src, __global uchar *dst, const qpool_args args)
{
    const int begin = (int)get_global_id(0) * args.span;
    const int end = min(begin + args.span, args.planes * args.oh * args.strips);
    for (int u = begin; u < end; u++) {
        const pool_place at = place_of(&args, u);
        int16 sum = (int16)(0);
        for (int sy = at.rows.x; sy < at.rows.y; sy += args.dh)
            for (int k = 0; k < args.kw; k++)
                sum += convert_int16(pool_tap(src, &args, &at, sy, k));
        const float16 whole = convert_float16(divisors(&args, at.rows, at.x0)) * args.y_scale;
        const float16 m = divide16((float16)(args.x_scale), whole);
        const int16 q = round_lanes(convert_float16(sum) * m, args.y);
        store_bytes(q, dst + at.row * args.ow + at.x0, args.ow - at.x0);
    }
}

/* The largest: flipped bytes are ordered, and none is below what padding counts as. */
__kernel void pool_bytes(__global const uchar *src, __global uchar *dst, const qpool_args args)
{
    const int begin = (int)get_global_id(0) * args.span;
    const int end = min(begin + args.span, args.planes * args.oh * args.strips);
    for (int u = begin; u < end; u++) {
        const pool_place at = place_of(&args, u);
        short16 most = (short16)(0);
        for (int sy = at.rows.x; sy < at.rows.y; sy += args.dh)
            for (int k = 0; k < args.kw; k++)
                most = max(most, pool_tap(src, &args, &at, sy, k));
        store_bytes(convert_int16(most) ^ args.x.flip, dst + at.row * args.ow + at.x0, args.ow - at.x0);
    }
}

typedef struct {
    int count, parts, has_scale, has_zero;
} dynamic_args;

/* Items: parts of src; each leaves its least and its largest number, 0 among them. */
__kernel void find_range(__global const float *src, __global float2 *ranges,
                         const dynamic_args args)
{
    const int id = (int)get_global_id(0), units = (args.count + 15) / 16;
    const int share = (units + args.parts - 1) / args.parts * 16;
    const int end = min((id + 1) * share, args.count);
    float16 low = (float16)(0.0f), high = (float16)(0.0f);
    for (int i = id * share; i < end; i += 16) {
        const float16 v = load_n(src + i, end - i);
        low = v < low ? v : low;
        high = v > high ? v : high;
    }
    const float8 low8 = fmin(low.lo, low.hi), high8 = fmax(high.lo, high.hi);
    const float4 low4 = fmin(low8.lo, low8.hi), high4 = fmax(high8.lo, high8.hi);
    const float2 low2 = fmin(low4.lo, low4.hi), high2 = fmax(high4.lo, high4.hi);
    ranges[id] = (float2)(fmin(low2.x, low2.y), fmax(high2.x, high2.y));
}

/* Items: 16 elements. */
__kernel void dynamic_quantize(__global const float *src, __global const float2 *ranges,
                               __global uchar *dst, __global float *scale_out,
                               __global uchar *zero_out, const dynamic_args args)
{
    const int id = (int)get_global_id(0), i = id * 16;
    float2 range = ranges[0];
    for (int k = 1; k < args.parts; k++)
        range = (float2)(fmin(range.x, ranges[k].x), fmax(range.y, ranges[k].y));
    float16 scale = divide16((float16)(range.y - range.x), (float16)(255.0f));
    if (scale.s0 == 0.0f) scale = (float16)(1.0f);
    range_args y = {0, 0, 255, 0};
    y.zp = round_lanes(divide16((float16)(0.0f - range.x), scale), y).s0;
    const float16 x = load_n(src + i, args.count - i);
    store_bytes(round_lanes(divide16(x, scale), y), dst + i, args.count - i);
    if (id == 0 && args.has_scale) *scale_out = scale.s0;
    if (id == 0 && args.has_zero) *zero_out = (uchar)y.zp;
}
