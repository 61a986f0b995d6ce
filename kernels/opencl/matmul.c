/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches the matmul of gemm.cl: Gemm and MatMul of any operands, batches broadcast, nothing
 * packed.
 */
#include <stdio.h>

#include "kernels/opencl/gemm.h"

bool cvk_cl_matmul_accepts(const cvk_problem *problem, const char **why_not)
{
    cvk_cl_gemm args;
    int batch;
    return cvk_cl_gemm_fits(problem, false, &args, &batch, why_not);
}

const char *cvk_cl_matmul_variant(const cvk_problem *problem, int k)
{
    return cvk_cl_gemm_variant_name(problem, k, cvk_cl_gemm_tile);
}

cvk_status cvk_cl_matmul_prepare(cvk_device *device, cvk_step *step)
{
    cvk_cl_gemm args;
    cvk_cl_tile tile;
    cvk_cl_stage *stage;
    const char *why = "";
    char defines[64];
    int batch;
    if (!cvk_cl_gemm_make(step->node, step->in, step->out, &args, &batch, &why))
        return cvk_fail(CVK_SHAPE, "the product does not fit its kernel: %s", why);
    if (!cvk_cl_gemm_tile(cvk_device_caps(device), &args, step->node->variant, &tile))
        return cvk_fail(CVK_UNSUPPORTED, "product '%s' has no variant %d", step->node->name,
                        step->node->variant);
    snprintf(defines, sizeof defines, "-DMR=%d -DNB=%d", tile.px, tile.ocb);
    CVK_TRY(cvk_cl_stage_add(device, step, "gemm.cl", defines, "matmul", &stage));
    cvk_cl_stage_in(stage, 0, 0);
    cvk_cl_stage_in(stage, 1, 1);
    CVK_TRY(cvk_cl_gemm_bind(stage, step, 2, &args));
    cvk_cl_stage_size(stage, device, (size_t)cvk_cl_ceil_div(args.m, tile.px),
                      (size_t)cvk_cl_ceil_div(args.n, tile.ocb * CVK_BLOCK), (size_t)batch);
    return CVK_OK;
}
