/* SPDX-License-Identifier: Apache-2.0
 *
 * The cheapest way to split vertices into two sides: a minimum cut, by augmenting paths along
 * breadth-first levels (Dinic).
 */
#ifndef CVK_SCHEDULE_MINCUT_H
#define CVK_SCHEDULE_MINCUT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/status.h"

enum { CVK_CUT_SOURCE, CVK_CUT_SINK, CVK_CUT_FIRST }; /* vertices that are there from the start */

typedef struct cvk_cut_edge {
    int to, next; /* next: of the same vertex, -1: the last; its reverse is at index ^ 1 */
    double room;
} cvk_cut_edge;

typedef struct cvk_cut {
    cvk_arena *arena;
    cvk_cut_edge *edges;
    int *first, *level, *at; /* by vertex */
    int n_vertices, n_edges, edges_capacity, vertices_capacity;
} cvk_cut;

/* With the source and the sink; arena memory. */
cvk_status cvk_cut_make(cvk_arena *arena, cvk_cut *cut);
cvk_status cvk_cut_add_vertex(cvk_cut *cut, int *vertex);
/* What it costs that `from` is on the source's side and `to` on the sink's; may be INFINITY. */
cvk_status cvk_cut_add_edge(cvk_cut *cut, int from, int to, double cost);
/* Once all is added: afterwards cvk_cut_on_sink_side tells. Of cuts that cost the same, that with
 * the most on the source's side. */
cvk_status cvk_cut_solve(cvk_cut *cut);
bool cvk_cut_on_sink_side(const cvk_cut *cut, int vertex);

#endif
