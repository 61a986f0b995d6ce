/* SPDX-License-Identifier: Apache-2.0
 *
 * Hardmax: 1 at the first largest element along an axis, 0 elsewhere. Before operator set 13 all
 * dimensions from the axis on count as one.
 */
#include "ops/arg.h"
#include "ops/softmax.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    return cvk_softmax_parse(attrs, false, params);
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_softmax_params *p = params;
    const cvk_shape *shape = &in->shape;
    int axis = (int)p->axis, end = p->coerce ? shape->rank : axis + 1;
    int64_t length = cvk_shape_span(shape, axis, end),
            inner = cvk_shape_span(shape, end, shape->rank), count = cvk_view_count(in);
    for (int64_t i = 0; length && i < count / length; i++) {
        int64_t base = i / inner * length * inner + i % inner,
                best = cvk_arg_best(in, base, length, inner, false, false);
        for (int64_t k = 0; k < length; k++) cvk_view_set(out, base + k * inner, k == best);
    }
    return CVK_OK;
}

const cvk_op cvk_op_Hardmax = {
    .name = "Hardmax",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_softmax_params),
    .parse = parse,
    .infer = cvk_softmax_infer,
    .reference = reference,
};
