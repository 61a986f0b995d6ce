/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches the bottleneck of depthwise.cl, and decides whether it is worth it: sizes of bands, and
 * what joining the steps is thought to save.
 */
#include <math.h>

#include "kernels/opencl/depthwise.h"
#include "kernels/opencl/steps.h"

enum { USUAL_L2_BYTES = 512 * 1024 };

/* Of L2, what a band's rows may fill, and what those of a single block may. */
static const double band_part = 0.5, block_part = 0.25;

/* For the cost model, in cycles, a multiply-add of a float16 being one: bytes that a result costs on
 * its way out and in again, mostly beside the arithmetic; bytes of weights from L2; an activation
 * with an exponential in it, per float16; a launch, with what the cores wait for each other. */
static const double traffic_rate = 48, weight_rate = 32, exp_cycles = 25, launch_cycles = 15000;

/* pointwise_args and bottleneck_args of depthwise.cl, where the members are explained. */
typedef struct pointwise_args {
    cl_int blocks, last;
    cl_int oc, oc_blocks;
    cvk_cl_posts posts;
} pointwise_args;

typedef struct bottleneck_args {
    cl_int expands, projects;
    cl_int n, c, blocks;
    cl_int parts, groups, group_blocks;
    cl_int band, ring;
    cl_int ring_step, deep_step;
    cl_int deep, item;
    cvk_cl_window window;
    pointwise_args expand, project;
    cvk_cl_posts middle;
} bottleneck_args;

typedef struct bottleneck_plan {
    cvk_geom g; /* of the depthwise convolution */
    int ic, oc;
    size_t l2;
    int units;
    double between; /* cycles of the activation behind expand, per float16 */
    bottleneck_args args;
} bottleneck_plan;

static int least_of(int a, int b)
{
    return a < b ? a : b;
}

static int most_of(int a, int b)
{
    return a > b ? a : b;
}

/* Source rows that one output row needs. */
static int reach(const cvk_geom *g)
{
    return (g->kh - 1) * g->dh + 1;
}

/* --- what is accepted --- */

static bool has_constants(const cvk_problem *problem)
{
    bool all = true;
    for (int i = CVK_BOTTLENECK_DW; i < CVK_BOTTLENECK_INPUTS; i++)
        all = all && (problem->in[i].dtype == CVK_NONE || problem->in[i].data);
    return all && problem->in[CVK_BOTTLENECK_DW].data;
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

static pointwise_args pointwise_make(int ic, int oc)
{
    const int blocks = cvk_cl_ceil_div(ic, CVK_BLOCK);
    return (pointwise_args){.blocks = blocks,
                            .last = ic - (blocks - 1) * CVK_BLOCK,
                            .oc = oc,
                            .oc_blocks = cvk_cl_ceil_div(oc, CVK_BLOCK)};
}

static bool make_geometry(const cvk_problem *problem, bottleneck_plan *plan)
{
    const cvk_bottleneck_params *params = problem->node->params;
    cvk_shape in = problem->in[CVK_BOTTLENECK_X].shape, out = problem->out[0].shape;
    if (in.rank != 4) return false;
    plan->ic = (int)in.dims[1];
    plan->oc = (int)out.dims[1];
    in.dims[1] = out.dims[1] = problem->in[CVK_BOTTLENECK_DW].shape.dims[0];
    return cvk_geom_make(&params->depthwise.window, params->depthwise.group, &in, &out, &plan->g) &&
           plan->g.group == plan->g.ic;
}

static bool check(const cvk_problem *problem, bottleneck_plan *plan, const char **why_not)
{
    if (!cvk_cl_blocked_fit(problem, why_not) || !cvk_cl_posts_accept(problem, false, why_not))
        return false;
    if (!has_constants(problem)) return cvk_cl_refuse(why_not, "weights are not constant");
    return make_geometry(problem, plan) || cvk_cl_refuse(why_not, "not 2-D, or too large");
}

/* --- bands --- */

/* Bytes that `rows` output rows of so many blocks keep in cache. */
static double band_bytes(const bottleneck_plan *plan, int blocks, int rows)
{
    const cvk_geom *g = &plan->g;
    const int source = least_of(g->ih, (rows - 1) * g->sh + reach(g));
    const double row = (double)sizeof(float) * blocks * CVK_BLOCK;
    return row * g->iw * source + (plan->args.projects ? row * g->ow * rows : 0);
}

/* As many rows as leave room in L2 for weights, source and result; in bands of nearly one size. */
static bool make_band(bottleneck_plan *plan)
{
    bottleneck_args *a = &plan->args;
    const cvk_geom *g = &plan->g;
    const int blocks = a->projects ? a->blocks : 1;
    const int most = least_of(cvk_cl_ceil_div(g->n * g->oh, a->parts), g->oh);
    const double limit = (a->projects ? band_part : block_part) * (double)plan->l2;
    if (band_bytes(plan, blocks, 1) > limit) return false;
    a->band = 1;
    while (a->band < most && band_bytes(plan, blocks, a->band + 1) <= limit) a->band++;
    a->band = cvk_cl_ceil_div(most, cvk_cl_ceil_div(most, a->band));
    a->ring = a->expands ? least_of(g->ih, (a->band - 1) * g->sh + reach(g)) : g->ih;
    /* A line more than the rows, so that blocks do not begin in the same sets of L1. */
    a->ring_step = a->expands ? a->ring * g->iw + 1 : g->ih * g->iw;
    a->deep_step = a->band * g->ow + 1;
    a->deep = a->expands ? a->ring_step * blocks : 0;
    a->item = a->deep + (a->projects ? a->deep_step * a->blocks : 0);
    return true;
}

/* --- cost --- */

static int channels_of(const pointwise_args *p)
{
    return (p->blocks - 1) * CVK_BLOCK + p->last;
}

/* Per pixel. */
static double pointwise_cycles(const pointwise_args *p)
{
    return (double)channels_of(p) * p->oc_blocks;
}

static double weight_cycles(const pointwise_args *p)
{
    return (double)channels_of(p) * p->oc_blocks * CVK_BLOCK * sizeof(float) / weight_rate;
}

/* Cycles of the busiest core with the shares that are planned. */
static double joint_cycles(const bottleneck_plan *plan)
{
    const bottleneck_args *a = &plan->args;
    const cvk_geom *g = &plan->g;
    const double rows = cvk_cl_ceil_div(g->n * g->oh, a->parts);
    const bool images = g->n % a->parts == 0; /* no row is needed twice */
    const double reached = fmin((double)g->n * g->ih, rows * g->sh + most_of(reach(g) - g->sh, 0));
    const double source = images ? (double)g->n * g->ih / a->parts : reached;
    const double share = (double)a->group_blocks / a->blocks;
    const double bands = ceil(rows / a->band);
    double cycles = rows * g->ow * g->kh * g->kw * a->blocks;
    if (a->expands)
        cycles += source * g->iw * (pointwise_cycles(&a->expand) + plan->between * a->blocks) +
                  bands * weight_cycles(&a->expand);
    if (a->projects)
        cycles += rows * g->ow * pointwise_cycles(&a->project) + bands * weight_cycles(&a->project);
    return ceil((double)a->parts * a->groups / plan->units) * share * cycles;
}

/* The same of the steps by themselves. */
static double apart_cycles(const bottleneck_plan *plan)
{
    const bottleneck_args *a = &plan->args;
    const cvk_geom *g = &plan->g;
    const double source = (double)g->n * g->ih * g->iw, pixels = (double)g->n * g->oh * g->ow;
    const double block_bytes = 2.0 * CVK_BLOCK * sizeof(float) * a->blocks;
    double cycles = pixels * g->kh * g->kw * a->blocks;
    if (a->expands)
        cycles += source * (pointwise_cycles(&a->expand) + plan->between * a->blocks +
                            block_bytes / traffic_rate) +
                  weight_cycles(&a->expand);
    if (a->projects)
        cycles += pixels * (pointwise_cycles(&a->project) + block_bytes / traffic_rate) +
                  weight_cycles(&a->project);
    return cycles / plan->units + launch_cycles * (a->expands + a->projects);
}

/* Shares of rows, and without project of channels, so that the busiest core has the least to do. */
static double make_shares(bottleneck_plan *plan)
{
    bottleneck_args *a = &plan->args;
    const int rows = plan->g.n * plan->g.oh;
    double least = INFINITY;
    bottleneck_args best = *a;
    a->groups = a->projects ? 1 : a->blocks;
    a->group_blocks = a->projects ? a->blocks : 1;
    for (int parts = a->projects ? least_of(plan->units, rows) : 1;
         parts <= least_of(2 * plan->units, rows); parts++) {
        a->parts = parts;
        if (!make_band(plan)) continue;
        const double cycles = joint_cycles(plan);
        if (cycles < least) {
            least = cycles;
            best = *a;
        }
    }
    *a = best;
    return least;
}

static bool make_plan(const cvk_problem *problem, bottleneck_plan *plan, const char **why_not)
{
    const cvk_bottleneck_params *params = problem->node->params;
    const cvk_caps *caps = problem->caps;
    *plan = (bottleneck_plan){.l2 = caps->l2_bytes ? caps->l2_bytes : USUAL_L2_BYTES,
                              .units = most_of(caps->units, 1),
                              .between = act_cycles(&params->expand_act)};
    if (!check(problem, plan, why_not)) return false;
    bottleneck_args *a = &plan->args;
    a->expands = problem->in[CVK_BOTTLENECK_EW].dtype != CVK_NONE;
    a->projects = problem->in[CVK_BOTTLENECK_PW].dtype != CVK_NONE;
    a->n = plan->g.n;
    a->c = plan->g.ic;
    a->blocks = cvk_cl_ceil_div(a->c, CVK_BLOCK);
    a->window = cvk_cl_window_make(&plan->g);
    a->expand = pointwise_make(plan->ic, a->c);
    a->project = pointwise_make(a->c, plan->oc);
    const double joint = make_shares(plan);
    if (joint == INFINITY)
        return cvk_cl_refuse(why_not, "the rows that an output row needs do not fit in L2");
    return joint <= apart_cycles(plan) ||
           cvk_cl_refuse(why_not,
                         "the largest share of a core grows by more than is saved otherwise");
}

bool cvk_cl_bottleneck_accepts(const cvk_problem *problem, const char **why_not)
{
    bottleneck_plan plan;
    return make_plan(problem, &plan, why_not);
}

/* --- preparing --- */

static const cvk_view *present(const cvk_step *step, int input)
{
    return step->in[input].dtype == CVK_NONE ? NULL : &step->in[input];
}

typedef struct pack_arg {
    const pointwise_args *p;
    const float *wgt, *bias;
    int ic;
} pack_arg;

static void pack_fill(void *dst, const void *arg)
{
    const pack_arg *a = arg;
    float *to = dst;
    for (int block = 0; block < a->p->oc_blocks; block++)
        for (int ic = 0; ic < a->p->blocks * CVK_BLOCK; ic++)
            for (int oc = block * CVK_BLOCK; oc < (block + 1) * CVK_BLOCK; oc++, to++)
                if (ic < a->ic && oc < a->p->oc) *to = a->wgt[(size_t)oc * a->ic + ic];
    for (int oc = 0; a->bias && oc < a->p->oc; oc++) to[oc] = a->bias[oc];
}

/* Weights and bias as depthwise.cl has them; NULL where there are none. */
static cvk_status pack(cvk_device *device, cvk_step *step, int input, const pointwise_args *p,
                       void **packed)
{
    const cvk_view *wgt = present(step, input), *bias = present(step, input + 1);
    *packed = NULL;
    if (!wgt) return CVK_OK;
    const pack_arg arg = {
        .p = p, .wgt = wgt->data, .bias = bias ? bias->data : NULL, .ic = channels_of(p)};
    const size_t rows = (size_t)p->blocks * CVK_BLOCK + 1;
    const cvk_pack pack = {.source = wgt->data,
                           .source_bytes = cvk_view_bytes(wgt),
                           .source2 = arg.bias,
                           .source2_bytes = bias ? cvk_view_bytes(bias) : 0,
                           .kind = "opencl pointwise",
                           .variant = (uint64_t)arg.ic << 32 | (uint64_t)p->oc,
                           .bytes = rows * (size_t)p->oc_blocks * CVK_BLOCK * sizeof(float),
                           .fill = pack_fill,
                           .arg = &arg};
    return cvk_step_pack(device, step, &pack, packed);
}

/* What stands behind expand and the depthwise convolution, and behind the last. */
static void make_posts(const cvk_step *step, bottleneck_args *a, int *residual, int *slope)
{
    const cvk_bottleneck_params *params = step->node->params;
    cvk_cl_posts last;
    cvk_cl_posts_make(step->node, step->in, &last, residual, slope);
    cvk_cl_between_make(&params->expand_act, &step->in[CVK_BOTTLENECK_ES], &a->expand.posts);
    cvk_cl_between_make(&params->depthwise_act, &step->in[CVK_BOTTLENECK_DS], &a->middle);
    if (a->projects)
        a->project.posts = last;
    else
        a->middle = last;
}

cvk_status cvk_cl_bottleneck_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_problem problem = {
        .node = step->node, .in = step->in, .out = step->out, .caps = cvk_device_caps(device)};
    const char *why_not = "unknown";
    bottleneck_plan plan;
    bottleneck_args *a = &plan.args;
    cvk_cl_stage *stage;
    void *expand, *wgt, *project;
    int residual, slope;
    if (!make_plan(&problem, &plan, &why_not))
        return cvk_fail(CVK_UNSUPPORTED, "'%s': %s", step->node->name, why_not);
    make_posts(step, a, &residual, &slope);
    CVK_TRY(cvk_cl_depthwise_pack(device, step, &plan.g, &step->in[CVK_BOTTLENECK_DW],
                                  present(step, CVK_BOTTLENECK_DB), &wgt));
    CVK_TRY(pack(device, step, CVK_BOTTLENECK_EW, &a->expand, &expand));
    CVK_TRY(pack(device, step, CVK_BOTTLENECK_PW, &a->project, &project));
    CVK_TRY(cvk_cl_stage_add(device, step, "depthwise.cl", "", "bottleneck", &stage));
    cvk_cl_stage_in(stage, 0, CVK_BOTTLENECK_X);
    CVK_TRY(cvk_cl_arg_mem(&stage->launch, 1, expand));
    CVK_TRY(cvk_cl_arg_mem(&stage->launch, 2, wgt));
    CVK_TRY(cvk_cl_arg_mem(&stage->launch, 3, project));
    cvk_cl_stage_in(stage, 4, CVK_BOTTLENECK_ES);
    cvk_cl_stage_in(stage, 5, CVK_BOTTLENECK_DS);
    cvk_cl_stage_in(stage, 6, slope);
    cvk_cl_stage_in(stage, 7, residual);
    cvk_cl_stage_out(stage, 8, 0);
    cvk_cl_stage_scratch(stage, 9);
    CVK_TRY(cvk_cl_arg_struct(&stage->launch, 10, a, sizeof *a));
    cvk_cl_stage_size(stage, device, (size_t)a->parts, (size_t)a->groups, 1);
    step->scratch_bytes =
        (size_t)a->parts * (size_t)a->groups * (size_t)a->item * CVK_BLOCK * sizeof(float);
    return CVK_OK;
}
