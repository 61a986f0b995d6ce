/* SPDX-License-Identifier: Apache-2.0
 *
 * TopK: the k largest or smallest elements along an axis, in that order, and their indices; of
 * equal ones the first come first. A NaN is larger than all numbers. k is an attribute before
 * opset 10. Unsorted results are given sorted.
 */
#include <stdlib.h>

#include "ops/move.h"
#include "ops/order.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_top_k_params *p = params;
    int64_t largest;
    p->k_attribute = attrs->opset < 10;
    CVK_TRY(cvk_attrs_int(attrs, "axis", -1, &p->axis));
    CVK_TRY(cvk_attrs_int(attrs, "largest", 1, &largest));
    cvk_attrs_ignore(attrs, "sorted");
    p->k = -1;
    if (p->k_attribute) CVK_TRY(cvk_attrs_int(attrs, "k", -1, &p->k));
    if (p->k_attribute && p->k < 0) return cvk_fail(CVK_BAD_MODEL, "attribute k is missing");
    p->smallest = largest == 0;
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    cvk_top_k_params *p = params;
    cvk_shape shape = in->shape;
    CVK_TRY(cvk_check_numeric(in, "input"));
    if (p->k_attribute != (n_in < 2))
        return cvk_fail(CVK_BAD_MODEL, "k is expected as an %s",
                        p->k_attribute ? "attribute" : "input");
    if (cvk_input_constant(in, n_in, 1)) CVK_TRY(cvk_input_number(&in[1], "k", &p->k));
    bool known = p->k_attribute || cvk_input_constant(in, n_in, 1);
    if (cvk_ranked(in)) {
        CVK_TRY(cvk_check_axis(&p->axis, shape.rank));
        int64_t dim = shape.dims[p->axis];
        if (known && (p->k < 0 || (dim >= 0 && p->k > dim)))
            return cvk_fail(CVK_SHAPE, "k is %lld, axis %lld has %lld elements", (long long)p->k,
                            (long long)p->axis, (long long)dim);
        shape.dims[p->axis] = known ? p->k : -1;
    }
    cvk_set_out(&out[0], in->dtype, &shape);
    if (n_out > 1) cvk_set_out(&out[1], CVK_I64, &shape);
    return CVK_OK;
}

typedef struct line {
    const cvk_view *in;
    int64_t base, pitch;
    bool smallest;
} line;

static bool before(const void *context, int64_t i, int64_t k)
{
    const line *l = context;
    int order = cvk_order(l->in, l->base + i * l->pitch, l->in, l->base + k * l->pitch);
    return l->smallest ? order < 0 : order > 0;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in;
    const cvk_top_k_params *p = params;
    const cvk_shape *shape = &in->shape;
    int axis = (int)p->axis;
    int64_t length = shape->dims[axis], k = out->shape.dims[axis],
            inner = cvk_shape_span(shape, axis + 1, shape->rank), count = cvk_view_count(out);
    int64_t *order = malloc((size_t)(length + 1) * sizeof *order);
    cvk_status status = CVK_OK;
    if (!order) return cvk_fail(CVK_NO_MEMORY, "out of memory: %lld places", (long long)length);
    for (int64_t i = 0; k && i < count / k && !status; i++) {
        line l = {in, i / inner * length * inner + i % inner, inner, p->smallest};
        for (int64_t at = 0; at < length; at++) order[at] = at;
        status = cvk_sort(order, length, before, &l);
        for (int64_t at = 0; at < k; at++) {
            int64_t to = i / inner * k * inner + i % inner + at * inner;
            cvk_move_one(in, l.base + order[at] * inner, &out[0], to);
            if (cvk_wanted(out, n_out, 1)) ((int64_t *)out[1].data)[to] = order[at];
        }
    }
    free(order);
    return status;
}

const cvk_op cvk_op_TopK = {
    .name = "TopK",
    .min_in = 1,
    .max_in = 2,
    .min_out = 1,
    .max_out = 2,
    .params_bytes = sizeof(cvk_top_k_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .settings = CVK_ALL_BUT_FIRST,
};
