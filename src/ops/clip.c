/* SPDX-License-Identifier: Apache-2.0
 *
 * Clip: min(max(x, low), high). The bounds are attributes before operator set 11 and optional
 * scalar inputs since; where they are constant, infer puts them into the parameters as well.
 */
#include <math.h>

#include "ops/common.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_act *act = &((cvk_unary_params *)params)->act;
    act->a = -INFINITY;
    act->b = INFINITY;
    if (attrs->opset >= 11) return CVK_OK;
    CVK_TRY(cvk_attrs_float(attrs, "min", -INFINITY, &act->a));
    return cvk_attrs_float(attrs, "max", INFINITY, &act->b);
}

static cvk_status take_bound(const cvk_view *bound, const char *what, float *value)
{
    char text[CVK_SHAPE_TEXT];
    if (!bound) return CVK_OK;
    if (cvk_shaped(bound) && cvk_view_count(bound) != 1)
        return cvk_fail(CVK_SHAPE, "%s has shape %s, a scalar is expected", what,
                        cvk_shape_text(&bound->shape, text));
    if (bound->data && cvk_shaped(bound)) *value = (float)cvk_view_get(bound, 0);
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    cvk_act *act = &((cvk_unary_params *)params)->act;
    CVK_TRY(cvk_check_same_type(in, n_in));
    CVK_TRY(take_bound(cvk_input(in, n_in, 1), "min", &act->a));
    CVK_TRY(take_bound(cvk_input(in, n_in, 2), "max", &act->b));
    return cvk_infer_same_numeric(params, in, n_in, out, n_out);
}

static cvk_status bound(cvk_binary_kind kind, const cvk_view *limit, cvk_view *out)
{
    cvk_binary_params params = {.kind = kind};
    cvk_view in[2] = {*out, limit ? *limit : (cvk_view){0}};
    if (!limit) return CVK_OK;
    in[1].shape = (cvk_shape){0}; /* one element, of whatever rank */
    return cvk_reference_binary(&params, in, 2, out, 1);
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    const cvk_view *low = cvk_input(in, n_in, 1), *high = cvk_input(in, n_in, 2);
    if (!low && !high) return cvk_reference_unary(params, in, n_in, out, n_out);
    cvk_view_convert(&in[0], &out[0]);
    CVK_TRY(bound(CVK_BINARY_MAX, low, &out[0]));
    return bound(CVK_BINARY_MIN, high, &out[0]);
}

const cvk_op cvk_op_Clip = {
    .name = "Clip",
    .min_in = 1,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_unary_params),
    .form = {.kind = CVK_FORM_UNARY, .act = CVK_ACT_CLIP},
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .settings = CVK_ALL_BUT_FIRST,
};
