/* SPDX-License-Identifier: Apache-2.0
 *
 * Winograd's minimal filtering as numbers, for the kernels of every backend: which tiles there are
 * for a convolution, the points of their transforms, transformed weights, and what a tiling is
 * thought to cost. The transforms of sources and results are the kernels' own.
 *
 * Along an axis, m results of `taps` weights from side = m + taps - 1 numbers take side products
 * instead of m taps. Over two axes F(2 x 2, 3 x 3) takes 16 products a channel for 36, F(4 x 4, 3 x
 * 3) 36 for 144, F(2 x 2, 5 x 5) 36 for 100; along one, F(4, 3) 6 for 12, F(2, 5) 6 for 10, F(4, 7)
 * 10 for 28. With a stride of 2 the taps 0 and 2 meet only even numbers and tap 1 only odd ones:
 * F(4, 2) of the even ones and four products of the odd ones are 9 for 12, and 81 for 144 over two
 * axes.
 *
 *   source tile d [side][side]   ->  V = B' d B    one number per point, side^2 points
 *   weights     g [taps][taps]   ->  U = G g G'    when the plan is made
 *   for each point               M[tiles][oc] = V[tiles][ic] U[ic][oc]
 *   result tile   [m][m]         <-  A' M A
 *
 * The one-dimensional matrices belong to the points 0, +-p, +-q ... and infinity:
 *   side 4: 1    side 6: 5/8, 3/2    side 8: 1/2, 1, 3/2    side 10: 3/8, 3/4, 5/4, 2
 *   stride 2: 1, and 1/2 alone
 * All their powers and products that occur are exact in float32, and they lose fewer bits than
 * small integers: of 192 channels a relative L2 error of 1.1e-6 with F(4 x 4, 3 x 3), 1.2e-6 with
 * F(2 x 2, 5 x 5), 2.6e-6 with F(4, 7), 6.9e-6 with F(6 x 6, 3 x 3) and 6.5e-6 with F(4 x 4, 5 x
 * 5), which are taken only where the caller tolerates that. Source: S. Winograd, Arithmetic
 * Complexity of Computations, 1980; A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural
 * Networks, 2016; other points: B. Barabasz et al., Error Analysis and Improving the Accuracy of
 * Winograd Convolution for Deep Neural Networks, 2020.
 */
#ifndef CVK_GRAPH_WINOGRAD_H
#define CVK_GRAPH_WINOGRAD_H

#include "graph/geom.h"

enum {
    CVK_WINO_SIDE = 10,  /* the largest */
    CVK_WINO_SQUARE = 9, /* the largest over two axes */
    CVK_WINO_POINTS = CVK_WINO_SQUARE * CVK_WINO_SQUARE,
    CVK_WINO_TAPS = 7,
    CVK_WINO_RESULTS = 6,
    CVK_WINO_PAIRS = 4,  /* the most points with a twin */
    CVK_WINO_STRIDED = 9 /* the side of 4 results with stride 2 */
};

/* One dimension of a tile. {1, 1, 1, 1}: nothing is transformed along it. */
typedef struct cvk_wino_axis {
    int m, taps, stride, side;
} cvk_wino_axis;

/* --- points: in a header, so that kernels fold them into their code --- */

/* The points +-point[i] of a side without a stride, of which there are side / 2 - 1, and what
 * follows from them: coefficients below z^n, ascending. */
typedef struct cvk_wino_points {
    float point[CVK_WINO_PAIRS];
    float all[CVK_WINO_PAIRS];                        /* of the product of z - point^2 */
    float others[CVK_WINO_PAIRS][CVK_WINO_PAIRS - 1]; /* without that of the point itself */
} cvk_wino_points;

/* The coefficients below z^n in the product of z - each. */
#define CVK_WINO_PRODUCT1(a)                                                                       \
    {                                                                                              \
        -(a)                                                                                       \
    }
#define CVK_WINO_PRODUCT2(a, b)                                                                    \
    {                                                                                              \
        (a) * (b), -((a) + (b))                                                                    \
    }
#define CVK_WINO_PRODUCT3(a, b, c)                                                                 \
    {                                                                                              \
        -(a) * (b) * (c), (a) * (b) + (a) * (c) + (b) * (c), -((a) + (b) + (c))                    \
    }
#define CVK_WINO_PRODUCT4(a, b, c, d)                                                              \
    {                                                                                              \
        (a) * (b) * (c) * (d),                                                                     \
            -((a) * (b) * (c) + (a) * (b) * (d) + (a) * (c) * (d) + (b) * (c) * (d)),              \
            (a) * (b) + (a) * (c) + (a) * (d) + (b) * (c) + (b) * (d) + (c) * (d),                 \
            -((a) + (b) + (c) + (d))                                                               \
    }
#define CVK_WINO_SQUARED(a) ((a) * (a))

#define CVK_WINO_A4 1.0f
static const cvk_wino_points cvk_wino_points4 = {
    {CVK_WINO_A4}, CVK_WINO_PRODUCT1(CVK_WINO_SQUARED(CVK_WINO_A4)), {{0}}};

#define CVK_WINO_A6 0.625f
#define CVK_WINO_B6 1.5f
static const cvk_wino_points cvk_wino_points6 = {
    {CVK_WINO_A6, CVK_WINO_B6},
    CVK_WINO_PRODUCT2(CVK_WINO_SQUARED(CVK_WINO_A6), CVK_WINO_SQUARED(CVK_WINO_B6)),
    {CVK_WINO_PRODUCT1(CVK_WINO_SQUARED(CVK_WINO_B6)),
     CVK_WINO_PRODUCT1(CVK_WINO_SQUARED(CVK_WINO_A6))}};

#define CVK_WINO_A8 0.5f
#define CVK_WINO_B8 1.0f
#define CVK_WINO_C8 1.5f
static const cvk_wino_points cvk_wino_points8 = {
    {CVK_WINO_A8, CVK_WINO_B8, CVK_WINO_C8},
    CVK_WINO_PRODUCT3(CVK_WINO_SQUARED(CVK_WINO_A8), CVK_WINO_SQUARED(CVK_WINO_B8),
                      CVK_WINO_SQUARED(CVK_WINO_C8)),
    {CVK_WINO_PRODUCT2(CVK_WINO_SQUARED(CVK_WINO_B8), CVK_WINO_SQUARED(CVK_WINO_C8)),
     CVK_WINO_PRODUCT2(CVK_WINO_SQUARED(CVK_WINO_A8), CVK_WINO_SQUARED(CVK_WINO_C8)),
     CVK_WINO_PRODUCT2(CVK_WINO_SQUARED(CVK_WINO_A8), CVK_WINO_SQUARED(CVK_WINO_B8))}};

#define CVK_WINO_A10 0.375f
#define CVK_WINO_B10 0.75f
#define CVK_WINO_C10 1.25f
#define CVK_WINO_D10 2.0f
static const cvk_wino_points cvk_wino_points10 = {
    {CVK_WINO_A10, CVK_WINO_B10, CVK_WINO_C10, CVK_WINO_D10},
    CVK_WINO_PRODUCT4(CVK_WINO_SQUARED(CVK_WINO_A10), CVK_WINO_SQUARED(CVK_WINO_B10),
                      CVK_WINO_SQUARED(CVK_WINO_C10), CVK_WINO_SQUARED(CVK_WINO_D10)),
    {CVK_WINO_PRODUCT3(CVK_WINO_SQUARED(CVK_WINO_B10), CVK_WINO_SQUARED(CVK_WINO_C10),
                       CVK_WINO_SQUARED(CVK_WINO_D10)),
     CVK_WINO_PRODUCT3(CVK_WINO_SQUARED(CVK_WINO_A10), CVK_WINO_SQUARED(CVK_WINO_C10),
                       CVK_WINO_SQUARED(CVK_WINO_D10)),
     CVK_WINO_PRODUCT3(CVK_WINO_SQUARED(CVK_WINO_A10), CVK_WINO_SQUARED(CVK_WINO_B10),
                       CVK_WINO_SQUARED(CVK_WINO_D10)),
     CVK_WINO_PRODUCT3(CVK_WINO_SQUARED(CVK_WINO_A10), CVK_WINO_SQUARED(CVK_WINO_B10),
                       CVK_WINO_SQUARED(CVK_WINO_C10))}};

/* With stride 2: the point without its twin, beside 1. */
#define CVK_WINO_LONE 0.5f

/* For a side without a stride. */
static inline const cvk_wino_points *cvk_wino_points_of(int side)
{
    return side == 4   ? &cvk_wino_points4
           : side == 6 ? &cvk_wino_points6
           : side == 8 ? &cvk_wino_points8
                       : &cvk_wino_points10;
}

/* --- forms --- */

/* How many forms of tiles there are. */
int cvk_wino_forms(void);

/* Form `index` for that convolution, along the axes on which its filter has more than one tap; false
 * if it is none for it, or is one that errs by more than 1e-5 and than the caller's `tolerance`
 * (relative L2). */
bool cvk_wino_form(int index, const cvk_geom *g, double tolerance, cvk_wino_axis *y,
                   cvk_wino_axis *x);

/* Why no form is one for a convolution. */
#define CVK_WINO_NO_FORM                                                                           \
    "not 3 x 3 with stride 1 or 2, nor with stride 1 5 x 5 or of 3, 5 or 7 taps along one axis"

/* Whether a convolution is dense and without dilation; if not, *why_not says so. */
bool cvk_wino_dense(const cvk_geom *g, const char **why_not);

/* Whether tiles hold the pool behind a convolution: 2 x 2 windows, side by side and whole, and tiles
 * of two axes. */
bool cvk_wino_pools(const cvk_geom *g, const cvk_geom *pool, const char **why_not);

/* --- weights --- */

/* G of an axis, [side][taps]. */
typedef struct cvk_wino_matrix {
    cvk_wino_axis axis;
    double g[CVK_WINO_SIDE][CVK_WINO_TAPS];
} cvk_wino_matrix;

void cvk_wino_matrix_make(const cvk_wino_axis *axis, cvk_wino_matrix *matrix);

/* One filter: u[y side][x side] from wgt[y taps][x taps]. */
void cvk_wino_weights(const cvk_wino_matrix *y, const cvk_wino_matrix *x, const float *wgt,
                      float *u);

/* --- cost --- */

/* One core's share of a tiling. Rates are in multiply-adds of a vector: what the transforms take for
 * a vector and point, and a sum beside its products. */
typedef struct cvk_wino_work {
    int points, ic, batches;
    double tiles, slots;     /* picture tiles; with those that only fill registers */
    double sources, results; /* vectors of source and result channels of a pixel */
    int lanes;               /* of a vector */
    double mad_cycles;       /* of a vector */
    double source_rate, result_rate, sum_rate;
} cvk_wino_work;

/* Cycles that it is thought to take. */
double cvk_wino_cycles(const cvk_wino_work *work);

#endif
