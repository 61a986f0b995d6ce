/* SPDX-License-Identifier: Apache-2.0
 *
 * The register tile of plain-output convolutions: up to 4 output channels x some vecs of pixels.
 * The last pixels of a row are read and written by masks, so that nothing beyond the row is
 * touched.
 */
#include "graph/shape.h"
#include "kernels/cpu/act.h"
#include "kernels/cpu/conv_tile.h"
#include "kernels/cpu/unroll.h"

enum { MOST_VECS = CONV_PLANES_PX / CVK_VLEN };

CVK_INLINE void put(const conv_tile *t, float *dst, const float *res, vec x, int lanes)
{
    if (t->px_step == 1) {
        if (res) x = vec_add(x, vec_load_n(res, lanes));
        if (t->clamp) x = vec_clamp(x, vec_set1(t->lo), vec_set1(t->hi));
        vec_store_n(dst, x, lanes);
        return;
    }
    float buffer[CVK_VLEN];
    vec_store(buffer, x);
    for (int i = 0; i < lanes; i++) {
        float y = buffer[i] + (res ? res[i * t->px_step] : 0.0f);
        if (t->clamp && y < t->lo) y = t->lo;
        if (t->clamp && y > t->hi) y = t->hi;
        dst[i * t->px_step] = y;
    }
}

/* rest: pixels in the last vec; whole: all of them. */
CVK_INLINE void tile(const conv_tile *t, int at, int rest, const int ocs, const int vecs,
                     const bool whole)
{
    vec acc[CONV_PLANES_OC * MOST_VECS];
    CVK_UNROLL for (int i = 0; i < ocs * vecs; i++) acc[i] = vec_set1(t->bias[i / vecs]);
    const float *wgt = t->wgt;
    for (int b = 0; b < t->blocks; b++) {
        const float *block = t->src + at + b * t->block_step;
        for (int k = 0; k < t->taps; k++, wgt += ocs) {
            vec x[MOST_VECS];
            const float *src = block + t->off[k], *end = src + (vecs - 1) * CVK_VLEN;
            CVK_UNROLL for (int p = 0; p < vecs - 1; p++) x[p] = vec_load(src + p * CVK_VLEN);
            x[vecs - 1] = whole ? vec_load(end) : vec_load_n(end, rest);
            CVK_UNROLL for (int v = 0; v < ocs; v++) {
                vec w = vec_set1(wgt[v]);
                CVK_UNROLL for (int p = 0; p < vecs; p++)
                    acc[v * vecs + p] = vec_fma(w, x[p], acc[v * vecs + p]);
            }
        }
    }
    CVK_UNROLL for (int v = 0; v < ocs; v++) {
        ptrdiff_t plane = t->vec_off[v] + at * t->px_step;
        CVK_UNROLL for (int p = 0; p < vecs; p++) {
            ptrdiff_t pixel = plane + p * CVK_VLEN * t->px_step;
            put(t, t->dst + pixel, t->res ? t->res + pixel : NULL, acc[v * vecs + p],
                p == vecs - 1 ? rest : CVK_VLEN);
        }
    }
}

CVK_INLINE void either(const conv_tile *t, int at, int rest, const int ocs, const int vecs)
{
    if (rest == CVK_VLEN)
        tile(t, at, rest, ocs, vecs, true);
    else
        tile(t, at, rest, ocs, vecs, false);
}

CVK_INLINE void widths(const conv_tile *t, int at, int px, const int ocs)
{
    int rest = (px - 1) % CVK_VLEN + 1;
    switch ((px + CVK_VLEN - 1) / CVK_VLEN) {
    case 1: either(t, at, rest, ocs, 1); break;
    case 2: either(t, at, rest, ocs, 2); break;
#if CVK_VLEN == 16
    case 3: either(t, at, rest, ocs, 3); break;
    case 4: either(t, at, rest, ocs, 4); break;
    case 5: either(t, at, rest, ocs, 5); break;
    case 6: either(t, at, rest, ocs, 6); break;
#endif
    }
}

static void planes1(const conv_tile *t, int at, int px)
{
    widths(t, at, px, 1);
}
static void planes2(const conv_tile *t, int at, int px)
{
    widths(t, at, px, 2);
}
static void planes3(const conv_tile *t, int at, int px)
{
    widths(t, at, px, 3);
}
static void planes4(const conv_tile *t, int at, int px)
{
    widths(t, at, px, 4);
}

void CVK_FN(cvk_conv_tile_planes)(const conv_tile *t, int cols, int px_max)
{
    static void (*const by_channels[])(const conv_tile *, int, int) = {planes1, planes2, planes3,
                                                                       planes4};
    for (int at = 0; at < cols; at += px_max)
        by_channels[t->ocv - 1](t, at, cols - at < px_max ? cols - at : px_max);
}
