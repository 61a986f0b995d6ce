/* SPDX-License-Identifier: Apache-2.0
 *
 * Winograd's minimal filtering F(m x m, 3 x 3): a tile of m x m outputs from side x side inputs,
 * side = m + 2, with side^2 products a channel instead of 9 m^2 (m = 4: a quarter, m = 2: 4 of 9).
 *
 *   source tile d [side][side]   ->  V = B' d B    one number per point, side^2 points
 *   weights     g [3][3]         ->  U = G g G'    when the plan is made
 *   for each point               M[tiles][oc] = V[tiles][ic] U[ic][oc]        (conv_tile.h)
 *   result tile   [m][m]         <-  A' M A, then bias, residual, clamp, a 2 x 2 pool
 *
 * The one-dimensional matrices belong to the points 0, +-p, (+-q,) and infinity: m = 2: p = 1; m =
 * 4: p = 5/8, q = 3/2, all of whose powers that occur are exact in float32, and which loses fewer
 * bits than 1 and 2. Source: S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin and
 * S. Gray, Fast Algorithms for Convolutional Neural Networks, 2016; other points: B. Barabasz et
 * al., Error Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural Networks,
 * 2020.
 */
#ifndef CVK_KERNELS_CPU_WINOGRAD_H
#define CVK_KERNELS_CPU_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>

#include "graph/geom.h"
#include "kernels/cpu/vec.h"

enum {
    WINO_SIDE = 6, /* the largest */
    WINO_POINTS = WINO_SIDE * WINO_SIDE
};

/* Tiles of one channel block on their way to V. */
typedef struct wino_source {
    const cvk_geom *g;
    int m, across, down; /* tiles of a row and of a column of the image */
    const void *src;     /* channel block 0 of image 0 */
    bool half;           /* src is float16 */
    ptrdiff_t image;     /* elements between images */
    float *dst;          /* point 0 of the first tile, [tile][CVK_BLOCK] */
    ptrdiff_t point;     /* floats between points of dst */
} wino_source;

/* Tiles [first, first + count) of the batch, all CVK_BLOCK channels. */
void CVK_FN(cvk_wino_source)(const wino_source *job, int first, int count);

/* Result tiles of one vec of channels. */
typedef struct wino_result {
    const cvk_geom *g;
    int m, across, down;
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
    bool pooled, is_max; /* 2 x 2 windows, 2 apart */
    int pool_oh, pool_ow;
} wino_result;

void CVK_FN(cvk_wino_result)(const wino_result *job, int first, int count);

/* One filter: u[side^2] = G wgt G'. */
void CVK_FN(cvk_wino_weights)(int m, const float wgt[9], float *u);

#endif
