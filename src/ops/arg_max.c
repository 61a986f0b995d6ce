/* SPDX-License-Identifier: Apache-2.0
 *
 * ArgMax: the index of the largest element along an axis, as int64; of equal ones the first, or the
 * last with select_last_index.
 */
#include "ops/arg.h"

#include "ops/order.h"

cvk_status cvk_arg_parse(const cvk_attrs *attrs, bool smallest, cvk_reduce_params *p)
{
    int64_t keepdims, last;
    CVK_TRY(cvk_attrs_int(attrs, "axis", 0, &p->axes[0]));
    CVK_TRY(cvk_attrs_int(attrs, "keepdims", 1, &keepdims));
    CVK_TRY(cvk_attrs_int(attrs, "select_last_index", 0, &last));
    p->kind = CVK_REDUCE_MAX;
    p->n_axes = 1;
    p->keepdims = keepdims != 0;
    p->last_index = last != 0;
    p->smallest = smallest;
    return CVK_OK;
}

cvk_status cvk_arg_infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_in, (void)n_out;
    cvk_reduce_params *p = params;
    cvk_shape shape = cvk_shape_unknown();
    CVK_TRY(cvk_check_numeric(in, "input"));
    if (cvk_ranked(in)) {
        CVK_TRY(cvk_check_axis(&p->axes[0], in->shape.rank));
        shape = cvk_shape_reduced(&in->shape, 1, p->axes, p->keepdims);
        if (in->shape.dims[p->axes[0]] == 0 && cvk_shape_count(&shape) > 0)
            return cvk_fail(CVK_SHAPE, "axis %lld is empty and has no %s element",
                            (long long)p->axes[0], p->smallest ? "smallest" : "largest");
    }
    cvk_set_out(&out[0], CVK_I64, &shape);
    return CVK_OK;
}

/* Whether element i is better than element j; integers exactly. */
static bool better(const cvk_view *in, int64_t i, int64_t j, bool smallest, bool or_equal)
{
    if (cvk_dtype_is_float(in->dtype)) {
        double a = cvk_view_get(in, i), b = cvk_view_get(in, j);
        return (smallest ? a < b : a > b) || (or_equal && a == b);
    }
    int order = cvk_order(in, i, in, j);
    return (smallest ? order < 0 : order > 0) || (or_equal && order == 0);
}

int64_t cvk_arg_best(const cvk_view *in, int64_t base, int64_t length, int64_t pitch, bool smallest,
                     bool last)
{
    int64_t best = 0;
    for (int64_t k = 1; k < length; k++)
        if (better(in, base + k * pitch, base + best * pitch, smallest, last)) best = k;
    return best;
}

cvk_status cvk_arg_reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                             int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_reduce_params *p = params;
    int axis = (int)p->axes[0];
    int64_t inner = cvk_shape_span(&in->shape, axis + 1, in->shape.rank),
            dim = in->shape.dims[axis];
    int64_t count = cvk_view_count(out);
    for (int64_t at = 0; at < count; at++)
        ((int64_t *)out->data)[at] = cvk_arg_best(in, at / inner * dim * inner + at % inner, dim,
                                                  inner, p->smallest, p->last_index);
    return CVK_OK;
}

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    return cvk_arg_parse(attrs, false, params);
}

const cvk_op cvk_op_ArgMax = {
    .name = "ArgMax",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_reduce_params),
    .parse = parse,
    .infer = cvk_arg_infer,
    .reference = cvk_arg_reference,
};
