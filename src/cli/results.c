/* SPDX-License-Identifier: Apache-2.0
 *
 * Results of one or more devices.
 */
#include "cli/results.h"

void results_print(const shared_options *shared, json_t *runs, table *table)
{
    if (shared->json)
        json_print_runs(runs, device_is_all(shared));
    else if (json_array_size(runs))
        table_print(table, stdout);
    table_free(table);
}
