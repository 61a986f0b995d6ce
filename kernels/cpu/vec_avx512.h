/* SPDX-License-Identifier: Apache-2.0
 *
 * The vocabulary of vec.h in AVX-512 (F, BW, DQ, VL): 16 floats, 32 registers.
 */
#ifndef CVK_KERNELS_CPU_VEC_AVX512_H
#define CVK_KERNELS_CPU_VEC_AVX512_H

#include <immintrin.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/cpu/unroll.h"

#define CVK_VLEN 16
#define CVK_VPB 1
#define CVK_VREGS 32

/* 28 sums leave registers for the weights; the input comes as a broadcast in the multiply-add. A
 * short reduction (1x1) wants every broadcast used by four of them. */
#define CVK_TILE_PX 14
#define CVK_TILE_OCV 2
#define CVK_TILE1_PX 7
#define CVK_TILE1_OCV 4

typedef __m512 vec;
typedef __mmask16 vmask;
typedef __m512i vindex;

static inline vec vec_zero(void) { return _mm512_setzero_ps(); }
static inline vec vec_set1(float a) { return _mm512_set1_ps(a); }
static inline vec vec_load(const float *src) { return _mm512_loadu_ps(src); }
static inline void vec_store(float *dst, vec a) { _mm512_storeu_ps(dst, a); }

static inline vmask vec_first_lanes(int n)
{
    return (vmask)((1u << n) - 1);
}

static inline vec vec_load_n(const float *src, int n)
{
    return _mm512_maskz_loadu_ps(vec_first_lanes(n), src);
}

static inline void vec_store_n(float *dst, vec a, int n)
{
    _mm512_mask_storeu_ps(dst, vec_first_lanes(n), a);
}

static inline vec vec_load_stride(const float *src, ptrdiff_t stride)
{
    const float *at = src + 8 * stride;
    return _mm512_setr_ps(src[0], src[stride], src[2 * stride], src[3 * stride], src[4 * stride],
                          src[5 * stride], src[6 * stride], src[7 * stride], at[0], at[stride],
                          at[2 * stride], at[3 * stride], at[4 * stride], at[5 * stride],
                          at[6 * stride], at[7 * stride]);
}

static inline vec vec_load_even(const float *src)
{
    const __m512i even =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    return _mm512_permutex2var_ps(vec_load(src), even, vec_load(src + 16));
}

static inline vec vec_load_half(const uint16_t *src)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)src));
}

static inline void vec_store_half(uint16_t *dst, vec a)
{
    _mm256_storeu_si256((__m256i *)dst,
                        _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

static inline vec vec_add(vec a, vec b) { return _mm512_add_ps(a, b); }
static inline vec vec_sub(vec a, vec b) { return _mm512_sub_ps(a, b); }
static inline vec vec_mul(vec a, vec b) { return _mm512_mul_ps(a, b); }
static inline vec vec_div(vec a, vec b) { return _mm512_div_ps(a, b); }
static inline vec vec_min(vec a, vec b) { return _mm512_min_ps(a, b); }
static inline vec vec_max(vec a, vec b) { return _mm512_max_ps(a, b); }
static inline vec vec_fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
static inline vec vec_sqrt(vec a) { return _mm512_sqrt_ps(a); }
static inline vec vec_abs(vec a) { return _mm512_abs_ps(a); }
static inline vec vec_round(vec a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
static inline vec vec_floor(vec a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
static inline vmask vec_lt(vec a, vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
static inline vec vec_select(vmask mask, vec a, vec b) { return _mm512_mask_blend_ps(mask, b, a); }
static inline vindex vec_index(const int32_t *src) { return _mm512_loadu_si512(src); }
static inline vec vec_pick(vec a, vindex index) { return _mm512_permutexvar_ps(index, a); }
/* Of a's lanes those that the low four bits of each lane of `bits` say: vec_math.h has a table of 16
 * powers in one vec. */
#define CVK_PICKS_16 1
static inline vec vec_pick_bits(vec a, vec bits)
{
    return _mm512_permutexvar_ps(_mm512_castps_si512(bits), a);
}
static inline float vec_sum(vec a) { return _mm512_reduce_add_ps(a); }
static inline float vec_hmax(vec a) { return _mm512_reduce_max_ps(a); }
static inline void vec_prefetch(const void *at) { _mm_prefetch((const char *)at, _MM_HINT_T0); }

/* 16 x 16: within quarters as 4 x 4 tiles, then the quarters among themselves, twice. */
static inline __attribute__((always_inline)) void vec_transpose(vec v[CVK_VLEN])
{
    vec a[16], b[16];
    CVK_UNROLL for (int i = 0; i < 16; i += 2) {
        a[i] = _mm512_unpacklo_ps(v[i], v[i + 1]);
        a[i + 1] = _mm512_unpackhi_ps(v[i], v[i + 1]);
    }
    CVK_UNROLL for (int i = 0; i < 16; i += 4) {
        b[i] = _mm512_shuffle_ps(a[i], a[i + 2], 0x44);
        b[i + 1] = _mm512_shuffle_ps(a[i], a[i + 2], 0xee);
        b[i + 2] = _mm512_shuffle_ps(a[i + 1], a[i + 3], 0x44);
        b[i + 3] = _mm512_shuffle_ps(a[i + 1], a[i + 3], 0xee);
    }
    CVK_UNROLL for (int i = 0; i < 4; i++) {
        vec p = _mm512_shuffle_f32x4(b[i], b[i + 4], 0x88);
        vec q = _mm512_shuffle_f32x4(b[i], b[i + 4], 0xdd);
        vec r = _mm512_shuffle_f32x4(b[i + 8], b[i + 12], 0x88);
        vec s = _mm512_shuffle_f32x4(b[i + 8], b[i + 12], 0xdd);
        v[i] = _mm512_shuffle_f32x4(p, r, 0x88);
        v[i + 8] = _mm512_shuffle_f32x4(p, r, 0xdd);
        v[i + 4] = _mm512_shuffle_f32x4(q, s, 0x88);
        v[i + 12] = _mm512_shuffle_f32x4(q, s, 0xdd);
    }
}

static inline vec vec_ldexp(vec a, vec n) { return _mm512_scalef_ps(a, n); }
static inline vec vec_logb(vec a) { return _mm512_getexp_ps(a); }

#endif
