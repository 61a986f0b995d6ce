/* SPDX-License-Identifier: Apache-2.0
 *
 * The transforms of winograd.h: those of winograd_axis.h, over two axes applied to the columns and
 * then to the rows of what that gives; m and side are literals wherever vecs are handled.
 */
#include "kernels/cpu/winograd.h"

#include "kernels/cpu/act.h"
#include "kernels/cpu/half.h"
#include "kernels/cpu/unroll.h"
#include "kernels/cpu/winograd_axis.h"

/* --- source --- */

/* One vec of a tile of two axes whose pixels lie at src. */
CVK_INLINE void source_square(const float *src, ptrdiff_t row, float *dst, ptrdiff_t point,
                              const int side)
{
    vec columns[CVK_WINO_POINTS]; /* [y][x] */
    CVK_UNROLL for (int x = 0; x < side; x++)
    {
        vec in[CVK_WINO_SQUARE];
        CVK_UNROLL for (int y = 0; y < side; y++) in[y] =
            vec_load(src + y * row + (ptrdiff_t)x * CVK_BLOCK);
        source1(in, columns + x, side, side);
    }
    CVK_UNROLL for (int y = 0; y < side; y++)
    {
        vec out[CVK_WINO_SQUARE];
        source1(columns + y * side, out, 1, side);
        CVK_UNROLL for (int x = 0; x < side; x++) vec_store(dst + (y * side + x) * point, out[x]);
    }
}

/* One vec of a tile of one axis, whose pixels are `step` floats apart. */
CVK_INLINE void source_line(const float *src, ptrdiff_t step, float *dst, ptrdiff_t point,
                            const int side)
{
    vec in[CVK_WINO_SIDE], out[CVK_WINO_SIDE];
    CVK_UNROLL for (int i = 0; i < side; i++) in[i] = vec_load(src + i * step);
    source1(in, out, 1, side);
    CVK_UNROLL for (int i = 0; i < side; i++) vec_store(dst + i * point, out[i]);
}

/* The part of a tile that lies within the image, zeros around it. `at`: where the image begins. */
CVK_INLINE void gather(const wino_source *job, ptrdiff_t at, int y0, int x0, float *patch,
                       const bool half)
{
    const cvk_geom *g = job->g;
    for (int y = 0; y < job->y.side; y++) {
        for (int x = 0; x < job->x.side; x++, patch += CVK_BLOCK) {
            bool in = y0 + y >= 0 && y0 + y < g->ih && x0 + x >= 0 && x0 + x < g->iw;
            ptrdiff_t pixel = at + ((ptrdiff_t)(y0 + y) * g->iw + x0 + x) * CVK_BLOCK;
            for (int lane = 0; lane < CVK_BLOCK; lane += CVK_VLEN)
                vec_store(patch + lane, in ? row_load(job->src, pixel + lane, half) : vec_zero());
        }
    }
}

CVK_INLINE void source_tiles(const wino_source *job, int first, int count, const int side,
                             const bool square, const bool half)
{
    const cvk_geom *g = job->g;
    const int per_image = job->across * job->down;
    float patch[CVK_WINO_POINTS * CVK_BLOCK];
    for (int i = 0; i < count; i++) {
        int at = (first + i) % per_image, y0 = at / job->across * job->y.m * job->y.stride - g->pt,
            x0 = at % job->across * job->x.m * job->x.stride - g->pl;
        ptrdiff_t image = (first + i) / per_image * job->image;
        const float *from = patch;
        ptrdiff_t row = (ptrdiff_t)job->x.side * CVK_BLOCK;
        if (half || y0 < 0 || x0 < 0 || y0 + job->y.side > g->ih || x0 + job->x.side > g->iw) {
            gather(job, image, y0, x0, patch, half);
        } else {
            from = (const float *)job->src + image + ((ptrdiff_t)y0 * g->iw + x0) * CVK_BLOCK;
            row = (ptrdiff_t)g->iw * CVK_BLOCK;
        }
        ptrdiff_t step = job->y.side > 1 ? row : CVK_BLOCK;
        for (int lane = 0; lane < CVK_BLOCK; lane += CVK_VLEN) {
            float *dst = job->dst + (ptrdiff_t)i * CVK_BLOCK + lane;
            if (square)
                source_square(from + lane, row, dst, job->point, side);
            else
                source_line(from + lane, step, dst, job->point, side);
        }
    }
}

CVK_INLINE void source_any(const wino_source *job, int first, int count, const bool half)
{
    const int side = job->y.side > 1 ? job->y.side : job->x.side;
    const bool square = job->y.side == job->x.side;
    if (square && side == 4)
        source_tiles(job, first, count, 4, true, half);
    else if (square && side == STRIDED)
        source_tiles(job, first, count, STRIDED, true, half);
    else if (square && side == 8)
        source_tiles(job, first, count, 8, true, half);
    else if (square)
        source_tiles(job, first, count, 6, true, half);
    else if (side == 4)
        source_tiles(job, first, count, 4, false, half);
    else if (side == 6)
        source_tiles(job, first, count, 6, false, half);
    else if (side == 8)
        source_tiles(job, first, count, 8, false, half);
    else
        source_tiles(job, first, count, 10, false, half);
}

void CVK_FN(cvk_wino_source)(const wino_source *job, int first, int count)
{
    if (job->half)
        source_any(job, first, count, true);
    else
        source_any(job, first, count, false);
}

/* --- result --- */

/* out[m][m] of one tile of two axes. */
CVK_INLINE void result_square(const float *src, ptrdiff_t point, vec *out, const int m,
                              const int side)
{
    vec columns[CVK_WINO_RESULTS * CVK_WINO_SQUARE]; /* [m][x] */
    CVK_UNROLL for (int x = 0; x < side; x++)
    {
        vec in[CVK_WINO_SQUARE];
        CVK_UNROLL for (int y = 0; y < side; y++) in[y] = vec_load(src + (y * side + x) * point);
        result1(in, columns + x, side, m, side);
    }
    CVK_UNROLL for (int y = 0; y < m; y++) result1(columns + y * side, out + y * m, 1, m, side);
}

/* out[m] of one tile of one axis. */
CVK_INLINE void result_line(const float *src, ptrdiff_t point, vec *out, const int m,
                            const int side)
{
    vec in[CVK_WINO_SIDE];
    CVK_UNROLL for (int i = 0; i < side; i++) in[i] = vec_load(src + i * point);
    result1(in, out, 1, m, side);
}

/* res: the pixel's residual. */
CVK_INLINE vec finish(const wino_result *job, vec x, vec bias, const float *res)
{
    x = vec_add(x, bias);
    if (res) x = vec_add(x, vec_load(res));
    return job->clamp ? vec_clamp(x, vec_set1(job->lo), vec_set1(job->hi)) : x;
}

/* Pixels (y0, x0) and on, as far as the image goes. */
CVK_INLINE void put_square(const wino_result *job, const vec *out, vec bias, ptrdiff_t image,
                           const float *res, int y0, int x0, const int m, const bool half)
{
    const cvk_geom *g = job->g;
    ptrdiff_t at = ((ptrdiff_t)y0 * g->ow + x0) * CVK_BLOCK, row = (ptrdiff_t)g->ow * CVK_BLOCK;
    const float *from = res ? res + at : NULL;
    if (y0 + m <= g->oh && x0 + m <= g->ow) {
        CVK_UNROLL for (int i = 0; i < m * m; i++)
        {
            ptrdiff_t pixel = i / m * row + (ptrdiff_t)(i % m) * CVK_BLOCK;
            row_store(job->dst, image + at + pixel,
                      finish(job, out[i], bias, from ? from + pixel : NULL), half);
        }
        return;
    }
    for (int y = 0; y < m && y0 + y < g->oh; y++) {
        for (int x = 0; x < m && x0 + x < g->ow; x++) {
            ptrdiff_t pixel = y * row + (ptrdiff_t)x * CVK_BLOCK;
            row_store(job->dst, image + at + pixel,
                      finish(job, out[y * m + x], bias, from ? from + pixel : NULL), half);
        }
    }
}

/* The same along one axis. */
CVK_INLINE void put_line(const wino_result *job, const vec *out, vec bias, ptrdiff_t image,
                         const float *res, int y0, int x0, const int m, const bool half)
{
    const cvk_geom *g = job->g;
    const bool down = job->y.m > 1;
    int left = down ? g->oh - y0 : g->ow - x0;
    ptrdiff_t at = ((ptrdiff_t)y0 * g->ow + x0) * CVK_BLOCK,
              step = down ? (ptrdiff_t)g->ow * CVK_BLOCK : CVK_BLOCK;
    CVK_UNROLL for (int i = 0; i < m; i++, at += step)
    {
        if (i < left)
            row_store(job->dst, image + at, finish(job, out[i], bias, res ? res + at : NULL), half);
    }
}

/* Of four pixels that the pool makes one. A maximum and what grows with its argument change
 * places. */
CVK_INLINE vec pool4(const wino_result *job, const vec four[4], vec bias, const float *res,
                     ptrdiff_t row)
{
    if (job->is_max && !res)
        return finish(job, vec_max(vec_max(four[0], four[1]), vec_max(four[2], four[3])), bias,
                      NULL);
    vec done[4];
    CVK_UNROLL for (int i = 0; i < 4; i++) done[i] =
        finish(job, four[i], bias, res ? res + i / 2 * row + (ptrdiff_t)(i % 2) * CVK_BLOCK : NULL);
    if (job->is_max) return vec_max(vec_max(done[0], done[1]), vec_max(done[2], done[3]));
    return vec_mul(vec_set1(0.25f), vec_add(vec_add(done[0], done[1]), vec_add(done[2], done[3])));
}

CVK_INLINE void put_pooled(const wino_result *job, const vec *out, vec bias, ptrdiff_t image,
                           const float *res, int y0, int x0, const int m, const bool half)
{
    const ptrdiff_t row = (ptrdiff_t)job->g->ow * CVK_BLOCK;
    CVK_UNROLL for (int i = 0; i < m * m / 4; i++)
    {
        const int y = i / (m / 2), x = i % (m / 2);
        if (y0 / 2 + y >= job->pool_oh || x0 / 2 + x >= job->pool_ow) continue;
        const vec *corner = out + 2 * y * m + 2 * x;
        const vec four[4] = {corner[0], corner[1], corner[m], corner[m + 1]};
        const float *from =
            res ? res + (y0 + 2 * y) * row + (ptrdiff_t)(x0 + 2 * x) * CVK_BLOCK : NULL;
        row_store(job->dst,
                  image + ((ptrdiff_t)(y0 / 2 + y) * job->pool_ow + x0 / 2 + x) * CVK_BLOCK,
                  pool4(job, four, bias, from, row), half);
    }
}

CVK_INLINE void result_tiles(const wino_result *job, int first, int count, const int m,
                             const int side, const bool square, const bool half)
{
    const int per_image = job->across * job->down;
    const vec bias = vec_load(job->bias);
    for (int i = 0; i < count; i++) {
        int image = (first + i) / per_image, at = (first + i) % per_image;
        int y0 = at / job->across * job->y.m, x0 = at % job->across * job->x.m;
        const float *res = job->res ? job->res + image * job->res_image : NULL;
        const float *src = job->src + (ptrdiff_t)i * CVK_VLEN;
        vec out[CVK_WINO_RESULTS * CVK_WINO_RESULTS];
        if (!square) {
            result_line(src, job->point, out, m, side);
            put_line(job, out, bias, image * job->image, res, y0, x0, m, half);
            continue;
        }
        result_square(src, job->point, out, m, side);
        if (job->pooled)
            put_pooled(job, out, bias, image * job->image, res, y0, x0, m, half);
        else
            put_square(job, out, bias, image * job->image, res, y0, x0, m, half);
    }
}

CVK_INLINE void result_any(const wino_result *job, int first, int count, const bool half)
{
    const cvk_wino_axis *axis = job->y.side > 1 ? &job->y : &job->x;
    const bool square = job->y.side == job->x.side;
    if (square && axis->side == 4)
        result_tiles(job, first, count, 2, 4, true, half);
    else if (square && axis->side == STRIDED)
        result_tiles(job, first, count, 4, STRIDED, true, half);
    else if (square && axis->side == 8 && axis->m == 6)
        result_tiles(job, first, count, 6, 8, true, half);
    else if (square && axis->side == 8)
        result_tiles(job, first, count, 4, 8, true, half);
    else if (square && axis->m == 4)
        result_tiles(job, first, count, 4, 6, true, half);
    else if (square)
        result_tiles(job, first, count, 2, 6, true, half);
    else if (axis->side == 4)
        result_tiles(job, first, count, 2, 4, false, half);
    else if (axis->side == 10)
        result_tiles(job, first, count, 4, 10, false, half);
    else if (axis->side == 8 && axis->m == 6)
        result_tiles(job, first, count, 6, 8, false, half);
    else if (axis->side == 8)
        result_tiles(job, first, count, 4, 8, false, half);
    else if (axis->m == 4)
        result_tiles(job, first, count, 4, 6, false, half);
    else
        result_tiles(job, first, count, 2, 6, false, half);
}

void CVK_FN(cvk_wino_result)(const wino_result *job, int first, int count)
{
    if (job->half)
        result_any(job, first, count, true);
    else
        result_any(job, first, count, false);
}
