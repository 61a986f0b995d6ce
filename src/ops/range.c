/* SPDX-License-Identifier: Apache-2.0
 *
 * Range: start, start + delta, ... as long as that does not reach limit; three numbers of one type.
 */
#include <math.h>

#include "ops/move.h"

/* ceil((limit - start) / delta), at least 0; exact for integers. */
static cvk_status count_numbers(const cvk_view *in, int64_t *count)
{
    static const char *const names[] = {"start", "limit", "delta"};
    char text[CVK_SHAPE_TEXT];
    for (int i = 0; i < 3; i++)
        if (cvk_view_count(&in[i]) != 1)
            return cvk_fail(CVK_SHAPE, "%s has shape %s, one element is expected", names[i],
                            cvk_shape_text(&in[i].shape, text));
    double n;
    if (cvk_dtype_is_float(in->dtype)) {
        double delta = cvk_view_get(&in[2], 0);
        if (delta == 0) return cvk_fail(CVK_BAD_MODEL, "delta is 0");
        n = ceil((cvk_view_get(&in[1], 0) - cvk_view_get(&in[0], 0)) / delta);
    } else {
        int64_t delta = cvk_view_get_int(&in[2], 0), span;
        if (delta == 0) return cvk_fail(CVK_BAD_MODEL, "delta is 0");
        if (__builtin_sub_overflow(cvk_view_get_int(&in[1], 0), cvk_view_get_int(&in[0], 0), &span))
            return cvk_fail(CVK_SHAPE, "start and limit are too far apart");
        n = delta == -1 ? -(double)span : (double)(span / delta + (span % delta != 0));
        if ((span < 0) != (delta < 0)) n = 0;
    }
    if (!(n <= INT32_MAX)) return cvk_fail(CVK_SHAPE, "%g numbers, at most %d", n, INT32_MAX);
    *count = n > 0 ? (int64_t)n : 0;
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)params, (void)n_out;
    cvk_shape shape = {.rank = 1, .dims = {-1}};
    bool known = true;
    CVK_TRY(cvk_check_numeric(in, "start"));
    CVK_TRY(cvk_check_same_type(in, n_in));
    for (int i = 0; i < 3; i++) known = known && cvk_input_constant(in, n_in, i);
    if (known) CVK_TRY(count_numbers(in, &shape.dims[0]));
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)params, (void)n_in, (void)n_out;
    int64_t count = cvk_view_count(out);
    bool real = cvk_dtype_is_float(in->dtype);
    for (int64_t i = 0; i < count; i++) {
        if (real)
            cvk_view_set(out, i, cvk_view_get(&in[0], 0) + (double)i * cvk_view_get(&in[2], 0));
        else
            cvk_view_set_int(out, i, cvk_view_get_int(&in[0], 0) + i * cvk_view_get_int(&in[2], 0));
    }
    return CVK_OK;
}

const cvk_op cvk_op_Range = {
    .name = "Range",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .infer = infer,
    .reference = reference,
    .settings = UINT32_MAX,
};
