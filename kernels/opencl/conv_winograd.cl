/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution by Winograd's minimal filtering (graph/winograd.h), blocked to blocked, and what
 * fuses with it: bias, posts, a 2 x 2 pool. A tile of EDGE results along each of two axes, or
 * (LINE) along one, takes SIDE numbers and as many products a channel, instead of the filter's taps
 * for each result.
 *
 *      src, EDGE = 4: tiles lie 4 apart, read 6    source tile d    ->  V = B' d B
 *      |. o o o o o o . . . . .|                   for each point:  M[tiles][oc] = V[tiles][ic] U
 *      |. . . . . x x x x x x .|                   M of a tile      ->  A' M A, the results
 *
 * A work-item takes a share of the tiles, or of the groups of output blocks, and works alone:
 *
 *   for a batch of tiles
 *     source transform of all input blocks            V [point][input block][tile]
 *     for a group of OCB output blocks
 *       for a point, PX tiles at a time in registers  M [point][output block of the group][tile]
 *       result transform, bias, posts, pool           dst
 *
 * V and M are the item's own part of scratch; a batch is as large as caches hold it. Sharing V
 * would take a barrier, and a CPU has few items. Everything is counted in float16, one pixel of a
 * block. The last PX tiles of a batch begin earlier rather than fill PX (a batch has no fewer), and
 * so does the last batch: some tiles are then computed twice, alike.
 *
 *   wgt   U [group][point][channel][b], the channels filled up to whole blocks
 *   part  [SIDE zeros, pixels beyond the image][V][M]
 *
 *   EDGE, SIDE  results of a tile along an axis, and numbers that they take
 *   STRIDE      of the convolution; with 2, SIDE is 9: the points 0, 1, -1, LONE and infinity of the
 *               even numbers, then the odd ones
 *   LINE        1: tiles of one row or column; 0: squares
 *   POINT_LIST  with stride 1, the points beside 0 and infinity without their twins below 0:
 *               SIDE / 2 - 1 of them
 *   ALL_LIST    coefficients below z^n of the product of z - point^2, ascending
 *   OTHER_LIST  the same without that of the point itself, for each point
 *   PX, OCB     the register tile: picture tiles, and output blocks of a group; at most 16 sums
 *   HALF        1: src, residual and dst are float16
 */
#ifndef PX
#define PX 4
#endif
#ifndef OCB
#define OCB 4
#endif
#ifndef EDGE
#define EDGE 4
#endif
#ifndef SIDE
#define SIDE 6
#endif
#ifndef STRIDE
#define STRIDE 1
#endif
#ifndef LINE
#define LINE 0
#endif
#ifndef LONE
#define LONE 0.5f
#endif
#ifndef POINT_LIST
#define POINT_LIST 0.625f, 1.5f
#define ALL_LIST 0.87890625f, -2.640625f
#define OTHER_LIST -2.25f, -0.390625f
#endif

#define PAIRS (SIDE / 2 - 1)
#define POINTS (LINE ? SIDE : SIDE * SIDE)
#define RESULTS (LINE ? EDGE : EDGE * EDGE)

__constant float points[] = {POINT_LIST}, all_points[] = {ALL_LIST}, other_points[] = {OTHER_LIST};

/* cvk_cl_winograd of conv_winograd.c. */
typedef struct {
    int blocks, last_lanes, ih, iw; /* of the input; lanes of its last block */
    int oc, oc_blocks, oh, ow;      /* of the convolution, before a pool */
    int pt, pl;
    int ym, xm;                 /* rows and columns of a tile's results */
    int src_step, dst_step;     /* with LINE: pixels from one of a tile to the next */
    int across, down, count;    /* tiles of a row, of a column, of the whole batch of images */
    int groups;                 /* of output blocks */
    int tile_parts, oc_parts;   /* how many items share the tiles, and the groups */
    int batch;                  /* tiles at a time */
    int v_point, m_point, part; /* from point to point, from item to item of scratch */
    int has_bias;
    int pool_average, pool_oh, pool_ow;
    posts_args posts;
} wino_args;

/* --- source --- */

/* x[n] + sum c[i] x[i], where neighbours of x lie two apart. */
INLINE float16 polynomial(const float16 *x, __constant float *c, const int n)
{
    float16 sum = x[2 * n];
#pragma unroll
    for (int i = 0; i < n; i++) sum = mad16((float16)(c[i]), x[2 * i], sum);
    return sum;
}

/* B' x with stride 2. */
INLINE void source_strided(const float16 *x, float16 *y)
{
    const float16 minus = (float16)(-LONE), cubic = x[6] - x[2];
    const float16 even = mad16(minus, x[4], x[6]), odd = mad16(minus, x[2], x[4]);
    y[0] = mad16(minus, x[4] - x[0], cubic);
    y[1] = even + odd;
    y[2] = even - odd;
    y[3] = cubic;
    y[4] = mad16(minus, cubic, x[8] - x[4]);
#pragma unroll
    for (int i = 0; i < 4; i++) y[5 + i] = x[2 * i + 1];
}

/* B' x. A row of B' is the product of x - point over all the other points: of 0 it is the product
 * of x^2 - p^2 over all pairs, of +-p it is x (x +- p) times that over the other pairs, of infinity
 * x times that over all. */
INLINE void source_line(const float16 x[SIDE], float16 y[SIDE])
{
    if (STRIDE == 2) {
        source_strided(x, y);
        return;
    }
    y[0] = polynomial(x, all_points, PAIRS);
#pragma unroll
    for (int i = 0; i < PAIRS; i++) {
        __constant float *others = other_points + i * (PAIRS - 1);
        const float16 even = polynomial(x + 2, others, PAIRS - 1);
        const float16 odd = points[i] * polynomial(x + 1, others, PAIRS - 1);
        y[2 * i + 1] = even + odd;
        y[2 * i + 2] = even - odd;
    }
    y[SIDE - 1] = polynomial(x + 1, all_points, PAIRS);
}

/* Where a tile lies: its image, its row and column among the tiles. */
typedef struct {
    int image, y, x;
} spot_t;

OUTLINE spot_t spot_of(const wino_args *a, int tile)
{
    const int row = tile / a->across;
    spot_t spot = {row / a->down, row % a->down, tile % a->across};
    return spot;
}

INLINE void next_spot(spot_t *spot, const wino_args *a)
{
    if (++spot->x < a->across) return;
    spot->x = 0;
    if (++spot->y < a->down) return;
    spot->y = 0;
    spot->image++;
}

/* A tile's first row and column of results. */
INLINE int tile_y(const wino_args *a, spot_t spot)
{
    return spot.y * (LINE ? a->ym : EDGE);
}

INLINE int tile_x(const wino_args *a, spot_t spot)
{
    return spot.x * (LINE ? a->xm : EDGE);
}

#if LINE
/* The tile whose first pixel is (y0, x0) of `plane`. */
INLINE void source_tile(__global const stored_t *plane, __global const stored_t *zeros,
                        __global float16 *v, const wino_args *a, int y0, int x0)
{
    const int ih = a->ih, iw = a->iw, v_point = a->v_point, step = a->src_step;
    const bool down = a->ym > 1, beside = down ? x0 < 0 || x0 >= iw : y0 < 0 || y0 >= ih;
    const int first = down ? y0 : x0, length = beside ? 0 : down ? ih : iw;
    const long at = (long)y0 * iw + x0;
    float16 in[SIDE], out[SIDE];
#pragma unroll
    for (int i = 0; i < SIDE; i++) {
        const bool inside = first + i >= 0 && first + i < length;
        in[i] = load_pixel(inside ? plane + (at + (long)i * step) * BLOCK : zeros, 0);
    }
    source_line(in, out);
#pragma unroll
    for (int i = 0; i < SIDE; i++) v[(size_t)i * v_point] = out[i];
}
#else
/* The tile whose first pixel is (y0, x0) of `plane`. */
INLINE void source_tile(__global const stored_t *plane, __global const stored_t *zeros,
                        __global float16 *v, const wino_args *a, int y0, int x0)
{
    const int ih = a->ih, iw = a->iw, v_point = a->v_point, left = -x0, right = iw - x0;
    __global const stored_t *rows[SIDE];
    float16 tile[SIDE * SIDE], in[SIDE], out[SIDE];
#pragma unroll
    for (int y = 0; y < SIDE; y++)
        rows[y] = y0 + y >= 0 && y0 + y < ih ? plane + ((long)(y0 + y) * iw + x0) * BLOCK : zeros;
#pragma unroll
    for (int x = 0; x < SIDE; x++) {
        if (x >= left && x < right) {
#pragma unroll
            for (int y = 0; y < SIDE; y++) in[y] = load_pixel(rows[y], x);
            source_line(in, out);
#pragma unroll
            for (int y = 0; y < SIDE; y++) tile[y * SIDE + x] = out[y];
        } else {
#pragma unroll
            for (int y = 0; y < SIDE; y++) tile[y * SIDE + x] = (float16)(0.0f);
        }
    }
#pragma unroll
    for (int y = 0; y < SIDE; y++) {
        source_line(tile + y * SIDE, out);
#pragma unroll
        for (int x = 0; x < SIDE; x++) v[(size_t)(y * SIDE + x) * v_point] = out[x];
    }
}
#endif

/* `count` tiles from `spot` on of input block c, to v. */
INLINE void source_tiles(__global const stored_t *src, __global const stored_t *zeros,
                         __global float16 *v, const wino_args *a, spot_t spot, int c, int count)
{
    for (int i = 0; i < count; i++) {
        const size_t plane = (size_t)spot.image * a->blocks + c;
        source_tile(src + plane * a->ih * a->iw * BLOCK, zeros, v + i, a,
                    tile_y(a, spot) * STRIDE - a->pt, tile_x(a, spot) * STRIDE - a->pl);
        next_spot(&spot, a);
    }
}

/* --- products --- */

/* M of all tiles of the batch in one point: v [block][tile], wgt [channel][b], m [b][tile]. */
INLINE void multiply(__global const float16 *v, __global const float16 *wgt, __global float16 *m,
                     const wino_args *a, int count)
{
    const int blocks = a->blocks, last_lanes = a->last_lanes, batch = a->batch;
    for (int t = 0; t < count; t += PX) {
        const int tile = min(t, count - PX);
        float16 acc[PX * OCB];
#pragma unroll
        for (int i = 0; i < PX * OCB; i++) acc[i] = (float16)(0.0f);
        for (int c = 0; c < blocks; c++) {
            __global const float *x = (__global const float *)(v + (size_t)c * batch + tile);
            __global const float16 *w = wgt + (size_t)c * BLOCK * OCB;
            const int lanes = c == blocks - 1 ? last_lanes : BLOCK;
            for (int i = 0; i < lanes; i++) {
#pragma unroll
                for (int p = 0; p < PX; p++) {
                    const float16 number = (float16)(x[p * BLOCK + i]);
#pragma unroll
                    for (int b = 0; b < OCB; b++)
                        acc[p * OCB + b] = mad16(number, w[i * OCB + b], acc[p * OCB + b]);
                }
            }
        }
#pragma unroll
        for (int b = 0; b < OCB; b++) {
#pragma unroll
            for (int p = 0; p < PX; p++) m[b * batch + tile + p] = acc[p * OCB + b];
        }
    }
}

/* The same in every point. */
INLINE void multiply_all(__global const float16 *v, __global const float16 *wgt,
                         __global float16 *m, const wino_args *a, int count)
{
    const size_t u_point = (size_t)a->blocks * BLOCK * OCB;
    for (int point = 0; point < POINTS; point++) {
        multiply(v, wgt, m, a, count);
        v += a->v_point;
        wgt += u_point;
        m += a->m_point;
    }
}

/* --- result --- */

INLINE float power_of(float point, const int exponent)
{
    float power = 1.0f;
#pragma unroll
    for (int i = 0; i < exponent; i++) power *= point;
    return power;
}

/* A' x with stride 2, of the even numbers' points and the odd ones' products. */
INLINE void result_strided(const float16 *x, float16 *y)
{
    const float16 sum = x[1] + x[2], difference = x[1] - x[2], half_x = LONE * x[3];
    y[0] = (x[0] + x[5]) + (sum + x[3]);
    y[1] = (difference + x[6]) + half_x;
    y[2] = mad16((float16)(LONE), half_x, sum + x[7]);
    y[3] = mad16((float16)(LONE * LONE), half_x, (difference + x[4]) + x[8]);
}

/* A' x: row i of A' is point^i; 0 gives to the first only and infinity to the last. */
INLINE void result_line(const float16 x[SIDE], float16 y[EDGE])
{
    if (STRIDE == 2) {
        result_strided(x, y);
        return;
    }
    float16 sum[PAIRS], difference[PAIRS];
#pragma unroll
    for (int k = 0; k < PAIRS; k++) {
        sum[k] = x[2 * k + 1] + x[2 * k + 2];
        difference[k] = x[2 * k + 1] - x[2 * k + 2];
    }
#pragma unroll
    for (int i = 0; i < EDGE; i++) {
        float16 total = i == 0 ? x[0] : i == EDGE - 1 ? x[SIDE - 1] : (float16)(0.0f);
#pragma unroll
        for (int k = 0; k < PAIRS; k++) {
            const float16 power = (float16)(power_of(points[k], i));
            const float16 term = i % 2 ? difference[k] : sum[k];
            total = k == 0 && i > 0 && i < EDGE - 1 ? power * term : mad16(power, term, total);
        }
        y[i] = total;
    }
}

INLINE void result_tile(__global const float16 *m, int m_point, float16 out[RESULTS])
{
    float16 in[SIDE];
#if LINE
#pragma unroll
    for (int i = 0; i < SIDE; i++) in[i] = m[(size_t)i * m_point];
    result_line(in, out);
#else
    float16 tile[EDGE * SIDE], line[EDGE];
#pragma unroll
    for (int x = 0; x < SIDE; x++) {
#pragma unroll
        for (int y = 0; y < SIDE; y++) in[y] = m[(size_t)(y * SIDE + x) * m_point];
        result_line(in, line);
#pragma unroll
        for (int y = 0; y < EDGE; y++) tile[y * SIDE + x] = line[y];
    }
#pragma unroll
    for (int y = 0; y < EDGE; y++) result_line(tile + y * SIDE, out + y * EDGE);
#endif
}

/* What the posts read, at a block of output channels. */
typedef struct {
    float16 bias, slope;
    __global const stored_t *residual; /* of the whole batch of images */
} extras_t;

OUTLINE extras_t extras_of(__global const float *bias, __global const float *slope,
                   __global const stored_t *residual, const wino_args *a, int block)
{
    const int c = block * BLOCK;
    extras_t extras = {(float16)(0.0f), (float16)(0.0f), residual};
    if (a->has_bias) extras.bias = load_n(bias + c, a->oc - c);
    if (POSTS >= 2 && a->posts.prelu == 1) extras.slope = load_n(slope + c, a->oc - c);
    if (POSTS >= 2 && a->posts.prelu == 2) extras.slope = (float16)(slope[0]);
    return extras;
}

/* How many pixels result i lies behind the tile's first; whether it exists in a tile of which
 * rows x cols do; where the last that exists lies if it does not. */
INLINE int result_at(const wino_args *a, int i)
{
    return LINE ? i * a->dst_step : i / EDGE * a->ow + i % EDGE;
}

INLINE bool result_exists(int i, int rows, int cols)
{
    return LINE ? i < rows * cols : i / EDGE < rows && i % EDGE < cols;
}

INLINE int result_near(const wino_args *a, int i, int rows, int cols)
{
    return LINE ? min(i, rows * cols - 1) * a->dst_step
                : min(i / EDGE, rows - 1) * a->ow + min(i % EDGE, cols - 1);
}

/* Any posts, one after the other: the tile goes through memory. Its bias is added already. */
INLINE void finish_any(float16 out[RESULTS], const wino_args *a, const extras_t *extras, size_t at,
                       int rows, int cols)
{
    float16 tile[RESULTS];
#pragma unroll
    for (int i = 0; i < RESULTS; i++) tile[i] = out[i];
    for (int k = 0; k < a->posts.count; k++) {
        const post_args post = post_of(&a->posts, k);
        if (post.kind == POST_ACT) {
            act_all(post, tile, RESULTS);
            continue;
        }
        for (int i = 0; i < RESULTS; i++) {
            const float16 x = tile[i];
            if (post.kind == POST_PRELU)
                tile[i] = x < 0.0f ? extras->slope * x : x;
            else
                tile[i] = x + load_pixel(extras->residual, at + result_near(a, i, rows, cols));
        }
    }
#pragma unroll
    for (int i = 0; i < RESULTS; i++) out[i] = tile[i];
}

/* Bias and posts on the tile whose first pixel is number `at` of the output (before a pool), of
 * which rows x cols exist. */
INLINE void finish(float16 out[RESULTS], const wino_args *a, const extras_t *extras, size_t at,
                   int rows, int cols)
{
#pragma unroll
    for (int i = 0; i < RESULTS; i++) out[i] += extras->bias;
    if (POSTS >= 3 && !a->posts.simple) {
        finish_any(out, a, extras, at, rows, cols);
        return;
    }
    if (POSTS >= 1 && a->posts.add) {
#pragma unroll
        for (int i = 0; i < RESULTS; i++)
            out[i] += load_pixel(extras->residual, at + result_near(a, i, rows, cols));
    }
    if (POSTS >= 2 && a->posts.prelu) {
#pragma unroll
        for (int i = 0; i < RESULTS; i++)
            out[i] = out[i] < 0.0f ? extras->slope * out[i] : out[i];
    }
#pragma unroll
    for (int i = 0; i < RESULTS; i++) out[i] = clamp16(out[i], a->posts.low, a->posts.high);
}

INLINE void put_tile(const float16 out[RESULTS], __global stored_t *dst, const wino_args *a,
                     size_t at, int rows, int cols)
{
#pragma unroll
    for (int i = 0; i < RESULTS; i++)
        if (result_exists(i, rows, cols)) store_pixel(out[i], dst, at + result_at(a, i));
}

INLINE float16 pool_join(float16 a, float16 b, int average)
{
    return average ? a + b : (a < b ? b : a);
}

/* What the pool makes of the tile's pixels. plane: which of the output's. */
INLINE void put_pooled(const float16 out[RESULTS], __global stored_t *dst, const wino_args *a,
                       size_t plane, spot_t spot)
{
    const int y0 = spot.y * (EDGE / 2), x0 = spot.x * (EDGE / 2), average = a->pool_average;
#pragma unroll
    for (int i = 0; i < RESULTS / 4; i++) {
        const int y = i / (EDGE / 2), x = i % (EDGE / 2), corner = 2 * y * EDGE + 2 * x;
        const float16 four =
            pool_join(pool_join(out[corner], out[corner + 1], average),
                      pool_join(out[corner + EDGE], out[corner + EDGE + 1], average), average);
        if (y0 + y < a->pool_oh && x0 + x < a->pool_ow)
            store_pixel(average ? four * 0.25f : four, dst,
                        (plane * a->pool_oh + y0 + y) * a->pool_ow + x0 + x);
    }
}

/* `count` tiles from `spot` on of one output block, from m. */
INLINE void result_tiles(__global const float16 *m, __global stored_t *dst, const wino_args *a,
                         const extras_t *extras, spot_t spot, int block, int count,
                         const int pooled)
{
    const int m_point = a->m_point;
    for (int i = 0; i < count; i++) {
        const int y0 = tile_y(a, spot), x0 = tile_x(a, spot);
        const int rows = min(a->oh - y0, LINE ? a->ym : EDGE);
        const int cols = min(a->ow - x0, LINE ? a->xm : EDGE);
        const size_t plane = (size_t)spot.image * a->oc_blocks + block;
        const size_t at = (plane * a->oh + y0) * a->ow + x0;
        float16 out[RESULTS];
        result_tile(m + i, m_point, out);
        finish(out, a, extras, at, rows, cols);
        if (pooled)
            put_pooled(out, dst, a, plane, spot);
        else
            put_tile(out, dst, a, at, rows, cols);
        next_spot(&spot, a);
    }
}

/* --- the whole --- */

/* Where share `part` of `parts` begins. */
OUTLINE int share(int n, int part, int parts)
{
    return (int)((long)n * part / parts);
}

INLINE void convolve(__global const stored_t *src, __global const float16 *wgt,
                     __global const float *bias, __global const float *slope,
                     __global const stored_t *residual, __global stored_t *dst,
                     __global float16 *scratch, const wino_args *a, const int pooled)
{
    const int id = (int)get_global_id(0), tile_part = id / a->oc_parts, oc_part = id % a->oc_parts;
    const int end = share(a->count, tile_part + 1, a->tile_parts);
    const int last_group = share(a->groups, oc_part + 1, a->oc_parts);
    __global float16 *zeros = scratch + (size_t)id * a->part, *v = zeros + SIDE;
    __global float16 *m = v + (size_t)POINTS * a->v_point;
    for (int i = 0; i < SIDE; i++) zeros[i] = (float16)(0.0f);
    for (int at = share(a->count, tile_part, a->tile_parts); at < end; at += a->batch) {
        const int from = min(at, end - PX), count = min(a->batch, end - from);
        const spot_t spot = spot_of(a, from);
        for (int c = 0; c < a->blocks; c++)
            source_tiles(src, (__global const stored_t *)zeros, v + (size_t)c * a->batch, a, spot,
                         c, count);
        for (int g = share(a->groups, oc_part, a->oc_parts); g < last_group; g++) {
            multiply_all(v, wgt + (size_t)g * POINTS * a->blocks * BLOCK * OCB, m, a, count);
            for (int b = 0; b < min(OCB, a->oc_blocks - g * OCB); b++) {
                const extras_t extras = extras_of(bias, slope, residual, a, g * OCB + b);
                result_tiles(m + b * a->batch, dst, a, &extras, spot, g * OCB + b, count, pooled);
            }
        }
    }
}

/* Items: tile_parts x oc_parts, the latter innermost. */
__kernel void winograd(__global const stored_t *src, __global const float16 *wgt,
                       __global const float *bias, __global const float *slope,
                       __global const stored_t *residual, __global stored_t *dst,
                       __global float16 *scratch, const wino_args args)
{
    convolve(src, wgt, bias, slope, residual, dst, scratch, &args, 0);
}

#if !LINE
__kernel void winograd_pool(__global const stored_t *src, __global const float16 *wgt,
                            __global const float *bias, __global const float *slope,
                            __global const stored_t *residual, __global stored_t *dst,
                            __global float16 *scratch, const wino_args args)
{
    convolve(src, wgt, bias, slope, residual, dst, scratch, &args, 1);
}
#endif
