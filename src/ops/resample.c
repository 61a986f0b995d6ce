/* SPDX-License-Identifier: Apache-2.0
 *
 * Resample, made by schedule of a Resize that has no kernel of its own: one dimension, by tables.
 */
#include "ops/common.h"

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_resample_params *p = params;
    cvk_shape shape = in[0].shape;
    if (shape.rank >= 0) shape.dims[p->axis] = p->length;
    cvk_set_out(&out[0], in[0].dtype, &shape);
    return CVK_OK;
}

static double element(const cvk_resample_params *p, const cvk_view *src, int64_t first,
                      int64_t inner, int64_t x)
{
    double sum = 0;
    if (p->at[x * p->taps] < 0) return (double)p->fill;
    for (int64_t k = x * p->taps; k < (x + 1) * p->taps; k++)
        if (p->weight[k] != 0)
            sum += (double)p->weight[k] * cvk_view_get(src, first + p->at[k] * inner);
    return sum;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_resample_params *p = params;
    const cvk_shape *shape = &in[0].shape;
    int axis = (int)p->axis;
    int64_t outer = cvk_shape_span(shape, 0, axis);
    int64_t inner = cvk_shape_span(shape, axis + 1, shape->rank), dim = shape->dims[axis];
    for (int64_t o = 0; o < outer; o++)
        for (int64_t x = 0; x < p->length; x++)
            for (int64_t i = 0; i < inner; i++)
                cvk_view_set(&out[0], (o * p->length + x) * inner + i,
                             element(p, &in[0], o * dim * inner + i, inner, x));
    return CVK_OK;
}

const cvk_op cvk_op_Resample = {
    .name = "Resample",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_resample_params),
    .infer = infer,
    .reference = reference,
    .internal = true,
};
