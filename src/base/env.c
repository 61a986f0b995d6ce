/* SPDX-License-Identifier: Apache-2.0
 *
 * Environment variables.
 */
#include "base/env.h"

#include <stdlib.h>

const char *cvk_env_cl_dir(void)
{
    const char *dir = getenv("CONVOKE_CL_DIR");
    return dir && *dir ? dir : NULL;
}
