/* SPDX-License-Identifier: Apache-2.0
 *
 * RoiAlign: each region of interest in oh x ow bins, each bin the mean or the maximum of bilinear
 * samples in it. Inputs X (N, C, H, W), rois (R, 4: x1 y1 x2 y2), batch indices (R).
 * Source: ONNX operators, RoiAlign, and its backend test: the maximum is over the weighted corners
 * of the samples.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "ops/common.h"

static cvk_status parse_names(const cvk_attrs *attrs, cvk_roi_params *p)
{
    const char *mode, *coord = "output_half_pixel";
    CVK_TRY(cvk_attrs_string(attrs, "mode", "avg", &mode));
    if (attrs->opset >= 16)
        CVK_TRY(cvk_attrs_string(attrs, "coordinate_transformation_mode", "half_pixel", &coord));
    p->max = strcmp(mode, "max") == 0;
    p->half_pixel = strcmp(coord, "half_pixel") == 0;
    if (!p->max && strcmp(mode, "avg") != 0)
        return cvk_fail(CVK_UNSUPPORTED, "mode '%.40s' of RoiAlign is not supported", mode);
    if (!p->half_pixel && strcmp(coord, "output_half_pixel") != 0)
        return cvk_fail(CVK_UNSUPPORTED,
                        "coordinate_transformation_mode '%.40s' of RoiAlign is not supported",
                        coord);
    return CVK_OK;
}

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_roi_params *p = params;
    CVK_TRY(parse_names(attrs, p));
    CVK_TRY(cvk_attrs_int(attrs, "output_height", 1, &p->oh));
    CVK_TRY(cvk_attrs_int(attrs, "output_width", 1, &p->ow));
    CVK_TRY(cvk_attrs_int(attrs, "sampling_ratio", 0, &p->sampling));
    CVK_TRY(cvk_attrs_float(attrs, "spatial_scale", 1, &p->scale));
    if (p->oh >= 1 && p->ow >= 1 && p->oh <= INT32_MAX && p->ow <= INT32_MAX && p->sampling >= 0 &&
        p->sampling <= CVK_ROI_MOST_SAMPLES)
        return CVK_OK;
    return cvk_fail(CVK_BAD_MODEL,
                    "output of %" PRId64 " x %" PRId64 " with a sampling_ratio of %" PRId64, p->oh,
                    p->ow, p->sampling);
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_roi_params *p = params;
    char text[CVK_SHAPE_TEXT];
    const cvk_shape *x = &in[0].shape, *rois = &in[1].shape;
    CVK_TRY(cvk_check_float(&in[0], "input"));
    CVK_TRY(cvk_check_same_type(in, 2));
    if (in[2].dtype != CVK_I64)
        return cvk_fail(CVK_BAD_MODEL, "batch indices have type %s, int64 is expected",
                        cvk_dtype_name(in[2].dtype));
    if (x->rank >= 0 && x->rank != 4)
        return cvk_fail(CVK_SHAPE, "input has shape %s, N x C x H x W is expected",
                        cvk_shape_text(x, text));
    if (rois->rank >= 0 && (rois->rank != 2 || !cvk_dims_agree(rois->dims[1], 4)))
        return cvk_fail(CVK_SHAPE, "rois have shape %s, R x 4 is expected",
                        cvk_shape_text(rois, text));
    int64_t count = rois->rank < 0 ? -1 : rois->dims[0];
    CVK_TRY(cvk_check_vector(&in[2], count, "batch indices"));
    int64_t dims[] = {count, x->rank < 0 ? -1 : x->dims[1], p->oh, p->ow};
    cvk_shape shape = cvk_shape_make(4, dims);
    cvk_set_out(&out[0], in[0].dtype, &shape);
    return CVK_OK;
}

/* One dimension of a region: its bins and their samples. */
typedef struct bins {
    double start, size;
    int64_t samples;
} bins;

static cvk_status make_bins(const cvk_roi_params *p, double low, double high, int64_t out, bins *b)
{
    double offset = p->half_pixel ? 0.5 : 0;
    double start = low * (double)p->scale - offset,
           length = high * (double)p->scale - offset - start;
    if (!p->half_pixel && length < 1) length = 1;
    double wanted = p->sampling ? (double)p->sampling : ceil(length / (double)out);
    if (!(wanted <= CVK_ROI_MOST_SAMPLES))
        return cvk_fail(CVK_SHAPE, "a region from %g to %g in %" PRId64 " bins is too large", low,
                        high, out);
    *b = (bins){start, length / (double)out, wanted > 0 ? (int64_t)wanted : 0};
    return CVK_OK;
}

/* The two elements between which a sample lies and the weight of the second; false: outside. */
static bool between(double at, int64_t length, int64_t pair[2], double *weight)
{
    if (!(at >= -1 && at <= (double)length)) return false;
    if (at < 0) at = 0;
    pair[0] = (int64_t)at < length - 1 ? (int64_t)at : length - 1;
    pair[1] = pair[0] < length - 1 ? pair[0] + 1 : pair[0];
    *weight = pair[0] < length - 1 ? at - (double)pair[0] : 0;
    return true;
}

static double sample_at(const bins *b, int64_t bin, int64_t sample)
{
    return b->start + (double)bin * b->size + ((double)sample + 0.5) * b->size / (double)b->samples;
}

/* Bin (y, x) of the plane that begins at element `first`. */
static double bin_of(const cvk_roi_params *p, const cvk_view *src, int64_t first, const bins b[2],
                     int64_t y, int64_t x)
{
    int64_t h = src->shape.dims[2], w = src->shape.dims[3], ys[2], xs[2];
    double sum = 0, best = -INFINITY, wy, wx;
    for (int64_t i = 0; i < b[0].samples; i++) {
        for (int64_t k = 0; k < b[1].samples; k++) {
            bool inside = between(sample_at(&b[0], y, i), h, ys, &wy) &&
                          between(sample_at(&b[1], x, k), w, xs, &wx);
            for (int t = 0; t < 4; t++) {
                double weight = inside ? (t / 2 ? wy : 1 - wy) * (t % 2 ? wx : 1 - wx) : 0;
                double part =
                    inside ? weight * cvk_view_get(src, first + ys[t / 2] * w + xs[t % 2]) : 0;
                sum += part;
                best = part > best ? part : best;
            }
        }
    }
    int64_t count = b[0].samples * b[1].samples;
    return !count ? 0 : p->max ? best : sum / (double)count;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_roi_params *p = params;
    int64_t n = in[0].shape.dims[0], c = in[0].shape.dims[1], at = 0;
    int64_t plane = in[0].shape.dims[2] * in[0].shape.dims[3];
    for (int64_t r = 0; r < in[1].shape.dims[0]; r++) {
        int64_t image = cvk_view_get_int(&in[2], r);
        double box[4];
        bins b[2];
        if (image < 0 || image >= n)
            return cvk_fail(CVK_SHAPE, "batch index %" PRId64 " is outside a batch of %" PRId64,
                            image, n);
        for (int i = 0; i < 4; i++) box[i] = cvk_view_get(&in[1], r * 4 + i);
        CVK_TRY(make_bins(p, box[1], box[3], p->oh, &b[0]));
        CVK_TRY(make_bins(p, box[0], box[2], p->ow, &b[1]));
        for (int64_t k = 0; k < c; k++)
            for (int64_t y = 0; y < p->oh; y++)
                for (int64_t x = 0; x < p->ow; x++)
                    cvk_view_set(&out[0], at++,
                                 bin_of(p, &in[0], (image * c + k) * plane, b, y, x));
    }
    return CVK_OK;
}

const cvk_op cvk_op_RoiAlign = {
    .name = "RoiAlign",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_roi_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .settings = CVK_ALL_BUT_FIRST,
    .needs_elements = true,
};
