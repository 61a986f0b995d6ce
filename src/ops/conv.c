/* SPDX-License-Identifier: Apache-2.0
 *
 * Conv: cross-correlation of X (N, C, [D,] [H,] W) with W (M, C / group, [kD,] [kH,] kW), plus a
 * bias; and what it shares with ConvTranspose.
 */
#include "ops/conv.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include "ops/common.h"
#include "ops/tell.h"

cvk_status cvk_conv_parse(const cvk_attrs *attrs, cvk_conv_params *params)
{
    CVK_TRY(cvk_attrs_window(attrs, &params->window));
    CVK_TRY(cvk_attrs_int(attrs, "group", 1, &params->group));
    if (params->group < 1 || params->group > INT_MAX)
        return cvk_fail(CVK_BAD_MODEL, "attribute 'group' is %" PRId64 ", 1 or more is expected",
                        params->group);
    return CVK_OK;
}

static cvk_status take_kernel(cvk_window *window, const cvk_shape *wgt)
{
    for (int d = 0; d < window->spatial; d++) {
        int64_t length = wgt->dims[2 + d];
        if (length == 0)
            return cvk_fail(CVK_SHAPE, "weights have no elements along spatial dimension %d", d);
        if (window->kernel[d] && !cvk_dims_agree(length, window->kernel[d]))
            return cvk_fail(CVK_SHAPE,
                            "attribute 'kernel_shape' is %" PRId64
                            " in dimension %d, weights have %" PRId64,
                            window->kernel[d], d, length);
        if (length > 0) window->kernel[d] = length;
    }
    return CVK_OK;
}

cvk_status cvk_conv_check(cvk_conv_params *params, const cvk_view *in, int n_in, const char *what)
{
    const cvk_shape *src = &in[0].shape, *wgt = &in[1].shape;
    char text[CVK_SHAPE_TEXT];
    CVK_TRY(cvk_check_float(&in[0], "input"));
    CVK_TRY(cvk_check_same_type(in, n_in));
    if (src->rank < 0) return CVK_OK;
    CVK_TRY(cvk_window_fit(&params->window, src, what));
    if (wgt->rank < 0) return CVK_OK;
    if (wgt->rank != src->rank)
        return cvk_fail(CVK_SHAPE, "weights have shape %s, rank %d is expected as of the input",
                        cvk_shape_text(wgt, text), src->rank);
    return take_kernel(&params->window, wgt);
}

typedef struct loops {
    cvk_sweep s;
    cvk_conv_row add_row;
    bool transposed;
} loops;

/* One input channel's part of one output channel, from axis `a` inwards. */
static void add_volume(const loops *l, int a, double *dst, const double *src, const double *wgt)
{
    const cvk_sweep_axis *axis = &l->s.axis[a];
    int64_t from = l->transposed ? axis->in : axis->out, to = l->transposed ? axis->out : axis->in;
    if (a == CVK_MAX_SPATIAL - 1) {
        for (int64_t k = 0; k < axis->kernel; k++)
            l->add_row(dst, src, wgt[k], axis, k * axis->dilation - axis->pad_begin);
        return;
    }
    for (int64_t k = 0; k < axis->kernel; k++) {
        for (int64_t o = 0; o < from; o++) {
            int64_t p = o * axis->stride + k * axis->dilation - axis->pad_begin;
            if (p < 0 || p >= to) continue;
            add_volume(l, a + 1, dst + (l->transposed ? p : o) * axis->out_pitch,
                       src + (l->transposed ? o : p) * axis->in_pitch,
                       wgt + k * axis->kernel_pitch);
        }
    }
}

static void convolve(const loops *l, const double *src, const double *wgt, const cvk_view *bias,
                     double *volume, cvk_view *out)
{
    const cvk_sweep *s = &l->s;
    int64_t icg = s->ic / s->group, ocg = s->oc / s->group, count = s->out_count;
    for (int64_t n = 0; n < s->n; n++) {
        for (int64_t oc = 0; oc < s->oc; oc++) {
            double start = bias ? cvk_view_get(bias, oc) : 0;
            for (int64_t i = 0; i < count; i++) volume[i] = start;
            for (int64_t k = 0; k < icg; k++) {
                int64_t ic = oc / ocg * icg + k;
                int64_t w = l->transposed ? ic * ocg + oc % ocg : oc * icg + k;
                add_volume(l, 0, volume, src + (n * s->ic + ic) * s->in_count,
                           wgt + w * s->kernel_count);
            }
            for (int64_t i = 0; i < count; i++)
                cvk_view_set(out, (n * s->oc + oc) * count + i, volume[i]);
        }
    }
}

cvk_status cvk_conv_reference(const cvk_conv_params *params, const cvk_view *in, int n_in,
                              cvk_view *out, cvk_conv_row add_row, bool transposed)
{
    if (cvk_view_count(&out[0]) == 0) return CVK_OK;
    loops l = {.s = cvk_sweep_make(&params->window, params->group, &in[0].shape, &out[0].shape),
               .add_row = add_row,
               .transposed = transposed};
    cvk_shape shape = cvk_shape_make(1, &l.s.out_count);
    cvk_view volume;
    CVK_TRY(cvk_view_temp(&shape, &volume));
    double *src = cvk_view_doubles(&in[0]), *wgt = cvk_view_doubles(&in[1]);
    if (src && wgt) convolve(&l, src, wgt, cvk_input(in, n_in, 2), volume.data, &out[0]);
    cvk_status status = src && wgt ? CVK_OK : CVK_NO_MEMORY;
    free(src);
    free(wgt);
    free(volume.data);
    return status;
}

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    return cvk_conv_parse(attrs, params);
}

static cvk_status check_channels(int64_t group, const cvk_shape *src, const cvk_shape *wgt)
{
    int64_t ic = src->dims[1], want = wgt->dims[1], oc = wgt->dims[0];
    if (want >= 0 && !cvk_dims_agree(ic, want * group))
        return cvk_fail(CVK_SHAPE, "input has %" PRId64 " channels, weights want %" PRId64, ic,
                        want * group);
    if (oc >= 0 && oc % group)
        return cvk_fail(CVK_SHAPE,
                        "%" PRId64 " output channels do not divide into %" PRId64 " groups", oc,
                        group);
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    cvk_conv_params *conv = params;
    const cvk_view *bias = cvk_input(in, n_in, 2);
    const cvk_shape *src = &in[0].shape, *wgt = &in[1].shape;
    int64_t oc = wgt->rank > 0 ? wgt->dims[0] : -1;
    CVK_TRY(cvk_conv_check(conv, in, n_in, "convolution"));
    cvk_set_out(&out[0], in[0].dtype, src);
    if (src->rank < 0) return CVK_OK;
    if (wgt->rank >= 0) CVK_TRY(check_channels(conv->group, src, wgt));
    if (bias) CVK_TRY(cvk_check_vector(bias, oc, "bias"));
    out[0].shape.dims[1] = oc;
    return cvk_window_output(&conv->window, src, false, &out[0].shape);
}

/* Over the outputs whose tap lies inside the input. */
static void add_row(double *dst, const double *src, double wgt, const cvk_sweep_axis *axis,
                    int64_t offset)
{
    int64_t stride = axis->stride;
    int64_t begin = offset < 0 ? (-offset + stride - 1) / stride : 0;
    int64_t end = axis->in > offset ? (axis->in - offset + stride - 1) / stride : 0;
    if (end > axis->out) end = axis->out;
    if (stride == 1) {
        for (int64_t x = begin; x < end; x++) dst[x] += wgt * src[x + offset];
    } else {
        for (int64_t x = begin; x < end; x++) dst[x] += wgt * src[x * stride + offset];
    }
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_out;
    return cvk_conv_reference(params, in, n_in, out, add_row, false);
}

static uint64_t macs(const void *params, const cvk_view *in, int n_in, const cvk_view *out)
{
    (void)params;
    (void)n_in;
    const cvk_shape *wgt = &in[1].shape;
    return (uint64_t)cvk_view_count(&out[0]) * (uint64_t)cvk_shape_span(wgt, 1, wgt->rank);
}

const cvk_op cvk_op_Conv = {
    .name = "Conv",
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
