/* SPDX-License-Identifier: Apache-2.0
 *
 * A plan's steps as JSON and as drawings.
 */
#ifndef CVK_CLI_PLAN_H
#define CVK_CLI_PLAN_H

#include "cli/setup.h"

/* A step by the keys of `convoke plan --json`. */
json_t *step_json(const cvk_step_info *step);

/* The whole drawing as text; free() it. */
char *plan_dot(const cvk_session *session);
char *plan_svg(const cvk_session *session);

#endif
