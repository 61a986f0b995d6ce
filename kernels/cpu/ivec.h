/* SPDX-License-Identifier: Apache-2.0
 *
 * Integers beside vec.h: an ivec holds CVK_VLEN int32 lanes, or as many pairs of int16.
 *
 *   ivec_set1(int32) ivec_load(const int32 *)                               unaligned
 *   ivec_load_8(const uint8_t *, is_signed)      CVK_VLEN bytes, widened
 *   ivec_load_8n(..., n)                         n of them; the other lanes are 0
 *   ivec_store_8n(uint8_t *, a, n)               the low bytes of n lanes
 *   ivec_store_n(int32 *, a, n)
 *   ivec_add ivec_sub (a, b)
 *   ivec_pair(low, high)                         lanes low & 0xffff | high << 16: a pair of int16
 *   ivec_madd(a, b)                              a.low b.low + a.high b.high, exact
 *   ivec_to_vec(a)                               to float, rounded to nearest even
 *   ivec_from_vec(v)                             of whole numbers within int32
 */
#ifndef CVK_KERNELS_CPU_IVEC_H
#define CVK_KERNELS_CPU_IVEC_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "kernels/cpu/vec.h"

#if CVK_VLEN == 16

typedef __m512i ivec;

static inline ivec ivec_set1(int32_t a)
{
    return _mm512_set1_epi32(a);
}
static inline ivec ivec_load(const int32_t *src)
{
    return _mm512_loadu_si512(src);
}
static inline ivec ivec_load_8(const uint8_t *src, bool is_signed)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)src);
    return is_signed ? _mm512_cvtepi8_epi32(bytes) : _mm512_cvtepu8_epi32(bytes);
}
static inline ivec ivec_load_8n(const uint8_t *src, bool is_signed, int n)
{
    __m128i bytes = _mm_maskz_loadu_epi8((__mmask16)((1u << n) - 1), src);
    return is_signed ? _mm512_cvtepi8_epi32(bytes) : _mm512_cvtepu8_epi32(bytes);
}
static inline void ivec_store_8n(uint8_t *dst, ivec a, int n)
{
    _mm_mask_storeu_epi8(dst, (__mmask16)((1u << n) - 1), _mm512_cvtepi32_epi8(a));
}
static inline void ivec_store_n(int32_t *dst, ivec a, int n)
{
    _mm512_mask_storeu_epi32(dst, (__mmask16)((1u << n) - 1), a);
}
static inline ivec ivec_add(ivec a, ivec b)
{
    return _mm512_add_epi32(a, b);
}
static inline ivec ivec_sub(ivec a, ivec b)
{
    return _mm512_sub_epi32(a, b);
}
static inline ivec ivec_pair(ivec low, ivec high)
{
    return _mm512_or_si512(_mm512_and_si512(low, _mm512_set1_epi32(0xffff)),
                           _mm512_slli_epi32(high, 16));
}
static inline ivec ivec_madd(ivec a, ivec b)
{
    return _mm512_madd_epi16(a, b);
}
static inline vec ivec_to_vec(ivec a)
{
    return _mm512_cvtepi32_ps(a);
}
static inline ivec ivec_from_vec(vec a)
{
    return _mm512_cvttps_epi32(a);
}

#elif CVK_VLEN == 8

typedef __m256i ivec;

static inline ivec ivec_set1(int32_t a)
{
    return _mm256_set1_epi32(a);
}
static inline ivec ivec_load(const int32_t *src)
{
    return _mm256_loadu_si256((const __m256i *)src);
}
static inline ivec ivec_load_8(const uint8_t *src, bool is_signed)
{
    __m128i bytes = _mm_loadl_epi64((const __m128i *)src);
    return is_signed ? _mm256_cvtepi8_epi32(bytes) : _mm256_cvtepu8_epi32(bytes);
}
static inline ivec ivec_load_8n(const uint8_t *src, bool is_signed, int n)
{
    uint8_t part[8] = {0};
    if (n == 8) return ivec_load_8(src, is_signed);
    for (int i = 0; i < n; i++) part[i] = src[i];
    return ivec_load_8(part, is_signed);
}
static inline void ivec_store_8n(uint8_t *dst, ivec a, int n)
{
    const __m256i first = _mm256_set1_epi32(0x0c080400);
    __m256i bytes = _mm256_shuffle_epi8(a, first);
    uint32_t half[2] = {(uint32_t)_mm256_extract_epi32(bytes, 0),
                        (uint32_t)_mm256_extract_epi32(bytes, 4)};
    if (n == 8)
        memcpy(dst, half, 8);
    else
        for (int i = 0; i < n; i++) dst[i] = (uint8_t)(half[i / 4] >> 8 * (i % 4));
}
static inline void ivec_store_n(int32_t *dst, ivec a, int n)
{
    _mm256_maskstore_epi32(dst, vec_first_lanes(n), a);
}
static inline ivec ivec_add(ivec a, ivec b)
{
    return _mm256_add_epi32(a, b);
}
static inline ivec ivec_sub(ivec a, ivec b)
{
    return _mm256_sub_epi32(a, b);
}
static inline ivec ivec_pair(ivec low, ivec high)
{
    return _mm256_blend_epi16(low, _mm256_slli_epi32(high, 16), 0xaa);
}
static inline ivec ivec_madd(ivec a, ivec b)
{
    return _mm256_madd_epi16(a, b);
}
static inline vec ivec_to_vec(ivec a)
{
    return _mm256_cvtepi32_ps(a);
}
static inline ivec ivec_from_vec(vec a)
{
    return _mm256_cvttps_epi32(a);
}

#elif CVK_VLEN == 4

typedef int32x4_t ivec;

static inline ivec ivec_set1(int32_t a)
{
    return vdupq_n_s32(a);
}
static inline ivec ivec_load(const int32_t *src)
{
    return vld1q_s32(src);
}
static inline ivec ivec_load_8n(const uint8_t *src, bool is_signed, int n)
{
    uint8_t part[8] = {0};
    for (int i = 0; i < n; i++) part[i] = src[i];
    if (is_signed) return vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u8(vld1_u8(part)))));
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vld1_u8(part)))));
}
static inline ivec ivec_load_8(const uint8_t *src, bool is_signed)
{
    return ivec_load_8n(src, is_signed, 4);
}
static inline void ivec_store_8n(uint8_t *dst, ivec a, int n)
{
    uint8_t bytes[8];
    uint16x4_t words = vmovn_u32(vreinterpretq_u32_s32(a));
    vst1_u8(bytes, vmovn_u16(vcombine_u16(words, words)));
    for (int i = 0; i < n; i++) dst[i] = bytes[i];
}
static inline void ivec_store_n(int32_t *dst, ivec a, int n)
{
    int32_t lanes[4];
    vst1q_s32(lanes, a);
    for (int i = 0; i < n; i++) dst[i] = lanes[i];
}
static inline ivec ivec_add(ivec a, ivec b)
{
    return vaddq_s32(a, b);
}
static inline ivec ivec_sub(ivec a, ivec b)
{
    return vsubq_s32(a, b);
}
static inline ivec ivec_pair(ivec low, ivec high)
{
    return vbslq_s32(vdupq_n_u32(0xffff), low, vshlq_n_s32(high, 16));
}
static inline ivec ivec_madd(ivec a, ivec b)
{
    int16x8_t x = vreinterpretq_s16_s32(a), y = vreinterpretq_s16_s32(b);
    return vpaddq_s32(vmull_s16(vget_low_s16(x), vget_low_s16(y)), vmull_high_s16(x, y));
}
static inline vec ivec_to_vec(ivec a)
{
    return vcvtq_f32_s32(a);
}
static inline ivec ivec_from_vec(vec a)
{
    return vcvtq_s32_f32(a);
}

#elif CVK_VLEN == 1

typedef int32_t ivec;

static inline ivec ivec_set1(int32_t a)
{
    return a;
}
static inline ivec ivec_load(const int32_t *src)
{
    return *src;
}
static inline ivec ivec_load_8(const uint8_t *src, bool is_signed)
{
    return is_signed ? (int8_t)*src : *src;
}
static inline ivec ivec_load_8n(const uint8_t *src, bool is_signed, int n)
{
    return n > 0 ? ivec_load_8(src, is_signed) : 0;
}
static inline void ivec_store_8n(uint8_t *dst, ivec a, int n)
{
    if (n > 0) *dst = (uint8_t)a;
}
static inline void ivec_store_n(int32_t *dst, ivec a, int n)
{
    if (n > 0) *dst = a;
}
static inline ivec ivec_add(ivec a, ivec b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}
static inline ivec ivec_sub(ivec a, ivec b)
{
    return (int32_t)((uint32_t)a - (uint32_t)b);
}
static inline ivec ivec_pair(ivec low, ivec high)
{
    return (int32_t)(((uint32_t)low & 0xffff) | (uint32_t)high << 16);
}
static inline ivec ivec_madd(ivec a, ivec b)
{
    return (int16_t)a * (int16_t)b + (int16_t)(a >> 16) * (int16_t)(b >> 16);
}
static inline vec ivec_to_vec(ivec a)
{
    return (float)a;
}
static inline ivec ivec_from_vec(vec a)
{
    return (int32_t)a;
}

#else
#error "this instruction-set level has no ivec yet"
#endif

#endif
