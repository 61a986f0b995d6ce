/* SPDX-License-Identifier: Apache-2.0
 *
 * Pools that spatial.cl does not take, in plain layout: windows of up to three dimensions, p-norms,
 * maxima with their indices, of float32, uint8 and int8; and MaxUnpool.
 *
 *   src [plane][id][ih][iw]   ->   dst [plane][od][oh][ow], and where each maximum was in `places`
 *
 * A unit is a chunk of at most 16 elements of one row of dst, an item does `span` units. Dimensions
 * that a problem lacks have length 1.
 *
 *   T     element type of src and dst
 *   LEAST its lowest value
 */
#ifndef T
#define T float
#define LEAST (-INFINITY)
#endif

enum { MAXIMUM, AVERAGE, LP }; /* cvk_pool_kind */

typedef struct {
    int in, out, taps, stride, dilation, begin, end; /* begin, end: padding */
} axis_args;

typedef struct {
    int span, rows, chunk, chunks; /* rows of dst */
    axis_args d, h, w;
    int kind, include_pad, column_major;
    float power;
    posts_args posts; /* activations only */
} pool_args;

/* The taps of the window at output position o that lie in the input: first, last + 1, how many; and
 * in w how many count in an average. */
static int4 taps_of(const axis_args *a, int o, int include_pad)
{
    int start = o * a->stride - a->begin, end = start + (a->taps - 1) * a->dilation + 1;
    int padded = max((min(end, a->in + a->end) - start + a->dilation - 1) / a->dilation, 0);
    if (start < 0) start += (a->dilation - 1 - start) / a->dilation * a->dilation;
    end = min(end, a->in);
    int count = max((end - start + a->dilation - 1) / a->dilation, 0);
    return (int4)(start, end, count, include_pad ? padded : count);
}

typedef struct {
    float value;
    int place; /* of a maximum, in its volume */
} result;

static float power_of(float x, float p)
{
    return p == 1.0f ? fabs(x) : p == 2.0f ? x * x : pow(fabs(x), p);
}

static result pool(const pool_args *a, const __global T *src, int4 depth, int4 height, int4 width)
{
    result r;
    int first = 1;
    r.value = a->kind == MAXIMUM ? (float)LEAST : 0.0f;
    r.place = 0;
    for (int z = depth.x; z < depth.y; z += a->d.dilation) {
        for (int y = height.x; y < height.y; y += a->h.dilation) {
            for (int x = width.x; x < width.y; x += a->w.dilation) {
                int at = (z * a->h.in + y) * a->w.in + x;
                float tap = (float)src[at];
                if (a->kind == MAXIMUM) {
                    if (!first && !(tap > r.value)) continue;
                    first = 0;
                    r.value = tap;
                    r.place = a->column_major ? (x * a->h.in + y) * a->d.in + z : at;
                } else {
                    r.value += a->kind == LP ? power_of(tap, a->power) : tap;
                }
            }
        }
    }
    if (a->kind == AVERAGE) r.value /= (float)max(depth.w * height.w * width.w, 1);
    if (a->kind == LP && a->power != 1.0f)
        r.value = a->power == 2.0f ? sqrt(r.value) : pow(r.value, 1.0f / a->power);
    return r;
}

/* places: null where indices are not wanted. */
__kernel void pool_any(const __global T *src, __global T *dst, __global long *places,
                       const pool_args args)
{
    int begin = (int)get_global_id(0) * args.span;
    int end = min(begin + args.span, args.rows * args.chunks);
    for (int u = begin; u < end; u++) {
        int row = u / args.chunks, x0 = (u - row * args.chunks) * args.chunk;
        int x1 = min(x0 + args.chunk, args.w.out), plane = row / (args.h.out * args.d.out);
        int4 depth = taps_of(&args.d, row / args.h.out % args.d.out, args.include_pad);
        int4 height = taps_of(&args.h, row % args.h.out, args.include_pad);
        int first = plane * args.d.in * args.h.in * args.w.in;
        for (int x = x0; x < x1; x++) {
            int4 width = taps_of(&args.w, x, args.include_pad);
            result r = pool(&args, src + first, depth, height, width);
            int to = row * args.w.out + x;
            if (args.posts.count) {
                float16 v = (float16)(r.value);
                r.value = apply_posts(&args.posts, v, v, v).s0;
            }
            dst[to] = (T)r.value;
            if (places) places[to] = first + r.place;
        }
    }
}

typedef struct {
    int span, count, fill; /* elements; fill: instead of scattering, put 0 everywhere */
    int same, rank;        /* same: the tensor that the indices count in is dst's */
    int dims[8], strides[8];
    int places;
} unpool_args;

/* A unit is 16 elements: of dst to fill, of src to scatter. */
__kernel void max_unpool(const __global float *src, const __global long *places,
                         __global float *dst, const unpool_args args)
{
    int begin = (int)get_global_id(0) * args.span * 16,
        end = min(begin + args.span * 16, args.count);
    for (int i = begin; i < end; i++) {
        if (args.fill) {
            dst[i] = 0.0f;
            continue;
        }
        if (places[i] < 0 || places[i] >= args.places) continue;
        int place = (int)places[i], at = 0;
        for (int d = 7; d >= 0; d--) {
            if (d >= args.rank) continue;
            at += place % args.dims[d] * args.strides[d];
            place /= args.dims[d];
        }
        dst[args.same ? (int)places[i] : at] = src[i];
    }
}
