/* SPDX-License-Identifier: Apache-2.0
 *
 * GridSample in plain layout: the elements and weights of a point are found once and used for every
 * channel. Workers share the points.
 */
#include "graph/grid.h"
#include "kernels/cpu/row.h"
#include "kernels/cpu/vec.h"

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const cvk_grid_params *params = step->node->params;
    const cvk_shape *shape = &step->in[0].shape, *to = &step->out[0].shape;
    const int spatial = shape->rank - 2, c = (int)shape->dims[1];
    const int points = (int)cvk_shape_span(to, 2, to->rank);
    const int64_t volume = cvk_shape_span(shape, 2, shape->rank);
    int begin, end;
    cvk_team_share((int)shape->dims[0] * points, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        const float *entry = (const float *)step->in[1].data + (ptrdiff_t)i * spatial;
        const float *src = (const float *)step->in[0].data + (i / points) * c * volume;
        float *dst = (float *)step->out[0].data + (ptrdiff_t)(i / points) * c * points + i % points;
        double place[CVK_MAX_SPATIAL];
        cvk_grid_taps taps;
        for (int d = 0; d < spatial; d++) place[d] = (double)entry[d];
        cvk_grid_taps_of(params, spatial, shape->dims + 2, place, &taps);
        for (int k = 0; k < c; k++, src += volume, dst += points) {
            float sum = 0;
            for (int t = 0; t < taps.count; t++) sum += (float)taps.weight[t] * src[taps.at[t]];
            *dst = sum;
        }
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    return row_f32(p, why_not) && row_no_posts(p, why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_grid_sample) = {
    .op = CVK_OP_GridSample,
    .name = "grid_sample",
    .accepts = accepts,
    .run = run,
};
