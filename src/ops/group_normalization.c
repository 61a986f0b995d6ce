/* SPDX-License-Identifier: Apache-2.0
 *
 * GroupNormalization: the channels of an image in num_groups groups, each to mean 0 and variance 1,
 * then scale and bias: one per group before operator set 21, one per channel since.
 */
#include <inttypes.h>

#include "ops/normalise.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_row_normalization_params *p = params;
    p->scale_per_channel = attrs->opset >= 21;
    if (attrs->opset >= 21) cvk_attrs_ignore(attrs, "stash_type"); /* sums are exact enough */
    CVK_TRY(cvk_attrs_float(attrs, "epsilon", 1e-5f, &p->epsilon));
    CVK_TRY(cvk_attrs_int(attrs, "num_groups", 0, &p->groups));
    if (p->groups >= 1) return CVK_OK;
    return cvk_fail(CVK_BAD_MODEL, "attribute 'num_groups' is %" PRId64 ", 1 or more is expected",
                    p->groups);
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    cvk_row_normalization_params *p = params;
    char text[CVK_SHAPE_TEXT];
    const cvk_shape *shape = &in[0].shape;
    CVK_TRY(cvk_row_norm_infer(in, n_in, out));
    if (shape->rank < 0) return CVK_OK;
    if (shape->rank < 2)
        return cvk_fail(CVK_SHAPE, "input has shape %s, N x C x spatial dimensions are expected",
                        cvk_shape_text(shape, text));
    int64_t channels = shape->dims[1], entries = p->scale_per_channel ? channels : p->groups;
    if (channels >= 0 && channels % p->groups)
        return cvk_fail(CVK_SHAPE, "%" PRId64 " channels do not divide into %" PRId64 " groups",
                        channels, p->groups);
    CVK_TRY(cvk_check_vector(&in[1], entries, "scale"));
    CVK_TRY(cvk_check_vector(&in[2], entries, "bias"));
    if (!cvk_shape_known(shape) || !cvk_shape_count(shape)) return CVK_OK;
    p->rows = shape->dims[0] * p->groups;
    p->length = channels / p->groups * cvk_shape_span(shape, 2, shape->rank);
    p->inner = p->scale_per_channel ? cvk_shape_span(shape, 2, shape->rank) : p->length;
    return CVK_OK;
}

const cvk_op cvk_op_GroupNormalization = {
    .name = "GroupNormalization",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_row_normalization_params),
    .form = {.kind = CVK_FORM_ROW_NORM},
    .parse = parse,
    .infer = infer,
    .reference = cvk_row_norm_reference,
    .needs_elements = true,
};
