/* SPDX-License-Identifier: Apache-2.0
 *
 * The register tile of a matrix product: rows x vecs of sums, one broadcast of A per row and step.
 * A single row (a vector times a matrix) has too few sums to hide the latency of the multiply-adds,
 * so it keeps four sets of them. B is float32 or float16 (`half`, a literal where these are
 * inlined), which becomes float32 on its way into a register.
 */
#include "kernels/cpu/act.h"
#include "kernels/cpu/gemm_core.h"
#include "kernels/cpu/half.h"
#include "kernels/cpu/unroll.h"

enum { SETS = 4 };

CVK_INLINE vec load(const float *src, int lanes)
{
    return lanes == CVK_VLEN ? vec_load(src) : vec_load_n(src, lanes);
}

CVK_INLINE void store(const gemm_tile *t, vec x, int row, int col, int lanes)
{
    float *dst = t->dst + row * t->dst_row + col;
    if (!t->first) x = vec_add(x, load(dst, lanes));
    if (t->last) {
        x = vec_mul(x, vec_set1(t->alpha));
        if (t->c) {
            const float *c = t->c + row * t->c_row + col * t->c_col;
            x = vec_fma(vec_set1(t->beta), t->c_col ? load(c, lanes) : vec_set1(*c), x);
        }
        if (t->res) x = vec_add(x, load(t->res + row * t->dst_row + col, lanes));
        if (t->clamp) x = vec_clamp(x, vec_set1(t->lo), vec_set1(t->hi));
    }
    if (lanes == CVK_VLEN)
        vec_store(dst, x);
    else
        vec_store_n(dst, x, lanes);
}

/* Of the last panel, whose last vec is not full: sums [rows][vecs][CVK_VLEN]. */
static __attribute__((noinline)) void store_partly(const gemm_tile *t, const float *sums, int rows,
                                                   int vecs)
{
    for (int i = 0; i < rows * vecs; i++) {
        int col = i % vecs * CVK_VLEN, left = t->cols - col;
        store(t, vec_load(sums + i * CVK_VLEN), i / vecs, col, left < CVK_VLEN ? left : CVK_VLEN);
    }
}

CVK_INLINE void store_all(const gemm_tile *t, const vec *acc, const int rows, const int vecs)
{
    if (t->cols < vecs * CVK_VLEN) {
        float sums[GEMM_ROWS * GEMM_PANEL];
        CVK_UNROLL for (int i = 0; i < rows * vecs; i++) vec_store(sums + i * CVK_VLEN, acc[i]);
        store_partly(t, sums, rows, vecs);
        return;
    }
    CVK_UNROLL for (int i = 0; i < rows * vecs; i++)
        store(t, acc[i], i / vecs, i % vecs * CVK_VLEN, CVK_VLEN);
}

/* The last vec of B is read again for each row where registers are one short, as in conv_tile.c. */
CVK_INLINE void tile(const gemm_tile *t, const int rows, const int vecs, const bool half)
{
    const int held = rows * vecs + vecs + 1 > CVK_VREGS ? vecs - 1 : vecs;
    vec acc[GEMM_ROWS * GEMM_VECS];
    CVK_UNROLL for (int i = 0; i < rows * vecs; i++) acc[i] = vec_zero();
    const float *a[GEMM_ROWS];
    CVK_UNROLL for (int r = 0; r < rows; r++) a[r] = t->a + r * t->a_row;
    const void *b = t->b;
    const ptrdiff_t step = t->a_step;
    ptrdiff_t at = 0;
    for (int k = 0; k < t->depth; k++, at += step, b = row_at(b, GEMM_PANEL, half)) {
        vec y[GEMM_VECS];
        const void *last = row_at(b, held * CVK_VLEN, half);
        CVK_UNROLL for (int v = 0; v < held; v++) y[v] = row_load(b, v * CVK_VLEN, half);
        CVK_UNROLL for (int r = 0; r < rows; r++)
        {
            vec x = vec_set1(a[r][at]);
            CVK_UNROLL for (int v = 0; v < held; v++) acc[r * vecs + v] =
                vec_fma(x, y[v], acc[r * vecs + v]);
            if (held == vecs) continue;
            acc[r * vecs + held] = vec_fma(x, row_load(last, 0, half), acc[r * vecs + held]);
            CVK_OPAQUE(last);
        }
    }
    store_all(t, acc, rows, vecs);
}

CVK_INLINE void single(const gemm_tile *t, const int vecs, const bool half)
{
    vec acc[SETS * GEMM_VECS];
    CVK_UNROLL for (int i = 0; i < SETS * vecs; i++) acc[i] = vec_zero();
    int k = 0;
    for (; k + SETS <= t->depth; k += SETS) {
        CVK_UNROLL for (int s = 0; s < SETS; s++)
        {
            vec x = vec_set1(t->a[(k + s) * t->a_step]);
            CVK_UNROLL for (int v = 0; v < vecs; v++) acc[s * vecs + v] =
                vec_fma(x, row_load(t->b, (ptrdiff_t)(k + s) * GEMM_PANEL + v * CVK_VLEN, half),
                        acc[s * vecs + v]);
        }
    }
    for (; k < t->depth; k++) {
        vec x = vec_set1(t->a[k * t->a_step]);
        CVK_UNROLL for (int v = 0; v < vecs; v++) acc[v] =
            vec_fma(x, row_load(t->b, (ptrdiff_t)k * GEMM_PANEL + v * CVK_VLEN, half), acc[v]);
    }
    CVK_UNROLL for (int v = 0; v < vecs; v++) acc[v] =
        vec_add(vec_add(acc[v], acc[vecs + v]), vec_add(acc[2 * vecs + v], acc[3 * vecs + v]));
    store_all(t, acc, 1, vecs);
}

CVK_INLINE void sized(const gemm_tile *t, const int rows, const int vecs, const bool half)
{
    if (rows <= (half ? GEMM_HALF_ROWS : GEMM_ROWS) && vecs <= GEMM_VECS) tile(t, rows, vecs, half);
}

CVK_INLINE void by_rows(const gemm_tile *t, const int vecs, const bool half)
{
    switch (t->rows) {
    case 1: single(t, vecs, half); break;
    case 2: sized(t, 2, vecs, half); break;
    case 3: sized(t, 3, vecs, half); break;
    case 4: sized(t, 4, vecs, half); break;
    case 5: sized(t, 5, vecs, half); break;
    case 6: sized(t, 6, vecs, half); break;
    default: sized(t, 7, vecs, half); break;
    }
}

/* Panels are packed with zeros beyond the last column, so a level of more vecs than 4 has full
 * tiles only. */
CVK_INLINE void by_vecs(const gemm_tile *t, const bool half)
{
#if CVK_TILE1_OCV > 4
    by_rows(t, GEMM_VECS, half);
#else
    switch (t->vecs) {
    case 1: by_rows(t, 1, half); break;
#if CVK_TILE1_OCV > 1
    case 2: by_rows(t, 2, half); break;
#endif
#if CVK_TILE1_OCV > 2
    case 3: by_rows(t, 3, half); break;
#endif
#if CVK_TILE1_OCV > 3
    case 4: by_rows(t, 4, half); break;
#endif
    }
#endif
}

void CVK_FN(cvk_gemm_tile)(const gemm_tile *t)
{
    if (t->half)
        by_vecs(t, true);
    else
        by_vecs(t, false);
}
