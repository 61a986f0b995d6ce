/* SPDX-License-Identifier: Apache-2.0
 *
 * LpNormalization: each line along an axis divided by its 1- or 2-norm; a line of zeros stays.
 */
#include <inttypes.h>
#include <math.h>

#include "ops/common.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_lp_normalization_params *p = params;
    CVK_TRY(cvk_attrs_int(attrs, "axis", -1, &p->axis));
    CVK_TRY(cvk_attrs_int(attrs, "p", 2, &p->p));
    if (p->p == 1 || p->p == 2) return CVK_OK;
    return cvk_fail(CVK_BAD_MODEL, "attribute 'p' is %" PRId64 ", 1 or 2 is expected", p->p);
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    cvk_lp_normalization_params *p = params;
    if (in[0].shape.rank >= 0) CVK_TRY(cvk_check_axis(&p->axis, in[0].shape.rank));
    return cvk_infer_same_float(params, in, n_in, out, n_out);
}

static void line(const cvk_lp_normalization_params *p, const cvk_view *src, int64_t first,
                 int64_t step, cvk_view *dst)
{
    int64_t length = src->shape.dims[p->axis];
    double norm = 0;
    for (int64_t i = 0; i < length; i++) {
        double x = cvk_view_get(src, first + i * step);
        norm += p->p == 1 ? fabs(x) : x * x;
    }
    if (p->p == 2) norm = sqrt(norm);
    for (int64_t i = 0; i < length; i++) {
        double x = cvk_view_get(src, first + i * step);
        cvk_view_set(dst, first + i * step, norm == 0 ? 0 : x / norm);
    }
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_lp_normalization_params *p = params;
    const cvk_shape *shape = &in[0].shape;
    int64_t outer = cvk_shape_span(shape, 0, (int)p->axis);
    int64_t inner = cvk_shape_span(shape, (int)p->axis + 1, shape->rank);
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++)
            line(p, &in[0], o * shape->dims[p->axis] * inner + i, inner, &out[0]);
    return CVK_OK;
}

const cvk_op cvk_op_LpNormalization = {
    .name = "LpNormalization",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_lp_normalization_params),
    .form = {.kind = CVK_FORM_LP_NORM},
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .needs_elements = true,
};
