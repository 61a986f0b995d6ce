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

/* What opset 18 added. */
static cvk_status parse_since_18(const cvk_attrs *attrs, cvk_resize_params *p)
{
    static const char *const policies[] = {"stretch", "not_larger", "not_smaller"};
    int64_t antialias;
    int aspect = 0;
    if (attrs->opset < 18) return CVK_OK;
    CVK_TRY(cvk_attrs_int(attrs, "antialias", 0, &antialias));
    CVK_TRY(parse_choice(attrs, "keep_aspect_ratio_policy", policies, 3, &aspect));
    CVK_TRY(cvk_attrs_ints(attrs, "axes", CVK_MAX_RANK, p->axes, &p->n_axes));
    if (p->n_axes < 0) p->n_axes = 0;
    p->antialias = antialias != 0;
    p->aspect = (cvk_resize_aspect)aspect;
    return CVK_OK;
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
                  {"tf_half_pixel_for_nn", CVK_COORD_TF_HALF_PIXEL},
                  {"half_pixel_symmetric", CVK_COORD_HALF_PIXEL_SYMMETRIC}};
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
    CVK_TRY(parse_since_18(attrs, p));
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

/* Entry i of an input is about dimension axis_of(i); there are `entries` of them. */
static int axis_of(const cvk_resize_params *p, int i)
{
    return p->n_axes ? (int)p->axes[i] : i;
}

static int entries_of(const cvk_resize_params *p, int rank)
{
    return p->n_axes ? p->n_axes : rank;
}

/* Axes in [0, rank), each once, in the order given. */
static cvk_status check_axes(cvk_resize_params *p, int rank)
{
    for (int i = 0; i < p->n_axes; i++) {
        CVK_TRY(cvk_check_axis(&p->axes[i], rank));
        for (int k = 0; k < i; k++)
            if (p->axes[k] == p->axes[i])
                return cvk_fail(CVK_BAD_MODEL, "axis %d comes twice", (int)p->axes[i]);
    }
    return CVK_OK;
}

/* The one scale for all axes that keeps the aspect: the smallest or the largest that sizes ask for.
 */
static double common_scale(const cvk_resize_params *p, const int64_t *sizes, int count,
                           const cvk_shape *in)
{
    double scale = 0;
    for (int i = 0; i < count; i++) {
        int64_t dim = in->dims[axis_of(p, i)];
        double own = dim > 0 ? (double)sizes[i] / (double)dim : 1;
        bool better = p->aspect == CVK_ASPECT_NOT_LARGER ? own < scale : own > scale;
        if (i == 0 || better) scale = own;
    }
    return scale;
}

static cvk_status by_sizes(cvk_resize_params *p, const cvk_view *sizes, const cvk_shape *in,
                           cvk_shape *out)
{
    int count;
    int64_t wanted[CVK_MAX_RANK];
    CVK_TRY(cvk_const_ints(sizes, "sizes", CVK_MAX_RANK, wanted, &count));
    CVK_TRY(check_rank("sizes", count, entries_of(p, in->rank)));
    p->n = in->rank;
    for (int d = 0; d < in->rank; d++) {
        out->dims[d] = in->dims[d];
        p->scales[d] = 1;
    }
    double common = common_scale(p, wanted, count, in);
    for (int i = 0; i < count; i++) {
        int d = axis_of(p, i);
        int64_t dim = in->dims[d];
        double whole = floor(common * (double)dim + 0.5);
        out->dims[d] = p->aspect == CVK_ASPECT_STRETCH ? wanted[i]
                       : whole < 0x1p53                ? (int64_t)whole
                                                       : -1;
        if (out->dims[d] < 0 || (out->dims[d] == 0) != (dim == 0))
            return cvk_fail(CVK_SHAPE, "dimension %d of %lld cannot be resized to %lld", d,
                            (long long)dim, (long long)out->dims[d]);
        double own = dim > 0 ? (double)out->dims[d] / (double)dim : 1;
        p->scales[d] = (float)(p->aspect == CVK_ASPECT_STRETCH ? own : common);
    }
    return CVK_OK;
}

/* The scales of the axes into those of all dimensions. */
static cvk_status take_scales(cvk_resize_params *p, const cvk_view *scales, int rank)
{
    int64_t count = cvk_view_count(scales);
    if (p->n_axes) CVK_TRY(check_rank("scales", count, p->n_axes));
    if (count > CVK_MAX_RANK)
        return cvk_fail(CVK_SHAPE, "scales has %lld entries", (long long)count);
    p->n = p->n_axes ? rank : (int)count;
    for (int d = 0; d < p->n; d++) p->scales[d] = 1;
    for (int i = 0; i < count; i++) p->scales[axis_of(p, i)] = (float)cvk_view_get(scales, i);
    return CVK_OK;
}

/* The region of interest into params: all begins, then all ends. */
static cvk_status take_roi(cvk_resize_params *p, const cvk_view *roi, int rank)
{
    int64_t count = cvk_view_count(roi);
    int entries = entries_of(p, rank);
    if (count != 2 * entries)
        return cvk_fail(CVK_SHAPE,
                        "roi has %lld entries for a tensor of rank %d, two per dimension "
                        "are expected",
                        (long long)count, entries);
    for (int d = 0; d < rank; d++) {
        p->roi_begin[d] = 0;
        p->roi_end[d] = 1;
    }
    for (int64_t i = 0; i < count; i++) {
        float value = (float)cvk_view_get(roi, i);
        if (!isfinite(value)) return cvk_fail(CVK_BAD_MODEL, "roi holds %g", (double)value);
        if (i < entries)
            p->roi_begin[axis_of(p, (int)i)] = value;
        else
            p->roi_end[axis_of(p, (int)i - entries)] = value;
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
    if (cvk_ranked(in)) CVK_TRY(check_axes(p, in->shape.rank));
    bool placed = cvk_ranked(in) || !p->n_axes; /* which dimensions the axes are is known */
    if (placed && scales && cvk_ranked(scales) && scales->data && cvk_shaped(scales))
        CVK_TRY(take_scales(p, scales, in->shape.rank));
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

/* dst, in doubles, from src with dimension d resampled to `length`. */
static cvk_status resample(const cvk_resize_params *p, const cvk_shape *shape, int d,
                           int64_t length, const double *src, double *dst)
{
    int64_t outer = cvk_shape_span(shape, 0, d), inner = cvk_shape_span(shape, d + 1, shape->rank),
            dim = shape->dims[d], most = cvk_resample_most(p, d, dim, length);
    int64_t *at = most <= INT32_MAX ? malloc((size_t)most * (sizeof *at + sizeof(double))) : NULL;
    if (!at) return cvk_fail(CVK_NO_MEMORY, "out of memory: a filter of %lld", (long long)most);
    double *weight = (double *)(at + most);
    for (int64_t x = 0; x < length; x++) {
        int64_t count = cvk_resample_taps(p, d, dim, length, x, at, weight);
        for (int64_t o = 0; o < outer; o++) {
            for (int64_t i = 0; i < inner; i++) {
                double sum = 0; /* a weight of 0 brings in no NaN or infinity */
                for (int64_t k = 0; k < count && at[0] >= 0; k++)
                    if (weight[k] != 0) sum += weight[k] * src[(o * dim + at[k]) * inner + i];
                dst[(o * length + x) * inner + i] = sum;
            }
        }
    }
    free(at);
    return CVK_OK;
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
    cvk_status status = resample(p, shape, d, length, *now, next.data);
    free(*now);
    *now = next.data;
    *shape = next_shape;
    return status;
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
