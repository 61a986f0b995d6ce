/* SPDX-License-Identifier: Apache-2.0
 *
 * An arena: memory that is taken piece by piece and given back at once. One per model, one per
 * session. Pieces are zeroed and aligned to 64 bytes where they are 64 bytes or larger, else to 16.
 */
#ifndef CVK_BASE_ARENA_H
#define CVK_BASE_ARENA_H

#include <stddef.h>

typedef struct cvk_arena cvk_arena;

cvk_arena *cvk_arena_create(void); /* NULL: out of memory */
void cvk_arena_free(cvk_arena **arena);

/* NULL when out of memory (cvk_last_error says so). `bytes` may be 0. */
void *cvk_arena_alloc(cvk_arena *arena, size_t bytes);
void *cvk_arena_copy(cvk_arena *arena, const void *src, size_t bytes);
char *cvk_arena_string(cvk_arena *arena, const char *text); /* NULL stays NULL */
char *cvk_arena_printf(cvk_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A larger copy of an array of the arena's: doubles *capacity until it holds `count` items; the old
 * piece stays where it is until the arena goes. */
void *cvk_arena_grow(cvk_arena *arena, void *items, size_t item_bytes, int count, int *capacity);

#endif
