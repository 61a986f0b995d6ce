/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches conv_plain.cl: Conv and ConvTranspose in plain layout, any group, weights as they are.
 */
#include <stdio.h>

#include "kernels/opencl/rows.h"

enum { CHANNELS = 4 };

/* As in conv_plain.cl. */
typedef struct plain_args {
    cl_int group_ic, group_oc, ic, oc, ih, iw, oh, ow, kh, kw, sh, sw, dh, dw, pt, pl, has_bias;
    cvk_cl_posts posts;
} plain_args;

bool cvk_cl_conv_plain_accepts(const cvk_problem *problem, const char **why_not)
{
    cvk_geom g;
    if (problem->in[0].dtype != CVK_F32 || problem->in[1].dtype != CVK_F32)
        *why_not = "float32 only";
    else if (!cvk_geom_conv(problem->node, &problem->in[0].shape, &problem->out[0].shape, &g))
        *why_not = "not one or two spatial dimensions, or too many elements";
    else
        return cvk_cl_posts_accept(problem, false, why_not);
    return false;
}

static cvk_status prepare(cvk_device *device, cvk_step *step, const char *kernel)
{
    cvk_geom g;
    cvk_cl_stage *stage;
    int residual, slope;
    char defines[16];
    if (!cvk_geom_conv(step->node, &step->in[0].shape, &step->out[0].shape, &g))
        return cvk_fail(CVK_SHAPE, "the convolution's shape does not fit its window");
    plain_args args = {.group_ic = g.ic / g.group,
                       .group_oc = g.oc / g.group,
                       .ic = g.ic,
                       .oc = g.oc,
                       .ih = g.ih,
                       .iw = g.iw,
                       .oh = g.oh,
                       .ow = g.ow,
                       .kh = g.kh,
                       .kw = g.kw,
                       .sh = g.sh,
                       .sw = g.sw,
                       .dh = g.dh,
                       .dw = g.dw,
                       .pt = g.pt,
                       .pl = g.pl,
                       .has_bias = cvk_cl_has_input(step->node, step->in, 2)};
    cvk_cl_posts_make(step->node, step->in, &args.posts, &residual, &slope);
    snprintf(defines, sizeof defines, "-DOCT=%d", CHANNELS);
    CVK_TRY(cvk_cl_stage_add(device, step, "conv_plain.cl", defines, kernel, &stage));
    cvk_cl_stage_in(stage, 0, 0);
    cvk_cl_stage_in(stage, 1, 1);
    cvk_cl_stage_in(stage, 2, args.has_bias ? 2 : -1);
    cvk_cl_stage_in(stage, 3, slope);
    cvk_cl_stage_in(stage, 4, residual);
    cvk_cl_stage_out(stage, 5, 0);
    CVK_TRY(cvk_cl_arg_struct(&stage->launch, 6, &args, sizeof args));
    cvk_cl_stage_size(stage, device, (size_t)cvk_cl_ceil_div(g.ow, 16) * (size_t)g.oh,
                      (size_t)(g.group * cvk_cl_ceil_div(args.group_oc, CHANNELS)), (size_t)g.n);
    return CVK_OK;
}

cvk_status cvk_cl_conv_plain_prepare(cvk_device *device, cvk_step *step)
{
    return prepare(device, step, "conv");
}

bool cvk_cl_conv_transpose_plain_accepts(const cvk_problem *problem, const char **why_not)
{
    return cvk_cl_conv_plain_accepts(problem, why_not);
}

cvk_status cvk_cl_conv_transpose_plain_prepare(cvk_device *device, cvk_step *step)
{
    return prepare(device, step, "conv_transpose");
}
