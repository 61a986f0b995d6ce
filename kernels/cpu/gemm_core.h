/* SPDX-License-Identifier: Apache-2.0
 *
 * Matrix products: out[b] (M, N) = alpha A[b] (M, K) B[b] (K, N) + beta C, then the epilogue. B
 * lies in packed panels, [panel][K][panel width], packed once if constant, else by each worker for
 * its columns; A is read in place where the elements of a row are neighbours and rows do not share
 * cache sets, else packed a block of rows at a time, [tile][K][rows of the tile]. Gemm (gemm.c) and MatMul (matmul.c) state their problem in these terms.
 * A constant B may be float16: half the bytes to read, which is all the time that one row takes. It
 * becomes float32 in the register tile, or, where many tiles read it or no instruction converts, a
 * stretch at a time in scratch (`widen`).
 *
 *   for a matrix, a block of rows            pack A, if need be
 *     for a panel of columns, a stretch of K (its part of the panel stays in L2)
 *       for a tile of rows                   gemm_tile: rows x vecs of sums in registers
 */
#ifndef CVK_KERNELS_CPU_GEMM_CORE_H
#define CVK_KERNELS_CPU_GEMM_CORE_H

#include "backend/kernel.h"
#include "kernels/cpu/vec.h"

enum { GEMM_ROWS = CVK_TILE1_PX, GEMM_VECS = CVK_TILE1_OCV, GEMM_PANEL = GEMM_VECS * CVK_VLEN };

/* Rows of a tile with a float16 B: a full one may leave no register to convert in. */
enum {
    GEMM_HALF_ROWS = GEMM_ROWS * GEMM_VECS + GEMM_VECS + 1 > CVK_VREGS ? GEMM_ROWS - 1 : GEMM_ROWS
};

typedef struct gemm_problem {
    int m, n, k;
    ptrdiff_t a_row, a_col, b_row, b_col; /* strides */
    float alpha, beta;
    int addend;                   /* input with C, -1: none */
    ptrdiff_t c_row, c_col;       /* its strides; c_col is 0 or 1 */
    int batch;                    /* matrices of the output */
    const ptrdiff_t *a_at, *b_at; /* where each one's operands begin; NULL: batch is 1 */
    int matrices;                 /* different ones of B, b_row * k (or b_col * n) apart */
} gemm_problem;

typedef struct gemm_plan {
    gemm_problem p;
    int panels;
    bool half;  /* the packed B is float16 */
    bool widen; /* and goes through scratch */
    int depth;  /* K per stretch */
    int height; /* most rows of a tile */
    bool pack;  /* A is */
    int block;  /* rows of A at a time */
    int batch_parts, row_parts, col_parts;
    size_t panel_elements, a_floats, b_floats, worker_floats;
    const void *packed; /* NULL: B is packed at run time */
} gemm_plan;

/* A register tile; its fields as gemm_tile.c wants them. */
typedef struct gemm_tile {
    int rows, vecs;
    int depth;
    const float *a;          /* (0, 0) of the tile */
    ptrdiff_t a_row, a_step; /* floats between rows, and along K */
    const void *b;           /* [depth][GEMM_PANEL] */
    bool half;               /* b is float16, rows at most GEMM_HALF_ROWS */
    float *dst;              /* (0, 0) of the tile */
    ptrdiff_t dst_row;
    int cols;         /* of the tile: the last vec may have fewer than CVK_VLEN */
    bool first, last; /* stretch of K */
    float alpha, beta;
    const float *c; /* (0, 0) of the tile, or NULL */
    ptrdiff_t c_row, c_col;
    const float *res; /* residual, laid out as dst; or NULL */
    bool clamp;
    float lo, hi;
} gemm_tile;

void CVK_FN(cvk_gemm_tile)(const gemm_tile *tile);

/* Splits the problem and packs B if it is constant (`wgt`, with what its bytes are); the plan
 * becomes the step's state. */
cvk_status CVK_FN(cvk_gemm_prepare)(cvk_device *device, cvk_step *step, const gemm_problem *problem,
                                    const cvk_view *wgt);
cvk_status CVK_FN(cvk_gemm_run)(cvk_device *device, const cvk_step *step, int worker, int workers);

/* Posts that a product's epilogue does: `channels` says whether a slope per column makes sense. */
bool CVK_FN(cvk_gemm_posts_accept)(const cvk_problem *problem, bool channels, const char **why_not);

#endif
