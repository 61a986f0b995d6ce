/* SPDX-License-Identifier: Apache-2.0
 *
 * DeformConv: a convolution of two dimensions whose every tap is moved by an offset of its own, and
 * weighted by a mask. Inputs X, W, offset (N, groups kh kw 2, oh, ow), [B], [mask (N, groups kh kw,
 * oh, ow)]. Between elements X is bilinear, outside it is 0.
 */
#include <inttypes.h>
#include <math.h>

#include "ops/common.h"
#include "ops/conv.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_deform_params *p = params;
    CVK_TRY(cvk_conv_parse(attrs, &p->conv));
    CVK_TRY(cvk_attrs_int(attrs, "offset_group", 1, &p->offset_group));
    if (p->offset_group >= 1) return CVK_OK;
    return cvk_fail(CVK_BAD_MODEL, "attribute 'offset_group' is %" PRId64 ", 1 or more is expected",
                    p->offset_group);
}

/* An input of N x channels x oh x ow; channels -1: unknown. */
static cvk_status check_map(const cvk_view *view, int64_t channels, const cvk_shape *out,
                            const char *what)
{
    char text[CVK_SHAPE_TEXT];
    const cvk_shape *s = view ? &view->shape : NULL;
    if (!s || s->rank < 0) return CVK_OK;
    if (s->rank == 4 && cvk_dims_agree(s->dims[0], out->dims[0]) &&
        cvk_dims_agree(s->dims[1], channels) && cvk_dims_agree(s->dims[2], out->dims[2]) &&
        cvk_dims_agree(s->dims[3], out->dims[3]))
        return CVK_OK;
    return cvk_fail(CVK_SHAPE,
                    "%s has shape %s, %" PRId64 " channels of the output's size are expected", what,
                    cvk_shape_text(s, text), channels);
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    cvk_deform_params *p = params;
    cvk_view parts[3] = {in[0], in[1], {0}};
    const cvk_view *bias = cvk_input(in, n_in, 3);
    const cvk_window *window = &p->conv.window;
    if (in[0].shape.rank >= 0 && in[0].shape.rank != 4)
        return cvk_fail(CVK_UNSUPPORTED, "DeformConv of two spatial dimensions only");
    CVK_TRY(cvk_check_same_type(in, n_in));
    if (bias) parts[2] = *bias;
    CVK_TRY(cvk_op_Conv.infer(&p->conv, parts, bias ? 3 : 2, out, n_out));
    if (out[0].shape.rank < 0) return CVK_OK;
    int64_t taps = window->kernel[0] * window->kernel[1], c = in[0].shape.dims[1];
    bool known = window->kernel[0] > 0;
    if (c >= 0 && c % p->offset_group)
        return cvk_fail(CVK_SHAPE,
                        "%" PRId64 " channels do not divide into %" PRId64 " offset groups", c,
                        p->offset_group);
    CVK_TRY(check_map(&in[2], known ? p->offset_group * taps * 2 : -1, &out[0].shape, "offset"));
    return check_map(cvk_input(in, n_in, 4), known ? p->offset_group * taps : -1, &out[0].shape,
                     "mask");
}

/* Element (y, x) of the plane that begins at `first`, 0 outside. */
static double element(const cvk_view *src, int64_t first, double y, double x)
{
    int64_t h = src->shape.dims[2], w = src->shape.dims[3];
    if (!(y >= 0 && x >= 0 && y < (double)h && x < (double)w)) return 0;
    return cvk_view_get(src, first + (int64_t)y * w + (int64_t)x);
}

static double bilinear(const cvk_view *src, int64_t first, double y, double x)
{
    double top = floor(y), left = floor(x), wy = y - top, wx = x - left;
    double above = (1 - wx) * element(src, first, top, left) +
                   (wx > 0 ? wx * element(src, first, top, left + 1) : 0);
    double below = (1 - wx) * element(src, first, top + 1, left) +
                   (wx > 0 ? wx * element(src, first, top + 1, left + 1) : 0);
    return (1 - wy) * above + (wy > 0 ? wy * below : 0);
}

/* What one input channel adds to output (oy, ox); wgt: its first weight. */
static double channel(const cvk_deform_params *p, const cvk_view *in, int n_in, int64_t n,
                      int64_t ic, int64_t wgt, const cvk_shape *out, int64_t oy, int64_t ox)
{
    const cvk_window *w = &p->conv.window;
    const cvk_view *mask = cvk_input(in, n_in, 4);
    int64_t c = in[0].shape.dims[1], taps = w->kernel[0] * w->kernel[1];
    int64_t plane = out->dims[2] * out->dims[3], at = oy * out->dims[3] + ox;
    int64_t group = ic / (c / p->offset_group), first = (n * p->offset_group + group) * taps;
    double sum = 0;
    for (int64_t k = 0; k < taps; k++) {
        int64_t ky = k / w->kernel[1], kx = k % w->kernel[1], tap = first + k;
        double y = (double)(oy * w->stride[0] - w->pad_begin[0] + ky * w->dilation[0]) +
                   cvk_view_get(&in[2], 2 * tap * plane + at);
        double x = (double)(ox * w->stride[1] - w->pad_begin[1] + kx * w->dilation[1]) +
                   cvk_view_get(&in[2], (2 * tap + 1) * plane + at);
        double value =
            bilinear(&in[0], (n * c + ic) * in[0].shape.dims[2] * in[0].shape.dims[3], y, x);
        if (mask) value *= cvk_view_get(mask, tap * plane + at);
        sum += value * cvk_view_get(&in[1], wgt + k);
    }
    return sum;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_out;
    const cvk_deform_params *p = params;
    const cvk_view *bias = cvk_input(in, n_in, 3);
    const cvk_shape *to = &out[0].shape;
    int64_t taps = p->conv.window.kernel[0] * p->conv.window.kernel[1];
    int64_t icg = in[1].shape.dims[1], ocg = to->dims[1] / p->conv.group;
    for (int64_t i = 0; i < cvk_view_count(&out[0]); i++) {
        int64_t ox = i % to->dims[3], oy = i / to->dims[3] % to->dims[2];
        int64_t oc = i / (to->dims[2] * to->dims[3]) % to->dims[1];
        int64_t n = i / (to->dims[1] * to->dims[2] * to->dims[3]);
        double sum = bias ? cvk_view_get(bias, oc) : 0;
        for (int64_t k = 0; k < icg; k++)
            sum += channel(p, in, n_in, n, oc / ocg * icg + k, (oc * icg + k) * taps, to, oy, ox);
        cvk_view_set(&out[0], i, sum);
    }
    return CVK_OK;
}

static uint64_t macs(const void *params, const cvk_view *in, int n_in, const cvk_view *out)
{
    return cvk_op_Conv.macs(params, in, n_in, out);
}

const cvk_op cvk_op_DeformConv = {
    .name = "DeformConv",
    .min_in = 3,
    .max_in = 5,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_deform_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .macs = macs,
    .needs_elements = true,
};
