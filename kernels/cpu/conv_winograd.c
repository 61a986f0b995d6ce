/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolutions 3 x 3 with stride 1 or 2, 5 x 5, and along one axis of 3, 5 or 7 taps, by Winograd's
 * algorithm (graph/winograd.h), blocked to blocked. Tiles are taken in batches, so that what a
 * batch needs stays near:
 *
 *   for a batch of tiles          source transform of all channels    V [point][block][tile][16]
 *     for some tiles of output channels
 *       for a point               M = V U, register tiles             M
 * [point][vec][tile][CVK_VLEN]
 *       result transform of these channels, bias, residual, clamp, 2 x 2 pool -> dst
 *
 * Workers share the tiles of the picture or, where there are few, the output channels; these then
 * transform the same source each for itself, which costs less than to wait for each other.
 */
#include <stdio.h>
#include <string.h>

#include "backend/kernel.h"
#include "kernels/cpu/conv_lanes.h"
#include "kernels/cpu/conv_plan.h"
#include "kernels/cpu/conv_tile.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/half.h"
#include "kernels/cpu/ints.h"
#include "kernels/cpu/row.h"
#include "kernels/cpu/winograd.h"
#include "kernels/cpu/work.h"

enum {
    FEWEST_TILES = 28, /* of a batch: a weight read is used as often */
    MOST_TILES = 112,
    USUAL_L2_BYTES = 512 * 1024
};

typedef struct wino_plan {
    cvk_geom g; /* of one group: all of them go one after the other */
    int groups;
    bool half; /* source and result are float16 */
    cvk_wino_axis y, x;
    int points;
    int blocks, last;           /* source channel blocks, channels in the last */
    int vecs, tile_vecs, tiles; /* of output channels: vecs, most vecs of a tile, tiles */
    int px;                     /* most picture tiles of a register tile */
    int across, down, count;    /* picture tiles of a row, of a column, of the whole batch */
    int batch, chunk;           /* picture tiles, and tiles of output channels, at a time */
    int tile_parts, oc_parts;   /* parts = their product */
    double cost;                /* cycles of the busiest part */
    bool pooled, is_max;
    int pool_oh, pool_ow;
    int posts; /* before the pool */
    ptrdiff_t src_point, dst_point;
    size_t src_floats, worker_floats;
    size_t point_floats, group_floats, bias_at, pack_floats;
    const float *wgt; /* [group][point][tile][channel][vec of the tile][CVK_VLEN], then bias */
} wino_plan;

/* For the cost model (cvk_wino_work), by counts of instructions. */
static const double source_rate = 5, result_rate = 4, sum_rate = 8;
/* Other forms are worth trying up to this, of the cost of the best. */
static const double most_cost = 1.3;

static int tile_first(const wino_plan *plan, int tile)
{
    return (int)((long long)plan->vecs * tile / plan->tiles);
}

/* Floats between points: an odd number of cache lines, so that the points of a tile do not all fall
 * into the same sets. */
static ptrdiff_t odd_lines(ptrdiff_t floats)
{
    ptrdiff_t lines = (floats + CVK_BLOCK - 1) / CVK_BLOCK;
    return (lines | 1) * CVK_BLOCK;
}

/* --- planning --- */

static void plan_tiles(wino_plan *plan)
{
    const cvk_geom *g = &plan->g;
    plan->points = plan->y.side * plan->x.side;
    plan->blocks = divide_up(g->ic, CVK_BLOCK);
    plan->last = g->ic - (plan->blocks - 1) * CVK_BLOCK;
    plan->vecs = divide_up(divide_up(g->oc, CVK_VLEN), CONV_TILE_STEP) * CONV_TILE_STEP;
    bool narrow = plan->vecs > CVK_TILE_OCV;
    plan->tile_vecs = narrow ? CVK_TILE1_OCV : CVK_TILE_OCV;
    plan->px = narrow ? CVK_TILE1_PX : CVK_TILE_PX;
    plan->tiles = divide_up(plan->vecs, plan->tile_vecs);
    plan->across = divide_up(g->ow, plan->x.m);
    plan->down = divide_up(g->oh, plan->y.m);
    plan->count = g->n * plan->across * plan->down;
}

/* As many tiles as leave V and a chunk of M in half of L2, in equal batches. */
static int batch_of(const wino_plan *plan, int tiles, size_t l2)
{
    size_t lanes = (size_t)plan->blocks * CVK_BLOCK + (size_t)(plan->tile_vecs * CVK_VLEN),
           each = (size_t)plan->points * lanes * sizeof(float);
    size_t fit = l2 / 2 / each;
    int most = fit < FEWEST_TILES ? FEWEST_TILES : fit > MOST_TILES ? MOST_TILES : (int)fit;
    int batch = divide_up(tiles, divide_up(tiles, most));
    int whole = divide_up(batch, plan->px) * plan->px;
    return whole < tiles ? whole : tiles;
}

static double part_cost(const wino_plan *plan, int tile_parts, int oc_parts, size_t l2)
{
    const int tiles = divide_up(plan->count, tile_parts);
    const cvk_wino_work work = {.points = plan->points,
                                .ic = plan->g.ic,
                                .batches = divide_up(tiles, batch_of(plan, tiles, l2)),
                                .tiles = tiles,
                                .slots = tiles,
                                .sources = (double)plan->blocks * CVK_VPB,
                                .results = (double)divide_up(plan->tiles, oc_parts) * plan->vecs /
                                           plan->tiles,
                                .lanes = CVK_VLEN,
                                .mad_cycles = CVK_VLEN == 16 ? 1.0 : 0.5,
                                .source_rate = source_rate,
                                .result_rate = result_rate,
                                .sum_rate = sum_rate};
    return plan->groups * cvk_wino_cycles(&work);
}

static void plan_split(wino_plan *plan, int workers, size_t l2)
{
    plan->cost = 0;
    for (int oc_parts = 1; oc_parts <= workers && oc_parts <= plan->tiles; oc_parts++) {
        int tile_parts = workers / oc_parts;
        if (tile_parts > plan->count) tile_parts = plan->count;
        double cost = part_cost(plan, tile_parts, oc_parts, l2);
        if (plan->cost != 0 && cost >= plan->cost) continue;
        plan->cost = cost;
        plan->tile_parts = tile_parts;
        plan->oc_parts = oc_parts;
    }
}

static void plan_scratch(wino_plan *plan, size_t l2)
{
    plan->batch = batch_of(plan, divide_up(plan->count, plan->tile_parts), l2);
    size_t tile_floats = (size_t)plan->batch * (size_t)(plan->tile_vecs * CVK_VLEN);
    size_t fit = l2 / 4 / ((size_t)plan->points * tile_floats * sizeof(float));
    int tiles = divide_up(plan->tiles, plan->oc_parts);
    plan->chunk = fit < 1 ? 1 : fit < (size_t)tiles ? (int)fit : tiles;
    plan->src_point = odd_lines((ptrdiff_t)plan->blocks * plan->batch * CVK_BLOCK);
    plan->dst_point = odd_lines((ptrdiff_t)((size_t)plan->chunk * tile_floats));
    plan->src_floats = (size_t)plan->src_point * (size_t)plan->points;
    plan->worker_floats = plan->src_floats + (size_t)plan->dst_point * (size_t)plan->points;
    size_t lanes = (size_t)plan->vecs * CVK_VLEN;
    plan->point_floats = lanes * (size_t)plan->g.ic;
    plan->group_floats = plan->point_floats * (size_t)plan->points;
    plan->bias_at = plan->group_floats * (size_t)plan->groups;
    plan->pack_floats = plan->bias_at + lanes * (size_t)plan->groups;
}

/* Whether what comes before the pool, or a rounding to float16, can be done before a tile is
 * stored. */
static bool posts_in_registers(const wino_plan *plan, const cvk_node *node, const char **why_not)
{
    for (int i = 0; i < plan->posts; i++) {
        const cvk_act *act = &node->posts[i].act;
        bool add = node->posts[i].kind == CVK_POST_ADD && i == 0 && !plan->half;
        bool clamp = node->posts[i].kind == CVK_POST_ACT && i == plan->posts - 1 &&
                     (act->kind == CVK_ACT_RELU || act->kind == CVK_ACT_CLIP);
        if (!add && !clamp)
            return row_refuse(why_not, "more than a residual and a clamp before a pool, or than a "
                                       "clamp before float16");
    }
    return true;
}

static bool plan_pool(wino_plan *plan, const cvk_problem *problem, const char **why_not)
{
    const cvk_node *node = problem->node;
    plan->posts = node->n_posts;
    if (!node->n_posts || node->posts[node->n_posts - 1].kind != CVK_POST_POOL)
        return !plan->half || posts_in_registers(plan, node, why_not);
    const cvk_post *post = &node->posts[node->n_posts - 1];
    cvk_geom p;
    if (!cvk_geom_post_pool(node, post, &problem->out[0].shape, &p))
        return row_refuse(why_not, "a pool that is neither 1-D nor 2-D, or too large");
    if (!cvk_wino_pools(&plan->g, &p, why_not)) return false;
    plan->posts--;
    plan->pooled = true;
    plan->is_max = post->pool.kind == CVK_POOL_MAX;
    plan->pool_oh = p.oh;
    plan->pool_ow = p.ow;
    return posts_in_registers(plan, node, why_not);
}

/* Cycles that the direct convolution is thought to take, without a pool. */
static bool direct_cost(const cvk_problem *problem, bool pooled, double *cost, const char **why_not)
{
    cvk_node node = *problem->node;
    cvk_view out = problem->out[0];
    cvk_problem bare = {.node = &node, .in = problem->in, .out = &out, .caps = problem->caps};
    if (pooled) {
        node.n_posts--;
        out.shape = node.conv_shape;
    }
    conv_plan direct;
    if (!CVK_FN(cvk_conv_plan_make)(&bare, CONV_BLOCKED, false, &direct, why_not)) return false;
    if (CVK_FN(cvk_conv_lanes_idle)(&bare, &direct)) return row_refuse(why_not, CONV_LANES_IDLE);
    *cost = direct.cost;
    return true;
}

/* *g: of one group. */
static bool plan_geometry(const cvk_problem *problem, cvk_geom *g, int *groups,
                          const char **why_not)
{
    const cvk_view *in = problem->in, *bias = CVK_FN(cvk_third_input)(problem->node, in);
    if (!row_floats(problem, why_not)) return false;
    if (!in[1].data || in[1].dtype != CVK_F32 || (bias && !bias->data))
        return row_refuse(why_not, "weights are not constant");
    if (!cvk_geom_conv(problem->node, &in[0].shape, &problem->out[0].shape, g))
        return row_refuse(why_not, "neither 1-D nor 2-D, or too large");
    *groups = g->group;
    g->ic /= *groups;
    g->oc /= *groups;
    g->group = 1;
    if (*groups > 1 && (g->ic % CVK_BLOCK || g->oc % CVK_BLOCK))
        return row_refuse(why_not, "a group's channels are not whole blocks of 16");
    return cvk_wino_dense(g, why_not);
}

static size_t l2_of(const cvk_caps *caps)
{
    return caps->l2_bytes ? caps->l2_bytes : USUAL_L2_BYTES;
}

static int workers_of(const cvk_caps *caps)
{
    return caps->units > 0 ? caps->units : 1;
}

static bool plan_make(const cvk_problem *problem, wino_plan *best, const char **why_not)
{
    const size_t l2 = l2_of(problem->caps);
    wino_plan plan = {0};
    double direct;
    if (!plan_geometry(problem, &plan.g, &plan.groups, why_not)) return false;
    plan.half = problem->in[0].dtype == CVK_F16;
    if (!plan_pool(&plan, problem, why_not)) return false;
    if (!direct_cost(problem, plan.pooled, &direct, why_not)) return false;
    best->cost = direct;
    bool any = false;
    for (int i = 0; i < cvk_wino_forms(); i++) {
        if (!cvk_wino_form(i, &plan.g, problem->node->tolerance, &plan.y, &plan.x)) continue;
        any = true;
        plan_tiles(&plan);
        plan_split(&plan, workers_of(problem->caps), l2);
        if (plan.cost < best->cost) *best = plan;
    }
    if (!any) return row_refuse(why_not, CVK_WINO_NO_FORM);
    if (best->cost >= direct)
        return row_refuse(why_not, "the direct convolution is estimated to be faster");
    plan_scratch(best, l2);
    return true;
}

/* The k-th other form, for a problem that is accepted. */
static bool plan_other(const cvk_problem *problem, int k, wino_plan *plan)
{
    const size_t l2 = l2_of(problem->caps);
    const char *why_not;
    wino_plan best;
    if (!plan_make(problem, &best, &why_not)) return false;
    *plan = best;
    for (int i = 0; i < cvk_wino_forms(); i++) {
        if (!cvk_wino_form(i, &plan->g, problem->node->tolerance, &plan->y, &plan->x)) continue;
        if (plan->y.m == best.y.m && plan->x.m == best.x.m) continue;
        plan_tiles(plan);
        plan_split(plan, workers_of(problem->caps), l2);
        if (plan->cost > most_cost * best.cost || --k) continue;
        plan_scratch(plan, l2);
        return true;
    }
    return false;
}

/* "F4x4": results of a tile. */
static const char *variant(const cvk_problem *problem, int k)
{
    static _Thread_local char name[24];
    wino_plan plan;
    if (!plan_other(problem, k, &plan)) return NULL;
    snprintf(name, sizeof name, "F%dx%d", plan.y.m, plan.x.m);
    return name;
}

static bool accepts(const cvk_problem *problem, const char **why_not)
{
    wino_plan plan;
    if (!plan_make(problem, &plan, why_not)) return false;
    return !CVK_FN(cvk_conv_lanes_pay)(problem) || row_refuse(why_not, CONV_LANES_PAY);
}

bool CVK_FN(cvk_conv_winograd_cost)(const cvk_problem *problem, double *cost)
{
    wino_plan plan;
    const char *why_not;
    if (!plan_make(problem, &plan, &why_not)) return false;
    *cost = plan.cost;
    return true;
}

static void work_of(const cvk_problem *problem, cvk_work *work)
{
    wino_plan plan;
    const char *why_not;
    if (!plan_make(problem, &plan, &why_not)) return;
    work->macs = work_macs(problem->caps, plan.cost);
    work->weight_bytes = 0; /* are in the plan's cycles */
}

/* --- packed weights --- */

typedef struct pack_arg {
    const wino_plan *plan;
    cvk_wino_matrix y, x;
    const float *wgt, *bias;
} pack_arg;

/* Weights of one source channel of a group to the lanes of one vec, in every point. */
static void pack_vec(const pack_arg *arg, int group, int vec_index, int ic, float *dst)
{
    const wino_plan *plan = arg->plan;
    for (int lane = 0; lane < CVK_VLEN; lane++) {
        int oc = vec_index * CVK_VLEN + lane;
        if (oc >= plan->g.oc) break;
        float u[CVK_WINO_POINTS];
        size_t filter = (size_t)(group * plan->g.oc + oc) * (size_t)plan->g.ic + (size_t)ic;
        cvk_wino_weights(&arg->y, &arg->x,
                         arg->wgt + filter * (size_t)(plan->y.taps * plan->x.taps), u);
        for (int p = 0; p < plan->points; p++) dst[(size_t)p * plan->point_floats + lane] = u[p];
    }
}

static void pack_fill(void *memory, const void *context)
{
    const pack_arg *arg = context;
    const wino_plan *plan = arg->plan;
    for (int group = 0; group < plan->groups; group++) {
        float *dst = (float *)memory + (size_t)group * plan->group_floats;
        for (int t = 0; t < plan->tiles; t++)
            for (int ic = 0; ic < plan->g.ic; ic++)
                for (int v = tile_first(plan, t); v < tile_first(plan, t + 1); v++, dst += CVK_VLEN)
                    pack_vec(arg, group, v, ic, dst);
    }
    if (arg->bias)
        memcpy((float *)memory + plan->bias_at, arg->bias,
               (size_t)(plan->groups * plan->g.oc) * sizeof(float));
}

static uint64_t pack_variant(const wino_plan *plan)
{
    const int facts[] = {plan->y.m,    plan->y.taps,    plan->y.stride, plan->x.m,
                         plan->x.taps, plan->tile_vecs, CVK_VLEN,       plan->groups};
    uint64_t variant = 0;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        variant = variant * 32 + (uint64_t)facts[i];
    return variant;
}

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    wino_plan *plan = cvk_step_alloc(step, sizeof *plan);
    if (!plan) return CVK_NO_MEMORY;
    const char *why_not = "unknown";
    cvk_problem problem = {
        .node = step->node, .in = step->in, .out = step->out, .caps = cvk_device_caps(device)};
    if (!step->node->variant && !plan_make(&problem, plan, &why_not))
        return cvk_fail(CVK_UNSUPPORTED, "convolution '%s': %s", step->node->name, why_not);
    if (step->node->variant && !plan_other(&problem, step->node->variant, plan))
        return cvk_fail(CVK_UNSUPPORTED, "convolution '%s' has no variant %d", step->node->name,
                        step->node->variant);
    step->state = plan;
    const cvk_view *wgt = &step->in[1], *bias = CVK_FN(cvk_third_input)(step->node, step->in);
    pack_arg arg = {.plan = plan, .wgt = wgt->data, .bias = bias ? bias->data : NULL};
    cvk_wino_matrix_make(&plan->y, &arg.y);
    cvk_wino_matrix_make(&plan->x, &arg.x);
    cvk_pack pack = {.source = wgt->data,
                     .source_bytes = cvk_view_bytes(wgt),
                     .source2 = arg.bias,
                     .source2_bytes = bias ? cvk_view_bytes(bias) : 0,
                     .kind = "winograd",
                     .variant = pack_variant(plan),
                     .bytes = plan->pack_floats * sizeof(float),
                     .fill = pack_fill,
                     .arg = &arg};
    void *data = NULL;
    CVK_TRY(cvk_step_pack(device, step, &pack, &data));
    plan->wgt = data;
    step->scratch_bytes =
        (size_t)(plan->tile_parts * plan->oc_parts) * plan->worker_floats * sizeof(float);
    return CVK_OK;
}

/* --- running --- */

typedef struct job {
    const wino_plan *plan;
    const void *src;
    void *dst;
    int group;
    float *v, *m;
    chain c;
    chain_simple simple;
    bool is_simple;
} job;

static void transform_source(const job *j, int first, int count)
{
    const wino_plan *plan = j->plan;
    ptrdiff_t plane = (ptrdiff_t)plan->g.ih * plan->g.iw * CVK_BLOCK;
    wino_source source = {.g = &plan->g,
                          .y = plan->y,
                          .x = plan->x,
                          .across = plan->across,
                          .down = plan->down,
                          .half = plan->half,
                          .image = plane * plan->blocks * plan->groups,
                          .point = plan->src_point};
    for (int b = 0; b < plan->blocks; b++) {
        source.src = row_at(j->src, (j->group * plan->blocks + b) * plane, plan->half);
        source.dst = j->v + (ptrdiff_t)b * plan->batch * CVK_BLOCK;
        CVK_FN(cvk_wino_source)(&source, first, count);
    }
}

/* M of tiles [begin, end) of output channels in one point. */
static void multiply(const job *j, int point, int begin, int end, int count)
{
    static const float no_bias[CONV_TILE_MAX * CVK_VLEN];
    static const int no_offset[1];
    const wino_plan *plan = j->plan;
    conv_tile tile = {.src = j->v + point * plan->src_point,
                      .block_step = (ptrdiff_t)plan->batch * CVK_BLOCK,
                      .off = no_offset,
                      .taps = 1,
                      .blocks = plan->blocks,
                      .last = plan->last,
                      .bias = no_bias,
                      .px_step = CVK_VLEN};
    ptrdiff_t vec_step = (ptrdiff_t)plan->batch * CVK_VLEN;
    for (int v = 0; v < CONV_TILE_MAX; v++) tile.vec_off[v] = v * vec_step;
    int start = tile_first(plan, begin);
    for (int t = begin; t < end; t++) {
        int first = tile_first(plan, t);
        tile.ocv = tile_first(plan, t + 1) - first;
        tile.wgt = plan->wgt + (size_t)j->group * plan->group_floats +
                   (size_t)point * plan->point_floats +
                   (size_t)first * CVK_VLEN * (size_t)plan->g.ic;
        tile.dst = j->m + point * plan->dst_point + (first - start) * vec_step;
        CVK_FN(cvk_conv_tile_blocked)(&tile, count, plan->px);
    }
}

/* Of all groups: one alone may have channels that do not fill them. */
static int dst_blocks(const wino_plan *plan)
{
    return plan->groups * divide_up(plan->g.oc, CVK_BLOCK);
}

/* What a clamp could not do, over the rows of each tile. */
static void finish_tiles(const job *j, int first, int count, int channel, float *dst)
{
    const float *origin = j->dst;
    const wino_plan *plan = j->plan;
    const cvk_geom *g = &plan->g;
    int per_image = plan->across * plan->down;
    ptrdiff_t image = (ptrdiff_t)dst_blocks(plan) * g->oh * g->ow * CVK_BLOCK;
    for (int i = first; i < first + count; i++) {
        int y0 = i % per_image / plan->across * plan->y.m, x0 = i % plan->across * plan->x.m;
        int cols = g->ow - x0 < plan->x.m ? g->ow - x0 : plan->x.m;
        for (int y = y0; y < y0 + plan->y.m && y < g->oh; y++) {
            float *row = dst + i / per_image * image + ((ptrdiff_t)y * g->ow + x0) * CVK_BLOCK;
            CVK_FN(cvk_chain_lanes)
            (&j->c, row, CVK_BLOCK, (size_t)(row - origin), CVK_BLOCK, cols, channel);
        }
    }
}

static void transform_result(const job *j, int first, int count, int begin, int end)
{
    const wino_plan *plan = j->plan;
    const cvk_geom *g = &plan->g;
    int oh = plan->pooled ? plan->pool_oh : g->oh, ow = plan->pooled ? plan->pool_ow : g->ow;
    ptrdiff_t blocks = dst_blocks(plan), pixels = (ptrdiff_t)oh * ow,
              res_pixels = (ptrdiff_t)g->oh * g->ow;
    wino_result result = {.g = g,
                          .y = plan->y,
                          .x = plan->x,
                          .across = plan->across,
                          .down = plan->down,
                          .point = plan->dst_point,
                          .half = plan->half,
                          .image = blocks * pixels * CVK_BLOCK,
                          .clamp = j->is_simple && j->simple.clamp,
                          .lo = j->simple.lo,
                          .hi = j->simple.hi,
                          .res_image = blocks * res_pixels * CVK_BLOCK,
                          .pooled = plan->pooled,
                          .is_max = plan->is_max,
                          .pool_oh = plan->pool_oh,
                          .pool_ow = plan->pool_ow};
    int start = tile_first(plan, begin), stop = tile_first(plan, end);
    for (int v = start; v < stop && v * CVK_VLEN < g->oc; v++) {
        int channel = j->group * g->oc + v * CVK_VLEN, lane = channel % CVK_BLOCK;
        result.src = j->m + (ptrdiff_t)(v - start) * plan->batch * CVK_VLEN;
        result.bias = plan->wgt + plan->bias_at + channel;
        ptrdiff_t at = channel / CVK_BLOCK * pixels * CVK_BLOCK + lane;
        result.dst =
            plan->half ? (void *)((uint16_t *)j->dst + at) : (void *)((float *)j->dst + at);
        if (j->is_simple && j->simple.res)
            result.res = j->simple.res + channel / CVK_BLOCK * res_pixels * CVK_BLOCK + lane;
        CVK_FN(cvk_wino_result)(&result, first, count);
        if (!j->is_simple) finish_tiles(j, first, count, channel, result.dst);
    }
}

static void run_part(const job *j, int part)
{
    const wino_plan *plan = j->plan;
    int first, last, begin, end;
    cvk_team_share(plan->count, part / plan->oc_parts, plan->tile_parts, &first, &last);
    cvk_team_share(plan->tiles, part % plan->oc_parts, plan->oc_parts, &begin, &end);
    for (; first < last; first += plan->batch) {
        int count = last - first < plan->batch ? last - first : plan->batch;
        transform_source(j, first, count);
        for (int t = begin; t < end; t += plan->chunk) {
            int stop = end - t < plan->chunk ? end : t + plan->chunk;
            for (int point = 0; point < plan->points; point++) multiply(j, point, t, stop, count);
            transform_result(j, first, count, t, stop);
        }
    }
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const wino_plan *plan = step->state;
    int parts = plan->tile_parts * plan->oc_parts;
    if (worker >= parts) return CVK_OK;
    job j = {.plan = plan, .src = step->in[0].data, .dst = step->out[0].data};
    j.v = (float *)step->scratch + (size_t)worker * plan->worker_floats;
    j.m = j.v + plan->src_floats;
    CVK_FN(cvk_chain_make)(step->node, step->in, 0, plan->posts, plan->groups * plan->g.oc, &j.c);
    j.is_simple = CVK_FN(cvk_chain_simplify)(&j.c, &j.simple);
    for (; j.group < plan->groups; j.group++)
        for (int part = worker; part < parts; part += workers) run_part(&j, part);
    return CVK_OK;
}

const cvk_kernel CVK_FN(cvk_cpu_conv_winograd) = {
    .op = CVK_OP_Conv,
    .name = "conv_winograd",
    .in_layout = CVK_LAYOUT_BLOCKED,
    .out_layout = CVK_LAYOUT_BLOCKED,
    .packs = 1u << 1 | 1u << 2,
    .accepts = accepts,
    .cost = work_of,
    .variant = variant,
    .prepare = prepare,
    .run = run,
};
