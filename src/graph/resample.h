/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the samples of a Resize come from: the source coordinate of an output index, and the
 * nearest element. The one place for these formulas: the reference and the kernels' tables are
 * built from it.
 */
#ifndef CVK_GRAPH_RESAMPLE_H
#define CVK_GRAPH_RESAMPLE_H

#include <math.h>

#include "graph/params.h"

/* Output elements per input element along dimension d. A scale that is out / in as nearly as
 * float32 can say it means exactly that, so that coordinates which should be whole numbers are. */
static inline double cvk_resample_scale(const cvk_resize_params *params, int d, int64_t in,
                                        int64_t out)
{
    double ratio = (double)out / (double)in;
    return (float)ratio == params->scales[d] ? ratio : (double)params->scales[d];
}

/* The coordinate in the input (which may lie outside) of output index x along dimension d. Source:
 * ONNX operators, Resize, coordinate_transformation_mode; "length_resized" is scale times length
 * there, without rounding. */
static inline double cvk_resample_source(const cvk_resize_params *params, int d, int64_t in,
                                         int64_t out, int64_t x)
{
    double scale = cvk_resample_scale(params, d, in, out), length = scale * (double)in;
    double begin = (double)params->roi_begin[d], end = (double)params->roi_end[d];
    switch (params->coord) {
    case CVK_COORD_CROP:
        if (length <= 1) return 0.5 * (begin + end) * (double)(in - 1);
        return (begin + (double)x * (end - begin) / (length - 1)) * (double)(in - 1);
    case CVK_COORD_ALIGN_CORNERS:
        return length == 1 ? 0 : (double)x * (double)(in - 1) / (length - 1);
    case CVK_COORD_ASYMMETRIC: /* Upsample and Resize of opset 10 round up where they shrink */
        if (params->upsample && params->mode == CVK_RESIZE_NEAREST && scale < 1)
            return ceil((double)x / scale);
        return (double)x / scale;
    case CVK_COORD_TF_HALF_PIXEL: return ((double)x + 0.5) / scale;
    case CVK_COORD_HALF_PIXEL_SYMMETRIC:
        return 0.5 * (double)in * (1 - (double)out / length) + ((double)x + 0.5) / scale - 0.5;
    case CVK_COORD_PYTORCH_HALF_PIXEL: return out > 1 ? ((double)x + 0.5) / scale - 0.5 : 0;
    default: return ((double)x + 0.5) / scale - 0.5;
    }
}

/* Whether coordinate `at` of a region of interest is outside the input, where the output is
 * params->extrapolation. What misses the border by rounding only is on it. */
static inline bool cvk_resample_outside(const cvk_resize_params *params, double at, int64_t in)
{
    double slack = 1e-9 * (double)in;
    return params->coord == CVK_COORD_CROP && !(at >= -slack && at <= (double)(in - 1) + slack);
}

/* Whether dimension d stays as it is. */
static inline bool cvk_resample_keeps(const cvk_resize_params *params, int d, int64_t in,
                                      int64_t out)
{
    bool whole =
        params->coord != CVK_COORD_CROP || (params->roi_begin[d] == 0 && params->roi_end[d] == 1);
    return whole && in == out && cvk_resample_scale(params, d, in, out) == 1;
}

/* The element nearest to coordinate `at`, by params->round, in [0, in). */
static inline int64_t cvk_resample_nearest(const cvk_resize_params *params, double at, int64_t in)
{
    double near = 0;
    switch (params->round) {
    case CVK_ROUND_PREFER_FLOOR: near = ceil(at - 0.5); break;
    case CVK_ROUND_PREFER_CEIL: near = floor(at + 0.5); break;
    case CVK_ROUND_FLOOR: near = floor(at); break;
    case CVK_ROUND_CEIL: near = ceil(at); break;
    }
    return near <= 0 ? 0 : near >= (double)(in - 1) ? in - 1 : (int64_t)near;
}

/* The two elements between which `at` lies, clamped to [0, in), and the weight of the second. */
static inline void cvk_resample_linear(double at, int64_t in, int64_t *low, int64_t *high,
                                       double *weight)
{
    double clamped = at <= 0 ? 0 : at >= (double)(in - 1) ? (double)(in - 1) : at;
    *low = (int64_t)clamped;
    *high = *low + 1 < in ? *low + 1 : *low;
    *weight = clamped - (double)*low;
}

/* What one output element is made of along a dimension, at most cvk_resample_most elements: fills
 * `at` (in [0, in), but the first is -1 where the output is params->extrapolation) and `weight`,
 * returns how many. */
int64_t cvk_resample_most(const cvk_resize_params *params, int d, int64_t in, int64_t out);
int64_t cvk_resample_taps(const cvk_resize_params *params, int d, int64_t in, int64_t out,
                          int64_t x, int64_t *at, double *weight);

#endif
