/* SPDX-License-Identifier: Apache-2.0
 *
 * Offsets in one buffer: blocks in some order, each at the lowest offset that is free during its
 * whole life. The order is largest first (greedy by size, Pisarchyk and Lee, arXiv 2001.03288),
 * which mostly reaches the bound. Where it does not, the block that ends highest and another move
 * forward in the order, by chance as far as that goes, and all is tried again; the best counts.
 */
#include "schedule/offsets.h"

#include <stdlib.h>
#include <string.h>

/* In so many tries a search begins again from the best order. */
enum { TRIES = 200, MOST_PAIRS = 2000000, TURN = 10 };

typedef struct placing {
    cvk_block **order, **best; /* in which they are placed: now, and in the best try */
    cvk_block **placed;        /* lowest first */
    uint32_t seed;             /* the same search for the same blocks */
} placing;

/* Larger first; among equals the earlier. */
static int by_size(const void *a, const void *b)
{
    const cvk_block *x = *(cvk_block *const *)a, *y = *(cvk_block *const *)b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return x->first != y->first ? (x->first > y->first ? 1 : -1)
                                : (x->root > y->root) - (x->root < y->root);
}

size_t cvk_offsets_bound(const cvk_block *blocks, int count, int nodes)
{
    size_t bound = 0;
    for (int t = 0; t <= nodes; t++) {
        size_t live = 0;
        for (int i = 0; i < count; i++)
            if (blocks[i].first <= t && t <= blocks[i].last) live += blocks[i].bytes;
        if (live > bound) bound = live;
    }
    return bound;
}

/* At the lowest offset at which it overlaps none of the `count` placed ones that live when it does;
 * it is placed then, too. */
static void place(cvk_block **placed, int count, cvk_block *b)
{
    int at = count;
    b->offset = 0;
    for (int i = 0; i < count; i++) {
        const cvk_block *p = placed[i];
        if (p->last < b->first || p->first > b->last) continue;
        if (p->offset >= b->offset + b->bytes) break;
        if (p->offset + p->bytes > b->offset) b->offset = p->offset + p->bytes;
    }
    for (; at > 0 && placed[at - 1]->offset > b->offset; at--) placed[at] = placed[at - 1];
    placed[at] = b;
}

/* All in their order; returns the size and where in the order the block that ends highest stands. */
static size_t place_all(placing *p, int count, int *highest)
{
    size_t bytes = 0;
    *highest = 0;
    for (int i = 0; i < count; i++) {
        cvk_block *b = p->order[i];
        place(p->placed, i, b);
        if (b->offset + b->bytes <= bytes) continue;
        bytes = b->offset + b->bytes;
        *highest = i;
    }
    return bytes;
}

static int below(placing *p, int n)
{
    p->seed = p->seed * 1664525u + 1013904223u;
    return (int)((p->seed >> 8) % (uint32_t)n);
}

static void move_forward(placing *p, int at, int to)
{
    cvk_block *moved = p->order[at];
    for (; at > to; at--) p->order[at] = p->order[at - 1];
    p->order[at] = moved;
}

bool cvk_offsets_assign(cvk_arena *arena, cvk_block *blocks, int count, size_t bound, size_t *bytes)
{
    const size_t n = (size_t)count + 1, list = n * sizeof(cvk_block *);
    placing p = {.order = cvk_arena_alloc(arena, list),
                 .best = cvk_arena_alloc(arena, list),
                 .placed = cvk_arena_alloc(arena, list),
                 .seed = 1};
    int highest;
    *bytes = 0;
    if (!p.order || !p.best || !p.placed) return false;
    if (!count) return true;
    for (int i = 0; i < count; i++) p.order[i] = &blocks[i];
    qsort(p.order, (size_t)count, sizeof *p.order, by_size);
    *bytes = SIZE_MAX;
    const int64_t most = MOST_PAIRS / ((int64_t)count * count), tries = most < TRIES ? most : TRIES;
    for (int64_t i = 0; i <= tries && *bytes > bound; i++) {
        const size_t size = place_all(&p, count, &highest);
        if (size < *bytes) {
            *bytes = size;
            memcpy(p.best, p.order, list);
        }
        if (i % TURN == TURN - 1) memcpy(p.order, p.best, list);
        /* To the front, in every second try; else both somewhere before where they are. */
        move_forward(&p, highest, i % 2 ? below(&p, highest + 1) : 0);
        const int other = below(&p, count);
        if (i % 2) move_forward(&p, other, below(&p, other + 1));
    }
    memcpy(p.order, p.best, list);
    place_all(&p, count, &highest);
    return true;
}
