/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of sources by address: open addressing, at most half full.
 */
#include "base/known.h"

#include <stdlib.h>

typedef struct entry {
    const void *source; /* NULL: free */
    size_t bytes;
    uint64_t hash[2];
    bool hashed;
} entry;

struct cvk_known {
    entry *entries;
    size_t capacity, count; /* capacity: a power of two */
};

enum { FIRST_CAPACITY = 256 };

cvk_known *cvk_known_create(void)
{
    cvk_known *known = calloc(1, sizeof *known);
    if (!known) return NULL;
    known->capacity = FIRST_CAPACITY;
    known->entries = calloc(known->capacity, sizeof *known->entries);
    if (!known->entries) cvk_known_free(&known);
    return known;
}

void cvk_known_free(cvk_known **known)
{
    if (*known) free((*known)->entries);
    free(*known);
    *known = NULL;
}

/* The source's entry, or the free one where it belongs. */
static entry *find(const cvk_known *known, const void *source)
{
    size_t at = (size_t)((uintptr_t)source * 0x9e3779b97f4a7c15u >> 32);
    for (;; at++) {
        entry *e = &known->entries[at & (known->capacity - 1)];
        if (!e->source || e->source == source) return e;
    }
}

static bool grow(cvk_known *known)
{
    const cvk_known old = *known;
    known->entries = calloc(old.capacity * 2, sizeof *known->entries);
    if (!known->entries) {
        *known = old;
        return false;
    }
    known->capacity = old.capacity * 2;
    for (size_t i = 0; i < old.capacity; i++)
        if (old.entries[i].source) *find(known, old.entries[i].source) = old.entries[i];
    free(old.entries);
    return true;
}

bool cvk_known_add(cvk_known *known, const void *source, size_t bytes)
{
    entry *e = find(known, source);
    if (e->source) return true;
    if (2 * (known->count + 1) > known->capacity) {
        if (!grow(known)) return false;
        e = find(known, source);
    }
    *e = (entry){.source = source, .bytes = bytes};
    known->count++;
    return true;
}

uint64_t *cvk_known_hash(cvk_known *known, const void *source, size_t bytes, bool **hashed)
{
    entry *e = known && source ? find(known, source) : NULL;
    if (!e || !e->source || e->bytes != bytes) return NULL;
    *hashed = &e->hashed;
    return e->hash;
}
