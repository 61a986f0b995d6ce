/* SPDX-License-Identifier: Apache-2.0
 *
 * MeanVarianceNormalization: (x - mean) / (standard deviation + 1e-9) over some axes.
 */
#include <math.h>
#include <stdlib.h>

#include "ops/reduce.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    static const int64_t usual[] = {0, 2, 3};
    cvk_axes_params *p = params;
    CVK_TRY(cvk_attrs_ints(attrs, "axes", CVK_MAX_RANK, p->axes, &p->n_axes));
    if (p->n_axes >= 0) return CVK_OK;
    p->n_axes = 3;
    for (int i = 0; i < 3; i++) p->axes[i] = usual[i];
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    cvk_axes_params *p = params;
    if (in[0].shape.rank >= 0) CVK_TRY(cvk_axes_normalise(p->n_axes, p->axes, in[0].shape.rank));
    return cvk_infer_same_float(params, in, n_in, out, n_out);
}

/* One reduction of `src`, a float64 view, into *dst, which is allocated. */
static cvk_status reduce(const cvk_axes_params *p, cvk_reduce_kind kind, const cvk_view *src,
                         cvk_view *dst)
{
    cvk_reduce_params params = {.kind = kind, .n_axes = p->n_axes, .keepdims = true};
    for (int i = 0; i < p->n_axes; i++) params.axes[i] = p->axes[i];
    cvk_shape shape = cvk_shape_reduced(&src->shape, p->n_axes, p->axes, true);
    CVK_TRY(cvk_view_temp(&shape, dst));
    return cvk_reference_reduce(&params, src, 1, dst, 1);
}

/* dst = a op b with broadcasting. */
static cvk_status combine(cvk_binary_kind kind, const cvk_view *a, const cvk_view *b, cvk_view *dst)
{
    cvk_binary_params params = {.kind = kind};
    cvk_view in[2] = {*a, *b};
    return cvk_reference_binary(&params, in, 2, dst, 1);
}

static cvk_status normalise(const cvk_axes_params *p, const cvk_view *src, cvk_view *centred,
                            cvk_view *mean, cvk_view *deviation, cvk_view *dst)
{
    CVK_TRY(cvk_view_temp(&src->shape, centred));
    cvk_view_convert(src, centred);
    CVK_TRY(reduce(p, CVK_REDUCE_MEAN, centred, mean));
    CVK_TRY(combine(CVK_BINARY_SUB, centred, mean, centred));
    CVK_TRY(reduce(p, CVK_REDUCE_SUM_SQUARE, centred, deviation));
    int64_t count = cvk_view_count(deviation);
    double size = (double)(cvk_view_count(src) / count);
    for (int64_t i = 0; i < count; i++)
        cvk_view_set(deviation, i, sqrt(cvk_view_get(deviation, i) / size) + 1e-9);
    CVK_TRY(combine(CVK_BINARY_DIV, centred, deviation, centred));
    cvk_view_convert(centred, dst);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    cvk_view temps[3] = {{0}};
    cvk_status status = normalise(params, &in[0], &temps[0], &temps[1], &temps[2], &out[0]);
    for (int i = 0; i < 3; i++) free(temps[i].data);
    return status;
}

const cvk_op cvk_op_MeanVarianceNormalization = {
    .name = "MeanVarianceNormalization",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_axes_params),
    .form = {.kind = CVK_FORM_MEAN_VAR},
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .needs_elements = true,
};
