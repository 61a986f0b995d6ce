/* SPDX-License-Identifier: Apache-2.0
 *
 * The vocabulary of vec.h in Advanced SIMD (NEON) of AArch64: 4 floats, 32 registers.
 */
#ifndef CVK_KERNELS_CPU_VEC_NEON_H
#define CVK_KERNELS_CPU_VEC_NEON_H

#include <arm_neon.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#define CVK_VLEN 4
#define CVK_VPB 4
#define CVK_VREGS 32

/* 20 sums, 4 weights, 1 input: 25 of 32 registers; a tile is as wide as a block of channels. */
#define CVK_TILE_PX 5
#define CVK_TILE_OCV 4
#define CVK_TILE1_PX 5
#define CVK_TILE1_OCV 4

typedef float32x4_t vec;
typedef uint32x4_t vmask;
typedef uint8x16_t vindex;

static inline vec vec_zero(void) { return vdupq_n_f32(0.0f); }
static inline vec vec_set1(float a) { return vdupq_n_f32(a); }
static inline vec vec_load(const float *src) { return vld1q_f32(src); }
static inline void vec_store(float *dst, vec a) { vst1q_f32(dst, a); }

static inline vec vec_load_n(const float *src, int n)
{
    float lanes[4] = {0};
    if (n >= 4) return vld1q_f32(src);
    for (int i = 0; i < n; i++) lanes[i] = src[i];
    return vld1q_f32(lanes);
}

static inline void vec_store_n(float *dst, vec a, int n)
{
    float lanes[4];
    if (n >= 4) {
        vst1q_f32(dst, a);
        return;
    }
    vst1q_f32(lanes, a);
    for (int i = 0; i < n; i++) dst[i] = lanes[i];
}

static inline vec vec_load_stride(const float *src, ptrdiff_t stride)
{
    const float lanes[4] = {src[0], src[stride], src[2 * stride], src[3 * stride]};
    return vld1q_f32(lanes);
}

static inline vec vec_load_even(const float *src)
{
    return vld2q_f32(src).val[0];
}

static inline vec vec_load_half(const uint16_t *src)
{
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(src)));
}

static inline void vec_store_half(uint16_t *dst, vec a)
{
    vst1_u16(dst, vreinterpret_u16_f16(vcvt_f16_f32(a)));
}

static inline vec vec_add(vec a, vec b) { return vaddq_f32(a, b); }
static inline vec vec_sub(vec a, vec b) { return vsubq_f32(a, b); }
static inline vec vec_mul(vec a, vec b) { return vmulq_f32(a, b); }
static inline vec vec_div(vec a, vec b) { return vdivq_f32(a, b); }
/* The instructions of that name give NaN if either is, or the other number: neither is vec.h's
 * rule. */
static inline vec vec_min(vec a, vec b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
static inline vec vec_max(vec a, vec b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
static inline vec vec_fma(vec a, vec b, vec c) { return vfmaq_f32(c, a, b); }
static inline vec vec_sqrt(vec a) { return vsqrtq_f32(a); }
static inline vec vec_abs(vec a) { return vabsq_f32(a); }
static inline vec vec_round(vec a) { return vrndnq_f32(a); }
static inline vec vec_floor(vec a) { return vrndmq_f32(a); }
static inline vmask vec_lt(vec a, vec b) { return vcltq_f32(a, b); }
static inline vec vec_select(vmask mask, vec a, vec b) { return vbslq_f32(mask, a, b); }

/* Bytes 4 i, 4 i + 1, 4 i + 2, 4 i + 3 for lane i. */
static inline vindex vec_index(const int32_t *src)
{
    uint32x4_t lanes = vreinterpretq_u32_s32(vld1q_s32(src));
    return vreinterpretq_u8_u32(vmlaq_n_u32(vdupq_n_u32(0x03020100), lanes, 0x04040404));
}
static inline vec vec_pick(vec a, vindex index)
{
    return vreinterpretq_f32_u8(vqtbl1q_u8(vreinterpretq_u8_f32(a), index));
}

static inline float vec_sum(vec a) { return vaddvq_f32(a); }
static inline float vec_hmax(vec a) { return vmaxvq_f32(a); }
static inline void vec_prefetch(const void *at) { __builtin_prefetch(at); }

/* 4 x 4: pairs of rows, then halves. */
static inline __attribute__((always_inline)) void vec_transpose(vec v[CVK_VLEN])
{
    float64x2_t a = vreinterpretq_f64_f32(vtrn1q_f32(v[0], v[1]));
    float64x2_t b = vreinterpretq_f64_f32(vtrn2q_f32(v[0], v[1]));
    float64x2_t c = vreinterpretq_f64_f32(vtrn1q_f32(v[2], v[3]));
    float64x2_t d = vreinterpretq_f64_f32(vtrn2q_f32(v[2], v[3]));
    v[0] = vreinterpretq_f32_f64(vtrn1q_f64(a, c));
    v[1] = vreinterpretq_f32_f64(vtrn1q_f64(b, d));
    v[2] = vreinterpretq_f32_f64(vtrn2q_f64(a, c));
    v[3] = vreinterpretq_f32_f64(vtrn2q_f64(b, d));
}

/* In two factors, so that neither leaves the range of normal numbers. */
static inline vec vec_ldexp(vec a, vec n)
{
    int32x4_t whole = vcvtq_s32_f32(n), half = vshrq_n_s32(whole, 1);
    int32x4_t rest = vsubq_s32(whole, half), bias = vdupq_n_s32(127);
    vec p = vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(half, bias), 23));
    vec q = vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(rest, bias), 23));
    return vmulq_f32(vmulq_f32(a, p), q);
}

static inline vec vec_logb(vec a)
{
    int32x4_t e = vandq_s32(vshrq_n_s32(vreinterpretq_s32_f32(a), 23), vdupq_n_s32(255));
    return vcvtq_f32_s32(vsubq_s32(e, vdupq_n_s32(127)));
}

#endif
