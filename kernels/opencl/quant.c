/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches quant.cl: QConv, QMatMul, QBinary, QPool, Pool of bytes, and DynamicQuantizeLinear.
 */
#include <stdio.h>

#include "kernels/opencl/gemm.h"
#include "kernels/opencl/steps.h"

enum { ROWS = 4, CHUNK = 4096 };

/* The structs of quant.cl, where the members are explained. */
typedef struct bytes_args {
    cl_int flip, zero;
} bytes_args;

typedef struct range_args {
    cl_int zp, lo, hi, sums;
} range_args;

typedef struct qbinary_params {
    cl_int mul;
    cl_float a_scale, b_scale, y_scale;
    bytes_args a, b;
    range_args y;
} qbinary_params;

typedef struct result_args {
    cl_int has_bias, each, add;
    range_args y;
    qbinary_params residual;
} result_args;

static bool is_bytes(const cvk_view *view)
{
    return view->dtype == CVK_U8 || view->dtype == CVK_I8;
}

static bytes_args bytes_of(cvk_dtype dtype, int32_t zp)
{
    const cl_int flip = dtype == CVK_I8 ? 128 : 0;
    return (bytes_args){.flip = flip, .zero = zp + flip};
}

static range_args range_of(const cvk_quant_range *y)
{
    return (range_args){.zp = y->zp, .lo = y->lo, .hi = y->hi};
}

static qbinary_params binary_of(const cvk_qbinary_params *p, cvk_dtype a, cvk_dtype b)
{
    return (qbinary_params){.mul = p->kind == CVK_BINARY_MUL,
                            .a_scale = p->a_scale,
                            .b_scale = p->b_scale,
                            .y_scale = p->y_scale,
                            .a = bytes_of(a, p->a_zp),
                            .b = bytes_of(b, p->b_zp),
                            .y = range_of(&p->y)};
}

/* Inputs of QConv and QMatMul. */
enum { BIAS = 2, MULTIPLIER = 3, ZEROS = 4 };

/* What follows the sums, and the residual's input or -1. A result that a residual is added to is no
 * byte of a tensor: it has no sign to flip. */
static result_args result_of(const cvk_node *node, const cvk_view *in, const cvk_quant_range *y,
                             int *residual)
{
    result_args r = {.has_bias = cvk_cl_has_input(node, in, BIAS), .y = range_of(y)};
    r.y.sums = !cvk_cl_has_input(node, in, MULTIPLIER);
    r.each = !r.y.sums && cvk_view_count(&in[MULTIPLIER]) > 1;
    *residual = -1;
    if (!node->n_posts) return r;
    *residual = node->posts[0].input;
    r.add = 1;
    r.residual = binary_of(&node->posts[0].qadd, CVK_U8, in[*residual].dtype);
    return r;
}

/* Types, sizes and posts of QConv and QMatMul. */
static bool accepts_sums(const cvk_problem *problem, const char **why_not)
{
    const cvk_node *node = problem->node;
    if (!is_bytes(&problem->in[0]) || !is_bytes(&problem->in[1]))
        return cvk_cl_refuse(why_not, "uint8 and int8 only");
    if (node->n_posts > 1 || (node->n_posts && node->posts[0].kind != CVK_POST_QADD))
        return cvk_cl_refuse(why_not, "only one residual can follow");
    return cvk_cl_counts_fit(problem, why_not);
}

static cl_int count_of(const cvk_view *view)
{
    return (cl_int)cvk_view_count(view);
}

typedef struct qconv_args {
    cl_int group_ic, group_oc, ic, oc, ih, iw, oh, ow, kh, kw, sh, sw, dh, dw, pt, pl, total;
    bytes_args x;
    result_args y;
} qconv_args;

bool cvk_cl_qconv_accepts(const cvk_problem *problem, const char **why_not)
{
    cvk_geom g;
    if (!problem->in[1].data ||
        (cvk_cl_has_input(problem->node, problem->in, ZEROS) && !problem->in[ZEROS].data))
        return cvk_cl_refuse(why_not, "the weights are not constant");
    if (!cvk_geom_conv(problem->node, &problem->in[0].shape, &problem->out[0].shape, &g))
        return cvk_cl_refuse(why_not, "not one or two spatial dimensions, or too many elements");
    return accepts_sums(problem, why_not);
}

/* Weights less their zero points, in tiles. */
typedef struct packing {
    const cvk_view *wgt;
    const int32_t *zeros; /* NULL: none */
    int groups, group_oc, depth, tile;
} packing;

static void pack_fill(void *dst, const void *arg)
{
    const packing *p = arg;
    const int tiles = cvk_cl_ceil_div(p->group_oc, p->tile);
    cl_short *to = dst;
    for (int t = 0; t < p->groups * tiles; t++) {
        const int first = t % tiles * p->tile, group = t / tiles;
        for (int k = 0; k < p->depth; k++)
            for (int o = 0; o < p->tile; o++, to++) {
                const int oc = group * p->group_oc + first + o;
                if (first + o >= p->group_oc) continue;
                int64_t w = cvk_view_get_int(p->wgt, (int64_t)oc * p->depth + k);
                *to = (cl_short)(w - (p->zeros ? p->zeros[oc] : 0));
            }
    }
}

static cvk_status pack(cvk_device *device, cvk_step *step, const packing *p, void **wgt)
{
    const cvk_view *zeros = p->zeros ? &step->in[ZEROS] : NULL;
    const size_t tiles = (size_t)(p->groups * cvk_cl_ceil_div(p->group_oc, p->tile));
    const bool is_signed = p->wgt->dtype == CVK_I8;
    const cvk_pack pack = {.source = p->wgt->data,
                           .source_bytes = cvk_view_bytes(p->wgt),
                           .source2 = p->zeros,
                           .source2_bytes = zeros ? cvk_view_bytes(zeros) : 0,
                           .kind = "opencl qconv",
                           .variant = ((uint64_t)p->groups * 2 + is_signed) << 32 |
                                      (uint64_t)p->depth << 4 | (uint64_t)p->tile,
                           .bytes = tiles * (size_t)(p->depth * p->tile) * sizeof(cl_short),
                           .fill = pack_fill,
                           .arg = p};
    return cvk_step_pack(device, step, &pack, wgt);
}

/* Without a window the image is one long row. */
static void flatten(const cvk_geom *g, qconv_args *args)
{
    if (g->kh != 1 || g->kw != 1 || g->sh != 1 || g->sw != 1 || g->pt || g->pl || g->pb || g->pr)
        return;
    args->iw *= args->ih;
    args->ow *= args->oh;
    args->ih = args->oh = 1;
}

static qconv_args make_qconv(const cvk_step *step, const cvk_geom *g, int *residual)
{
    const cvk_qconv_params *params = step->node->params;
    qconv_args args = {.group_ic = g->ic / g->group,
                       .group_oc = g->oc / g->group,
                       .ic = g->ic,
                       .oc = g->oc,
                       .ih = g->ih,
                       .iw = g->iw,
                       .oh = g->oh,
                       .ow = g->ow,
                       .kh = g->kh,
                       .kw = g->kw,
                       .sh = g->sh,
                       .sw = g->sw,
                       .dh = g->dh,
                       .dw = g->dw,
                       .pt = g->pt,
                       .pl = g->pl,
                       .total = count_of(&step->in[0]),
                       .x = bytes_of(step->in[0].dtype, params->x_zp),
                       .y = result_of(step->node, step->in, &params->y, residual)};
    flatten(g, &args);
    return args;
}

/* Arguments 2 to 5 of qconv and qmatmul. */
static void bind_sums(cvk_cl_stage *stage, const result_args *r, int residual)
{
    cvk_cl_stage_in(stage, 2, r->has_bias ? BIAS : -1);
    cvk_cl_stage_in(stage, 3, r->y.sums ? -1 : MULTIPLIER);
    cvk_cl_stage_in(stage, 4, residual);
    cvk_cl_stage_out(stage, 5, 0);
}

cvk_status cvk_cl_qconv_prepare(cvk_device *device, cvk_step *step)
{
    cvk_geom g;
    cvk_cl_stage *stage;
    void *wgt;
    char defines[16];
    int residual;
    if (!cvk_geom_conv(step->node, &step->in[0].shape, &step->out[0].shape, &g))
        return cvk_fail(CVK_SHAPE, "the convolution's shape does not fit its window");
    const qconv_args args = make_qconv(step, &g, &residual);
    const bool zeros = cvk_cl_has_input(step->node, step->in, ZEROS);
    const packing p = {.wgt = &step->in[1],
                       .zeros = zeros ? step->in[ZEROS].data : NULL,
                       .groups = g.group,
                       .group_oc = args.group_oc,
                       .depth = args.group_ic * g.kh * g.kw,
                       .tile = args.group_oc == 1   ? 1
                               : args.group_oc <= 4 ? 4
                                                    : 8};
    CVK_TRY(pack(device, step, &p, &wgt));
    snprintf(defines, sizeof defines, "-DOCT=%d", p.tile);
    CVK_TRY(cvk_cl_stage_add(device, step, "quant.cl", defines, "qconv", &stage));
    cvk_cl_stage_in(stage, 0, 0);
    CVK_TRY(cvk_cl_arg_mem(&stage->launch, 1, wgt));
    bind_sums(stage, &args.y, residual);
    CVK_TRY(cvk_cl_arg_struct(&stage->launch, 6, &args, sizeof args));
    cvk_cl_stage_size(stage, device, (size_t)cvk_cl_ceil_div(args.ow, 16) * (size_t)args.oh,
                      (size_t)(g.group * cvk_cl_ceil_div(args.group_oc, p.tile)), (size_t)g.n);
    return CVK_OK;
}

typedef struct qmatmul_args {
    cl_int m, n, k, total, each_zero;
    cl_int rank, batch[CVK_CL_MAX_BATCH_RANK], step_a[CVK_CL_MAX_BATCH_RANK],
        step_b[CVK_CL_MAX_BATCH_RANK];
    bytes_args a, b;
    result_args y;
} qmatmul_args;

bool cvk_cl_qmatmul_accepts(const cvk_problem *problem, const char **why_not)
{
    cvk_cl_gemm sizes;
    int batch;
    return accepts_sums(problem, why_not) &&
           cvk_cl_gemm_make(problem->node, problem->in, problem->out, &sizes, &batch, why_not);
}

static qmatmul_args make_qmatmul(const cvk_step *step, const cvk_cl_gemm *sizes, int *residual)
{
    const cvk_qmatmul_params *params = step->node->params;
    const cvk_view *in = step->in;
    qmatmul_args args = {.m = sizes->m,
                         .n = sizes->n,
                         .k = sizes->k,
                         .total = count_of(&in[1]),
                         .rank = sizes->rank,
                         .a = bytes_of(in[0].dtype, params->a_zp),
                         .b = bytes_of(in[1].dtype, 0),
                         .y = result_of(step->node, in, &params->y, residual)};
    for (int i = 0; i < sizes->rank; i++) {
        args.batch[i] = sizes->batch[i];
        args.step_a[i] = sizes->step_a[i];
        args.step_b[i] = sizes->step_b[i];
    }
    if (cvk_cl_has_input(step->node, in, ZEROS))
        args.each_zero = cvk_view_count(&in[ZEROS]) == 1 ? 1 : 2;
    return args;
}

cvk_status cvk_cl_qmatmul_prepare(cvk_device *device, cvk_step *step)
{
    cvk_cl_gemm sizes;
    cvk_cl_stage *stage;
    const char *why = "";
    char defines[16];
    int batch, residual;
    if (!cvk_cl_gemm_make(step->node, step->in, step->out, &sizes, &batch, &why))
        return cvk_fail(CVK_SHAPE, "the product does not fit its kernel: %s", why);
    const qmatmul_args args = make_qmatmul(step, &sizes, &residual);
    snprintf(defines, sizeof defines, "-DMR=%d", args.m == 1 ? 1 : ROWS);
    CVK_TRY(cvk_cl_stage_add(device, step, "quant.cl", defines, "qmatmul", &stage));
    cvk_cl_stage_in(stage, 0, 0);
    cvk_cl_stage_in(stage, 1, 1);
    bind_sums(stage, &args.y, residual);
    cvk_cl_stage_in(stage, 6, args.each_zero ? ZEROS : -1);
    CVK_TRY(cvk_cl_arg_struct(&stage->launch, 7, &args, sizeof args));
    cvk_cl_stage_size(stage, device, (size_t)cvk_cl_ceil_div(args.m, args.m == 1 ? 1 : ROWS),
                      (size_t)cvk_cl_ceil_div(args.n, CVK_BLOCK), (size_t)batch);
    return CVK_OK;
}

typedef struct qbinary_args {
    cvk_cl_cut cut;
    cl_int step_a, step_b;
    cvk_cl_rows walk;
    qbinary_params p;
} qbinary_args;

bool cvk_cl_qbinary_accepts(const cvk_problem *problem, const char **why_not)
{
    if (!is_bytes(&problem->in[0]) || !is_bytes(&problem->in[1]))
        return cvk_cl_refuse(why_not, "uint8 and int8 only");
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_counts_fit(problem, why_not);
}

cvk_status cvk_cl_qbinary_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_cl_walk walk = cvk_cl_walk_broadcast(step);
    qbinary_args args = {.p = binary_of(step->node->params, step->in[0].dtype, step->in[1].dtype)};
    args.walk = cvk_cl_walk_rows(&walk, &args.cut.rows);
    args.cut.length = (cl_int)walk.dims[walk.n - 1];
    args.step_a = (cl_int)walk.a[walk.n - 1];
    args.step_b = (cl_int)walk.b[walk.n - 1];
    cvk_cl_spec spec = {
        .file = "quant.cl",
        .kernel = "qbinary",
        .buffers = {{CVK_CL_IN, 0, NULL}, {CVK_CL_IN, 1, NULL}, {CVK_CL_OUT, 0, NULL}},
        .args = &args,
        .args_bytes = sizeof args};
    return cvk_cl_steps_add_rows(device, step, &spec, &args.cut, CHUNK, CVK_BLOCK, 1);
}

typedef struct qpool_args {
    cl_int span, planes, strips;
    cl_int ih, iw, oh, ow, kh, kw, sh, sw, dh, dw, pt, pl, pb, pr;
    cl_int include_pad, total;
    cl_float x_scale, y_scale;
    bytes_args x;
    range_args y;
} qpool_args;

static bool accepts_pool(const cvk_problem *problem, const cvk_pool_params *pool,
                         const char **why_not)
{
    cvk_geom g;
    if (!is_bytes(&problem->in[0])) return cvk_cl_refuse(why_not, "uint8 and int8 only");
    if (!cvk_geom_make(&pool->window, 1, &problem->in[0].shape, &problem->out[0].shape, &g))
        return cvk_cl_refuse(why_not, "neither 1-D nor 2-D, or too large");
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_counts_fit(problem, why_not);
}

bool cvk_cl_qpool_accepts(const cvk_problem *problem, const char **why_not)
{
    return accepts_pool(problem, problem->node->params, why_not); /* pool is its first member */
}

bool cvk_cl_pool_bytes_accepts(const cvk_problem *problem, const char **why_not)
{
    const cvk_pool_params *pool = problem->node->params;
    if (pool->kind != CVK_POOL_MAX) return cvk_cl_refuse(why_not, "maxima only");
    if (problem->node->n_out > 1 && problem->out[1].dtype != CVK_NONE)
        return cvk_cl_refuse(why_not, "indices are wanted");
    return accepts_pool(problem, pool, why_not);
}

static cvk_status pool_launch(cvk_device *device, cvk_step *step, const cvk_pool_params *pool,
                              const char *kernel, qpool_args args)
{
    cvk_geom g;
    if (!cvk_geom_make(&pool->window, 1, &step->in[0].shape, &step->out[0].shape, &g))
        return cvk_fail(CVK_SHAPE, "pool '%s': its geometry does not fit", step->node->name);
    args.planes = g.n * g.ic;
    args.strips = cvk_cl_ceil_div(g.ow, 16);
    args.ih = g.ih;
    args.iw = g.iw;
    args.oh = g.oh;
    args.ow = g.ow;
    args.kh = g.kh;
    args.kw = g.kw;
    args.sh = g.sh;
    args.sw = g.sw;
    args.dh = g.dh;
    args.dw = g.dw;
    args.pt = g.pt;
    args.pl = g.pl;
    args.pb = g.pb;
    args.pr = g.pr;
    args.include_pad = pool->count_include_pad;
    args.total = count_of(&step->in[0]);
    cvk_cl_spec spec = {.file = "quant.cl",
                        .kernel = kernel,
                        .buffers = {{CVK_CL_IN, 0, NULL}, {CVK_CL_OUT, 0, NULL}},
                        .args = &args,
                        .args_bytes = sizeof args,
                        .units = (int64_t)args.planes * g.oh * args.strips,
                        .floats = (int64_t)g.kh * g.kw * 16,
                        .span = &args.span};
    return cvk_cl_steps_add(device, step, &spec);
}

cvk_status cvk_cl_qpool_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_qpool_params *params = step->node->params;
    qpool_args args = {.x_scale = params->x_scale,
                       .y_scale = params->y_scale,
                       .x = bytes_of(step->in[0].dtype, params->x_zp),
                       .y = range_of(&params->y)};
    return pool_launch(device, step, &params->pool, "qpool", args);
}

cvk_status cvk_cl_pool_bytes_prepare(cvk_device *device, cvk_step *step)
{
    /* its own value of a flipped byte counts, not one less a zero point */
    qpool_args args = {.x = {.flip = step->in[0].dtype == CVK_I8 ? 128 : 0}};
    return pool_launch(device, step, step->node->params, "pool_bytes", args);
}

typedef struct dynamic_args {
    cl_int count, parts, has_scale, has_zero;
} dynamic_args;

enum { PARTS = 32 };

bool cvk_cl_dynamic_quantize_accepts(const cvk_problem *problem, const char **why_not)
{
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_counts_fit(problem, why_not);
}

cvk_status cvk_cl_dynamic_quantize_prepare(cvk_device *device, cvk_step *step)
{
    cvk_cl_stage *find, *quantize;
    const dynamic_args args = {.count = count_of(&step->in[0]),
                               .parts = PARTS,
                               .has_scale = step->out[1].dtype != CVK_NONE,
                               .has_zero = step->out[2].dtype != CVK_NONE};
    step->scratch_bytes = PARTS * sizeof(cl_float2);
    CVK_TRY(cvk_cl_stage_add(device, step, "quant.cl", "", "find_range", &find));
    cvk_cl_stage_in(find, 0, 0);
    cvk_cl_stage_scratch(find, 1);
    CVK_TRY(cvk_cl_arg_struct(&find->launch, 2, &args, sizeof args));
    cvk_cl_stage_size(find, device, PARTS, 1, 1);
    CVK_TRY(cvk_cl_stage_add(device, step, "quant.cl", "", "dynamic_quantize", &quantize));
    cvk_cl_stage_in(quantize, 0, 0);
    cvk_cl_stage_scratch(quantize, 1);
    for (int i = 0; i < 3; i++) cvk_cl_stage_out(quantize, 2 + (cl_uint)i, i);
    CVK_TRY(cvk_cl_arg_struct(&quantize->launch, 5, &args, sizeof args));
    cvk_cl_stage_size(quantize, device, (size_t)cvk_cl_ceil_div(args.count, 16), 1, 1);
    return CVK_OK;
}
