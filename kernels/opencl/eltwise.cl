/* SPDX-License-Identifier: Apache-2.0
 *
 * Element by element: unary, binary with broadcasting, per-channel affine. float32.
 *
 *   rows     r0   [ ....chunk 0.... | ....chunk 1.... | .. ]     a unit is one chunk of one row
 *            r1   [ ................|.................| .. ]     an item does `span` units
 *
 * Plain layout: a row is a run of floats, walked 16 at a time, the tail with fewer lanes.
 * Blocked layout: a row is a run of float16, one per pixel, with the 16 channels of a block.
 *
 *   binary   both operands walk the row with step 1 or 0 (0: the same element again); where rows
 *            begin comes from nested loops with two lists of strides, 0 where an operand repeats.
 *            Operands of a blocked row that have one channel give lane 0 to all lanes
 *   posts    up to four activations and additions of a residual (at the output's place), in order
 */

typedef struct {
    int span, count, act;
    float a, b, c, d;
} unary_args;

/* unit: 16 floats */
__kernel void unary(const __global float *src, __global float *dst, const unary_args args)
{
    int units = (args.count + 15) / 16;
    int begin = (int)get_global_id(0) * args.span, end = min(begin + args.span, units);
    for (int u = begin; u < end; u++) {
        int lanes = min(16, args.count - u * 16);
        float16 x = load_n(src + u * 16, lanes);
        store_n(act16(args.act, args.a, args.b, args.c, args.d, x), dst + u * 16, lanes);
    }
}

typedef struct {
    int span, rows, length, chunk, chunks;
    rows_args walk;
    int step_a, step_b, lane_a, lane_b;
    int kind; /* cvk_binary_kind */
    posts_args posts;
} binary_args;

static float16 binary16(int kind, float16 a, float16 b)
{
    switch (kind) {
    case 0: return a + b;
    case 1: return a - b;
    case 2: return a * b;
    case 3: return a / b;
    case 4: return pow(a, b);
    case 5: return select(b, a, (a < b) | isnan(a));
    case 6: return select(b, a, (a > b) | isnan(a));
    case 7: return select(a, a * b, a < 0.0f);
    }
    return fmod(a, b);
}

/* `lanes` elements from element `at`, or one of them in all lanes */
static float16 operand(const __global float *src, int at, int step, int lanes)
{
    return step ? load_n(src + at, lanes) : (float16)(src[at]);
}

__kernel void binary_plain(const __global float *a, const __global float *b,
                           const __global float *residual, __global float *dst,
                           const binary_args args)
{
    int begin = (int)get_global_id(0) * args.span;
    int end = min(begin + args.span, args.rows * args.chunks);
    for (int u = begin; u < end; u++) {
        int row = u / args.chunks, x0 = (u - row * args.chunks) * args.chunk;
        int x1 = min(x0 + args.chunk, args.length);
        int2 at = row_places(&args.walk, row);
        for (int x = x0; x < x1; x += 16) {
            int lanes = min(16, x1 - x), out = row * args.length + x;
            float16 y = binary16(args.kind, operand(a, at.x + x * args.step_a, args.step_a, lanes),
                                 operand(b, at.y + x * args.step_b, args.step_b, lanes));
            float16 r = args.posts.add ? load_n(residual + out, lanes) : (float16)(0.0f);
            store_n(apply_posts(&args.posts, y, r, r), dst + out, lanes);
        }
    }
}

__kernel void binary_blocked(const __global float *a, const __global float *b,
                             const __global float *residual, __global float *dst,
                             const binary_args args)
{
    int begin = (int)get_global_id(0) * args.span;
    int end = min(begin + args.span, args.rows * args.chunks);
    for (int u = begin; u < end; u++) {
        int row = u / args.chunks, x0 = (u - row * args.chunks) * args.chunk;
        int x1 = min(x0 + args.chunk, args.length);
        int2 at = row_places(&args.walk, row);
        for (int x = x0; x < x1; x++) {
            float16 va = vload16(at.x + x * args.step_a, a);
            float16 vb = vload16(at.y + x * args.step_b, b);
            if (args.lane_a) va = (float16)(va.s0);
            if (args.lane_b) vb = (float16)(vb.s0);
            int out = row * args.length + x;
            float16 r = args.posts.add ? vload16(out, residual) : (float16)(0.0f);
            vstore16(apply_posts(&args.posts, binary16(args.kind, va, vb), r, r), out, dst);
        }
    }
}

typedef struct {
    int span, rows, length, chunk, chunks, channels; /* channels (plain) or blocks per image */
    int c;
    posts_args posts;
} affine_args;

/* row: one channel of one image */
__kernel void affine_plain(const __global float *src, const __global float *scale,
                           const __global float *shift, const __global float *residual,
                           __global float *dst, const affine_args args)
{
    int begin = (int)get_global_id(0) * args.span;
    int end = min(begin + args.span, args.rows * args.chunks);
    for (int u = begin; u < end; u++) {
        int row = u / args.chunks, x0 = (u - row * args.chunks) * args.chunk;
        int x1 = min(x0 + args.chunk, args.length), c = row % args.channels;
        float k = scale[c], s = shift[c];
        for (int x = x0; x < x1; x += 16) {
            int lanes = min(16, x1 - x), at = row * args.length + x;
            float16 r = args.posts.add ? load_n(residual + at, lanes) : (float16)(0.0f);
            float16 y = fma(load_n(src + at, lanes), (float16)(k), (float16)(s));
            store_n(apply_posts(&args.posts, y, r, r), dst + at, lanes);
        }
    }
}

/* row: one block of 16 channels of one image; length counts pixels */
__kernel void affine_blocked(const __global float *src, const __global float *scale,
                             const __global float *shift, const __global float *residual,
                             __global float *dst, const affine_args args)
{
    int begin = (int)get_global_id(0) * args.span;
    int end = min(begin + args.span, args.rows * args.chunks);
    for (int u = begin; u < end; u++) {
        int row = u / args.chunks, x0 = (u - row * args.chunks) * args.chunk;
        int x1 = min(x0 + args.chunk, args.length), c = row % args.channels * 16;
        float16 k = load_n(scale + c, args.c - c), s = load_n(shift + c, args.c - c);
        for (int x = x0; x < x1; x++) {
            int at = row * args.length + x;
            float16 r = args.posts.add ? vload16(at, residual) : (float16)(0.0f);
            float16 y = fma(vload16(at, src), k, s);
            vstore16(apply_posts(&args.posts, y, r, r), at, dst);
        }
    }
}
