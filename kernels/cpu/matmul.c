/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of MatMul: numpy's rules (a vector on either side, batches that broadcast), with a constant
 * B, packed when the plan is made, and with any.
 */
#include <limits.h>

#include "kernels/cpu/gemm_core.h"

/* The shape with a vector made a matrix: (K) is (1, K) on the left, (K, 1) on the right. */
static cvk_shape as_matrix(const cvk_shape *shape, bool left)
{
    if (shape->rank > 1) return *shape;
    cvk_shape matrix = {.rank = 2, .dims = {shape->dims[0], shape->dims[0]}};
    matrix.dims[left ? 0 : 1] = 1;
    return matrix;
}

static bool accepts_types(const cvk_problem *problem, bool half, const char **why_not)
{
    const cvk_view *in = problem->in, *out = &problem->out[0];
    if (in[0].dtype != CVK_F32 || (in[1].dtype != CVK_F32 && !(half && in[1].dtype == CVK_F16))) {
        *why_not = "not float32";
        return false;
    }
    if (cvk_view_count(&in[0]) > INT_MAX / 16 || cvk_view_count(&in[1]) > INT_MAX / 16 ||
        cvk_view_count(out) > INT_MAX / 16) {
        *why_not = "too large";
        return false;
    }
    bool matrices = in[0].shape.rank == 2 && in[1].shape.rank == 2;
    return CVK_FN(cvk_gemm_posts_accept)(problem, matrices, why_not);
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

/* Where each matrix of the batch `dims` lies in an operand. */
static const ptrdiff_t *matrix_places(cvk_step *step, const cvk_shape *operand,
                                      const cvk_shape *batch, int count)
{
    ptrdiff_t *at = cvk_step_alloc(step, (size_t)count * sizeof *at);
    if (!at) return NULL;
    cvk_shape outer = *operand;
    int64_t strides[CVK_MAX_RANK] = {0},
            size = cvk_shape_span(operand, operand->rank - 2, operand->rank);
    outer.rank -= 2;
    cvk_shape_broadcast_strides(&outer, batch, strides);
    for (int i = 0; i < count; i++) {
        int64_t rest = i;
        for (int d = batch->rank - 1; d >= 0; d--) {
            at[i] += (ptrdiff_t)(rest % batch->dims[d] * strides[d] * size);
            rest /= batch->dims[d];
        }
    }
    return at;
}

static cvk_status problem_of(cvk_step *step, gemm_problem *p)
{
    cvk_shape a = as_matrix(&step->in[0].shape, true), b = as_matrix(&step->in[1].shape, false),
              batch;
    cvk_shape a_outer = a, b_outer = b;
    a_outer.rank -= 2;
    b_outer.rank -= 2;
    if (!cvk_shape_broadcast(&a_outer, &b_outer, &batch))
        return cvk_fail(CVK_SHAPE, "product '%s': batches do not broadcast", step->node->name);
    *p = (gemm_problem){.m = (int)a.dims[a.rank - 2],
                        .k = (int)a.dims[a.rank - 1],
                        .n = (int)b.dims[b.rank - 1],
                        .a_row = (ptrdiff_t)a.dims[a.rank - 1],
                        .a_col = 1,
                        .b_row = (ptrdiff_t)b.dims[b.rank - 1],
                        .b_col = 1,
                        .alpha = 1,
                        .addend = -1,
                        .batch = (int)cvk_shape_span(&batch, 0, batch.rank),
                        .matrices = (int)cvk_shape_span(&b, 0, b.rank - 2)};
    if (p->matrices == 1) { /* rows of all of A's matrices under each other */
        p->m *= p->batch;
        p->batch = 1;
    }
    if (p->batch == 1) return CVK_OK;
    p->a_at = matrix_places(step, &a, &batch, p->batch);
    p->b_at = matrix_places(step, &b, &batch, p->batch);
    return p->a_at && p->b_at ? CVK_OK : CVK_NO_MEMORY;
}

static cvk_status prepare_constant(cvk_device *device, cvk_step *step)
{
    gemm_problem p;
    CVK_TRY(problem_of(step, &p));
    return CVK_FN(cvk_gemm_prepare)(device, step, &p, &step->in[1]);
}

static cvk_status prepare_any(cvk_device *device, cvk_step *step)
{
    gemm_problem p;
    CVK_TRY(problem_of(step, &p));
    return CVK_FN(cvk_gemm_prepare)(device, step, &p, NULL);
}

const cvk_kernel CVK_FN(cvk_cpu_matmul) = {
    .op = CVK_OP_MatMul,
    .name = "matmul",
    .packs = 1u << 1,
    .accepts = accepts_constant,
    .prepare = prepare_constant,
    .run = CVK_FN(cvk_gemm_run),
};

const cvk_kernel CVK_FN(cvk_cpu_matmul_any) = {
    .op = CVK_OP_MatMul,
    .name = "matmul_any",
    .accepts = accepts_any,
    .prepare = prepare_any,
    .run = CVK_FN(cvk_gemm_run),
};
