/* SPDX-License-Identifier: Apache-2.0
 *
 * Moving elements of any type by their size; `size` is a literal where these are inlined.
 */
#ifndef CVK_KERNELS_CPU_ELEMENT_H
#define CVK_KERNELS_CPU_ELEMENT_H

#include <stdint.h>
#include <string.h>

#include "kernels/cpu/row.h"

CVK_INLINE void element_copy(char *dst, const char *src, const size_t size)
{
    memcpy(dst, src, size);
}

/* n elements into neighbours, from elements `stride` elements apart (0: all the same one). */
CVK_INLINE void element_row(char *dst, const char *src, int64_t stride, int64_t n,
                            const size_t size)
{
    for (int64_t i = 0; i < n; i++)
        element_copy(dst + i * (int64_t)size, src + i * stride * (int64_t)size, size);
}

static inline void element_run(char *dst, const char *src, int64_t stride, int64_t n, size_t size)
{
    if (stride == 1) {
        memcpy(dst, src, (size_t)n * size);
        return;
    }
    switch (size) {
    case 1: element_row(dst, src, stride, n, 1); break;
    case 2: element_row(dst, src, stride, n, 2); break;
    case 4: element_row(dst, src, stride, n, 4); break;
    default: element_row(dst, src, stride, n, 8); break;
    }
}

#endif
