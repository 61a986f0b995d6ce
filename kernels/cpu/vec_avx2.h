/* SPDX-License-Identifier: Apache-2.0
 *
 * The vocabulary of vec.h in AVX2 with FMA: 8 floats, 16 registers.
 */
#ifndef CVK_KERNELS_CPU_VEC_AVX2_H
#define CVK_KERNELS_CPU_VEC_AVX2_H

#include <immintrin.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/cpu/unroll.h"

#define CVK_VLEN 8
#define CVK_VPB 2
#define CVK_VREGS 16

/* 12 sums, 2 weights, 1 input broadcast: 15 of 16 registers, and more than the 8 sums that hide the
 * latency of two multiply-adds a cycle. */
#define CVK_TILE_PX 6
#define CVK_TILE_OCV 2
#define CVK_TILE1_PX 6
#define CVK_TILE1_OCV 2

/* Before a loop over the steps of a reduction: twelve sums take six cycles, of which the loop's own
 * instructions would be a part. */
#define CVK_UNROLL_STEPS CVK_UNROLL_4

typedef __m256 vec;
typedef __m256 vmask;
typedef __m256i vindex;

static inline vec vec_zero(void)
{
    return _mm256_setzero_ps();
}
static inline vec vec_set1(float a)
{
    return _mm256_set1_ps(a);
}
static inline vec vec_load(const float *src)
{
    return _mm256_loadu_ps(src);
}
static inline void vec_store(float *dst, vec a)
{
    _mm256_storeu_ps(dst, a);
}

/* All ones in the first n lanes. */
static inline __m256i vec_first_lanes(int n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline vec vec_load_n(const float *src, int n)
{
    return _mm256_maskload_ps(src, vec_first_lanes(n));
}

/* A masked store takes many cycles on some processors: not for a full vec. */
static inline void vec_store_n(float *dst, vec a, int n)
{
    if (n == CVK_VLEN)
        _mm256_storeu_ps(dst, a);
    else
        _mm256_maskstore_ps(dst, vec_first_lanes(n), a);
}

static inline vec vec_load_stride(const float *src, ptrdiff_t stride)
{
    return _mm256_setr_ps(src[0], src[stride], src[2 * stride], src[3 * stride], src[4 * stride],
                          src[5 * stride], src[6 * stride], src[7 * stride]);
}

static inline vec vec_load_even(const float *src)
{
    __m256 pairs = _mm256_shuffle_ps(vec_load(src), vec_load(src + 8), 0x88); /* 0 2 8 a 4 6 c e */
    return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(pairs), 0xd8));
}

static inline vec vec_load_half(const uint16_t *src)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)src));
}

static inline void vec_store_half(uint16_t *dst, vec a)
{
    _mm_storeu_si128((__m128i *)dst,
                     _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

static inline vec vec_add(vec a, vec b)
{
    return _mm256_add_ps(a, b);
}
static inline vec vec_sub(vec a, vec b)
{
    return _mm256_sub_ps(a, b);
}
static inline vec vec_mul(vec a, vec b)
{
    return _mm256_mul_ps(a, b);
}
static inline vec vec_div(vec a, vec b)
{
    return _mm256_div_ps(a, b);
}
static inline vec vec_min(vec a, vec b)
{
    return _mm256_min_ps(a, b);
}
static inline vec vec_max(vec a, vec b)
{
    return _mm256_max_ps(a, b);
}
static inline vec vec_fma(vec a, vec b, vec c)
{
    return _mm256_fmadd_ps(a, b, c);
}
static inline vec vec_sqrt(vec a)
{
    return _mm256_sqrt_ps(a);
}
static inline vec vec_abs(vec a)
{
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a);
}
static inline vec vec_round(vec a)
{
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
static inline vec vec_floor(vec a)
{
    return _mm256_floor_ps(a);
}
static inline vmask vec_lt(vec a, vec b)
{
    return _mm256_cmp_ps(a, b, _CMP_LT_OQ);
}
static inline vec vec_select(vmask mask, vec a, vec b)
{
    return _mm256_blendv_ps(b, a, mask);
}
static inline vindex vec_index(const int32_t *src)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)src);
}
static inline vec vec_pick(vec a, vindex index)
{
    return _mm256_permutevar8x32_ps(a, index);
}

static inline float vec_sum(vec a)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

static inline float vec_hmax(vec a)
{
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}

static inline void vec_prefetch(const void *at)
{
    _mm_prefetch((const char *)at, _MM_HINT_T0);
}

/* 8 x 8: pairs of rows, pairs of pairs, then halves. */
static inline __attribute__((always_inline)) void vec_transpose(vec v[CVK_VLEN])
{
    vec a[8], b[8];
    CVK_UNROLL for (int i = 0; i < 8; i += 2)
    {
        a[i] = _mm256_unpacklo_ps(v[i], v[i + 1]);
        a[i + 1] = _mm256_unpackhi_ps(v[i], v[i + 1]);
    }
    CVK_UNROLL for (int i = 0; i < 8; i += 4)
    {
        b[i] = _mm256_shuffle_ps(a[i], a[i + 2], 0x44);
        b[i + 1] = _mm256_shuffle_ps(a[i], a[i + 2], 0xee);
        b[i + 2] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0x44);
        b[i + 3] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0xee);
    }
    CVK_UNROLL for (int i = 0; i < 4; i++)
    {
        v[i] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x20);
        v[i + 4] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x31);
    }
}

/* In two factors, so that neither leaves the range of normal numbers. */
static inline vec vec_ldexp(vec a, vec n)
{
    __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1);
    __m256i rest = _mm256_sub_epi32(whole, half), bias = _mm256_set1_epi32(127);
    vec p = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23));
    vec q = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23));
    return _mm256_mul_ps(_mm256_mul_ps(a, p), q);
}

static inline vec vec_logb(vec a)
{
    __m256i e = _mm256_srli_epi32(_mm256_castps_si256(a), 23);
    e = _mm256_and_si256(e, _mm256_set1_epi32(255));
    return _mm256_cvtepi32_ps(_mm256_sub_epi32(e, _mm256_set1_epi32(127)));
}

#endif
