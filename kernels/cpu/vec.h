/* SPDX-License-Identifier: Apache-2.0
 *
 * The one vocabulary in which CPU kernels are written. Every kernel file is compiled once per
 * instruction-set level with -DCVK_ISA=scalar|avx2|avx512|neon, and this header brings in
 * vec_<level>.h, which gives the same functions and constants:
 *
 *   CVK_VLEN                 floats in a vec: 1, 8, 16, 4
 *   CVK_VPB                  vecs in a channel block of 16 (CVK_BLOCK / CVK_VLEN)
 *   CVK_VREGS                vector registers
 *   CVK_TILE_PX, CVK_TILE_OCV      pixels x output-channel vecs of a convolution's register tile for
 *                            long reductions; CVK_TILE1_PX, CVK_TILE1_OCV for 1x1 (see each header)
 *   vec                      the register type;  vmask  a mask of its lanes;  vindex  an index for
 *                            each
 *
 *   vec_zero() vec_set1(float) vec_load(const float *) vec_store(float *, vec)      unaligned
 *   vec_load_n(const float *, int n) vec_store_n(float *, vec, int n)    n in 0..CVK_VLEN lanes, the
 *                            others read as 0 / stay unwritten; no access beyond n
 *   vec_load_stride(const float *, ptrdiff_t stride)                     one element per lane
 *   vec_load_even(const float *)         src[0], src[2], ...; reads 2 CVK_VLEN floats
 *   vec_load_half(const uint16_t *) vec_store_half(uint16_t *, vec)      float16, rounded to nearest
 *                            even
 *   vec_add vec_sub vec_mul vec_div vec_min vec_max (a, b)     min and max return b if a is NaN
 *   vec_fma(a, b, c)         a b + c, rounded once where the level has FMA
 *   vec_sqrt(a) vec_abs(a) vec_round(a) vec_floor(a)           round: half to even
 *   vec_lt(a, b)  -> vmask   vec_select(mask, a, b)            mask ? a : b
 *   vec_index(const int32 *) -> vindex   vec_pick(a, index)   lane index[i] of a in lane i; indices
 *                            in 0..CVK_VLEN - 1
 *   vec_sum(a) vec_hmax(a)   -> float, over lanes
 *   vec_exp(a) vec_log(a) vec_tanh(a) vec_sigmoid(a)           relative error at most 4 ulp or so (see
 *                            vec_math.h, one file over the functions above); overflow and underflow
 *                            go to inf and 0, NaN stays NaN
 *   vec_expm1(a)             exp(a) - 1, also near 0
 *   vec_log1p(a)             log(1 + a), a in [0, 1], also near 0
 *   vec_erf(a) vec_erfc(a)   the error function, and 1 - erf(a) for a of 0 or more, also where that
 *                            is next to nothing; vec_erfcx(a) is exp(a^2) times the latter
 *   vec_ldexp(a, n)          a 2^n, n integral in [-252, 252]: what vec_exp needs
 *   vec_logb(a)              the exponent of a positive normal number: what vec_log needs
 *   vec_transpose(vec v[CVK_VLEN])           a square of CVK_VLEN x CVK_VLEN floats, in place
 *   vec_prefetch(const void *)
 *
 * CVK_FN(name) is name_<level>: every function with external linkage in a kernel file is called so.
 */
#ifndef CVK_KERNELS_CPU_VEC_H
#define CVK_KERNELS_CPU_VEC_H

#define CVK_CAT_(a, b) a##_##b
#define CVK_CAT(a, b) CVK_CAT_(a, b)
#define CVK_FN(name) CVK_CAT(name, CVK_ISA)

#define CVK_ISA_IS_scalar 1
#define CVK_ISA_IS_avx2 2
#define CVK_ISA_IS_avx512 3
#define CVK_ISA_IS_neon 4
#define CVK_ISA_NUMBER CVK_CAT(CVK_ISA_IS, CVK_ISA)

#if CVK_ISA_NUMBER == 1
#include "kernels/cpu/vec_scalar.h"
#elif CVK_ISA_NUMBER == 2
#include "kernels/cpu/vec_avx2.h"
#elif CVK_ISA_NUMBER == 3
#include "kernels/cpu/vec_avx512.h"
#elif CVK_ISA_NUMBER == 4
#include "kernels/cpu/vec_neon.h"
#else
#error "this instruction-set level has no vec header yet"
#endif

/* A level with many sums needs no unrolling. */
#ifndef CVK_UNROLL_STEPS
#define CVK_UNROLL_STEPS
#endif

#include "kernels/cpu/vec_math.h"

#endif
