/* SPDX-License-Identifier: Apache-2.0
 *
 * Expand: the input broadcast with the shape that the second input lists, both ways.
 */
#include "ops/move.h"

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)params, (void)n_out;
    cvk_shape list = {0}, shape = cvk_shape_unknown();
    if (cvk_input_constant(in, n_in, 1)) {
        CVK_TRY(cvk_const_shape(&in[1], &list));
        char a[CVK_SHAPE_TEXT], b[CVK_SHAPE_TEXT];
        if (cvk_ranked(in) && !cvk_shape_broadcast(&in->shape, &list, &shape))
            return cvk_fail(CVK_SHAPE, "an input of %s does not expand to %s",
                            cvk_shape_text(&in->shape, a), cvk_shape_text(&list, b));
    } else if (cvk_ranked(in) && cvk_input_length(&in[1]) >= 0) {
        int64_t length = cvk_input_length(&in[1]);
        CVK_TRY(cvk_shape_of_rank(length > in->shape.rank ? length : in->shape.rank, &shape));
    }
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)params, (void)n_in, (void)n_out;
    cvk_copy_params walk = {.n = out->shape.rank};
    for (int d = 0; d < walk.n; d++) walk.dims[d] = out->shape.dims[d];
    cvk_shape_broadcast_strides(&in->shape, &out->shape, walk.strides);
    cvk_move_strided(&walk, in, out);
    return CVK_OK;
}

const cvk_op cvk_op_Expand = {
    .name = "Expand",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .form = {.kind = CVK_FORM_COPY},
    .infer = infer,
    .reference = reference,
    .settings = CVK_ALL_BUT_FIRST,
};
