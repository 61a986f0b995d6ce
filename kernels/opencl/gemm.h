/* SPDX-License-Identifier: Apache-2.0
 *
 * What the launchers of gemm.cl share: its arguments, from Gemm and MatMul nodes alike.
 */
#ifndef CVK_KERNELS_OPENCL_GEMM_H
#define CVK_KERNELS_OPENCL_GEMM_H

#include "kernels/opencl/rows.h"
#include "kernels/opencl/tiles.h"

enum { CVK_CL_MAX_BATCH_RANK = CVK_MAX_RANK - 2 };

/* gemm_args of gemm.cl, where the members are explained. */
typedef struct cvk_cl_gemm {
    cl_int m, n, k;
    cl_int am, ak;
    cl_int bk, bn;
    cl_int has_c, cm, cn;
    cl_float alpha, beta;
    cl_int rank, batch[CVK_CL_MAX_BATCH_RANK], step_a[CVK_CL_MAX_BATCH_RANK],
        step_b[CVK_CL_MAX_BATCH_RANK];
    cvk_cl_posts posts;
} cvk_cl_gemm;

/* The products as one: sizes, strides, C. For MatMul and QMatMul the batch counts as rows where B has none,
 * else *batch is the number of products. False with a reason if the kernels cannot do it. */
bool cvk_cl_gemm_make(const cvk_node *node, const cvk_view *in, const cvk_view *out,
                      cvk_cl_gemm *args, int *batch, const char **why_not);

/* Types, posts, and what cvk_cl_gemm_make asks; `half`: B may be float16. */
bool cvk_cl_gemm_fits(const cvk_problem *problem, bool half, cvk_cl_gemm *args, int *batch,
                      const char **why_not);

/* The register tile of a variant, 0 the row's own choice; false behind the last. */
typedef bool (*cvk_cl_gemm_tile_fn)(const cvk_caps *caps, const cvk_cl_gemm *args, int variant,
                                    cvk_cl_tile *tile);

/* For products of more than one row; 0 is the class's best. */
bool cvk_cl_gemm_tile(const cvk_caps *caps, const cvk_cl_gemm *args, int variant,
                      cvk_cl_tile *tile);

/* What a row whose tiles `tile_of` knows calls its k-th variant; NULL behind the last. */
const char *cvk_cl_gemm_variant_name(const cvk_problem *problem, int k,
                                     cvk_cl_gemm_tile_fn tile_of);

/* Arguments `first` .. of a stage: C, slope, residual, destination, args. Fills the posts in args.
 */
cvk_status cvk_cl_gemm_bind(cvk_cl_stage *stage, const cvk_step *step, cl_uint first,
                            cvk_cl_gemm *args);

#endif
