/* SPDX-License-Identifier: Apache-2.0
 *
 * QConv, the form into which convolutions on 8-bit integers are brought: zero points in the
 * parameters, one multiplier per output channel.
 */
#include <stdlib.h>

#include "ops/quant.h"

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    cvk_qconv_params *conv = params;
    const cvk_view *m = cvk_input(in, n_in, 3), *wz = cvk_input(in, n_in, 4);
    int64_t oc = in[1].shape.rank > 0 ? in[1].shape.dims[0] : -1;
    CVK_TRY(cvk_check_8bit(&in[0], "input"));
    CVK_TRY(cvk_check_8bit(&in[1], "weights"));
    if (m) CVK_TRY(cvk_check_vector(m, oc, "multiplier"));
    if (wz) CVK_TRY(cvk_check_vector(wz, oc, "zero point of the weights"));
    return cvk_infer_as_float(&cvk_op_Conv, &conv->conv, in, n_in < 3 ? n_in : 3, out,
                              m ? conv->y.dtype : CVK_I32);
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_out;
    const cvk_qconv_params *conv = params;
    const cvk_view *m = cvk_input(in, n_in, 3), x_zp = cvk_view_of_int(&conv->x_zp);
    cvk_view acc;
    CVK_TRY(cvk_accumulate_conv(&conv->conv, &in[0], &x_zp, &in[1], cvk_input(in, n_in, 4),
                                cvk_input(in, n_in, 2), out, &acc));
    int64_t count = cvk_view_count(out), oc = out->shape.dims[1];
    int64_t spatial = cvk_shape_span(&out->shape, 2, out->shape.rank);
    for (int64_t i = 0; i < count; i++) {
        int32_t sum = cvk_wrap32(((const double *)acc.data)[i]);
        if (m) sum = cvk_requantise(sum, (float)cvk_view_get(m, i / spatial % oc), &conv->y);
        cvk_view_set(out, i, sum);
    }
    free(acc.data);
    return CVK_OK;
}

static uint64_t macs(const void *params, const cvk_view *in, int n_in, const cvk_view *out)
{
    return cvk_op_Conv.macs(params, in, n_in, out);
}

const cvk_op cvk_op_QConv = {
    .name = "QConv",
    .min_in = 2,
    .max_in = 5,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_qconv_params),
    .infer = infer,
    .reference = reference,
    .macs = macs,
    .internal = true,
};
