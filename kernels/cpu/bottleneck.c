/* SPDX-License-Identifier: Apache-2.0
 *
 * The row of a Bottleneck: expand, depthwise convolution and project in bands of rows, as
 * bottleneck_plan.h draws them.
 */
#include "kernels/cpu/bottleneck_plan.h"
#include "kernels/cpu/work.h"

/* One worker's view of a run. */
typedef struct job {
    const bottleneck_plan *plan;
    const float *src;
    float *dst;
    float *ring, *deep;            /* scratch */
    finish expanded, middle, last; /* middle: behind the depthwise convolution */
} job;

/* Rows [begin, end) of an image that expand has not made yet, one tile: a run of pixels as far as
 * the ring goes. */
static void expand_rows(const job *j, int image, int tile, int begin, int end)
{
    const bottleneck_plan *plan = j->plan;
    const cvk_geom *g = &plan->g;
    const ptrdiff_t plane = (ptrdiff_t)g->ih * g->iw * CVK_BLOCK,
                    row = (ptrdiff_t)g->iw * CVK_BLOCK;
    for (int y = begin; y < end;) {
        const int slot = y % plan->ring, left = plan->ring - slot;
        const int rows = end - y < left ? end - y : left;
        const pixel_run run = {.src = j->src + image * plan->expand.blocks * plane + y * row,
                               .src_step = plane,
                               .dst = j->ring + slot * row,
                               .dst_step = plan->ring_step,
                               .count = rows * g->iw};
        CVK_FN(cvk_pointwise_run)(&plan->expand, tile, &run, &j->expanded);
        y += rows;
    }
}

/* Output rows [row, row + rows) of the depthwise convolution, one vec of channels. */
static void depthwise_rows(const job *j, int image, int vec_index, int row, int rows)
{
    const bottleneck_plan *plan = j->plan;
    const cvk_geom *g = &plan->g;
    const finish *after = &j->middle;
    const int channel = vec_index * CVK_VLEN, block = channel / CVK_BLOCK,
              lane = channel % CVK_BLOCK;
    const float *source =
        plan->expands ? j->ring : j->src + (ptrdiff_t)image * plan->blocks * plan->ring_step;
    const ptrdiff_t plane = (ptrdiff_t)image * plan->blocks + block, line = (ptrdiff_t)g->ow;
    depthwise_row r = {.g = g,
                       .inside_begin = plan->inside_begin,
                       .inside_end = plan->inside_end,
                       .src = source + block * plan->ring_step + lane,
                       .ring = plan->ring,
                       .wgt = plan->wgt + (ptrdiff_t)block * g->kh * g->kw * CVK_BLOCK + lane,
                       .bias = plan->wgt +
                               ((ptrdiff_t)plan->blocks * g->kh * g->kw + block) * CVK_BLOCK + lane,
                       .clamp = after->is_simple && after->simple.clamp,
                       .lo = after->simple.lo,
                       .hi = after->simple.hi};
    for (int y = row; y < row + rows; y++) {
        const size_t at = (size_t)((plane * g->oh + y) * line * CVK_BLOCK + lane);
        r.dst = plan->projects
                    ? j->deep + block * plan->deep_step + (y - row) * line * CVK_BLOCK + lane
                    : j->dst + at;
        r.res = after->is_simple && after->simple.res ? after->simple.res + at : NULL;
        CVK_FN(cvk_depthwise_row)(&r, y, false);
        if (!after->is_simple)
            CVK_FN(cvk_chain_lanes)(&after->all, r.dst, CVK_BLOCK, at, CVK_BLOCK, g->ow, channel);
    }
}

static void project_rows(const job *j, int image, int row, int rows)
{
    const bottleneck_plan *plan = j->plan;
    const cvk_geom *g = &plan->g;
    const ptrdiff_t plane = (ptrdiff_t)g->oh * g->ow * CVK_BLOCK;
    const ptrdiff_t blocks = (plan->project.oc + CVK_BLOCK - 1) / CVK_BLOCK;
    const ptrdiff_t at = image * blocks * plane + (ptrdiff_t)row * g->ow * CVK_BLOCK;
    const pixel_run run = {.src = j->deep,
                           .src_step = plan->deep_step,
                           .dst = j->dst + at,
                           .dst_step = plane,
                           .at = (size_t)at,
                           .count = rows * g->ow};
    for (int t = 0; t < plan->project.tiles; t++)
        CVK_FN(cvk_pointwise_run)(&plan->project, t, &run, &j->last);
}

/* Output rows [begin, end) of an image. */
static void run_image(const job *j, int image, int begin, int end)
{
    const bottleneck_plan *plan = j->plan;
    int done = 0; /* source rows before it are in the ring, if they are needed */
    for (int row = begin; row < end; row += plan->band) {
        const int rows = end - row < plan->band ? end - row : plan->band;
        int first, last;
        CVK_FN(cvk_bottleneck_rows)(plan, row, rows, &first, &last);
        if (first < done) first = done;
        for (int t = 0; t < plan->tiles; t++) {
            int vec_begin, vec_end;
            CVK_FN(cvk_bottleneck_tile)(plan, t, &vec_begin, &vec_end);
            if (plan->expands) expand_rows(j, image, t, first, last);
            for (int v = vec_begin; v < vec_end; v++) depthwise_rows(j, image, v, row, rows);
        }
        done = last;
        if (plan->projects) project_rows(j, image, row, rows);
    }
}

static void run_part(const job *j, int part)
{
    const bottleneck_plan *plan = j->plan;
    const int per_image = plan->g.oh, units = plan->g.n * per_image;
    int begin = (int)((long long)units * part / plan->parts);
    const int end = (int)((long long)units * (part + 1) / plan->parts);
    while (begin < end) {
        const int image = begin / per_image, row = begin % per_image;
        const int rows = end - begin < per_image - row ? end - begin : per_image - row;
        run_image(j, image, row, row + rows);
        begin += rows;
    }
}

static finish finish_of(chain all)
{
    finish made = {.all = all};
    made.is_simple = CVK_FN(cvk_chain_simplify)(&made.all, &made.simple);
    return made;
}

/* What stands between two of the convolutions: slopes, or an activation. */
static finish between(const cvk_act *act, const cvk_view *slope, int channels)
{
    chain all = {.channels = channels};
    if (slope->dtype != CVK_NONE)
        all.item[all.n++] = (struct chain_item){
            .kind = CVK_POST_PRELU, .data = slope->data, .each = cvk_view_count(slope) > 1};
    else if (act->kind != CVK_ACT_NONE)
        all.item[all.n++] = (struct chain_item){.kind = CVK_POST_ACT, .act = act};
    return finish_of(all);
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const bottleneck_plan *plan = step->state;
    const cvk_bottleneck_params *params = step->node->params;
    const cvk_node *node = step->node;
    if (worker >= plan->parts) return CVK_OK;
    job j = {.plan = plan,
             .src = step->in[CVK_BOTTLENECK_X].data,
             .dst = step->out[0].data,
             .ring = (float *)step->scratch + (size_t)worker * plan->worker_floats};
    j.deep = j.ring + plan->ring_floats;
    chain posts;
    CVK_FN(cvk_chain_make)
    (node, step->in, 0, node->n_posts, plan->projects ? plan->project.oc : plan->g.ic, &posts);
    j.last = finish_of(posts);
    j.expanded = between(&params->expand_act, &step->in[CVK_BOTTLENECK_ES], plan->g.ic);
    j.middle = plan->projects
                   ? between(&params->depthwise_act, &step->in[CVK_BOTTLENECK_DS], plan->g.ic)
                   : j.last;
    for (int part = worker; part < plan->parts; part += workers) run_part(&j, part);
    return CVK_OK;
}

/* --- preparing --- */

static bool accepts(const cvk_problem *problem, const char **why_not)
{
    bottleneck_plan plan;
    return CVK_FN(cvk_bottleneck_plan_make)(problem, &plan, why_not);
}

static void work_of(const cvk_problem *problem, cvk_work *work)
{
    const double cycles = CVK_FN(cvk_bottleneck_cycles)(problem);
    if (cycles > 0) work->macs = work_macs(problem->caps, cycles);
}

static const cvk_view *present(const cvk_step *step, int input)
{
    return step->in[input].dtype == CVK_NONE ? NULL : &step->in[input];
}

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    bottleneck_plan *plan = cvk_step_alloc(step, sizeof *plan);
    if (!plan) return CVK_NO_MEMORY;
    const char *why_not = "unknown";
    const cvk_problem problem = {
        .node = step->node, .in = step->in, .out = step->out, .caps = cvk_device_caps(device)};
    if (!CVK_FN(cvk_bottleneck_plan_make)(&problem, plan, &why_not))
        return cvk_fail(CVK_UNSUPPORTED, "'%s': %s", step->node->name, why_not);
    CVK_TRY(CVK_FN(cvk_depthwise_pack)(device, step, &plan->g, &step->in[CVK_BOTTLENECK_DW],
                                       present(step, CVK_BOTTLENECK_DB), &plan->wgt));
    if (plan->expands)
        CVK_TRY(CVK_FN(cvk_pointwise_pack)(device, step, &step->in[CVK_BOTTLENECK_EW],
                                           present(step, CVK_BOTTLENECK_EB), &plan->expand));
    if (plan->projects)
        CVK_TRY(CVK_FN(cvk_pointwise_pack)(device, step, &step->in[CVK_BOTTLENECK_PW],
                                           present(step, CVK_BOTTLENECK_PB), &plan->project));
    step->scratch_bytes = (size_t)plan->parts * plan->worker_floats * sizeof(float);
    step->state = plan;
    return CVK_OK;
}

const cvk_kernel CVK_FN(cvk_cpu_bottleneck) = {
    .op = CVK_OP_Bottleneck,
    .name = "bottleneck",
    .in_layout = CVK_LAYOUT_BLOCKED,
    .out_layout = CVK_LAYOUT_BLOCKED,
    .packs = 1u << CVK_BOTTLENECK_DW | 1u << CVK_BOTTLENECK_DB | 1u << CVK_BOTTLENECK_EW |
             1u << CVK_BOTTLENECK_EB | 1u << CVK_BOTTLENECK_PW | 1u << CVK_BOTTLENECK_PB,
    .accepts = accepts,
    .cost = work_of,
    .prepare = prepare,
    .run = run,
};
