/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches conv_plain.cl: Conv and ConvTranspose in plain layout, any group, weights as they are.
 */
#include <stdio.h>

#include "kernels/opencl/rows.h"

/* On a CPU an item has at most as many pixels as give about SUMS sums, which registers hold. */
enum {
    CHANNELS = 4,
    SUMS = 16,
    LANES = 16,
    /* for predictions, of a vector at the peak: beginning a row on a CPU, how many times as much with
       a stride; a product elsewhere, which loads both factors */
    ROW_CYCLES = 14,
    STRIDED = 2,
    PRODUCT_CYCLES = 4
};

/* As in conv_plain.cl; axis: D, H, W. */
typedef struct plain_args {
    cl_int group_ic, group_oc, ic, oc;
    struct {
        cl_int in, out, kernel, stride, dilation, pad;
    } axis[CVK_MAX_SPATIAL];
    cl_int has_bias;
    cvk_cl_posts posts;
} plain_args;

static bool geometry(const cvk_node *node, const cvk_view *in, const cvk_view *out, cvk_geom3 *g)
{
    const cvk_conv_params *params = node->params;
    return cvk_geom3_make(&params->window, params->group, &in[0].shape, &out[0].shape, g);
}

bool cvk_cl_conv_plain_accepts(const cvk_problem *problem, const char **why_not)
{
    cvk_geom3 g;
    if (problem->in[0].dtype != CVK_F32 || problem->in[1].dtype != CVK_F32)
        *why_not = "float32 only";
    else if (!cvk_cl_posts_accept(problem, false, why_not))
        return false;
    else if (!geometry(problem->node, problem->in, problem->out, &g))
        *why_not = "too many elements";
    else
        return true;
    return false;
}

/* On a CPU it is not the products of a row that take the time, but its begin under each weight. */
void cvk_cl_conv_plain_cost(const cvk_problem *problem, cvk_work *work)
{
    cvk_geom3 g;
    if (!geometry(problem->node, problem->in, problem->out, &g)) return;
    const double rows = work->macs / g.axis[2].out, steps = g.axis[2].stride > 1 ? STRIDED : 1;
    work->macs = problem->caps->bits & CVK_CAP_CPU ? work->macs + rows * steps * ROW_CYCLES * LANES
                                                   : work->macs * PRODUCT_CYCLES;
}

static int choose_vecs(const cvk_device *device, int channels, int columns)
{
    const int sixteens = cvk_cl_ceil_div(columns, LANES), most = cvk_cl_ceil_div(SUMS, channels);
    if (!(cvk_device_caps(device)->bits & CVK_CAP_CPU)) return 1;
    return cvk_cl_ceil_div(sixteens, cvk_cl_ceil_div(sixteens, most));
}

/* A transposed one does the columns of each phase of its stride by themselves. */
static cvk_status prepare(cvk_device *device, cvk_step *step, bool transposed)
{
    cvk_geom3 g;
    cvk_cl_stage *stage;
    int residual, slope;
    char defines[32];
    if (!geometry(step->node, step->in, step->out, &g))
        return cvk_fail(CVK_SHAPE, "the convolution's shape does not fit its window");
    plain_args args = {.group_ic = g.ic / g.group,
                       .group_oc = g.oc / g.group,
                       .ic = g.ic,
                       .oc = g.oc,
                       .has_bias = cvk_cl_has_input(step->node, step->in, 2)};
    for (int a = 0; a < CVK_MAX_SPATIAL; a++) {
        args.axis[a].in = g.axis[a].in;
        args.axis[a].out = g.axis[a].out;
        args.axis[a].kernel = g.axis[a].kernel;
        args.axis[a].stride = g.axis[a].stride;
        args.axis[a].dilation = g.axis[a].dilation;
        args.axis[a].pad = g.axis[a].pad_begin;
    }
    cvk_cl_posts_make(step->node, step->in, &args.posts, &residual, &slope);
    const int phases = transposed ? g.axis[2].stride : 1;
    const int columns = cvk_cl_ceil_div(g.axis[2].out, phases);
    const int channels = args.group_oc < CHANNELS ? args.group_oc : CHANNELS;
    const int vecs = choose_vecs(device, channels, columns);
    snprintf(defines, sizeof defines, "-DOCT=%d -DVECS=%d", channels, vecs);
    CVK_TRY(cvk_cl_stage_add(device, step, "conv_plain.cl", defines,
                             transposed ? "conv_transpose" : "conv", &stage));
    cvk_cl_stage_in(stage, 0, 0);
    cvk_cl_stage_in(stage, 1, 1);
    cvk_cl_stage_in(stage, 2, args.has_bias ? 2 : -1);
    cvk_cl_stage_in(stage, 3, slope);
    cvk_cl_stage_in(stage, 4, residual);
    cvk_cl_stage_out(stage, 5, 0);
    CVK_TRY(cvk_cl_arg_struct(&stage->launch, 6, &args, sizeof args));
    cvk_cl_stage_size(stage, device,
                      (size_t)cvk_cl_ceil_div(columns, vecs * LANES) * (size_t)phases *
                          (size_t)g.axis[1].out * (size_t)g.axis[0].out,
                      (size_t)(g.group * cvk_cl_ceil_div(args.group_oc, channels)), (size_t)g.n);
    return CVK_OK;
}

cvk_status cvk_cl_conv_plain_prepare(cvk_device *device, cvk_step *step)
{
    return prepare(device, step, false);
}

bool cvk_cl_conv_transpose_plain_accepts(const cvk_problem *problem, const char **why_not)
{
    return cvk_cl_conv_plain_accepts(problem, why_not);
}

/* As above, but the rows are those of a phase. */
void cvk_cl_conv_transpose_plain_cost(const cvk_problem *problem, cvk_work *work)
{
    cvk_geom3 g;
    if (!geometry(problem->node, problem->in, problem->out, &g)) return;
    const double rows = work->macs * g.axis[2].stride / g.axis[2].out;
    work->macs = problem->caps->bits & CVK_CAP_CPU ? work->macs + rows * ROW_CYCLES * LANES
                                                   : work->macs * PRODUCT_CYCLES;
}

cvk_status cvk_cl_conv_transpose_plain_prepare(cvk_device *device, cvk_step *step)
{
    return prepare(device, step, true);
}
