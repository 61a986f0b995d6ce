/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution 3 x 3 with stride 1 by Winograd's minimal filtering F(EDGE x EDGE, 3 x 3), blocked to
 * blocked, and what fuses with it: bias, posts, a 2 x 2 pool. A tile of EDGE x EDGE results takes
 * SIDE x SIDE inputs and as many products a channel, instead of 9 for each result.
 *
 *      src, EDGE = 4: tiles lie 4 apart, read 6    source tile d    ->  V = B' d B
 *      |. o o o o o o . . . . .|                   for each point:  M[tiles][oc] = V[tiles][ic] U
 *      |. . . . . x x x x x x .|                   M of a tile      ->  A' M A, the results
 *
 * A work-item takes a share of the tiles, or of the groups of OCB output blocks, and works alone:
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
 *   part  [SIDE zeros, rows beyond the image][V][M]
 *
 *   EDGE      4: points 0, +-p, +-q and infinity; 2: points 0, +-1 and infinity
 *   PX, OCB   tiles and output blocks in registers: at most 20 products
 *   HALF      1: src, residual and dst are float16
 */
#ifndef EDGE
#define EDGE 4
#endif
#ifndef PX
#define PX 4
#endif
#ifndef OCB
#define OCB 4
#endif

#define SIDE (EDGE + 2)
#define POINTS (SIDE * SIDE)
#define RESULTS (EDGE * EDGE)

/* cvk_cl_winograd of conv_winograd.c. */
typedef struct {
    int blocks, last_lanes, ih, iw; /* of the input; lanes of its last block */
    int oc, oc_blocks, oh, ow;      /* of the convolution, before a pool */
    int pt, pl;
    int across, down, count;    /* tiles of a row, of a column, of the whole batch of images */
    int groups;                 /* of output blocks */
    int tile_parts, oc_parts;   /* how many items share the tiles, and the groups */
    int batch;                  /* tiles at a time */
    int v_point, m_point, part; /* from point to point, from item to item of scratch */
    int has_bias;
    int pool_average, pool_oh, pool_ow;
    float p, q;
    posts_args posts;
} wino_args;

/* --- source --- */

/* B' x: the row of a point is the product of x - other over all other points. */
INLINE void source_line(const float16 x[SIDE], float16 y[SIDE], float p, float q)
{
    if (EDGE == 2) {
        y[0] = x[0] - x[2];
        y[1] = x[2] + x[1];
        y[2] = x[2] - x[1];
        y[3] = x[3] - x[1];
        return;
    }
    const float16 pp = (float16)(-p * p), qq = (float16)(-q * q), sum = pp + qq, product = pp * qq;
    const float16 even_p = mad16(qq, x[2], x[4]), odd_p = p * mad16(qq, x[1], x[3]);
    const float16 even_q = mad16(pp, x[2], x[4]), odd_q = q * mad16(pp, x[1], x[3]);
    y[0] = mad16(product, x[0], mad16(sum, x[2], x[4]));
    y[1] = even_p + odd_p;
    y[2] = even_p - odd_p;
    y[3] = even_q + odd_q;
    y[4] = even_q - odd_q;
    y[5] = mad16(product, x[1], mad16(sum, x[3], x[5]));
}

/* A tile whose rows begin there; of its columns [left, right) lie in the image. */
INLINE void source_tile(__global const stored_t *const rows[SIDE], int left, int right,
                        __global float16 *v, int v_point, float p, float q)
{
    float16 tile[POINTS], in[SIDE], out[SIDE];
#pragma unroll
    for (int x = 0; x < SIDE; x++) {
        if (x >= left && x < right) {
#pragma unroll
            for (int y = 0; y < SIDE; y++) in[y] = load_pixel(rows[y], x);
            source_line(in, out, p, q);
#pragma unroll
            for (int y = 0; y < SIDE; y++) tile[y * SIDE + x] = out[y];
        } else {
#pragma unroll
            for (int y = 0; y < SIDE; y++) tile[y * SIDE + x] = (float16)(0.0f);
        }
    }
#pragma unroll
    for (int y = 0; y < SIDE; y++) {
        source_line(tile + y * SIDE, out, p, q);
#pragma unroll
        for (int x = 0; x < SIDE; x++) v[(size_t)(y * SIDE + x) * v_point] = out[x];
    }
}

/* Where a tile lies: its image, its row and column among the tiles. */
typedef struct {
    int image, y, x;
} spot_t;

spot_t spot_of(const wino_args *a, int tile)
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

/* `count` tiles from `spot` on of input block c, to v. */
INLINE void source_tiles(__global const stored_t *src, __global const stored_t *zeros,
                         __global float16 *v, const wino_args *a, spot_t spot, int c, int count)
{
    const int ih = a->ih, iw = a->iw, v_point = a->v_point;
    const float p = a->p, q = a->q;
    for (int i = 0; i < count; i++) {
        const int y0 = spot.y * EDGE - a->pt, x0 = spot.x * EDGE - a->pl;
        __global const stored_t *plane =
            src + ((size_t)spot.image * a->blocks + c) * ih * iw * BLOCK;
        __global const stored_t *rows[SIDE];
#pragma unroll
        for (int y = 0; y < SIDE; y++)
            rows[y] =
                y0 + y >= 0 && y0 + y < ih ? plane + ((long)(y0 + y) * iw + x0) * BLOCK : zeros;
        source_tile(rows, -x0, iw - x0, v + i, v_point, p, q);
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

/* --- result --- */

/* A' x: row i of A' is point^i; of infinity only the last has a 1. */
INLINE void result_line(const float16 x[SIDE], float16 y[EDGE], float p, float q)
{
    const float16 sum = x[1] + x[2], difference = x[1] - x[2];
    if (EDGE == 2) {
        y[0] = x[0] + sum;
        y[1] = difference + x[3];
        return;
    }
    const float16 sum_q = x[3] + x[4], difference_q = x[3] - x[4];
    y[0] = x[0] + sum + sum_q;
    y[1] = mad16((float16)(q), difference_q, p * difference);
    y[2] = mad16((float16)(q * q), sum_q, p * p * sum);
    y[3] = mad16((float16)(q * q * q), difference_q, mad16((float16)(p * p * p), difference, x[5]));
}

INLINE void result_tile(__global const float16 *m, int m_point, float16 out[RESULTS], float p,
                        float q)
{
    float16 tile[EDGE * SIDE], in[SIDE], line[EDGE];
#pragma unroll
    for (int x = 0; x < SIDE; x++) {
#pragma unroll
        for (int y = 0; y < SIDE; y++) in[y] = m[(size_t)(y * SIDE + x) * m_point];
        result_line(in, line, p, q);
#pragma unroll
        for (int y = 0; y < EDGE; y++) tile[y * SIDE + x] = line[y];
    }
#pragma unroll
    for (int y = 0; y < EDGE; y++) result_line(tile + y * SIDE, out + y * EDGE, p, q);
}

/* What the posts read, at a block of output channels. */
typedef struct {
    float16 bias, slope;
    __global const stored_t *residual; /* of the whole batch of images */
} extras_t;

extras_t extras_of(__global const float *bias, __global const float *slope,
                   __global const stored_t *residual, const wino_args *a, int block)
{
    const int c = block * BLOCK;
    extras_t extras = {(float16)(0.0f), (float16)(0.0f), residual};
    if (a->has_bias) extras.bias = load_n(bias + c, a->oc - c);
    if (a->posts.prelu == 1) extras.slope = load_n(slope + c, a->oc - c);
    if (a->posts.prelu == 2) extras.slope = (float16)(slope[0]);
    return extras;
}

/* Any posts, pixel by pixel: the tile goes through memory. */
INLINE void finish_any(float16 out[RESULTS], const wino_args *a, const extras_t *extras, size_t at,
                       int rows, int cols)
{
    float16 tile[RESULTS];
#pragma unroll
    for (int i = 0; i < RESULTS; i++) tile[i] = out[i];
    for (int y = 0; y < rows; y++) {
        for (int x = 0; x < cols; x++) {
            float16 residual = (float16)(0.0f);
            if (a->posts.add) residual = load_pixel(extras->residual, at + y * a->ow + x);
            tile[y * EDGE + x] =
                apply_posts(&a->posts, tile[y * EDGE + x] + extras->bias, residual, extras->slope);
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
    if (!a->posts.simple) {
        finish_any(out, a, extras, at, rows, cols);
        return;
    }
#pragma unroll
    for (int i = 0; i < RESULTS; i++) out[i] += extras->bias;
    if (a->posts.add) {
#pragma unroll
        for (int i = 0; i < RESULTS; i++)
            out[i] += load_pixel(extras->residual,
                                 at + min(i / EDGE, rows - 1) * a->ow + min(i % EDGE, cols - 1));
    }
#pragma unroll
    for (int i = 0; i < RESULTS; i++) out[i] = clamp16(out[i], a->posts.low, a->posts.high);
}

INLINE float16 pool_join(float16 a, float16 b, int average)
{
    return average ? a + b : (a < b ? b : a);
}

/* The tile's pixels, or what the pool makes of them. plane: which of the output's; rows x cols of
 * the tile exist. */
INLINE void put_tile(const float16 out[RESULTS], __global stored_t *dst, const wino_args *a,
                     size_t plane, spot_t spot, int rows, int cols, const int pooled)
{
    if (!pooled) {
        const size_t at = (plane * a->oh + spot.y * EDGE) * a->ow + spot.x * EDGE;
#pragma unroll
        for (int i = 0; i < RESULTS; i++)
            if (i / EDGE < rows && i % EDGE < cols)
                store_pixel(out[i], dst, at + i / EDGE * a->ow + i % EDGE);
        return;
    }
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
    const float p = a->p, q = a->q;
    for (int i = 0; i < count; i++) {
        const int rows = min(a->oh - spot.y * EDGE, EDGE), cols = min(a->ow - spot.x * EDGE, EDGE);
        const size_t plane = (size_t)spot.image * a->oc_blocks + block;
        float16 out[RESULTS];
        result_tile(m + i, m_point, out, p, q);
        finish(out, a, extras, (plane * a->oh + spot.y * EDGE) * a->ow + spot.x * EDGE, rows, cols);
        put_tile(out, dst, a, plane, spot, rows, cols, pooled);
        next_spot(&spot, a);
    }
}

/* --- the whole --- */

/* Where share `part` of `parts` begins. */
int share(int n, int part, int parts)
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
            __global const float16 *u = wgt + (size_t)g * POINTS * a->blocks * BLOCK * OCB;
            for (int point = 0; point < POINTS; point++)
                multiply(v + (size_t)point * a->v_point,
                         u + (size_t)point * a->blocks * BLOCK * OCB,
                         m + (size_t)point * a->m_point, a, count);
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

__kernel void winograd_pool(__global const stored_t *src, __global const float16 *wgt,
                            __global const float *bias, __global const float *slope,
                            __global const stored_t *residual, __global stored_t *dst,
                            __global float16 *scratch, const wino_args args)
{
    convolve(src, wgt, bias, slope, residual, dst, scratch, &args, 1);
}
