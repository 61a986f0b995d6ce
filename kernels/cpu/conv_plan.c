/* SPDX-License-Identifier: Apache-2.0
 *
 * Sizes and splits of a tiled convolution (see conv_plan.h); conv_pack.c makes its tables.
 */
#include "kernels/cpu/conv_plan.h"

#include <limits.h>
#include <string.h>

#include "kernels/cpu/conv_tile.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/ints.h"
#include "kernels/cpu/row.h"
#include "kernels/cpu/work.h"

enum {
    USUAL_L2_BYTES = 512 * 1024,
    FIRST_CHANNELS = 8,
    FEW_CHANNELS = 4, /* of a result whose other lanes may be too many */
    LINE_TILES = 4
};

/* For the cost model: bytes per cycle from the last cache, and to and from it when a result goes
 * out and is read again; floats copied per cycle, in vecs; cycles of a float stored by itself. */
static const double weight_rate = 8, traffic_rate = 12, copy_rate = 0.6, scatter_cycles = 1.5;
static const double worth = 0.98; /* of the cost of a simpler split */
/* For predictions: what the plan's cycles take, by form; with blocked pixels of which most lanes
 * are empty, which come from as many lines of the caches as full ones; cycles of a float that is
 * stored in its place among those of other phases. */
static const double form_cost[] = {[CONV_BLOCKED] = 1, [CONV_FIRST] = 1.15, [CONV_PLAIN] = 1.2};
static const double thin_cost = 1.35, store_cycles = 4;

static size_t l2_bytes(const cvk_caps *caps)
{
    return caps->l2_bytes ? caps->l2_bytes : USUAL_L2_BYTES;
}

static int gcd(int a, int b)
{
    return b ? gcd(b, a % b) : a;
}

/* --- source geometry --- */

static conv_axis strided_axis(int kernel, int stride, int dilation, int pad)
{
    int period = stride / gcd(stride, dilation);
    return (conv_axis){.stride = stride,
                       .dilation = dilation,
                       .slots = kernel < period ? kernel : period,
                       .origin = pad,
                       .extra = (kernel - 1) * dilation / stride};
}

static conv_axis transposed_axis(int kernel, int stride, int dilation, int pad)
{
    int low = INT_MAX, high = INT_MIN, line;
    for (int first = 0; first < stride; first++) {
        for (int k = 0; k < kernel; k++) {
            if (!conv_transposed_line(first, k, stride, dilation, pad, &line)) continue;
            if (line < low) low = line;
            if (line > high) high = line;
        }
    }
    return (conv_axis){.stride = 1, .dilation = 1, .slots = 1, .origin = -low, .extra = high - low};
}

static bool fits_in_place(const cvk_geom *g, bool transposed)
{
    return !transposed && g->sw == 1 && !g->pt && !g->pl && g->pb <= 0 && g->pr <= 0;
}

static void plan_source(conv_plan *plan)
{
    const cvk_geom *g = &plan->g;
    plan->copy = plan->half || plan->mapped || !fits_in_place(g, plan->transposed);
    if (plan->transposed) {
        plan->y = transposed_axis(g->kh, g->sh, g->dh, g->pt);
        plan->x = transposed_axis(g->kw, g->sw, g->dw, g->pl);
    } else {
        plan->y = strided_axis(g->kh, g->sh, g->dh, g->pt);
        plan->x = strided_axis(g->kw, g->sw, g->dw, g->pl);
    }
}

/* A pool over the whole picture. */
static bool pools_all(const conv_plan *plan)
{
    const cvk_geom *p = &plan->pool;
    return plan->pooled && p->oh * p->ow == 1 && p->kh == p->ih && p->kw == p->iw && !p->pt &&
           !p->pl && !p->pb && !p->pr && p->dh == 1 && p->dw == 1;
}

/* Without a window, the image is one row where it must be copied anyway, or nobody asks for its
 * rows: before a pool over all of it, whose window becomes that row. */
static void flatten(conv_plan *plan)
{
    cvk_geom *g = &plan->g, *p = &plan->pool;
    const bool all = pools_all(plan);
    if (!(plan->half || plan->mapped || all) || (plan->pooled && !all)) return;
    if (plan->transposed || !fits_in_place(g, false)) return;
    if (g->kh * g->kw != 1 || g->sh != 1 || g->oh != g->ih || g->ow != g->iw) return;
    g->iw = g->ow = g->oh * g->ow;
    g->ih = g->oh = 1;
    if (!all) return;
    p->kw = p->sw = p->iw = g->ow;
    p->kh = p->sh = p->ih = 1;
}

/* Cuts the line into pieces of that many register tiles. */
static void plan_pieces(conv_plan *plan, int tiles)
{
    plan->rows = divide_up(plan->line, plan->px * tiles);
    plan->cols = divide_up(divide_up(plan->line, plan->rows), plan->px) * plan->px;
    plan->rows = divide_up(plan->line, plan->cols);
}

/* Rows and columns of the outputs; or one line, cut into pieces. */
static void plan_outputs(conv_plan *plan)
{
    const cvk_geom *g = &plan->g;
    plan->n_phases = plan->transposed ? g->sh * g->sw : 1;
    plan->ystep = plan->transposed ? g->sh : 1;
    plan->xstep = plan->transposed ? g->sw : 1;
    plan->rows = divide_up(g->oh, plan->ystep);
    plan->cols = divide_up(g->ow, plan->xstep);
    bool map = !plan->copy && g->kh * g->kw == 1 && g->sh == 1 && g->oh == g->ih && g->ow == g->iw;
    bool flat = g->oh == 1 && g->ih == 1 && g->kh == 1 && !g->pt;
    if (plan->transposed || plan->pooled || !(map || flat)) return;
    plan->line = map ? g->oh * g->ow : g->ow;
    plan_pieces(plan, LINE_TILES);
}

/* --- output tiles --- */

static void plan_tiles(conv_plan *plan, size_t l2)
{
    const cvk_geom *g = &plan->g;
    int taps = g->kh * g->kw, cols = divide_up(g->ow, plan->transposed ? g->sw : 1);
    if (plan->form == CONV_PLAIN) {
        plan->lanes = 1;
        plan->vecs = plan->ocg;
        plan->tile_vecs = CONV_PLANES_OC;
        plan->px = CONV_PLANES_PX;
    } else {
        plan->lanes = CVK_VLEN;
        plan->vecs = (int)round_up((size_t)divide_up(plan->ocg, CVK_VLEN), CONV_TILE_STEP);
        bool narrow = (taps == 1 || cols <= CVK_TILE1_PX) && plan->vecs > CVK_TILE_OCV;
        plan->tile_vecs = narrow ? CVK_TILE1_OCV : CVK_TILE_OCV;
        plan->px = narrow ? CVK_TILE1_PX : CVK_TILE_PX;
    }
    plan->tiles = divide_up(plan->vecs, plan->tile_vecs);
    plan->chunk = plan->blocks;
    if (plan->unit == 1) return;
    size_t block_bytes =
        sizeof(float) * (size_t)plan->tile_vecs * (size_t)plan->lanes * (size_t)taps * CVK_BLOCK;
    size_t fit = l2 / 4 / block_bytes;
    int stretches = divide_up(plan->blocks, fit < 1 ? 1 : fit > INT_MAX ? INT_MAX : (int)fit);
    plan->chunk = divide_up(plan->blocks, stretches);
}

/* --- bands --- */

static int pool_reach(const conv_plan *plan)
{
    return (plan->pool.kh - 1) * plan->pool.dh + 1;
}

static int conv_rows_of(const conv_plan *plan, int band)
{
    return plan->pooled ? (band - 1) * plan->pool.sh + pool_reach(plan) : band;
}

static double line_floats(const conv_plan *plan)
{
    if (!plan->copy)
        return (double)plan->blocks * plan->unit *
               (plan->line ? plan->cols : plan->g.sh * plan->g.iw);
    return (double)plan->blocks * plan->unit * plan->y.slots * plan->x.slots *
           (plan->cols + plan->x.extra);
}

static double band_bytes(const conv_plan *plan, int band)
{
    int rows = conv_rows_of(plan, band);
    double floats = line_floats(plan) * (rows + plan->y.extra);
    if (plan->pooled) floats += (double)rows * plan->cols * plan->tile_vecs * plan->lanes;
    return floats * (double)sizeof(float);
}

/* As many rows as leave room in L2 for weights and results; all that a part has if they fit. */
static void plan_band(conv_plan *plan, size_t l2)
{
    int most = plan->listed ? plan->units : divide_up(plan->units, plan->row_parts);
    int rows = plan->pooled ? plan->pool.oh : plan->rows;
    if (most > rows) most = rows;
    double limit = (double)l2 * (plan->pooled ? 0.5 : 0.375);
    double first = band_bytes(plan, 1), each = band_bytes(plan, 2) - first;
    double fit = first >= limit ? 1 : 1 + (limit - first) / each;
    plan->band = fit < most ? (int)fit : most;
    int bands = divide_up(most, plan->band);
    plan->band = divide_up(most, bands);
}

/* --- workers --- */

/* Cycles of `columns` output columns, all of a row's taps and channels, for one vec of channels. */
static double column_cycles(const conv_plan *plan, double columns)
{
    double depth = (double)plan->icg * plan->g.kh * plan->g.kw;
    double fma_cycles = CVK_VLEN == 16 ? 1.0 : 0.5,
           per_vec = plan->form == CONV_PLAIN ? CVK_VLEN : 1;
    return columns * depth * fma_cycles / per_vec;
}

/* Cycles in which the weights of so many vecs arrive. */
static double weight_cycles(const conv_plan *plan, double vecs)
{
    double depth = (double)plan->icg * plan->g.kh * plan->g.kw;
    return vecs * plan->lanes * depth * sizeof(float) / weight_rate;
}

static double whole_columns(const conv_plan *plan, int columns)
{
    return plan->form == CONV_PLAIN ? (double)round_up((size_t)columns, CVK_VLEN) : columns;
}

/* Vecs before tile `tile` of all groups. */
static int vecs_before(const conv_plan *plan, int tile)
{
    return tile / plan->tiles * plan->vecs + conv_tile_first(plan, tile % plan->tiles);
}

/* The most vecs of one of oc_parts shares of the tiles. */
static int most_vecs(const conv_plan *plan, int oc_parts)
{
    int most = 0;
    for (int part = 0; part < oc_parts; part++)
        most = max(most, vecs_before(plan, conv_oc_share(plan, part + 1, oc_parts)) -
                             vecs_before(plan, conv_oc_share(plan, part, oc_parts)));
    return most;
}

/* Vecs whose weights a part reads. */
static double part_vecs(const conv_plan *plan)
{
    const double even = (double)plan->vecs * plan->g.group / (plan->row_parts * plan->oc_parts);
    return plan->listed ? even + plan->tile_vecs : most_vecs(plan, plan->oc_parts);
}

/* Cycles of the largest part, if the rows are cut in row_parts and the output tiles in oc_parts. */
static double part_cost(const conv_plan *plan, int row_parts, int oc_parts)
{
    const cvk_geom *g = &plan->g;
    double rows = divide_up(plan->units, row_parts), images = rows * row_parts <= g->n ? rows : 1;
    if (plan->pooled) {
        int overlap = pool_reach(plan) - plan->pool.sh;
        rows = rows * plan->pool.sh + (overlap > 0 && row_parts > 1 ? overlap : 0);
        if (rows > (double)g->oh * g->n) rows = (double)g->oh * g->n;
    }
    double tiles = divide_up(plan->tiles * g->group, oc_parts);
    double vecs = most_vecs(plan, oc_parts);
    double compute = vecs * column_cycles(plan, rows * whole_columns(plan, plan->cols));
    double lines = rows + plan->y.extra * images;
    double copy = plan->copy ? lines * line_floats(plan) / CVK_VLEN / copy_rate : 0;
    double groups = g->group > 1 && tiles < plan->tiles * g->group ? tiles / plan->tiles : g->group;
    return compute + weight_cycles(plan, vecs) + copy * groups;
}

static void plan_grid(conv_plan *plan, int workers)
{
    int most = plan->tiles * plan->g.group;
    plan->units = plan->g.n * (plan->pooled ? plan->pool.oh : plan->rows);
    plan->cost = 0;
    for (int oc_parts = 1; oc_parts <= workers && oc_parts <= most; oc_parts++) {
        int row_parts = workers / oc_parts;
        if (row_parts > plan->units) row_parts = plan->units;
        double cost = part_cost(plan, row_parts, oc_parts);
        if (plan->cost != 0 && cost >= plan->cost) continue;
        plan->cost = cost;
        plan->row_parts = row_parts;
        plan->oc_parts = oc_parts;
    }
}

/* Vecs times columns of place `at` of the list. */
static double place_size(const conv_plan *plan, int at)
{
    int tile = at / plan->units % plan->tiles, row = at % plan->units % plan->rows;
    int columns = min(plan->cols, plan->line - row * plan->cols);
    return (conv_tile_first(plan, tile + 1) - conv_tile_first(plan, tile)) *
           whole_columns(plan, columns);
}

double CVK_FN(cvk_conv_plan_cuts)(const conv_plan *plan, int parts, int *cuts)
{
    const int places = plan->units * plan->tiles * plan->g.group;
    double all = 0, done = 0, begun = 0, most = 0;
    for (int i = 0; i < places; i++) all += place_size(plan, i);
    for (int i = 0, part = 1; i < places; i++) {
        double size = place_size(plan, i);
        if (part < parts && done + size / 2 > all * part / parts) {
            if (done - begun > most) most = done - begun;
            begun = done;
            if (cuts) cuts[part] = i;
            part++;
        }
        done += size;
    }
    if (cuts) {
        cuts[0] = 0;
        cuts[parts] = places;
    }
    return done - begun > most ? done - begun : most;
}

/* Where neither rows nor tiles come out even, workers may share the list of all pieces of all
 * tiles, tile after tile. The source of all tiles must then stay in L2. */
static void plan_list(conv_plan *plan, int workers, size_t l2)
{
    const int places = plan->units * plan->tiles * plan->g.group;
    if (!plan->line || plan->copy || workers < 2 || places < 2 * workers) return;
    if (line_floats(plan) * plan->units * (double)sizeof(float) > 0.375 * (double)l2) return;
    double most = CVK_FN(cvk_conv_plan_cuts)(plan, workers, NULL);
    conv_plan listed = *plan;
    listed.listed = true;
    listed.row_parts = workers;
    listed.oc_parts = 1;
    listed.cost = column_cycles(plan, most) + weight_cycles(plan, part_vecs(&listed));
    if (listed.cost < worth * plan->cost) *plan = listed;
}

/* A line is cut into smaller pieces where workers then share them more evenly. */
static void plan_split(conv_plan *plan, int workers, size_t l2)
{
    plan_grid(plan, workers);
    plan_list(plan, workers, l2);
    for (int tiles = LINE_TILES - 1; plan->line && tiles > 0; tiles--) {
        conv_plan finer = *plan;
        finer.listed = false;
        plan_pieces(&finer, tiles);
        plan_grid(&finer, workers);
        plan_list(&finer, workers, l2);
        if (finer.cost < worth * plan->cost) *plan = finer;
    }
}

/* --- scratch --- */

static bool plan_scratch(conv_plan *plan)
{
    int rows = conv_rows_of(plan, plan->band);
    plan->pool_rows = rows;
    plan->lines = rows + plan->y.extra;
    plan->pitch = plan->cols + plan->x.extra;
    if (line_floats(plan) * plan->lines > INT_MAX) return false;
    if (plan->copy) {
        plan->row_step = (ptrdiff_t)plan->x.slots * plan->pitch * plan->unit;
        plan->slot_step = plan->row_step * plan->lines;
        plan->block_step = plan->slot_step * plan->y.slots;
        plan->src_floats = round_up((size_t)plan->block_step * (size_t)plan->blocks, CVK_BLOCK);
    } else {
        plan->row_step =
            (ptrdiff_t)plan->unit * (plan->line ? plan->cols : plan->g.sh * plan->g.iw);
        plan->block_step = (ptrdiff_t)plan->g.ih * plan->g.iw * plan->unit;
    }
    size_t row = (size_t)plan->cols * (size_t)plan->lanes;
    if (plan->pooled || plan->half)
        plan->conv_floats = round_up(row * (size_t)rows * (size_t)plan->tile_vecs, CVK_BLOCK);
    if (plan->pooled) {
        int overlap = pool_reach(plan) - plan->pool.sh;
        plan->keep = overlap > 0 ? overlap : 0;
        int tiles = divide_up(plan->tiles * plan->g.group, plan->oc_parts);
        plan->keep_floats =
            round_up(row * (size_t)plan->keep * (size_t)(tiles * plan->tile_vecs), CVK_BLOCK);
    }
    if (plan->pooled && plan->half) plan->line_floats = (size_t)plan->pool.ow * CVK_BLOCK;
    plan->worker_floats =
        plan->src_floats + plan->conv_floats + plan->keep_floats + plan->line_floats;
    return true;
}

/* --- what is accepted --- */

static bool plan_channels(conv_plan *plan, const char **why_not)
{
    const cvk_geom *g = &plan->g;
    plan->icg = g->ic / g->group;
    plan->ocg = g->oc / g->group;
    plan->unit = plan->form == CONV_BLOCKED ? CVK_BLOCK : 1;
    plan->blocks = divide_up(plan->icg, plan->unit);
    plan->last = plan->icg - (plan->blocks - 1) * plan->unit;
    if (plan->form == CONV_BLOCKED && g->group > 1 &&
        (plan->icg % CVK_BLOCK || plan->ocg % CVK_BLOCK)) {
        *why_not = "a group's channels are not whole blocks of 16";
        return false;
    }
    if (plan->form == CONV_FIRST && (g->group > 1 || g->ic > FIRST_CHANNELS)) {
        *why_not = g->group > 1 ? "grouped" : "more than 8 input channels";
        return false;
    }
    return true;
}

static bool plan_posts(conv_plan *plan, const cvk_problem *problem, const char **why_not)
{
    const cvk_node *node = problem->node;
    plan->pre = plan->post = node->n_posts;
    if (!node->n_posts || node->posts[node->n_posts - 1].kind != CVK_POST_POOL) return true;
    if (plan->form == CONV_PLAIN || plan->transposed) {
        *why_not = "has no fused pool";
        return false;
    }
    const cvk_post *pool = &node->posts[node->n_posts - 1];
    if (!cvk_geom_post_pool(node, pool, &problem->out[0].shape, &plan->pool)) {
        *why_not = "pool of an unusual shape";
        return false;
    }
    plan->pooled = true;
    plan->pool_params = pool->pool;
    plan->pre = plan->post = node->n_posts - 1;
    if (pool->pool.kind == CVK_POOL_MAX)
        while (plan->pre > 0 && node->posts[plan->pre - 1].kind == CVK_POST_ACT &&
               CVK_FN(cvk_act_monotone)(&node->posts[plan->pre - 1].act))
            plan->pre--;
    return true;
}

/* Whether fusing the pool is no dearer than writing the rows out and reading them again. */
static bool pool_pays(const conv_plan *plan, const cvk_caps *caps, const char **why_not)
{
    size_t l2 = l2_bytes(caps);
    if (band_bytes(plan, 1) > (double)l2) {
        *why_not = "the rows that a row of the pool needs do not fit in L2";
        return false;
    }
    conv_plan apart = *plan;
    apart.pooled = false;
    plan_outputs(&apart);
    plan_grid(&apart, caps->units);
    double floats =
        (double)plan->g.n * plan->rows * plan->cols * plan->vecs * plan->lanes * plan->g.group;
    double traffic = 2 * sizeof(float) * floats / traffic_rate / (apart.row_parts * apart.oc_parts);
    if (plan->cost > apart.cost + traffic) {
        *why_not = "the largest share of a worker grows by more than the traffic saved";
        return false;
    }
    return true;
}

static bool plan_inputs(conv_plan *plan, const cvk_problem *problem, const char **why_not)
{
    const cvk_view *in = problem->in, *bias = CVK_FN(cvk_third_input)(problem->node, in);
    plan->half = in[0].dtype == CVK_F16;
    plan->mapped = problem->node->pre.on;
    plan->gated = plan->mapped && problem->node->pre.gate;
    if (plan->half && (plan->form == CONV_PLAIN || plan->transposed || plan->mapped)) {
        *why_not = "not float32";
        return false;
    }
    if (!row_floats(problem, why_not)) return false;
    if (!in[1].data || in[1].dtype != CVK_F32 || (bias && !bias->data)) {
        *why_not = "weights are not constant";
        return false;
    }
    if (!cvk_geom_conv(problem->node, &in[0].shape, &problem->out[0].shape, &plan->g)) {
        *why_not = "neither 1-D nor 2-D, or too large";
        return false;
    }
    return true;
}

bool CVK_FN(cvk_conv_plan_make)(const cvk_problem *problem, conv_form form, bool transposed,
                                conv_plan *plan, const char **why_not)
{
    const cvk_caps *caps = problem->caps;
    *plan = (conv_plan){.form = form, .transposed = transposed};
    if (!plan_inputs(plan, problem, why_not)) return false;
    if (!plan_channels(plan, why_not)) return false;
    if (!plan_posts(plan, problem, why_not)) return false;
    flatten(plan);
    plan_source(plan);
    plan_tiles(plan, l2_bytes(caps));
    plan_outputs(plan);
    plan_split(plan, max(caps->units, 1), l2_bytes(caps));
    if (plan->pooled && !pool_pays(plan, caps, why_not)) return false;
    plan_band(plan, l2_bytes(caps));
    if (plan_scratch(plan)) return true;
    *why_not = "rows too long";
    return false;
}

bool CVK_FN(cvk_conv_lanes_idle)(const cvk_problem *problem, const conv_plan *plan)
{
    const cvk_geom *g = &plan->g;
    const char *why_not;
    conv_plan plain;
    if (g->oc > FEW_CHANNELS || plan->pooled || plan->mapped) return false;
    if (!CVK_FN(cvk_conv_plan_make)(problem, CONV_PLAIN, plan->transposed, &plain, &why_not))
        return false;
    double parts = (double)plan->row_parts * plan->oc_parts;
    double pixels = (double)g->n * g->oh * g->ow / parts;
    double idle = 2 * sizeof(float) * pixels * (CVK_BLOCK - g->oc) / traffic_rate;
    double source = (double)g->n * plan->blocks * CVK_BLOCK * g->ih * g->iw / parts;
    double reorder = plan->unit == 1 ? 0 : 2 * sizeof(float) * source / traffic_rate;
    double scatter = plain.xstep > 1 ? pixels * g->oc * scatter_cycles : 0;
    return plan->cost + idle > plain.cost + reorder + scatter;
}

cvk_status CVK_FN(cvk_conv_prepare)(cvk_device *device, cvk_step *step, conv_form form,
                                    bool transposed)
{
    conv_plan *plan = cvk_step_alloc(step, sizeof *plan);
    if (!plan) return CVK_NO_MEMORY;
    const char *why_not = "unknown";
    cvk_problem problem = {
        .node = step->node, .in = step->in, .out = step->out, .caps = cvk_device_caps(device)};
    if (!CVK_FN(cvk_conv_plan_make)(&problem, form, transposed, plan, &why_not))
        return cvk_fail(CVK_UNSUPPORTED, "convolution '%s': %s", step->node->name, why_not);
    step->state = plan;
    return CVK_FN(cvk_conv_plan_finish)(device, step, plan);
}

void CVK_FN(cvk_conv_plan_cost)(const cvk_problem *problem, conv_form form, bool transposed,
                                cvk_work *work)
{
    conv_plan plan;
    const char *why_not;
    if (!CVK_FN(cvk_conv_plan_make)(problem, form, transposed, &plan, &why_not)) return;
    const bool thin = form == CONV_BLOCKED && plan.blocks == 1 && plan.last < CVK_BLOCK / 2;
    const double vecs = part_vecs(&plan), rows = divide_up(plan.units, plan.row_parts);
    double cycles = plan.cost - weight_cycles(&plan, vecs);
    if (!plan.listed && plan.line && plan.line < plan.cols) /* a piece longer than its line */
        cycles -= vecs * column_cycles(&plan, rows * (whole_columns(&plan, plan.cols) -
                                                      whole_columns(&plan, plan.line)));
    work->macs = work_macs(problem->caps, cycles * form_cost[form] * (thin ? thin_cost : 1));
    if (form == CONV_PLAIN && plan.xstep > 1)
        work->macs += work_shared_macs(problem->caps,
                                       store_cycles * (double)cvk_view_count(&problem->out[0]));
}
