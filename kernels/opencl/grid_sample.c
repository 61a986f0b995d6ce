/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches grid_sample.cl: GridSample.
 */
#include "kernels/opencl/steps.h"

/* As in grid_sample.cl. */
typedef struct grid_args {
    cl_int span, n, c, points, spatial, dims[CVK_MAX_SPATIAL], mode, padding, align;
} grid_args;

bool cvk_cl_grid_sample_accepts(const cvk_problem *problem, const char **why_not)
{
    if (problem->in[1].dtype != CVK_F32) return cvk_cl_refuse(why_not, "a float32 grid only");
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_floats_fit(problem, why_not);
}

cvk_status cvk_cl_grid_sample_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_grid_params *params = step->node->params;
    const cvk_shape *in = &step->in[0].shape, *out = &step->out[0].shape;
    int spatial = in->rank - 2, lead = CVK_MAX_SPATIAL - spatial;
    grid_args args = {.n = (cl_int)in->dims[0],
                      .c = (cl_int)in->dims[1],
                      .points = (cl_int)cvk_shape_span(out, 2, out->rank),
                      .spatial = spatial,
                      .mode = (cl_int)params->mode,
                      .padding = (cl_int)params->padding,
                      .align = params->align_corners};
    for (int d = 0; d < CVK_MAX_SPATIAL; d++)
        args.dims[d] = d < lead ? 1 : (cl_int)in->dims[2 + d - lead];
    cvk_cl_spec spec = {
        .file = "grid_sample.cl",
        .kernel = "grid_sample",
        .buffers = {{CVK_CL_IN, 0, NULL}, {CVK_CL_IN, 1, NULL}, {CVK_CL_OUT, 0, NULL}},
        .args = &args,
        .args_bytes = sizeof args,
        .units = (int64_t)args.n * args.points,
        .floats = (int64_t)args.c * (params->mode == CVK_RESIZE_CUBIC ? 16 : 4),
        .span = &args.span};
    return cvk_cl_steps_add(device, step, &spec);
}
