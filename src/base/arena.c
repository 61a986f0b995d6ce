/* SPDX-License-Identifier: Apache-2.0
 *
 * The arena: a list of blocks; a piece larger than a block gets one of its own.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"

enum { BLOCK_BYTES = 64 * 1024, LARGE_ALIGN = 64, SMALL_ALIGN = 16 };

typedef struct block {
    struct block *next;
    size_t used, bytes;
    unsigned char *data;
} block;

struct cvk_arena {
    block *blocks; /* the one being filled first */
};

cvk_arena *cvk_arena_create(void)
{
    cvk_arena *arena = calloc(1, sizeof *arena);
    if (!arena) cvk_fail(CVK_NO_MEMORY, "out of memory: no arena");
    return arena;
}

void cvk_arena_free(cvk_arena **arena)
{
    if (!arena || !*arena) return;
    for (block *b = (*arena)->blocks, *next; b; b = next) {
        next = b->next;
        free(b->data);
        free(b);
    }
    free(*arena);
    *arena = NULL;
}

static block *add_block(size_t bytes)
{
    block *b = calloc(1, sizeof *b);
    size_t rounded = (bytes + LARGE_ALIGN - 1) / LARGE_ALIGN * LARGE_ALIGN;
    if (b && rounded >= bytes) b->data = aligned_alloc(LARGE_ALIGN, rounded);
    if (!b || !b->data) {
        free(b);
        cvk_fail(CVK_NO_MEMORY, "out of memory: %zu bytes", bytes);
        return NULL;
    }
    memset(b->data, 0, rounded);
    b->bytes = rounded;
    return b;
}

void *cvk_arena_alloc(cvk_arena *arena, size_t bytes)
{
    size_t align = bytes >= LARGE_ALIGN ? LARGE_ALIGN : SMALL_ALIGN;
    block *top = arena->blocks;
    size_t at = top ? (top->used + align - 1) / align * align : 0;
    if (top && at <= top->bytes && bytes <= top->bytes - at) {
        top->used = at + bytes;
        return top->data + at;
    }
    bool own = bytes >= BLOCK_BYTES / 4;
    block *b = add_block(own ? bytes : BLOCK_BYTES);
    if (!b) return NULL;
    b->used = bytes;
    if (own && top) { /* keep filling the block in hand */
        b->next = top->next;
        top->next = b;
    } else {
        b->next = top;
        arena->blocks = b;
    }
    return b->data;
}

void *cvk_arena_copy(cvk_arena *arena, const void *src, size_t bytes)
{
    void *dst = cvk_arena_alloc(arena, bytes);
    if (dst && bytes) memcpy(dst, src, bytes);
    return dst;
}

char *cvk_arena_string(cvk_arena *arena, const char *text)
{
    return text ? cvk_arena_copy(arena, text, strlen(text) + 1) : NULL;
}

char *cvk_arena_printf(cvk_arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = length < 0 ? NULL : cvk_arena_alloc(arena, (size_t)length + 1);
    if (text) vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

void *cvk_arena_grow(cvk_arena *arena, void *items, size_t item_bytes, int count, int *capacity)
{
    if (count <= *capacity) return items;
    int wanted = *capacity ? *capacity : 8;
    while (wanted < count) wanted *= 2;
    void *grown = cvk_arena_alloc(arena, (size_t)wanted * item_bytes);
    if (!grown) return NULL;
    if (*capacity) memcpy(grown, items, (size_t)*capacity * item_bytes);
    *capacity = wanted;
    return grown;
}
