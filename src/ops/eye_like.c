/* SPDX-License-Identifier: Apache-2.0
 *
 * EyeLike: a matrix of the input's shape with ones on diagonal k (above the main one if positive).
 */
#include <string.h>

#include "ops/move.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_diagonal_params *p = params;
    int64_t dtype;
    CVK_TRY(cvk_attrs_int(attrs, "k", 0, &p->k));
    CVK_TRY(cvk_attrs_int(attrs, "dtype", CVK_NONE, &dtype));
    p->dtype = (cvk_dtype)dtype;
    if (dtype == CVK_NONE || (dtype > 0 && dtype < 32 && cvk_dtype_bytes(p->dtype))) return CVK_OK;
    return cvk_fail(CVK_UNSUPPORTED, "attribute dtype is %lld, a number type is expected",
                    (long long)dtype);
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_diagonal_params *p = params;
    char text[CVK_SHAPE_TEXT];
    cvk_shape shape = {.rank = 2, .dims = {-1, -1}};
    if (cvk_ranked(in)) {
        if (in->shape.rank != 2)
            return cvk_fail(CVK_SHAPE, "input has shape %s, a matrix is expected",
                            cvk_shape_text(&in->shape, text));
        shape = in->shape;
    }
    cvk_set_out(&out[0], p->dtype ? p->dtype : in->dtype, &shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)in, (void)n_in, (void)n_out;
    int64_t k = ((const cvk_diagonal_params *)params)->k;
    const int64_t *dims = out->shape.dims;
    if (cvk_view_bytes(out)) memset(out->data, 0, cvk_view_bytes(out));
    for (int64_t row = 0; row < dims[0]; row++)
        if (k >= -row && k < dims[1] - row) cvk_view_set(out, row * dims[1] + row + k, 1);
    return CVK_OK;
}

const cvk_op cvk_op_EyeLike = {
    .name = "EyeLike",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_diagonal_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .shape_only = true,
};
