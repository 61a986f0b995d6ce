/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches norm.cl: Softmax, LogSoftmax, LRN, InstanceNormalization, RowNormalization
 * and GlobalPool.
 */
#include "kernels/opencl/steps.h"

/* What an element costs where exp or pow stand in its way, in elements that are only moved. */
enum { EXP_COST = 4, POW_COST = 16, CHUNK = 256 };

static int64_t vectors(int64_t count)
{
    return (count + CVK_BLOCK - 1) / CVK_BLOCK;
}

typedef struct softmax_args {
    cl_int span, outer, length, inner, chunks, log, step_outer, step_length, step_inner;
} softmax_args;

bool cvk_cl_softmax_accepts(const cvk_problem *problem, const char **why_not)
{
    if (problem->in[0].shape.rank < 1) return cvk_cl_refuse(why_not, "a scalar");
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_floats_fit(problem, why_not);
}

cvk_status cvk_cl_softmax_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_softmax_params *params = step->node->params;
    const cvk_shape *shape = &step->in[0].shape;
    int axis = (int)params->axis, end = params->coerce ? shape->rank : axis + 1;
    softmax_args args = {.outer = (cl_int)cvk_shape_span(shape, 0, axis),
                         .length = (cl_int)cvk_shape_span(shape, axis, end),
                         .inner = (cl_int)cvk_shape_span(shape, end, shape->rank),
                         .log = step->node->op == CVK_OP_LogSoftmax || params->log};
    const bool cpu = device->caps.bits & CVK_CAP_CPU;
    bool run = args.inner == 1, beside = cpu && run && args.length < CVK_BLOCK;
    args.step_outer = args.length * args.inner;
    args.step_length = args.inner;
    args.step_inner = 1;
    if (beside) {
        args.inner = args.outer;
        args.outer = 1;
        args.step_inner = args.length;
        run = false;
    }
    args.chunks = (cl_int)vectors(args.inner);
    cvk_cl_spec spec = {.file = "norm.cl",
                        .kernel = run ? "softmax_run" : "softmax_lanes",
                        .buffers = {{CVK_CL_IN, 0, NULL}, {CVK_CL_OUT, 0, NULL}},
                        .args = &args,
                        .args_bytes = sizeof args,
                        .units = (int64_t)args.outer * args.chunks,
                        .floats = (int64_t)args.length * (run ? 1 : CVK_BLOCK) * EXP_COST,
                        .span = &args.span};
    return cvk_cl_steps_add(device, step, &spec);
}

typedef struct lrn_args {
    cl_int span, n, c, spatial, chunk, chunks, before, after;
    cl_float alpha, beta, bias;
} lrn_args;

bool cvk_cl_lrn_plain_accepts(const cvk_problem *problem, const char **why_not)
{
    if (problem->in[0].shape.rank < 2) return cvk_cl_refuse(why_not, "no channels");
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_floats_fit(problem, why_not);
}

bool cvk_cl_lrn_blocked_accepts(const cvk_problem *problem, const char **why_not)
{
    const cvk_lrn_params *params = problem->node->params;
    if (params->size > 2 * CVK_BLOCK + 1)
        return cvk_cl_refuse(why_not, "a window of more than 33 channels");
    return cvk_cl_lrn_plain_accepts(problem, why_not) && cvk_cl_blocked_fit(problem, why_not);
}

static cvk_status lrn_launch(cvk_device *device, cvk_step *step, bool blocked)
{
    const cvk_lrn_params *params = step->node->params;
    const cvk_shape *shape = &step->in[0].shape;
    int64_t size = params->size < shape->dims[1] * 2 ? params->size : shape->dims[1] * 2;
    lrn_args args = {.n = (cl_int)shape->dims[0],
                     .c = (cl_int)shape->dims[1],
                     .spatial = (cl_int)cvk_shape_span(shape, 2, shape->rank),
                     .before = (cl_int)((size - 1) / 2),
                     .after = (cl_int)(size / 2),
                     .alpha = (float)((double)params->alpha / (double)params->size),
                     .beta = params->beta,
                     .bias = params->bias};
    if (blocked)
        args.chunk = cvk_cl_chunk(device, args.spatial, CHUNK, 1, &args.chunks);
    else
        args.chunks = (cl_int)vectors(args.spatial);
    cvk_cl_spec spec = {.file = "norm.cl",
                        .kernel = blocked ? "lrn_blocked" : "lrn_plain",
                        .buffers = {{CVK_CL_IN, 0, NULL}, {CVK_CL_OUT, 0, NULL}},
                        .args = &args,
                        .args_bytes = sizeof args,
                        .units = args.n * (blocked ? vectors(args.c) : args.c) * args.chunks,
                        .floats = (int64_t)(blocked ? args.chunk : 1) * CVK_BLOCK * POW_COST,
                        .span = &args.span};
    return cvk_cl_steps_add(device, step, &spec);
}

cvk_status cvk_cl_lrn_plain_prepare(cvk_device *device, cvk_step *step)
{
    return lrn_launch(device, step, false);
}

cvk_status cvk_cl_lrn_blocked_prepare(cvk_device *device, cvk_step *step)
{
    return lrn_launch(device, step, true);
}

typedef struct instance_args {
    cl_int span, n, c, spatial;
    cl_float epsilon;
    cvk_cl_posts posts;
} instance_args;

static bool only_activations(const cvk_problem *problem, const char **why_not)
{
    for (int i = 0; i < problem->node->n_posts; i++)
        if (problem->node->posts[i].kind != CVK_POST_ACT)
            return cvk_cl_refuse(why_not, "only activations can follow");
    return true;
}

bool cvk_cl_instance_plain_accepts(const cvk_problem *problem, const char **why_not)
{
    if (problem->in[0].shape.rank < 2) return cvk_cl_refuse(why_not, "no channels");
    return only_activations(problem, why_not) && cvk_cl_floats_fit(problem, why_not);
}

bool cvk_cl_instance_blocked_accepts(const cvk_problem *problem, const char **why_not)
{
    return only_activations(problem, why_not) && cvk_cl_blocked_fit(problem, why_not);
}

static cvk_status instance_launch(cvk_device *device, cvk_step *step, const char *kernel, int lanes)
{
    const cvk_instance_normalization_params *params = step->node->params;
    const cvk_shape *shape = &step->in[0].shape;
    instance_args args = {.n = (cl_int)shape->dims[0],
                          .c = (cl_int)shape->dims[1],
                          .spatial = (cl_int)cvk_shape_span(shape, 2, shape->rank),
                          .epsilon = params->epsilon};
    int residual, slope;
    cvk_cl_posts_make(step->node, step->in, &args.posts, &residual, &slope);
    cvk_cl_spec spec = {.file = "norm.cl",
                        .kernel = kernel,
                        .buffers = {{CVK_CL_IN, 0, NULL},
                                    {CVK_CL_IN, 1, NULL},
                                    {CVK_CL_IN, 2, NULL},
                                    {CVK_CL_OUT, 0, NULL}},
                        .args = &args,
                        .args_bytes = sizeof args,
                        .units = (int64_t)args.n * ((args.c + lanes - 1) / lanes),
                        .floats = (int64_t)args.spatial * lanes,
                        .span = &args.span};
    return cvk_cl_steps_add(device, step, &spec);
}

cvk_status cvk_cl_instance_plain_prepare(cvk_device *device, cvk_step *step)
{
    return instance_launch(device, step, "instance_plain", 1);
}

cvk_status cvk_cl_instance_blocked_prepare(cvk_device *device, cvk_step *step)
{
    return instance_launch(device, step, "instance_blocked", CVK_BLOCK);
}

/* As in norm.cl. */
typedef struct row_args {
    cl_int span, rows, length, groups, inner, has_scale, has_shift, has_mean, has_deviation;
    cl_float epsilon;
} row_args;

bool cvk_cl_row_norm_accepts(const cvk_problem *problem, const char **why_not)
{
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_floats_fit(problem, why_not);
}

static bool has_output(const cvk_step *step, int i)
{
    return i < step->node->n_out && step->out[i].dtype != CVK_NONE;
}

cvk_status cvk_cl_row_norm_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_row_normalization_params *params = step->node->params;
    row_args args = {.rows = (cl_int)params->rows,
                     .length = (cl_int)params->length,
                     .groups = (cl_int)params->groups,
                     .inner = (cl_int)params->inner,
                     .has_scale = cvk_cl_has_input(step->node, step->in, 1),
                     .has_shift = cvk_cl_has_input(step->node, step->in, 2),
                     .has_mean = has_output(step, 1),
                     .has_deviation = has_output(step, 2),
                     .epsilon = params->epsilon};
    cvk_cl_spec spec = {.file = "norm.cl",
                        .kernel = "row_normalization",
                        .buffers = {{CVK_CL_IN, 0, NULL},
                                    {CVK_CL_IN, 1, NULL},
                                    {CVK_CL_IN, 2, NULL},
                                    {CVK_CL_OUT, 0, NULL},
                                    {CVK_CL_OUT, 1, NULL},
                                    {CVK_CL_OUT, 2, NULL}},
                        .args = &args,
                        .args_bytes = sizeof args,
                        .units = args.rows,
                        .floats = args.length,
                        .span = &args.span};
    return cvk_cl_steps_add(device, step, &spec);
}

typedef struct global_pool_args {
    cl_int span, planes, spatial, average;
} global_pool_args;

bool cvk_cl_global_pool_plain_accepts(const cvk_problem *problem, const char **why_not)
{
    if (problem->in[0].shape.rank < 2) return cvk_cl_refuse(why_not, "no channels");
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_floats_fit(problem, why_not);
}

bool cvk_cl_global_pool_blocked_accepts(const cvk_problem *problem, const char **why_not)
{
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_blocked_fit(problem, why_not);
}

static cvk_status global_pool_launch(cvk_device *device, cvk_step *step, const char *kernel,
                                     int lanes)
{
    const cvk_global_pool_params *params = step->node->params;
    const cvk_shape *shape = &step->in[0].shape;
    global_pool_args args = {.planes =
                                 (cl_int)(shape->dims[0] * ((shape->dims[1] + lanes - 1) / lanes)),
                             .spatial = (cl_int)cvk_shape_span(shape, 2, shape->rank),
                             .average = params->kind == CVK_POOL_AVERAGE};
    cvk_cl_spec spec = {.file = "norm.cl",
                        .kernel = kernel,
                        .buffers = {{CVK_CL_IN, 0, NULL}, {CVK_CL_OUT, 0, NULL}},
                        .args = &args,
                        .args_bytes = sizeof args,
                        .units = args.planes,
                        .floats = (int64_t)args.spatial * lanes,
                        .span = &args.span};
    return cvk_cl_steps_add(device, step, &spec);
}

cvk_status cvk_cl_global_pool_plain_prepare(cvk_device *device, cvk_step *step)
{
    return global_pool_launch(device, step, "global_pool_plain", 1);
}

cvk_status cvk_cl_global_pool_blocked_prepare(cvk_device *device, cvk_step *step)
{
    return global_pool_launch(device, step, "global_pool_blocked", CVK_BLOCK);
}
