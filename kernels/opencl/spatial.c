/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches spatial.cl: Pool and Resize, in both layouts.
 */
#include "kernels/opencl/steps.h"

#include <string.h>

#include "graph/resample.h"

typedef struct pool_args {
    cl_int span, planes, channels, chunk, chunks;
    cl_int ih, iw, oh, ow, kh, kw, sh, sw, dh, dw, pt, pl, pb, pr;
    cl_int average, include_pad;
    cvk_cl_posts posts, before;
} pool_args;

/* A map is worth it where each pixel is in one window at most. */
static bool accepts_map(const cvk_node *node, const cvk_geom *g, const char **why_not)
{
    if (!node->pre.on) return true;
    if ((g->kh - 1) * g->dh >= g->sh || (g->kw - 1) * g->dw >= g->sw)
        return cvk_cl_refuse(why_not, "windows overlap: pixels would be mapped again and again");
    return true;
}

static bool accepts_pool(const cvk_problem *problem, const char **why_not)
{
    const cvk_node *node = problem->node;
    const cvk_pool_params *params = node->params;
    cvk_geom geom;
    if (params->kind == CVK_POOL_LP) return cvk_cl_refuse(why_not, "maximum and average only");
    if (node->n_out > 1 && problem->out[1].dtype != CVK_NONE)
        return cvk_cl_refuse(why_not, "indices are wanted");
    for (int i = 0; i < node->n_posts; i++)
        if (node->posts[i].kind != CVK_POST_ACT)
            return cvk_cl_refuse(why_not, "only activations can follow");
    if (!cvk_geom_make(&params->window, 1, &problem->in[0].shape, &problem->out[0].shape, &geom))
        return cvk_cl_refuse(why_not, "neither 1-D nor 2-D, or too large");
    return accepts_map(node, &geom, why_not);
}

bool cvk_cl_pool_plain_accepts(const cvk_problem *problem, const char **why_not)
{
    return cvk_cl_floats_fit(problem, why_not) && accepts_pool(problem, why_not);
}

/* On a CPU each item is one element, whose window it visits by itself. */
void cvk_cl_pool_plain_cost(const cvk_problem *problem, cvk_work *work)
{
    enum { VISIT_MACS = 60 };
    const cvk_pool_params *params = problem->node->params;
    double window = 1;
    for (int d = 0; d < params->window.spatial; d++) window *= (double)params->window.kernel[d];
    if (problem->caps->bits & CVK_CAP_CPU)
        work->macs = VISIT_MACS * window * (double)cvk_view_count(&problem->out[0]);
}

bool cvk_cl_pool_blocked_accepts(const cvk_problem *problem, const char **why_not)
{
    if (problem->in[0].dtype != problem->out[0].dtype)
        return cvk_cl_refuse(why_not, "types are mixed");
    return cvk_cl_blocks_fit(problem, why_not) && accepts_pool(problem, why_not);
}

static cvk_status pool_launch(cvk_device *device, cvk_step *step, const char *kernel, int chunk,
                              int lanes)
{
    const cvk_pool_params *params = step->node->params;
    const cvk_pre *pre = &step->node->pre;
    const bool half = step->in[0].dtype == CVK_F16;
    int residual, slope;
    cvk_geom g;
    if (!cvk_geom_make(&params->window, 1, &step->in[0].shape, &step->out[0].shape, &g))
        return cvk_fail(CVK_SHAPE, "pool '%s': its geometry does not fit", step->node->name);
    pool_args args = {.planes = g.n * ((g.ic + lanes - 1) / lanes),
                      .channels = g.ic,
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
                      .pb = g.pb,
                      .pr = g.pr,
                      .average = params->kind == CVK_POOL_AVERAGE,
                      .include_pad = params->count_include_pad};
    cvk_cl_posts_make(step->node, step->in, &args.posts, &residual, &slope);
    cvk_cl_pre_make(step->node, &args.before);
    args.chunk = cvk_cl_chunk(device, g.ow, chunk, 1, &args.chunks);
    cvk_cl_spec spec = {.file = "spatial.cl",
                        .kernel = kernel,
                        .defines = pre->on ? (half ? "-DHALF=1 -DMAP=1" : "-DMAP=1")
                                   : half  ? "-DHALF=1"
                                           : NULL,
                        .buffers = {{CVK_CL_IN, 0, NULL},
                                    {CVK_CL_IN, pre->on ? pre->scale : -1, NULL},
                                    {CVK_CL_IN, pre->on ? pre->shift : -1, NULL},
                                    {CVK_CL_OUT, 0, NULL}},
                        .args = &args,
                        .args_bytes = sizeof args,
                        .units = (int64_t)args.planes * g.oh * args.chunks,
                        .floats = (int64_t)args.chunk * lanes * g.kh * g.kw,
                        .span = &args.span};
    return cvk_cl_steps_add(device, step, &spec);
}

cvk_status cvk_cl_pool_plain_prepare(cvk_device *device, cvk_step *step)
{
    return pool_launch(device, step, "pool_plain", CVK_BLOCK, 1);
}

cvk_status cvk_cl_pool_blocked_prepare(cvk_device *device, cvk_step *step)
{
    return pool_launch(device, step, "pool_blocked", 1024, CVK_BLOCK);
}

typedef struct resize_args {
    cl_int span, planes, chunk, chunks, ih, iw, oh, ow, linear;
} resize_args;

/* A tensor as planes of rows: the last two dimensions (one: a single row), the others together. */
static resize_args resize_sizes(const cvk_resize_params *params, const cvk_shape *in,
                                const cvk_shape *out, int spatial)
{
    int rank = in->rank;
    return (resize_args){.planes = (cl_int)cvk_shape_span(in, 0, rank - spatial),
                         .ih = spatial == 2 ? (cl_int)in->dims[rank - 2] : 1,
                         .iw = (cl_int)in->dims[rank - 1],
                         .oh = spatial == 2 ? (cl_int)out->dims[rank - 2] : 1,
                         .ow = (cl_int)out->dims[rank - 1],
                         .linear = params->mode == CVK_RESIZE_LINEAR};
}

/* All but the last `spatial` dimensions stay as they are. */
static bool resizes_last(const cvk_problem *problem, int spatial)
{
    const cvk_resize_params *params = problem->node->params;
    const cvk_shape *in = &problem->in[0].shape, *out = &problem->out[0].shape;
    for (int d = 0; d < in->rank - spatial; d++)
        if (in->dims[d] != out->dims[d] ||
            cvk_resample_scale(params, d, in->dims[d], out->dims[d]) != 1)
            return false;
    return true;
}

bool cvk_cl_resize_plain_accepts(const cvk_problem *problem, const char **why_not)
{
    const cvk_resize_params *params = problem->node->params;
    int rank = problem->in[0].shape.rank;
    if (params->mode == CVK_RESIZE_CUBIC) return cvk_cl_refuse(why_not, "nearest and linear only");
    if (params->coord == CVK_COORD_CROP) return cvk_cl_refuse(why_not, "a region of interest");
    if (rank < 1) return cvk_cl_refuse(why_not, "a scalar");
    if (!cvk_cl_no_posts(problem, why_not) || !cvk_cl_floats_fit(problem, why_not)) return false;
    return resizes_last(problem, rank < 2 ? rank : 2) ||
           cvk_cl_refuse(why_not, "resizes other than the last two dimensions");
}

static void resize_cost(const cvk_problem *problem, double nearest, double linear, cvk_work *work)
{
    const cvk_resize_params *params = problem->node->params;
    const double macs = params->mode == CVK_RESIZE_NEAREST ? nearest : linear; /* of an element */
    if (problem->caps->bits & CVK_CAP_CPU)
        work->macs = macs * (double)cvk_view_count(&problem->out[0]);
}

void cvk_cl_resize_plain_cost(const cvk_problem *problem, cvk_work *work)
{
    resize_cost(problem, 30, 110, work);
}

void cvk_cl_resize_blocked_cost(const cvk_problem *problem, cvk_work *work)
{
    resize_cost(problem, 3, 13, work);
}

bool cvk_cl_resize_blocked_accepts(const cvk_problem *problem, const char **why_not)
{
    if (!cvk_cl_resize_plain_accepts(problem, why_not) || !cvk_cl_blocked_fit(problem, why_not))
        return false;
    return resizes_last(problem, problem->in[0].shape.rank - 2) ||
           cvk_cl_refuse(why_not, "resizes batch or channels");
}

/* Four numbers per output index along dimension d (spatial.cl says which). */
static void fill_taps(const cvk_resize_params *params, int d, int64_t in, int64_t out, cl_int *taps)
{
    for (int64_t x = 0; x < out; x++, taps += 4) {
        double at = cvk_resample_source(params, d, in, out, x), weight = 0;
        int64_t low = 0, high = 0;
        if (params->mode == CVK_RESIZE_NEAREST)
            low = high = cvk_resample_nearest(params, at, in);
        else
            cvk_resample_linear(at, in, &low, &high, &weight);
        float w = (float)weight;
        taps[0] = (cl_int)low;
        taps[1] = (cl_int)high;
        memcpy(&taps[2], &w, sizeof w);
    }
}

static cvk_status make_taps(cvk_device *device, cvk_step *step, const resize_args *args,
                            int spatial, void **data)
{
    const cvk_resize_params *params = step->node->params;
    int rank = step->in[0].shape.rank;
    size_t bytes = ((size_t)args->oh + (size_t)args->ow) * 4 * sizeof(cl_int);
    cl_int *taps = cvk_step_alloc(step, bytes);
    if (!taps) return CVK_NO_MEMORY;
    if (spatial == 2) fill_taps(params, rank - 2, args->ih, args->oh, taps);
    fill_taps(params, rank - 1, args->iw, args->ow, taps + (size_t)args->oh * 4);
    return cvk_step_constant(device, step, taps, bytes, data);
}

static cvk_status resize_launch(cvk_device *device, cvk_step *step, const char *kernel, int spatial,
                                int lanes)
{
    const cvk_shape *in = &step->in[0].shape;
    resize_args args = resize_sizes(step->node->params, in, &step->out[0].shape, spatial);
    void *taps;
    if (lanes > 1) args.planes = (cl_int)(in->dims[0] * ((in->dims[1] + lanes - 1) / lanes));
    CVK_TRY(make_taps(device, step, &args, spatial, &taps));
    args.chunk = cvk_cl_chunk(device, args.ow, 1024, 1, &args.chunks);
    cvk_cl_spec spec = {
        .file = "spatial.cl",
        .kernel = kernel,
        .buffers = {{CVK_CL_IN, 0, NULL}, {CVK_CL_HELD, 0, taps}, {CVK_CL_OUT, 0, NULL}},
        .args = &args,
        .args_bytes = sizeof args,
        .units = (int64_t)args.planes * args.oh * args.chunks,
        .floats = (int64_t)args.chunk * lanes,
        .span = &args.span};
    return cvk_cl_steps_add(device, step, &spec);
}

cvk_status cvk_cl_resize_plain_prepare(cvk_device *device, cvk_step *step)
{
    return resize_launch(device, step, "resize_plain", step->in[0].shape.rank < 2 ? 1 : 2, 1);
}

cvk_status cvk_cl_resize_blocked_prepare(cvk_device *device, cvk_step *step)
{
    return resize_launch(device, step, "resize_blocked", step->in[0].shape.rank - 2, CVK_BLOCK);
}
