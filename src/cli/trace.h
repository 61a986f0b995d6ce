/* SPDX-License-Identifier: Apache-2.0
 *
 * A profiled run as events of Chrome's trace format, which Perfetto (ui.perfetto.dev) opens: a
 * process per session, a row per worker or queue, a slice per step.
 */
#ifndef CVK_CLI_TRACE_H
#define CVK_CLI_TRACE_H

#include "cli/cli.h"

/* Appends the last run of a profiled session to `events` as process `pid` called `name`. run_ms:
 * how long the whole run took. */
void trace_append(json_t *events, const cvk_session *session, int pid, const char *name,
                  double run_ms);
int trace_write(json_t *events, const char *path);

#endif
