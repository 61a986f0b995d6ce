/* SPDX-License-Identifier: Apache-2.0
 *
 * PRelu: x where x is 0 or more, else slope x. The slope broadcasts to the shape of x.
 */
#include "ops/common.h"

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    char text[CVK_SHAPE_TEXT], other[CVK_SHAPE_TEXT];
    const cvk_shape *src = &in[0].shape;
    CVK_TRY(cvk_infer_broadcast(params, in, n_in, out, n_out));
    bool fits = out[0].shape.rank < 0 || out[0].shape.rank == src->rank;
    for (int d = 0; fits && d < out[0].shape.rank; d++)
        fits = cvk_dims_agree(out[0].shape.dims[d], src->dims[d]);
    if (!fits)
        return cvk_fail(CVK_SHAPE, "slope has shape %s, which does not broadcast to %s",
                        cvk_shape_text(&in[1].shape, text), cvk_shape_text(src, other));
    out[0].shape = *src;
    return CVK_OK;
}

const cvk_op cvk_op_PRelu = {
    .name = "PRelu",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_binary_params),
    .form = {.kind = CVK_FORM_BINARY, .binary = CVK_BINARY_PRELU},
    .infer = infer,
    .reference = cvk_reference_binary,
};
