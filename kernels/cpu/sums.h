/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums and maxima over many elements. A float that sums a long row loses digits; so stretches of a
 * few dozen additions per lane are summed in float, and their sums in double.
 */
#ifndef CVK_KERNELS_CPU_SUMS_H
#define CVK_KERNELS_CPU_SUMS_H

#include <math.h>

#include "kernels/cpu/row.h"
#include "kernels/cpu/vec.h"

/* A single float in place of a vec sums all of a stretch: it is shorter. */
enum { SUMS_DEEP = CVK_VLEN == 1 ? 16 : 64, SUMS_WIDE = 4 };

typedef enum sums_kind { SUMS_PLAIN, SUMS_SQUARES, SUMS_MAX } sums_kind;

CVK_INLINE vec sums_add(const sums_kind kind, vec acc, vec x, vec mean)
{
    if (kind == SUMS_MAX) return vec_max(acc, x);
    if (kind == SUMS_PLAIN) return vec_add(acc, x);
    vec d = vec_sub(x, mean);
    return vec_fma(d, d, acc);
}

/* One stretch: at most SUMS_DEEP rounds of SUMS_WIDE vecs. */
CVK_INLINE double sums_stretch(const sums_kind kind, const float *src, int64_t n, float mean)
{
    const vec start = kind == SUMS_MAX ? vec_set1(-INFINITY) : vec_zero(), m = vec_set1(mean);
    vec acc[SUMS_WIDE];
    int64_t i = 0;
    for (int w = 0; w < SUMS_WIDE; w++) acc[w] = start;
    for (; i + SUMS_WIDE * CVK_VLEN <= n; i += SUMS_WIDE * CVK_VLEN)
        for (int w = 0; w < SUMS_WIDE; w++)
            acc[w] = sums_add(kind, acc[w], vec_load(src + i + w * CVK_VLEN), m);
    for (; i + CVK_VLEN <= n; i += CVK_VLEN) acc[0] = sums_add(kind, acc[0], vec_load(src + i), m);
    if (kind == SUMS_MAX) {
        float best = vec_hmax(vec_max(vec_max(acc[0], acc[1]), vec_max(acc[2], acc[3])));
        for (; i < n; i++) best = src[i] > best ? src[i] : best;
        return (double)best;
    }
    double sum = (double)vec_sum(vec_add(vec_add(acc[0], acc[1]), vec_add(acc[2], acc[3])));
    for (; i < n; i++)
        sum +=
            kind == SUMS_PLAIN ? (double)src[i] : (double)(src[i] - mean) * (double)(src[i] - mean);
    return sum;
}

/* Of n neighbours: their sum, the sum of their squared distances from `mean`, or their maximum. */
CVK_INLINE double sums_row(const sums_kind kind, const float *src, int64_t n, float mean)
{
    const int64_t length = (int64_t)SUMS_DEEP * SUMS_WIDE * CVK_VLEN;
    double total = kind == SUMS_MAX ? -(double)INFINITY : 0;
    for (int64_t i = 0; i < n; i += length) {
        double part = sums_stretch(kind, src + i, n - i < length ? n - i : length, mean);
        total = kind != SUMS_MAX ? total + part : part > total ? part : total;
    }
    return total;
}

/* The same lane by lane over n vecs, `step` floats apart; total[CVK_VLEN] goes on from what it
 * holds. */
CVK_INLINE void sums_lanes(const sums_kind kind, const float *src, int64_t n, ptrdiff_t step,
                           vec mean, double *total)
{
    const vec start = kind == SUMS_MAX ? vec_set1(-INFINITY) : vec_zero();
    for (int64_t i = 0; i < n;) {
        int64_t end = n - i < SUMS_DEEP * SUMS_WIDE ? n : i + SUMS_DEEP * SUMS_WIDE;
        vec acc[SUMS_WIDE];
        float part[CVK_VLEN];
        for (int w = 0; w < SUMS_WIDE; w++) acc[w] = start;
        for (; i + SUMS_WIDE <= end; i += SUMS_WIDE)
            for (int w = 0; w < SUMS_WIDE; w++)
                acc[w] = sums_add(kind, acc[w], vec_load(src + (i + w) * step), mean);
        for (; i < end; i++) acc[0] = sums_add(kind, acc[0], vec_load(src + i * step), mean);
        vec a = kind == SUMS_MAX ? vec_max(acc[0], acc[1]) : vec_add(acc[0], acc[1]);
        vec b = kind == SUMS_MAX ? vec_max(acc[2], acc[3]) : vec_add(acc[2], acc[3]);
        vec_store(part, kind == SUMS_MAX ? vec_max(a, b) : vec_add(a, b));
        for (int l = 0; l < CVK_VLEN; l++) {
            double x = (double)part[l];
            total[l] = kind != SUMS_MAX ? total[l] + x : x > total[l] ? x : total[l];
        }
    }
}

/* total[CVK_VLEN] before the first sums_lanes. */
CVK_INLINE void sums_start(const sums_kind kind, double *total)
{
    for (int l = 0; l < CVK_VLEN; l++) total[l] = kind == SUMS_MAX ? -(double)INFINITY : 0;
}

#endif
