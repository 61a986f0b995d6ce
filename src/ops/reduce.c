/* SPDX-License-Identifier: Apache-2.0
 *
 * Reduce, made by schedule, and what ReduceMax, ReduceMean and ReduceSum share with it: mean, sum
 * or maximum over some axes. Inputs X, [axes] (ReduceSum since opset 13).
 */
#include "ops/reduce.h"

#include <math.h>
#include <stdlib.h>

cvk_status cvk_parse_reduce(const cvk_attrs *attrs, void *values)
{
    cvk_reduce_params *params = values;
    int64_t keepdims, noop;
    CVK_TRY(cvk_attrs_ints(attrs, "axes", CVK_MAX_RANK, params->axes, &params->n_axes));
    CVK_TRY(cvk_attrs_int(attrs, "keepdims", 1, &keepdims));
    CVK_TRY(cvk_attrs_int(attrs, "noop_with_empty_axes", 0, &noop));
    if (params->n_axes < 0) params->n_axes = 0;
    params->keepdims = keepdims != 0;
    params->noop_with_empty_axes = noop != 0;
    return CVK_OK;
}

cvk_shape cvk_shape_reduced(const cvk_shape *in, int n_axes, const int64_t *axes, bool keepdims)
{
    cvk_shape out = {0};
    for (int d = 0; d < in->rank; d++) {
        bool reduced = false;
        for (int i = 0; i < n_axes; i++) reduced = reduced || axes[i] == d;
        if (!reduced || keepdims) out.dims[out.rank++] = reduced ? 1 : in->dims[d];
    }
    return out;
}

/* A maximum or mean over nothing has no value. */
static cvk_status check_empty(const cvk_reduce_params *p, const cvk_shape *in, const cvk_shape *out)
{
    if (p->kind == CVK_REDUCE_SUM || cvk_shape_count(in) != 0 || cvk_shape_count(out) <= 0)
        return CVK_OK;
    return cvk_fail(CVK_SHAPE, "a %s over no elements is undefined",
                    p->kind == CVK_REDUCE_MAX ? "maximum" : "mean");
}

cvk_status cvk_infer_reduce(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    cvk_reduce_params *p = params;
    cvk_shape shape = cvk_shape_unknown();
    CVK_TRY(cvk_check_numeric(in, "input"));
    bool known = !cvk_input(in, n_in, 1) || cvk_input_constant(in, n_in, 1);
    if (cvk_input_constant(in, n_in, 1))
        CVK_TRY(cvk_const_ints(&in[1], "axes", CVK_MAX_RANK, p->axes, &p->n_axes));
    if (cvk_ranked(in) && known) {
        int rank = in->shape.rank;
        if (p->n_axes == 0 && !p->noop_with_empty_axes)
            for (int d = 0; d < rank; d++) p->axes[p->n_axes++] = d;
        CVK_TRY(cvk_axes_normalise(p->n_axes, p->axes, rank));
        shape = cvk_shape_reduced(&in->shape, p->n_axes, p->axes, p->keepdims);
        CVK_TRY(check_empty(p, &in->shape, &shape));
    } else if (cvk_ranked(in) && p->keepdims) {
        CVK_TRY(cvk_shape_of_rank(in->shape.rank, &shape));
    }
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

/* Strides of the output as seen from the input: 0 along reduced axes. */
static void out_strides(const cvk_reduce_params *p, const cvk_shape *in, int64_t *strides)
{
    cvk_shape kept = cvk_shape_reduced(in, p->n_axes, p->axes, true);
    cvk_shape_strides(&kept, strides);
    for (int i = 0; i < p->n_axes; i++) strides[p->axes[i]] = 0;
}

/* Integers, exactly; sums wrap, a mean is truncated. */
static void reduce_ints(const cvk_reduce_params *p, const cvk_view *in, cvk_view *out,
                        const int64_t *strides, int64_t *sums)
{
    int64_t index[CVK_MAX_RANK] = {0}, i = 0, outs = cvk_view_count(out);
    int64_t size = outs ? cvk_view_count(in) / outs : 0; /* elements behind each output */
    bool max = p->kind == CVK_REDUCE_MAX;
    for (int64_t o = 0; o < outs; o++) sums[o] = max ? INT64_MIN : 0;
    bool more = size > 0;
    while (more) {
        int64_t *sum = &sums[cvk_index_dot(index, strides, in->shape.rank)];
        int64_t x = cvk_view_get_int(in, i++);
        *sum = max ? (x > *sum ? x : *sum) : (int64_t)((uint64_t)*sum + (uint64_t)x);
        more = cvk_index_next(&in->shape, index);
    }
    for (int64_t o = 0; o < outs; o++)
        cvk_view_set_int(out, o, p->kind == CVK_REDUCE_MEAN ? sums[o] / size : sums[o]);
}

static void reduce_floats(const cvk_reduce_params *p, const cvk_view *in, cvk_view *out,
                          const int64_t *strides, double *sums)
{
    int64_t index[CVK_MAX_RANK] = {0}, i = 0, outs = cvk_view_count(out);
    int64_t size = outs ? cvk_view_count(in) / outs : 0; /* elements behind each output */
    bool max = p->kind == CVK_REDUCE_MAX;
    for (int64_t o = 0; o < outs; o++) sums[o] = max ? -INFINITY : 0;
    bool more = size > 0;
    while (more) {
        double *sum = &sums[cvk_index_dot(index, strides, in->shape.rank)];
        double x = cvk_view_get(in, i++);
        *sum = max ? (x > *sum || isnan(x) ? x : *sum) : *sum + x;
        more = cvk_index_next(&in->shape, index);
    }
    for (int64_t o = 0; o < outs; o++)
        cvk_view_set(out, o, p->kind == CVK_REDUCE_MEAN ? sums[o] / (double)size : sums[o]);
}

cvk_status cvk_reference_reduce(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                                int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_reduce_params *p = params;
    int64_t strides[CVK_MAX_RANK], outs = cvk_view_count(out);
    void *sums = malloc((size_t)(outs ? outs : 1) * 8);
    if (!sums) return cvk_fail(CVK_NO_MEMORY, "out of memory: %lld sums", (long long)outs);
    out_strides(p, &in->shape, strides);
    if (cvk_dtype_is_float(in->dtype))
        reduce_floats(p, in, out, strides, sums);
    else
        reduce_ints(p, in, out, strides, sums);
    free(sums);
    return CVK_OK;
}

const cvk_op cvk_op_Reduce = {
    .name = "Reduce",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_reduce_params),
    .infer = cvk_infer_reduce,
    .reference = cvk_reference_reduce,
    .internal = true,
};
