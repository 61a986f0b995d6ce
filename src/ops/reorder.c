/* SPDX-License-Identifier: Apache-2.0
 *
 * Reorder: the same elements in the other layout.
 */
#include "ops/common.h"

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    char text[CVK_SHAPE_TEXT];
    int rank = in[0].shape.rank;
    if ((in[0].dtype != CVK_F32 && in[0].dtype != CVK_F16) ||
        (rank >= 0 && rank != 3 && rank != 4))
        return cvk_fail(CVK_SHAPE, "input is %s of shape %s, float32 or float16 of rank 3 or 4 is expected",
                        cvk_dtype_name(in[0].dtype), cvk_shape_text(&in[0].shape, text));
    return cvk_infer_same(params, in, n_in, out, n_out);
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)params;
    (void)n_in;
    (void)n_out;
    const cvk_shape *shape = &in[0].shape;
    if (in[0].layout == out[0].layout) {
        cvk_view_convert(&in[0], &out[0]);
        return CVK_OK;
    }
    int64_t n = shape->dims[0], c = shape->dims[1], spatial = cvk_shape_span(shape, 2, shape->rank);
    if (out[0].layout == CVK_LAYOUT_BLOCKED)
        cvk_layout_block(in[0].dtype, in[0].data, out[0].data, n, c, spatial);
    else
        cvk_layout_unblock(in[0].dtype, in[0].data, out[0].data, n, c, spatial);
    return CVK_OK;
}

const cvk_op cvk_op_Reorder = {
    .name = "Reorder",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .infer = infer,
    .reference = reference,
    .internal = true,
};
