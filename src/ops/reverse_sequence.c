/* SPDX-License-Identifier: Apache-2.0
 *
 * ReverseSequence: of each batch, the first sequence_lens[batch] steps in time in reverse.
 */
#include <string.h>

#include "ops/move.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_reverse_sequence_params *p = params;
    CVK_TRY(cvk_attrs_int(attrs, "batch_axis", 1, &p->batch_axis));
    CVK_TRY(cvk_attrs_int(attrs, "time_axis", 0, &p->time_axis));
    if ((p->batch_axis == 0 && p->time_axis == 1) || (p->batch_axis == 1 && p->time_axis == 0))
        return CVK_OK;
    return cvk_fail(CVK_BAD_MODEL, "batch_axis is %lld and time_axis %lld, expected 0 and 1",
                    (long long)p->batch_axis, (long long)p->time_axis);
}

static cvk_status check_length(int64_t length, int64_t steps, int64_t at, cvk_status status)
{
    if (length >= 0 && (steps < 0 || length <= steps)) return CVK_OK;
    return cvk_fail(status, "the sequence at place %lld has length %lld, at most %lld is expected",
                    (long long)at, (long long)length, (long long)steps);
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    const cvk_reverse_sequence_params *p = params;
    char text[CVK_SHAPE_TEXT];
    int64_t batches = -1, steps = -1;
    if (cvk_ranked(in)) {
        if (in->shape.rank < 2)
            return cvk_fail(CVK_SHAPE, "input has shape %s, batches and steps are expected",
                            cvk_shape_text(&in->shape, text));
        batches = in->shape.dims[p->batch_axis];
        steps = in->shape.dims[p->time_axis];
    }
    if (in[1].dtype != CVK_I64)
        return cvk_fail(CVK_BAD_MODEL, "sequence_lens are %s, expected int64",
                        cvk_dtype_name(in[1].dtype));
    CVK_TRY(cvk_check_vector(&in[1], batches, "sequence_lens"));
    int64_t count = cvk_input_constant(in, n_in, 1) ? cvk_view_count(&in[1]) : 0;
    for (int64_t i = 0; i < count; i++)
        CVK_TRY(check_length(cvk_view_get_int(&in[1], i), steps, i, CVK_BAD_MODEL));
    cvk_set_out(&out[0], in->dtype, &in->shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_reverse_sequence_params *p = params;
    const int64_t *dims = in->shape.dims;
    int64_t batches = dims[p->batch_axis], steps = dims[p->time_axis];
    int64_t batch_pitch = p->batch_axis ? 1 : steps, step_pitch = p->time_axis ? 1 : batches;
    size_t bytes =
        (size_t)cvk_shape_span(&in->shape, 2, in->shape.rank) * cvk_dtype_bytes(in->dtype);
    for (int64_t b = 0; b < batches; b++) {
        int64_t length = cvk_view_get_int(&in[1], b);
        CVK_TRY(check_length(length, steps, b, CVK_BAD_INPUT));
        for (int64_t t = 0; bytes && t < steps; t++) {
            int64_t from = b * batch_pitch + (t < length ? length - 1 - t : t) * step_pitch;
            int64_t to = b * batch_pitch + t * step_pitch;
            memcpy((char *)out->data + (size_t)to * bytes,
                   (const char *)in->data + (size_t)from * bytes, bytes);
        }
    }
    return CVK_OK;
}

const cvk_op cvk_op_ReverseSequence = {
    .name = "ReverseSequence",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_reverse_sequence_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
};
