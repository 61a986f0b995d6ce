/* SPDX-License-Identifier: Apache-2.0
 *
 * The transforms of Winograd's minimal filtering (graph/winograd.h has the whole algorithm, its
 * forms and points): of source tiles on their way to V, and of M into results with what follows
 * them.
 */
#ifndef CVK_KERNELS_CPU_WINOGRAD_H
#define CVK_KERNELS_CPU_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>

#include "graph/winograd.h"
#include "kernels/cpu/vec.h"

/* Tiles of one channel block on their way to V. */
typedef struct wino_source {
    const cvk_geom *g;
    cvk_wino_axis y, x;
    int across, down; /* tiles of a row and of a column of the image */
    const void *src;  /* channel block 0 of image 0 */
    bool half;        /* src is float16 */
    ptrdiff_t image;  /* elements between images */
    float *dst;       /* point 0 of the first tile, [tile][CVK_BLOCK] */
    ptrdiff_t point;  /* floats between points of dst */
} wino_source;

/* Tiles [first, first + count) of the batch, all CVK_BLOCK channels. */
void CVK_FN(cvk_wino_source)(const wino_source *job, int first, int count);

/* Result tiles of one vec of channels. */
typedef struct wino_result {
    const cvk_geom *g;
    cvk_wino_axis y, x;
    int across, down;
    const float *src; /* M: point 0 of the first tile, [tile][CVK_VLEN] */
    ptrdiff_t point;  /* floats between points of src */
    const float *bias;
    void *dst;       /* the vec in pixel 0 of image 0; pixels are CVK_BLOCK apart */
    bool half;       /* dst is float16; then there is no residual */
    ptrdiff_t image; /* elements between images of dst */
    bool clamp;      /* min(max(x, lo), hi) */
    float lo, hi;
    const float *res;    /* residual, as dst before a pool, or NULL */
    ptrdiff_t res_image; /* floats between its images */
    bool pooled, is_max; /* 2 x 2 windows, 2 apart; tiles of two axes only */
    int pool_oh, pool_ow;
} wino_result;

void CVK_FN(cvk_wino_result)(const wino_result *job, int first, int count);

#endif
