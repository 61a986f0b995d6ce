/* SPDX-License-Identifier: Apache-2.0
 *
 * What a device can do at most: multiply-adds in registers, and bytes read from memory.
 *
 *   peak      an item keeps CHAINS independent float16 and does x = x a + b to each, `steps` times
 *   read_all  src [ item 0 ....... | item 1 ....... | ... ]   step 1: each item reads its own run
 *             src [ 0 1 2 .. 0 1 2 .. 0 1 2 .. ]              span 1: items read side by side
 *   fill      src[i] = 1, in float16
 *
 *   CHAINS  independent accumulators of an item (measure.c counts them: 16)
 */
#ifndef CHAINS
#define CHAINS 16
#endif

__kernel void peak(__global float16 *dst, int steps)
{
    float16 x[CHAINS];
    const float16 a = (float16)(0.9999f), b = (float16)(1e-4f);
    const int item = (int)get_global_id(0);
#pragma unroll
    for (int i = 0; i < CHAINS; i++) x[i] = (float16)((float)(item + i));
    for (int s = 0; s < steps; s++) {
#pragma unroll
        for (int i = 0; i < CHAINS; i++) x[i] = mad16(x[i], a, b);
    }
    float16 sum = (float16)(0.0f);
#pragma unroll
    for (int i = 0; i < CHAINS; i++) sum += x[i];
    dst[item] = sum;
}

typedef struct {
    int count, span, step; /* in float16: of an item; between items; between an item's own */
} read_args;

__kernel void read_all(__global const float16 *src, __global float16 *dst, const read_args args)
{
    const int item = (int)get_global_id(0);
    __global const float16 *p = src + (size_t)item * args.span;
    float16 a = (float16)(0.0f), b = a, c = a, d = a;
    int i = 0;
    for (; i + 4 <= args.count; i += 4, p += (size_t)4 * args.step) {
        a += p[0];
        b += p[args.step];
        c += p[2 * (size_t)args.step];
        d += p[3 * (size_t)args.step];
    }
    for (; i < args.count; i++, p += args.step) a += *p;
    dst[item] = (a + b) + (c + d);
}

__kernel void fill(__global float16 *src)
{
    src[get_global_id(0)] = (float16)(1.0f);
}
