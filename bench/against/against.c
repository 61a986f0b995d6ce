/* SPDX-License-Identifier: Apache-2.0
 *
 * The adaptors by name. Which of them are built is found out when CMake runs.
 */
#include "bench/against/against.h"

#include <string.h>

static const struct {
    const char *name;
    const against_library *library;
} known[] = {
#ifdef AGAINST_ONEDNN
    {"onednn", &against_onednn},
#else
    {"onednn", NULL},
#endif
#ifdef AGAINST_OPENBLAS
    {"openblas", &against_openblas},
#else
    {"openblas", NULL},
#endif
#ifdef AGAINST_CLBLAST
    {"clblast", &against_clblast},
#else
    {"clblast", NULL},
#endif
#ifdef AGAINST_XNNPACK
    {"xnnpack", &against_xnnpack},
#else
    {"xnnpack", NULL},
#endif
};

bool against_find(const char *name, const against_library **found)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].name, name) != 0) continue;
        *found = known[i].library;
        return true;
    }
    return false;
}
