/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches select.cl: TopK, CumSum and Hardmax.
 */
#include "kernels/opencl/steps.h"

typedef struct line_args {
    cl_int span, lines, length, inner, k, smallest, exclusive, reverse;
} line_args;

/* The dims [axis, end) of `shape` are a line. */
static line_args lines_of(const cvk_shape *shape, int axis, int end)
{
    line_args args = {.length = (cl_int)cvk_shape_span(shape, axis, end),
                      .inner = (cl_int)cvk_shape_span(shape, end, shape->rank)};
    args.lines = (cl_int)cvk_shape_span(shape, 0, axis) * args.inner;
    return args;
}

static cvk_status launch(cvk_device *device, cvk_step *step, const char *kernel, line_args *args,
                         cvk_cl_buffer second)
{
    cvk_cl_spec spec = {.file = "select.cl",
                        .kernel = kernel,
                        .buffers = {{CVK_CL_IN, 0, NULL}, {CVK_CL_OUT, 0, NULL}, second},
                        .args = args,
                        .args_bytes = sizeof *args,
                        .units = args->lines,
                        .floats = args->length,
                        .span = &args->span};
    return cvk_cl_steps_add(device, step, &spec);
}

static bool accepts_lines(const cvk_problem *problem, const char **why_not)
{
    if (problem->in[0].shape.rank < 1) return cvk_cl_refuse(why_not, "a scalar");
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_floats_fit(problem, why_not);
}

bool cvk_cl_topk_accepts(const cvk_problem *problem, const char **why_not)
{
    if (problem->node->out[0] < 0) return cvk_cl_refuse(why_not, "no values are wanted");
    return accepts_lines(problem, why_not);
}

cvk_status cvk_cl_topk_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_top_k_params *params = step->node->params;
    line_args args = lines_of(&step->in[0].shape, (int)params->axis, (int)params->axis + 1);
    args.k = (cl_int)step->out[0].shape.dims[params->axis];
    args.smallest = params->smallest;
    cvk_cl_buffer indices = {CVK_CL_OUT, 1, NULL};
    if (step->node->n_out < 2 || step->node->out[1] < 0) { /* the heap wants them all the same */
        indices.place = CVK_CL_SCRATCH;
        step->scratch_bytes = (size_t)cvk_view_count(&step->out[0]) * sizeof(cl_long);
    }
    return launch(device, step, "topk", &args, indices);
}

bool cvk_cl_cumsum_accepts(const cvk_problem *problem, const char **why_not)
{
    if (!problem->in[1].data) return cvk_cl_refuse(why_not, "the axis is computed");
    return accepts_lines(problem, why_not);
}

cvk_status cvk_cl_cumsum_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_cum_sum_params *params = step->node->params;
    line_args args = lines_of(&step->in[0].shape, (int)params->axis, (int)params->axis + 1);
    args.exclusive = params->exclusive;
    args.reverse = params->reverse;
    return launch(device, step, "cumsum", &args, (cvk_cl_buffer){0});
}

bool cvk_cl_hardmax_accepts(const cvk_problem *problem, const char **why_not)
{
    return accepts_lines(problem, why_not);
}

cvk_status cvk_cl_hardmax_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_softmax_params *params = step->node->params;
    const cvk_shape *shape = &step->in[0].shape;
    line_args args =
        lines_of(shape, (int)params->axis, params->coerce ? shape->rank : (int)params->axis + 1);
    return launch(device, step, "hardmax", &args, (cvk_cl_buffer){0});
}
