/* SPDX-License-Identifier: Apache-2.0
 *
 * BatchNormalization at inference: scale (x - mean) / sqrt(var + epsilon) + B, per channel.
 */
#include <math.h>

#include "ops/common.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_batch_normalization_params *norm = params;
    int64_t training, spatial;
    CVK_TRY(cvk_attrs_float(attrs, "epsilon", 1e-5f, &norm->epsilon));
    CVK_TRY(cvk_attrs_int(attrs, "training_mode", 0, &training));
    spatial = 1;
    if (attrs->opset < 9) CVK_TRY(cvk_attrs_int(attrs, "spatial", 1, &spatial));
    cvk_attrs_ignore(attrs, "momentum");
    if (training)
        return cvk_fail(CVK_UNSUPPORTED,
                        "attribute 'training_mode' is set: only inference is supported");
    if (!spatial)
        return cvk_fail(CVK_UNSUPPORTED,
                        "attribute 'spatial' is 0: only statistics per channel are supported");
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    static const char *const names[] = {"input", "scale", "B", "mean", "var"};
    char text[CVK_SHAPE_TEXT];
    const cvk_shape *src = &in[0].shape;
    if (n_out > 1)
        return cvk_fail(CVK_UNSUPPORTED,
                        "has %d outputs, as in training: only inference is supported", n_out);
    if (src->rank == 0 || src->rank == 1)
        return cvk_fail(CVK_SHAPE, "input has shape %s, N x C x other dimensions are expected",
                        cvk_shape_text(src, text));
    for (int i = 0; i < n_in; i++) {
        CVK_TRY(cvk_check_float(&in[i], names[i]));
        if (i) CVK_TRY(cvk_check_vector(&in[i], src->rank < 0 ? -1 : src->dims[1], names[i]));
    }
    return cvk_infer_same(params, in, n_in, out, n_out);
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in;
    (void)n_out;
    const cvk_batch_normalization_params *norm = params;
    int64_t count = cvk_view_count(&in[0]), channels = in[0].shape.dims[1];
    int64_t span = cvk_shape_span(&in[0].shape, 2, in[0].shape.rank);
    for (int64_t i = 0; i < count; i++) {
        int64_t c = i / span % channels;
        double scale = cvk_view_get(&in[1], c) / sqrt(cvk_view_get(&in[4], c) + norm->epsilon);
        double x = cvk_view_get(&in[0], i) - cvk_view_get(&in[3], c);
        cvk_view_set(&out[0], i, x * scale + cvk_view_get(&in[2], c));
    }
    return CVK_OK;
}

const cvk_op cvk_op_BatchNormalization = {
    .name = "BatchNormalization",
    .min_in = 5,
    .max_in = 5,
    .min_out = 1,
    .max_out = 5,
    .params_bytes = sizeof(cvk_batch_normalization_params),
    .form = {.kind = CVK_FORM_AFFINE},
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .needs_elements = true,
};
