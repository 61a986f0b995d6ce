/* SPDX-License-Identifier: Apache-2.0
 *
 * InstanceNormalization: each channel of each image to mean 0 and variance 1, then scale and B.
 */
#include <math.h>

#include "ops/normalise.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_instance_normalization_params *norm = params;
    return cvk_attrs_float(attrs, "epsilon", 1e-5f, &norm->epsilon);
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    char text[CVK_SHAPE_TEXT];
    const cvk_shape *src = &in[0].shape;
    if (src->rank >= 0 && src->rank < 3)
        return cvk_fail(CVK_SHAPE, "input has shape %s, N x C x spatial dimensions are expected",
                        cvk_shape_text(src, text));
    CVK_TRY(cvk_check_same_type(in, n_in));
    CVK_TRY(cvk_check_vector(&in[1], src->rank < 0 ? -1 : src->dims[1], "scale"));
    CVK_TRY(cvk_check_vector(&in[2], src->rank < 0 ? -1 : src->dims[1], "B"));
    return cvk_infer_same_float(params, in, n_in, out, n_out);
}

static void normalise(const cvk_view *src, int64_t begin, int64_t length, double epsilon,
                      double scale, double shift, cvk_view *dst)
{
    cvk_moments m = cvk_moments_of(src, begin, length);
    scale /= sqrt(m.variance + epsilon);
    for (int64_t i = 0; i < length; i++)
        cvk_view_set(dst, begin + i, (cvk_view_get(src, begin + i) - m.mean) * scale + shift);
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in;
    (void)n_out;
    const cvk_instance_normalization_params *norm = params;
    int64_t channels = in[0].shape.dims[1], planes = cvk_shape_span(&in[0].shape, 0, 2);
    int64_t length = cvk_shape_span(&in[0].shape, 2, in[0].shape.rank);
    for (int64_t p = 0; p < planes; p++)
        normalise(&in[0], p * length, length, norm->epsilon, cvk_view_get(&in[1], p % channels),
                  cvk_view_get(&in[2], p % channels), &out[0]);
    return CVK_OK;
}

const cvk_op cvk_op_InstanceNormalization = {
    .name = "InstanceNormalization",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_instance_normalization_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .needs_elements = true,
};
