/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches conv_winograd.cl on CPU devices: the convolutions that graph/winograd.h has a form for,
 * where the count of vector instructions says that transforms and larger weights cost less than the
 * products saved. What the form is goes into the program, all else into its arguments.
 */
#include <stdio.h>

#include "graph/winograd.h"
#include "kernels/opencl/conv.h"

enum {
    FEWEST_TILES = 16, /* of a batch: a weight read is used as often */
    MOST_TILES = 112,
    USUAL_L2_BYTES = 512 * 1024,
    PIXEL_BYTES = CVK_BLOCK * sizeof(float)
};

/* For the cost model (cvk_wino_work), as fitted to layers with 8 to 64 channels on PoCL. */
static const double source_rate = 4, result_rate = 4, sum_rate = 3;
/* Other forms and tiles are worth trying up to this, of the cost of the best. */
static const double most_cost = 1.3;
/* Of the peak, what all of it together reaches. */
static const double peak_part = 0.92;

/* wino_args of conv_winograd.cl, where the members are explained. */
typedef struct cvk_cl_winograd {
    cl_int blocks, last_lanes, ih, iw;
    cl_int oc, oc_blocks, oh, ow;
    cl_int pt, pl;
    cl_int ym, xm;
    cl_int src_step, dst_step;
    cl_int across, down, count;
    cl_int groups;
    cl_int tile_parts, oc_parts;
    cl_int batch;
    cl_int v_point, m_point, part;
    cl_int has_bias;
    cl_int pool_average, pool_oh, pool_ow;
    cvk_cl_posts posts;
} cvk_cl_winograd;

typedef struct wino_plan {
    cvk_geom g;
    cvk_wino_axis y, x;
    int side, points; /* of the axes that are transformed; of a tile */
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

static void plan_form(wino_plan *plan)
{
    const cvk_geom *g = &plan->g;
    plan->side = plan->y.side > 1 ? plan->y.side : plan->x.side;
    plan->points = plan->y.side * plan->x.side;
    plan->blocks = cvk_cl_ceil_div(g->ic, CVK_BLOCK);
    plan->oc_blocks = cvk_cl_ceil_div(g->oc, CVK_BLOCK);
    plan->across = cvk_cl_ceil_div(g->ow, plan->x.m);
    plan->down = cvk_cl_ceil_div(g->oh, plan->y.m);
    plan->count = g->n * plan->across * plan->down;
}

static void plan_tile(wino_plan *plan, cvk_cl_tile tile)
{
    plan->tile = tile;
    plan->groups = cvk_cl_ceil_div(plan->oc_blocks, tile.ocb);
}

/* Slots of the class's best tiles may cost so much more than of the best. */
enum { GOOD_COST = 104 };

/* The register tile with the fewest idle blocks. */
static void pick_tile(wino_plan *plan, const cvk_caps *caps)
{
    int least = INT32_MAX;
    for (const cvk_cl_tile_cost *t = cvk_cl_tiles(caps); t->cost; t++) {
        const int whole = cvk_cl_ceil_div(plan->oc_blocks, t->tile.ocb) * t->tile.ocb;
        if (whole >= least || t->cost > GOOD_COST) continue;
        least = whole;
        plan_tile(plan, t->tile);
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
    const int tiles = cvk_cl_ceil_div(plan->count, tile_parts), batch = batch_of(plan, tiles, l2);
    const int batches = cvk_cl_ceil_div(tiles, batch);
    const cvk_wino_work work = {.points = plan->points,
                                .ic = plan->g.ic,
                                .batches = batches,
                                .tiles = tiles,
                                .slots =
                                    batches * cvk_cl_ceil_div(batch, plan->tile.px) * plan->tile.px,
                                .sources = plan->blocks,
                                .results = cvk_cl_ceil_div(plan->groups, oc_parts) * plan->tile.ocb,
                                .lanes = CVK_BLOCK,
                                .mad_cycles = 1,
                                .source_rate = source_rate,
                                .result_rate = result_rate,
                                .sum_rate = sum_rate};
    return cvk_wino_cycles(&work);
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
    plan->part =
        (size_t)plan->points * ((size_t)plan->v_point + (size_t)plan->m_point) + (size_t)plan->side;
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
    cvk_geom pool;
    if (!post) return true;
    if (!cvk_geom_post_pool(problem->node, post, &problem->out[0].shape, &pool))
        return refuse(why_not, "a pool that is neither 1-D nor 2-D, or too large");
    return cvk_wino_pools(g, &pool, why_not);
}

static size_t l2_of(const cvk_caps *caps)
{
    return caps->l2_bytes ? caps->l2_bytes : USUAL_L2_BYTES;
}

/* Whether all of it fits buffers. */
static bool plan_finish(wino_plan *plan, const cvk_caps *caps)
{
    plan_scratch(plan, l2_of(caps));
    return pack_bytes(plan) <= caps->max_buffer_bytes &&
           scratch_bytes(plan) <= caps->max_buffer_bytes && plan->part <= INT32_MAX;
}

static bool same_way(const wino_plan *a, const wino_plan *b)
{
    return a->y.m == b->y.m && a->x.m == b->x.m && a->tile.px == b->tile.px &&
           a->tile.ocb == b->tile.ocb;
}

/* What a pool adds is left out on both sides. */
static bool plan_make(const cvk_problem *problem, wino_plan *best, const char **why_not)
{
    const cvk_caps *caps = problem->caps;
    wino_plan plan = {0};
    if (!cvk_cl_conv_accepts(problem, true, &plan.g, why_not)) return false;
    if (!cvk_wino_dense(&plan.g, why_not) || !pool_accepts(problem, &plan.g, why_not)) return false;
    const double direct = cvk_cl_conv_direct_cycles(caps, &plan.g) / caps->units;
    bool any = false;
    best->cost = direct;
    for (int i = 0; i < cvk_wino_forms(); i++) {
        if (!cvk_wino_form(i, &plan.g, problem->node->tolerance, &plan.y, &plan.x)) continue;
        any = true;
        plan_form(&plan);
        pick_tile(&plan, caps);
        if (plan.count < plan.tile.px) continue;
        plan_split(&plan, caps->units, l2_of(caps));
        if (plan.cost < best->cost) *best = plan;
    }
    if (!any) return refuse(why_not, CVK_WINO_NO_FORM);
    if (best->cost >= direct)
        return refuse(why_not, "the direct convolution is estimated to be faster");
    if (plan_finish(best, caps)) return true;
    return refuse(why_not, "the transformed weights or tiles do not fit a buffer");
}

/* The k-th other pair of a form and a tile, for a problem that is accepted. */
static bool plan_other(const cvk_problem *problem, int k, wino_plan *plan)
{
    const cvk_caps *caps = problem->caps;
    const char *why_not;
    wino_plan best;
    if (!plan_make(problem, &best, &why_not)) return false;
    *plan = (wino_plan){.g = best.g};
    for (int i = 0; i < cvk_wino_forms(); i++) {
        if (!cvk_wino_form(i, &plan->g, problem->node->tolerance, &plan->y, &plan->x)) continue;
        plan_form(plan);
        for (const cvk_cl_tile_cost *t = cvk_cl_tiles(caps); t->cost; t++) {
            plan_tile(plan, t->tile);
            if (plan->count < t->tile.px) continue;
            plan_split(plan, caps->units, l2_of(caps));
            if (same_way(plan, &best) || plan->cost > most_cost * best.cost) continue;
            if (plan_finish(plan, caps) && !--k) return true;
        }
    }
    return false;
}

bool cvk_cl_conv_winograd_accepts(const cvk_problem *problem, const char **why_not)
{
    wino_plan plan;
    return plan_make(problem, &plan, why_not);
}

/* "F4x4,8x2": results of a picture tile, register tile. */
const char *cvk_cl_conv_winograd_variant(const cvk_problem *problem, int k)
{
    static _Thread_local char name[48];
    wino_plan plan;
    if (!plan_other(problem, k, &plan)) return NULL;
    snprintf(name, sizeof name, "F%dx%d,%s", plan.y.m, plan.x.m, cvk_cl_tile_name(plan.tile));
    return name;
}

void cvk_cl_conv_winograd_cost(const cvk_problem *problem, cvk_work *work)
{
    wino_plan plan;
    const char *why_not;
    if (!plan_make(problem, &plan, &why_not)) return;
    work->macs = plan.cost * problem->caps->units * CVK_BLOCK / peak_part;
    work->weight_bytes = 0; /* are in the plan's cycles */
}

/* --- packed weights --- */

typedef struct pack_arg {
    const wino_plan *plan;
    cvk_wino_matrix y, x;
    const float *wgt;
} pack_arg;

/* [group][point][channel][b][lane]; memory comes zeroed. */
static void pack_fill(void *memory, const void *context)
{
    const pack_arg *arg = context;
    const wino_plan *plan = arg->plan;
    const size_t lanes = (size_t)plan->tile.ocb * CVK_BLOCK,
                 taps = (size_t)plan->y.taps * (size_t)plan->x.taps;
    const size_t point_floats = (size_t)plan->blocks * CVK_BLOCK * lanes;
    for (int oc = 0; oc < plan->g.oc; oc++) {
        float *group = (float *)memory + (size_t)oc / lanes * point_floats * (size_t)plan->points;
        for (int ic = 0; ic < plan->g.ic; ic++) {
            float u[CVK_WINO_POINTS];
            float *to = group + (size_t)ic * lanes + (size_t)oc % lanes;
            cvk_wino_weights(&arg->y, &arg->x, arg->wgt + ((size_t)oc * plan->g.ic + ic) * taps, u);
            for (int p = 0; p < plan->points; p++) to[(size_t)p * point_floats] = u[p];
        }
    }
}

static uint64_t pack_variant(const wino_plan *plan)
{
    const int facts[] = {plan->g.oc,     plan->g.ic, plan->y.m,    plan->y.taps,
                         plan->y.stride, plan->x.m,  plan->x.taps, plan->tile.ocb};
    uint64_t variant = 0;
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        variant = variant * 1000003u + (uint64_t)facts[i];
    return variant;
}

static cvk_status pack(cvk_device *device, cvk_step *step, const wino_plan *plan, void **wgt)
{
    const cvk_view *source = &step->in[1];
    pack_arg arg = {.plan = plan, .wgt = source->data};
    cvk_wino_matrix_make(&plan->y, &arg.y);
    cvk_wino_matrix_make(&plan->x, &arg.x);
    const cvk_pack request = {.source = source->data,
                              .source_bytes = cvk_view_bytes(source),
                              .kind = "opencl conv_winograd",
                              .variant = pack_variant(plan),
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
                              .ym = plan->y.m,
                              .xm = plan->x.m,
                              .src_step = plan->y.side > 1 ? g->iw : 1,
                              .dst_step = plan->y.side > 1 ? g->ow : 1,
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
                              .has_bias = cvk_cl_has_input(step->node, step->in, 2)};
    if (pool) {
        args->pool_average = pool->pool.kind == CVK_POOL_AVERAGE;
        args->pool_oh = (cl_int)step->out[0].shape.dims[step->out[0].shape.rank - 2];
        args->pool_ow = (cl_int)step->out[0].shape.dims[step->out[0].shape.rank - 1];
    }
}

/* " -DNAME=a,b,..", exactly. */
static const char *list_define(cvk_step *step, const char *name, const float *list, int count)
{
    const char *text = cvk_arena_printf(step->arena, " -D%s=", name);
    for (int i = 0; text && i < count; i++)
        text = cvk_arena_printf(step->arena, "%s%s%af", text, i ? "," : "", (double)list[i]);
    return text;
}

/* The lists of a side without a stride; NULL: out of memory. */
static const char *point_defines(cvk_step *step, int side)
{
    const cvk_wino_points *p = cvk_wino_points_of(side);
    const int pairs = side / 2 - 1;
    float others[CVK_WINO_PAIRS * CVK_WINO_PAIRS] = {0};
    for (int i = 0; i < pairs * (pairs - 1); i++)
        others[i] = p->others[i / (pairs - 1)][i % (pairs - 1)];
    const char *point = list_define(step, "POINT_LIST", p->point, pairs),
               *all = list_define(step, "ALL_LIST", p->all, pairs),
               *other =
                   list_define(step, "OTHER_LIST", others, pairs > 1 ? pairs * (pairs - 1) : 1);
    return point && all && other ? cvk_arena_printf(step->arena, "%s%s%s", point, all, other)
                                 : NULL;
}

/* NULL: out of memory. */
static const char *make_defines(cvk_step *step, const wino_plan *plan)
{
    const cvk_wino_axis *axis = plan->y.side > 1 ? &plan->y : &plan->x;
    const char *points = axis->stride == 1
                             ? point_defines(step, axis->side)
                             : cvk_arena_printf(step->arena, " -DLONE=%af", (double)CVK_WINO_LONE);
    if (!points) return NULL;
    return cvk_arena_printf(
        step->arena, "-DEDGE=%d -DSIDE=%d -DSTRIDE=%d -DLINE=%d -DPX=%d -DOCB=%d%s%s", axis->m,
        axis->side, axis->stride, plan->y.side != plan->x.side, plan->tile.px, plan->tile.ocb,
        points, step->in[0].dtype == CVK_F16 ? " -DHALF=1" : "");
}

/* The variant's plan and defines; of a session that plans for many shapes, those of a way that is built
 * already, if one is. */
static cvk_status plan_step(cvk_device *device, cvk_step *step, const cvk_problem *problem,
                            const char *kernel, wino_plan *plan, const char **defines)
{
    const char *why_not = "unknown";
    const int variant = step->node->variant;
    if (!variant && !plan_make(problem, plan, &why_not))
        return cvk_fail(CVK_UNSUPPORTED, "convolution '%s': %s", step->node->name, why_not);
    if (variant && !plan_other(problem, variant, plan))
        return cvk_fail(CVK_UNSUPPORTED, "convolution '%s' has no variant %d", step->node->name,
                        variant);
    *defines = make_defines(step, plan);
    if (!*defines) return CVK_NO_MEMORY;
    wino_plan other = *plan;
    const char *others = *defines;
    for (int k = 1; step->known && !variant; k++) {
        if (cvk_cl_stage_ready(device, step, "conv_winograd.cl", others, kernel)) {
            *plan = other;
            *defines = others;
            break;
        }
        if (!plan_other(problem, k, &other)) break;
        others = make_defines(step, &other);
        if (!others) return CVK_NO_MEMORY;
    }
    return CVK_OK;
}

cvk_status cvk_cl_conv_winograd_prepare(cvk_device *device, cvk_step *step)
{
    const char *kernel = cvk_cl_pool_post(step->node) ? "winograd_pool" : "winograd",
               *defines = NULL;
    const cvk_problem problem = {
        .node = step->node, .in = step->in, .out = step->out, .caps = cvk_device_caps(device)};
    wino_plan plan;
    cvk_cl_winograd args;
    cvk_cl_stage *stage;
    void *wgt;
    int residual, slope;
    CVK_TRY(plan_step(device, step, &problem, kernel, &plan, &defines));
    make_args(step, &plan, &args);
    cvk_cl_posts_make(step->node, step->in, &args.posts, &residual, &slope);
    CVK_TRY(pack(device, step, &plan, &wgt));
    step->scratch_bytes = scratch_bytes(&plan);
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
