/* SPDX-License-Identifier: Apache-2.0
 *
 * Scatter (until opset 10), which ScatterElements replaced, and the combining of elements that the
 * scattering operators share.
 */
#include "ops/scatter.h"

#include <string.h>

#include "ops/order.h"

cvk_status cvk_scatter_parse_kind(const cvk_attrs *attrs, cvk_scatter_params *params)
{
    static const char *const names[] = {"none", "add", "mul", "max", "min"};
    const char *text;
    CVK_TRY(cvk_attrs_string(attrs, "reduction", "none", &text));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        params->kind = (cvk_scatter_kind)i;
        return CVK_OK;
    }
    return cvk_fail(CVK_BAD_MODEL, "attribute reduction is '%.40s'", text);
}

cvk_status cvk_scatter_check(const cvk_scatter_params *params, const cvk_view *in)
{
    if (in[0].dtype != in[2].dtype)
        return cvk_fail(CVK_BAD_MODEL, "data are %s, updates are %s, one type is expected",
                        cvk_dtype_name(in[0].dtype), cvk_dtype_name(in[2].dtype));
    return params->kind == CVK_SCATTER_NONE ? CVK_OK : cvk_check_numeric(&in[0], "data");
}

static double combine(cvk_scatter_kind kind, double a, double b)
{
    return kind == CVK_SCATTER_ADD ? a + b : a * b;
}

static int64_t combine_int(cvk_scatter_kind kind, int64_t a, int64_t b)
{
    uint64_t x = (uint64_t)a, y = (uint64_t)b;
    return (int64_t)(kind == CVK_SCATTER_ADD ? x + y : x * y);
}

void cvk_scatter_put(cvk_scatter_kind kind, const cvk_view *src, int64_t k, cvk_view *dst,
                     int64_t i)
{
    switch (kind) {
    case CVK_SCATTER_NONE: cvk_move_one(src, k, dst, i); return;
    case CVK_SCATTER_MAX:
        if (cvk_order(src, k, dst, i) > 0) cvk_move_one(src, k, dst, i);
        return;
    case CVK_SCATTER_MIN:
        if (cvk_order(src, k, dst, i) < 0) cvk_move_one(src, k, dst, i);
        return;
    default: break;
    }
    if (cvk_dtype_is_float(src->dtype))
        cvk_view_set(dst, i, combine(kind, cvk_view_get(dst, i), cvk_view_get(src, k)));
    else
        cvk_view_set_int(dst, i,
                         combine_int(kind, cvk_view_get_int(dst, i), cvk_view_get_int(src, k)));
}

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    return cvk_attrs_int(attrs, "axis", 0, &((cvk_scatter_params *)params)->axis);
}

const cvk_op cvk_op_Scatter = {
    .name = "Scatter",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_scatter_params),
    .form = {.kind = CVK_FORM_SCATTER},
    .parse = parse,
    .infer = cvk_scatter_elements_infer,
    .reference = cvk_scatter_elements_reference,
};
