/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums, maxima and products over many elements. A float that sums a long row loses digits; so stretches of a
 * few dozen additions per lane are summed in float, and their sums in double.
 */
#ifndef CVK_KERNELS_CPU_SUMS_H
#define CVK_KERNELS_CPU_SUMS_H

#include <math.h>

#include "kernels/cpu/row.h"
#include "kernels/cpu/vec.h"

/* A single float in place of a vec sums all of a stretch: it is shorter. */
enum { SUMS_DEEP = CVK_VLEN == 1 ? 16 : 64, SUMS_WIDE = 4 };

/* DISTANCES from `shift`; SQUARES of them; EXP of them; the others know no shift. */
typedef enum sums_kind {
    SUMS_PLAIN,
    SUMS_DISTANCES,
    SUMS_SQUARES,
    SUMS_ABS,
    SUMS_EXP,
    SUMS_MAX,
    SUMS_MIN,
    SUMS_PRODUCT
} sums_kind;

/* The result of no elements. */
CVK_INLINE float sums_zero(const sums_kind kind)
{
    return kind == SUMS_MAX ? -INFINITY : kind == SUMS_MIN ? INFINITY : kind == SUMS_PRODUCT;
}

/* Of two parts. */
CVK_INLINE double sums_join(const sums_kind kind, double a, double b)
{
    switch (kind) {
    case SUMS_MAX: return b > a ? b : a;
    case SUMS_MIN: return b < a ? b : a;
    case SUMS_PRODUCT: return a * b;
    default: return a + b;
    }
}

CVK_INLINE vec sums_join_vec(const sums_kind kind, vec a, vec b)
{
    switch (kind) {
    case SUMS_MAX: return vec_max(a, b);
    case SUMS_MIN: return vec_min(a, b);
    default: return vec_add(a, b);
    }
}

/* What one element adds. */
CVK_INLINE double sums_part(const sums_kind kind, float x, float shift)
{
    switch (kind) {
    case SUMS_SQUARES: return (double)(x - shift) * (double)(x - shift);
    case SUMS_DISTANCES: return (double)(x - shift);
    case SUMS_ABS: return fabs((double)x);
    case SUMS_EXP: return exp((double)(x - shift));
    default: return (double)x;
    }
}

CVK_INLINE vec sums_add(const sums_kind kind, vec acc, vec x, vec shift)
{
    vec d = vec_sub(x, shift);
    switch (kind) {
    case SUMS_SQUARES: return vec_fma(d, d, acc);
    case SUMS_DISTANCES: return vec_add(acc, d);
    case SUMS_ABS: return vec_add(acc, vec_abs(x));
    case SUMS_EXP: return vec_add(acc, vec_exp(d));
    default: return sums_join_vec(kind, acc, x);
    }
}

/* One element after the other: the end of a row, and products, which a float would overflow. */
CVK_INLINE double sums_each(const sums_kind kind, const float *src, int64_t n, ptrdiff_t step,
                            float shift)
{
    double total = (double)sums_zero(kind);
    for (int64_t i = 0; i < n; i++)
        total = sums_join(kind, total, sums_part(kind, src[i * step], shift));
    return total;
}

CVK_INLINE vec sums_four(const sums_kind kind, const vec acc[SUMS_WIDE])
{
    return sums_join_vec(kind, sums_join_vec(kind, acc[0], acc[1]),
                         sums_join_vec(kind, acc[2], acc[3]));
}

/* One stretch: at most SUMS_DEEP rounds of SUMS_WIDE vecs. */
CVK_INLINE double sums_stretch(const sums_kind kind, const float *src, int64_t n, float shift)
{
    const vec start = vec_set1(sums_zero(kind)), m = vec_set1(shift);
    vec acc[SUMS_WIDE];
    float part[CVK_VLEN];
    int64_t i = 0;
    if (kind == SUMS_PRODUCT) return sums_each(kind, src, n, 1, shift);
    for (int w = 0; w < SUMS_WIDE; w++) acc[w] = start;
    for (; i + SUMS_WIDE * CVK_VLEN <= n; i += SUMS_WIDE * CVK_VLEN)
        for (int w = 0; w < SUMS_WIDE; w++)
            acc[w] = sums_add(kind, acc[w], vec_load(src + i + w * CVK_VLEN), m);
    for (; i + CVK_VLEN <= n; i += CVK_VLEN) acc[0] = sums_add(kind, acc[0], vec_load(src + i), m);
    double rest = sums_each(kind, src + i, n - i, 1, shift);
    if (kind != SUMS_MIN && kind != SUMS_MAX) return (double)vec_sum(sums_four(kind, acc)) + rest;
    vec_store(part, sums_four(kind, acc));
    for (int l = 0; l < CVK_VLEN; l++) rest = sums_join(kind, rest, (double)part[l]);
    return rest;
}

/* Of n neighbours. */
CVK_INLINE double sums_row(const sums_kind kind, const float *src, int64_t n, float shift)
{
    const int64_t length = (int64_t)SUMS_DEEP * SUMS_WIDE * CVK_VLEN;
    double total = (double)sums_zero(kind);
    for (int64_t i = 0; i < n; i += length)
        total = sums_join(kind, total,
                          sums_stretch(kind, src + i, n - i < length ? n - i : length, shift));
    return total;
}

/* The same lane by lane over n vecs, `step` floats apart; total[CVK_VLEN] goes on from what it
 * holds. */
CVK_INLINE void sums_lanes(const sums_kind kind, const float *src, int64_t n, ptrdiff_t step,
                           vec shift, double *total)
{
    const vec start = vec_set1(sums_zero(kind));
    for (int64_t i = 0; i < n;) {
        int64_t end = n - i < SUMS_DEEP * SUMS_WIDE ? n : i + SUMS_DEEP * SUMS_WIDE;
        vec acc[SUMS_WIDE];
        float part[CVK_VLEN];
        for (int w = 0; w < SUMS_WIDE; w++) acc[w] = start;
        for (; i + SUMS_WIDE <= end; i += SUMS_WIDE)
            for (int w = 0; w < SUMS_WIDE; w++)
                acc[w] = sums_add(kind, acc[w], vec_load(src + (i + w) * step), shift);
        for (; i < end; i++) acc[0] = sums_add(kind, acc[0], vec_load(src + i * step), shift);
        vec_store(part, sums_four(kind, acc));
        for (int l = 0; l < CVK_VLEN; l++) total[l] = sums_join(kind, total[l], (double)part[l]);
    }
}

/* total[CVK_VLEN] before the first sums_lanes. */
CVK_INLINE void sums_start(const sums_kind kind, double *total)
{
    for (int l = 0; l < CVK_VLEN; l++) total[l] = (double)sums_zero(kind);
}

#endif
