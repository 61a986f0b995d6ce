/* SPDX-License-Identifier: Apache-2.0
 *
 * Order and uses: sorts a graph topologically, counts readers, drops what nobody reads.
 */
#include <stdio.h>
#include <string.h>

#include "graph/graph.h"

/* Sets every value's producer; the first value with two, or with one beside being an input or a
 * constant, is an error. */
static cvk_status set_producers(cvk_graph *graph)
{
    for (int i = 0; i < graph->n_values; i++) graph->values[i].producer = -1;
    for (int i = 0; i < graph->n_nodes; i++) {
        const cvk_node *node = &graph->nodes[i];
        for (int k = 0; k < node->n_out; k++) {
            if (node->out[k] < 0) continue;
            cvk_value *value = &graph->values[node->out[k]];
            if (value->producer >= 0)
                return cvk_fail(CVK_BAD_MODEL,
                                "tensor '%s' is produced by node '%s' and by node '%s'",
                                value->name, graph->nodes[value->producer].name, node->name);
            if (value->data || value->initializer)
                return cvk_fail(CVK_BAD_MODEL,
                                "tensor '%s' is a constant and also produced by node '%s'",
                                value->name, node->name);
            value->producer = i;
        }
    }
    for (int i = 0; i < graph->n_inputs; i++) {
        const cvk_value *value = &graph->values[graph->inputs[i]];
        if (value->producer >= 0)
            return cvk_fail(CVK_BAD_MODEL, "tensor '%s' is an input and also produced by node '%s'",
                            value->name, graph->nodes[value->producer].name);
    }
    return CVK_OK;
}

static bool is_source(const cvk_graph *graph, int id)
{
    if (graph->values[id].data || graph->values[id].initializer) return true;
    for (int i = 0; i < graph->n_inputs; i++)
        if (graph->inputs[i] == id) return true;
    return false;
}

static cvk_status check_sources(const cvk_graph *graph)
{
    for (int i = 0; i < graph->n_nodes; i++)
        for (int k = 0; k < graph->nodes[i].n_in; k++) {
            int id = graph->nodes[i].in[k];
            if (id >= 0 && graph->values[id].producer < 0 && !is_source(graph, id))
                return cvk_fail(CVK_BAD_MODEL,
                                "node '%s' (%s) reads tensor '%s', which nothing produces",
                                graph->nodes[i].name, cvk_op_kind_name(graph->nodes[i].op),
                                graph->values[id].name);
        }
    for (int i = 0; i < graph->n_outputs; i++) {
        int id = graph->outputs[i];
        if (graph->values[id].producer < 0 && !is_source(graph, id))
            return cvk_fail(CVK_BAD_MODEL, "nothing produces the output '%s'",
                            graph->values[id].name);
    }
    return CVK_OK;
}

/* Whether the node at `at` reads something that is not made yet (done[] by node). */
static bool waits(const cvk_graph *graph, const cvk_node *node, const char *done)
{
    for (int k = 0; k < node->n_in; k++) {
        int producer = node->in[k] < 0 ? -1 : graph->values[node->in[k]].producer;
        if (producer >= 0 && !done[producer]) return true;
    }
    return false;
}

/* Depth-first from `root`, iterative: order[] gets nodes after all they read. mark: 0 new, 1 open,
 * 2 done. */
static cvk_status visit(const cvk_graph *graph, int root, char *mark, int *stack, int *order,
                        int *count)
{
    int depth = 0;
    stack[depth++] = root;
    while (depth) {
        int at = stack[depth - 1];
        const cvk_node *node = &graph->nodes[at];
        if (mark[at] == 2) {
            depth--;
            continue;
        }
        mark[at] = 1;
        int pushed = 0;
        for (int k = node->n_in - 1; k >= 0; k--) {
            int producer = node->in[k] < 0 ? -1 : graph->values[node->in[k]].producer;
            if (producer < 0 || mark[producer] == 2) continue;
            if (mark[producer] == 1)
                return cvk_fail(CVK_BAD_MODEL, "node '%s' (%s) is on a cycle",
                                graph->nodes[producer].name,
                                cvk_op_kind_name(graph->nodes[producer].op));
            stack[depth++] = producer;
            pushed = 1;
            break; /* one at a time: the stack never exceeds the number of nodes */
        }
        if (pushed) continue;
        mark[at] = 2;
        order[(*count)++] = at;
        depth--;
    }
    return CVK_OK;
}

cvk_status cvk_graph_link(cvk_graph *graph)
{
    CVK_TRY(set_producers(graph));
    CVK_TRY(check_sources(graph));
    size_t n = (size_t)graph->n_nodes;
    char *done = cvk_arena_alloc(graph->arena, n);
    if (!done) return CVK_NO_MEMORY;
    bool sorted = true;
    for (int i = 0; i < graph->n_nodes && sorted; i++) {
        sorted = !waits(graph, &graph->nodes[i], done);
        done[i] = 1;
    }
    if (sorted) return CVK_OK;

    memset(done, 0, n);
    int *stack = cvk_arena_alloc(graph->arena, (n + 1) * sizeof *stack);
    int *order = cvk_arena_alloc(graph->arena, n * sizeof *order);
    cvk_node *nodes = cvk_arena_copy(graph->arena, graph->nodes, n * sizeof *nodes);
    if (!stack || !order || !nodes) return CVK_NO_MEMORY;
    int count = 0;
    for (int i = 0; i < graph->n_nodes; i++)
        if (!done[i]) CVK_TRY(visit(graph, i, done, stack, order, &count));
    for (int i = 0; i < count; i++) graph->nodes[i] = nodes[order[i]];
    return set_producers(graph);
}

void cvk_graph_count_uses(const cvk_graph *graph, int *uses)
{
    memset(uses, 0, (size_t)graph->n_values * sizeof *uses);
    for (int i = 0; i < graph->n_nodes; i++)
        for (int k = 0; k < graph->nodes[i].n_in; k++)
            if (graph->nodes[i].in[k] >= 0) uses[graph->nodes[i].in[k]]++;
    for (int i = 0; i < graph->n_outputs; i++) uses[graph->outputs[i]]++;
}

cvk_status cvk_graph_prune(cvk_graph *graph)
{
    int *uses = cvk_arena_alloc(graph->arena, (size_t)graph->n_values * sizeof *uses);
    char *keep = cvk_arena_alloc(graph->arena, (size_t)graph->n_nodes);
    if (!uses || !keep) return CVK_NO_MEMORY;
    for (int i = 0; i < graph->n_outputs; i++) uses[graph->outputs[i]]++;
    for (int i = graph->n_nodes - 1; i >= 0; i--) {
        const cvk_node *node = &graph->nodes[i];
        for (int k = 0; k < node->n_out; k++)
            if (node->out[k] >= 0 && uses[node->out[k]] && !graph->values[node->out[k]].data)
                keep[i] = 1;
        for (int k = 0; keep[i] && k < node->n_in; k++)
            if (node->in[k] >= 0) uses[node->in[k]]++;
    }
    int kept = 0;
    for (int i = 0; i < graph->n_nodes; i++)
        if (keep[i]) graph->nodes[kept++] = graph->nodes[i];
    graph->n_nodes = kept;
    for (int i = 0; i < graph->n_values; i++) graph->values[i].producer = -1;
    for (int i = 0; i < kept; i++)
        for (int k = 0; k < graph->nodes[i].n_out; k++)
            if (graph->nodes[i].out[k] >= 0 && !graph->values[graph->nodes[i].out[k]].data)
                graph->values[graph->nodes[i].out[k]].producer = i;
    return CVK_OK;
}
