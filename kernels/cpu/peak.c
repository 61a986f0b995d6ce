/* SPDX-License-Identifier: Apache-2.0
 *
 * The two limits of a core: multiply-adds in chains that do not wait for each other, and reading
 * memory in order.
 */
#include "kernels/cpu/peak.h"

/* More than latency x units of any core (4 x 2), and all in registers with 16 of them. On the
 * scalar level the compiler packs neighbouring chains into the base level's registers. */
enum { CHAINS = 12, WIDE = CVK_VLEN == 1 ? 4 : 1, STEPS = 16, STREAMS = 4 };

double CVK_FN(cvk_cpu_peak_fma)(int64_t rounds, float *sink)
{
    vec acc[CHAINS * WIDE];
    const vec a = vec_set1(0.9999f + *sink * 0.0f), b = vec_set1(1e-4f);
    for (int i = 0; i < CHAINS * WIDE; i++) acc[i] = vec_set1((float)i);
    for (int64_t r = 0; r < rounds; r++) {
        for (int s = 0; s < STEPS; s++) {
#pragma GCC unroll 48
            for (int i = 0; i < CHAINS * WIDE; i++) acc[i] = vec_fma(acc[i], a, b);
        }
    }
    vec sum = vec_zero();
    for (int i = 0; i < CHAINS * WIDE; i++) sum = vec_add(sum, acc[i]);
    *sink = vec_sum(sum);
    return 2.0 * CVK_VLEN * CHAINS * WIDE * STEPS * (double)rounds;
}

void CVK_FN(cvk_cpu_peak_read)(const float *src, size_t count, float *sink)
{
    enum { LANES = 16 / CVK_VLEN * STREAMS };
    vec acc[LANES];
    for (int i = 0; i < LANES; i++) acc[i] = vec_zero();
    for (size_t at = 0; at + LANES * CVK_VLEN <= count; at += LANES * CVK_VLEN) {
#pragma GCC unroll 64
        for (int i = 0; i < LANES; i++) acc[i] = vec_max(acc[i], vec_load(src + at + i * CVK_VLEN));
    }
    vec top = vec_zero();
    for (int i = 0; i < LANES; i++) top = vec_max(top, acc[i]);
    *sink = vec_hmax(top);
}
