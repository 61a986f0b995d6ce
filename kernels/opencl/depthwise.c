/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches depthwise.cl: Conv with one filter per channel, blocked layout.
 */
#include "kernels/opencl/depthwise.h"

#include "kernels/opencl/steps.h"
#include "kernels/opencl/tiles.h"

enum { CHUNK = 2 }; /* pixels of a unit where the device is no CPU */

/* Of a product, in multiply-adds at the peak: it waits for its loads. */
static const double tap_cycles = 1.6;

/* As in depthwise.cl. */
typedef struct depthwise_args {
    cl_int span, planes, chunk, chunks;
    cl_int c, blocks, has_bias;
    cvk_cl_window window;
    cvk_cl_posts posts;
} depthwise_args;

/* Whether only the outer half of a window's columns can lie beyond the picture. */
static bool is_wide(const cvk_geom *g)
{
    const int lack = (g->ow - 1) * g->sw - g->pl + g->kw - g->iw;
    return g->dw == 1 && (g->kw == 3 || g->kw == 5) && (g->sw == 1 || g->sw == 2) && g->pl >= 0 &&
           g->pl <= g->kw / 2 && lack <= g->kw / 2;
}

cvk_cl_window cvk_cl_window_make(const cvk_geom *geom)
{
    static const int strips[] = {8, 7, 5};
    const cvk_geom *g = geom;
    cvk_cl_window w = {.ih = g->ih,
                       .iw = g->iw,
                       .oh = g->oh,
                       .ow = g->ow,
                       .kh = g->kh,
                       .kw = g->kw,
                       .sh = g->sh,
                       .sw = g->sw,
                       .dh = g->dh,
                       .dw = g->dw,
                       .pt = g->pt,
                       .pl = g->pl};
    int least = 0;
    for (size_t i = 0; i < sizeof strips / sizeof *strips && is_wide(g); i++) {
        const int pixels = cvk_cl_ceil_div(g->ow, strips[i]) * strips[i];
        if (strips[i] > g->ow || (w.px && pixels >= least)) continue;
        least = pixels;
        w.px = strips[i];
    }
    return w;
}

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

void cvk_cl_depthwise_cost(const cvk_problem *problem, cvk_work *work)
{
    (void)problem;
    work->macs *= tap_cycles;
}

typedef struct pack_arg {
    const float *wgt, *bias;
    int channels, taps, blocks;
} pack_arg;

static void pack_fill(void *dst, const void *arg)
{
    const pack_arg *a = arg;
    float *to = dst, *bias = to + (size_t)a->blocks * a->taps * CVK_BLOCK;
    for (int c = 0; c < a->channels; c++) {
        for (int tap = 0; tap < a->taps; tap++)
            to[((size_t)c / CVK_BLOCK * a->taps + tap) * CVK_BLOCK + c % CVK_BLOCK] =
                a->wgt[(size_t)c * a->taps + tap];
        if (a->bias) bias[c] = a->bias[c];
    }
}

cvk_status cvk_cl_depthwise_pack(cvk_device *device, cvk_step *step, const cvk_geom *geom,
                                 const cvk_view *wgt, const cvk_view *bias, void **packed)
{
    const pack_arg arg = {.wgt = wgt->data,
                          .bias = bias ? bias->data : NULL,
                          .channels = geom->ic,
                          .taps = geom->kh * geom->kw,
                          .blocks = cvk_cl_ceil_div(geom->ic, CVK_BLOCK)};
    const cvk_pack pack = {.source = wgt->data,
                           .source_bytes = cvk_view_bytes(wgt),
                           .source2 = arg.bias,
                           .source2_bytes = bias ? cvk_view_bytes(bias) : 0,
                           .kind = "opencl depthwise",
                           .variant = (uint64_t)arg.taps,
                           .bytes = (size_t)arg.blocks * CVK_BLOCK * ((size_t)arg.taps + 1) *
                                    sizeof(float),
                           .fill = pack_fill,
                           .arg = &arg};
    return cvk_step_pack(device, step, &pack, packed);
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
                           .has_bias = cvk_cl_has_input(step->node, step->in, 2),
                           .window = cvk_cl_window_make(&g)};
    args.planes = g.n * args.blocks;
    args.chunk = cvk_cl_chunk(device, g.ow, g.ow, CHUNK, &args.chunks);
    const bool items = cvk_cl_lanes_are_items(cvk_device_caps(device));
    if (items || (args.chunks > 1 && args.chunk < args.window.px)) args.window.px = 0;
    cvk_cl_posts_make(step->node, step->in, &args.posts, &residual, &slope);
    CVK_TRY(cvk_cl_depthwise_pack(device, step, &g, &step->in[1], NULL, &wgt));
    cvk_cl_spec spec = {.file = "depthwise.cl",
                        .defines = items ? "-DITEMS=1" : NULL,
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
