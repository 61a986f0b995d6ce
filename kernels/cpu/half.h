/* SPDX-License-Identifier: Apache-2.0
 *
 * Elements that are float32 in registers and float32 or float16 in memory; `half` is a literal where
 * these are inlined. `at` counts elements.
 */
#ifndef CVK_KERNELS_CPU_HALF_H
#define CVK_KERNELS_CPU_HALF_H

#include "kernels/cpu/row.h"
#include "kernels/cpu/vec.h"

CVK_INLINE const void *row_at(const void *src, ptrdiff_t at, const bool half)
{
    return half ? (const void *)((const uint16_t *)src + at)
                : (const void *)((const float *)src + at);
}

CVK_INLINE vec row_load(const void *src, ptrdiff_t at, const bool half)
{
    return half ? vec_load_half((const uint16_t *)src + at) : vec_load((const float *)src + at);
}

CVK_INLINE void row_store(void *dst, ptrdiff_t at, vec x, const bool half)
{
    if (half)
        vec_store_half((uint16_t *)dst + at, x);
    else
        vec_store((float *)dst + at, x);
}

CVK_INLINE float row_get(const void *src, ptrdiff_t at, const bool half)
{
    return half ? cvk_f16_to_f32(((const uint16_t *)src)[at]) : ((const float *)src)[at];
}

#endif
