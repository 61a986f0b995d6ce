/* SPDX-License-Identifier: Apache-2.0
 *
 * Where pieces of storage with a life of their own lie in one buffer.
 */
#ifndef CVK_SCHEDULE_OFFSETS_H
#define CVK_SCHEDULE_OFFSETS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

/* A piece of storage and the nodes between which it is alive, both included. */
typedef struct cvk_block {
    int root, space, first, last;
    size_t bytes, offset;
} cvk_block;

/* The most bytes that are alive at one node: no buffer can be smaller. nodes: more than any last. */
size_t cvk_offsets_bound(const cvk_block *blocks, int count, int nodes);

/* Sets the offsets; *bytes is the buffer's size. Searches while that is above `bound`, for a time
 * that grows with count^2 only. false: no memory. */
bool cvk_offsets_assign(cvk_arena *arena, cvk_block *blocks, int count, size_t bound,
                        size_t *bytes);

#endif
