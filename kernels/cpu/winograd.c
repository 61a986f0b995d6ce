/* SPDX-License-Identifier: Apache-2.0
 *
 * The transforms of winograd.h. Each is a one-dimensional one, applied to the columns and then to
 * the rows of what that gives; m is a literal wherever vecs are handled.
 */
#include "kernels/cpu/winograd.h"

#include "kernels/cpu/act.h"
#include "kernels/cpu/half.h"
#include "kernels/cpu/unroll.h"

#define P2 0.625f /* the points of m = 4 */
#define Q2 1.5f
#define PP (P2 * P2)
#define QQ (Q2 * Q2)

/* --- source --- */

/* B' x for m = 2: x0 - x2, x1 + x2, x2 - x1, x3 - x1. */
CVK_INLINE void source2(const vec *x, vec *y, const int step)
{
    y[0] = vec_sub(x[0], x[2]);
    y[step] = vec_add(x[2], x[1]);
    y[2 * step] = vec_sub(x[2], x[1]);
    y[3 * step] = vec_sub(x[3], x[1]);
}

/* B' x for m = 4. A row of B' is the product of x - point over all the other points: of 0 it is
 * (x^2 - p^2)(x^2 - q^2), of p x(x + p)(x^2 - q^2), of infinity all five. */
CVK_INLINE void source4(const vec *x, vec *y, const int step)
{
    const vec pp = vec_set1(-PP), qq = vec_set1(-QQ), sum = vec_set1(-PP - QQ),
              product = vec_set1(PP * QQ);
    vec even_p = vec_fma(qq, x[2], x[4]), odd_p = vec_mul(vec_set1(P2), vec_fma(qq, x[1], x[3]));
    vec even_q = vec_fma(pp, x[2], x[4]), odd_q = vec_mul(vec_set1(Q2), vec_fma(pp, x[1], x[3]));
    y[0] = vec_fma(product, x[0], vec_fma(sum, x[2], x[4]));
    y[step] = vec_add(even_p, odd_p);
    y[2 * step] = vec_sub(even_p, odd_p);
    y[3 * step] = vec_add(even_q, odd_q);
    y[4 * step] = vec_sub(even_q, odd_q);
    y[5 * step] = vec_fma(product, x[1], vec_fma(sum, x[3], x[5]));
}

CVK_INLINE void source1(const vec *x, vec *y, const int step, const int m)
{
    if (m == 2)
        source2(x, y, step);
    else
        source4(x, y, step);
}

/* One vec of a tile whose pixels lie at src. */
CVK_INLINE void source_tile(const float *src, ptrdiff_t row, float *dst, ptrdiff_t point,
                            const int m)
{
    const int side = m + 2;
    vec columns[WINO_POINTS]; /* [y][x] */
    CVK_UNROLL for (int x = 0; x < side; x++)
    {
        vec in[WINO_SIDE];
        CVK_UNROLL for (int y = 0; y < side; y++) in[y] =
            vec_load(src + y * row + (ptrdiff_t)x * CVK_BLOCK);
        source1(in, columns + x, side, m);
    }
    CVK_UNROLL for (int y = 0; y < side; y++)
    {
        vec out[WINO_SIDE];
        source1(columns + y * side, out, 1, m);
        CVK_UNROLL for (int x = 0; x < side; x++) vec_store(dst + (y * side + x) * point, out[x]);
    }
}

/* The part of a tile that lies within the image, zeros around it. `at`: where the image begins. */
CVK_INLINE void gather(const wino_source *job, ptrdiff_t at, int y0, int x0, int side, float *patch,
                       const bool half)
{
    const cvk_geom *g = job->g;
    for (int y = 0; y < side; y++) {
        for (int x = 0; x < side; x++, patch += CVK_BLOCK) {
            bool in = y0 + y >= 0 && y0 + y < g->ih && x0 + x >= 0 && x0 + x < g->iw;
            ptrdiff_t pixel = at + ((ptrdiff_t)(y0 + y) * g->iw + x0 + x) * CVK_BLOCK;
            for (int lane = 0; lane < CVK_BLOCK; lane += CVK_VLEN)
                vec_store(patch + lane, in ? row_load(job->src, pixel + lane, half) : vec_zero());
        }
    }
}

CVK_INLINE void source_tiles(const wino_source *job, int first, int count, const int m,
                             const bool half)
{
    const cvk_geom *g = job->g;
    const int side = m + 2, per_image = job->across * job->down;
    float patch[WINO_POINTS * CVK_BLOCK];
    for (int i = 0; i < count; i++) {
        int at = (first + i) % per_image, y0 = at / job->across * m - g->pt,
            x0 = at % job->across * m - g->pl;
        ptrdiff_t image = (first + i) / per_image * job->image;
        const float *from = patch;
        ptrdiff_t row = (ptrdiff_t)side * CVK_BLOCK;
        if (half || y0 < 0 || x0 < 0 || y0 + side > g->ih || x0 + side > g->iw) {
            gather(job, image, y0, x0, side, patch, half);
        } else {
            from = (const float *)job->src + image + ((ptrdiff_t)y0 * g->iw + x0) * CVK_BLOCK;
            row = (ptrdiff_t)g->iw * CVK_BLOCK;
        }
        for (int lane = 0; lane < CVK_BLOCK; lane += CVK_VLEN)
            source_tile(from + lane, row, job->dst + (ptrdiff_t)i * CVK_BLOCK + lane, job->point,
                        m);
    }
}

void CVK_FN(cvk_wino_source)(const wino_source *job, int first, int count)
{
    if (job->m == 2 && !job->half)
        source_tiles(job, first, count, 2, false);
    else if (job->m == 2)
        source_tiles(job, first, count, 2, true);
    else if (!job->half)
        source_tiles(job, first, count, 4, false);
    else
        source_tiles(job, first, count, 4, true);
}

/* --- result --- */

/* A' x: row i of A' is point^i; of infinity only the last has a 1. */
CVK_INLINE void result1(const vec *x, const int from, vec *y, const int step, const int m)
{
    vec sum = vec_add(x[from], x[2 * from]), difference = vec_sub(x[from], x[2 * from]);
    if (m == 2) {
        y[0] = vec_add(x[0], sum);
        y[step] = vec_add(difference, x[3 * from]);
        return;
    }
    vec sum_q = vec_add(x[3 * from], x[4 * from]), difference_q = vec_sub(x[3 * from], x[4 * from]);
    y[0] = vec_add(vec_add(x[0], sum), sum_q);
    y[step] = vec_fma(vec_set1(Q2), difference_q, vec_mul(vec_set1(P2), difference));
    y[2 * step] = vec_fma(vec_set1(QQ), sum_q, vec_mul(vec_set1(PP), sum));
    y[3 * step] = vec_fma(vec_set1(QQ * Q2), difference_q,
                          vec_fma(vec_set1(PP * P2), difference, x[5 * from]));
}

/* out[m][m] of one tile. */
CVK_INLINE void result_tile(const float *src, ptrdiff_t point, vec *out, const int m)
{
    const int side = m + 2;
    vec columns[4 * WINO_SIDE]; /* [m][x] */
    CVK_UNROLL for (int x = 0; x < side; x++)
    {
        vec in[WINO_SIDE];
        CVK_UNROLL for (int y = 0; y < side; y++) in[y] = vec_load(src + (y * side + x) * point);
        result1(in, 1, columns + x, side, m);
    }
    CVK_UNROLL for (int y = 0; y < m; y++) result1(columns + y * side, 1, out + y * m, 1, m);
}

/* res: the pixel's residual. */
CVK_INLINE vec finish(const wino_result *job, vec x, vec bias, const float *res)
{
    x = vec_add(x, bias);
    if (res) x = vec_add(x, vec_load(res));
    return job->clamp ? vec_clamp(x, vec_set1(job->lo), vec_set1(job->hi)) : x;
}

/* Pixels (y0, x0) and on, as far as the image goes. */
CVK_INLINE void put_tile(const wino_result *job, const vec *out, vec bias, ptrdiff_t image,
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
                             const bool half)
{
    const int per_image = job->across * job->down;
    const vec bias = vec_load(job->bias);
    for (int i = 0; i < count; i++) {
        int image = (first + i) / per_image, at = (first + i) % per_image;
        int y0 = at / job->across * m, x0 = at % job->across * m;
        const float *res = job->res ? job->res + image * job->res_image : NULL;
        vec out[16];
        result_tile(job->src + (ptrdiff_t)i * CVK_VLEN, job->point, out, m);
        if (job->pooled)
            put_pooled(job, out, bias, image * job->image, res, y0, x0, m, half);
        else
            put_tile(job, out, bias, image * job->image, res, y0, x0, m, half);
    }
}

void CVK_FN(cvk_wino_result)(const wino_result *job, int first, int count)
{
    if (job->m == 2 && !job->half)
        result_tiles(job, first, count, 2, false);
    else if (job->m == 2)
        result_tiles(job, first, count, 2, true);
    else if (!job->half)
        result_tiles(job, first, count, 4, false);
    else
        result_tiles(job, first, count, 4, true);
}

/* --- weights --- */

/* G x: row i of G is 1, point, point^2 over the product of the differences to the other points. */
static void weights1(int m, const double *x, int from, double *y, int step)
{
    const double p = m == 2 ? 1 : (double)P2, q = (double)Q2, pp = p * p, qq = q * q;
    double even = x[0] + pp * x[2 * from], odd = p * x[from];
    double scale = m == 2 ? 0.5 : 1 / (2 * pp * (pp - qq));
    y[0] = m == 2 ? x[0] : x[0] / (pp * qq);
    y[step] = scale * (even + odd);
    y[2 * step] = scale * (even - odd);
    if (m == 2) {
        y[3 * step] = x[2 * from];
        return;
    }
    even = x[0] + qq * x[2 * from];
    odd = q * x[from];
    scale = 1 / (2 * qq * (qq - pp));
    y[3 * step] = scale * (even + odd);
    y[4 * step] = scale * (even - odd);
    y[5 * step] = x[2 * from];
}

void CVK_FN(cvk_wino_weights)(int m, const float wgt[9], float *u)
{
    const int side = m + 2;
    double in[9], columns[WINO_SIDE * 3], out[WINO_SIDE];
    for (int i = 0; i < 9; i++) in[i] = (double)wgt[i];
    for (int x = 0; x < 3; x++) weights1(m, in + x, 3, columns + x, 3);
    for (int y = 0; y < side; y++) {
        weights1(m, columns + y * 3, 1, out, 1);
        for (int x = 0; x < side; x++) u[y * side + x] = (float)out[x];
    }
}
