/* SPDX-License-Identifier: Apache-2.0
 *
 * How bottleneck.c goes through expand, depthwise convolution and project in bands of rows that stay
 * in L2. M: the channels between them, in tiles as expand makes them.
 *
 *   for a band of output rows
 *       for a tile of M         expand: its source rows that no earlier band had, into a ring
 *                               depthwise: the band's rows, from the ring into `deep`
 *       for a tile of outputs   project: from `deep`
 *
 * Without expand the depthwise convolution reads the source where it stands; without project its
 * rows are the result. Workers share output rows; the first rows of a worker's ring are another's
 * last.
 */
#ifndef CVK_KERNELS_CPU_BOTTLENECK_PLAN_H
#define CVK_KERNELS_CPU_BOTTLENECK_PLAN_H

#include "kernels/cpu/depthwise_row.h"
#include "kernels/cpu/pointwise.h"

typedef struct bottleneck_plan {
    cvk_geom g; /* of the depthwise convolution */
    bool expands, projects;
    pointwise expand, project;
    int inside_begin, inside_end;
    const float *wgt; /* of the depthwise convolution: depthwise_row.h */
    int blocks;       /* of M */
    int tiles;        /* of M: expand's, or its blocks */
    int parts;        /* of the rows of all images */
    int band;         /* output rows at a time */
    int ring;         /* source rows of the depthwise convolution that are kept; ih: all */
    ptrdiff_t ring_step, deep_step; /* floats between their blocks */
    size_t ring_floats, worker_floats;
} bottleneck_plan;

/* Sizes of everything. False, with a reason, if the rows cannot be in bands, or it would not be
 * faster than the steps that it joins. */
bool CVK_FN(cvk_bottleneck_plan_make)(const cvk_problem *problem, bottleneck_plan *plan,
                                      const char **why_not);

/* Cycles of the busiest worker that the step is thought to take; 0: it is not planned. */
double CVK_FN(cvk_bottleneck_cycles)(const cvk_problem *problem);

/* Vecs [*begin, *end) of a tile of M. */
void CVK_FN(cvk_bottleneck_tile)(const bottleneck_plan *plan, int tile, int *begin, int *end);

/* Source rows [*begin, *end) that output rows [row, row + rows) need. */
void CVK_FN(cvk_bottleneck_rows)(const bottleneck_plan *plan, int row, int rows, int *begin,
                                 int *end);

#endif
