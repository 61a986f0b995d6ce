/* SPDX-License-Identifier: Apache-2.0
 *
 * GridSample's coordinates, padding and weights.
 */
#include "graph/grid.h"

#include <math.h>

/* What one dimension gives: up to four positions, -1 for one that counts as 0. */
typedef struct line {
    int count;
    int64_t at[4];
    double weight[4];
} line;

/* Mirrored at both ends as often as it takes. */
static double reflect(double x, double low, double high)
{
    double range = high - low, over = x < low ? low - x : x - high;
    if (x >= low && x <= high) return x;
    if (!(range > 0)) return low;
    double turns = floor(over / range), rest = over - turns * range;
    bool back = fmod(turns, 2) != 0;
    return (x < low) != back ? low + rest : high - rest;
}

/* Position x (a whole number) as padding has it; -1: zero. */
static int64_t padded(const cvk_grid_params *p, double x, int64_t dim)
{
    double last = (double)(dim - 1);
    if (x >= 0 && x <= last) return (int64_t)x;
    if (p->padding == CVK_GRID_ZEROS || isnan(x)) return -1;
    if (p->padding == CVK_GRID_REFLECTION)
        x = p->align_corners ? reflect(x, 0, last) : reflect(x, -0.5, last + 0.5);
    return x < 0 ? 0 : x > last ? dim - 1 : (int64_t)x;
}

/* Keys' weights with a = -3/4 of the elements around a point `x` behind the second. */
static double cubic_weight(double x, int i)
{
    const double a = -0.75, t = fabs(x + 1 - i);
    return t <= 1 ? ((a + 2) * t - (a + 3)) * t * t + 1 : ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
}

static double coordinate(const cvk_grid_params *p, double place, int64_t dim)
{
    double last = (double)(dim - 1), low = p->align_corners ? 0 : -0.5;
    double x = p->align_corners ? (place + 1) / 2 * last : ((place + 1) * (double)dim - 1) / 2;
    if (p->mode == CVK_RESIZE_NEAREST) x = nearbyint(x);
    if (p->padding == CVK_GRID_BORDER) return x < 0 ? 0 : x > last ? last : x;
    return p->padding == CVK_GRID_REFLECTION ? reflect(x, low, last - low) : x;
}

static line line_of(const cvk_grid_params *p, double place, int64_t dim)
{
    double x = coordinate(p, place, dim), base = floor(x), rest = x - base;
    line l = {.count = 1, .at = {-1}, .weight = {1}};
    if (!(fabs(x) < 0x1p52)) return l;
    if (p->mode == CVK_RESIZE_NEAREST) {
        l.at[0] = padded(p, nearbyint(x), dim);
        return l;
    }
    bool cubic = p->mode == CVK_RESIZE_CUBIC;
    l.count = cubic ? 4 : 2;
    for (int i = 0; i < l.count; i++) {
        l.at[i] = padded(p, base + i - cubic, dim);
        l.weight[i] = cubic ? cubic_weight(rest, i) : i ? rest : 1 - rest;
    }
    return l;
}

void cvk_grid_taps_of(const cvk_grid_params *params, int spatial, const int64_t *dims,
                      const double *place, cvk_grid_taps *taps)
{
    *taps = (cvk_grid_taps){.count = 1, .weight = {1}};
    for (int d = 0; d < spatial; d++) {
        const line l = line_of(params, place[spatial - 1 - d], dims[d]);
        cvk_grid_taps next = {0};
        for (int t = 0; t < taps->count; t++) {
            for (int i = 0; i < l.count; i++) {
                double weight = taps->weight[t] * l.weight[i];
                if (l.at[i] < 0 || weight == 0) continue;
                next.at[next.count] = taps->at[t] * dims[d] + l.at[i];
                next.weight[next.count++] = weight;
            }
        }
        *taps = next;
    }
}
