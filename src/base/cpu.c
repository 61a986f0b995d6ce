/* SPDX-License-Identifier: Apache-2.0
 *
 * cpuinfo, asked once.
 */
#define _GNU_SOURCE
#include "base/cpu.h"

#include <cpuinfo.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool known;
static char name[CPUINFO_PACKAGE_NAME_MAX + 1];

static void ask(void)
{
    known = cpuinfo_initialize();
    const struct cpuinfo_package *package = known ? cpuinfo_get_package(0) : NULL;
    memcpy(name, "CPU", 4);
    if (package && package->name[0]) strncpy(name, package->name, sizeof name - 1);
}

const char *cvk_isa_name(cvk_isa isa)
{
    static const char *const names[] = {
#define ISA_NAME(id, text) text,
        CVK_ISA_LIST(ISA_NAME)
#undef ISA_NAME
    };
    return isa < CVK_ISA_COUNT ? names[isa] : "unknown";
}

bool cvk_isa_parse(const char *text, cvk_isa *isa)
{
    for (int i = 0; i < CVK_ISA_COUNT; i++) {
        if (strcmp(text, cvk_isa_name((cvk_isa)i)) != 0) continue;
        *isa = (cvk_isa)i;
        return true;
    }
    return false;
}

bool cvk_cpu_has(cvk_isa isa)
{
    pthread_once(&once, ask);
    switch (isa) {
    case CVK_ISA_SCALAR: return true;
#if defined(__x86_64__)
    case CVK_ISA_AVX2:
        return known && cpuinfo_has_x86_avx2() && cpuinfo_has_x86_fma3() && cpuinfo_has_x86_f16c();
    case CVK_ISA_AVX512:
        return known && cpuinfo_has_x86_avx512f() && cpuinfo_has_x86_avx512bw() &&
               cpuinfo_has_x86_avx512dq() && cpuinfo_has_x86_avx512vl();
#elif defined(__aarch64__)
    case CVK_ISA_NEON: return true; /* part of the architecture */
#endif
    default: return false;
    }
}

cvk_isa cvk_cpu_best_isa(void)
{
    for (int isa = CVK_ISA_COUNT - 1; isa > 0; isa--)
        if (cvk_cpu_has((cvk_isa)isa)) return (cvk_isa)isa;
    return CVK_ISA_SCALAR;
}

int cvk_cpu_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
    return 1;
}

const char *cvk_cpu_name(void)
{
    pthread_once(&once, ask);
    return name;
}

size_t cvk_cpu_cache_bytes(int level)
{
    static const size_t usual[] = {32u << 10, 1u << 20, 16u << 20};
    pthread_once(&once, ask);
    const struct cpuinfo_cache *cache = NULL;
    if (known && level == 1) cache = cpuinfo_get_l1d_cache(0);
    if (known && level == 2) cache = cpuinfo_get_l2_cache(0);
    if (known && level == 3) cache = cpuinfo_get_l3_cache(0);
    return cache && cache->size ? cache->size : usual[level < 1 ? 0 : level > 3 ? 2 : level - 1];
}
