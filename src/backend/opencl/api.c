/* SPDX-License-Identifier: Apache-2.0
 *
 * Loads libOpenCL.so.1. A machine without it is a machine without OpenCL devices, not an error.
 */
#include "backend/opencl/api.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include "base/log.h"

cvk_cl_api cvk_cl;

static bool loaded;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static const char *const names[] = {
#define X(name) "cl" #name,
#include "backend/opencl/functions.def"
#undef X
};

enum { FUNCTIONS = sizeof names / sizeof names[0] };
_Static_assert(sizeof(cvk_cl_api) == FUNCTIONS * sizeof(void *), "one pointer per function");

/* Every function from one library; false, with the name of one that it lacks, if it does not have
 * all. */
static bool find_all(void *library, const char **missing)
{
    void *symbols[FUNCTIONS];
    for (int i = 0; i < FUNCTIONS; i++) {
        symbols[i] = dlsym(library, names[i]);
        *missing = names[i];
        if (!symbols[i]) return false;
    }
    memcpy(&cvk_cl, symbols, sizeof cvk_cl);
    return true;
}

/* An OpenCL that the program has already (linked or preloaded) is the one to share with it. */
static void load(void)
{
    const char *missing;
    void *program = dlopen(NULL, RTLD_NOW);
    loaded = program && find_all(program, &missing);
    if (loaded) return;
    void *library = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        cvk_log(CVK_LOG_INFO, "no OpenCL on this machine: %s", dlerror());
        return;
    }
    loaded = find_all(library, &missing);
    if (!loaded) cvk_log(CVK_LOG_WARN, "libOpenCL.so.1 lacks %s: OpenCL is not used", missing);
}

bool cvk_cl_load(void)
{
    pthread_once(&once, load);
    return loaded;
}
