/* SPDX-License-Identifier: Apache-2.0
 *
 * Reduce, made by schedule, and what the ONNX reductions share with it: mean, sum, maximum ... over
 * some axes, which are an attribute or (ReduceSum since opset 13, all since 18) an input.
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
    params->takes_bools = attrs->opset >= 20;
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

/* A mean over nothing has no value; a sum is 0 then, a product 1, a maximum the lowest value. */
static cvk_status check_empty(const cvk_reduce_params *p, const cvk_shape *in, const cvk_shape *out)
{
    if (p->kind != CVK_REDUCE_MEAN || cvk_shape_count(in) != 0 || cvk_shape_count(out) <= 0)
        return CVK_OK;
    return cvk_fail(CVK_SHAPE, "a mean over no elements is undefined");
}

cvk_status cvk_infer_reduce(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    cvk_reduce_params *p = params;
    cvk_shape shape = cvk_shape_unknown();
    bool ordered = p->kind == CVK_REDUCE_MAX || p->kind == CVK_REDUCE_MIN;
    if (!ordered || !p->takes_bools) CVK_TRY(cvk_check_numeric(in, "input"));
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

/* Where each output's elements lie and how many they are. */
typedef struct extent {
    int64_t strides[CVK_MAX_RANK]; /* of the output as seen from the input: 0 along reduced axes */
    int64_t outs, size;
} extent;

static extent extent_of(const cvk_reduce_params *p, const cvk_view *in, const cvk_view *out)
{
    extent e = {.outs = cvk_view_count(out)};
    cvk_shape kept = cvk_shape_reduced(&in->shape, p->n_axes, p->axes, true);
    cvk_shape_strides(&kept, e.strides);
    for (int i = 0; i < p->n_axes; i++) e.strides[p->axes[i]] = 0;
    e.size = e.outs ? cvk_view_count(in) / e.outs : 0;
    return e;
}

/* Kinds whose results on integers are integers, computed as such; sums and products wrap, a mean is
 * truncated. */
static bool is_exact(cvk_reduce_kind kind)
{
    return kind != CVK_REDUCE_L2 && kind != CVK_REDUCE_LOG_SUM && kind != CVK_REDUCE_LOG_SUM_EXP;
}

/* Integers as int64 in the order of their values: uint64 is moved down by 2^63. */
static int64_t in_order(cvk_dtype dtype, int64_t x)
{
    return dtype == CVK_U64 ? (int64_t)((uint64_t)x ^ (uint64_t)INT64_MIN) : x;
}

/* The result over no elements, for MAX and MIN in_order's. */
static int64_t start_int(cvk_reduce_kind kind, cvk_dtype dtype)
{
    if (kind == CVK_REDUCE_PROD) return 1;
    if (kind != CVK_REDUCE_MAX && kind != CVK_REDUCE_MIN) return 0;
    if (dtype == CVK_BOOL) return kind == CVK_REDUCE_MIN;
    int64_t storage = 0;
    cvk_view limit = {.dtype = dtype, .data = &storage};
    cvk_view_set(&limit, 0, kind == CVK_REDUCE_MAX ? -INFINITY : INFINITY); /* saturates */
    return in_order(dtype, cvk_view_get_int(&limit, 0));
}

static int64_t add_int(cvk_reduce_kind kind, cvk_dtype dtype, int64_t so_far, int64_t x)
{
    uint64_t a = (uint64_t)so_far, b = (uint64_t)x;
    switch (kind) {
    case CVK_REDUCE_MAX: return in_order(dtype, x) > so_far ? in_order(dtype, x) : so_far;
    case CVK_REDUCE_MIN: return in_order(dtype, x) < so_far ? in_order(dtype, x) : so_far;
    case CVK_REDUCE_PROD: return (int64_t)(a * b);
    case CVK_REDUCE_L1: return (int64_t)(a + (x < 0 && dtype != CVK_U64 ? 0 - b : b));
    case CVK_REDUCE_SUM_SQUARE: return (int64_t)(a + b * b);
    default: return (int64_t)(a + b);
    }
}

static int64_t end_int(cvk_reduce_kind kind, cvk_dtype dtype, int64_t result, int64_t size)
{
    bool ordered = kind == CVK_REDUCE_MAX || kind == CVK_REDUCE_MIN;
    if (kind == CVK_REDUCE_MEAN) return result / size;
    return ordered ? in_order(dtype, result) : result;
}

static void reduce_ints(const cvk_reduce_params *p, const cvk_view *in, cvk_view *out,
                        const extent *e, int64_t *results)
{
    int64_t index[CVK_MAX_RANK] = {0}, i = 0, start = start_int(p->kind, in->dtype);
    for (int64_t o = 0; o < e->outs; o++) results[o] = start;
    bool more = e->size > 0;
    while (more) {
        int64_t *result = &results[cvk_index_dot(index, e->strides, in->shape.rank)];
        *result = add_int(p->kind, in->dtype, *result, cvk_view_get_int(in, i++));
        more = cvk_index_next(&in->shape, index);
    }
    for (int64_t o = 0; o < e->outs; o++)
        cvk_view_set_int(out, o, end_int(p->kind, in->dtype, results[o], e->size));
}

/* One sweep over the elements: adds x, or what `kind` makes of it less `shift`, to its output's
 * result. */
static double add(cvk_reduce_kind kind, double so_far, double x, double shift)
{
    switch (kind) {
    case CVK_REDUCE_MAX: return x > so_far || isnan(x) ? x : so_far;
    case CVK_REDUCE_MIN: return x < so_far || isnan(x) ? x : so_far;
    case CVK_REDUCE_PROD: return so_far * x;
    case CVK_REDUCE_L1: return so_far + fabs(x);
    case CVK_REDUCE_L2:
    case CVK_REDUCE_SUM_SQUARE: return so_far + x * x;
    case CVK_REDUCE_LOG_SUM_EXP: return so_far + exp(x - shift);
    default: return so_far + x;
    }
}

static void sweep(cvk_reduce_kind kind, const cvk_view *in, const extent *e, const double *shifts,
                  double *results)
{
    int64_t index[CVK_MAX_RANK] = {0}, i = 0;
    bool more = e->size > 0;
    while (more) {
        int64_t at = cvk_index_dot(index, e->strides, in->shape.rank);
        results[at] = add(kind, results[at], cvk_view_get(in, i++), shifts ? shifts[at] : 0);
        more = cvk_index_next(&in->shape, index);
    }
}

static double end(cvk_reduce_kind kind, double result, double shift, int64_t size)
{
    switch (kind) {
    case CVK_REDUCE_MEAN: return result / (double)size;
    case CVK_REDUCE_L2: return sqrt(result);
    case CVK_REDUCE_LOG_SUM: return log(result);
    case CVK_REDUCE_LOG_SUM_EXP: return log(result) + shift;
    default: return result;
    }
}

/* results: two doubles per output. The second is the largest element, which LOG_SUM_EXP takes out
 * of its exponentials. */
static void reduce_floats(const cvk_reduce_params *p, const cvk_view *in, cvk_view *out,
                          const extent *e, double *results)
{
    double start = p->kind == CVK_REDUCE_MAX    ? -INFINITY
                   : p->kind == CVK_REDUCE_MIN  ? INFINITY
                   : p->kind == CVK_REDUCE_PROD ? 1
                                                : 0;
    double *shifts = results + e->outs;
    for (int64_t o = 0; o < e->outs; o++) {
        results[o] = start;
        shifts[o] = -INFINITY;
    }
    bool shifted = p->kind == CVK_REDUCE_LOG_SUM_EXP;
    if (shifted) sweep(CVK_REDUCE_MAX, in, e, NULL, shifts);
    for (int64_t o = 0; o < e->outs; o++)
        if (isinf(shifts[o])) shifts[o] = 0;
    sweep(p->kind, in, e, shifted ? shifts : NULL, results);
    for (int64_t o = 0; o < e->outs; o++)
        cvk_view_set(out, o, end(p->kind, results[o], shifts[o], e->size));
}

cvk_status cvk_reference_reduce(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                                int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_reduce_params *p = params;
    extent e = extent_of(p, in, out);
    void *results = malloc((size_t)(e.outs ? e.outs : 1) * 16);
    if (!results) return cvk_fail(CVK_NO_MEMORY, "out of memory: %lld sums", (long long)e.outs);
    if (cvk_dtype_is_float(in->dtype) || !is_exact(p->kind))
        reduce_floats(p, in, out, &e, results);
    else
        reduce_ints(p, in, out, &e, results);
    free(results);
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
