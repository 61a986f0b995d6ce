/* SPDX-License-Identifier: Apache-2.0
 *
 * dst = posts(alpha A B + beta C), plain row-major dst of m x n. B is packed (constant weights) or
 * plain (any strides), and a product may be one of a batch.
 *
 *           k                      n: tiles of NB float16          dst
 *      A  [......]  MR rows     B  [....|....|....]  k rows       [....] MR x NB float16 per item
 *
 *   acc[r][b] (float16) += A[r][k] * B[k][b]
 *   packed B  [tile of NB * 16 columns][k][b] in float16 (16 floats, or with WGT_HALF 16 halves),
 *             zeros beyond column n
 *
 *   gemm       any m, packed B
 *   gemv       one row and packed B: four steps of k at a time, for as many loads in flight
 *   matmul     B as it lies, with strides; batches by the strides of their dimensions
 *   gemm_finish  dst = posts(dst + beta C), after a product that another library made
 *
 *   MR, NB    rows, and float16 columns, of the register tile
 *   WGT_HALF  1: packed B holds halves, which a load makes floats (no extension is needed); 0
 *             (default): floats
 */
#ifndef MR
#define MR 4
#endif
#ifndef NB
#define NB 4
#endif
#ifndef WGT_HALF
#define WGT_HALF 0
#endif

/* Packed B in its 16s. */
#if WGT_HALF
typedef half wgt_t;
#define WGT_LANES 16
#else
typedef float16 wgt_t;
#define WGT_LANES 1
#endif

INLINE float16 load_wgt(__global const wgt_t *wgt, size_t i)
{
#if WGT_HALF
    return vloada_half16(i, wgt);
#else
    return wgt[i];
#endif
}

/* cvk_cl_gemm of kernels/opencl/gemm.h. */
typedef struct {
    int m, n, k;
    int am, ak;        /* strides of A in floats */
    int bk, bn;        /* of a plain B */
    int has_c, cm, cn; /* strides of C: 0 where it repeats */
    float alpha, beta;
    int rank; /* dimensions of the batch, outermost first */
    int batch[6], step_a[6], step_b[6];
    posts_args posts;
} gemm_args;

/* Row r, 16 columns from n0, of the batch's product x: scaled, C added, posts, stored. */
OUTLINE void finish(float16 x, __global const float *c, __global const float *slope,
            __global const float *residual, __global float *dst, const gemm_args *a, size_t product,
            int r, int n0)
{
    const int count = a->n - n0;
    const size_t to = (product * a->m + r) * a->n + n0;
    float16 added = (float16)(0.0f), slopes = (float16)(0.0f);
    x *= a->alpha;
    if (a->has_c) {
        const size_t at = (size_t)r * a->cm + (size_t)n0 * a->cn;
        x += a->beta * (a->cn ? load_n(c + at, count) : (float16)(c[at]));
    }
    if (a->posts.add) added = load_n(residual + to, count);
    if (a->posts.prelu)
        slopes = a->posts.prelu == 1 ? load_n(slope + n0, count) : (float16)(slope[0]);
    store_n(apply_posts(&a->posts, x, added, slopes), dst + to, count);
}

/* The item's tile, rows from r0 and columns from n0, as far as they exist. */
INLINE void finish_tile(const float16 acc[MR * NB], __global const float *c,
                        __global const float *slope, __global const float *residual,
                        __global float *dst, const gemm_args *a, size_t product, int r0, int n0)
{
    float16 out[MR * NB];
#pragma unroll
    for (int i = 0; i < MR * NB; i++) out[i] = acc[i];
    for (int r = 0; r < min(MR, a->m - r0); r++)
        for (int b = 0; b < NB && n0 + b * 16 < a->n; b++)
            finish(out[r * NB + b], c, slope, residual, dst, a, product, r0 + r, n0 + b * 16);
}

/* Where the item's rows of A begin; rows beyond m repeat the last one. */
INLINE void rows_of(__global const float *rows[MR], __global const float *src, const gemm_args *a,
                    int r0)
{
#pragma unroll
    for (int r = 0; r < MR; r++) rows[r] = src + (size_t)min(r0 + r, a->m - 1) * a->am;
}

INLINE void clear(float16 acc[MR * NB])
{
#pragma unroll
    for (int i = 0; i < MR * NB; i++) acc[i] = (float16)(0.0f);
}

INLINE void outer_product(float16 acc[MR * NB], __global const float *rows[MR], size_t at,
                          const float16 w[NB])
{
#pragma unroll
    for (int r = 0; r < MR; r++) {
        const float16 x = (float16)(rows[r][at]);
#pragma unroll
        for (int b = 0; b < NB; b++) acc[r * NB + b] = mad16(x, w[b], acc[r * NB + b]);
    }
}

/* Items: tiles of rows, tiles of columns. */
__kernel void gemm(__global const float *src, __global const wgt_t *wgt, __global const float *c,
                   __global const float *slope, __global const float *residual, __global float *dst,
                   const gemm_args args)
{
    const int r0 = (int)get_global_id(0) * MR, t = (int)get_global_id(1);
    __global const float *rows[MR];
    float16 acc[MR * NB];
    wgt += (size_t)t * args.k * NB * WGT_LANES;
    rows_of(rows, src, &args, r0);
    clear(acc);
    for (int k = 0; k < args.k; k++, wgt += NB * WGT_LANES) {
        float16 w[NB];
#pragma unroll
        for (int b = 0; b < NB; b++) w[b] = load_wgt(wgt, b);
        outer_product(acc, rows, (size_t)k * args.ak, w);
    }
    finish_tile(acc, c, slope, residual, dst, &args, 0, r0, t * NB * 16);
}

/* Items: tiles of columns. */
__kernel void gemv(__global const float *src, __global const wgt_t *wgt, __global const float *c,
                   __global const float *slope, __global const float *residual, __global float *dst,
                   const gemm_args args)
{
    const int t = (int)get_global_id(0);
    float16 acc[4 * NB];
    int k = 0;
    wgt += (size_t)t * args.k * NB * WGT_LANES;
#pragma unroll
    for (int i = 0; i < 4 * NB; i++) acc[i] = (float16)(0.0f);
    for (; k + 4 <= args.k; k += 4, wgt += 4 * NB * WGT_LANES) {
#pragma unroll
        for (int i = 0; i < 4 * NB; i++)
            acc[i] =
                mad16((float16)(src[(size_t)(k + i / NB) * args.ak]), load_wgt(wgt, i), acc[i]);
    }
    for (; k < args.k; k++, wgt += NB * WGT_LANES) {
#pragma unroll
        for (int b = 0; b < NB; b++)
            acc[b] = mad16((float16)(src[(size_t)k * args.ak]), load_wgt(wgt, b), acc[b]);
    }
#pragma unroll
    for (int b = 0; b < NB; b++) {
        const int n0 = (t * NB + b) * 16;
        if (n0 < args.n)
            finish((acc[b] + acc[NB + b]) + (acc[2 * NB + b] + acc[3 * NB + b]), c, slope, residual,
                   dst, &args, 0, 0, n0);
    }
}

/* 16 columns of a row of plain B, `count` of which exist. */
OUTLINE float16 load_columns(__global const float *p, int step, int count)
{
    if (step == 1) return load_n(p, count);
    float lane[16];
    for (int i = 0; i < 16; i++) lane[i] = i < count ? p[(size_t)i * step] : 0.0f;
    return vload16(0, lane);
}

/* Items: tiles of rows, tiles of columns, products of the batch. */
__kernel void matmul(__global const float *src, __global const float *wgt, __global const float *c,
                     __global const float *slope, __global const float *residual,
                     __global float *dst, const gemm_args args)
{
    const int r0 = (int)get_global_id(0) * MR, n0 = (int)get_global_id(1) * NB * 16;
    const bool whole = args.bn == 1 && n0 + NB * 16 <= args.n;
    __global const float *rows[MR];
    float16 acc[MR * NB];
    size_t at_a = 0, at_b = 0;
    int rest = (int)get_global_id(2);
    for (int d = 5; d >= 0; d--) { /* unrolled */
        if (d >= args.rank) continue;
        at_a += (size_t)(rest % args.batch[d]) * args.step_a[d];
        at_b += (size_t)(rest % args.batch[d]) * args.step_b[d];
        rest /= args.batch[d];
    }
    rows_of(rows, src + at_a, &args, r0);
    wgt += at_b + (size_t)n0 * args.bn;
    clear(acc);
    for (int k = 0; k < args.k; k++, wgt += args.bk) {
        float16 w[NB];
#pragma unroll
        for (int b = 0; b < NB; b++)
            w[b] =
                whole ? vload16(b, wgt)
                      : load_columns(wgt + (size_t)b * 16 * args.bn, args.bn, args.n - n0 - b * 16);
        outer_product(acc, rows, (size_t)k * args.ak, w);
    }
    finish_tile(acc, c, slope, residual, dst, &args, get_global_id(2), r0, n0);
}

/* Items: 16 columns of a row. */
__kernel void gemm_finish(__global const float *c, __global const float *slope,
                          __global const float *residual, __global float *dst, const gemm_args args)
{
    const int n0 = (int)get_global_id(0) * 16, r = (int)get_global_id(1);
    const float16 x = load_n(dst + (size_t)r * args.n + n0, args.n - n0);
    finish(x, c, slope, residual, dst, &args, 0, r, n0);
}
