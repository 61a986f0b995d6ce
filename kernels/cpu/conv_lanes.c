/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolutions with pictures in the lanes (conv_lanes.h): sizes, when they pay, packed weights.
 */
#include "kernels/cpu/conv_lanes.h"

#include <string.h>

#include "kernels/cpu/conv_plan.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/ints.h"
#include "kernels/cpu/row.h"
#include "kernels/cpu/winograd.h"
#include "kernels/cpu/work.h"

enum {
    USUAL_L2_BYTES = 512 * 1024,
    STRETCH = 4 * CVK_VLEN, /* pixels of a channel that are turned at a time, or a row */
    FEW_CHANNELS = 8        /* of a result that a convolution reads as it is (conv_first) */
};

/* For the cost model, in cycles: a vec turned; a pixel pooled; a point of a tile of 6 and of one of
 * 4 transformed. Bytes per cycle: of weights, of what is reordered; step_cycles: of a step
 * for it. Others must be slower by `margin`. */
static const double turn_cycles = 8, pool_cycles = 3, six_cycles = 5, four_cycles = 4,
                    weight_rate = 8, traffic_rate = 12, step_cycles = 2000, overhead = 1.1,
                    margin = 1.15;

static size_t lines_of(size_t floats)
{
    return (floats + CVK_BLOCK - 1) / CVK_BLOCK * CVK_BLOCK;
}

/* --- planning --- */

static bool plan_geometry(lanes_plan *plan, const cvk_problem *problem, const char **why_not)
{
    const cvk_view *in = problem->in, *bias = CVK_FN(cvk_third_input)(problem->node, in);
    cvk_geom *g = &plan->g;
    if (!row_f32(problem, why_not)) return false;
    if (!in[1].data || (bias && !bias->data))
        return row_refuse(why_not, "weights are not constant");
    if (!cvk_geom_conv(problem->node, &in[0].shape, &problem->out[0].shape, g))
        return row_refuse(why_not, "neither 1-D nor 2-D, or too large");
    if (g->group > 1) return row_refuse(why_not, "grouped");
    if (g->pt < 0 || g->pl < 0) return row_refuse(why_not, "negative pads");
    plan->rows = g->oh;
    plan->cols = g->ow;
    return true;
}

static bool plan_posts(lanes_plan *plan, const cvk_problem *problem, const char **why_not)
{
    const cvk_node *node = problem->node;
    plan->pre = plan->post = node->n_posts;
    if (!node->n_posts || node->posts[node->n_posts - 1].kind != CVK_POST_POOL) return true;
    const cvk_post *pool = &node->posts[node->n_posts - 1];
    if (!cvk_geom_post_pool(node, pool, &problem->out[0].shape, &plan->pool))
        return row_refuse(why_not, "pool of an unusual shape");
    plan->pooled = true;
    plan->pool_params = pool->pool;
    plan->rows = plan->pool.oh;
    plan->cols = plan->pool.ow;
    plan->pre = plan->post = node->n_posts - 1;
    for (int i = 0; i < plan->pre; i++)
        if (node->posts[i].kind == CVK_POST_ADD)
            return row_refuse(why_not, "a residual before a pool");
    if (pool->pool.kind == CVK_POOL_MAX)
        while (plan->pre > 0 && node->posts[plan->pre - 1].kind == CVK_POST_ACT &&
               CVK_FN(cvk_act_monotone)(&node->posts[plan->pre - 1].act))
            plan->pre--;
    return true;
}

/* Whether every window of the pool lies within its picture's rows: else a band is a picture. */
static bool pool_within(const lanes_plan *plan)
{
    const cvk_geom *p = &plan->pool;
    return !plan->pooled ||
           (p->pt == 0 && (p->oh - 1) * p->sh + lanes_reach(p->kh, p->dh) <= p->ih);
}

/* Multiply-adds of a row for one output channel, and what else its tiles take, in their cycles. */
static double line_cycles(const lanes_plan *plan, int six, int four)
{
    const cvk_geom *g = &plan->g;
    const double depth = g->ic * g->kh * overhead;
    return six * (g->kw + 5) * (depth + six_cycles) + four * (g->kw + 3) * (depth + four_cycles);
}

/* The tiles of a row that take the least. */
static conv_line plan_line(const lanes_plan *plan)
{
    const int cols = plan->g.ow;
    conv_line best = {.wide = plan->g.kw, .four = divide_up(cols, 4)};
    const int most = best.wide + 5 <= CONV_LINE_POINTS ? divide_up(cols, 6) : 0;
    for (int six = 1; six <= most; six++) {
        const int four = divide_up(max(0, cols - 6 * six), 4);
        if (line_cycles(plan, six, four) >= line_cycles(plan, best.six, best.four)) continue;
        best.six = six;
        best.four = four;
    }
    return best;
}

static void plan_tiles(lanes_plan *plan, bool by_line)
{
    const cvk_geom *g = &plan->g;
    plan->by_line = by_line;
    plan->tile_oc = by_line ? CONV_LINE_OC : CONV_PLANES_OC;
    plan->tiles = divide_up(g->oc, plan->tile_oc);
    if (by_line) plan->line = plan_line(plan);
    plan->slots = g->sw;
    int width = (by_line ? 6 * plan->line.six + 4 * plan->line.four - 1 : (g->ow - 1) * g->sw) +
                lanes_reach(g->kw, g->dw);
    plan->pitch = divide_up(width, g->sw);
    plan->taps = by_line ? g->kh : g->kh * g->kw;
    plan->row_step =
        (ptrdiff_t)CVK_VLEN * (by_line ? conv_line_points(&plan->line) : plan->slots * plan->pitch);
}

/* Rows and scratch, if a picture is cut into bands of `band` rows. */
static void plan_band(lanes_plan *plan, int band)
{
    const cvk_geom *g = &plan->g, *p = &plan->pool;
    plan->band = band;
    plan->bands = divide_up(plan->rows, band);
    plan->items = g->n * plan->bands;
    plan->groups = divide_up(plan->items, CVK_VLEN);
    const int reach = plan->pooled ? lanes_reach(p->kh, p->dh) : 1;
    plan->conv_rows = plan->pooled ? min((band - 1) * p->sh + reach, g->oh) : band;
    plan->conv_lines = reach;
    plan->src_rows = (plan->conv_rows - 1) * g->sh + lanes_reach(g->kh, g->dh);
    plan->stretch = min(band, max(1, STRETCH / plan->cols));
    plan->block_step = plan->row_step * plan->src_rows;
    const size_t oc = (size_t)plan->tile_oc * CVK_VLEN;
    plan->zero_floats = lines_of((size_t)g->iw);
    /* Squares are turned whole: `more` is what the last one writes or reads too much. */
    const size_t more = (size_t)CVK_VLEN * CVK_VLEN;
    plan->turned_floats = plan->by_line ? (size_t)plan->pitch * CVK_VLEN + more : 0;
    plan->src_floats = (size_t)plan->block_step * (size_t)g->ic + more;
    plan->conv_floats = plan->pooled ? oc * (size_t)plan->conv_lines * (size_t)g->ow : 0;
    plan->out_floats = oc * (size_t)plan->stretch * (size_t)plan->cols + more;
    plan->worker_floats = lines_of(plan->zero_floats + plan->turned_floats + plan->src_floats +
                                   plan->conv_floats + plan->out_floats);
}

/* Cycles of the busiest worker. */
static double cost_of(const lanes_plan *plan, int oc_parts, int workers)
{
    const cvk_geom *g = &plan->g;
    const double fma_cycles = CVK_VLEN == 16 || CVK_VLEN == 1 ? 1.0 : 0.5;
    const double oc = (double)divide_up(plan->tiles, oc_parts) * g->oc / plan->tiles;
    double sums = (double)plan->conv_rows * g->ow * g->ic * g->kh * g->kw * overhead,
           turned = (double)g->ic * plan->src_rows * g->iw * turn_cycles;
    if (plan->by_line) {
        sums = plan->conv_rows * line_cycles(plan, plan->line.six, plan->line.four);
        turned += (double)g->ic * plan->src_rows * conv_line_points(&plan->line) * four_cycles;
    }
    const double weights = oc * g->ic * g->kh * g->kw * sizeof(float) / weight_rate;
    double results = (double)plan->band * plan->cols * turn_cycles;
    if (plan->pooled) results += (double)plan->conv_rows * g->ow * pool_cycles;
    return weights + (oc * (sums + results) + turned) * fma_cycles *
                         divide_up(plan->groups * oc_parts, workers);
}

/* The best of all bands and splits whose source fits in half of L2, with half of the lanes in use. */
static void plan_best(lanes_plan *plan, const cvk_caps *caps, lanes_plan *best)
{
    const size_t l2 = caps->l2_bytes ? caps->l2_bytes : USUAL_L2_BYTES;
    const int workers = caps->units > 0 ? caps->units : 1;
    for (int band = plan->rows, last = 0; band >= 1; band--) {
        if (divide_up(plan->rows, band) == last) continue;
        last = divide_up(plan->rows, band);
        if (last > 1 && !pool_within(plan)) return;
        plan_band(plan, divide_up(plan->rows, last));
        if (plan->worker_floats > l2 / 2 / sizeof(float) || 2 * plan->items < CVK_VLEN) continue;
        for (int oc_parts = 1; oc_parts <= workers && oc_parts <= plan->tiles; oc_parts++) {
            double cost = cost_of(plan, oc_parts, workers);
            if (best->cost != 0 && cost >= best->cost) continue;
            *best = *plan;
            best->cost = cost;
            best->oc_parts = oc_parts;
        }
    }
}

static bool plan_make(const cvk_problem *problem, lanes_plan *best, const char **why_not)
{
    lanes_plan plan = {.pooled = false};
    *best = plan;
    if (!plan_geometry(&plan, problem, why_not)) return false;
    if (!plan_posts(&plan, problem, why_not)) return false;
    const cvk_geom *g = &plan.g;
    plan_tiles(&plan, false);
    plan_best(&plan, problem->caps, best);
    if (CONV_LINE && g->sw == 1 && g->dw == 1 && (g->kw == 3 || g->kw == 5)) {
        plan_tiles(&plan, true);
        plan_best(&plan, problem->caps, best);
    }
    return best->cost != 0 ||
           row_refuse(why_not, "bands that fit in L2 leave more than half of the lanes empty");
}

/* --- whether it pays --- */

static void keep_least(double cost, double *least)
{
    if (*least == 0 || cost < *least) *least = cost;
}

/* Of the rows with channels in the lanes or, where none of them takes it, pixels; 0: none does. */
static double other_cost(const cvk_problem *problem)
{
    static const conv_form blocked[] = {CONV_FIRST, CONV_BLOCKED};
    double least = 0, cost = 0;
    const char *why_not;
    conv_plan plan;
    for (int i = 0; i < 2; i++)
        if (CVK_FN(cvk_conv_plan_make)(problem, blocked[i], false, &plan, &why_not) &&
            !CVK_FN(cvk_conv_lanes_idle)(problem, &plan))
            keep_least(plan.cost, &least);
    if (CVK_FN(cvk_conv_winograd_cost)(problem, &cost)) keep_least(cost, &least);
    if (least == 0 && CVK_FN(cvk_conv_plan_make)(problem, CONV_PLAIN, false, &plan, &why_not))
        least = plan.cost;
    return least;
}

/* Whether blocks of 16 are filled by seven eighths or more. */
static bool fills_blocks(const cvk_shape *shape)
{
    const int64_t channels = shape->rank > 1 ? shape->dims[1] : 1;
    return 8 * channels >= 7 * ((channels + CVK_BLOCK - 1) / CVK_BLOCK * CVK_BLOCK);
}

/* Cycles of a reorder between this row and its neighbours, most of which want more than a few
 * channels blocked. */
static double reorder_cost(int pixels, int channels, int workers)
{
    double floats = (double)pixels * divide_up(channels, CVK_BLOCK) * CVK_BLOCK,
           cycles = 2 * sizeof(float) * floats / traffic_rate / workers;
    return channels > FEW_CHANNELS ? step_cycles + cycles : cycles / 4;
}

bool CVK_FN(cvk_conv_lanes_pay)(const cvk_problem *problem)
{
    cvk_node node = *problem->node;
    cvk_view out = problem->out[0];
    const cvk_problem bare = {.node = &node, .in = problem->in, .out = &out, .caps = problem->caps};
    const char *why_not;
    lanes_plan plan;
    if (node.pre.on || (fills_blocks(&problem->in[0].shape) && fills_blocks(&out.shape)))
        return false;
    if (node.n_posts && node.posts[node.n_posts - 1].kind == CVK_POST_POOL)
        out.shape = node.conv_shape;
    node.n_posts = 0;
    if (!plan_make(&bare, &plan, &why_not)) return false;
    const cvk_geom *g = &plan.g;
    const int workers = max(1, problem->caps->units);
    double reorders = reorder_cost(g->n * g->oh * g->ow, g->oc, workers);
    if (g->ic > FEW_CHANNELS) reorders += reorder_cost(g->n * g->ih * g->iw, g->ic, workers);
    return (plan.cost + reorders) * margin < other_cost(&bare);
}

static bool accepts(const cvk_problem *problem, const char **why_not)
{
    lanes_plan plan;
    if (!plan_make(problem, &plan, why_not)) return false;
    return CVK_FN(cvk_conv_lanes_pay)(problem) ||
           row_refuse(why_not, "channels or pixels in the lanes are estimated to be as fast");
}

static void work_of(const cvk_problem *problem, cvk_work *work)
{
    lanes_plan plan;
    const char *why_not;
    if (!plan_make(problem, &plan, &why_not)) return;
    work->macs = work_macs(problem->caps, plan.cost);
    work->weight_bytes = 0; /* are in the plan's cycles */
}

/* --- packed weights --- */

/* The weights of one form: as they are, or for tiles of `m` pixels. */
typedef struct section {
    int m, each; /* floats of a filter for one source channel */
    size_t at;   /* its first float */
    cvk_wino_matrix matrix;
} section;

typedef struct pack_arg {
    const lanes_plan *plan;
    section section[2];
    int sections;
    size_t room;   /* behind all: for one filter, */
    int each_most; /* the longest */
    const float *wgt, *bias;
} pack_arg;

/* What the tile multiplies with for one filter and source channel. */
static void pack_filter(const pack_arg *arg, const section *form, int oc, int ic, float *u)
{
    static const cvk_wino_axis flat = {1, 1, 1, 1};
    const cvk_geom *g = &arg->plan->g;
    const size_t size = (size_t)g->kh * (size_t)g->kw;
    const float *filter = arg->wgt + ((size_t)oc * (size_t)g->ic + (size_t)ic) * size;
    if (!form->m) {
        memcpy(u, filter, size * sizeof *u);
        return;
    }
    cvk_wino_matrix down;
    cvk_wino_matrix_make(&flat, &down);
    for (int k = 0; k < g->kh; k++, u += form->matrix.axis.side)
        cvk_wino_weights(&down, &form->matrix, filter + k * g->kw, u);
}

static void pack_section(const pack_arg *arg, const section *form, float *memory)
{
    const lanes_plan *plan = arg->plan;
    float *dst = memory + form->at, *u = memory + arg->room;
    for (int t = 0; t < plan->tiles; t++) {
        const int first = lanes_tile_first(plan, t), count = lanes_tile_first(plan, t + 1) - first;
        for (int ic = 0; ic < plan->g.ic; ic++, dst += form->each * count) {
            for (int v = 0; v < count; v++) {
                pack_filter(arg, form, first + v, ic, u);
                for (int i = 0; i < form->each; i++) dst[i * count + v] = u[i];
            }
        }
    }
}

static void pack_fill(void *memory, const void *context)
{
    const pack_arg *arg = context;
    const lanes_plan *plan = arg->plan;
    for (int i = 0; i < arg->sections; i++) pack_section(arg, &arg->section[i], memory);
    if (arg->bias)
        memcpy((float *)memory + plan->bias_at, arg->bias, (size_t)plan->g.oc * sizeof(float));
}

/* Where the forms that the plan uses have their weights. */
static void plan_sections(lanes_plan *plan, pack_arg *arg)
{
    const cvk_geom *g = &plan->g;
    const size_t filters = (size_t)g->oc * (size_t)g->ic;
    const int m[] = {plan->by_line ? 6 : 0, 4};
    size_t at = 0;
    int most = 0;
    arg->sections = plan->by_line ? 2 : 1;
    for (int i = 0; i < arg->sections; i++) {
        section *form = &arg->section[i];
        const cvk_wino_axis axis = {m[i], g->kw, 1, m[i] + g->kw - 1};
        *form = (section){.m = m[i], .at = at, .each = g->kh * (m[i] ? axis.side : g->kw)};
        if (form->m) cvk_wino_matrix_make(&axis, &form->matrix);
        plan->wgt_at[i] = at;
        at += filters * (size_t)form->each;
        most = max(most, form->each);
    }
    plan->bias_at = at;
    arg->room = at + (size_t)g->oc;
    arg->plan = plan;
    arg->each_most = most;
}

static cvk_status pack_weights(cvk_device *device, cvk_step *step, lanes_plan *plan)
{
    const cvk_geom *g = &plan->g;
    const cvk_view *wgt = &step->in[1], *bias = CVK_FN(cvk_third_input)(step->node, step->in);
    pack_arg arg = {.wgt = wgt->data, .bias = bias ? bias->data : NULL};
    plan_sections(plan, &arg);
    cvk_pack pack = {.source = wgt->data,
                     .source_bytes = cvk_view_bytes(wgt),
                     .source2 = arg.bias,
                     .source2_bytes = bias ? cvk_view_bytes(bias) : 0,
                     .kind = plan->by_line ? "conv lanes by line" : "conv lanes",
                     .variant = (uint64_t)g->kw << 32 ^ (uint64_t)g->kh << 16 ^ (uint64_t)g->ic,
                     .bytes = (arg.room + (size_t)arg.each_most) * sizeof(float),
                     .fill = pack_fill,
                     .arg = &arg};
    void *data = NULL;
    CVK_TRY(cvk_step_pack(device, step, &pack, &data));
    plan->wgt = data;
    return CVK_OK;
}

static cvk_status make_taps(cvk_step *step, lanes_plan *plan)
{
    const cvk_geom *g = &plan->g;
    int *off = cvk_step_alloc(step, (size_t)plan->taps * sizeof *off);
    if (!off) return CVK_NO_MEMORY;
    for (int i = 0; i < plan->taps; i++) {
        const int kh = plan->by_line ? i : i / g->kw, x = plan->by_line ? 0 : i % g->kw * g->dw;
        off[i] =
            (int)(kh * g->dh * plan->row_step) + (x % g->sw * plan->pitch + x / g->sw) * CVK_VLEN;
    }
    plan->off = off;
    return CVK_OK;
}

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    lanes_plan *plan = cvk_step_alloc(step, sizeof *plan);
    if (!plan) return CVK_NO_MEMORY;
    const char *why_not = "unknown";
    const cvk_problem problem = {
        .node = step->node, .in = step->in, .out = step->out, .caps = cvk_device_caps(device)};
    if (!plan_make(&problem, plan, &why_not))
        return cvk_fail(CVK_UNSUPPORTED, "convolution '%s': %s", step->node->name, why_not);
    step->state = plan;
    CVK_TRY(make_taps(step, plan));
    const int most = min(plan->groups * plan->oc_parts, max(1, problem.caps->units));
    step->scratch_bytes = (size_t)most * plan->worker_floats * sizeof(float);
    return pack_weights(device, step, plan);
}

const cvk_kernel CVK_FN(cvk_cpu_conv_lanes) = {
    .op = CVK_OP_Conv,
    .name = "conv_lanes",
    .in_layout = CVK_LAYOUT_PLAIN,
    .out_layout = CVK_LAYOUT_PLAIN,
    .packs = 1u << 1 | 1u << 2,
    .accepts = accepts,
    .cost = work_of,
    .prepare = prepare,
    .run = CVK_FN(cvk_conv_lanes_run),
};
