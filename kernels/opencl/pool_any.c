/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches pool_any.cl: Pool of any kind, type and number of dimensions, and MaxUnpool.
 */
#include "kernels/opencl/steps.h"

/* As in pool_any.cl. */
typedef struct pool_args {
    cl_int span, rows, chunk, chunks;
    struct {
        cl_int in, out, kernel, stride, dilation, begin, end;
    } axis[CVK_MAX_SPATIAL];
    cl_int kind, include_pad, column_major;
    cl_float power;
    cvk_cl_posts posts;
} pool_args;

static const char *defines_of(cvk_dtype dtype)
{
    if (dtype == CVK_U8) return "-DT=uchar -DLEAST=0";
    if (dtype == CVK_I8) return "-DT=char -DLEAST=-128";
    return "";
}

bool cvk_cl_pool_any_accepts(const cvk_problem *problem, const char **why_not)
{
    const cvk_node *node = problem->node;
    const cvk_pool_params *params = node->params;
    cvk_dtype dtype = problem->in[0].dtype;
    cvk_geom3 geom;
    if (dtype != CVK_F32 && dtype != CVK_U8 && dtype != CVK_I8)
        return cvk_cl_refuse(why_not, "float32, uint8 and int8 only");
    for (int i = 0; i < node->n_posts; i++)
        if (node->posts[i].kind != CVK_POST_ACT || dtype != CVK_F32)
            return cvk_cl_refuse(why_not, "only activations of float32 can follow");
    if (!cvk_cl_counts_fit(problem, why_not)) return false;
    return cvk_geom3_make(&params->window, 1, &problem->in[0].shape, &problem->out[0].shape,
                          &geom) ||
           cvk_cl_refuse(why_not, "the window is too large");
}

cvk_status cvk_cl_pool_any_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_pool_params *params = step->node->params;
    int residual, slope, taps = 1;
    cvk_geom3 g;
    if (!cvk_geom3_make(&params->window, 1, &step->in[0].shape, &step->out[0].shape, &g))
        return cvk_fail(CVK_SHAPE, "pool '%s': its geometry does not fit", step->node->name);
    pool_args args = {.rows = g.n * g.ic * g.axis[0].out * g.axis[1].out,
                      .kind = (cl_int)params->kind,
                      .include_pad = params->count_include_pad,
                      .column_major = params->column_major,
                      .power = (float)params->p};
    for (int a = 0; a < CVK_MAX_SPATIAL; a++) {
        args.axis[a].in = g.axis[a].in;
        args.axis[a].out = g.axis[a].out;
        args.axis[a].kernel = g.axis[a].kernel;
        args.axis[a].stride = g.axis[a].stride;
        args.axis[a].dilation = g.axis[a].dilation;
        args.axis[a].begin = g.axis[a].pad_begin;
        args.axis[a].end = g.axis[a].pad_end;
        taps *= g.axis[a].kernel;
    }
    cvk_cl_posts_make(step->node, step->in, &args.posts, &residual, &slope);
    args.chunk = cvk_cl_chunk(device, g.axis[2].out, CVK_BLOCK, 1, &args.chunks);
    cvk_cl_spec spec = {
        .file = "pool_any.cl",
        .defines = defines_of(step->in[0].dtype),
        .kernel = "pool_any",
        .buffers = {{CVK_CL_IN, 0, NULL}, {CVK_CL_OUT, 0, NULL}, {CVK_CL_OUT, 1, NULL}},
        .args = &args,
        .args_bytes = sizeof args,
        .units = (int64_t)args.rows * args.chunks,
        .floats = (int64_t)args.chunk * taps,
        .span = &args.span};
    return cvk_cl_steps_add(device, step, &spec);
}

/* As in pool_any.cl. */
typedef struct unpool_args {
    cl_int span, count, fill, same, rank;
    cl_int dims[CVK_MAX_RANK], strides[CVK_MAX_RANK], places;
} unpool_args;

bool cvk_cl_max_unpool_accepts(const cvk_problem *problem, const char **why_not)
{
    if (problem->node->n_in != 2) return cvk_cl_refuse(why_not, "output_shape is computed");
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_floats_fit(problem, why_not);
}

static cvk_status unpool_launch(cvk_device *device, cvk_step *step, unpool_args *args)
{
    cvk_cl_spec spec = {
        .file = "pool_any.cl",
        .kernel = "max_unpool",
        .buffers = {{CVK_CL_IN, 0, NULL}, {CVK_CL_IN, 1, NULL}, {CVK_CL_OUT, 0, NULL}},
        .args = args,
        .args_bytes = sizeof *args,
        .units = (args->count + CVK_BLOCK - 1) / CVK_BLOCK,
        .floats = CVK_BLOCK,
        .span = &args->span};
    return cvk_cl_steps_add(device, step, &spec);
}

cvk_status cvk_cl_max_unpool_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_unpool_params *params = step->node->params;
    const cvk_shape *out = &step->out[0].shape;
    int64_t strides[CVK_MAX_RANK];
    cvk_shape_strides(out, strides);
    unpool_args args = {.count = (cl_int)cvk_view_count(&step->out[0]),
                        .fill = 1,
                        .same = cvk_shape_equal(&params->shape, out),
                        .rank = params->shape.rank,
                        .places = (cl_int)cvk_shape_count(&params->shape)};
    for (int d = 0; d < args.rank; d++) {
        args.dims[d] = (cl_int)params->shape.dims[d];
        args.strides[d] = (cl_int)strides[d];
    }
    CVK_TRY(unpool_launch(device, step, &args));
    args.fill = 0;
    args.count = (cl_int)cvk_view_count(&step->in[0]);
    return unpool_launch(device, step, &args);
}
