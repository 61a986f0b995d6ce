/* SPDX-License-Identifier: Apache-2.0
 *
 * Winograd's transforms along one axis (winograd.h), of vecs in registers: m, side and steps are
 * literals where these are inlined.
 */
#ifndef CVK_KERNELS_CPU_WINOGRAD_AXIS_H
#define CVK_KERNELS_CPU_WINOGRAD_AXIS_H

#include "graph/winograd.h"
#include "kernels/cpu/unroll.h"
#include "kernels/cpu/vec.h"

enum { STRIDED = CVK_WINO_STRIDED };

/* x[n] + sum c[i] x[i], where neighbours of x lie two apart. */
CVK_INLINE vec polynomial(const vec *x, const float *c, const int n)
{
    vec sum = x[2 * n];
    CVK_UNROLL for (int i = 0; i < n; i++) sum = vec_fma(vec_set1(c[i]), x[2 * i], sum);
    return sum;
}

/* B' x with stride 2: F(4, 2) of the even numbers with the points 0, 1, -1, the lone one and
 * infinity, then the odd numbers as they are. */
CVK_INLINE void source_strided(const vec *x, vec *y, const int step)
{
    const vec minus = vec_set1(-CVK_WINO_LONE);
    vec cubic = vec_sub(x[6], x[2]), even = vec_fma(minus, x[4], x[6]),
        odd = vec_fma(minus, x[2], x[4]);
    y[0] = vec_fma(minus, vec_sub(x[4], x[0]), cubic);
    y[step] = vec_add(even, odd);
    y[2 * step] = vec_sub(even, odd);
    y[3 * step] = cubic;
    y[4 * step] = vec_fma(minus, cubic, vec_sub(x[8], x[4]));
    CVK_UNROLL for (int i = 0; i < 4; i++) y[(5 + i) * step] = x[2 * i + 1];
}

/* B' x. A row of B' is the product of x - point over all the other points: of 0 it is the product
 * of x^2 - p^2 over all pairs, of +-p it is x (x +- p) times that over the other pairs, of infinity
 * x times that over all. */
CVK_INLINE void source1(const vec *x, vec *y, const int step, const int side)
{
    if (side == STRIDED) {
        source_strided(x, y, step);
        return;
    }
    const cvk_wino_points *p = cvk_wino_points_of(side);
    const int pairs = side / 2 - 1;
    y[0] = polynomial(x, p->all, pairs);
    CVK_UNROLL for (int i = 0; i < pairs; i++)
    {
        vec even = polynomial(x + 2, p->others[i], pairs - 1);
        vec odd = polynomial(x + 1, p->others[i], pairs - 1);
        if (p->point[i] != 1) odd = vec_mul(vec_set1(p->point[i]), odd);
        y[(2 * i + 1) * step] = vec_add(even, odd);
        y[(2 * i + 2) * step] = vec_sub(even, odd);
    }
    y[(side - 1) * step] = polynomial(x + 1, p->all, pairs);
}

CVK_INLINE float power_of(float point, const int exponent)
{
    float power = 1;
    CVK_UNROLL for (int i = 0; i < exponent; i++) power *= point;
    return power;
}

/* A' x with stride 2, of the even numbers' points and the odd ones' products. */
CVK_INLINE void result_strided(const vec *x, vec *y, const int step)
{
    vec sum = vec_add(x[1], x[2]), difference = vec_sub(x[1], x[2]);
    vec half = vec_mul(vec_set1(CVK_WINO_LONE), x[3]);
    y[0] = vec_add(vec_add(x[0], x[5]), vec_add(sum, x[3]));
    y[step] = vec_add(vec_add(difference, x[6]), half);
    y[2 * step] = vec_fma(vec_set1(CVK_WINO_LONE), half, vec_add(sum, x[7]));
    y[3 * step] = vec_fma(vec_set1(CVK_WINO_LONE * CVK_WINO_LONE), half,
                          vec_add(vec_add(difference, x[4]), x[8]));
}

/* A' x: row i of A' is point^i; 0 gives to the first only and infinity to the last. */
CVK_INLINE void result1(const vec *x, vec *y, const int step, const int m, const int side)
{
    if (side == STRIDED) {
        result_strided(x, y, step);
        return;
    }
    const cvk_wino_points *p = cvk_wino_points_of(side);
    const int pairs = side / 2 - 1;
    vec term[2][CVK_WINO_PAIRS]; /* of even powers, of odd powers */
    CVK_UNROLL for (int k = 0; k < pairs; k++)
    {
        term[0][k] = vec_add(x[2 * k + 1], x[2 * k + 2]);
        term[1][k] = vec_sub(x[2 * k + 1], x[2 * k + 2]);
    }
    CVK_UNROLL for (int i = 0; i < m; i++)
    {
        const bool inner = i > 0 && i < m - 1;
        vec sum = i == 0       ? x[0]
                  : i == m - 1 ? x[side - 1]
                               : vec_mul(vec_set1(power_of(p->point[0], i)), term[i % 2][0]);
        CVK_UNROLL for (int k = inner; k < pairs; k++)
        {
            const float power = power_of(p->point[k], i);
            sum = power == 1 ? vec_add(sum, term[i % 2][k])
                             : vec_fma(vec_set1(power), term[i % 2][k], sum);
        }
        y[i * step] = sum;
    }
}

#endif
