/* SPDX-License-Identifier: Apache-2.0
 *
 * Small sums over ints, for plans.
 */
#ifndef CVK_KERNELS_CPU_INTS_H
#define CVK_KERNELS_CPU_INTS_H

static inline int divide_up(int a, int b)
{
    return (a + b - 1) / b;
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
