/* SPDX-License-Identifier: Apache-2.0
 *
 * Det: the determinant of each square matrix in the last two dimensions.
 */
#include <math.h>
#include <stdlib.h>

#include "ops/move.h"

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)params, (void)n_in, (void)n_out;
    char text[CVK_SHAPE_TEXT];
    cvk_shape shape = in->shape;
    CVK_TRY(cvk_check_float(in, "input"));
    if (cvk_ranked(in)) {
        if (shape.rank < 2 ||
            !cvk_dims_agree(shape.dims[shape.rank - 2], shape.dims[shape.rank - 1]))
            return cvk_fail(CVK_SHAPE, "input has shape %s, square matrices are expected",
                            cvk_shape_text(&shape, text));
        shape.rank -= 2;
    }
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

static void swap_rows(double *a, int64_t n, int64_t i, int64_t k)
{
    for (int64_t c = 0; c < n; c++) {
        double x = a[i * n + c];
        a[i * n + c] = a[k * n + c];
        a[k * n + c] = x;
    }
}

/* By elimination with the largest pivot of each column; destroys a. */
static double determinant(double *a, int64_t n)
{
    double det = 1;
    for (int64_t i = 0; i < n && det != 0; i++) {
        int64_t pivot = i;
        for (int64_t r = i + 1; r < n; r++)
            if (fabs(a[r * n + i]) > fabs(a[pivot * n + i])) pivot = r;
        if (pivot != i) {
            swap_rows(a, n, i, pivot);
            det = -det;
        }
        det *= a[i * n + i];
        for (int64_t r = i + 1; r < n && a[i * n + i] != 0; r++) {
            double factor = a[r * n + i] / a[i * n + i];
            for (int64_t c = i; c < n; c++) a[r * n + c] -= factor * a[i * n + c];
        }
    }
    return det;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)params, (void)n_in, (void)n_out;
    int64_t n = in->shape.dims[in->shape.rank - 1], count = cvk_view_count(out);
    double *values = cvk_view_doubles(in);
    if (!values) return CVK_NO_MEMORY;
    for (int64_t i = 0; i < count; i++) cvk_view_set(out, i, determinant(values + i * n * n, n));
    free(values);
    return CVK_OK;
}

static uint64_t work(const void *params, const cvk_view *in, int n_in, const cvk_view *out)
{
    (void)params, (void)n_in, (void)out;
    return (uint64_t)cvk_view_count(in) * (uint64_t)in->shape.dims[in->shape.rank - 1];
}

const cvk_op cvk_op_Det = {
    .name = "Det",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .infer = infer,
    .reference = reference,
    .work = work,
};
