/* SPDX-License-Identifier: Apache-2.0
 *
 * The end of a command that ran on one device or on each: JSON or a table.
 */
#ifndef CVK_CLI_RESULTS_H
#define CVK_CLI_RESULTS_H

#include "cli/setup.h"
#include "cli/table.h"

/* Prints `runs` (one object per device) or the table, whose first row is its head; frees the table.
 */
void results_print(const shared_options *shared, json_t *runs, table *table);

#endif
