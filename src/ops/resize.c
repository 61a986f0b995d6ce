/* SPDX-License-Identifier: Apache-2.0
 *
 * Resize: nearest, linear or cubic resampling along any dimensions, each on its own. Inputs X,
 * scales (opset 10) or X, roi, scales, sizes (since 11). Coordinates: graph/resample.h.
 */
#include "ops/resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/resample.h"

enum { MAX_TAPS = 4 };

/* What one output element is made of along one dimension. */
typedef struct taps {
    int count;
    int64_t at[MAX_TAPS];
    double weight[MAX_TAPS];
} taps;

/* ---- attributes ---- */

/* The index of the attribute's text in names; the first if it is absent. */
static cvk_status parse_choice(const cvk_attrs *attrs, const char *attr, const char *const *names,
                               int n, int *choice)
{
    const char *text;
    CVK_TRY(cvk_attrs_string(attrs, attr, names[0], &text));
    for (int i = 0; i < n; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        *choice = i;
        return CVK_OK;
    }
    return cvk_fail(CVK_UNSUPPORTED, "%s '%s' of Resize is not supported", attr, text);
}

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    static const char *const modes[] = {"nearest", "linear", "cubic"};
    static const char *const rounds[] = {"round_prefer_floor", "round_prefer_ceil", "floor",
                                         "ceil"};
    static const struct {
        const char *name;
        cvk_resize_coord coord;
    } coords[] = {{"half_pixel", CVK_COORD_HALF_PIXEL},
                  {"pytorch_half_pixel", CVK_COORD_PYTORCH_HALF_PIXEL},
                  {"align_corners", CVK_COORD_ALIGN_CORNERS},
                  {"asymmetric", CVK_COORD_ASYMMETRIC},
                  {"tf_crop_and_resize", CVK_COORD_CROP},
                  {"tf_half_pixel_for_nn", CVK_COORD_TF_HALF_PIXEL}};
    enum { COORDS = sizeof coords / sizeof *coords };
    const char *coord_names[COORDS];
    cvk_resize_params *p = params;
    int mode = 0, round = 0, coord = 0;
    int64_t exclude;
    CVK_TRY(parse_choice(attrs, "mode", modes, 3, &mode));
    p->mode = (cvk_resize_mode)mode;
    if (attrs->opset < 11) { /* as Upsample: it had no other attribute then */
        p->upsample = true;
        p->coord = CVK_COORD_ASYMMETRIC;
        p->round = CVK_ROUND_FLOOR;
        return CVK_OK;
    }
    for (int i = 0; i < COORDS; i++) coord_names[i] = coords[i].name;
    CVK_TRY(parse_choice(attrs, "coordinate_transformation_mode", coord_names, COORDS, &coord));
    CVK_TRY(parse_choice(attrs, "nearest_mode", rounds, 4, &round));
    CVK_TRY(cvk_attrs_int(attrs, "exclude_outside", 0, &exclude));
    CVK_TRY(cvk_attrs_float(attrs, "extrapolation_value", 0, &p->extrapolation));
    p->coord = coords[coord].coord;
    p->round = (cvk_resize_round)round;
    p->exclude_outside = exclude != 0;
    return cvk_attrs_float(attrs, "cubic_coeff_a", -0.75f, &p->cubic_a);
}

/* ---- shapes ---- */

/* Input i holds something: an empty list counts as absent. */
static const cvk_view *given(const cvk_view *in, int n_in, int i)
{
    const cvk_view *view = cvk_input(in, n_in, i);
    return view && cvk_shape_count(&view->shape) != 0 ? view : NULL;
}

static cvk_status check_rank(const char *what, int64_t count, int rank)
{
    if (count == rank) return CVK_OK;
    return cvk_fail(CVK_SHAPE, "%s has %lld entries for a tensor of rank %d", what,
                    (long long)count, rank);
}

/* floor(dim * scale), where a product that misses a whole number by rounding only is that number.
 */
static cvk_status scaled(int64_t dim, float scale, int d, int64_t *length)
{
    if (!(scale > 0) || !isfinite(scale))
        return cvk_fail(CVK_BAD_MODEL, "scale %d is %g", d, (double)scale);
    double product = (double)dim * (double)scale, whole = nearbyint(product);
    if (product > 0x1p53) return cvk_fail(CVK_SHAPE, "dimension %d becomes too large", d);
    *length =
        dim < 0 ? -1 : (int64_t)(fabs(product - whole) <= 1e-6 * product ? whole : floor(product));
    return CVK_OK;
}

static cvk_status by_scales(const cvk_resize_params *p, const cvk_shape *in, cvk_shape *out)
{
    CVK_TRY(check_rank("scales", p->n, in->rank));
    for (int d = 0; d < in->rank; d++) CVK_TRY(scaled(in->dims[d], p->scales[d], d, &out->dims[d]));
    return CVK_OK;
}

static cvk_status by_sizes(cvk_resize_params *p, const cvk_view *sizes, const cvk_shape *in,
                           cvk_shape *out)
{
    int count;
    CVK_TRY(cvk_const_ints(sizes, "sizes", CVK_MAX_RANK, out->dims, &count));
    CVK_TRY(check_rank("sizes", count, in->rank));
    p->n = count;
    for (int d = 0; d < count; d++) {
        if (out->dims[d] < 0 || (out->dims[d] == 0) != (in->dims[d] == 0))
            return cvk_fail(CVK_SHAPE, "dimension %d of %lld cannot be resized to %lld", d,
                            (long long)in->dims[d], (long long)out->dims[d]);
        p->scales[d] = in->dims[d] > 0 ? (float)((double)out->dims[d] / (double)in->dims[d]) : 1;
    }
    return CVK_OK;
}

/* The region of interest into params: all begins, then all ends. */
static cvk_status take_roi(cvk_resize_params *p, const cvk_view *roi, int rank)
{
    int64_t count = cvk_view_count(roi);
    if (count != 2 * rank)
        return cvk_fail(CVK_SHAPE,
                        "roi has %lld entries for a tensor of rank %d, two per dimension "
                        "are expected",
                        (long long)count, rank);
    for (int64_t i = 0; i < count; i++) {
        float value = (float)cvk_view_get(roi, i);
        if (!isfinite(value)) return cvk_fail(CVK_BAD_MODEL, "roi holds %g", (double)value);
        if (i < rank)
            p->roi_begin[i] = value;
        else
            p->roi_end[i - rank] = value;
    }
    return CVK_OK;
}

cvk_status cvk_infer_resize(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    cvk_resize_params *p = params;
    const cvk_view *scales = given(in, n_in, p->upsample ? 1 : 2),
                   *sizes = p->upsample ? NULL : given(in, n_in, 3),
                   *roi = p->coord == CVK_COORD_CROP ? given(in, n_in, 1) : NULL;
    cvk_shape shape = in->shape;
    for (int d = 0; d < shape.rank; d++) shape.dims[d] = -1;
    if (scales && cvk_ranked(scales) && scales->data && cvk_shaped(scales)) {
        int64_t count = cvk_view_count(scales);
        if (count > CVK_MAX_RANK)
            return cvk_fail(CVK_SHAPE, "scales has %lld entries", (long long)count);
        p->n = (int)count;
        for (int d = 0; d < p->n; d++) p->scales[d] = (float)cvk_view_get(scales, d);
    }
    if (!scales && !sizes && p->n == 0)
        return cvk_fail(CVK_BAD_MODEL, "there are neither scales nor sizes");
    if (p->coord == CVK_COORD_CROP && !roi && n_in > 1)
        return cvk_fail(CVK_BAD_MODEL, "there is no roi, which tf_crop_and_resize wants");
    /* roi says nothing of the shape, but must be constant for the same reason: it goes into params
     */
    bool waits = (scales && !scales->data) || (!scales && sizes && !sizes->data) ||
                 (roi && !(roi->data && cvk_shaped(roi)));
    if (cvk_ranked(in) && !waits) {
        if (roi) CVK_TRY(take_roi(p, roi, in->shape.rank));
        if (sizes && !scales)
            CVK_TRY(by_sizes(p, sizes, &in->shape, &shape));
        else
            CVK_TRY(by_scales(p, &in->shape, &shape));
    }
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

/* ---- values ---- */

/* Weights of the four elements around a point that lies `x` in [0, 1) behind the second of them.
 * Source: Keys 1981, cubic convolution; ONNX operators, Resize. */
static void cubic_weights(double x, double a, double *weight)
{
    for (int i = 0; i < 4; i++) {
        double t = fabs(x + 1 - i);
        weight[i] = t <= 1 ? ((a + 2) * t - (a + 3)) * t * t + 1
                           : ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
    }
}

static void cubic_taps(const cvk_resize_params *p, double at, int64_t in, taps *t)
{
    double base = floor(at), sum = 0;
    t->count = 4;
    cubic_weights(at - base, (double)p->cubic_a, t->weight);
    for (int i = 0; i < 4; i++) {
        int64_t from = (int64_t)base - 1 + i;
        bool outside = from < 0 || from >= in;
        t->at[i] = from < 0 ? 0 : from >= in ? in - 1 : from;
        if (outside && p->exclude_outside) t->weight[i] = 0;
        sum += t->weight[i];
    }
    for (int i = 0; i < 4 && p->exclude_outside && sum != 0; i++) t->weight[i] /= sum;
}

static taps make_taps(const cvk_resize_params *p, int d, int64_t in, int64_t out, int64_t x)
{
    taps t = {.count = 1, .at = {0}, .weight = {1}};
    double at = cvk_resample_source(p, d, in, out, x);
    if (cvk_resample_outside(p, at, in)) return t; /* overwritten at the end */
    if (p->mode == CVK_RESIZE_NEAREST) {
        t.at[0] = cvk_resample_nearest(p, at, in);
    } else if (p->mode == CVK_RESIZE_LINEAR) {
        t.count = 2;
        cvk_resample_linear(at, in, &t.at[0], &t.at[1], &t.weight[1]);
        t.weight[0] = 1 - t.weight[1];
    } else {
        cubic_taps(p, at, in, &t);
    }
    return t;
}

/* dst, in doubles, from src with dimension d resampled to `length`. */
static void resample(const cvk_resize_params *p, const cvk_shape *shape, int d, int64_t length,
                     const double *src, double *dst)
{
    int64_t outer = cvk_shape_span(shape, 0, d), inner = cvk_shape_span(shape, d + 1, shape->rank),
            dim = shape->dims[d];
    for (int64_t x = 0; x < length; x++) {
        taps t = make_taps(p, d, dim, length, x);
        for (int64_t o = 0; o < outer; o++) {
            for (int64_t i = 0; i < inner; i++) {
                double sum = 0;
                for (int k = 0; k < t.count; k++) /* a weight of 0 brings in no NaN or infinity */
                    if (t.weight[k] != 0) sum += t.weight[k] * src[(o * dim + t.at[k]) * inner + i];
                dst[(o * length + x) * inner + i] = sum;
            }
        }
    }
}

/* Outputs whose coordinate lies outside the input along any dimension. */
static void extrapolate(const cvk_resize_params *p, const cvk_shape *in, cvk_view *out)
{
    for (int d = 0; d < in->rank; d++) {
        int64_t length = out->shape.dims[d], outer = cvk_shape_span(&out->shape, 0, d),
                inner = cvk_shape_span(&out->shape, d + 1, in->rank);
        for (int64_t x = 0; x < length; x++) {
            double at = cvk_resample_source(p, d, in->dims[d], length, x);
            if (!cvk_resample_outside(p, at, in->dims[d])) continue;
            for (int64_t o = 0; o < outer; o++)
                for (int64_t i = 0; i < inner; i++)
                    cvk_view_set(out, (o * length + x) * inner + i, (double)p->extrapolation);
        }
    }
}

/* *now, of *shape, with dimension d resampled to `length`: a new block in its place. */
static cvk_status along(const cvk_resize_params *p, cvk_shape *shape, int d, int64_t length,
                        double **now)
{
    cvk_shape next_shape = *shape;
    cvk_view next;
    next_shape.dims[d] = length;
    CVK_TRY(cvk_view_temp(&next_shape, &next));
    resample(p, shape, d, length, *now, next.data);
    free(*now);
    *now = next.data;
    *shape = next_shape;
    return CVK_OK;
}

cvk_status cvk_reference_resize(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                                int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_resize_params *p = params;
    cvk_shape shape = in->shape;
    int64_t count = cvk_view_count(out);
    double *now = cvk_view_doubles(in);
    if (!now) return CVK_NO_MEMORY;
    cvk_status status = CVK_OK;
    for (int grow = 0; grow < 2;
         grow++) { /* shrink first: nothing between is larger than both ends */
        for (int d = 0; count && !status && d < shape.rank; d++) {
            int64_t from = in->shape.dims[d], to = out->shape.dims[d];
            if ((to > from) == grow && !cvk_resample_keeps(p, d, from, to))
                status = along(p, &shape, d, to, &now);
        }
    }
    for (int64_t i = 0; !status && i < count; i++) cvk_view_set(out, i, now[i]);
    if (!status && p->coord == CVK_COORD_CROP) extrapolate(p, &in->shape, out);
    free(now);
    return status;
}

const cvk_op cvk_op_Resize = {
    .name = "Resize",
    .min_in = 1,
    .max_in = 4,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_resize_params),
    .form = {.kind = CVK_FORM_RESIZE},
    .parse = parse,
    .infer = cvk_infer_resize,
    .reference = cvk_reference_resize,
    .settings = CVK_ALL_BUT_FIRST,
    .needs_elements = true,
};
