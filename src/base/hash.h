/* SPDX-License-Identifier: Apache-2.0
 *
 * A hash of 128 bits by which data is found again. Not against people who look for two alike.
 */
#ifndef CVK_BASE_HASH_H
#define CVK_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Where one begins. */
#define CVK_HASH_START                                                                             \
    {                                                                                              \
        0x243f6a8885a308d3u, 0x13198a2e03707344u                                                   \
    }

/* Continues it over `count` bytes: as numbers of 8 bytes of this machine. */
void cvk_hash_bytes(uint64_t hash[2], const void *bytes, size_t count);

#endif
