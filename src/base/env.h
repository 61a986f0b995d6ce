/* SPDX-License-Identifier: Apache-2.0
 *
 * The only reader of environment variables.
 *   CONVOKE_CL_DIR     read .cl files from this folder instead of the copies built in (development)
 *   CONVOKE_CACHE_DIR  the folder of the store; empty: no store. If unset, the folder "convoke" in
 *                      XDG_CACHE_HOME or in HOME/.cache
 */
#ifndef CVK_BASE_ENV_H
#define CVK_BASE_ENV_H

#include <stdbool.h>
#include <stddef.h>

const char *cvk_env_cl_dir(void); /* NULL if unset or empty */

/* The folder of the store; false if it is switched off, if there is no home, or if the path is
 * longer than fits. */
bool cvk_env_cache_dir(char *dir, size_t size);

#endif
