/* SPDX-License-Identifier: Apache-2.0
 *
 * Reshape: the same elements under the shape that the second input lists; 0 keeps the input's dim
 * (unless allowzero), one -1 takes what is left.
 */
#include "ops/move.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    int64_t allow_zero;
    CVK_TRY(cvk_attrs_int(attrs, "allowzero", 0, &allow_zero));
    ((cvk_reshape_params *)params)->allow_zero = allow_zero != 0;
    return CVK_OK;
}

/* The dims of `shape` as listed, with 0 and -1 resolved as far as possible. What is not copied from
 * one side to the other (rest_in, rest_out) must be equal. */
static cvk_status resolve(const cvk_view *in, bool allow_zero, cvk_shape *shape)
{
    bool copied[CVK_MAX_RANK] = {false};
    int wild = -1;
    int64_t rest_out = 1, rest_in = 1;
    for (int i = 0; i < shape->rank; i++) {
        int64_t *dim = &shape->dims[i];
        if (*dim == -1 && wild < 0) {
            wild = i;
        } else if (*dim < 0) {
            return cvk_fail(CVK_BAD_MODEL,
                            "shape lists %lld at place %d; at most one -1 is allowed",
                            (long long)*dim, i);
        } else if (*dim == 0 && !allow_zero) {
            if (cvk_ranked(in) && i >= in->shape.rank)
                return cvk_fail(CVK_SHAPE, "shape keeps dim %d of an input of rank %d", i,
                                in->shape.rank);
            copied[i] = true;
            *dim = cvk_ranked(in) ? in->shape.dims[i] : -1;
        } else if (__builtin_mul_overflow(rest_out, *dim, &rest_out)) {
            return cvk_fail(CVK_SHAPE, "the product of shape overflows");
        }
    }
    if (!cvk_ranked(in)) return CVK_OK;
    for (int i = 0; i < in->shape.rank; i++) {
        if (copied[i]) continue;
        int64_t dim = in->shape.dims[i];
        if (dim < 0) return CVK_OK; /* nothing to check against */
        if (__builtin_mul_overflow(rest_in, dim, &rest_in))
            return cvk_fail(CVK_SHAPE, "the input is too large");
    }
    char text[CVK_SHAPE_TEXT];
    if (wild < 0 && rest_in != rest_out && cvk_shape_count(&in->shape) != cvk_shape_count(shape))
        return cvk_fail(CVK_SHAPE,
                        "an input of %s does not fit the shape wanted, %lld elements against %lld",
                        cvk_shape_text(&in->shape, text), (long long)rest_in, (long long)rest_out);
    if (wild < 0) return CVK_OK;
    if (rest_out == 0 || rest_in % rest_out)
        return cvk_fail(
            CVK_SHAPE,
            "an input of %s cannot be divided over the shape wanted: %lld elements by %lld",
            cvk_shape_text(&in->shape, text), (long long)rest_in, (long long)rest_out);
    shape->dims[wild] = rest_in / rest_out;
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    const cvk_reshape_params *p = params;
    const cvk_view *list = &in[1];
    cvk_shape shape;
    if (cvk_input_constant(in, n_in, 1)) {
        shape = (cvk_shape){0};
        CVK_TRY(cvk_const_ints(list, "shape", CVK_MAX_RANK, shape.dims, &shape.rank));
        CVK_TRY(resolve(in, p->allow_zero, &shape));
    } else {
        CVK_TRY(cvk_shape_of_rank(cvk_input_length(list), &shape));
    }
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

const cvk_op cvk_op_Reshape = {
    .name = "Reshape",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_reshape_params),
    .parse = parse,
    .infer = infer,
    .reference = cvk_reference_alias,
    .alias = true,
    .settings = CVK_ALL_BUT_FIRST,
};
