/* SPDX-License-Identifier: Apache-2.0
 *
 * Split: the input cut along `axis` into the sizes given (an attribute before opset 13, an input
 * since) or into equal parts, one per output. Since opset 18 the last part may be smaller, and the
 * attribute num_outputs says how many there are.
 */
#include "ops/move.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_split_params *p = params;
    CVK_TRY(cvk_attrs_int(attrs, "axis", 0, &p->axis));
    if (attrs->opset >= 18) {
        p->smaller_last = true;
        CVK_TRY(cvk_attrs_int(attrs, "num_outputs", 0, &p->num_outputs));
        if (p->num_outputs < 0 || (!p->num_outputs && cvk_attrs_find(attrs, "num_outputs")))
            return cvk_fail(CVK_BAD_MODEL, "attribute 'num_outputs' is %lld, 1 or more is expected",
                            (long long)p->num_outputs);
    }
    if (attrs->opset >= 13) return CVK_OK;
    CVK_TRY(cvk_attrs_ints(attrs, "split", CVK_MAX_SPLIT, p->sizes, &p->n_sizes));
    if (p->n_sizes < 0) p->n_sizes = 0;
    return CVK_OK;
}

static cvk_status check_sizes(const cvk_split_params *p, int64_t dim, int n_out)
{
    int64_t sum = 0;
    if (p->n_sizes != n_out)
        return cvk_fail(CVK_BAD_MODEL, "split has %d sizes for %d outputs", p->n_sizes, n_out);
    for (int i = 0; i < n_out; i++) {
        if (p->sizes[i] < 0 || __builtin_add_overflow(sum, p->sizes[i], &sum))
            return cvk_fail(CVK_SHAPE, "size %d of split is %lld", i, (long long)p->sizes[i]);
    }
    if (dim >= 0 && sum != dim)
        return cvk_fail(CVK_SHAPE, "the sizes of split add up to %lld, axis %lld has %lld",
                        (long long)sum, (long long)p->axis, (long long)dim);
    return CVK_OK;
}

static cvk_status split_equally(cvk_split_params *p, int64_t dim, int n_out)
{
    int64_t size = dim / n_out + (dim % n_out != 0), last = dim - size * (n_out - 1);
    if (last < 0 || (last != size && !p->smaller_last))
        return cvk_fail(CVK_SHAPE,
                        "axis %lld has %lld elements, which do not divide into %d equal parts",
                        (long long)p->axis, (long long)dim, n_out);
    for (int i = 0; i < n_out; i++) p->sizes[i] = i < n_out - 1 ? size : last;
    p->n_sizes = n_out;
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    cvk_split_params *p = params;
    bool listed = cvk_input(in, n_in, 1) != NULL, constant = cvk_input_constant(in, n_in, 1);
    cvk_shape shape = in->shape;
    if (n_out > CVK_MAX_SPLIT)
        return cvk_fail(CVK_UNSUPPORTED, "%d outputs, at most %d", n_out, CVK_MAX_SPLIT);
    if (p->num_outputs && (listed || p->num_outputs != n_out))
        return cvk_fail(CVK_BAD_MODEL,
                        listed ? "has num_outputs (%lld) besides split, one of them is expected"
                               : "num_outputs is %lld, there are %d outputs",
                        (long long)p->num_outputs, n_out);
    if (constant) CVK_TRY(cvk_const_ints(&in[1], "split", CVK_MAX_SPLIT, p->sizes, &p->n_sizes));
    bool known = constant || (!listed && p->n_sizes > 0);
    if (cvk_ranked(in)) {
        CVK_TRY(cvk_check_axis(&p->axis, in->shape.rank));
        int64_t dim = in->shape.dims[p->axis];
        if (!listed && !known && dim >= 0) {
            CVK_TRY(split_equally(p, dim, n_out));
            known = true;
        }
        if (known) CVK_TRY(check_sizes(p, dim, n_out));
    }
    for (int i = 0; i < n_out; i++) {
        if (cvk_ranked(in)) shape.dims[p->axis] = known ? p->sizes[i] : -1;
        cvk_set_out(&out[i], in->dtype, &shape);
    }
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in;
    const cvk_split_params *p = params;
    cvk_copy_params walk = {.n = in->shape.rank};
    cvk_shape_strides(&in->shape, walk.strides);
    for (int d = 0; d < walk.n; d++) walk.dims[d] = in->shape.dims[d];
    for (int i = 0; i < n_out; i++) {
        walk.dims[p->axis] = p->sizes[i];
        if (cvk_wanted(out, n_out, i)) cvk_move_strided(&walk, in, &out[i]);
        walk.offset += walk.strides[p->axis] * p->sizes[i];
    }
    return CVK_OK;
}

const cvk_op cvk_op_Split = {
    .name = "Split",
    .min_in = 1,
    .max_in = 2,
    .min_out = 1,
    .max_out = CVK_MAX_SPLIT,
    .params_bytes = sizeof(cvk_split_params),
    .form = {.kind = CVK_FORM_COPY},
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .settings = CVK_ALL_BUT_FIRST,
};
