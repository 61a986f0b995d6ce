/* SPDX-License-Identifier: Apache-2.0
 *
 * Sizes, splits and tables of a tiled convolution (see conv_plan.h), and its packed weights.
 */
#include "kernels/cpu/conv_plan.h"

#include <limits.h>
#include <string.h>

#include "kernels/cpu/conv_tile.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/ints.h"
#include "kernels/cpu/row.h"

enum {
    USUAL_L2_BYTES = 512 * 1024,
    FIRST_CHANNELS = 8,
    FEW_CHANNELS = 4, /* of a result whose other lanes may be too many */
    LINE_TILES = 4
};

/* For the cost model: bytes per cycle from the last cache, and to and from it when a result goes
 * out and is read again; floats copied per cycle, in vecs; cycles of a float stored by itself. */
static const double weight_rate = 8, traffic_rate = 12, copy_rate = 0.6, scatter_cycles = 1.5;

static size_t l2_bytes(const cvk_caps *caps)
{
    return caps->l2_bytes ? caps->l2_bytes : USUAL_L2_BYTES;
}

static int gcd(int a, int b)
{
    return b ? gcd(b, a % b) : a;
}

static size_t round_up(size_t a, size_t b)
{
    return (a + b - 1) / b * b;
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

/* The source line that tap k of the outputs first, first + stride, ... reads for the first of them;
 * false if it falls between lines. */
static bool transposed_line(int first, int k, int stride, int dilation, int pad, int *line)
{
    int at = first + pad - k * dilation;
    if (at % stride) return false;
    *line = at / stride;
    return true;
}

static conv_axis transposed_axis(int kernel, int stride, int dilation, int pad)
{
    int low = INT_MAX, high = INT_MIN, line;
    for (int first = 0; first < stride; first++) {
        for (int k = 0; k < kernel; k++) {
            if (!transposed_line(first, k, stride, dilation, pad, &line)) continue;
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

/* Rows and columns of the outputs; a line is cut into pieces of some tiles. */
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
    plan->rows = divide_up(plan->line, plan->px * LINE_TILES);
    plan->cols = divide_up(divide_up(plan->line, plan->rows), plan->px) * plan->px;
    plan->rows = divide_up(plan->line, plan->cols);
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
    int most = divide_up(plan->units, plan->row_parts);
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

/* Cycles of a part, if the rows are cut in row_parts and the output tiles in oc_parts. */
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
    double vecs = tiles * plan->vecs / plan->tiles;
    double depth = (double)plan->icg * g->kh * g->kw;
    double fma_cycles = CVK_VLEN == 16 ? 1.0 : 0.5,
           per_vec = plan->form == CONV_PLAIN ? CVK_VLEN : 1;
    double cols =
        plan->form == CONV_PLAIN ? (double)round_up((size_t)plan->cols, CVK_VLEN) : plan->cols;
    double compute = rows * cols * depth * vecs * fma_cycles / per_vec;
    double weights = vecs * plan->lanes * depth * sizeof(float) / weight_rate;
    double lines = rows + plan->y.extra * images;
    double copy = plan->copy ? lines * line_floats(plan) / CVK_VLEN / copy_rate : 0;
    double groups = g->group > 1 && tiles < plan->tiles * g->group ? tiles / plan->tiles : g->group;
    return compute + weights + copy * groups;
}

static void plan_split(conv_plan *plan, int workers)
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
    plan_split(&apart, caps->units);
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
    plan_split(plan, caps->units > 0 ? caps->units : 1);
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

/* --- tables --- */

/* Floats from a row's first pixel to tap (kh, kw); false if the tap is not one of this phase. */
static bool tap_offset(const conv_plan *plan, const conv_phase *phase, int kh, int kw, int *off)
{
    const cvk_geom *g = &plan->g;
    int y = kh * g->dh / plan->y.stride, x = kw * g->dw / plan->x.stride;
    int row_slot = kh % plan->y.slots, col_slot = kw % plan->x.slots;
    if (plan->transposed) {
        if (!transposed_line(phase->y0, kh, g->sh, g->dh, g->pt, &y)) return false;
        if (!transposed_line(phase->x0, kw, g->sw, g->dw, g->pl, &x)) return false;
        y += plan->y.origin;
        x += plan->x.origin;
    }
    if (!plan->copy) {
        *off = (kh * g->dh * g->iw + kw * g->dw) * plan->unit;
        return true;
    }
    *off = (int)(row_slot * plan->slot_step + y * plan->row_step) +
           (col_slot * plan->pitch + x) * plan->unit;
    return true;
}

static cvk_status make_phase(cvk_step *step, const conv_plan *plan, int index, conv_phase *phase)
{
    const cvk_geom *g = &plan->g;
    size_t most = (size_t)g->kh * (size_t)g->kw;
    int *off = cvk_step_alloc(step, most * sizeof *off),
        *tap = cvk_step_alloc(step, most * sizeof *tap);
    if (!off || !tap) return CVK_NO_MEMORY;
    *phase =
        (conv_phase){.off = off, .tap = tap, .y0 = index / plan->xstep, .x0 = index % plan->xstep};
    for (int kh = 0; kh < g->kh; kh++) {
        for (int kw = 0; kw < g->kw; kw++) {
            if (!tap_offset(plan, phase, kh, kw, &off[phase->taps])) continue;
            tap[phase->taps++] = kh * g->kw + kw;
        }
    }
    phase->rows = plan->rows;
    phase->cols = plan->cols;
    if (plan->transposed) {
        phase->rows = divide_up(g->oh > phase->y0 ? g->oh - phase->y0 : 0, g->sh);
        phase->cols = divide_up(g->ow > phase->x0 ? g->ow - phase->x0 : 0, g->sw);
    }
    return CVK_OK;
}

static cvk_status make_phases(cvk_step *step, conv_plan *plan)
{
    plan->phases = cvk_step_alloc(step, (size_t)plan->n_phases * sizeof *plan->phases);
    if (!plan->phases) return CVK_NO_MEMORY;
    size_t lanes = (size_t)plan->g.group * (size_t)plan->vecs * (size_t)plan->lanes;
    for (int i = 0; i < plan->n_phases; i++) {
        CVK_TRY(make_phase(step, plan, i, &plan->phases[i]));
        plan->phases[i].wgt = plan->wgt_floats;
        plan->wgt_floats += lanes * (size_t)plan->icg * (size_t)plan->phases[i].taps;
    }
    plan->bias_at = round_up(plan->wgt_floats, CVK_BLOCK);
    plan->pack_floats = plan->bias_at + lanes;
    return CVK_OK;
}

/* --- packed weights --- */

typedef struct pack_arg {
    const conv_plan *plan;
    const float *wgt, *bias;
} pack_arg;

/* The lanes of one vec at (group, first output channel, source channel, tap), absent ones 0. */
static void pack_vec(const pack_arg *arg, int group, int oc, int ic, int tap, float *dst)
{
    const conv_plan *plan = arg->plan;
    size_t taps = (size_t)plan->g.kh * (size_t)plan->g.kw;
    for (int lane = 0; lane < plan->lanes && oc + lane < plan->ocg; lane++) {
        size_t at =
            plan->transposed
                ? ((size_t)group * (size_t)plan->icg + (size_t)ic) * (size_t)plan->ocg +
                      (size_t)(oc + lane)
                : ((size_t)group * (size_t)plan->ocg + (size_t)(oc + lane)) * (size_t)plan->icg +
                      (size_t)ic;
        dst[lane] = arg->wgt[at * taps + (size_t)tap];
    }
}

static float *pack_tile(const pack_arg *arg, const conv_phase *phase, int group, int tile,
                        float *dst)
{
    const conv_plan *plan = arg->plan;
    int begin = conv_tile_first(plan, tile), end = conv_tile_first(plan, tile + 1);
    for (int ic0 = 0; ic0 < plan->icg; ic0 += plan->unit) {
        int ic_end = ic0 + plan->unit < plan->icg ? ic0 + plan->unit : plan->icg;
        for (int t = 0; t < phase->taps; t++) {
            for (int ic = ic0; ic < ic_end; ic++) {
                for (int v = begin; v < end; v++, dst += plan->lanes)
                    pack_vec(arg, group, v * plan->lanes, ic, phase->tap[t], dst);
            }
        }
    }
    return dst;
}

static void pack_fill(void *memory, const void *context)
{
    const pack_arg *arg = context;
    const conv_plan *plan = arg->plan;
    float *dst = memory;
    for (int p = 0; p < plan->n_phases; p++) {
        for (int i = 0; i < plan->g.group * plan->tiles; i++)
            dst = pack_tile(arg, &plan->phases[p], i / plan->tiles, i % plan->tiles, dst);
    }
    float *bias = (float *)memory + plan->bias_at;
    for (int oc = 0; arg->bias && oc < plan->g.oc; oc++)
        bias[oc / plan->ocg * plan->vecs * plan->lanes + oc % plan->ocg] = arg->bias[oc];
}

static uint64_t pack_variant(const conv_plan *plan)
{
    const cvk_geom *g = &plan->g;
    const int facts[] = {(int)plan->form,
                         plan->transposed,
                         plan->lanes,
                         plan->tile_vecs,
                         plan->unit,
                         plan->icg,
                         plan->ocg,
                         g->group,
                         g->kh,
                         g->kw,
                         plan->transposed ? g->sh : 0,
                         plan->transposed ? g->sw : 0,
                         plan->transposed ? g->dh : 0,
                         plan->transposed ? g->dw : 0,
                         plan->transposed ? g->pt : 0,
                         plan->transposed ? g->pl : 0};
    uint64_t hash = 14695981039346656037u; /* FNV-1a, by words */
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        hash = (hash ^ (uint32_t)facts[i]) * 1099511628211u;
    return hash;
}

static cvk_status pack_weights(cvk_device *device, cvk_step *step, conv_plan *plan)
{
    const cvk_view *wgt = &step->in[1], *bias = CVK_FN(cvk_third_input)(step->node, step->in);
    pack_arg arg = {.plan = plan, .wgt = wgt->data, .bias = bias ? bias->data : NULL};
    cvk_pack pack = {.source = wgt->data,
                     .source_bytes = cvk_view_bytes(wgt),
                     .source2 = arg.bias,
                     .source2_bytes = bias ? cvk_view_bytes(bias) : 0,
                     .kind = "conv",
                     .variant = pack_variant(plan),
                     .bytes = plan->pack_floats * sizeof(float),
                     .fill = pack_fill,
                     .arg = &arg};
    void *data = NULL;
    CVK_TRY(cvk_step_pack(device, step, &pack, &data));
    plan->wgt = data;
    return CVK_OK;
}

cvk_status CVK_FN(cvk_conv_plan_finish)(cvk_device *device, cvk_step *step, conv_plan *plan)
{
    CVK_TRY(make_phases(step, plan));
    CVK_TRY(pack_weights(device, step, plan));
    size_t parts = (size_t)plan->row_parts * (size_t)plan->oc_parts;
    step->scratch_bytes = parts * plan->worker_floats * sizeof(float);
    return CVK_OK;
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
