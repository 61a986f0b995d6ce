/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches conv_winograd.cl: 3 x 3 convolutions with stride 1 on CPU devices, where the count of
 * vector instructions says that transforms and four-fold weights cost less than the products saved.
 * Source: S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin and S. Gray, Fast
 * Algorithms for Convolutional Neural Networks, 2016; other points than small integers: B. Barabasz
 * et al., Error Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural
 * Networks, 2020.
 */
#include <stdio.h>

#include "kernels/opencl/conv.h"

enum {
    MOST_EDGE = 4,
    MOST_SIDE = MOST_EDGE + 2,
    MOST_POINTS = MOST_SIDE * MOST_SIDE,
    FEWEST_TILES = 16, /* of a batch: a weight read is used as often */
    MOST_TILES = 112,
    USUAL_L2_BYTES = 512 * 1024,
    PIXEL_BYTES = CVK_BLOCK * sizeof(float)
};

/* The points p and q. All their powers that occur are exact in float32, and they lose fewer bits
 * than 1 and 2. With EDGE = 2, p is 1 and there is no q. */
static const double point_p = 0.625, point_q = 1.5;

/* For the cost model, in cycles, a multiply-add of a float16 being one: the transforms of a block
 * and point, and what a sum takes beside its products, as fitted to layers with 8 to 64 channels on
 * PoCL; bytes of weights per cycle when a later batch reads them again. */
static const double source_cycles = 4, result_cycles = 4, sum_cycles = 3, again_rate = 32;

/* wino_args of conv_winograd.cl, where the members are explained. */
typedef struct cvk_cl_winograd {
    cl_int blocks, last_lanes, ih, iw;
    cl_int oc, oc_blocks, oh, ow;
    cl_int pt, pl;
    cl_int across, down, count;
    cl_int groups;
    cl_int tile_parts, oc_parts;
    cl_int batch;
    cl_int v_point, m_point, part;
    cl_int has_bias;
    cl_int pool_average, pool_oh, pool_ow;
    cl_float p, q;
    cvk_cl_posts posts;
} cvk_cl_winograd;

typedef struct wino_plan {
    cvk_geom g;
    int edge, points;
    cvk_cl_tile tile; /* px: picture tiles */
    int blocks, oc_blocks, groups;
    int across, down, count;
    int tile_parts, oc_parts, batch;
    int v_point, m_point;
    size_t part; /* of scratch, in pixels */
    double cost; /* cycles of the busiest part */
} wino_plan;

/* --- planning --- */

static bool refuse(const char **why_not, const char *reason)
{
    *why_not = reason;
    return false;
}

static void plan_tiles(wino_plan *plan, int edge)
{
    static const cvk_cl_tile tiles[] = {{4, 4}, {8, 2}, {14, 1}};
    const cvk_geom *g = &plan->g;
    plan->edge = edge;
    plan->points = (edge + 2) * (edge + 2);
    plan->blocks = cvk_cl_ceil_div(g->ic, CVK_BLOCK);
    plan->oc_blocks = cvk_cl_ceil_div(g->oc, CVK_BLOCK);
    plan->across = cvk_cl_ceil_div(g->ow, edge);
    plan->down = cvk_cl_ceil_div(g->oh, edge);
    plan->count = g->n * plan->across * plan->down;
    int least = INT32_MAX;
    for (size_t i = 0; i < sizeof tiles / sizeof tiles[0]; i++) {
        const int groups = cvk_cl_ceil_div(plan->oc_blocks, tiles[i].ocb);
        if (groups * tiles[i].ocb >= least) continue;
        least = groups * tiles[i].ocb;
        plan->tile = tiles[i];
        plan->groups = groups;
    }
}

/* As many tiles as take an eighth of L2 for V, in equal batches: M takes as much, and the weights of
 * 64 to 64 channels should stay there beside them. */
static int batch_of(const wino_plan *plan, int tiles, size_t l2)
{
    const size_t fit = l2 / 8 / ((size_t)plan->points * (size_t)plan->blocks * PIXEL_BYTES);
    const int most = fit < FEWEST_TILES ? FEWEST_TILES : fit > MOST_TILES ? MOST_TILES : (int)fit;
    const int batch = cvk_cl_ceil_div(tiles, cvk_cl_ceil_div(tiles, most));
    const int whole = cvk_cl_ceil_div(batch, plan->tile.px) * plan->tile.px;
    return whole < tiles ? whole : tiles;
}

static double part_cost(const wino_plan *plan, int tile_parts, int oc_parts, size_t l2)
{
    const double points = plan->points;
    const int tiles = cvk_cl_ceil_div(plan->count, tile_parts), batch = batch_of(plan, tiles, l2);
    const int batches = cvk_cl_ceil_div(tiles, batch);
    const double slots = batches * cvk_cl_ceil_div(batch, plan->tile.px) * plan->tile.px;
    const double blocks = cvk_cl_ceil_div(plan->groups, oc_parts) * plan->tile.ocb;
    const double weights = points * plan->g.ic * blocks * PIXEL_BYTES;
    return tiles * plan->blocks * points * source_cycles + tiles * blocks * points * result_cycles +
           slots * blocks * points * (plan->g.ic + sum_cycles) + weights / CVK_CL_WEIGHT_RATE +
           (batches - 1) * weights / again_rate;
}

/* Parts that share the tiles, each with enough of them for its registers, or the groups. */
static void plan_split(wino_plan *plan, int units, size_t l2)
{
    plan->cost = 0;
    for (int oc_parts = 1; oc_parts <= units && oc_parts <= plan->groups; oc_parts++) {
        int tile_parts = units / oc_parts;
        if (tile_parts > plan->count / plan->tile.px) tile_parts = plan->count / plan->tile.px;
        const double cost = part_cost(plan, tile_parts, oc_parts, l2);
        if (plan->cost != 0 && cost >= plan->cost) continue;
        plan->cost = cost;
        plan->tile_parts = tile_parts;
        plan->oc_parts = oc_parts;
    }
}

/* From point to point: an odd number of cache lines, so that the points of a tile do not all fall
 * into the same sets. */
static void plan_scratch(wino_plan *plan, size_t l2)
{
    plan->batch = batch_of(plan, cvk_cl_ceil_div(plan->count, plan->tile_parts), l2);
    plan->v_point = (plan->blocks * plan->batch) | 1;
    plan->m_point = (plan->tile.ocb * plan->batch) | 1;
    plan->part = (size_t)plan->points * ((size_t)plan->v_point + (size_t)plan->m_point) +
                 (size_t)(plan->edge + 2);
}

static size_t pack_bytes(const wino_plan *plan)
{
    return (size_t)plan->groups * (size_t)plan->points * (size_t)plan->blocks * CVK_BLOCK *
           (size_t)plan->tile.ocb * PIXEL_BYTES;
}

static size_t scratch_bytes(const wino_plan *plan)
{
    return plan->part * (size_t)plan->tile_parts * (size_t)plan->oc_parts * PIXEL_BYTES;
}

static bool pool_accepts(const cvk_problem *problem, const cvk_geom *g, const char **why_not)
{
    const cvk_post *post = cvk_cl_pool_post(problem->node);
    cvk_geom p;
    if (!post) return true;
    if (cvk_geom_post_pool(problem->node, post, &problem->out[0].shape, &p) && p.kh == 2 &&
        p.kw == 2 && p.sh == 2 && p.sw == 2 && p.dh == 1 && p.dw == 1 && !p.pt && !p.pl &&
        2 * p.oh <= g->oh && 2 * p.ow <= g->ow)
        return true;
    return refuse(why_not, "Winograd's tiles hold 2 x 2 pools only, side by side and whole");
}

static bool shape_accepts(const cvk_problem *problem, cvk_geom *g, const char **why_not)
{
    if (!cvk_cl_conv_accepts(problem, true, g, why_not)) return false;
    if (g->kh != 3 || g->kw != 3 || g->sh != 1 || g->sw != 1 || g->dh != 1 || g->dw != 1)
        return refuse(why_not, "not 3 x 3 with stride and dilation 1");
    if (g->group != 1) return refuse(why_not, "grouped");
    return pool_accepts(problem, g, why_not);
}

/* What a pool adds is left out on both sides. */
static bool plan_make(const cvk_problem *problem, wino_plan *best, const char **why_not)
{
    const cvk_caps *caps = problem->caps;
    const size_t l2 = caps->l2_bytes ? caps->l2_bytes : USUAL_L2_BYTES;
    wino_plan plan = {0};
    if (!shape_accepts(problem, &plan.g, why_not)) return false;
    const double direct = cvk_cl_conv_direct_cycles(&plan.g) / caps->units;
    best->cost = direct;
    for (int edge = 2; edge <= MOST_EDGE; edge += 2) {
        plan_tiles(&plan, edge);
        if (plan.count < plan.tile.px) continue;
        plan_split(&plan, caps->units, l2);
        if (plan.cost < best->cost) *best = plan;
    }
    if (best->cost >= direct)
        return refuse(why_not, "the direct convolution is estimated to be faster");
    plan_scratch(best, l2);
    if (pack_bytes(best) > caps->max_buffer_bytes || scratch_bytes(best) > caps->max_buffer_bytes ||
        best->part > INT32_MAX)
        return refuse(why_not, "the transformed weights or tiles do not fit a buffer");
    return true;
}

bool cvk_cl_conv_winograd_accepts(const cvk_problem *problem, const char **why_not)
{
    wino_plan plan;
    return plan_make(problem, &plan, why_not);
}

/* --- packed weights --- */

/* G x: row i of G is 1, point, point^2 over the product of the differences to the other points. */
static void weights_line(int edge, const double *x, int from, double *y, int step)
{
    const double p = edge == 2 ? 1 : point_p, q = point_q, pp = p * p, qq = q * q;
    const double even = x[0] + pp * x[2 * from], odd = p * x[from];
    const double even_q = x[0] + qq * x[2 * from], odd_q = q * x[from];
    const double scale = edge == 2 ? 0.5 : 1 / (2 * pp * (pp - qq));
    const double scale_q = 1 / (2 * qq * (qq - pp));
    y[0] = edge == 2 ? x[0] : x[0] / (pp * qq);
    y[step] = scale * (even + odd);
    y[2 * step] = scale * (even - odd);
    if (edge > 2) {
        y[3 * step] = scale_q * (even_q + odd_q);
        y[4 * step] = scale_q * (even_q - odd_q);
    }
    y[(edge + 1) * step] = x[2 * from];
}

/* u[points] = G wgt G' */
static void weights_square(int edge, const float wgt[9], double *u)
{
    const int side = edge + 2;
    double in[9], columns[MOST_SIDE * 3];
    for (int i = 0; i < 9; i++) in[i] = (double)wgt[i];
    for (int x = 0; x < 3; x++) weights_line(edge, in + x, 3, columns + x, 3);
    for (int y = 0; y < side; y++) weights_line(edge, columns + y * 3, 1, u + y * side, 1);
}

typedef struct pack_arg {
    const wino_plan *plan;
    const float *wgt;
} pack_arg;

/* [group][point][channel][b][lane]; memory comes zeroed. */
static void pack_fill(void *memory, const void *context)
{
    const pack_arg *arg = context;
    const wino_plan *plan = arg->plan;
    const size_t lanes = (size_t)plan->tile.ocb * CVK_BLOCK;
    const size_t point_floats = (size_t)plan->blocks * CVK_BLOCK * lanes;
    for (int oc = 0; oc < plan->g.oc; oc++) {
        float *group = (float *)memory + (size_t)oc / lanes * point_floats * (size_t)plan->points;
        for (int ic = 0; ic < plan->g.ic; ic++) {
            double u[MOST_POINTS];
            float *to = group + (size_t)ic * lanes + (size_t)oc % lanes;
            weights_square(plan->edge, arg->wgt + ((size_t)oc * plan->g.ic + ic) * 9, u);
            for (int p = 0; p < plan->points; p++) to[(size_t)p * point_floats] = (float)u[p];
        }
    }
}

static cvk_status pack(cvk_device *device, cvk_step *step, const wino_plan *plan, void **wgt)
{
    const cvk_view *source = &step->in[1];
    const pack_arg arg = {.plan = plan, .wgt = source->data};
    const cvk_pack request = {.source = source->data,
                              .source_bytes = cvk_view_bytes(source),
                              .kind = "opencl conv_winograd",
                              .variant = ((uint64_t)plan->g.oc << 32 | (uint64_t)plan->g.ic << 8) ^
                                         (uint64_t)(plan->edge * 16 + plan->tile.ocb),
                              .bytes = pack_bytes(plan),
                              .fill = pack_fill,
                              .arg = &arg};
    return cvk_step_pack(device, step, &request, wgt);
}

/* --- launching --- */

static void make_args(const cvk_step *step, const wino_plan *plan, cvk_cl_winograd *args)
{
    const cvk_geom *g = &plan->g;
    const cvk_post *pool = cvk_cl_pool_post(step->node);
    *args = (cvk_cl_winograd){.blocks = plan->blocks,
                              .last_lanes = g->ic - (plan->blocks - 1) * CVK_BLOCK,
                              .ih = g->ih,
                              .iw = g->iw,
                              .oc = g->oc,
                              .oc_blocks = plan->oc_blocks,
                              .oh = g->oh,
                              .ow = g->ow,
                              .pt = g->pt,
                              .pl = g->pl,
                              .across = plan->across,
                              .down = plan->down,
                              .count = plan->count,
                              .groups = plan->groups,
                              .tile_parts = plan->tile_parts,
                              .oc_parts = plan->oc_parts,
                              .batch = plan->batch,
                              .v_point = plan->v_point,
                              .m_point = plan->m_point,
                              .part = (cl_int)plan->part,
                              .has_bias = cvk_cl_has_input(step->node, step->in, 2),
                              .p = (float)point_p,
                              .q = (float)point_q};
    if (pool) {
        args->pool_average = pool->pool.kind == CVK_POOL_AVERAGE;
        args->pool_oh = (cl_int)step->out[0].shape.dims[step->out[0].shape.rank - 2];
        args->pool_ow = (cl_int)step->out[0].shape.dims[step->out[0].shape.rank - 1];
    }
}

cvk_status cvk_cl_conv_winograd_prepare(cvk_device *device, cvk_step *step)
{
    const char *why_not = "unknown",
               *kernel = cvk_cl_pool_post(step->node) ? "winograd_pool" : "winograd";
    const cvk_problem problem = {
        .node = step->node, .in = step->in, .out = step->out, .caps = cvk_device_caps(device)};
    wino_plan plan;
    cvk_cl_winograd args;
    cvk_cl_stage *stage;
    char defines[64];
    void *wgt;
    int residual, slope;
    if (!plan_make(&problem, &plan, &why_not))
        return cvk_fail(CVK_UNSUPPORTED, "convolution '%s': %s", step->node->name, why_not);
    make_args(step, &plan, &args);
    cvk_cl_posts_make(step->node, step->in, &args.posts, &residual, &slope);
    CVK_TRY(pack(device, step, &plan, &wgt));
    step->scratch_bytes = scratch_bytes(&plan);
    snprintf(defines, sizeof defines, "-DEDGE=%d -DPX=%d -DOCB=%d%s", plan.edge, plan.tile.px,
             plan.tile.ocb, step->in[0].dtype == CVK_F16 ? " -DHALF=1" : "");
    CVK_TRY(cvk_cl_stage_add(device, step, "conv_winograd.cl", defines, kernel, &stage));
    cvk_cl_stage_in(stage, 0, 0);
    CVK_TRY(cvk_cl_arg_mem(&stage->launch, 1, wgt));
    cvk_cl_stage_in(stage, 2, args.has_bias ? 2 : -1);
    cvk_cl_stage_in(stage, 3, slope);
    cvk_cl_stage_in(stage, 4, residual);
    cvk_cl_stage_out(stage, 5, 0);
    cvk_cl_stage_scratch(stage, 6);
    CVK_TRY(cvk_cl_arg_struct(&stage->launch, 7, &args, sizeof args));
    cvk_cl_stage_size(stage, device, (size_t)plan.tile_parts * (size_t)plan.oc_parts, 1, 1);
    return CVK_OK;
}
