/* SPDX-License-Identifier: Apache-2.0
 *
 * A device for every node, where there are several: the first of the caller's order that has a row
 * for it, but for nodes beside one that has none there. Those follow it to its device where that
 * saves more on copies than it costs, by the predictions of cost.c: a minimum cut between two
 * devices at a time.
 *   in   the fused graph; the caller's order
 *   out  s->assigned by node; NULL where the order alone decides
 *
 * A node that is predicted to be faster on the later device is none the less left on the earlier
 * one unless copies are saved, and where a device was not measured no node moves: the order is the
 * caller's, and what devices promise is no reason to go against it.
 */
#include <math.h>
#include <string.h>

#include "schedule/cost.h"
#include "schedule/mincut.h"

/* A node that reads a value, in a list. */
typedef struct reader {
    int node;
    struct reader *next;
} reader;

typedef struct assigner {
    cvk_scheduler *s;
    cvk_arena *arena; /* of this pass */
    double **ms;      /* by device and node: predicted; INFINITY: no row */
    int *root;        /* by value: what it is another shape of, or itself */
    int *maker;       /* by value: the node that computes it; -1: an input of the graph */
    reader **readers; /* by value under its root */
    char *is_output;  /* by value under its root */
    int *device;      /* by node: CVK_HOST: no row anywhere; aliases are never asked for theirs */
} assigner;

/* Two devices, the earlier one's vertices on the side of the source. */
typedef struct division {
    assigner *a;
    cvk_cut cut;
    int from, to; /* devices */
    int *vertex;  /* by node that may move; -1: no other */
} division;

static bool is_node(const cvk_scheduler *s, int i)
{
    return !cvk_is_alias(&s->graph->nodes[i]);
}

/* What each node takes on a device if all are there that can be. */
static cvk_status predict_all(assigner *a, int device)
{
    cvk_scheduler *s = a->s;
    cvk_graph *graph = s->graph;
    const cvk_device *dev = s->devices[device];
    const cvk_cost_place place = {.caps = &dev->caps,
                                  .rates = &s->plan->rates[device],
                                  .lanes = 1,
                                  .resident = cvk_cost_resident(graph)};
    for (int i = 0; i < graph->n_nodes; i++) {
        const cvk_node *node = &graph->nodes[i];
        const cvk_kernel *row = NULL;
        cvk_problem problem;
        cvk_work work;
        if (is_node(s, i)) CVK_TRY(cvk_place_on(s, node, device, &row, NULL));
        cvk_place_outputs(s, node, row, device);
        a->ms[device][i] = INFINITY;
        if (!row) continue;
        CVK_TRY(cvk_problem_make(s, node, &dev->caps, &problem));
        cvk_cost_work(graph, &problem, row, &work);
        a->ms[device][i] = cvk_cost_ms(&work, &place);
    }
    return CVK_OK;
}

static bool any_without_row(const assigner *a, int device)
{
    for (int i = 0; i < a->s->graph->n_nodes; i++)
        if (is_node(a->s, i) && isinf(a->ms[device][i])) return true;
    return false;
}

static cvk_status add_reader(assigner *a, int value, int node)
{
    reader *r = cvk_arena_alloc(a->arena, sizeof *r);
    if (!r) return CVK_NO_MEMORY;
    *r = (reader){.node = node, .next = a->readers[a->root[value]]};
    a->readers[a->root[value]] = r;
    return CVK_OK;
}

/* Who makes and reads each value, whatever its shape. */
static cvk_status link_values(assigner *a)
{
    const cvk_graph *graph = a->s->graph;
    for (int v = 0; v < graph->n_values; v++) {
        a->root[v] = v;
        a->maker[v] = -1;
    }
    for (int i = 0; i < graph->n_nodes; i++) {
        const cvk_node *node = &graph->nodes[i];
        const bool alias = !is_node(a->s, i);
        for (int k = 0; !alias && k < node->n_in; k++)
            if (node->in[k] >= 0 && !graph->values[node->in[k]].data)
                CVK_TRY(add_reader(a, node->in[k], i));
        for (int k = 0; k < node->n_out; k++) {
            if (node->out[k] < 0) continue;
            if (alias)
                a->root[node->out[k]] = a->root[node->in[0]];
            else
                a->maker[node->out[k]] = i;
        }
    }
    for (int i = 0; i < graph->n_outputs; i++) a->is_output[a->root[graph->outputs[i]]] = 1;
    return CVK_OK;
}

static int space_of(const division *d, int device)
{
    return cvk_plan_space(d->a->s->plan, device);
}

/* The vertex of what is fixed in a space; -1: neither device's. */
static int fixed_vertex(const division *d, int space)
{
    if (space == space_of(d, d->from)) return CVK_CUT_SOURCE;
    return space == space_of(d, d->to) ? CVK_CUT_SINK : -1;
}

static int node_vertex(const division *d, int node)
{
    return d->vertex[node] >= 0 ? d->vertex[node]
                                : fixed_vertex(d, space_of(d, d->a->device[node]));
}

/* Copies of so many bytes to (or from) a device; 0 where its memory is the host's. */
static double copy_ms(const division *d, int device, double bytes)
{
    const cvk_scheduler *s = d->a->s;
    const cvk_device_rates *rates = &s->plan->rates[device];
    if (!cvk_plan_space(s->plan, device)) return 0;
    return rates->transfer_ms + (rates->transfer_bytes > 0 ? bytes / rates->transfer_bytes : 0);
}

/* A vertex that is on the sink's side as soon as one reader is (or, `sink` false, on the source's). */
typedef struct gate {
    int vertex; /* -1: not made yet */
    bool sink;
} gate;

static cvk_status open_gate(division *d, gate *g, int reader)
{
    if (g->vertex < 0) CVK_TRY(cvk_cut_add_vertex(&d->cut, &g->vertex));
    return g->sink ? cvk_cut_add_edge(&d->cut, g->vertex, reader, INFINITY)
                   : cvk_cut_add_edge(&d->cut, reader, g->vertex, INFINITY);
}

/* A value and its readers: a copy for each side on which it is read and not made. */
static cvk_status add_value(division *d, int value)
{
    const assigner *a = d->a;
    const int maker = a->maker[value];
    const int made = maker < 0 ? fixed_vertex(d, 0) : node_vertex(d, maker);
    const cvk_view view = cvk_graph_view(a->s->graph, value);
    const double bytes = (double)cvk_view_bytes(&view);
    const double from = copy_ms(d, d->from, bytes), to = copy_ms(d, d->to, bytes);
    const reader output = {.node = CVK_HOST, .next = a->readers[value]};
    gate sink = {-1, true}, source = {-1, false};
    bool elsewhere = false;
    for (const reader *r = a->is_output[value] ? &output : output.next; r; r = r->next) {
        const int vertex = r == &output ? fixed_vertex(d, 0) : node_vertex(d, r->node);
        elsewhere |= vertex < 0;
        if (vertex < 0) continue;
        CVK_TRY(open_gate(d, &sink, vertex));
        CVK_TRY(open_gate(d, &source, vertex));
    }
    const bool is_made = made >= 0; /* on one of the two: its copy goes through the host */
    if (sink.vertex >= 0)
        CVK_TRY(cvk_cut_add_edge(&d->cut, is_made ? made : CVK_CUT_SOURCE, sink.vertex,
                                 is_made ? from + to : to));
    if (source.vertex >= 0)
        CVK_TRY(cvk_cut_add_edge(&d->cut, source.vertex, is_made ? made : CVK_CUT_SINK,
                                 is_made ? from + to : from));
    if (!elsewhere || !is_made) return CVK_OK;
    CVK_TRY(cvk_cut_add_edge(&d->cut, made, CVK_CUT_SINK, from));
    return cvk_cut_add_edge(&d->cut, CVK_CUT_SOURCE, made, to);
}

static cvk_status add_values(division *d)
{
    const assigner *a = d->a;
    for (int v = 0; v < a->s->graph->n_values; v++)
        if (a->root[v] == v && !a->s->graph->values[v].data && (a->readers[v] || a->is_output[v]))
            CVK_TRY(add_value(d, v));
    return CVK_OK;
}

static cvk_status add_nodes(division *d)
{
    assigner *a = d->a;
    const int n = a->s->graph->n_nodes;
    d->vertex = cvk_arena_alloc(a->arena, ((size_t)n + 1) * sizeof *d->vertex);
    if (!d->vertex) return CVK_NO_MEMORY;
    for (int i = 0; i < n; i++) {
        const double here = a->ms[d->from][i], there = a->ms[d->to][i];
        d->vertex[i] = -1;
        if (!is_node(a->s, i) || a->device[i] != d->from || isinf(there)) continue;
        CVK_TRY(cvk_cut_add_vertex(&d->cut, &d->vertex[i]));
        CVK_TRY(cvk_cut_add_edge(&d->cut, CVK_CUT_SOURCE, d->vertex[i], fmax(there - here, 0)));
    }
    return CVK_OK;
}

/* Whether node i shares a value with one that is marked. */
static bool has_marked_neighbour(const assigner *a, int i, const char *marked)
{
    const cvk_node *node = &a->s->graph->nodes[i];
    for (int k = 0; k < node->n_in + node->n_out; k++) {
        const int id = k < node->n_in ? node->in[k] : node->out[k - node->n_in];
        if (id < 0 || a->s->graph->values[id].data) continue;
        const int value = a->root[id];
        if (a->maker[value] >= 0 && marked[a->maker[value]]) return true;
        for (const reader *r = a->readers[value]; r; r = r->next)
            if (marked[r->node]) return true;
    }
    return false;
}

/* Nodes that follow one that was on the later device already; the rest of what the cut would move
 * only saves the copies of the network's own inputs and outputs, which the order has paid for. */
static cvk_status move(division *d)
{
    assigner *a = d->a;
    const int n = a->s->graph->n_nodes;
    char *marked = cvk_arena_alloc(a->arena, (size_t)n + 1);
    if (!marked) return CVK_NO_MEMORY;
    for (int i = 0; i < n; i++)
        marked[i] = is_node(a->s, i) && d->vertex[i] < 0 && node_vertex(d, i) == CVK_CUT_SINK;
    for (bool again = true; again;) {
        again = false;
        for (int i = 0; i < n; i++) {
            if (marked[i] || d->vertex[i] < 0 || !cvk_cut_on_sink_side(&d->cut, d->vertex[i]) ||
                !has_marked_neighbour(a, i, marked))
                continue;
            marked[i] = 1;
            a->device[i] = d->to;
            again = true;
        }
    }
    return CVK_OK;
}

static cvk_status divide(assigner *a, int from, int to)
{
    division d = {.a = a, .from = from, .to = to};
    if (space_of(&d, from) == space_of(&d, to)) return CVK_OK;
    CVK_TRY(cvk_cut_make(a->arena, &d.cut));
    CVK_TRY(add_nodes(&d));
    CVK_TRY(add_values(&d));
    CVK_TRY(cvk_cut_solve(&d.cut));
    return move(&d);
}

/* The first device that has a row; what it costs there is all that the order asks for. */
static void follow_order(assigner *a)
{
    for (int i = 0; i < a->s->graph->n_nodes; i++) {
        a->device[i] = CVK_HOST;
        for (int d = a->s->n_devices - 1; d >= 0; d--)
            if (isfinite(a->ms[d][i])) a->device[i] = d;
    }
}

static cvk_status note_moves(const assigner *a, const int *before)
{
    const cvk_scheduler *s = a->s;
    for (int i = 0; i < s->graph->n_nodes; i++) {
        cvk_node *node = &s->graph->nodes[i];
        if (!is_node(s, i) || a->device[i] == before[i]) continue;
        node->note = cvk_arena_printf(
            s->graph->arena,
            "%s%snot on %s: copies would take longer than it saves (%.3g ms there, %.3g here)",
            node->note ? node->note : "", node->note ? "; " : "", s->devices[before[i]]->info.id,
            a->ms[before[i]][i], a->ms[a->device[i]][i]);
        if (!node->note) return CVK_NO_MEMORY;
    }
    return CVK_OK;
}

static cvk_status assign(assigner *a)
{
    cvk_scheduler *s = a->s;
    const size_t nodes = (size_t)s->graph->n_nodes + 1, values = (size_t)s->graph->n_values + 1;
    a->ms = cvk_arena_alloc(a->arena, (size_t)s->n_devices * sizeof *a->ms);
    a->root = cvk_arena_alloc(a->arena, values * sizeof *a->root);
    a->maker = cvk_arena_alloc(a->arena, values * sizeof *a->maker);
    a->readers = cvk_arena_alloc(a->arena, values * sizeof *a->readers);
    a->is_output = cvk_arena_alloc(a->arena, values);
    a->device = cvk_arena_alloc(s->graph->arena, nodes * sizeof *a->device);
    if (!a->ms || !a->root || !a->maker || !a->readers || !a->is_output || !a->device)
        return CVK_NO_MEMORY;
    for (int d = 0; d < s->n_devices; d++) {
        a->ms[d] = cvk_arena_alloc(a->arena, nodes * sizeof *a->ms[d]);
        if (!a->ms[d]) return CVK_NO_MEMORY;
        CVK_TRY(predict_all(a, d));
        if (!d && !any_without_row(a, d)) return CVK_OK;
    }
    follow_order(a);
    const int *before = cvk_arena_copy(a->arena, a->device, nodes * sizeof *before);
    if (!before) return CVK_NO_MEMORY;
    CVK_TRY(link_values(a));
    for (int from = 0; from < s->n_devices; from++)
        for (int to = from + 1; to < s->n_devices; to++) CVK_TRY(divide(a, from, to));
    s->assigned = a->device;
    return note_moves(a, before);
}

cvk_status cvk_pass_assign(cvk_scheduler *s)
{
    assigner a = {.s = s};
    if (s->n_devices < 2 || !s->plan->calibrated) return CVK_OK;
    a.arena = cvk_arena_create();
    cvk_status status = a.arena ? assign(&a) : CVK_NO_MEMORY;
    cvk_arena_free(&a.arena);
    return status;
}
