/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of networks, and what is the same for all: options, the input, the end.
 */
#include "zoo/zoo.h"

#include <string.h>

#include "zoo/net.h"

const cvk_zoo_entry cvk_zoo[] = {
#define X(id, name, channels, size, least, multiple, classes, about)                               \
    {name, about, channels, size, classes, least, multiple, cvk_zoo_##id},
#include "zoo/zoo.def"
#undef X
    {0},
};

const cvk_zoo_entry *cvk_zoo_find(const char *name)
{
    for (const cvk_zoo_entry *entry = cvk_zoo; entry->name; entry++)
        if (strcmp(entry->name, name) == 0) return entry;
    return NULL;
}

bool cvk_zoo_takes_size(const cvk_zoo_entry *entry, int size)
{
    if (size == 0) return true;
    return size >= entry->least && size <= CVK_ZOO_LARGEST && size % entry->multiple == 0;
}

cvk_status cvk_zoo_build(const cvk_zoo_entry *entry, const cvk_zoo_options *options,
                         cvk_model **model, int *depth)
{
    if (!cvk_zoo_takes_size(entry, options->size)) return CVK_BAD_ARGUMENT;
    net n;
    net_begin(&n, entry, options);
    entry->build(&n);
    return net_end(&n, model, depth);
}
