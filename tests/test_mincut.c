/* SPDX-License-Identifier: Apache-2.0
 *
 * Minimum cuts of small random graphs against all cuts there are.
 */
#include <math.h>
#include <stdio.h>

#include "tests/model_text.h"

#include "schedule/mincut.h"

enum { MOST_VERTICES = 9, MOST_EDGES = 40, GRAPHS = 400 };

typedef struct edge {
    int from, to;
    double cost;
} edge;

typedef struct sample {
    int n, n_edges; /* n: vertices, with the source and the sink */
    edge edges[MOST_EDGES];
} sample;

/* Costs are whole numbers, so that sums are exact; some are infinite. */
static sample make_sample(uint64_t seed)
{
    sample g = {.n = (int)seeded(seed, 0, 2, MOST_VERTICES + 1)};
    g.n_edges = (int)seeded(seed, 1, 0, MOST_EDGES + 1);
    for (int i = 0; i < g.n_edges; i++) {
        const uint64_t at = 2 + 3 * (uint64_t)i;
        const double cost = floor(seeded(seed, at + 2, 0, 12));
        g.edges[i] = (edge){(int)seeded(seed, at, 0, g.n), (int)seeded(seed, at + 1, 0, g.n),
                            cost == 11 ? INFINITY : cost};
    }
    return g;
}

/* sides: bit v is set where vertex v is on the sink's. */
static double cost_of(const sample *g, unsigned sides)
{
    double cost = 0;
    for (int i = 0; i < g->n_edges; i++)
        if (!(sides >> g->edges[i].from & 1) && (sides >> g->edges[i].to & 1))
            cost += g->edges[i].cost;
    return cost;
}

static double least_cost(const sample *g)
{
    double least = INFINITY;
    for (unsigned sides = 0; sides < 1u << g->n; sides++)
        if (!(sides & 1) && (sides & 2)) least = fmin(least, cost_of(g, sides));
    return least;
}

static void cuts_are_the_least(void **state)
{
    (void)state;
    int finite = 0;
    for (uint64_t seed = 1; seed <= GRAPHS; seed++) {
        const sample g = make_sample(seed);
        const double least = least_cost(&g);
        cvk_arena *arena = cvk_arena_create();
        cvk_cut cut;
        unsigned sides = 0;
        int vertex;
        expect_ok(cvk_cut_make(arena, &cut), "make");
        for (int v = CVK_CUT_FIRST; v < g.n; v++)
            expect_ok(cvk_cut_add_vertex(&cut, &vertex), "vertex");
        for (int i = 0; i < g.n_edges; i++)
            expect_ok(cvk_cut_add_edge(&cut, g.edges[i].from, g.edges[i].to, g.edges[i].cost),
                      "edge");
        expect_ok(cvk_cut_solve(&cut), "solve");
        for (int v = 0; v < g.n; v++) sides |= cvk_cut_on_sink_side(&cut, v) ? 1u << v : 0;
        if (isfinite(least)) {
            finite++;
            if ((sides & 3) != 2 || cost_of(&g, sides) != least)
                fail_msg("graph %d: a cut of %g, the least is %g", (int)seed, cost_of(&g, sides),
                         least);
        }
        cvk_arena_free(&arena);
    }
    assert_true(finite > GRAPHS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(cuts_are_the_least)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
