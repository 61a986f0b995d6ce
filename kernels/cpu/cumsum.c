/* SPDX-License-Identifier: Apache-2.0
 *
 * CumSum of plain float32 tensors along a constant axis, summed in double; neighbouring lines go
 * side by side.
 */
#include "kernels/cpu/row.h"
#include "kernels/cpu/vec.h"

enum { LANES = 16 };

/* `lanes` lines; an element of each line every `pitch` floats, backwards if that is negative. */
CVK_INLINE void lines(const float *src, float *dst, int length, ptrdiff_t pitch, const int lanes,
                      bool exclusive)
{
    double sum[LANES] = {0};
    for (int i = 0; i < length; i++)
        for (int l = 0; l < lanes; l++) {
            double before = sum[l];
            sum[l] += (double)src[i * pitch + l];
            dst[i * pitch + l] = (float)(exclusive ? before : sum[l]);
        }
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const cvk_cum_sum_params *params = step->node->params;
    const cvk_shape *in = &step->in[0].shape;
    const int axis = (int)params->axis, length = (int)in->dims[axis],
              inner = (int)cvk_shape_span(in, axis + 1, in->rank),
              groups = (inner + LANES - 1) / LANES;
    const ptrdiff_t pitch = params->reverse ? -(ptrdiff_t)inner : inner;
    int begin, end;
    cvk_team_share((int)cvk_shape_span(in, 0, axis) * groups, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        int first = i % groups * LANES, lanes = inner - first < LANES ? inner - first : LANES;
        ptrdiff_t at = (ptrdiff_t)(i / groups) * length * inner + first;
        if (params->reverse) at += (ptrdiff_t)(length - 1) * inner;
        const float *src = (const float *)step->in[0].data + at;
        float *dst = (float *)step->out[0].data + at;
        if (lanes == LANES)
            lines(src, dst, length, pitch, LANES, params->exclusive);
        else
            lines(src, dst, length, pitch, lanes, params->exclusive);
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    if (p->in[0].dtype != CVK_F32) return row_refuse(why_not, "the input is not float32");
    if (!p->in[1].data) return row_refuse(why_not, "the axis is computed");
    return row_sized(p, why_not) && row_no_posts(p, why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_cumsum) = {
    .op = CVK_OP_CumSum,
    .name = "cumsum",
    .inplace = true,
    .accepts = accepts,
    .run = run,
};
