/* SPDX-License-Identifier: Apache-2.0
 *
 * What this processor can do (cpuinfo), as far as kernels ask, under a mask that a test can lower.
 */
#ifndef CVK_BASE_CPU_H
#define CVK_BASE_CPU_H

#include <stdbool.h>
#include <stddef.h>

/* Instruction-set levels for which the CPU kernels are compiled, lowest first:
 * X(enumerator suffix, name). */
#define CVK_ISA_LIST(X)                                                                            \
    X(SCALAR, "scalar")                                                                            \
    X(AVX2, "avx2")                                                                                \
    X(AVX512, "avx512")                                                                            \
    X(NEON, "neon")

typedef enum cvk_isa {
#define CVK_ISA_ENUM(id, name) CVK_ISA_##id,
    CVK_ISA_LIST(CVK_ISA_ENUM)
#undef CVK_ISA_ENUM
        CVK_ISA_COUNT
} cvk_isa;

const char *cvk_isa_name(cvk_isa isa);
bool cvk_isa_parse(const char *name, cvk_isa *isa);

/* Whether this processor (and this build) can run that level. */
bool cvk_cpu_has(cvk_isa isa);
cvk_isa cvk_cpu_best_isa(void);

int cvk_cpu_cores(void); /* that this process may use; at least 1 */
const char *cvk_cpu_name(void);
size_t cvk_cpu_cache_bytes(
    int level); /* data cache of one core at level 1, 2, 3; a usual size if unknown */

#endif
