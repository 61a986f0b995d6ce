/* SPDX-License-Identifier: Apache-2.0
 *
 * What one instruction-set level of the CPU kernels offers: filled in by table.c, once per
 * level, and chosen from by backend/cpu/cpu.c.
 */
#ifndef CVK_KERNELS_CPU_LEVEL_H
#define CVK_KERNELS_CPU_LEVEL_H

#include "backend/kernel.h"

typedef struct cvk_cpu_level {
    const cvk_kernel *const *rows; /* in the order of kernels.def */
    int n_rows;
    /* Measurements of one core. fma: `rounds` rounds of independent multiply-adds, returns
     * operations done; read: walks `count` floats. What they compute goes to *sink. */
    double (*fma)(int64_t rounds, float *sink);
    void (*read)(const float *src, size_t count, float *sink);
} cvk_cpu_level;

/* Levels compiled for this architecture, lowest first: X(name, cvk_isa suffix). */
#if defined(__x86_64__)
#define CVK_CPU_LEVEL_LIST(X) X(scalar, SCALAR) X(avx2, AVX2) X(avx512, AVX512)
#elif defined(__aarch64__)
#define CVK_CPU_LEVEL_LIST(X) X(scalar, SCALAR) X(neon, NEON)
#else
#define CVK_CPU_LEVEL_LIST(X) X(scalar, SCALAR)
#endif

#define CVK_CPU_LEVEL_EXTERN(name, isa) extern const cvk_cpu_level cvk_cpu_level_##name;
CVK_CPU_LEVEL_LIST(CVK_CPU_LEVEL_EXTERN)
#undef CVK_CPU_LEVEL_EXTERN

#endif
