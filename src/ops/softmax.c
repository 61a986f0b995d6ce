/* SPDX-License-Identifier: Apache-2.0
 *
 * Softmax: exp(x) over its sum along an axis, the largest x subtracted first. Before operator set
 * 13 all dimensions from the axis on count as one.
 */
#include "ops/softmax.h"

#include <math.h>

#include "ops/common.h"

cvk_status cvk_softmax_parse(const cvk_attrs *attrs, bool log, cvk_softmax_params *params)
{
    params->log = log;
    params->coerce = attrs->opset < 13;
    return cvk_attrs_int(attrs, "axis", params->coerce ? 1 : -1, &params->axis);
}

cvk_status cvk_softmax_infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    cvk_softmax_params *softmax = params;
    if (cvk_ranked(&in[0])) CVK_TRY(cvk_check_axis(&softmax->axis, in[0].shape.rank));
    return cvk_infer_same_float(params, in, n_in, out, n_out);
}

static void normalise(const cvk_view *src, int64_t begin, int64_t length, int64_t stride,
                      bool log_of, cvk_view *dst)
{
    double top = -INFINITY, sum = 0;
    for (int64_t i = 0; i < length; i++)
        top = cvk_binary_apply(CVK_BINARY_MAX, top, cvk_view_get(src, begin + i * stride));
    for (int64_t i = 0; i < length; i++) sum += exp(cvk_view_get(src, begin + i * stride) - top);
    for (int64_t i = 0; i < length; i++) {
        double x = cvk_view_get(src, begin + i * stride) - top;
        cvk_view_set(dst, begin + i * stride, log_of ? x - log(sum) : exp(x) / sum);
    }
}

cvk_status cvk_softmax_reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                                 int n_out)
{
    (void)n_in;
    (void)n_out;
    const cvk_softmax_params *softmax = params;
    const cvk_shape *shape = &in[0].shape;
    int axis = (int)softmax->axis, end = softmax->coerce ? shape->rank : axis + 1;
    int64_t outer = cvk_shape_span(shape, 0, axis), length = cvk_shape_span(shape, axis, end);
    int64_t inner = cvk_shape_span(shape, end, shape->rank);
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++)
            normalise(&in[0], o * length * inner + i, length, inner, softmax->log, &out[0]);
    return CVK_OK;
}

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    return cvk_softmax_parse(attrs, false, params);
}

const cvk_op cvk_op_Softmax = {
    .name = "Softmax",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_softmax_params),
    .parse = parse,
    .infer = cvk_softmax_infer,
    .reference = cvk_softmax_reference,
};
