/* SPDX-License-Identifier: Apache-2.0
 *
 * Conv: cross-correlation of X (N, C, [H,] W) with W (M, C / group, [kH,] kW), plus a bias; and
 * what it shares with ConvTranspose.
 */
#include "ops/conv.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include "ops/common.h"
#include "ops/window.h"

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

static void convolve(const double *src, const double *wgt, const cvk_view *bias, double *plane,
                     const cvk_geom *g, cvk_conv_plane add_plane, bool transposed, cvk_view *out)
{
    int64_t icg = g->ic / g->group, ocg = g->oc / g->group;
    int64_t ip = (int64_t)g->ih * g->iw, op = (int64_t)g->oh * g->ow, kp = (int64_t)g->kh * g->kw;
    for (int64_t n = 0; n < g->n; n++) {
        for (int64_t oc = 0; oc < g->oc; oc++) {
            double start = bias ? cvk_view_get(bias, oc) : 0;
            for (int64_t i = 0; i < op; i++) plane[i] = start;
            for (int64_t k = 0; k < icg; k++) {
                int64_t ic = oc / ocg * icg + k;
                int64_t w = transposed ? ic * ocg + oc % ocg : oc * icg + k;
                add_plane(plane, src + (n * g->ic + ic) * ip, wgt + w * kp, g);
            }
            for (int64_t i = 0; i < op; i++) cvk_view_set(out, (n * g->oc + oc) * op + i, plane[i]);
        }
    }
}

cvk_status cvk_conv_reference(const cvk_conv_params *params, const cvk_view *in, int n_in,
                              cvk_view *out, cvk_conv_plane add_plane, bool transposed)
{
    cvk_geom g;
    if (cvk_view_count(&out[0]) == 0) return CVK_OK;
    CVK_TRY(cvk_window_geom(&params->window, params->group, &in[0].shape, &out[0].shape, &g));
    cvk_shape plane_shape = cvk_shape_make(2, (int64_t[]){g.oh, g.ow});
    cvk_view plane;
    CVK_TRY(cvk_view_temp(&plane_shape, &plane));
    double *src = cvk_view_doubles(&in[0]), *wgt = cvk_view_doubles(&in[1]);
    if (src && wgt)
        convolve(src, wgt, cvk_input(in, n_in, 2), plane.data, &g, add_plane, transposed, &out[0]);
    cvk_status status = src && wgt ? CVK_OK : CVK_NO_MEMORY;
    free(src);
    free(wgt);
    free(plane.data);
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

/* dst[x] += wgt * src[x * stride + offset] over the outputs whose tap lies inside the input. */
static void add_row(double *dst, const double *src, double wgt, const cvk_geom *g, int offset)
{
    int begin = offset < 0 ? (-offset + g->sw - 1) / g->sw : 0;
    int end = g->iw > offset ? (g->iw - offset + g->sw - 1) / g->sw : 0;
    if (end > g->ow) end = g->ow;
    if (g->sw == 1) {
        for (int x = begin; x < end; x++) dst[x] += wgt * src[x + offset];
    } else {
        for (int x = begin; x < end; x++) dst[x] += wgt * src[(int64_t)x * g->sw + offset];
    }
}

static void add_plane(double *dst, const double *src, const double *wgt, const cvk_geom *g)
{
    for (int ky = 0; ky < g->kh; ky++) {
        for (int oy = 0; oy < g->oh; oy++) {
            int iy = oy * g->sh - g->pt + ky * g->dh;
            if (iy < 0 || iy >= g->ih) continue;
            for (int kx = 0; kx < g->kw; kx++)
                add_row(dst + (int64_t)oy * g->ow, src + (int64_t)iy * g->iw, wgt[ky * g->kw + kx],
                        g, kx * g->dw - g->pl);
        }
    }
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_out;
    return cvk_conv_reference(params, in, n_in, out, add_plane, false);
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
};
