/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches the ConvTranspose of conv_direct.cl: blocked layout, groups of whole blocks.
 */
#include "kernels/opencl/conv.h"

#include <stdio.h>

bool cvk_cl_conv_transpose_accepts(const cvk_problem *problem, const char **why_not)
{
    cvk_geom g;
    return cvk_cl_conv_accepts(problem, false, &g, why_not) &&
           cvk_cl_conv_fills(problem, &g, (cvk_cl_conv_form){.transposed = true}, why_not);
}

/* Of a variant; a row is a phase's pixels. */
static bool tile_of(const cvk_caps *caps, const cvk_geom *g, int variant, cvk_cl_tile *tile)
{
    const int columns = cvk_cl_ceil_div(g->ow, g->sw),
              blocks = cvk_cl_ceil_div(g->oc / g->group, CVK_BLOCK);
    int64_t cost;
    if (variant) return cvk_cl_tile_other(caps, columns, blocks, variant, tile);
    *tile = cvk_cl_tile_pick(caps, columns, blocks, &cost);
    return true;
}

const char *cvk_cl_conv_transpose_variant(const cvk_problem *problem, int k)
{
    cvk_geom g;
    cvk_cl_tile tile;
    return cvk_geom_conv(problem->node, &problem->in[0].shape, &problem->out[0].shape, &g) &&
                   tile_of(problem->caps, &g, k, &tile)
               ? cvk_cl_tile_name(tile)
               : NULL;
}

void cvk_cl_conv_transpose_cost(const cvk_problem *problem, cvk_work *work)
{
    static const double phase_cost = 2; /* on a CPU: stores that lie apart */
    const cvk_conv_params *params = problem->node->params;
    const int64_t *stride = params->window.stride;
    if (problem->caps->bits & CVK_CAP_CPU && (stride[0] > 1 || stride[1] > 1))
        work->macs *= phase_cost;
}

cvk_status cvk_cl_conv_transpose_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_cl_conv_form form = {.transposed = true};
    cvk_geom g;
    cvk_cl_tile tile;
    cvk_cl_conv args;
    cvk_cl_stage *stage;
    void *wgt;
    char defines[64];
    if (!cvk_geom_conv(step->node, &step->in[0].shape, &step->out[0].shape, &g))
        return cvk_fail(CVK_SHAPE, "the transposed convolution's shape does not fit its window");
    const int columns = cvk_cl_ceil_div(g.ow, g.sw); /* of a phase */
    if (!tile_of(cvk_device_caps(device), &g, step->node->variant, &tile))
        return cvk_fail(CVK_UNSUPPORTED, "transposed convolution '%s' has no variant %d",
                        step->node->name, step->node->variant);
    cvk_cl_conv_make(step, &g, tile, form, &args);
    CVK_TRY(cvk_cl_conv_pack(device, step, &g, tile, form, &wgt));
    snprintf(defines, sizeof defines, "-DPX=%d -DOCB=%d", tile.px, tile.ocb);
    CVK_TRY(cvk_cl_stage_add(device, step, "conv_direct.cl", defines, "conv_transpose", &stage));
    CVK_TRY(cvk_cl_conv_bind(stage, step, wgt, &args));
    cvk_cl_stage_size(stage, device,
                      (size_t)cvk_cl_ceil_div(columns, tile.px) * (size_t)g.sw * (size_t)g.oh,
                      (size_t)(g.group * args.group_tiles), (size_t)g.n);
    return CVK_OK;
}
