/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of kernels.def at this instruction-set level, and the two measurements of it.
 */
#include "kernels/cpu/level.h"
#include "kernels/cpu/peak.h"
#include "kernels/cpu/vec.h"

#define X(symbol) extern const cvk_kernel CVK_FN(symbol);
#include "kernels/cpu/kernels.def"
#undef X

static const cvk_kernel *const rows[] = {
#define X(symbol) &CVK_FN(symbol),
#include "kernels/cpu/kernels.def"
#undef X
};

const cvk_cpu_level CVK_FN(cvk_cpu_level) = {
    .rows = rows,
    .n_rows = sizeof rows / sizeof *rows,
    .fma = CVK_FN(cvk_cpu_peak_fma),
    .read = CVK_FN(cvk_cpu_peak_read),
};
