/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches depthwise.cl: Conv with one filter per channel, blocked layout.
 */
#include "kernels/opencl/steps.h"

enum { PIXELS = 7 }; /* of a strip: PX of depthwise.cl */

/* As in depthwise.cl. */
typedef struct depthwise_args {
    cl_int span, planes, chunk, chunks;
    cl_int c, blocks, ih, iw, oh, ow, kh, kw, sh, sw, dh, dw, pt, pl, has_bias;
    cvk_cl_posts posts;
} depthwise_args;

bool cvk_cl_depthwise_accepts(const cvk_problem *problem, const char **why_not)
{
    cvk_geom g;
    if (problem->in[0].dtype != CVK_F32 || !problem->in[1].data)
        *why_not = "float32 input and constant weights only";
    else if (!cvk_geom_conv(problem->node, &problem->in[0].shape, &problem->out[0].shape, &g))
        *why_not = "not one or two spatial dimensions, or too many elements";
    else if (g.group != g.ic || g.ic != g.oc)
        *why_not = "not one filter per channel";
    else
        return cvk_cl_posts_accept(problem, false, why_not);
    return false;
}

static void pack_fill(void *dst, const void *arg)
{
    const cvk_view *wgt = arg;
    const int64_t channels = wgt->shape.dims[0],
                  taps = cvk_shape_span(&wgt->shape, 2, wgt->shape.rank);
    float *to = dst;
    for (int64_t c = 0; c < channels; c++)
        for (int64_t tap = 0; tap < taps; tap++)
            to[(c / CVK_BLOCK * taps + tap) * CVK_BLOCK + c % CVK_BLOCK] =
                ((const float *)wgt->data)[c * taps + tap];
}

static cvk_status pack(cvk_device *device, cvk_step *step, const cvk_geom *g, void **wgt)
{
    const int taps = g->kh * g->kw;
    const cvk_pack pack = {.source = step->in[1].data,
                           .source_bytes = cvk_view_bytes(&step->in[1]),
                           .kind = "opencl depthwise",
                           .variant = (uint64_t)taps,
                           .bytes = (size_t)cvk_cl_ceil_div(g->ic, CVK_BLOCK) * CVK_BLOCK * taps *
                                    sizeof(float),
                           .fill = pack_fill,
                           .arg = &step->in[1]};
    return cvk_step_pack(device, step, &pack, wgt);
}

cvk_status cvk_cl_depthwise_prepare(cvk_device *device, cvk_step *step)
{
    cvk_geom g;
    void *wgt;
    int residual, slope;
    if (!cvk_geom_conv(step->node, &step->in[0].shape, &step->out[0].shape, &g))
        return cvk_fail(CVK_SHAPE, "the convolution's shape does not fit its window");
    depthwise_args args = {.c = g.ic,
                           .blocks = cvk_cl_ceil_div(g.ic, CVK_BLOCK),
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
    args.planes = g.n * args.blocks;
    args.chunk = cvk_cl_chunk(device, g.ow, g.ow, PIXELS, &args.chunks);
    cvk_cl_posts_make(step->node, step->in, &args.posts, &residual, &slope);
    CVK_TRY(pack(device, step, &g, &wgt));
    cvk_cl_spec spec = {.file = "depthwise.cl",
                        .kernel = "depthwise",
                        .buffers = {{CVK_CL_IN, 0, NULL},
                                    {CVK_CL_HELD, 0, wgt},
                                    {CVK_CL_IN, args.has_bias ? 2 : -1, NULL},
                                    {CVK_CL_IN, slope, NULL},
                                    {CVK_CL_IN, residual, NULL},
                                    {CVK_CL_OUT, 0, NULL}},
                        .args = &args,
                        .args_bytes = sizeof args,
                        .units = (int64_t)args.planes * g.oh * args.chunks,
                        .floats = (int64_t)args.chunk * CVK_BLOCK * g.kh * g.kw,
                        .span = &args.span};
    return cvk_cl_steps_add(device, step, &spec);
}
