/* SPDX-License-Identifier: Apache-2.0
 *
 * GridSample in plain layout: each output pixel from where the grid says (graph/grid.h has the
 * formulas).
 *
 *   src [n][c][d][h][w], grid [n][points][2 or 3]   ->   dst [n][c][points]
 *
 * A unit is one point: the positions along each dimension are found once and used for every channel.
 * An item does `span` units. Two dimensions: d = 1, and one position in it.
 */

enum { NEAREST, LINEAR, CUBIC };      /* cvk_resize_mode */
enum { ZEROS, BORDER, REFLECTION };   /* cvk_grid_padding */

typedef struct {
    int span, n, c, points, spatial;
    int dims[3]; /* D, H, W */
    int mode, padding, align;
} grid_args;

static float reflect(float x, float low, float high)
{
    float range = high - low, over = x < low ? low - x : x - high;
    if (x >= low && x <= high) return x;
    if (!(range > 0.0f)) return low;
    float turns = floor(over / range), rest = over - turns * range;
    int back = fmod(turns, 2.0f) != 0.0f;
    return (x < low) != back ? low + rest : high - rest;
}

/* A whole number as padding has it; -1: zero. */
static int padded(const grid_args *args, float x, int dim)
{
    float last = (float)(dim - 1);
    if (x >= 0.0f && x <= last) return (int)x;
    if (args->padding == ZEROS || isnan(x)) return -1;
    if (args->padding == REFLECTION)
        x = args->align ? reflect(x, 0.0f, last) : reflect(x, -0.5f, last + 0.5f);
    return x < 0.0f ? 0 : x > last ? dim - 1 : (int)x;
}

static float cubic_weight(float x, int i)
{
    const float a = -0.75f, t = fabs(x + 1.0f - i);
    return t <= 1.0f ? ((a + 2.0f) * t - (a + 3.0f)) * t * t + 1.0f
                     : ((a * t - 5.0f * a) * t + 8.0f * a) * t - 4.0f * a;
}

static float coordinate(const grid_args *args, float place, int dim)
{
    float last = (float)(dim - 1), low = args->align ? 0.0f : -0.5f;
    float x = args->align ? (place + 1.0f) / 2.0f * last
                          : ((place + 1.0f) * (float)dim - 1.0f) / 2.0f;
    if (args->mode == NEAREST) x = rint(x);
    if (args->padding == BORDER) return x < 0.0f ? 0.0f : x > last ? last : x;
    return args->padding == REFLECTION ? reflect(x, low, last - low) : x;
}

/* Up to four positions along a dimension (-1: zero) and their weights; returns how many. */
static int line_of(const grid_args *args, float place, int dim, int at[4], float weight[4])
{
    float x = coordinate(args, place, dim), base = floor(x), rest = x - base;
    int cubic = args->mode == CUBIC, count = cubic ? 4 : 2;
    at[0] = -1;
    weight[0] = 1.0f;
    if (!(fabs(x) < 8388608.0f)) return 1;
    if (args->mode == NEAREST) {
        at[0] = padded(args, rint(x), dim);
        return 1;
    }
    for (int i = 0; i < count; i++) {
        at[i] = padded(args, base + (float)(i - cubic), dim);
        weight[i] = cubic ? cubic_weight(rest, i) : i ? rest : 1.0f - rest;
        if (weight[i] == 0.0f) at[i] = -1;
    }
    return count;
}

__kernel void grid_sample(const __global float *src, const __global float *grid,
                          __global float *dst, const grid_args args)
{
    int begin = (int)get_global_id(0) * args.span,
        end = min(begin + args.span, args.n * args.points);
    int plane = args.dims[1] * args.dims[2], volume = args.dims[0] * plane;
    for (int u = begin; u < end; u++) {
        int at[3][4], count[3] = {1, 1, 1}, image = u / args.points;
        float weight[3][4];
        at[0][0] = 0;
        weight[0][0] = 1.0f;
        for (int d = 3 - args.spatial; d < 3; d++) {
            /* compared: indices that are not constant trouble some drivers */
            const int dim = d == 2 ? args.dims[2] : d == 1 ? args.dims[1] : args.dims[0];
            count[d] = line_of(&args, grid[u * args.spatial + 2 - d], dim, at[d], weight[d]);
        }
        for (int c = 0; c < args.c; c++) {
            const __global float *from = src + (image * args.c + c) * volume;
            float sum = 0.0f;
            for (int z = 0; z < count[0]; z++) {
                for (int y = 0; y < count[1]; y++) {
                    for (int x = 0; x < count[2]; x++) {
                        if (at[0][z] < 0 || at[1][y] < 0 || at[2][x] < 0) continue;
                        sum += weight[0][z] * weight[1][y] * weight[2][x] *
                               from[at[0][z] * plane + at[1][y] * args.dims[2] + at[2][x]];
                    }
                }
            }
            dst[(image * args.c + c) * args.points + u - image * args.points] = sum;
        }
    }
}
