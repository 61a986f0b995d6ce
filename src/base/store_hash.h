/* SPDX-License-Identifier: Apache-2.0
 *
 * What store.c and store_file.c share: the format's number and the hash by which an entry is found
 * and believed.
 */
#ifndef CVK_BASE_STORE_HASH_H
#define CVK_BASE_STORE_HASH_H

#include <stddef.h>
#include <stdint.h>

enum { CVK_STORE_FORMAT = 1, CVK_STORE_MAX_PATH = 4096 };

/* FNV-1a, continued from `hash`. An entry's hash is that of its key, from the start below; its sum
 * is that hash continued over the data. */
#define CVK_STORE_HASH_START UINT64_C(0xcbf29ce484222325)
static inline uint64_t cvk_store_hash(uint64_t hash, const void *data, size_t bytes)
{
    const unsigned char *at = data;
    for (size_t i = 0; i < bytes; i++) hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

#endif
