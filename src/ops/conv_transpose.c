/* SPDX-License-Identifier: Apache-2.0
 *
 * ConvTranspose: every element of X (N, C, [D,] [H,] W) adds a scaled copy of W (C, M / group,
 * [kD,] [kH,] kW) to the output. Output lengths and pads: ONNX operators, ConvTranspose.
 */
#include <inttypes.h>
#include <limits.h>

#include "ops/common.h"
#include "ops/conv.h"
#include "ops/tell.h"

/* Entries of a list, one per spatial dimension, none below 0. `lead` more may stand before them:
 * output_shape may begin with N and C. */
static cvk_status lengths(const cvk_attrs *attrs, const char *name, int lead, cvk_window *window,
                          int64_t *values, bool *given)
{
    int64_t list[CVK_MAX_SPATIAL + 2];
    int count, skip = 0;
    CVK_TRY(cvk_attrs_ints(attrs, name, CVK_MAX_SPATIAL + lead, list, &count));
    *given = count > 0;
    if (!*given) return CVK_OK;
    if (window->spatial ? count == window->spatial + lead : count > CVK_MAX_SPATIAL) skip = lead;
    if (!window->spatial) window->spatial = count - skip;
    if (count - skip != window->spatial)
        return cvk_fail(CVK_BAD_MODEL, "attribute '%s' has %d entries, %d are expected", name,
                        count, window->spatial);
    for (int i = skip; i < count; i++) {
        if (list[i] < 0 || list[i] > INT_MAX)
            return cvk_fail(CVK_BAD_MODEL,
                            "attribute '%s' holds %" PRId64 ", 0 or more is expected", name,
                            list[i]);
        values[i - skip] = list[i];
    }
    return CVK_OK;
}

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_conv_params *conv = params;
    bool given;
    CVK_TRY(cvk_conv_parse(attrs, conv));
    CVK_TRY(lengths(attrs, "output_padding", 0, &conv->window, conv->output_padding, &given));
    return lengths(attrs, "output_shape", 2, &conv->window, conv->output_shape,
                   &conv->has_output_shape);
}

/* Pads such that the output has length `wanted` instead of `full`. Where not even no padding
 * reaches it, the rest is output padding. */
static void pads_for(cvk_conv_params *conv, int d, int64_t full, int64_t wanted)
{
    cvk_window *window = &conv->window;
    int64_t total = full - wanted;
    if (total < 0) {
        conv->output_padding[d] -= total;
        total = 0;
    }
    int64_t small = total / 2, large = total - small;
    bool upper = window->auto_pad == CVK_PAD_SAME_UPPER;
    window->pad_begin[d] = upper ? small : large;
    window->pad_end[d] = upper ? large : small;
}

static cvk_status output_length(cvk_conv_params *conv, int d, int64_t in, int64_t *out)
{
    cvk_window *window = &conv->window;
    *out = -1;
    if (in < 0 || window->kernel[d] < 1) return CVK_OK;
    int64_t reach = (window->kernel[d] - 1) * window->dilation[d] + 1;
    int64_t full = window->stride[d] * (in - 1) + conv->output_padding[d] + reach;
    bool same = window->auto_pad == CVK_PAD_SAME_UPPER || window->auto_pad == CVK_PAD_SAME_LOWER;
    if (conv->has_output_shape || same) {
        *out = conv->has_output_shape ? conv->output_shape[d] : in * window->stride[d];
        pads_for(conv, d, full, *out);
        return CVK_OK;
    }
    if (window->auto_pad == CVK_PAD_VALID) window->pad_begin[d] = window->pad_end[d] = 0;
    *out = full - window->pad_begin[d] - window->pad_end[d];
    if (*out >= 0) return CVK_OK;
    return cvk_fail(CVK_SHAPE,
                    "spatial dimension %d: padding %" PRId64 " + %" PRId64
                    " is more than the output of %" PRId64,
                    d, window->pad_begin[d], window->pad_end[d], full);
}

static cvk_status check_channels(int64_t group, const cvk_shape *src, const cvk_shape *wgt)
{
    int64_t ic = wgt->dims[0];
    if (!cvk_dims_agree(src->dims[1], ic))
        return cvk_fail(CVK_SHAPE, "input has %" PRId64 " channels, weights want %" PRId64,
                        src->dims[1], ic);
    if (ic >= 0 && ic % group)
        return cvk_fail(CVK_SHAPE,
                        "%" PRId64 " input channels do not divide into %" PRId64 " groups", ic,
                        group);
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    cvk_conv_params *conv = params;
    const cvk_view *bias = cvk_input(in, n_in, 2);
    const cvk_shape *src = &in[0].shape, *wgt = &in[1].shape;
    CVK_TRY(cvk_conv_check(conv, in, n_in, "transposed convolution"));
    cvk_set_out(&out[0], in[0].dtype, src);
    if (src->rank < 0) return CVK_OK;
    int64_t oc = -1;
    if (wgt->rank >= 0) {
        CVK_TRY(check_channels(conv->group, src, wgt));
        oc = wgt->dims[1] < 0 ? -1 : wgt->dims[1] * conv->group;
    }
    if (bias) CVK_TRY(cvk_check_vector(bias, oc, "bias"));
    out[0].shape.dims[1] = oc;
    for (int d = 0; d < conv->window.spatial; d++)
        CVK_TRY(output_length(conv, d, src->dims[2 + d], &out[0].shape.dims[2 + d]));
    return CVK_OK;
}

/* Over the inputs that reach the output. */
static void add_row(double *dst, const double *src, double wgt, const cvk_sweep_axis *axis,
                    int64_t offset)
{
    for (int64_t x = 0; x < axis->in; x++) {
        int64_t at = x * axis->stride + offset;
        if (at >= 0 && at < axis->out) dst[at] += wgt * src[x];
    }
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_out;
    return cvk_conv_reference(params, in, n_in, out, add_row, true);
}

static uint64_t macs(const void *params, const cvk_view *in, int n_in, const cvk_view *out)
{
    (void)params;
    (void)n_in;
    (void)out;
    const cvk_shape *wgt = &in[1].shape;
    return (uint64_t)cvk_view_count(&in[0]) * (uint64_t)cvk_shape_span(wgt, 1, wgt->rank);
}

const cvk_op cvk_op_ConvTranspose = {
    .name = "ConvTranspose",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_conv_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .macs = macs,
    .tell = cvk_tell_conv,
    .needs_elements = true,
};
