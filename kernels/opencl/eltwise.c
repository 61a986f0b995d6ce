/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches eltwise.cl: Unary and Affine in both layouts, Binary with any broadcasting in plain
 * layout and with operands of one channel, row, column or image in blocked layout.
 */
#include "kernels/opencl/steps.h"

enum { CHUNK = 4096, BLOCKED_CHUNK = CHUNK / CVK_BLOCK };

static bool accepts_posts(const cvk_problem *problem, const char **why_not)
{
    if (!cvk_cl_posts_accept(problem, false, why_not)) return false;
    for (int i = 0; i < problem->node->n_posts; i++)
        if (problem->node->posts[i].kind == CVK_POST_PRELU)
            return cvk_cl_refuse(why_not, "only an addition and activations can follow");
    return true;
}

/* Returns which input the residual is, -1 without one. */
static int make_posts(const cvk_step *step, cvk_cl_posts *posts)
{
    int residual, slope;
    cvk_cl_posts_make(step->node, step->in, posts, &residual, &slope);
    return residual;
}

typedef struct unary_args {
    cl_int span, count, act;
    cl_float a, b, c, d;
} unary_args;

bool cvk_cl_unary_plain_accepts(const cvk_problem *problem, const char **why_not)
{
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_floats_fit(problem, why_not);
}

cvk_status cvk_cl_unary_plain_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_unary_params *params = step->node->params;
    int64_t count = (int64_t)(cvk_view_bytes(&step->in[0]) / sizeof(float));
    const cvk_act *act = &params->act;
    unary_args args = {.count = (cl_int)count,
                       .act = (cl_int)act->kind,
                       .a = act->a,
                       .b = act->b,
                       .c = act->c,
                       .d = act->d};
    return cvk_cl_steps_add(device, step,
                            &(cvk_cl_spec){.file = "eltwise.cl",
                                           .kernel = "unary",
                                           .buffers = {{CVK_CL_IN, 0, NULL}, {CVK_CL_OUT, 0, NULL}},
                                           .args = &args,
                                           .args_bytes = sizeof args,
                                           .units = (count + CVK_BLOCK - 1) / CVK_BLOCK,
                                           .floats = CVK_BLOCK,
                                           .span = &args.span});
}

bool cvk_cl_unary_blocked_accepts(const cvk_problem *problem, const char **why_not)
{
    return cvk_cl_unary_plain_accepts(problem, why_not) && cvk_cl_blocked_fit(problem, why_not);
}

cvk_status cvk_cl_unary_blocked_prepare(cvk_device *device, cvk_step *step)
{
    return cvk_cl_unary_plain_prepare(device, step); /* lanes beyond C are as good as any */
}

typedef struct binary_args {
    cvk_cl_cut cut;
    cvk_cl_rows walk;
    cl_int step_a, step_b, lane_a, lane_b, kind;
    cvk_cl_posts posts;
} binary_args;

static bool same_ranks(const cvk_problem *problem, const char **why_not)
{
    int rank = problem->out[0].shape.rank;
    return (problem->in[0].shape.rank == rank && problem->in[1].shape.rank == rank) ||
           cvk_cl_refuse(why_not, "operands of different rank");
}

bool cvk_cl_binary_plain_accepts(const cvk_problem *problem, const char **why_not)
{
    if (problem->in[1].dtype != CVK_F32) return cvk_cl_refuse(why_not, "float32 only");
    return cvk_cl_floats_fit(problem, why_not) && same_ranks(problem, why_not) &&
           accepts_posts(problem, why_not);
}

bool cvk_cl_binary_blocked_accepts(const cvk_problem *problem, const char **why_not)
{
    return cvk_cl_binary_plain_accepts(problem, why_not) && cvk_cl_blocked_fit(problem, why_not);
}

static cvk_status binary_launch(cvk_device *device, cvk_step *step, const char *kernel,
                                const cvk_cl_walk *walk, int chunk, int lanes, binary_args *args)
{
    const cvk_binary_params *params = step->node->params;
    args->walk = cvk_cl_walk_rows(walk, &args->cut.rows);
    args->cut.length = (cl_int)walk->dims[walk->n - 1];
    args->step_a = (cl_int)walk->a[walk->n - 1];
    args->step_b = (cl_int)walk->b[walk->n - 1];
    args->kind = (cl_int)params->kind;
    int residual = make_posts(step, &args->posts);
    cvk_cl_spec spec = {.file = "eltwise.cl",
                        .kernel = kernel,
                        .buffers = {{CVK_CL_IN, 0, NULL},
                                    {CVK_CL_IN, 1, NULL},
                                    {CVK_CL_IN, residual, NULL},
                                    {CVK_CL_OUT, 0, NULL}},
                        .args = args,
                        .args_bytes = sizeof *args};
    return cvk_cl_steps_add_rows(device, step, &spec, &args->cut, chunk, CVK_BLOCK / lanes, lanes);
}

cvk_status cvk_cl_binary_plain_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_cl_walk walk = cvk_cl_walk_broadcast(step);
    binary_args args = {0};
    return binary_launch(device, step, "binary_plain", &walk, CHUNK, 1, &args);
}

/* Strides over n, channel block, h, w in float16; true if the one channel is for all. */
static bool blocked_strides(const cvk_shape *shape, const cvk_shape *as, int64_t strides[4])
{
    cvk_cl_nchw s = cvk_cl_nchw_of(shape), o = cvk_cl_nchw_of(as);
    strides[0] = s.n == o.n ? (int64_t)s.blocks * s.h * s.w : 0;
    strides[1] = s.c == o.c ? (int64_t)s.h * s.w : 0;
    strides[2] = s.h == o.h ? s.w : 0;
    strides[3] = s.w == o.w ? 1 : 0;
    return s.c != o.c;
}

cvk_status cvk_cl_binary_blocked_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_shape *out = &step->out[0].shape;
    cvk_cl_nchw o = cvk_cl_nchw_of(out);
    cvk_cl_walk walk = {.n = 4, .dims = {o.n, o.blocks, o.h, o.w}};
    binary_args args = {0};
    args.lane_a = blocked_strides(&step->in[0].shape, out, walk.a);
    args.lane_b = blocked_strides(&step->in[1].shape, out, walk.b);
    cvk_cl_walk_merge(&walk);
    return binary_launch(device, step, "binary_blocked", &walk, BLOCKED_CHUNK, CVK_BLOCK, &args);
}

typedef struct affine_args {
    cvk_cl_cut cut;
    cl_int channels, c;
    cvk_cl_posts posts;
} affine_args;

bool cvk_cl_affine_plain_accepts(const cvk_problem *problem, const char **why_not)
{
    if (problem->in[0].shape.rank < 2) return cvk_cl_refuse(why_not, "no channels");
    return cvk_cl_floats_fit(problem, why_not) && accepts_posts(problem, why_not);
}

bool cvk_cl_affine_blocked_accepts(const cvk_problem *problem, const char **why_not)
{
    return cvk_cl_affine_plain_accepts(problem, why_not) && cvk_cl_blocked_fit(problem, why_not);
}

static cvk_status affine_launch(cvk_device *device, cvk_step *step, const char *kernel, int chunk,
                                int lanes)
{
    const cvk_shape *shape = &step->in[0].shape;
    int64_t spatial = cvk_shape_span(shape, 2, shape->rank);
    affine_args args = {.cut.length = (cl_int)spatial, .c = (cl_int)shape->dims[1]};
    args.channels = (args.c + lanes - 1) / lanes;
    args.cut.rows = (cl_int)shape->dims[0] * args.channels;
    int residual = make_posts(step, &args.posts);
    cvk_cl_spec spec = {.file = "eltwise.cl",
                        .kernel = kernel,
                        .buffers = {{CVK_CL_IN, 0, NULL},
                                    {CVK_CL_IN, 1, NULL},
                                    {CVK_CL_IN, 2, NULL},
                                    {CVK_CL_IN, residual, NULL},
                                    {CVK_CL_OUT, 0, NULL}},
                        .args = &args,
                        .args_bytes = sizeof args};
    return cvk_cl_steps_add_rows(device, step, &spec, &args.cut, chunk, CVK_BLOCK / lanes, lanes);
}

cvk_status cvk_cl_affine_plain_prepare(cvk_device *device, cvk_step *step)
{
    return affine_launch(device, step, "affine_plain", CHUNK, 1);
}

cvk_status cvk_cl_affine_blocked_prepare(cvk_device *device, cvk_step *step)
{
    return affine_launch(device, step, "affine_blocked", BLOCKED_CHUNK, CVK_BLOCK);
}
