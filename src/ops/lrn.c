/* SPDX-License-Identifier: Apache-2.0
 *
 * LRN: local response normalisation across channels. Formula: graph/params.h.
 */
#include <inttypes.h>
#include <limits.h>
#include <math.h>

#include "ops/common.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_lrn_params *lrn = params;
    CVK_TRY(cvk_attrs_float(attrs, "alpha", 1e-4f, &lrn->alpha));
    CVK_TRY(cvk_attrs_float(attrs, "beta", 0.75f, &lrn->beta));
    CVK_TRY(cvk_attrs_float(attrs, "bias", 1, &lrn->bias));
    CVK_TRY(cvk_attrs_int(attrs, "size", 0, &lrn->size));
    if (lrn->size < 1 || lrn->size > INT_MAX)
        return cvk_fail(CVK_BAD_MODEL,
                        "attribute 'size' is missing or %" PRId64 ", 1 or more is expected",
                        lrn->size);
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    char text[CVK_SHAPE_TEXT];
    const cvk_shape *src = &in[0].shape;
    if (src->rank == 0 || src->rank == 1)
        return cvk_fail(CVK_SHAPE, "input has shape %s, N x C x other dimensions are expected",
                        cvk_shape_text(src, text));
    return cvk_infer_same_float(params, in, n_in, out, n_out);
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in;
    (void)n_out;
    const cvk_lrn_params *lrn = params;
    int64_t count = cvk_view_count(&in[0]), channels = in[0].shape.dims[1];
    int64_t span = cvk_shape_span(&in[0].shape, 2, in[0].shape.rank);
    for (int64_t i = 0; i < count; i++) {
        int64_t c = i / span % channels;
        int64_t first = c - (lrn->size - 1) / 2, last = c + lrn->size / 2;
        double sum = 0;
        if (first < 0) first = 0;
        if (last > channels - 1) last = channels - 1;
        for (int64_t k = first; k <= last; k++) {
            double x = cvk_view_get(&in[0], i + (k - c) * span);
            sum += x * x;
        }
        double base = lrn->bias + (double)lrn->alpha / (double)lrn->size * sum;
        cvk_view_set(&out[0], i, cvk_view_get(&in[0], i) / pow(base, lrn->beta));
    }
    return CVK_OK;
}

static uint64_t work(const void *params, const cvk_view *in, int n_in, const cvk_view *out)
{
    (void)n_in;
    (void)out;
    int64_t size = ((const cvk_lrn_params *)params)->size, channels = in[0].shape.dims[1];
    return (uint64_t)cvk_view_count(&in[0]) * (uint64_t)(size < channels ? size : channels);
}

const cvk_op cvk_op_LRN = {
    .name = "LRN",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_lrn_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .work = work,
    .needs_elements = true,
};
