/* SPDX-License-Identifier: Apache-2.0
 *
 * The cheapest cut of a directed graph: vertices on the source's side or on the sink's, so that the
 * arcs from the one side to the other cost the least (maximum flow, by Dinic's algorithm).
 */
#ifndef CVK_SCHEDULE_MINCUT_H
#define CVK_SCHEDULE_MINCUT_H

#include "base/arena.h"
#include "base/status.h"

enum { CVK_CUT_SOURCE, CVK_CUT_SINK, CVK_CUT_FIRST };

typedef struct cvk_cut_arc {
    int from, to;
    int64_t room; /* cost, less the flow through it */
} cvk_cut_arc;

typedef struct cvk_mincut {
    cvk_arena *arena;
    int n_vertices;    /* CVK_CUT_FIRST at the beginning; the caller counts it up */
    cvk_cut_arc *arcs; /* each with its reverse behind it */
    int n_arcs, capacity;
} cvk_mincut;

/* It costs `cost` if `from` is on the source's side and `to` on the sink's. */
cvk_status cvk_mincut_arc(cvk_mincut *cut, int from, int to, int64_t cost);

/* sides[vertex]: 1 on the sink's side. Of several cheapest cuts, the one with most there. */
cvk_status cvk_mincut_solve(cvk_mincut *cut, char **sides);

#endif
