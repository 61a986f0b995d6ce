/* SPDX-License-Identifier: Apache-2.0
 *
 * Winograd's minimal filtering: along an axis, m results of `taps` weights from side = m + taps - 1
 * numbers take side products instead of m taps. Over two axes, as here, F(2 x 2, 3 x 3) takes 16
 * products a channel for 36, F(4 x 4, 3 x 3) 36 for 144, F(2 x 2, 5 x 5) 36 for 100; along one,
 * F(4, 3) 6 for 12, F(2, 5) 6 for 10, F(4, 7) 10 for 28. With a stride of 2 the taps 0 and 2 meet
 * only even numbers and tap 1 only odd ones: F(4, 2) of the even ones and four products of the odd
 * ones are 9 for 12, and 81 for 144 over two axes.
 *
 *   source tile d [side][side]   ->  V = B' d B    one number per point, side^2 points
 *   weights     g [taps][taps]   ->  U = G g G'    when the plan is made
 *   for each point               M[tiles][oc] = V[tiles][ic] U[ic][oc]        (conv_tile.h)
 *   result tile   [m][m]         <-  A' M A, then bias, residual, clamp, a 2 x 2 pool
 *
 * The one-dimensional matrices belong to the points 0, +-p, +-q ... and infinity:
 *   side 4: 1    side 6: 5/8, 3/2    side 8: 1/2, 1, 3/2    side 10: 3/8, 3/4, 5/4, 2
 *   stride 2: 1, and 1/2 alone
 * All their powers and products that occur are exact in float32, and they lose fewer bits than small
 * integers: of 192 channels a relative L2 error of 1.1e-6 with F(4 x 4, 3 x 3), 1.2e-6 with
 * F(2 x 2, 5 x 5), 2.6e-6 with F(4, 7), 6.9e-6 with F(6 x 6, 3 x 3) and 6.5e-6 with F(4 x 4, 5 x 5),
 * which are taken only where the caller tolerates that. Source: S. Winograd, Arithmetic Complexity of Computations,
 * 1980; A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural Networks, 2016; other points:
 * B. Barabasz et al., Error Analysis and Improving the Accuracy of Winograd Convolution for Deep
 * Neural Networks, 2020.
 */
#ifndef CVK_KERNELS_CPU_WINOGRAD_H
#define CVK_KERNELS_CPU_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>

#include "graph/geom.h"
#include "kernels/cpu/vec.h"

enum {
    WINO_SIDE = 10,  /* the largest */
    WINO_SQUARE = 9, /* the largest over two axes */
    WINO_POINTS = WINO_SQUARE * WINO_SQUARE,
    WINO_TAPS = 7,
    WINO_RESULTS = 6
};

/* One dimension of a tile. {1, 1, 1, 1}: nothing is transformed along it. */
typedef struct wino_axis {
    int m, taps, stride, side;
} wino_axis;

/* Tiles of one channel block on their way to V. */
typedef struct wino_source {
    const cvk_geom *g;
    wino_axis y, x;
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
    wino_axis y, x;
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

/* G of an axis, [side][taps]. */
typedef struct wino_matrix {
    wino_axis axis;
    double g[WINO_SIDE][WINO_TAPS];
} wino_matrix;

wino_matrix CVK_FN(cvk_wino_matrix)(const wino_axis *axis);

/* One filter: u[y side][x side] from wgt[y taps][x taps]. */
void CVK_FN(cvk_wino_weights)(const wino_matrix *y, const wino_matrix *x, const float *wgt,
                              float *u);

#endif
