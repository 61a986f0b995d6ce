/* SPDX-License-Identifier: Apache-2.0
 *
 * What one core can do at this level: see kernels/cpu/level.h.
 */
#ifndef CVK_KERNELS_CPU_PEAK_H
#define CVK_KERNELS_CPU_PEAK_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/cpu/vec.h"

double CVK_FN(cvk_cpu_peak_fma)(int64_t rounds, float *sink);
void CVK_FN(cvk_cpu_peak_read)(const float *src, size_t count, float *sink);

#endif
