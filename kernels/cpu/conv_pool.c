/* SPDX-License-Identifier: Apache-2.0
 *
 * Pooling rows that have just been convolved: conv_pool.h.
 */
#include "kernels/cpu/conv_pool.h"

#include <math.h>
#include <string.h>

#include "kernels/cpu/half.h"
#include "kernels/cpu/ints.h"
#include "kernels/cpu/sums.h"
#include "kernels/cpu/unroll.h"

/* Taps from which on their sum in float would lose digits. */
enum { LARGE_WINDOW = 64 };

conv_pool_band CVK_FN(cvk_conv_pool_band)(const conv_plan *plan, int row, int rows, int done,
                                          bool last)
{
    const cvk_geom *p = &plan->pool;
    conv_pool_band band = {.row = row, .rows = rows};
    int reach = (p->kh - 1) * p->dh + 1;
    band.first = min(max(0, row * p->sh - p->pt), plan->g.oh);
    band.end = max(band.first, min(plan->g.oh, (row + rows - 1) * p->sh - p->pt + reach));
    band.fresh = min(max(band.first, done), band.end);
    band.save = last ? band.end : min(max(band.first, (row + rows) * p->sh - p->pt), band.end);
    return band;
}

/* Moves `rows` rows of each vec between buffers that hold src_rows and dst_rows rows per vec. */
static void move_rows(const conv_plan *plan, int vecs, int rows, const float *src, int src_rows,
                      float *dst, int dst_rows)
{
    size_t row = (size_t)plan->cols * CVK_VLEN;
    for (int v = 0; v < vecs && rows > 0; v++)
        memcpy(dst + (size_t)(v * dst_rows) * row, src + (size_t)(v * src_rows) * row,
               (size_t)rows * row * sizeof *dst);
}

void CVK_FN(cvk_conv_pool_restore)(const conv_plan *plan, const conv_pool_band *band, int vecs,
                                   const float *keep, float *conv)
{
    move_rows(plan, vecs, band->fresh - band->first, keep, plan->keep, conv, plan->pool_rows);
}

void CVK_FN(cvk_conv_pool_save)(const conv_plan *plan, const conv_pool_band *band, int vecs,
                                const float *conv, float *keep)
{
    const float *from = conv + (ptrdiff_t)(band->save - band->first) * plan->cols * CVK_VLEN;
    move_rows(plan, vecs, band->end - band->save, from, plan->pool_rows, keep, plan->keep);
}

/* Window taps k with 0 <= at + k dilation < size: [*begin, *end). */
static void clip(int at, int kernel, int dilation, int size, int *begin, int *end)
{
    *begin = at < 0 ? (-at + dilation - 1) / dilation : 0;
    *end = at >= size ? 0 : min(kernel, (size - 1 - at) / dilation + 1);
    if (*begin > *end) *begin = *end;
}

/* Taps of a window that count in an average. */
static int counted(const cvk_pool_params *params, int at, int kernel, int dilation, int size,
                   int begin_pad, int end_pad)
{
    int begin, end;
    if (params->count_include_pad)
        clip(at + begin_pad, kernel, dilation, size + begin_pad + end_pad, &begin, &end);
    else
        clip(at, kernel, dilation, size, &begin, &end);
    return end - begin;
}

/* src: conv pixel of the window's first valid tap; rows and cols may be literals. */
CVK_INLINE vec window(const float *src, ptrdiff_t down, ptrdiff_t right, const int rows,
                      const int cols, const bool is_max)
{
    vec sum = vec_load(src);
    for (int y = 0; y < rows; y++) {
        for (int x = y ? 0 : 1; x < cols; x++) {
            vec value = vec_load(src + y * down + x * right);
            sum = is_max ? vec_max(sum, value) : vec_add(sum, value);
        }
    }
    return sum;
}

/* The sum of a large window. */
static vec sum_large(const float *src, ptrdiff_t down, ptrdiff_t right, int rows, int cols)
{
    double total[CVK_VLEN];
    float sum[CVK_VLEN];
    sums_start(SUMS_PLAIN, total);
    for (int y = 0; y < rows; y++)
        sums_lanes(SUMS_PLAIN, src + y * down, cols, right, vec_zero(), total);
    for (int l = 0; l < CVK_VLEN; l++) sum[l] = (float)total[l];
    return vec_load(sum);
}

CVK_INLINE vec window_any(const cvk_geom *p, const float *src, int rows, int cols,
                          const bool is_max)
{
    ptrdiff_t down = (ptrdiff_t)p->dh * p->iw * CVK_VLEN, right = (ptrdiff_t)p->dw * CVK_VLEN;
    if (rows <= 0 || cols <= 0) return is_max ? vec_set1(-INFINITY) : vec_zero();
    if (rows == 2 && cols == 2) return window(src, down, right, 2, 2, is_max);
    if (rows == 3 && cols == 3) return window(src, down, right, 3, 3, is_max);
    if (rows * cols >= LARGE_WINDOW && !is_max) return sum_large(src, down, right, rows, cols);
    return window(src, down, right, rows, cols, is_max);
}

/* A row of maxima over 2 x 2, none of them cut off. */
static void max_row2(const cvk_geom *p, const float *line, float *dst, int step)
{
    ptrdiff_t down = (ptrdiff_t)p->dh * p->iw * CVK_VLEN, right = (ptrdiff_t)p->dw * CVK_VLEN;
    for (int i = 0; i < p->ow; i++, line += p->sw * CVK_VLEN, dst += step)
        vec_store(dst, window(line, down, right, 2, 2, true));
}

void CVK_FN(cvk_conv_pool_row)(const cvk_geom *p, const cvk_pool_params *params, int row,
                               const float *src, int first, float *dst, int step)
{
    const bool is_max = params->kind == CVK_POOL_MAX;
    int y = row * p->sh - p->pt, ky, ky_end;
    clip(y, p->kh, p->dh, p->ih, &ky, &ky_end);
    const float *line = src + (ptrdiff_t)(y + ky * p->dh - first) * p->iw * CVK_VLEN;
    int y_count = counted(params, y, p->kh, p->dh, p->ih, p->pt, p->pb);
    int last = p->iw - 1 - (p->kw - 1) * p->dw; /* begin of a window that is not cut off */
    if (is_max && ky_end - ky == 2 && p->kw == 2 && p->pl == 0 && (p->ow - 1) * p->sw <= last) {
        max_row2(p, line, dst, step);
        return;
    }
    for (int i = 0; i < p->ow; i++, dst += step) {
        int x = i * p->sw - p->pl, kx = 0, kx_end = p->kw;
        if (x < 0 || x > last) clip(x, p->kw, p->dw, p->iw, &kx, &kx_end);
        const float *at = line + (ptrdiff_t)(x + kx * p->dw) * CVK_VLEN;
        if (is_max) {
            vec_store(dst, window_any(p, at, ky_end - ky, kx_end - kx, true));
        } else {
            int count = y_count * counted(params, x, p->kw, p->dw, p->iw, p->pl, p->pr);
            vec sum = window_any(p, at, ky_end - ky, kx_end - kx, false);
            vec_store(dst, vec_div(sum, vec_set1((float)count)));
        }
    }
}

void CVK_FN(cvk_conv_pool_rows)(const conv_plan *plan, const conv_pool_band *band, const float *src,
                                const chain *post, int image, int channel, float *line, void *dst)
{
    const cvk_geom *p = &plan->pool;
    ptrdiff_t blocks = (plan->g.oc + CVK_BLOCK - 1) / CVK_BLOCK;
    ptrdiff_t plane =
        (image * blocks + channel / CVK_BLOCK) * p->oh * p->ow * CVK_BLOCK + channel % CVK_BLOCK;
    const int step = plan->half ? CVK_VLEN : CVK_BLOCK;
    for (int row = band->row; row < band->row + band->rows; row++) {
        ptrdiff_t at = plane + (ptrdiff_t)row * p->ow * CVK_BLOCK;
        float *to = plan->half ? line : (float *)dst + at;
        CVK_FN(cvk_conv_pool_row)(p, &plan->pool_params, row, src, band->first, to, step);
        if (post->n) CVK_FN(cvk_chain_lanes)(post, to, step, 0, 0, p->ow, channel);
        for (int i = 0; plan->half && i < p->ow; i++)
            row_store(dst, at + (ptrdiff_t)i * CVK_BLOCK, vec_load(line + (ptrdiff_t)i * CVK_VLEN),
                      true);
    }
}
