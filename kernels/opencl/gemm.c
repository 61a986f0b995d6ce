/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches gemm.cl with constant weights packed: Gemm, and MatMul whose second operand is a
 * constant matrix. One row of results goes to a kernel of its own.
 */
#include "kernels/opencl/gemm.h"

#include <limits.h>
#include <stdio.h>

enum { MOST_BLOCKS = 4, ITEMS_PER_UNIT = 4 };

static bool gemm_c(const cvk_node *node, const cvk_view *in, cvk_cl_gemm *args)
{
    args->has_c = cvk_cl_has_input(node, in, 2);
    if (!args->has_c) return true;
    const cvk_shape *c = &in[2].shape;
    const int64_t columns = c->rank > 0 ? c->dims[c->rank - 1] : 1,
                  rows = c->rank > 1 ? c->dims[c->rank - 2] : 1;
    args->cn = columns > 1 ? 1 : 0;
    args->cm = rows > 1 ? (cl_int)columns : 0;
    return in[2].dtype == CVK_F32 && c->rank <= 2;
}

static bool make_gemm(const cvk_node *node, const cvk_view *in, const cvk_view *out,
                      cvk_cl_gemm *args)
{
    const cvk_gemm_params *p = node->params;
    args->m = (cl_int)out->shape.dims[0];
    args->n = (cl_int)out->shape.dims[1];
    args->k = (cl_int)in[0].shape.dims[p->trans_a ? 0 : 1];
    args->am = p->trans_a ? 1 : args->k;
    args->ak = p->trans_a ? args->m : 1;
    args->bk = p->trans_b ? 1 : args->n;
    args->bn = p->trans_b ? args->k : 1;
    args->alpha = p->alpha;
    args->beta = p->beta;
    return gemm_c(node, in, args);
}

/* A one-dimensional operand is a row (A) or a column (B). Returns the products of the batch. */
static int make_matmul(const cvk_view *in, cvk_cl_gemm *args)
{
    const cvk_shape *a = &in[0].shape, *b = &in[1].shape;
    cvk_shape batch_a = *a, batch_b = *b, batch;
    int64_t steps[CVK_MAX_RANK];
    batch_a.rank = a->rank > 2 ? a->rank - 2 : 0;
    batch_b.rank = b->rank > 2 ? b->rank - 2 : 0;
    args->alpha = 1.0f;
    args->m = a->rank > 1 ? (cl_int)a->dims[a->rank - 2] : 1;
    args->k = (cl_int)a->dims[a->rank - 1];
    args->n = b->rank > 1 ? (cl_int)b->dims[b->rank - 1] : 1;
    args->am = args->k;
    args->ak = 1;
    args->bk = args->n;
    args->bn = 1;
    if (batch_b.rank == 0) { /* every product has the same B: one tall A */
        args->m *= (cl_int)cvk_shape_count(&batch_a);
        return 1;
    }
    if (!cvk_shape_broadcast(&batch_a, &batch_b, &batch) || batch.rank > CVK_CL_MAX_BATCH_RANK)
        return 0;
    args->rank = batch.rank;
    cvk_shape_broadcast_strides(&batch_a, &batch, steps);
    for (int i = 0; i < batch.rank; i++) args->step_a[i] = (cl_int)(steps[i] * args->m * args->k);
    cvk_shape_broadcast_strides(&batch_b, &batch, steps);
    for (int i = 0; i < batch.rank; i++) {
        args->step_b[i] = (cl_int)(steps[i] * args->k * args->n);
        args->batch[i] = (cl_int)batch.dims[i];
    }
    return (int)cvk_shape_count(&batch);
}

bool cvk_cl_gemm_make(const cvk_node *node, const cvk_view *in, const cvk_view *out,
                      cvk_cl_gemm *args, int *batch, const char **why_not)
{
    *args = (cvk_cl_gemm){0};
    *batch = 1;
    if (cvk_view_count(&in[0]) > INT_MAX / 2 || cvk_view_count(&in[1]) > INT_MAX / 2 ||
        cvk_view_count(out) > INT_MAX / 2)
        *why_not = "2^30 elements or more";
    else if (node->op == CVK_OP_Gemm && !make_gemm(node, in, out, args))
        *why_not = "C is not a float32 matrix";
    else if (node->op != CVK_OP_Gemm && (*batch = make_matmul(in, args)) < 1)
        *why_not = "batches that do not broadcast";
    else
        return true;
    return false;
}

bool cvk_cl_gemm_fits(const cvk_problem *problem, bool half, cvk_cl_gemm *args, int *batch,
                      const char **why_not)
{
    const cvk_node *node = problem->node;
    const cvk_view *in = problem->in, *out = problem->out;
    if (in[0].dtype != CVK_F32 || (in[1].dtype != CVK_F32 && !(half && in[1].dtype == CVK_F16))) {
        *why_not = "float32 only";
        return false;
    }
    for (int i = 0; i < node->n_posts; i++) {
        const cvk_post *post = &node->posts[i];
        if (post->kind == CVK_POST_PRELU && out->shape.rank != 2 &&
            cvk_view_count(&in[post->input]) != 1) {
            *why_not = "a PRelu whose slopes are not per column";
            return false;
        }
    }
    return cvk_cl_posts_accept(problem, false, why_not) &&
           cvk_cl_gemm_make(node, in, out, args, batch, why_not);
}

cvk_status cvk_cl_gemm_bind(cvk_cl_stage *stage, const cvk_step *step, cl_uint first,
                            cvk_cl_gemm *args)
{
    int residual, slope;
    cvk_cl_posts_make(step->node, step->in, &args->posts, &residual, &slope);
    cvk_cl_stage_in(stage, first, args->has_c ? 2 : -1);
    cvk_cl_stage_in(stage, first + 1, slope);
    cvk_cl_stage_in(stage, first + 2, residual);
    cvk_cl_stage_out(stage, first + 3, 0);
    return cvk_cl_arg_struct(&stage->launch, first + 4, args, sizeof *args);
}

bool cvk_cl_gemm_accepts(const cvk_problem *problem, const char **why_not)
{
    cvk_cl_gemm args;
    int batch;
    if (!cvk_cl_gemm_fits(problem, true, &args, &batch, why_not)) return false;
    if (problem->in[1].data && batch == 1 && (problem->node->op == CVK_OP_Gemm || args.rank == 0))
        return true;
    *why_not = "the second operand is not a constant matrix";
    return false;
}

typedef struct pack_args {
    const void *wgt; /* float32, or for pack_halves float16 */
    const cvk_cl_gemm *gemm;
    int blocks;
} pack_args;

static void pack_floats(void *dst, const void *arg)
{
    const pack_args *a = arg;
    const cvk_cl_gemm *g = a->gemm;
    const float *wgt = a->wgt;
    const int width = a->blocks * CVK_BLOCK;
    float *to = dst;
    for (int first = 0; first < g->n; first += width)
        for (int k = 0; k < g->k; k++)
            for (int i = 0; i < width; i++, to++)
                *to =
                    first + i < g->n ? wgt[(size_t)k * g->bk + (size_t)(first + i) * g->bn] : 0.0f;
}

static void pack_halves(void *dst, const void *arg)
{
    const pack_args *a = arg;
    const cvk_cl_gemm *g = a->gemm;
    const uint16_t *wgt = a->wgt;
    const int width = a->blocks * CVK_BLOCK;
    uint16_t *to = dst;
    for (int first = 0; first < g->n; first += width)
        for (int k = 0; k < g->k; k++)
            for (int i = 0; i < width; i++, to++)
                *to = first + i < g->n ? wgt[(size_t)k * g->bk + (size_t)(first + i) * g->bn] : 0;
}

static cvk_status pack(cvk_device *device, cvk_step *step, const cvk_cl_gemm *args, int blocks,
                       void **wgt)
{
    const pack_args fill = {.wgt = step->in[1].data, .gemm = args, .blocks = blocks};
    const bool half = step->in[1].dtype == CVK_F16;
    const size_t columns =
        (size_t)cvk_cl_ceil_div(args->n, blocks * CVK_BLOCK) * blocks * CVK_BLOCK;
    const cvk_pack pack = {.source = step->in[1].data,
                           .source_bytes = cvk_view_bytes(&step->in[1]),
                           .kind = half ? "opencl gemm half" : "opencl gemm",
                           .variant =
                               ((uint64_t)args->n << 8 | (uint64_t)blocks) << 1 | (args->bn != 1),
                           .bytes = columns * args->k * cvk_dtype_bytes(step->in[1].dtype),
                           .fill = half ? pack_halves : pack_floats,
                           .arg = &fill};
    return cvk_step_pack(device, step, &pack, wgt);
}

bool cvk_cl_gemm_tile(const cvk_caps *caps, const cvk_cl_gemm *args, int variant, cvk_cl_tile *tile)
{
    const int blocks = cvk_cl_ceil_div(args->n, CVK_BLOCK);
    const cvk_cl_tile best = cvk_cl_tiles(caps)[0].tile;
    *tile = best;
    for (int k = 0; variant; k++) {
        int64_t cost;
        if (k == 0)
            *tile = cvk_cl_tile_pick(caps, args->m, blocks, &cost);
        else if (!cvk_cl_tile_other(caps, args->m, blocks, k, tile))
            return false;
        variant -= tile->px != best.px || tile->ocb != best.ocb;
    }
    return true;
}

const char *cvk_cl_gemm_variant_name(const cvk_problem *problem, int k, cvk_cl_gemm_tile_fn tile_of)
{
    cvk_cl_gemm args;
    cvk_cl_tile tile;
    const char *why;
    int batch;
    return cvk_cl_gemm_make(problem->node, problem->in, problem->out, &args, &batch, &why) &&
                   tile_of(problem->caps, &args, k, &tile)
               ? cvk_cl_tile_name(tile)
               : NULL;
}

/* One row, of which the variants are widths: narrower tiles while there are few of them for the
 * device's cores. */
static bool row_tile(const cvk_caps *caps, const cvk_cl_gemm *args, int variant, cvk_cl_tile *tile)
{
    const cvk_cl_tile best = cvk_cl_tiles(caps)[0].tile;
    const int most = best.px * best.ocb < MOST_BLOCKS ? best.px * best.ocb : MOST_BLOCKS;
    int blocks = most;
    while (blocks > 1 &&
           cvk_cl_ceil_div(args->n, blocks * CVK_BLOCK) < caps->units * ITEMS_PER_UNIT)
        blocks /= 2;
    *tile = (cvk_cl_tile){1, blocks};
    for (int other = most; variant; other /= 2) {
        if (other < 1) return false;
        tile->ocb = other;
        variant -= other != blocks;
    }
    return true;
}

static bool tile_of(const cvk_caps *caps, const cvk_cl_gemm *args, int variant, cvk_cl_tile *tile)
{
    return args->m > 1 ? cvk_cl_gemm_tile(caps, args, variant, tile)
                       : row_tile(caps, args, variant, tile);
}

const char *cvk_cl_gemm_variant(const cvk_problem *problem, int k)
{
    return cvk_cl_gemm_variant_name(problem, k, tile_of);
}

cvk_status cvk_cl_gemm_prepare(cvk_device *device, cvk_step *step)
{
    cvk_cl_gemm args;
    cvk_cl_tile tile;
    cvk_cl_stage *stage;
    const char *why = "";
    char defines[64];
    void *wgt;
    int batch;
    if (!cvk_cl_gemm_make(step->node, step->in, step->out, &args, &batch, &why))
        return cvk_fail(CVK_SHAPE, "the product does not fit its kernel: %s", why);
    if (!tile_of(cvk_device_caps(device), &args, step->node->variant, &tile))
        return cvk_fail(CVK_UNSUPPORTED, "product '%s' has no variant %d", step->node->name,
                        step->node->variant);
    const int columns = cvk_cl_ceil_div(args.n, tile.ocb * CVK_BLOCK);
    CVK_TRY(pack(device, step, &args, tile.ocb, &wgt));
    snprintf(defines, sizeof defines, "-DMR=%d -DNB=%d%s", tile.px, tile.ocb,
             step->in[1].dtype == CVK_F16 ? " -DWGT_HALF=1" : "");
    CVK_TRY(
        cvk_cl_stage_add(device, step, "gemm.cl", defines, args.m > 1 ? "gemm" : "gemv", &stage));
    cvk_cl_stage_in(stage, 0, 0);
    CVK_TRY(cvk_cl_arg_mem(&stage->launch, 1, wgt));
    CVK_TRY(cvk_cl_gemm_bind(stage, step, 2, &args));
    if (args.m > 1)
        cvk_cl_stage_size(stage, device, (size_t)cvk_cl_ceil_div(args.m, tile.px), (size_t)columns,
                          1);
    else
        cvk_cl_stage_size(stage, device, (size_t)columns, 1, 1);
    return CVK_OK;
}
