/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches conv_direct.cl: Conv in blocked layout (conv_direct), and from a plain input of few
 * channels, as a network's first layer has it (conv_first). Decides whether a pool behind it is
 * worth computing some rows twice.
 */
#include "kernels/opencl/conv.h"

#include <math.h>
#include <stdio.h>

/* conv_first: channels that fill less than a block; window and stride that keep its row segment
 * within SEGMENT of conv_direct.cl. */
enum { FIRST_MAX_IC = CVK_BLOCK - 1, FIRST_MAX_REACH = 64, FIRST_MAX_STRIDE = 16 };
enum { FIRST_CPU_IC = 8 }; /* with more, a reorder and the blocked rows are faster */

/* On a CPU: how many items a core gets if there is work for them, and what one is worth. */
enum { ITEMS_PER_UNIT = 16, ITEM_CYCLES = 4096 };

/* Multiply-adds that the traffic of one result, stored by a convolution and read by a pool, is
 * worth. */
enum { TRAFFIC_MACS = 96 };

/* How a pool is cut into items, and what the cut costs: rows that the busiest core computes, over
 * its even share of the convolution without a pool. */
static double band_growth(const cvk_geom *conv, const cvk_geom *pool, int tiles, int units,
                          int band)
{
    const int64_t items = (int64_t)cvk_cl_ceil_div(pool->oh, band) * tiles * conv->n;
    const int rows = (band - 1) * pool->sh + pool->kh;
    const double even = (double)conv->oh * tiles * conv->n / units;
    return (double)((items + units - 1) / units) * (rows < conv->oh ? rows : conv->oh) / even;
}

/* The smallest band, for many items, of those that cost about the least. */
static int choose_band(const cvk_geom *conv, const cvk_geom *pool, int tiles, int units)
{
    double least = INFINITY;
    for (int band = 1; band <= pool->oh; band++)
        least = fmin(least, band_growth(conv, pool, tiles, units, band));
    int band = 1;
    while (band < pool->oh && band_growth(conv, pool, tiles, units, band) > least * 1.03) band++;
    return band;
}

static bool pool_fits(const cvk_geom *p)
{
    return p->dh == 1 && p->dw == 1 && p->pt >= 0 && p->pl >= 0 && p->pt < p->kh && p->pl < p->kw &&
           (p->oh - 1) * p->sh - p->pt < p->ih && (p->ow - 1) * p->sw - p->pl < p->iw;
}

static size_t pool_local_bytes(const cvk_geom *pool, cvk_cl_tile tile)
{
    const int depth = cvk_cl_ceil_div(pool->kh, pool->sh);
    return ((size_t)pool->iw + (size_t)depth * pool->ow) * tile.ocb * CVK_BLOCK * sizeof(float);
}

static int tile_count(const cvk_geom *g, cvk_cl_tile tile)
{
    return g->group * cvk_cl_ceil_div(cvk_cl_ceil_div(g->oc / g->group, CVK_BLOCK), tile.ocb);
}

/* How long a row is of which tiles are cut: without a window the image is one. */
static int row_columns(const cvk_geom *g, bool pooled)
{
    const bool long_row =
        !pooled && g->kh == 1 && g->kw == 1 && g->sh == 1 && g->sw == 1 && g->oh == g->ih;
    return long_row ? g->oh * g->ow : g->ow;
}

static bool pool_in_local(const cvk_problem *problem, cvk_cl_tile tile)
{
    const cvk_post *post = cvk_cl_pool_post(problem->node);
    cvk_geom pool;
    return !post || (cvk_geom_post_pool(problem->node, post, &problem->out[0].shape, &pool) &&
                     pool_local_bytes(&pool, tile) <= problem->caps->local_bytes);
}

/* The tile of a variant: 0 the one picked, then others that fit; false behind the last. */
static bool tile_of(const cvk_problem *problem, const cvk_geom *g, int variant, cvk_cl_tile *tile)
{
    const int columns = row_columns(g, cvk_cl_pool_post(problem->node)),
              blocks = cvk_cl_ceil_div(g->oc / g->group, CVK_BLOCK);
    int64_t cost;
    *tile = cvk_cl_tile_pick(problem->caps, columns, blocks, &cost);
    for (int k = 1; variant; k++) {
        if (!cvk_cl_tile_other(problem->caps, columns, blocks, k, tile)) return false;
        variant -= pool_in_local(problem, *tile);
    }
    return true;
}

const char *cvk_cl_conv_direct_variant(const cvk_problem *problem, int k)
{
    cvk_geom g;
    cvk_cl_tile tile;
    return cvk_geom_conv(problem->node, &problem->in[0].shape, &problem->out[0].shape, &g) &&
                   tile_of(problem, &g, k, &tile)
               ? cvk_cl_tile_name(tile)
               : NULL;
}

const char *cvk_cl_conv_first_variant(const cvk_problem *problem, int k)
{
    return cvk_cl_conv_direct_variant(problem, k);
}

static bool pool_accepts(const cvk_problem *problem, const cvk_geom *g, const char **why_not)
{
    const cvk_post *post = cvk_cl_pool_post(problem->node);
    cvk_cl_tile tile;
    cvk_geom pool;
    if (!post) return true;
    tile_of(problem, g, 0, &tile);
    if (!cvk_geom_post_pool(problem->node, post, &problem->out[0].shape, &pool) ||
        !pool_fits(&pool)) {
        *why_not = "a pool with dilation or with windows outside the image";
        return false;
    }
    if (pool_local_bytes(&pool, tile) > problem->caps->local_bytes) {
        *why_not = "a row of the convolution does not fit local memory";
        return false;
    }
    const int tiles = tile_count(g, tile), units = problem->caps->units;
    const double more =
        band_growth(g, &pool, tiles, units, choose_band(g, &pool, tiles, units)) - 1.0;
    const double macs = (double)(g->ic / g->group) * g->kh * g->kw;
    if (more * macs <= TRAFFIC_MACS) return true;
    static _Thread_local char reason[128];
    snprintf(
        reason, sizeof reason,
        "pooling in the kernel computes or idles %.0f %% more, the traffic saved is worth %.0f %%",
        more * 100.0, TRAFFIC_MACS / macs * 100.0);
    *why_not = reason;
    return false;
}

static void make_pool(const cvk_geom *g, const cvk_post *post, const cvk_geom *pool,
                      cvk_cl_tile tile, int units, cvk_cl_conv *args)
{
    args->pool_count_pad = post->pool.count_include_pad;
    args->pool_kh = pool->kh;
    args->pool_kw = pool->kw;
    args->pool_sh = pool->sh;
    args->pool_sw = pool->sw;
    args->pool_pt = pool->pt;
    args->pool_pl = pool->pl;
    args->pool_eh = pool->ih + pool->pb;
    args->pool_ew = pool->iw + pool->pr;
    args->pool_oh = pool->oh;
    args->pool_ow = pool->ow;
    args->depth = cvk_cl_ceil_div(pool->kh, pool->sh);
    args->band = choose_band(g, pool, tile_count(g, tile), units);
}

static cvk_status add_pooled(cvk_device *device, cvk_step *step, const char *defines,
                             const cvk_geom *g, cvk_cl_tile tile, const void *wgt,
                             cvk_cl_conv *args)
{
    const cvk_post *post = cvk_cl_pool_post(step->node);
    cvk_cl_stage *stage;
    cvk_geom pool;
    if (!cvk_geom_post_pool(step->node, post, &step->out[0].shape, &pool))
        return cvk_fail(CVK_SHAPE, "the pool behind the convolution has a shape of its own");
    make_pool(g, post, &pool, tile, cvk_device_caps(device)->units, args);
    CVK_TRY(cvk_cl_stage_add(device, step, "conv_direct.cl", defines, "conv_pool", &stage));
    CVK_TRY(cvk_cl_conv_bind(stage, step, wgt, args));
    CVK_TRY(cvk_cl_arg_local(&stage->launch, 7, pool_local_bytes(&pool, tile)));
    cvk_cl_stage_size(stage, device, (size_t)cvk_cl_ceil_div(pool.oh, args->band),
                      (size_t)tile_count(g, tile), (size_t)g->n);
    for (int i = 0; i < 3; i++) stage->launch.local[i] = 1;
    return CVK_OK;
}

/* On a CPU few items of many strips, each worth some time, so that what an item begins with is
 * small beside it; elsewhere one strip each. */
static int choose_span(const cvk_device *device, const cvk_geom *g, const cvk_cl_conv *args,
                       cvk_cl_tile tile)
{
    const cvk_caps *caps = cvk_device_caps(device);
    if (!(caps->bits & CVK_CAP_CPU)) return 1;
    const int64_t strips = (int64_t)cvk_cl_ceil_div(args->ow, tile.px) * args->oh;
    const int64_t items = (int64_t)caps->units * ITEMS_PER_UNIT,
                  all = strips * tile_count(g, tile) * g->n;
    const int64_t cycles = (int64_t)tile.px * tile.ocb * (g->ic / g->group) * g->kh * g->kw;
    const int64_t even = (all + items - 1) / items, least = (ITEM_CYCLES + cycles - 1) / cycles;
    const int64_t span = even > least ? even : least;
    return (int)(span < strips ? span : strips);
}

enum { DEFINES = 96 };

static void make_defines(const cvk_step *step, cvk_cl_tile tile, bool plain_src,
                         char defines[DEFINES])
{
    const cvk_post *pool = cvk_cl_pool_post(step->node);
    snprintf(defines, DEFINES, "-DPX=%d -DOCB=%d%s%s%s", tile.px, tile.ocb,
             plain_src            ? " -DPLAIN_SRC=1"
             : step->node->pre.on ? " -DMAP=1"
                                  : "",
             step->in[0].dtype == CVK_F16 ? " -DHALF=1" : "",
             pool && pool->pool.kind == CVK_POOL_AVERAGE ? " -DPOOL_AVERAGE=1" : "");
}

/* Of a session that plans for many shapes, what is built already; else, or if nothing is, 0. */
static int pick_variant(cvk_device *device, const cvk_step *step, const cvk_problem *problem,
                        const cvk_geom *g, bool plain_src)
{
    const char *kernel = cvk_cl_pool_post(step->node) ? "conv_pool" : "conv";
    char defines[DEFINES];
    cvk_cl_tile tile;
    for (int k = 0; step->known && tile_of(problem, g, k, &tile); k++) {
        make_defines(step, tile, plain_src, defines);
        if (cvk_cl_stage_ready(device, step, "conv_direct.cl", defines, kernel)) return k;
    }
    return 0;
}

static cvk_status prepare(cvk_device *device, cvk_step *step, bool plain_src)
{
    const cvk_post *pool = cvk_cl_pool_post(step->node);
    const bool pooled = pool != NULL;
    const cvk_pre *pre = &step->node->pre;
    const cvk_cl_conv_form form = {.plain_src = plain_src};
    const cvk_problem problem = {
        .node = step->node, .in = step->in, .out = step->out, .caps = cvk_device_caps(device)};
    cvk_cl_tile tile;
    cvk_geom g;
    cvk_cl_conv args;
    cvk_cl_stage *stage;
    void *wgt;
    char defines[DEFINES];
    if (!cvk_geom_conv(step->node, &step->in[0].shape, &step->out[0].shape, &g))
        return cvk_fail(CVK_SHAPE, "the convolution's shape does not fit its window");
    const int variant = step->node->variant ? step->node->variant
                                            : pick_variant(device, step, &problem, &g, plain_src);
    if (!tile_of(&problem, &g, variant, &tile))
        return cvk_fail(CVK_UNSUPPORTED, "convolution '%s' has no variant %d", step->node->name,
                        step->node->variant);
    make_defines(step, tile, plain_src, defines);
    cvk_cl_conv_make(step, &g, tile, form, &args);
    CVK_TRY(cvk_cl_conv_pack(device, step, &g, tile, form, &wgt));
    args.span = choose_span(device, &g, &args, tile);
    if (pooled) return add_pooled(device, step, defines, &g, tile, wgt, &args);
    CVK_TRY(cvk_cl_stage_add(device, step, "conv_direct.cl", defines, "conv", &stage));
    CVK_TRY(cvk_cl_conv_bind(stage, step, wgt, &args));
    cvk_cl_stage_in(stage, 7, !pre->on ? -1 : pre->gate ? pre->gate : pre->scale);
    cvk_cl_stage_in(stage, 8, !pre->on || pre->gate ? -1 : pre->shift);
    cvk_cl_stage_size(
        stage, device,
        (size_t)cvk_cl_ceil_div(cvk_cl_ceil_div(args.ow, tile.px) * args.oh, args.span),
        (size_t)tile_count(&g, tile), (size_t)g.n);
    return CVK_OK;
}

/* A map is worth it where each pixel is read once, or not much more often. */
static bool map_accepts(const cvk_problem *problem, const cvk_geom *g, const char **why_not)
{
    const cvk_pre *pre = &problem->node->pre;
    *why_not = "only 1x1 convolutions without groups or a pool map their input";
    return !pre->on || (g->kh * g->kw == 1 && g->group == 1 && !cvk_cl_pool_post(problem->node));
}

bool cvk_cl_conv_direct_accepts(const cvk_problem *problem, const char **why_not)
{
    cvk_geom g;
    return cvk_cl_conv_accepts(problem, true, &g, why_not) && map_accepts(problem, &g, why_not) &&
           cvk_cl_conv_fills(problem, &g, (cvk_cl_conv_form){0}, why_not) &&
           pool_accepts(problem, &g, why_not);
}

cvk_status cvk_cl_conv_direct_prepare(cvk_device *device, cvk_step *step)
{
    return prepare(device, step, false);
}

void cvk_cl_conv_direct_cost(const cvk_problem *problem, cvk_work *work)
{
    cvk_cl_conv_cost(problem, work);
}

void cvk_cl_conv_first_cost(const cvk_problem *problem, cvk_work *work)
{
    cvk_cl_conv_cost(problem, work);
}

bool cvk_cl_conv_first_accepts(const cvk_problem *problem, const char **why_not)
{
    cvk_geom g;
    if (!cvk_cl_conv_accepts(problem, true, &g, why_not)) return false;
    const bool cpu = problem->caps->bits & CVK_CAP_CPU;
    if (g.group == 1 && g.ic <= (cpu ? FIRST_CPU_IC : FIRST_MAX_IC) &&
        (g.kw - 1) * g.dw <= FIRST_MAX_REACH && g.sw <= FIRST_MAX_STRIDE)
        return cvk_cl_conv_fills(problem, &g, (cvk_cl_conv_form){.plain_src = true}, why_not) &&
               pool_accepts(problem, &g, why_not);
    *why_not = cpu ? "more than 8 channels, groups, or a very wide window"
                   : "16 channels or more, groups, or a very wide window";
    return false;
}

cvk_status cvk_cl_conv_first_prepare(cvk_device *device, cvk_step *step)
{
    return prepare(device, step, true);
}
