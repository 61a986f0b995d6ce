/* SPDX-License-Identifier: Apache-2.0
 *
 * Affine, the form into which BatchNormalization is lowered where it stands alone: x scale + shift,
 * per channel.
 */
#include "ops/common.h"

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    int64_t channels = in[0].shape.rank > 1 ? in[0].shape.dims[1] : -1;
    CVK_TRY(cvk_check_vector(&in[1], channels, "scale"));
    CVK_TRY(cvk_check_vector(&in[2], channels, "shift"));
    return cvk_infer_same_float(params, in, n_in, out, n_out);
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)params;
    (void)n_in;
    (void)n_out;
    int64_t count = cvk_view_count(&in[0]), channels = in[0].shape.dims[1];
    int64_t span = cvk_shape_span(&in[0].shape, 2, in[0].shape.rank);
    for (int64_t i = 0; i < count; i++) {
        int64_t c = i / span % channels;
        cvk_view_set(&out[0], i,
                     cvk_view_get(&in[0], i) * cvk_view_get(&in[1], c) + cvk_view_get(&in[2], c));
    }
    return CVK_OK;
}

const cvk_op cvk_op_Affine = {
    .name = "Affine",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .infer = infer,
    .reference = reference,
    .internal = true,
};
