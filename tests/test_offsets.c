/* SPDX-License-Identifier: Apache-2.0
 *
 * Offsets of activations: none that live together overlap, the buffer is as small as it can be where
 * largest first alone leaves a hole, and for chains with branches it stays within 5 % of the bound.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "schedule/offsets.h"

enum { MOST = 64 };

static size_t assign(cvk_block *blocks, int count, int nodes, size_t *bound)
{
    cvk_arena *arena = cvk_arena_create();
    size_t bytes = 0;
    assert_non_null(arena);
    *bound = cvk_offsets_bound(blocks, count, nodes);
    assert_true(cvk_offsets_assign(arena, blocks, count, *bound, &bytes));
    cvk_arena_free(&arena);
    for (int i = 0; i < count; i++) {
        const cvk_block *a = &blocks[i];
        assert_true(a->offset + a->bytes <= bytes);
        for (int k = 0; k < i; k++) {
            const cvk_block *b = &blocks[k];
            if (a->last < b->first || b->last < a->first) continue;
            assert_true(a->offset + a->bytes <= b->offset || b->offset + b->bytes <= a->offset);
        }
    }
    assert_true(bytes >= *bound);
    return bytes;
}

static void test_nothing(void **state)
{
    (void)state;
    size_t bound = 1;
    assert_int_equal(assign(NULL, 0, 0, &bound), 0);
    assert_int_equal(bound, 0);
}

/* Largest first: 3 bytes at 0, the 2 that live with them at 3, so that of the two of 2 bytes that live
 * with these one is at 0 and one at 5, 7 bytes in all. In 6 bytes the first 2 lie at 0. */
static void test_hole(void **state)
{
    (void)state;
    cvk_block blocks[] = {{.root = 0, .first = 1, .last = 3, .bytes = 3},
                          {.root = 1, .first = 3, .last = 5, .bytes = 2},
                          {.root = 2, .first = 4, .last = 4, .bytes = 2},
                          {.root = 3, .first = 4, .last = 4, .bytes = 2}};
    size_t bound;
    const size_t bytes = assign(blocks, 4, 5, &bound);
    assert_int_equal(bound, 6);
    assert_int_equal(bytes, bound);
}

/* The chain of a network: each value is read by the next node, some by one further on. */
static void test_chains(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (int round = 0; round < 200; round++) {
        cvk_block blocks[MOST];
        const int count = 2 + round % (MOST - 2);
        size_t bound;
        for (int i = 0; i < count; i++) {
            seed = seed * 1664525u + 1013904223u;
            blocks[i] = (cvk_block){.root = i,
                                    .first = i,
                                    .last = i + 1 + (seed >> 28) % 3,
                                    .bytes = 64 * (1 + (seed >> 16) % 100)};
        }
        const size_t bytes = assign(blocks, count, count + 4, &bound);
        assert_true(bytes <= bound + bound / 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nothing), cmocka_unit_test(test_hole),
                                       cmocka_unit_test(test_chains)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
