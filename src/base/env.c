/* SPDX-License-Identifier: Apache-2.0
 *
 * Environment variables.
 */
#include "base/env.h"

#include <stdio.h>
#include <stdlib.h>

const char *cvk_env_cl_dir(void)
{
    const char *dir = getenv("CONVOKE_CL_DIR");
    return dir && *dir ? dir : NULL;
}

bool cvk_env_cache_dir(char *dir, size_t size)
{
    const char *own = getenv("CONVOKE_CACHE_DIR"), *caches = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    int length = 0;
    if (own)
        length = snprintf(dir, size, "%s", own);
    else if (caches && *caches == '/') /* the standard has relative paths ignored */
        length = snprintf(dir, size, "%s/convoke", caches);
    else if (home && *home)
        length = snprintf(dir, size, "%s/.cache/convoke", home);
    return length > 0 && (size_t)length < size;
}
