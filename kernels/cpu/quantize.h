/* SPDX-License-Identifier: Apache-2.0
 *
 * What QuantizeLinear and DequantizeLinear share: runs of elements with one scale and zero point,
 * and a worker's way through its share of them.
 */
#ifndef CVK_KERNELS_CPU_QUANTIZE_H
#define CVK_KERNELS_CPU_QUANTIZE_H

#include "kernels/cpu/row.h"
#include "kernels/cpu/vec.h"

typedef struct quantize_run {
    int begin, end; /* elements */
    float scale;
    int32_t zero;
} quantize_run;

static inline int32_t quantize_get(const cvk_view *view, int64_t i)
{
    if (view->dtype == CVK_U8) return ((const uint8_t *)view->data)[i];
    if (view->dtype == CVK_I8) return ((const int8_t *)view->data)[i];
    return ((const int32_t *)view->data)[i];
}

/* The run that begins at element `begin` and ends at `end` at the latest. */
static inline quantize_run quantize_next(const cvk_step *step, int begin, int end)
{
    const cvk_quantize_params *params = step->node->params;
    const cvk_view *src = &step->in[0], *scale = &step->in[1];
    const bool zero = step->node->n_in > 2 && step->in[2].dtype != CVK_NONE;
    int c = 0, stop = end;
    if (cvk_view_count(scale) > 1) {
        int inner = (int)cvk_shape_span(&src->shape, (int)params->axis + 1, src->shape.rank);
        int run = begin / inner;
        c = run % (int)src->shape.dims[params->axis];
        if (end - run * inner > inner) stop = (run + 1) * inner;
    }
    return (quantize_run){begin, stop, ((const float *)scale->data)[c],
                          zero ? quantize_get(&step->in[2], c) : 0};
}

/* Scale and sizes; integer is the view of the quantised side. */
static inline bool quantize_accepts(const cvk_problem *p, const cvk_view *f32,
                                    const cvk_view *integer, bool wide, const char **why_not)
{
    if (f32->dtype != CVK_F32 || p->in[1].dtype != CVK_F32)
        return row_refuse(why_not, "the scale is not float32");
    if (((const cvk_quantize_params *)p->node->params)->block)
        return row_refuse(why_not, "a scale per block");
    if (integer->dtype != CVK_U8 && integer->dtype != CVK_I8 &&
        !(wide && integer->dtype == CVK_I32))
        return row_refuse(why_not, "not an 8-bit type");
    return row_sized(p, why_not) && row_no_posts(p, why_not);
}

#endif
