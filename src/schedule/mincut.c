/* SPDX-License-Identifier: Apache-2.0
 *
 * A minimum cut: see mincut.h. Costs are in ms: what is below a picosecond is rounding.
 */
#include "schedule/mincut.h"

#include <math.h>
#include <string.h>

static const double nothing = 1e-9;

cvk_status cvk_cut_make(cvk_arena *arena, cvk_cut *cut)
{
    int vertex;
    *cut = (cvk_cut){.arena = arena};
    CVK_TRY(cvk_cut_add_vertex(cut, &vertex));
    return cvk_cut_add_vertex(cut, &vertex);
}

cvk_status cvk_cut_add_vertex(cvk_cut *cut, int *vertex)
{
    cut->first = cvk_arena_grow(cut->arena, cut->first, sizeof *cut->first, cut->n_vertices + 1,
                                &cut->vertices_capacity);
    if (!cut->first) return CVK_NO_MEMORY;
    *vertex = cut->n_vertices++;
    cut->first[*vertex] = -1;
    return CVK_OK;
}

cvk_status cvk_cut_add_edge(cvk_cut *cut, int from, int to, double cost)
{
    const int ends[] = {from, to};
    if (from == to || cost <= nothing) return CVK_OK;
    cut->edges = cvk_arena_grow(cut->arena, cut->edges, sizeof *cut->edges, cut->n_edges + 2,
                                &cut->edges_capacity);
    if (!cut->edges) return CVK_NO_MEMORY;
    for (int i = 0; i < 2; i++) {
        cut->edges[cut->n_edges] =
            (cvk_cut_edge){.to = ends[1 - i], .next = cut->first[ends[i]], .room = i ? 0 : cost};
        cut->first[ends[i]] = cut->n_edges++;
    }
    return CVK_OK;
}

/* Levels of what can be reached from the end `root` of paths; towards the sink, or, reversed, from
 * it back. -1: cannot be reached. queue: one int per vertex. */
static void find_levels(cvk_cut *cut, int root, bool reversed, int *queue)
{
    int head = 0, tail = 0;
    memset(cut->level, -1, (size_t)cut->n_vertices * sizeof *cut->level);
    cut->level[root] = 0;
    queue[tail++] = root;
    while (head < tail) {
        const int v = queue[head++];
        for (int e = cut->first[v]; e >= 0; e = cut->edges[e].next) {
            const int to = cut->edges[e].to;
            if (cut->level[to] >= 0 || cut->edges[reversed ? e ^ 1 : e].room <= nothing) continue;
            cut->level[to] = cut->level[v] + 1;
            queue[tail++] = to;
        }
    }
}

/* Sends what it can along one path of rising levels; path: one edge per vertex. 0: there is none
 * left; INFINITY: every cut is. */
static double augment(cvk_cut *cut, int *path)
{
    int length = 0, v = CVK_CUT_SOURCE;
    while (v != CVK_CUT_SINK) {
        int e = cut->at[v];
        while (e >= 0 &&
               (cut->edges[e].room <= nothing || cut->level[cut->edges[e].to] != cut->level[v] + 1))
            e = cut->edges[e].next;
        cut->at[v] = e;
        if (e >= 0) {
            path[length++] = e;
            v = cut->edges[e].to;
        } else if (length) { /* a dead end: back, and not here again */
            cut->level[v] = -1;
            v = cut->edges[path[--length] ^ 1].to;
        } else {
            return 0;
        }
    }
    double most = INFINITY;
    for (int i = 0; i < length; i++) most = fmin(most, cut->edges[path[i]].room);
    for (int i = 0; i < length && isfinite(most); i++) {
        cut->edges[path[i]].room -= most;
        cut->edges[path[i] ^ 1].room += most;
    }
    return most;
}

cvk_status cvk_cut_solve(cvk_cut *cut)
{
    const size_t n = (size_t)cut->n_vertices;
    cut->level = cvk_arena_alloc(cut->arena, n * sizeof *cut->level);
    cut->at = cvk_arena_alloc(cut->arena, n * sizeof *cut->at);
    int *path = cvk_arena_alloc(cut->arena, n * sizeof *path);
    if (!cut->level || !cut->at || !path) return CVK_NO_MEMORY;
    for (double sent = 0; isfinite(sent);) {
        find_levels(cut, CVK_CUT_SOURCE, false, path);
        if (cut->level[CVK_CUT_SINK] < 0) break;
        memcpy(cut->at, cut->first, n * sizeof *cut->at);
        do
            sent = augment(cut, path);
        while (sent > 0 && isfinite(sent));
    }
    find_levels(cut, CVK_CUT_SINK, true, path);
    return CVK_OK;
}

bool cvk_cut_on_sink_side(const cvk_cut *cut, int vertex)
{
    return cut->level[vertex] >= 0;
}
