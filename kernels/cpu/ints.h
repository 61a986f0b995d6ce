/* SPDX-License-Identifier: Apache-2.0
 *
 * Small sums over ints, for plans.
 */
#ifndef CVK_KERNELS_CPU_INTS_H
#define CVK_KERNELS_CPU_INTS_H

#include <stddef.h>

static inline int divide_up(int a, int b)
{
    return (a + b - 1) / b;
}

static inline size_t round_up(size_t a, size_t b)
{
    return (a + b - 1) / b * b;
}

static inline int min(int a, int b)
{
    return a < b ? a : b;
}

static inline int max(int a, int b)
{
    return a > b ? a : b;
}

#endif
