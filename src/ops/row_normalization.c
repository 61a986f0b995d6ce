/* SPDX-License-Identifier: Apache-2.0
 *
 * RowNormalization, the form into which LayerNormalization and GroupNormalization are lowered and
 * into which schedule/rewrite_norm.c brings their patterns: see cvk_row_normalization_params.
 */
#include <math.h>

#include "ops/normalise.h"

cvk_moments cvk_moments_of(const cvk_view *src, int64_t begin, int64_t length)
{
    cvk_moments m = {0, 0};
    for (int64_t i = 0; i < length; i++) m.mean += cvk_view_get(src, begin + i);
    m.mean /= (double)length;
    for (int64_t i = 0; i < length; i++) {
        double x = cvk_view_get(src, begin + i) - m.mean;
        m.variance += x * x;
    }
    m.variance /= (double)length;
    return m;
}

cvk_status cvk_row_norm_infer(const cvk_view *in, int n_in, cvk_view *out)
{
    CVK_TRY(cvk_check_float(&in[0], "input"));
    CVK_TRY(cvk_check_same_type(in, n_in));
    cvk_set_out(&out[0], in[0].dtype, &in[0].shape);
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)params, (void)n_out; /* the shapes of mean and deviation are the model's */
    return cvk_row_norm_infer(in, n_in, out);
}

cvk_status cvk_row_norm_reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                                  int n_out)
{
    const cvk_row_normalization_params *p = params;
    const cvk_view *scale = cvk_input(in, n_in, 1), *shift = cvk_input(in, n_in, 2);
    for (int64_t r = 0; r < p->rows; r++) {
        cvk_moments m = cvk_moments_of(&in[0], r * p->length, p->length);
        double k = 1 / sqrt(m.variance + (double)p->epsilon);
        int64_t first = r % p->groups * (p->length / p->inner);
        for (int64_t i = 0; i < p->length; i++) {
            double y = (cvk_view_get(&in[0], r * p->length + i) - m.mean) * k;
            if (scale) y *= cvk_view_get(scale, first + i / p->inner);
            if (shift) y += cvk_view_get(shift, first + i / p->inner);
            cvk_view_set(&out[0], r * p->length + i, y);
        }
        if (cvk_wanted(out, n_out, 1)) cvk_view_set(&out[1], r, m.mean);
        if (cvk_wanted(out, n_out, 2)) cvk_view_set(&out[2], r, k);
    }
    return CVK_OK;
}

const cvk_op cvk_op_RowNormalization = {
    .name = "RowNormalization",
    .min_in = 1,
    .max_in = 3,
    .min_out = 1,
    .max_out = 3,
    .params_bytes = sizeof(cvk_row_normalization_params),
    .infer = infer,
    .reference = cvk_row_norm_reference,
    .internal = true,
};
