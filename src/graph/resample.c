/* SPDX-License-Identifier: Apache-2.0
 *
 * Resampling along one dimension: which elements make an output, and with what weights. Source:
 * ONNX operators, Resize; Keys 1981, cubic convolution.
 */
#include "graph/resample.h"

/* Input elements per output element that an antialiased filter spreads over: 1 where it grows. */
static double stretch_of(const cvk_resize_params *params, int d, int64_t in, int64_t out)
{
    double scale = cvk_resample_scale(params, d, in, out);
    return params->antialias && scale < 1 ? 1 / scale : 1;
}

/* On either side of the coordinate, before stretching. */
static double reach_of(const cvk_resize_params *params)
{
    return params->mode == CVK_RESIZE_CUBIC ? 2 : 1;
}

int64_t cvk_resample_most(const cvk_resize_params *params, int d, int64_t in, int64_t out)
{
    if (params->mode == CVK_RESIZE_NEAREST) return 1;
    double reach = ceil(reach_of(params) * stretch_of(params, d, in, out));
    return reach > 1e9 ? INT64_MAX : 2 * (int64_t)reach + 1;
}

/* The weight of an element at distance t, in stretched units. */
static double weight_of(const cvk_resize_params *params, double t)
{
    double a = (double)params->cubic_a;
    t = fabs(t);
    if (params->mode == CVK_RESIZE_LINEAR) return t < 1 ? 1 - t : 0;
    if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
    return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
}

int64_t cvk_resample_taps(const cvk_resize_params *params, int d, int64_t in, int64_t out,
                          int64_t x, int64_t *at, double *weight)
{
    double place = cvk_resample_source(params, d, in, out, x), sum = 0;
    at[0] = -1;
    weight[0] = 1;
    if (cvk_resample_outside(params, place, in)) return 1;
    if (params->mode == CVK_RESIZE_NEAREST) {
        at[0] = cvk_resample_nearest(params, place, in);
        return 1;
    }
    double stretch = stretch_of(params, d, in, out), reach = reach_of(params) * stretch;
    int64_t count = 0, most = cvk_resample_most(params, d, in, out);
    for (double from = floor(place - reach) + 1; from < place + reach && count < most; from++) {
        bool outside = from < 0 || from >= (double)in;
        double w = weight_of(params, (from - place) / stretch);
        if (outside && params->exclude_outside) w = 0;
        at[count] = from < 0 ? 0 : from >= (double)in ? in - 1 : (int64_t)from;
        weight[count++] = w;
        sum += w;
    }
    for (int64_t i = 0; i < count && sum != 0; i++) weight[i] /= sum;
    return count;
}
