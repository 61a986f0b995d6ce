/* SPDX-License-Identifier: Apache-2.0
 *
 * Minimum cut: see mincut.h.
 */
#include "schedule/mincut.h"

#include <string.h>

/* A round of Dinic's algorithm: paths along which the distance from the source grows. */
typedef struct flow {
    cvk_cut_arc *arcs;
    int *first, *order; /* arcs by the vertex that they leave: order[first[v]] and on */
    int *level;         /* distance from the source; -1: out of reach */
    int *next;          /* by vertex: into `order`, arcs before it lead nowhere */
    int *queue;         /* vertices, or the arcs of a path */
    int n_vertices;
} flow;

cvk_status cvk_mincut_arc(cvk_mincut *cut, int from, int to, int64_t cost)
{
    /* What never leads from the source's side to the sink's, or always does. */
    if (from == to || from == CVK_CUT_SINK || to == CVK_CUT_SOURCE || cost <= 0) return CVK_OK;
    if (from == CVK_CUT_SOURCE && to == CVK_CUT_SINK) return CVK_OK;
    for (int k = 0; k < 2; k++) {
        cut->arcs = cvk_arena_grow(cut->arena, cut->arcs, sizeof *cut->arcs, cut->n_arcs + 1,
                                   &cut->capacity);
        if (!cut->arcs) return CVK_NO_MEMORY;
        cut->arcs[cut->n_arcs++] = k ? (cvk_cut_arc){.from = to, .to = from}
                                     : (cvk_cut_arc){.from = from, .to = to, .room = cost};
    }
    return CVK_OK;
}

static cvk_status flow_make(const cvk_mincut *cut, flow *f)
{
    const size_t n = (size_t)cut->n_vertices + 2;
    *f = (flow){.arcs = cut->arcs, .n_vertices = cut->n_vertices};
    f->first = cvk_arena_alloc(cut->arena, n * sizeof *f->first);
    f->level = cvk_arena_alloc(cut->arena, n * sizeof *f->level);
    f->next = cvk_arena_alloc(cut->arena, n * sizeof *f->next);
    f->queue = cvk_arena_alloc(cut->arena, n * sizeof *f->queue);
    f->order = cvk_arena_alloc(cut->arena, ((size_t)cut->n_arcs + 1) * sizeof *f->order);
    if (!f->first || !f->level || !f->next || !f->queue || !f->order) return CVK_NO_MEMORY;
    int *end = f->first + 1; /* counts, then begins, then ends, which are the next's begins */
    for (int a = 0; a < cut->n_arcs; a++) end[f->arcs[a].from]++;
    for (int v = 0, at = 0; v < f->n_vertices; v++) {
        const int count = end[v];
        end[v] = at;
        at += count;
    }
    for (int a = 0; a < cut->n_arcs; a++) f->order[end[f->arcs[a].from]++] = a;
    return CVK_OK;
}

/* Distances from the source; whether the sink can be reached. */
static bool find_levels(flow *f)
{
    int begin = 0, end = 0;
    memset(f->level, -1, (size_t)f->n_vertices * sizeof *f->level);
    f->level[CVK_CUT_SOURCE] = 0;
    f->queue[end++] = CVK_CUT_SOURCE;
    while (begin < end) {
        const int v = f->queue[begin++];
        for (int k = f->first[v]; k < f->first[v + 1]; k++) {
            const cvk_cut_arc *arc = &f->arcs[f->order[k]];
            if (!arc->room || f->level[arc->to] >= 0) continue;
            f->level[arc->to] = f->level[v] + 1;
            f->queue[end++] = arc->to;
        }
    }
    return f->level[CVK_CUT_SINK] >= 0;
}

/* The arc on which a path goes on from `v`; -1: none. */
static int way_on(flow *f, int v)
{
    for (; f->next[v] < f->first[v + 1]; f->next[v]++) {
        const cvk_cut_arc *arc = &f->arcs[f->order[f->next[v]]];
        if (arc->room && f->level[arc->to] == f->level[v] + 1) return f->order[f->next[v]];
    }
    return -1;
}

/* As much as the path takes. The number of its arcs before the first that is full then. */
static int fill_path(flow *f, int length)
{
    int64_t least = f->arcs[f->queue[0]].room;
    for (int i = 1; i < length; i++)
        if (f->arcs[f->queue[i]].room < least) least = f->arcs[f->queue[i]].room;
    int full = length;
    for (int i = length - 1; i >= 0; i--) {
        f->arcs[f->queue[i]].room -= least;
        f->arcs[f->queue[i] ^ 1].room += least;
        if (!f->arcs[f->queue[i]].room) full = i;
    }
    return full;
}

/* All paths to the sink along which the level grows. */
static void fill_paths(flow *f)
{
    int length = 0, at = CVK_CUT_SOURCE;
    memcpy(f->next, f->first, (size_t)f->n_vertices * sizeof *f->next);
    for (;;) {
        const int arc = at == CVK_CUT_SINK ? -1 : way_on(f, at);
        if (arc >= 0) {
            f->queue[length++] = arc;
            at = f->arcs[arc].to;
        } else if (at == CVK_CUT_SINK) {
            length = fill_path(f, length);
            at = f->arcs[f->queue[length]].from;
        } else if (length) {
            at = f->arcs[f->queue[--length]].from;
            f->next[at]++;
        } else {
            return;
        }
    }
}

cvk_status cvk_mincut_solve(cvk_mincut *cut, char **sides)
{
    flow f;
    *sides = cvk_arena_alloc(cut->arena, (size_t)cut->n_vertices);
    if (!*sides) return CVK_NO_MEMORY;
    CVK_TRY(flow_make(cut, &f));
    while (find_levels(&f)) fill_paths(&f);
    for (int v = 0; v < f.n_vertices; v++) (*sides)[v] = f.level[v] < 0;
    return CVK_OK;
}
