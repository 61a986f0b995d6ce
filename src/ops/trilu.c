/* SPDX-License-Identifier: Apache-2.0
 *
 * Trilu: of each matrix in the last two dimensions, what is on and above (or below) diagonal k; the
 * rest is 0.
 */
#include <string.h>

#include "ops/move.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    int64_t upper;
    CVK_TRY(cvk_attrs_int(attrs, "upper", 1, &upper));
    ((cvk_diagonal_params *)params)->lower = upper == 0;
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)params, (void)n_out;
    char text[CVK_SHAPE_TEXT];
    int64_t k;
    if (cvk_ranked(in) && in->shape.rank < 2)
        return cvk_fail(CVK_SHAPE, "input has shape %s, matrices are expected",
                        cvk_shape_text(&in->shape, text));
    if (cvk_input_constant(in, n_in, 1)) CVK_TRY(cvk_input_number(&in[1], "k", &k));
    cvk_set_out(&out[0], in->dtype, &in->shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_out;
    bool lower = ((const cvk_diagonal_params *)params)->lower;
    const cvk_shape *shape = &in->shape;
    int64_t k = 0, count = cvk_view_count(in), rows = shape->dims[shape->rank - 2],
            columns = shape->dims[shape->rank - 1];
    size_t size = cvk_dtype_bytes(in->dtype);
    if (cvk_input(in, n_in, 1)) CVK_TRY(cvk_input_number(&in[1], "k", &k));
    if (k > columns) k = columns; /* beyond that nothing changes */
    if (k < -rows) k = -rows;
    for (int64_t i = 0; i < count; i++) {
        int64_t diagonal = i % columns - i / columns % rows;
        if (lower ? diagonal <= k : diagonal >= k)
            cvk_move_one(in, i, out, i);
        else
            memset((char *)out->data + (size_t)i * size, 0, size);
    }
    return CVK_OK;
}

const cvk_op cvk_op_Trilu = {
    .name = "Trilu",
    .min_in = 1,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_diagonal_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .settings = CVK_ALL_BUT_FIRST,
};
