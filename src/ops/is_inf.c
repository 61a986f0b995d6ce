/* SPDX-License-Identifier: Apache-2.0
 *
 * IsInf: whether x is infinite; detect_positive and detect_negative say which infinities count.
 */
#include <math.h>

#include "ops/common.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_is_inf_params *p = params;
    int64_t positive, negative;
    CVK_TRY(cvk_attrs_int(attrs, "detect_positive", 1, &positive));
    CVK_TRY(cvk_attrs_int(attrs, "detect_negative", 1, &negative));
    p->positive = positive != 0;
    p->negative = negative != 0;
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_is_inf_params *p = params;
    int64_t count = cvk_view_count(&in[0]);
    for (int64_t i = 0; i < count; i++) {
        double x = cvk_view_get(&in[0], i);
        cvk_view_set(&out[0], i, isinf(x) && (x > 0 ? p->positive : p->negative));
    }
    return CVK_OK;
}

const cvk_op cvk_op_IsInf = {
    .name = "IsInf",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_is_inf_params),
    .parse = parse,
    .infer = cvk_infer_float_test,
    .reference = reference,
};
