/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the windows of a pool lie in its input, one axis at a time: a table made in prepare, so that
 * padding, ceil_mode and dilation are settled before the first run.
 */
#ifndef CVK_KERNELS_CPU_SPAN_H
#define CVK_KERNELS_CPU_SPAN_H

#include "graph/geom.h"
#include "kernels/cpu/row.h"

typedef struct span {
    int first;   /* index in the input */
    int taps;    /* inside the input */
    int divisor; /* of an average: taps that count */
} span;

/* How many of the window's taps, which begin at `start`, lie below `end`. */
static inline int span_taps_below(const cvk_axis_geom *a, int start, int end)
{
    const int count = end > start ? (end - start + a->dilation - 1) / a->dilation : 0;
    return count < a->kernel ? count : a->kernel;
}

/* Of the window at output position o; include: taps in the padding count in an average. */
static inline span span_at(const cvk_axis_geom *a, int o, bool include)
{
    const int start = o * a->stride - a->pad_begin,
              skip = start < 0 ? (-start + a->dilation - 1) / a->dilation : 0;
    const int inside = span_taps_below(a, start, a->in);
    span s = {.first = start + skip * a->dilation, .taps = inside > skip ? inside - skip : 0};
    s.divisor = include ? span_taps_below(a, start, a->in + a->pad_end) : s.taps;
    return s;
}

/* Of all output positions; NULL: out of memory. */
static inline const span *span_table(cvk_step *step, const cvk_axis_geom *a, bool include)
{
    span *spans = cvk_step_alloc(step, (size_t)a->out * sizeof *spans);
    for (int o = 0; spans && o < a->out; o++) spans[o] = span_at(a, o, include);
    return spans;
}

/* The output positions from *begin to *end are those whose window has all its taps. */
static inline void span_full(const span *spans, const cvk_axis_geom *a, int *begin, int *end)
{
    *begin = 0;
    while (*begin < a->out && spans[*begin].taps < a->kernel) ++*begin;
    *end = *begin;
    while (*end < a->out && spans[*end].taps == a->kernel) ++*end;
}

#endif
