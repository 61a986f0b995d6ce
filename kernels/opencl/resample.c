/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches resample.cl: Resample.
 */
#include "kernels/opencl/steps.h"

/* As in resample.cl. */
typedef struct resample_args {
    cl_int span, rows, in, out, inner, taps, chunks;
    cl_float fill;
} resample_args;

bool cvk_cl_resample_accepts(const cvk_problem *problem, const char **why_not)
{
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_floats_fit(problem, why_not);
}

cvk_status cvk_cl_resample_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_resample_params *p = step->node->params;
    const cvk_shape *shape = &step->in[0].shape;
    size_t entries = (size_t)p->length * (size_t)p->taps;
    void *at, *weight;
    resample_args args = {.rows = (cl_int)cvk_shape_span(shape, 0, (int)p->axis),
                          .in = (cl_int)shape->dims[p->axis],
                          .out = (cl_int)p->length,
                          .inner = (cl_int)cvk_shape_span(shape, (int)p->axis + 1, shape->rank),
                          .taps = p->taps,
                          .fill = p->fill};
    bool line = args.inner == 1;
    if (!line) args.rows *= args.out;
    args.chunks = ((line ? args.out : args.inner) + CVK_BLOCK - 1) / CVK_BLOCK;
    CVK_TRY(cvk_step_constant(device, step, p->at, entries * sizeof *p->at, &at));
    CVK_TRY(cvk_step_constant(device, step, p->weight, entries * sizeof *p->weight, &weight));
    cvk_cl_spec spec = {.file = "resample.cl",
                        .kernel = line ? "resample_line" : "resample_lanes",
                        .buffers = {{CVK_CL_IN, 0, NULL},
                                    {CVK_CL_HELD, 0, at},
                                    {CVK_CL_HELD, 0, weight},
                                    {CVK_CL_OUT, 0, NULL}},
                        .args = &args,
                        .args_bytes = sizeof args,
                        .units = (int64_t)args.rows * args.chunks,
                        .floats = (int64_t)CVK_BLOCK * args.taps,
                        .span = &args.span};
    return cvk_cl_steps_add(device, step, &spec);
}
