/* SPDX-License-Identifier: Apache-2.0
 *
 * Tiles, arguments and packed weights for conv_direct.cl, whichever form of convolution it runs.
 */
#include "kernels/opencl/conv.h"

/* What a slot's bias, posts and store take, in multiply-adds. */
enum { SUM_CYCLES = 8 };

/* What the products reach of the device's peak. */
static const double peak_part = 0.9;

double cvk_cl_conv_direct_cycles(const cvk_caps *caps, const cvk_geom *geom)
{
    const cvk_geom *g = geom;
    const int blocks = cvk_cl_ceil_div(g->oc / g->group, CVK_BLOCK);
    const double products = (double)(g->ic / g->group) * g->kh * g->kw;
    int64_t row;
    cvk_cl_tile_pick(caps, g->ow, blocks, &row);
    return (double)row / 100 * g->oh * g->n * g->group * (products + SUM_CYCLES) +
           products * g->oc * sizeof(float) / CVK_CL_WEIGHT_RATE;
}

void cvk_cl_conv_cost(const cvk_problem *problem, cvk_work *work)
{
    cvk_geom g;
    if (!cvk_geom_conv(problem->node, &problem->in[0].shape, &problem->out[0].shape, &g)) return;
    work->macs = cvk_cl_conv_direct_cycles(problem->caps, &g) * CVK_BLOCK / peak_part;
    work->weight_bytes = 0; /* are in the cycles */
}

static bool group_fits(const cvk_geom *g)
{
    return g->group == 1 ||
           (g->ic / g->group % CVK_BLOCK == 0 && g->oc / g->group % CVK_BLOCK == 0);
}

/* Input, residual and output are all of one type. */
static bool types_fit(const cvk_problem *problem)
{
    const cvk_node *node = problem->node;
    const cvk_dtype type = problem->in[0].dtype;
    if (problem->in[1].dtype != CVK_F32 || problem->out[0].dtype != type) return false;
    for (int i = 0; i < node->n_posts; i++)
        if (node->posts[i].kind == CVK_POST_ADD && problem->in[node->posts[i].input].dtype != type)
            return false;
    return type == CVK_F32 || (type == CVK_F16 && node->op == CVK_OP_Conv);
}

bool cvk_cl_conv_accepts(const cvk_problem *problem, bool pool, cvk_geom *geom,
                         const char **why_not)
{
    const cvk_view *in = problem->in;
    if (!types_fit(problem))
        *why_not = "float32 only, or float16 but for the weights";
    else if (!in[1].data)
        *why_not = "the weights are not constant";
    else if (!cvk_geom_conv(problem->node, &in[0].shape, &problem->out[0].shape, geom))
        *why_not = "not one or two spatial dimensions, or too many elements";
    else if (!group_fits(geom))
        *why_not = "groups are not whole blocks of 16 channels";
    else
        return cvk_cl_posts_accept(problem, pool, why_not);
    return false;
}

/* Output channels that may be too few for a block. */
enum { FEW_CHANNELS = 4 };

/* Cycles of a float that goes out and is read again, and of one that is stored by itself. */
static const double float_cycles = 8.0 / 12, scatter_cycles = 1.5;

bool cvk_cl_conv_fills(const cvk_problem *problem, const cvk_geom *geom, cvk_cl_conv_form form,
                       const char **why_not)
{
    const cvk_geom *g = geom;
    *why_not = "few output channels: a plain result is estimated to be faster";
    if (!(problem->caps->bits & CVK_CAP_CPU) || g->oc > FEW_CHANNELS || g->group > 1 ||
        (g->sw > 1 && !form.transposed) || problem->in[0].dtype != CVK_F32 ||
        cvk_cl_pool_post(problem->node))
        return true;
    const int spread = form.transposed ? g->sh * g->sw : 1;
    const double products = (double)g->ic * g->kh * g->kw / spread;
    const double pixels = (double)g->n * g->oh * g->ow;
    const double blocked = pixels * (products + SUM_CYCLES),
                 idle = pixels * (CVK_BLOCK - g->oc) * float_cycles;
    const double vectors = (double)g->n * g->oh * cvk_cl_ceil_div(g->ow, CVK_BLOCK);
    const double plain = vectors * g->oc * (products + 2 * SUM_CYCLES),
                 scatter = g->sw > 1 ? pixels * g->oc * scatter_cycles : 0;
    const double source = (double)g->n * g->ic * g->ih * g->iw,
                 reorder = form.plain_src ? 0 : source * float_cycles;
    return blocked + idle <= plain + scatter + reorder;
}

/* Without a window the image is one long row. */
static bool is_pointwise(const cvk_geom *g, cvk_cl_conv_form form, const cvk_node *node)
{
    return !form.transposed && g->kh == 1 && g->kw == 1 && g->sh == 1 && g->sw == 1 &&
           g->ih == g->oh && g->iw == g->ow && g->pt == 0 && g->pl == 0 && !cvk_cl_pool_post(node);
}

void cvk_cl_conv_make(const cvk_step *step, const cvk_geom *geom, cvk_cl_tile tile,
                      cvk_cl_conv_form form, cvk_cl_conv *args)
{
    const cvk_geom *g = geom;
    const int group_ic = g->ic / g->group, group_oc = g->oc / g->group;
    const int blocks = cvk_cl_ceil_div(group_ic, CVK_BLOCK);
    int residual, slope;
    *args = (cvk_cl_conv){.ic = form.plain_src ? g->ic : cvk_cl_ceil_div(g->ic, CVK_BLOCK),
                          .ih = g->ih,
                          .iw = g->iw,
                          .oh = g->oh,
                          .ow = g->ow,
                          .group_ic = form.plain_src ? g->ic : blocks,
                          .last_lanes = group_ic - (blocks - 1) * CVK_BLOCK,
                          .oc = g->oc,
                          .oc_blocks = cvk_cl_ceil_div(g->oc, CVK_BLOCK),
                          .group_oc_blocks = cvk_cl_ceil_div(group_oc, CVK_BLOCK),
                          .kh = g->kh,
                          .kw = g->kw,
                          .sh = g->sh,
                          .sw = g->sw,
                          .dh = g->dh,
                          .dw = g->dw,
                          .pt = g->pt,
                          .pl = g->pl,
                          .has_bias = cvk_cl_has_input(step->node, step->in, 2),
                          .map_ic = g->ic,
                          .gated = step->node->pre.on && step->node->pre.gate > 0};
    cvk_cl_pre_make(step->node, &args->before);
    args->group_tiles = cvk_cl_ceil_div(args->group_oc_blocks, tile.ocb);
    if (is_pointwise(g, form, step->node)) {
        args->iw = args->ow = g->oh * g->ow;
        args->ih = args->oh = 1;
    }
    cvk_cl_posts_make(step->node, step->in, &args->posts, &residual, &slope);
}

typedef struct pack_args {
    const cvk_geom *g;
    const float *wgt;
    cvk_cl_tile tile;
    cvk_cl_conv_form form;
    int group_ic, group_oc, group_tiles;
} pack_args;

/* The weight from input channel ic of the group to channel oc of its results, 0 beyond either. */
static float weight(const pack_args *a, int group, int oc, int ic, int tap)
{
    const int taps = a->g->kh * a->g->kw;
    if (oc >= a->group_oc || ic >= a->group_ic) return 0.0f;
    if (a->form.transposed)
        return a->wgt[((size_t)(group * a->group_ic + ic) * a->group_oc + oc) * taps + tap];
    return a->wgt[((size_t)(group * a->group_oc + oc) * a->group_ic + ic) * taps + tap];
}

/* The float16 [blocks of the tile] that multiply one input channel under one tap. */
static float *pack_channel(float *to, const pack_args *a, int t, int ic, int tap)
{
    const int group = t / a->group_tiles, first = t % a->group_tiles * a->tile.ocb * CVK_BLOCK;
    for (int k = 0; k < a->tile.ocb * CVK_BLOCK; k++) *to++ = weight(a, group, first + k, ic, tap);
    return to;
}

static void pack_fill(void *dst, const void *arg)
{
    const pack_args *a = arg;
    const int taps = a->g->kh * a->g->kw, step = a->form.plain_src ? 1 : CVK_BLOCK;
    float *to = dst;
    for (int t = 0; t < a->g->group * a->group_tiles; t++)
        for (int c = 0; c < a->group_ic; c += step)
            for (int tap = 0; tap < taps; tap++)
                for (int i = 0; i < step; i++) to = pack_channel(to, a, t, c + i, tap);
}

static uint64_t pack_variant(const pack_args *a)
{
    const int facts[] = {a->g->oc,    a->g->ic,    a->g->kh,          a->g->kw,
                         a->g->group, a->tile.ocb, a->form.plain_src, a->form.transposed};
    uint64_t variant = 0;
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        variant = variant * 1000003u + (uint64_t)facts[i];
    return variant;
}

cvk_status cvk_cl_conv_pack(cvk_device *device, cvk_step *step, const cvk_geom *geom,
                            cvk_cl_tile tile, cvk_cl_conv_form form, void **wgt)
{
    pack_args args = {.g = geom, .wgt = step->in[1].data, .tile = tile, .form = form};
    args.group_ic = geom->ic / geom->group;
    args.group_oc = geom->oc / geom->group;
    args.group_tiles = cvk_cl_ceil_div(cvk_cl_ceil_div(args.group_oc, CVK_BLOCK), tile.ocb);
    const int channels =
        form.plain_src ? args.group_ic : cvk_cl_ceil_div(args.group_ic, CVK_BLOCK) * CVK_BLOCK;
    const cvk_pack pack = {.source = step->in[1].data,
                           .source_bytes = cvk_view_bytes(&step->in[1]),
                           .kind = "opencl conv_direct",
                           .variant = pack_variant(&args),
                           .bytes = (size_t)geom->group * args.group_tiles * channels * geom->kh *
                                    geom->kw * tile.ocb * CVK_BLOCK * sizeof(float),
                           .fill = pack_fill,
                           .arg = &args};
    return cvk_step_pack(device, step, &pack, wgt);
}

cvk_status cvk_cl_conv_bind(cvk_cl_stage *stage, const cvk_step *step, const void *wgt,
                            const cvk_cl_conv *args)
{
    cvk_cl_posts posts;
    int residual, slope;
    cvk_cl_posts_make(step->node, step->in, &posts, &residual, &slope);
    cvk_cl_stage_in(stage, 0, 0);
    CVK_TRY(cvk_cl_arg_mem(&stage->launch, 1, wgt));
    cvk_cl_stage_in(stage, 2, args->has_bias ? 2 : -1);
    cvk_cl_stage_in(stage, 3, slope);
    cvk_cl_stage_in(stage, 4, residual);
    cvk_cl_stage_out(stage, 5, 0);
    return cvk_cl_arg_struct(&stage->launch, 6, args, sizeof *args);
}
