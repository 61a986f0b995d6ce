/* SPDX-License-Identifier: Apache-2.0
 *
 * What sums or compares along a dimension: softmax, LRN, instance normalisation, global pooling
 * (reductions: reduce.cl). float32; sums are made of short partial sums, so that a million elements cost
 * no accuracy.
 *
 *   a tensor as three dimensions:   [outer][length][inner]   ->   one result per outer and inner
 *     inner = 1: 16 elements of the run at once        inner > 1: 16 neighbours along inner at once
 *
 * Blocked layout: 16 channels are 16 lanes, a pixel a float16; lanes beyond C hold anything and
 * stay among themselves, except in LRN, which leaves them out. An item does `span` units of work.
 */

enum { PARTIAL = 64 }; /* vectors in a partial sum */

static float sum_lanes(float16 v)
{
    float8 a = v.lo + v.hi;
    float4 b = a.lo + a.hi;
    return b.x + b.y + (b.z + b.w);
}

static float max_lanes(float16 v)
{
    float8 a = fmax(v.lo, v.hi);
    float4 b = fmax(a.lo, a.hi);
    return fmax(fmax(b.x, b.y), fmax(b.z, b.w));
}

/* The first `count` lanes; 0 in the others, whatever they hold. */
static float16 keep_lanes(float16 v, int count)
{
    const int16 lane = (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return select((float16)(0.0f), v, lane < count);
}

/* Adds `part` to *sum, what was lost to rounding kept in *lost (Kahan). */
static void add_exactly(float16 *sum, float16 *lost, float16 part)
{
    float16 y = part - *lost, t = *sum + y;
    *lost = (t - *sum) - y;
    *sum = t;
}

/* Sum of (x - shift)^power, power 1 or 2, over `count` pixels of 16 lanes, lane by lane. */
static float16 sum_pixels(const __global float *src, int count, float16 shift, int power)
{
    float16 sum = (float16)(0.0f), lost = sum;
    for (int i = 0; i < count; i += PARTIAL) {
        float16 part = (float16)(0.0f);
        for (int k = i; k < min(i + PARTIAL, count); k++) {
            float16 x = vload16(k, src) - shift;
            part += power == 2 ? x * x : x;
        }
        add_exactly(&sum, &lost, part);
    }
    return sum;
}

/* The same over a run of `count` floats, in one number. */
static float sum_run(const __global float *src, int count, float shift, int power)
{
    int whole = count / 16;
    float16 lanes = sum_pixels(src, whole, (float16)(shift), power);
    float rest = 0.0f;
    for (int i = whole * 16; i < count; i++) {
        float x = src[i] - shift;
        rest += power == 2 ? x * x : x;
    }
    return sum_lanes(lanes) + rest;
}

static float max_run(const __global float *src, int count)
{
    float16 v = (float16)(-INFINITY);
    int i = 0;
    for (; i + 16 <= count; i += 16) v = fmax(v, vload16(0, src + i));
    float m = max_lanes(v);
    for (; i < count; i++) m = fmax(m, src[i]);
    return m;
}

typedef struct {
    int span, outer, length, inner, chunks;       /* chunks of 16 along inner */
    int log, step_outer, step_length, step_inner; /* steps: of softmax_lanes */
} softmax_args;

/* inner = 1; unit: one run. exp(x - max) waits in dst for its sum. */
__kernel void softmax_run(const __global float *src, __global float *dst, const softmax_args args)
{
    int begin = (int)get_global_id(0) * args.span, end = min(begin + args.span, args.outer);
    for (int u = begin; u < end; u++) {
        const __global float *from = src + u * args.length;
        __global float *to = dst + u * args.length;
        float top = max_run(from, args.length);
        float16 sum = (float16)(0.0f), lost = sum;
        for (int i = 0; i < args.length; i += 16) {
            int lanes = min(16, args.length - i);
            float16 e = exp(load_n(from + i, lanes) - top);
            if (!args.log) store_n(e, to + i, lanes);
            add_exactly(&sum, &lost, keep_lanes(e, lanes));
        }
        float total = sum_lanes(sum), down = log(total);
        for (int i = 0; i < args.length; i += 16) {
            int lanes = min(16, args.length - i);
            float16 y =
                args.log ? load_n(from + i, lanes) - top - down : load_n(to + i, lanes) / total;
            store_n(y, to + i, lanes);
        }
    }
}

static float16 load_apart(const __global float *p, int step, int count)
{
    if (step == 1) return load_n(p, count);
    float lane[16];
    for (int i = 0; i < 16; i++) lane[i] = p[min(i, count - 1) * step];
    return vload16(0, lane);
}

static void store_apart(float16 x, __global float *p, int step, int count)
{
    if (step == 1) {
        store_n(x, p, count);
        return;
    }
    float lane[16];
    vstore16(x, 0, lane);
    for (int i = 0; i < count; i++) p[i * step] = lane[i];
}

/* Unit: 16 neighbours along inner; of short runs, 16 of these beside each other. */
__kernel void softmax_lanes(const __global float *src, __global float *dst, const softmax_args args)
{
    int begin = (int)get_global_id(0) * args.span,
        end = min(begin + args.span, args.outer * args.chunks);
    for (int u = begin; u < end; u++) {
        int outer = u / args.chunks, x = (u - outer * args.chunks) * 16,
            lanes = min(16, args.inner - x), begins = outer * args.step_outer + x * args.step_inner;
        const __global float *from = src + begins;
        __global float *to = dst + begins;
        float16 top = (float16)(-INFINITY), sum = (float16)(0.0f), lost = sum;
        for (int i = 0; i < args.length; i++)
            top = fmax(top, load_apart(from + i * args.step_length, args.step_inner, lanes));
        for (int i = 0; i < args.length; i++) {
            int at = i * args.step_length;
            float16 e = exp(load_apart(from + at, args.step_inner, lanes) - top);
            if (!args.log) store_apart(e, to + at, args.step_inner, lanes);
            add_exactly(&sum, &lost, e);
        }
        float16 down = log(sum);
        for (int i = 0; i < args.length; i++) {
            int at = i * args.step_length;
            float16 y = args.log ? load_apart(from + at, args.step_inner, lanes) - top - down
                                 : load_apart(to + at, args.step_inner, lanes) / sum;
            store_apart(y, to + at, args.step_inner, lanes);
        }
    }
}

typedef struct {
    int span, n, c, spatial, chunk, chunks; /* plain: chunks of 16 pixels; blocked: of `chunk` */
    int before, after;                      /* channels of the window on either side */
    float alpha, beta, bias;                /* alpha / size */
} lrn_args;

static float16 lrn_scale(const lrn_args *args, float16 x, float16 squares)
{
    const float16 t = args->bias + args->alpha * squares, root = sqrt(t);
    if (args->beta == 0.75f) return x / (root * sqrt(root)); /* what networks have */
    return x * exp2(-args->beta * log2(t));
}

/* unit: 16 pixels of one channel */
__kernel void lrn_plain(const __global float *src, __global float *dst, const lrn_args args)
{
    int begin = (int)get_global_id(0) * args.span;
    int end = min(begin + args.span, args.n * args.c * args.chunks);
    for (int u = begin; u < end; u++) {
        int row = u / args.chunks, x = (u - row * args.chunks) * 16,
            lanes = min(16, args.spatial - x);
        int n = row / args.c, c = row - n * args.c;
        const __global float *from = src + n * args.c * args.spatial + x;
        float16 squares = (float16)(0.0f);
        for (int k = max(c - args.before, 0); k <= min(c + args.after, args.c - 1); k++) {
            float16 v = load_n(from + k * args.spatial, lanes);
            squares += v * v;
        }
        float16 v = load_n(from + c * args.spatial, lanes);
        store_n(lrn_scale(&args, v, squares), dst + row * args.spatial + x, lanes);
    }
}

/* Squares of a pixel's channels of block `block`, 0 beyond the first and last channel. */
static float16 block_squares(const lrn_args *args, const __global float *pixel, int block)
{
    if (block < 0 || block * 16 >= args->c) return (float16)(0.0f);
    float16 v = keep_lanes(vload16(block * args->spatial, pixel), args->c - block * 16);
    return v * v;
}

/* Three blocks' squares as 48 lanes, moved by one lane at a time past the middle block:
 *   low [ 0 .. 15 ] mid [ 16 .. 31 ] high [ 32 .. 47 ] */
static float16 window_sum(float16 low, float16 mid, float16 high, int before, int after)
{
    float16 sum = mid, at = mid;
    for (int i = 0; i < before; i++) {
        at = (float16)(low.sf, at.s0123, at.s4567, at.s89ab, at.scde);
        low = (float16)(low.s0, low.s0123, low.s4567, low.s89ab, low.scde);
        sum += at;
    }
    at = mid;
    for (int i = 0; i < after; i++) {
        at = (float16)(at.s123, at.s4567, at.s89ab, at.scdef, high.s0);
        high = (float16)(high.s123, high.s4567, high.s89ab, high.scdef, high.sf);
        sum += at;
    }
    return sum;
}

/* unit: a chunk of pixels of one block; the window reaches at most into the neighbour blocks */
__kernel void lrn_blocked(const __global float *src, __global float *dst, const lrn_args args)
{
    int blocks = (args.c + 15) / 16, begin = (int)get_global_id(0) * args.span;
    int end = min(begin + args.span, args.n * blocks * args.chunks);
    for (int u = begin; u < end; u++) {
        int row = u / args.chunks, x0 = (u - row * args.chunks) * args.chunk;
        int x1 = min(x0 + args.chunk, args.spatial), n = row / blocks, block = row - n * blocks;
        for (int x = x0; x < x1; x++) {
            const __global float *pixel = src + (n * blocks * args.spatial + x) * 16;
            float16 squares = window_sum(
                block_squares(&args, pixel, block - 1), block_squares(&args, pixel, block),
                block_squares(&args, pixel, block + 1), args.before, args.after);
            float16 v = vload16(block * args.spatial, pixel);
            vstore16(lrn_scale(&args, v, squares), row * args.spatial + x, dst);
        }
    }
}

typedef struct {
    int span, n, c, spatial;
    float epsilon;
    posts_args posts; /* activations only */
} instance_args;

/* unit: one channel of one image */
__kernel void instance_plain(const __global float *src, const __global float *scale,
                             const __global float *shift, __global float *dst,
                             const instance_args args)
{
    int begin = (int)get_global_id(0) * args.span, end = min(begin + args.span, args.n * args.c);
    for (int u = begin; u < end; u++) {
        int c = u % args.c, at = u * args.spatial;
        float mean = sum_run(src + at, args.spatial, 0.0f, 1) / args.spatial;
        float variance = sum_run(src + at, args.spatial, mean, 2) / args.spatial;
        float k = scale[c] / sqrt(variance + args.epsilon), s = shift[c];
        for (int x = 0; x < args.spatial; x += 16) {
            int lanes = min(16, args.spatial - x);
            float16 y = (load_n(src + at + x, lanes) - mean) * k + s;
            store_n(apply_posts(&args.posts, y, y, y), dst + at + x, lanes);
        }
    }
}

/* unit: one block of channels of one image */
__kernel void instance_blocked(const __global float *src, const __global float *scale,
                               const __global float *shift, __global float *dst,
                               const instance_args args)
{
    int blocks = (args.c + 15) / 16, begin = (int)get_global_id(0) * args.span;
    int end = min(begin + args.span, args.n * blocks);
    for (int u = begin; u < end; u++) {
        int c = u % blocks * 16;
        const __global float *from = src + u * args.spatial * 16;
        __global float *to = dst + u * args.spatial * 16;
        float16 mean = sum_pixels(from, args.spatial, (float16)(0.0f), 1) / args.spatial;
        float16 variance = sum_pixels(from, args.spatial, mean, 2) / args.spatial;
        float16 k = load_n(scale + c, args.c - c) / sqrt(variance + args.epsilon);
        float16 s = load_n(shift + c, args.c - c);
        for (int x = 0; x < args.spatial; x++) {
            float16 y = (vload16(x, from) - mean) * k + s;
            vstore16(apply_posts(&args.posts, y, y, y), x, to);
        }
    }
}

typedef struct {
    int span, rows, length, groups, inner; /* inner: elements per entry of scale and shift */
    int has_scale, has_shift, has_mean, has_deviation;
    float epsilon;
} row_args;

/* 16 elements (or `lanes`) of a row from element i on, as they are entered. */
static float16 entries_of(const __global float *entries, int first, int i, int inner, int lanes)
{
    float lane[16];
    if (inner == 1) return load_n(entries + first + i, lanes);
    for (int l = 0; l < 16; l++) lane[l] = entries[first + min(i + l, i + lanes - 1) / inner];
    return vload16(0, lane);
}

/* unit: one row. means, deviations: one per row, if wanted; the latter inverse. */
__kernel void row_normalization(const __global float *src, const __global float *scale,
                                const __global float *shift, __global float *dst,
                                __global float *means, __global float *deviations,
                                const row_args args)
{
    int begin = (int)get_global_id(0) * args.span, end = min(begin + args.span, args.rows);
    for (int u = begin; u < end; u++) {
        int first = u % args.groups * (args.length / args.inner), at = u * args.length;
        float mean = sum_run(src + at, args.length, 0.0f, 1) / args.length;
        float lost = sum_run(src + at, args.length, mean, 1) / args.length;
        float variance = sum_run(src + at, args.length, mean, 2) / args.length - lost * lost;
        float k = 1.0f / sqrt(max(variance, 0.0f) + args.epsilon);
        for (int x = 0; x < args.length; x += 16) {
            int lanes = min(16, args.length - x);
            float16 y = (load_n(src + at + x, lanes) - mean - lost) * k;
            if (args.has_scale) y *= entries_of(scale, first, x, args.inner, lanes);
            if (args.has_shift) y += entries_of(shift, first, x, args.inner, lanes);
            store_n(y, dst + at + x, lanes);
        }
        if (args.has_mean) means[u] = mean + lost;
        if (args.has_deviation) deviations[u] = k;
    }
}

typedef struct {
    int span, planes, spatial, average;
} global_pool_args;

/* unit: one channel of one image */
__kernel void global_pool_plain(const __global float *src, __global float *dst,
                                const global_pool_args args)
{
    int begin = (int)get_global_id(0) * args.span, end = min(begin + args.span, args.planes);
    for (int u = begin; u < end; u++) {
        const __global float *from = src + u * args.spatial;
        dst[u] = args.average ? sum_run(from, args.spatial, 0.0f, 1) / args.spatial
                              : max_run(from, args.spatial);
    }
}

/* unit: one block of channels of one image */
__kernel void global_pool_blocked(const __global float *src, __global float *dst,
                                  const global_pool_args args)
{
    int begin = (int)get_global_id(0) * args.span, end = min(begin + args.span, args.planes);
    for (int u = begin; u < end; u++) {
        const __global float *from = src + u * args.spatial * 16;
        float16 v = (float16)(-INFINITY);
        if (args.average)
            v = sum_pixels(from, args.spatial, (float16)(0.0f), 1) / args.spatial;
        else
            for (int x = 0; x < args.spatial; x++) v = fmax(v, vload16(x, from));
        vstore16(v, u, dst);
    }
}
