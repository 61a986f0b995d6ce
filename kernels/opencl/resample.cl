/* SPDX-License-Identifier: Apache-2.0
 *
 * Resample: one dimension of a plain tensor, by tables.
 *
 *   src [outer][in][inner]   ->   dst [outer][out][inner]
 *   dst[o][x][i] = sum over k of weight[x][k] src[o][at[x][k]][i];   `fill` where at[x][0] is -1
 *
 * A unit is 16 neighbours: along inner, or along the row of outputs where inner is 1. An item does
 * `span` units.
 */

typedef struct {
    int span, rows, in, out, inner, taps, chunks; /* rows: of chunks of 16 */
    float fill;
} resample_args;

__kernel void resample_lanes(const __global float *src, const __global int *at,
                             const __global float *weight, __global float *dst,
                             const resample_args args)
{
    int begin = (int)get_global_id(0) * args.span;
    int end = min(begin + args.span, args.rows * args.chunks);
    for (int u = begin; u < end; u++) {
        int row = u / args.chunks, i = (u - row * args.chunks) * 16;
        int outer = row / args.out, first = (row - outer * args.out) * args.taps;
        int lanes = min(16, args.inner - i);
        const __global float *from = src + outer * args.in * args.inner + i;
        float16 sum = (float16)(at[first] < 0 ? args.fill : 0.0f);
        for (int k = first; k < first + args.taps && at[first] >= 0; k++)
            if (weight[k] != 0.0f) sum += weight[k] * load_n(from + at[k] * args.inner, lanes);
        store_n(sum, dst + row * args.inner + i, lanes);
    }
}

__kernel void resample_line(const __global float *src, const __global int *at,
                            const __global float *weight, __global float *dst,
                            const resample_args args)
{
    int begin = (int)get_global_id(0) * args.span;
    int end = min(begin + args.span, args.rows * args.chunks);
    for (int u = begin; u < end; u++) {
        int row = u / args.chunks, x0 = (u - row * args.chunks) * 16;
        const __global float *from = src + row * args.in;
        for (int x = x0; x < min(x0 + 16, args.out); x++) {
            int first = x * args.taps;
            float sum = at[first] < 0 ? args.fill : 0.0f;
            for (int k = first; k < first + args.taps && at[first] >= 0; k++)
                if (weight[k] != 0.0f) sum += weight[k] * from[at[k]];
            dst[row * args.out + x] = sum;
        }
    }
}
