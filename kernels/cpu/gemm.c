/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of Gemm: with a constant B, packed when the plan is made, and with any.
 */
#include <limits.h>

#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/gemm_core.h"

static bool accepts_types(const cvk_problem *problem, bool half, const char **why_not)
{
    const cvk_view *in = problem->in, *out = &problem->out[0];
    if (in[0].dtype != CVK_F32 || (in[1].dtype != CVK_F32 && !(half && in[1].dtype == CVK_F16))) {
        *why_not = "not float32";
        return false;
    }
    for (int d = 0; d < 2; d++) {
        if (in[0].shape.dims[d] > INT_MAX / 16 || in[1].shape.dims[d] > INT_MAX / 16 ||
            out->shape.dims[d] > INT_MAX / 16) {
            *why_not = "too large";
            return false;
        }
    }
    return CVK_FN(cvk_gemm_posts_accept)(problem, true, why_not);
}

static bool accepts_any(const cvk_problem *problem, const char **why_not)
{
    return accepts_types(problem, false, why_not);
}

/* B may be float16. */
static bool accepts_constant(const cvk_problem *problem, const char **why_not)
{
    if (!problem->in[1].data) {
        *why_not = "B is not constant";
        return false;
    }
    return accepts_types(problem, true, why_not);
}

static gemm_problem problem_of(const cvk_step *step)
{
    const cvk_gemm_params *params = step->node->params;
    const int64_t *a = step->in[0].shape.dims, *b = step->in[1].shape.dims;
    gemm_problem p = {.m = (int)a[params->trans_a],
                      .k = (int)a[!params->trans_a],
                      .n = (int)b[!params->trans_b],
                      .a_row = params->trans_a ? 1 : (ptrdiff_t)a[1],
                      .a_col = params->trans_a ? (ptrdiff_t)a[1] : 1,
                      .b_row = params->trans_b ? 1 : (ptrdiff_t)b[1],
                      .b_col = params->trans_b ? (ptrdiff_t)b[1] : 1,
                      .alpha = params->alpha,
                      .beta = params->beta,
                      .addend = -1,
                      .batch = 1,
                      .matrices = 1};
    const cvk_view *c = CVK_FN(cvk_third_input)(step->node, step->in);
    if (c) {
        int64_t strides[CVK_MAX_RANK];
        cvk_shape_broadcast_strides(&c->shape, &step->out[0].shape, strides);
        p.addend = 2;
        p.c_row = (ptrdiff_t)strides[0];
        p.c_col = (ptrdiff_t)strides[1];
    }
    return p;
}

static cvk_status prepare_constant(cvk_device *device, cvk_step *step)
{
    gemm_problem p = problem_of(step);
    return CVK_FN(cvk_gemm_prepare)(device, step, &p, &step->in[1]);
}

static cvk_status prepare_any(cvk_device *device, cvk_step *step)
{
    gemm_problem p = problem_of(step);
    return CVK_FN(cvk_gemm_prepare)(device, step, &p, NULL);
}

const cvk_kernel CVK_FN(cvk_cpu_gemm) = {
    .op = CVK_OP_Gemm,
    .name = "gemm",
    .packs = 1u << 1,
    .accepts = accepts_constant,
    .prepare = prepare_constant,
    .run = CVK_FN(cvk_gemm_run),
};

const cvk_kernel CVK_FN(cvk_cpu_gemm_any) = {
    .op = CVK_OP_Gemm,
    .name = "gemm_any",
    .accepts = accepts_any,
    .prepare = prepare_any,
    .run = CVK_FN(cvk_gemm_run),
};
