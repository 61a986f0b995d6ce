/* SPDX-License-Identifier: Apache-2.0
 *
 * What picks or adds up along an axis of float32 tensors, line by line.
 *
 *   a tensor as three dimensions:   [outer][length][inner]   ->   a unit is one outer and inner
 *
 *   topk      the k best of a line stand as a heap in the output itself, the worst of them at the
 *             root, until all elements have been seen; then the heap is sorted
 *   cumsum    sums of all elements up to each, what is lost to rounding carried along (Kahan)
 *   hardmax   1 at the first largest element, 0 elsewhere
 */

typedef struct {
    int span, lines, length, inner;
    int k, smallest;        /* topk */
    int exclusive, reverse; /* cumsum */
} line_args;

/* The line of results; neighbours are `pitch` apart. */
typedef struct {
    __global float *value;
    __global long *index;
    int pitch, smallest;
} heap_args;

static int larger(float a, float b)
{
    return a > b || (isnan(a) && !isnan(b));
}

/* Of equal elements the first is better; a NaN is larger than all numbers. */
static int better(const heap_args *h, float a, long i, float b, long k)
{
    if (h->smallest ? larger(b, a) : larger(a, b)) return 1;
    return i < k && !(h->smallest ? larger(a, b) : larger(b, a));
}

static int better_at(const heap_args *h, int a, int b)
{
    return better(h, h->value[a * h->pitch], h->index[a * h->pitch], h->value[b * h->pitch],
                  h->index[b * h->pitch]);
}

static void swap_at(const heap_args *h, int a, int b)
{
    float value = h->value[a * h->pitch];
    long index = h->index[a * h->pitch];
    h->value[a * h->pitch] = h->value[b * h->pitch];
    h->index[a * h->pitch] = h->index[b * h->pitch];
    h->value[b * h->pitch] = value;
    h->index[b * h->pitch] = index;
}

/* The element at `at` down until both below are better, in a heap of n. */
static void sift(const heap_args *h, int at, int n)
{
    for (int child = 2 * at + 1; child < n; child = 2 * at + 1) {
        if (child + 1 < n && better_at(h, child, child + 1)) child++;
        if (!better_at(h, at, child)) return;
        swap_at(h, at, child);
        at = child;
    }
}

__kernel void topk(const __global float *src, __global float *values, __global long *indices,
                   const line_args args)
{
    int begin = (int)get_global_id(0) * args.span, end = min(begin + args.span, args.lines);
    for (int u = begin; u < end; u++) {
        int outer = u / args.inner, x = u - outer * args.inner;
        const __global float *from = src + outer * args.length * args.inner + x;
        int to = outer * args.k * args.inner + x;
        heap_args h = {values + to, indices + to, args.inner, args.smallest};
        for (int i = 0; i < args.k; i++) {
            h.value[i * args.inner] = from[i * args.inner];
            h.index[i * args.inner] = i;
        }
        for (int i = args.k / 2 - 1; i >= 0; i--) sift(&h, i, args.k);
        for (int i = args.k; i < args.length; i++) {
            float v = from[i * args.inner];
            if (!better(&h, v, i, h.value[0], h.index[0])) continue;
            h.value[0] = v;
            h.index[0] = i;
            sift(&h, 0, args.k);
        }
        for (int n = args.k - 1; n > 0; n--) {
            swap_at(&h, 0, n);
            sift(&h, 0, n);
        }
    }
}

__kernel void cumsum(const __global float *src, __global float *dst, const line_args args)
{
    int begin = (int)get_global_id(0) * args.span, end = min(begin + args.span, args.lines);
    for (int u = begin; u < end; u++) {
        int outer = u / args.inner, base = outer * args.length * args.inner + u - outer * args.inner;
        float sum = 0.0f, lost = 0.0f;
        for (int i = 0; i < args.length; i++) {
            int at = base + (args.reverse ? args.length - 1 - i : i) * args.inner;
            float y = src[at] - lost, t = sum + y;
            dst[at] = args.exclusive ? sum : t;
            lost = (t - sum) - y;
            sum = t;
        }
    }
}

__kernel void hardmax(const __global float *src, __global float *dst, const line_args args)
{
    int begin = (int)get_global_id(0) * args.span, end = min(begin + args.span, args.lines);
    for (int u = begin; u < end; u++) {
        int outer = u / args.inner, base = outer * args.length * args.inner + u - outer * args.inner;
        int best = 0;
        float top = src[base];
        for (int i = 1; i < args.length; i++) {
            float v = src[base + i * args.inner];
            if (v > top) {
                top = v;
                best = i;
            }
        }
        for (int i = 0; i < args.length; i++) dst[base + i * args.inner] = i == best ? 1.0f : 0.0f;
    }
}
