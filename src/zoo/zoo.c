/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of networks.
 */
#include "zoo/zoo.h"

#include <string.h>

const cvk_zoo_entry cvk_zoo[] = {
    {"lenet5", "LeNet-5, 1x32x32: 61,706 parameters at 10 classes", cvk_zoo_lenet5},
    {"lenet5-rgb", "the lectures' LeNet-5, 3x32x32, 8 first filters: 62,958 parameters",
     cvk_zoo_lenet5_rgb},
    {NULL, NULL, NULL},
};

cvk_status cvk_zoo_build(const char *name, const cvk_zoo_options *options, cvk_model **model)
{
    for (const cvk_zoo_entry *entry = cvk_zoo; entry->name; entry++)
        if (strcmp(entry->name, name) == 0) return entry->build(options, model);
    return CVK_BAD_ARGUMENT;
}
