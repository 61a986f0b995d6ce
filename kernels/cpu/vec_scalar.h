/* SPDX-License-Identifier: Apache-2.0
 *
 * The vocabulary of vec.h for one float at a time: the level that every processor has, and the
 * plain meaning of each function.
 */
#ifndef CVK_KERNELS_CPU_VEC_SCALAR_H
#define CVK_KERNELS_CPU_VEC_SCALAR_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "graph/shape.h"

#define CVK_VLEN 1
#define CVK_VPB 16
#define CVK_VREGS 64 /* floats: the compiler packs them */

/* Two pixels by one block of output channels: the compiler keeps the sums in vector registers of
 * whatever the base level has. */
#define CVK_TILE_PX 2
#define CVK_TILE_OCV 16
#define CVK_TILE1_PX 2
#define CVK_TILE1_OCV 16

typedef float vec;
typedef int vmask;
typedef int32_t vindex;

static inline vec vec_zero(void) { return 0.0f; }
static inline vec vec_set1(float a) { return a; }
static inline vec vec_load(const float *src) { return *src; }
static inline void vec_store(float *dst, vec a) { *dst = a; }
static inline vec vec_load_n(const float *src, int n) { return n > 0 ? *src : 0.0f; }
static inline void vec_store_n(float *dst, vec a, int n) { if (n > 0) *dst = a; }

static inline vec vec_load_stride(const float *src, ptrdiff_t stride)
{
    (void)stride;
    return *src;
}

static inline vec vec_load_even(const float *src) { return *src; }
static inline vec vec_load_half(const uint16_t *src) { return cvk_f16_to_f32(*src); }
static inline void vec_store_half(uint16_t *dst, vec a) { *dst = cvk_f32_to_f16(a); }

static inline vec vec_add(vec a, vec b) { return a + b; }
static inline vec vec_sub(vec a, vec b) { return a - b; }
static inline vec vec_mul(vec a, vec b) { return a * b; }
static inline vec vec_div(vec a, vec b) { return a / b; }
static inline vec vec_min(vec a, vec b) { return a < b ? a : b; }
static inline vec vec_max(vec a, vec b) { return a > b ? a : b; }
static inline vec vec_fma(vec a, vec b, vec c) { return a * b + c; }
static inline vec vec_sqrt(vec a) { return sqrtf(a); }
static inline vec vec_abs(vec a) { return fabsf(a); }
static inline vec vec_round(vec a) { return rintf(a); }
static inline vec vec_floor(vec a) { return floorf(a); }
static inline vmask vec_lt(vec a, vec b) { return a < b; }
static inline vec vec_select(vmask mask, vec a, vec b) { return mask ? a : b; }
static inline vindex vec_index(const int32_t *src) { return *src; }
static inline vec vec_pick(vec a, vindex index)
{
    (void)index; /* 0 */
    return a;
}
static inline float vec_sum(vec a) { return a; }
static inline float vec_hmax(vec a) { return a; }
static inline void vec_prefetch(const void *at) { __builtin_prefetch(at); }
static inline __attribute__((always_inline)) void vec_transpose(vec v[CVK_VLEN]) { (void)v; }

/* 2^n for n in [-126, 127]. */
static inline float vec_power_of_two(int32_t n)
{
    uint32_t bits = (uint32_t)(n + 127) << 23;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline vec vec_ldexp(vec a, vec n)
{
    int32_t whole = n == n ? (int32_t)n : 0, half = whole / 2;
    return a * vec_power_of_two(half) * vec_power_of_two(whole - half);
}

static inline vec vec_logb(vec a)
{
    uint32_t bits;
    memcpy(&bits, &a, sizeof bits);
    return (float)((int32_t)(bits >> 23 & 255) - 127);
}

#endif
