/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a shape depends on data (NonZero, NonMaxSuppression, a computed Reshape), the graph is cut:
 * the plan covers what comes before, and the rest goes to plan->tail, which a run computes.
 *   in   a graph with every shape inferred that can be
 *   out  a graph with every shape known; plan->outputs; plan->tail, if anything is left
 */
#include <string.h>

#include "schedule/passes.h"

/* Room for one byte or int per value or node. */
static void *table(const cvk_scheduler *s, int count, size_t bytes)
{
    return cvk_arena_alloc(s->plan->arena, ((size_t)count + 1) * bytes);
}

static bool is_open(const cvk_value *value)
{
    return !value->has_shape || value->dtype == CVK_NONE || cvk_shape_count(&value->shape) < 0;
}

/* Marks values and nodes that only a run can know, and all that follows from them; how many nodes.
 */
static int mark(const cvk_graph *graph, char *late_values, char *late_nodes)
{
    int count = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        const cvk_node *node = &graph->nodes[i];
        for (int k = 0; k < node->n_in; k++)
            if (node->in[k] >= 0 && late_values[node->in[k]]) late_nodes[i] = 1;
        for (int k = 0; k < node->n_out; k++)
            if (node->out[k] >= 0 && is_open(&graph->values[node->out[k]])) late_nodes[i] = 1;
        for (int k = 0; late_nodes[i] && k < node->n_out; k++)
            if (node->out[k] >= 0) late_values[node->out[k]] = 1;
        count += late_nodes[i];
    }
    return count;
}

/* The value of the tail that stands for `id`, made when it is first asked for; *made: just now.
 * The model may be gone when a run comes, so nothing of it is kept. */
static cvk_status tail_value(const cvk_graph *from, cvk_graph *to, int *map, int id, int *got,
                             bool *made)
{
    *made = map[id] < 0;
    if (*made) {
        CVK_TRY(cvk_graph_add_value(to, from->values[id].name, &map[id]));
        cvk_value *value = &to->values[map[id]];
        const char *name = value->name;
        *value = from->values[id];
        value->name = name;
        value->producer = -1;
        memset(value->dim_names, 0, sizeof value->dim_names);
        if (value->data)
            value->data = cvk_arena_copy(to->arena, value->data, cvk_graph_value_bytes(from, id));
        if (from->values[id].data && !value->data) return CVK_NO_MEMORY;
    }
    *got = map[id];
    return CVK_OK;
}

/* What the tail reads of the plan becomes an input of the tail and an output of the plan's graph.
 */
static cvk_status join(cvk_scheduler *s, cvk_tail *tail, int id, int late)
{
    cvk_graph *graph = s->graph;
    if (late || graph->values[id].data) return CVK_OK;
    int at = 0;
    while (at < graph->n_outputs && graph->outputs[at] != id) at++;
    if (at == graph->n_outputs) CVK_TRY(cvk_graph_add_output(graph, id));
    tail->sources[tail->graph->n_inputs] = at;
    return cvk_graph_add_input(tail->graph, cvk_graph_find(tail->graph, graph->values[id].name));
}

static cvk_status move_node(cvk_scheduler *s, cvk_tail *tail, const cvk_node *node, int *map,
                            const char *late_values)
{
    int *in = table(s, node->n_in, sizeof *in), *out = table(s, node->n_out, sizeof *out);
    if (!in || !out) return CVK_NO_MEMORY;
    bool made;
    for (int k = 0; k < node->n_in; k++) {
        in[k] = node->in[k];
        if (in[k] < 0) continue;
        CVK_TRY(tail_value(s->graph, tail->graph, map, node->in[k], &in[k], &made));
        if (made) CVK_TRY(join(s, tail, node->in[k], late_values[node->in[k]]));
    }
    for (int k = 0; k < node->n_out; k++) {
        out[k] = node->out[k];
        if (out[k] >= 0)
            CVK_TRY(tail_value(s->graph, tail->graph, map, node->out[k], &out[k], &made));
    }
    cvk_node *moved;
    CVK_TRY(cvk_graph_add_node(tail->graph, node->op, node->name, in, node->n_in, out, node->n_out,
                               node->params_bytes, &moved));
    moved->attrs = cvk_attrs_clone(s->plan->arena, node->attrs, node->n_attrs);
    if (!moved->attrs) return CVK_NO_MEMORY;
    moved->n_attrs = node->n_attrs;
    if (!tail->cause) tail->cause = moved->name;
    return CVK_OK;
}

/* The outputs of the model that the plan does not make, in order. */
static cvk_status move_outputs(cvk_scheduler *s, cvk_tail *tail, const int *map,
                               const char *late_values)
{
    cvk_graph *graph = s->graph;
    int kept = 0;
    for (int i = 0; i < graph->n_outputs; i++) {
        int id = graph->outputs[i];
        if (late_values[id])
            CVK_TRY(cvk_graph_add_output(tail->graph, map[id]));
        else
            graph->outputs[kept++] = id;
    }
    graph->n_outputs = kept;
    return CVK_OK;
}

static cvk_status split(cvk_scheduler *s, const char *late_values, const char *late_nodes)
{
    cvk_graph *graph = s->graph;
    cvk_tail *tail = cvk_arena_alloc(s->plan->arena, sizeof *tail);
    int *map = table(s, graph->n_values, sizeof *map);
    if (!tail || !map) return CVK_NO_MEMORY;
    tail->graph = cvk_graph_create(s->plan->arena, graph->name, graph->opset);
    tail->sources = table(s, graph->n_values, sizeof *tail->sources);
    if (!tail->graph || !tail->sources) return CVK_NO_MEMORY;
    for (int i = 0; i < graph->n_values; i++) map[i] = -1;
    for (int i = 0; i < graph->n_nodes; i++)
        for (int k = 0; late_nodes[i] && k < graph->nodes[i].n_out; k++) {
            int id = graph->nodes[i].out[k], got;
            bool made;
            if (id >= 0) CVK_TRY(tail_value(graph, tail->graph, map, id, &got, &made));
        }
    CVK_TRY(move_outputs(s, tail, map, late_values));
    int kept = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        if (late_nodes[i])
            CVK_TRY(move_node(s, tail, &graph->nodes[i], map, late_values));
        else
            graph->nodes[kept++] = graph->nodes[i];
    }
    graph->n_nodes = kept;
    s->plan->tail = tail;
    return cvk_graph_prune(graph);
}

cvk_status cvk_pass_cut(cvk_scheduler *s)
{
    cvk_graph *graph = s->graph;
    char *late_values = table(s, graph->n_values, 1), *late_nodes = table(s, graph->n_nodes, 1);
    if (!late_values || !late_nodes) return CVK_NO_MEMORY;
    if (mark(graph, late_values, late_nodes)) CVK_TRY(split(s, late_values, late_nodes));
    s->plan->outputs =
        cvk_arena_copy(s->plan->arena, graph->outputs, (size_t)graph->n_outputs * sizeof(int));
    return s->plan->outputs ? CVK_OK : CVK_NO_MEMORY;
}
