/* SPDX-License-Identifier: Apache-2.0
 *
 * The only reader of environment variables.
 *   CONVOKE_CL_DIR  read .cl files from this folder instead of the copies built in (development)
 */
#ifndef CVK_BASE_ENV_H
#define CVK_BASE_ENV_H

const char *cvk_env_cl_dir(void); /* NULL if unset or empty */

#endif
