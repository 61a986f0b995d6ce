/* SPDX-License-Identifier: Apache-2.0
 *
 * The register tile of conv_tile.h: one always_inline body, specialised by literal sizes in a
 * switch. A picture of one step of the reduction, ocv = 2, px = 3:
 *
 *        w0 w1      acc[0] += w0 x0   acc[1] += w0 x1   acc[2] += w0 x2
 *     x0 x1 x2      acc[3] += w1 x0   acc[4] += w1 x1   acc[5] += w1 x2      (x: one float,
 * broadcast)
 */
#include "kernels/cpu/conv_tile.h"

#include "graph/shape.h"
#include "kernels/cpu/act.h"
#include "kernels/cpu/unroll.h"

enum {
    TILE = CVK_TILE_OCV * CVK_TILE_PX,
    TILE1 = CVK_TILE1_OCV * CVK_TILE1_PX,
    ACCS = TILE > TILE1 ? TILE : TILE1,
    ALL = CONV_TILE_STEP > 1 ? CONV_TILE_STEP : 0 /* such a level has full tiles only */
};

CVK_INLINE void start(const conv_tile *t, const float *dst, vec *acc, const int ocv, const int px)
{
    CVK_UNROLL for (int v = 0; v < ocv; v++)
    {
        vec bias = t->bias ? vec_load(t->bias + v * CVK_VLEN) : vec_zero();
        CVK_UNROLL for (int p = 0; p < px; p++) acc[v * px + p] = bias;
    }
    if (t->bias) return;
    CVK_UNROLL for (int v = 0; v < ocv; v++)
    {
        CVK_UNROLL for (int p = 0; p < px; p++) acc[v * px + p] =
            vec_load(dst + t->vec_off[v] + p * t->px_step);
    }
}

CVK_INLINE void finish(const conv_tile *t, const float *res, float *dst, vec *acc, const int ocv,
                       const int px)
{
    if (res) {
        CVK_UNROLL for (int v = 0; v < ocv; v++)
        {
            CVK_UNROLL for (int p = 0; p < px; p++) acc[v * px + p] =
                vec_add(acc[v * px + p], vec_load(res + t->vec_off[v] + p * t->px_step));
        }
    }
    if (t->clamp) {
        CVK_UNROLL for (int i = 0; i < ocv * px; i++) acc[i] =
            vec_clamp(acc[i], vec_set1(t->lo), vec_set1(t->hi));
    }
    CVK_UNROLL for (int v = 0; v < ocv; v++)
    {
        CVK_UNROLL for (int p = 0; p < px; p++)
            vec_store(dst + t->vec_off[v] + p * t->px_step, acc[v * px + p]);
    }
}

/* Weights stay in registers but for the last vec's, where sums, weights and the input together are
 * one more than there are: these are read again for each pixel, as an operand of the
 * multiply-add. */
CVK_INLINE void step(const float *src, const float *wgt, vec *acc, const int ocv, const int px,
                     const int unit)
{
    const int held = ocv * px + ocv + 1 > CVK_VREGS ? ocv - 1 : ocv;
    const float *last = wgt + held * CVK_VLEN;
    vec w[CONV_TILE_MAX];
    CVK_UNROLL for (int v = 0; v < held; v++) w[v] = vec_load(wgt + v * CVK_VLEN);
    CVK_UNROLL for (int p = 0; p < px; p++)
    {
        vec x = vec_set1(src[p * unit]);
        CVK_UNROLL for (int v = 0; v < held; v++) acc[v * px + p] =
            vec_fma(w[v], x, acc[v * px + p]);
        if (held == ocv) continue;
        acc[held * px + p] = vec_fma(vec_load(last), x, acc[held * px + p]);
        CVK_OPAQUE(last);
    }
}

CVK_INLINE void tile(const conv_tile *t, int at, const int ocv, const int px, const int unit)
{
    vec acc[ACCS];
    float *dst = t->dst + at * t->px_step;
    start(t, dst, acc, ocv, px);
    const float *wgt = t->wgt;
    for (int b = 0; b < t->blocks; b++) {
        const float *block = t->src + at * unit + b * t->block_step;
        const int channels = unit == 1 ? 1 : b + 1 < t->blocks ? CVK_BLOCK : t->last;
        for (int k = 0; k < t->taps; k++) {
            const float *src = block + t->off[k];
            CVK_UNROLL_STEPS
            for (int c = 0; c < channels; c++, wgt += ocv * CVK_VLEN)
                step(src + c, wgt, acc, ocv, px, unit);
        }
    }
    finish(t, t->res ? t->res + at * t->px_step : NULL, dst, acc, ocv, px);
}

/* Sizes that this level's tiles never have compile to nothing. */
CVK_INLINE void sized(const conv_tile *t, int at, const int ocv, const int px, const int unit)
{
    if (ocv == 0 || (ALL > 0 && ocv != ALL)) return;
    if ((ocv <= CVK_TILE_OCV && px <= CVK_TILE_PX) || (ocv <= CVK_TILE1_OCV && px <= CVK_TILE1_PX))
        tile(t, at, ocv, px, unit);
}

CVK_INLINE void widths(const conv_tile *t, int at, int px, const int ocv, const int unit)
{
    switch (px) {
    case 1: sized(t, at, ocv, 1, unit); break;
    case 2: sized(t, at, ocv, 2, unit); break;
    case 3: sized(t, at, ocv, 3, unit); break;
    case 4: sized(t, at, ocv, 4, unit); break;
    case 5: sized(t, at, ocv, 5, unit); break;
    case 6: sized(t, at, ocv, 6, unit); break;
    case 7: sized(t, at, ocv, 7, unit); break;
    case 8: sized(t, at, ocv, 8, unit); break;
    case 9: sized(t, at, ocv, 9, unit); break;
    case 10: sized(t, at, ocv, 10, unit); break;
    case 11: sized(t, at, ocv, 11, unit); break;
    case 12: sized(t, at, ocv, 12, unit); break;
    case 13: sized(t, at, ocv, 13, unit); break;
    default: sized(t, at, ocv, 14, unit); break;
    }
}

/* One function per number of vecs, so that the compiler sees a dozen tiles at a time. */
static void blocked1(const conv_tile *t, int at, int px)
{
    widths(t, at, px, 1, CVK_BLOCK);
}
static void blocked2(const conv_tile *t, int at, int px)
{
    widths(t, at, px, 2, CVK_BLOCK);
}
static void blocked3(const conv_tile *t, int at, int px)
{
    widths(t, at, px, 3, CVK_BLOCK);
}
static void blocked4(const conv_tile *t, int at, int px)
{
    widths(t, at, px, 4, CVK_BLOCK);
}
static void blocked_all(const conv_tile *t, int at, int px)
{
    widths(t, at, px, ALL, CVK_BLOCK);
}
static void plain1(const conv_tile *t, int at, int px)
{
    widths(t, at, px, 1, 1);
}
static void plain2(const conv_tile *t, int at, int px)
{
    widths(t, at, px, 2, 1);
}
static void plain3(const conv_tile *t, int at, int px)
{
    widths(t, at, px, 3, 1);
}
static void plain4(const conv_tile *t, int at, int px)
{
    widths(t, at, px, 4, 1);
}
static void plain_all(const conv_tile *t, int at, int px)
{
    widths(t, at, px, ALL, 1);
}

typedef void (*tile_fn)(const conv_tile *, int, int);

static void row(const conv_tile *t, int cols, int px_max, tile_fn fn)
{
    int tiles = (cols + px_max - 1) / px_max;
    for (int i = 0, at = 0; i < tiles; i++) {
        int end = (int)((long long)cols * (i + 1) / tiles);
        fn(t, at, end - at);
        at = end;
    }
}

void CVK_FN(cvk_conv_tile_blocked)(const conv_tile *t, int cols, int px_max)
{
    static const tile_fn by_vecs[] = {blocked1, blocked2, blocked3, blocked4};
    row(t, cols, px_max, t->ocv == ALL ? blocked_all : by_vecs[t->ocv - 1]);
}

void CVK_FN(cvk_conv_tile_plain)(const conv_tile *t, int cols, int px_max)
{
    static const tile_fn by_vecs[] = {plain1, plain2, plain3, plain4};
    row(t, cols, px_max, t->ocv == ALL ? plain_all : by_vecs[t->ocv - 1]);
}
