/* SPDX-License-Identifier: Apache-2.0
 *
 * Sizes of bands, and what joining the steps is thought to save: bottleneck_plan.h.
 */
#include "kernels/cpu/bottleneck_plan.h"

#include <math.h>

#include "kernels/cpu/ints.h"
#include "kernels/cpu/row.h"

enum { USUAL_L2_BYTES = 512 * 1024 };

/* For the cost model: bytes per cycle that a result costs on its way out and in again, mostly beside
 * the arithmetic; cycles of an activation with an exponential in it, per vec. */
static const double traffic_rate = 48, exp_cycles = 25;

/* For predictions: of a depthwise tap, which waits for its loads. */
static const double tap_cycles = 2;

/* Of L2, what a band may fill. Where a part's rows take several, each wants LONG_BAND source rows, or
 * what does not go to memory is larger than L2 by far. */
static const double band_part = 0.5, large_part = 1.5;
enum { LONG_BAND = 14 };

/* Source rows that one output row needs. */
static int reach(const cvk_geom *g)
{
    return (g->kh - 1) * g->dh + 1;
}

void CVK_FN(cvk_bottleneck_tile)(const bottleneck_plan *plan, int tile, int *begin, int *end)
{
    const int vecs = divide_up(plan->g.ic, CVK_VLEN);
    *begin = plan->expands ? pointwise_first(&plan->expand, tile) : tile * CVK_VPB;
    *end = plan->expands ? pointwise_first(&plan->expand, tile + 1) : (tile + 1) * CVK_VPB;
    *end = min(*end, vecs);
}

void CVK_FN(cvk_bottleneck_rows)(const bottleneck_plan *plan, int row, int rows, int *begin,
                                 int *end)
{
    const cvk_geom *g = &plan->g;
    *begin = min(max(row * g->sh - g->pt, 0), g->ih);
    *end = max(*begin, min((row + rows - 1) * g->sh - g->pt + reach(g), g->ih));
}

/* --- what is accepted --- */

static bool has_constants(const cvk_problem *problem)
{
    bool all = true;
    for (int i = CVK_BOTTLENECK_DW; i < CVK_BOTTLENECK_INPUTS; i++)
        all = all && (problem->in[i].dtype == CVK_NONE || problem->in[i].data);
    return all && problem->in[CVK_BOTTLENECK_DW].data;
}

static bool plan_geometry(const cvk_problem *problem, bottleneck_plan *plan)
{
    const cvk_bottleneck_params *params = problem->node->params;
    const cvk_shape *wgt = &problem->in[CVK_BOTTLENECK_DW].shape;
    cvk_shape in = problem->in[CVK_BOTTLENECK_X].shape, out = problem->out[0].shape;
    if (in.rank != 4) return false;
    const int64_t ic = in.dims[1], oc = out.dims[1];
    in.dims[1] = out.dims[1] = wgt->dims[0];
    if (!cvk_geom_make(&params->depthwise.window, params->depthwise.group, &in, &out, &plan->g))
        return false;
    plan->expands = problem->in[CVK_BOTTLENECK_EW].dtype != CVK_NONE;
    plan->projects = problem->in[CVK_BOTTLENECK_PW].dtype != CVK_NONE;
    plan->expand = CVK_FN(cvk_pointwise_make)((int)ic, plan->g.ic);
    plan->project = CVK_FN(cvk_pointwise_make)(plan->g.ic, (int)oc);
    plan->blocks = divide_up(plan->g.ic, CVK_BLOCK);
    plan->tiles = plan->expands ? plan->expand.tiles : plan->blocks;
    CVK_FN(cvk_depthwise_inside)(&plan->g, &plan->inside_begin, &plan->inside_end);
    return plan->g.group == plan->g.ic;
}

static bool check(const cvk_problem *problem, bottleneck_plan *plan, const char **why_not)
{
    const cvk_node *node = problem->node;
    if (!row_f32(problem, why_not)) return false;
    if (!has_constants(problem)) return row_refuse(why_not, "weights are not constant");
    for (int i = 0; i < node->n_posts; i++)
        if (node->posts[i].kind == CVK_POST_POOL) return row_refuse(why_not, "has no fused pool");
    return plan_geometry(problem, plan) || row_refuse(why_not, "not 2-D, or too large");
}

/* --- bands --- */

/* Bytes of a row between the convolutions. */
static double row_bytes(const bottleneck_plan *plan, int pixels)
{
    return (double)sizeof(float) * plan->blocks * CVK_BLOCK * pixels;
}

/* The most output rows of an image that a part has. */
static int part_rows(const bottleneck_plan *plan)
{
    return min(divide_up(plan->g.n * plan->g.oh, plan->parts), plan->g.oh);
}

/* Bytes that `rows` output rows keep in cache. */
static double band_bytes(const bottleneck_plan *plan, int rows)
{
    const cvk_geom *g = &plan->g;
    const int source = min(g->ih, (rows - 1) * g->sh + reach(g));
    return row_bytes(plan, g->iw) * source + (plan->projects ? row_bytes(plan, g->ow) * rows : 0);
}

/* As many rows as leave room in L2 for weights, source and result; in bands of nearly one size. */
static bool plan_band(bottleneck_plan *plan, size_t l2)
{
    const cvk_geom *g = &plan->g;
    const int most = part_rows(plan);
    const double limit = band_part * (double)l2;
    if (band_bytes(plan, 1) > limit) return false;
    plan->band = 1;
    while (plan->band < most && band_bytes(plan, plan->band + 1) <= limit) plan->band++;
    plan->band = divide_up(most, divide_up(most, plan->band));
    plan->ring = plan->expands ? min(g->ih, (plan->band - 1) * g->sh + reach(g)) : g->ih;
    /* A line more than the rows, so that blocks do not begin in the same sets of L1. */
    plan->deep_step = ((ptrdiff_t)plan->band * g->ow + 1) * CVK_BLOCK;
    plan->ring_step = (ptrdiff_t)g->ih * g->iw * CVK_BLOCK;
    if (plan->expands) {
        plan->ring_step = ((ptrdiff_t)plan->ring * g->iw + 1) * CVK_BLOCK;
        plan->ring_floats = (size_t)plan->ring_step * (size_t)plan->blocks;
    }
    const size_t deep = plan->projects ? (size_t)plan->deep_step * (size_t)plan->blocks : 0;
    plan->worker_floats = plan->ring_floats + deep;
    return true;
}

/* --- cost --- */

/* In cycles, of the busiest worker. */
typedef struct costs {
    double expand, depthwise, project; /* each as a step of its own, shared evenly */
    double wide, deep;                 /* traffic: expand's result, the depthwise convolution's */
    double joint, joint_expand, joint_project; /* rows of them in this step */
} costs;

static double pointwise_cycles(const pointwise *p)
{
    return (double)p->ic * p->vecs * (CVK_VLEN == 16 ? 1.0 : 0.5);
}

static double act_cycles(const cvk_act *act)
{
    switch (act->kind) {
    case CVK_ACT_NONE:
    case CVK_ACT_RELU:
    case CVK_ACT_CLIP:
    case CVK_ACT_LEAKY_RELU:
    case CVK_ACT_HARD_SIGMOID:
    case CVK_ACT_HARD_SWISH: return 0;
    default: return exp_cycles;
    }
}

static costs cost_of(const bottleneck_plan *plan, const cvk_act *expand_act, int workers)
{
    const cvk_geom *g = &plan->g;
    const double taps = (double)g->kh * g->kw * divide_up(g->ic, CVK_VLEN);
    const double parts = workers, source = (double)g->n * g->ih, rows = (double)g->n * g->oh;
    const double busy = divide_up(g->n * g->oh, plan->parts);
    const bool images =
        g->n % plan->parts == 0; /* parts are whole images: no row is needed twice */
    const double reached = busy * g->sh + max(reach(g) - g->sh, 0);
    const double busy_source = images ? source / plan->parts : fmin(source, reached);
    const double after = act_cycles(expand_act) * plan->expand.vecs;
    const double expand = (pointwise_cycles(&plan->expand) + after) * g->iw,
                 project = pointwise_cycles(&plan->project) * g->ow, depthwise = taps * g->ow;
    return (costs){
        .expand = source * expand / parts,
        .depthwise = rows * depthwise / parts,
        .project = rows * project / parts,
        .wide = 2 * source * row_bytes(plan, g->iw) / traffic_rate / parts,
        .deep = 2 * rows * row_bytes(plan, g->ow) / traffic_rate / parts,
        .joint = busy * depthwise,
        .joint_expand = busy_source * expand,
        .joint_project = busy * project,
    };
}

/* Whether so much does not go to memory that this alone pays. */
static bool saves_much(const bottleneck_plan *plan, size_t l2)
{
    const cvk_geom *g = &plan->g;
    const double wide = plan->expands ? row_bytes(plan, g->iw) * g->ih : 0,
                 deep = plan->projects ? row_bytes(plan, g->ow) * g->oh : 0;
    return fmax(wide, deep) * g->n / plan->parts >= large_part * (double)l2;
}

/* Whether bands of this size, with that between the convolutions, are worth it. */
static bool bands_pay(const bottleneck_plan *plan, const cvk_bottleneck_params *params,
                      const char **why_not)
{
    if (act_cycles(&params->expand_act) + act_cycles(&params->depthwise_act) > 0)
        return row_refuse(why_not, "next to its activations the traffic saved is small");
    if (plan->band < part_rows(plan) && plan->band * plan->g.sh < LONG_BAND)
        return row_refuse(why_not,
                          "the rows would be in many short bands, which cost what they save");
    return true;
}

/* Whether the step is no dearer than those it joins, and, if it joins three, than with expand by
 * itself. */
static bool pays(const bottleneck_plan *plan, const cvk_act *expand_act, int workers,
                 const char **why_not)
{
    const costs c = cost_of(plan, expand_act, workers);
    double joint = c.joint, apart = c.depthwise;
    if (plan->expands) {
        joint += c.joint_expand;
        apart += c.expand + c.wide;
    }
    if (plan->projects) {
        joint += c.joint_project;
        apart += c.project + c.deep;
    }
    if (joint > apart || (plan->expands && c.joint_expand > c.expand + c.wide))
        return row_refuse(why_not,
                          "the largest share of a worker grows by more than the traffic saved");
    return true;
}

bool CVK_FN(cvk_bottleneck_plan_make)(const cvk_problem *problem, bottleneck_plan *plan,
                                      const char **why_not)
{
    const cvk_caps *caps = problem->caps;
    *plan = (bottleneck_plan){.parts = 1};
    if (!check(problem, plan, why_not)) return false;
    const int workers = max(caps->units, 1);
    plan->parts = min(workers, plan->g.n * plan->g.oh);
    const cvk_bottleneck_params *params = problem->node->params;
    const size_t l2 = caps->l2_bytes ? caps->l2_bytes : USUAL_L2_BYTES;
    if (!plan_band(plan, l2))
        return row_refuse(why_not, "the rows that an output row needs do not fit in L2");
    if (!saves_much(plan, l2) && !bands_pay(plan, params, why_not)) return false;
    return pays(plan, &params->expand_act, workers, why_not);
}

double CVK_FN(cvk_bottleneck_cycles)(const cvk_problem *problem)
{
    const cvk_bottleneck_params *params = problem->node->params;
    bottleneck_plan plan;
    const char *why_not;
    if (!CVK_FN(cvk_bottleneck_plan_make)(problem, &plan, &why_not)) return 0;
    const costs c = cost_of(&plan, &params->expand_act, problem->caps->units);
    return tap_cycles * c.joint + (plan.expands ? c.joint_expand : 0) +
           (plan.projects ? c.joint_project : 0);
}
