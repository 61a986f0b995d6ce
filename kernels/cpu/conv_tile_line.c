/* SPDX-License-Identifier: Apache-2.0
 *
 * The register tile of convolutions with pictures in the lanes, by Winograd's algorithm along the
 * rows: F(6, 5) takes 10 multiply-adds for 30, F(4, 5) 8 for 20, F(6, 3) 8 for 18, F(4, 3) 6 for 12.
 * All points of a tile stay in registers over the whole reduction (source channels x rows of the
 * filter), so that nothing but results is stored:
 *
 *     acc[oc][point] += wgt[point][oc] (broadcast) * src[point]          then A' acc: 6 or 4 pixels
 *
 * Levels with fewer registers have no use for it: every sum would need its own broadcast.
 */
#include "graph/shape.h"
#include "kernels/cpu/act.h"
#include "kernels/cpu/conv_tile.h"
#include "kernels/cpu/unroll.h"
#include "kernels/cpu/winograd_axis.h"

enum { MOST_SIDE = 10, MOST_M = 6 };

/* Pixels beyond `left` are not there. */
CVK_INLINE void put(const conv_tile *t, const vec *acc, float *dst, int left, const int ocs,
                    const int m, const int side)
{
    CVK_UNROLL for (int v = 0; v < ocs; v++)
    {
        vec out[MOST_M];
        const vec bias = vec_set1(t->bias[v]);
        result1(acc + v * side, out, 1, m, side);
        CVK_UNROLL for (int i = 0; i < m; i++)
        {
            vec x = vec_add(out[i], bias);
            if (t->clamp) x = vec_clamp(x, vec_set1(t->lo), vec_set1(t->hi));
            if (i < left) vec_store(dst + t->vec_off[v] + i * CVK_VLEN, x);
        }
    }
}

/* points: floats from t->src to the tile's points; `at`, its first pixel. */
CVK_INLINE void tile(const conv_tile *t, const float *wgt, ptrdiff_t points, int at, int left,
                     const int ocs, const int m, const int side)
{
    vec acc[CONV_LINE_OC * MOST_SIDE];
    CVK_UNROLL for (int i = 0; i < ocs * side; i++) acc[i] = vec_zero();
    for (int b = 0; b < t->blocks; b++) {
        const float *block = t->src + points + b * t->block_step;
        for (int k = 0; k < t->taps; k++, wgt += side * ocs) {
            const float *src = block + t->off[k];
            CVK_UNROLL for (int p = 0; p < side; p++)
            {
                vec x = vec_load(src + p * CVK_VLEN);
                CVK_HELD(x);
                CVK_UNROLL for (int v = 0; v < ocs; v++) acc[v * side + p] =
                    vec_fma(vec_set1(wgt[p * ocs + v]), x, acc[v * side + p]);
            }
        }
    }
    put(t, acc, t->dst + (ptrdiff_t)at * CVK_VLEN, left, ocs, m, side);
}

CVK_INLINE void row(const conv_tile *t, const conv_line *line, int cols, const int ocs,
                    const int wide)
{
    ptrdiff_t points = 0;
    int at = 0;
    for (int i = 0; wide + 5 <= CONV_LINE_POINTS && i < line->six;
         i++, at += 6, points += (wide + 5) * CVK_VLEN)
        tile(t, line->wgt6, points, at, cols - at, ocs, 6, wide + 5);
    for (int i = 0; i < line->four; i++, at += 4, points += (wide + 3) * CVK_VLEN)
        tile(t, line->wgt4, points, at, cols - at, ocs, 4, wide + 3);
}

CVK_INLINE void by_channels(const conv_tile *t, const conv_line *line, int cols, const int wide)
{
    switch (t->ocv) {
    case 1: row(t, line, cols, 1, wide); break;
    case 2: row(t, line, cols, 2, wide); break;
    default: row(t, line, cols, 3, wide); break;
    }
}

void CVK_FN(cvk_conv_tile_line)(const conv_tile *t, const conv_line *line, int cols)
{
    if (!CONV_LINE) return;
    if (line->wide == 5)
        by_channels(t, line, cols, 5);
    else
        by_channels(t, line, cols, 3);
}

CVK_INLINE const float *source(const float *src, int tiles, float **dst, const int m,
                               const int side)
{
    for (int i = 0; i < tiles; i++, src += m * CVK_VLEN, *dst += side * CVK_VLEN) {
        vec in[MOST_SIDE], out[MOST_SIDE];
        CVK_UNROLL for (int p = 0; p < side; p++) in[p] = vec_load(src + p * CVK_VLEN);
        source1(in, out, 1, side);
        CVK_UNROLL for (int p = 0; p < side; p++) vec_store(*dst + p * CVK_VLEN, out[p]);
    }
    return src;
}

void CVK_FN(cvk_conv_line_source)(const float *src, const conv_line *line, float *dst)
{
    if (line->wide == 5) {
        src = source(src, line->six, &dst, 6, 10);
        source(src, line->four, &dst, 4, 8);
    } else {
        src = source(src, line->six, &dst, 6, 8);
        source(src, line->four, &dst, 4, 6);
    }
}
