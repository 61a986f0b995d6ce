/* SPDX-License-Identifier: Apache-2.0
 *
 * Helpers for the passes that rewrite a graph.
 */
#include "schedule/rewriting.h"

cvk_node *cvk_nodes_take(cvk_graph *graph, int *count)
{
    cvk_node *nodes =
        cvk_arena_copy(graph->arena, graph->nodes, (size_t)graph->n_nodes * sizeof *nodes);
    *count = graph->n_nodes;
    graph->n_nodes = 0;
    return nodes;
}

cvk_status cvk_nodes_keep(cvk_graph *graph, const cvk_node *node)
{
    cvk_node *added;
    cvk_node copy = *node;
    CVK_TRY(cvk_graph_add_node(graph, copy.op, copy.name, NULL, 0, NULL, 0, 0, &added));
    *added = copy;
    for (int k = 0; k < copy.n_out; k++)
        if (copy.out[k] >= 0) graph->values[copy.out[k]].producer = graph->n_nodes - 1;
    return CVK_OK;
}

cvk_status cvk_graph_adopt_constant(cvk_graph *graph, const char *stem, cvk_dtype dtype,
                                    const cvk_shape *shape, const void *data, int *id)
{
    CVK_TRY(cvk_graph_add_temp_of(graph, stem, dtype, shape, id));
    graph->values[*id].data = data;
    return CVK_OK;
}

cvk_status cvk_graph_add_constant(cvk_graph *graph, const char *stem, cvk_dtype dtype,
                                  const cvk_shape *shape, const void *data, int *id)
{
    const size_t bytes = (size_t)cvk_shape_count(shape) * cvk_dtype_bytes(dtype);
    CVK_TRY(cvk_graph_add_temp_of(graph, stem, dtype, shape, id));
    cvk_value *value = &graph->values[*id];
    value->data = cvk_arena_copy(graph->arena, data, bytes);
    return value->data ? CVK_OK : CVK_NO_MEMORY;
}

int *cvk_graph_readers(const cvk_graph *graph, cvk_arena *arena)
{
    int *readers = cvk_arena_alloc(arena, ((size_t)graph->n_values + 1) * sizeof *readers);
    int *uses = cvk_arena_alloc(arena, ((size_t)graph->n_values + 1) * sizeof *uses);
    if (!readers || !uses) return NULL;
    cvk_graph_count_uses(graph, uses);
    for (int i = 0; i < graph->n_values; i++) readers[i] = -1;
    for (int i = 0; i < graph->n_nodes; i++)
        for (int k = 0; k < graph->nodes[i].n_in; k++) {
            int id = graph->nodes[i].in[k];
            if (id >= 0 && uses[id] == 1) readers[id] = i;
        }
    return readers;
}

bool cvk_is_const(const cvk_graph *graph, int value)
{
    return value >= 0 && graph->values[value].data;
}

bool cvk_is_alias(const cvk_node *node)
{
    for (int i = 1; i < node->n_out; i++)
        if (node->out[i] >= 0) return false; /* a Dropout whose mask is wanted */
    return cvk_op_get(node->op)->alias;
}

const char *cvk_join_members(cvk_arena *arena, const cvk_node *first, const cvk_node *second)
{
    return cvk_arena_printf(arena, "%s,%s", first->members ? first->members : first->name,
                            second->members ? second->members : second->name);
}

const cvk_node *cvk_producer_of(const cvk_graph *graph, int value, cvk_op_kind op)
{
    int producer = value < 0 ? -1 : graph->values[value].producer;
    return producer >= 0 && graph->nodes[producer].op == op ? &graph->nodes[producer] : NULL;
}

cvk_status cvk_replace_unary(cvk_graph *graph, cvk_node *node, int x, cvk_act act,
                             const cvk_node *first)
{
    cvk_unary_params *params = cvk_arena_alloc(graph->arena, sizeof *params);
    int *in = cvk_arena_copy(graph->arena, &x, sizeof x);
    if (!params || !in) return CVK_NO_MEMORY;
    params->act = act;
    if (first && !(node->members = cvk_join_members(graph->arena, first, node)))
        return CVK_NO_MEMORY;
    node->op = CVK_OP_Unary;
    node->in = in;
    node->n_in = 1;
    node->params = params;
    node->params_bytes = sizeof *params;
    return CVK_OK;
}

bool cvk_const_scalar(const cvk_graph *graph, int value, double *number)
{
    if (!cvk_is_const(graph, value)) return false;
    cvk_view view = cvk_graph_view(graph, value);
    if (cvk_view_count(&view) != 1) return false;
    *number = cvk_view_get(&view, 0);
    return true;
}

bool cvk_copy_keeps_order(const cvk_copy_params *copy, int64_t count)
{
    int64_t expect = 1;
    for (int d = copy->n - 1; d >= 0; d--) {
        if (copy->dims[d] != 1 && copy->strides[d] != expect) return false;
        expect *= copy->dims[d];
    }
    return copy->offset == 0 && expect == count;
}

bool cvk_window_is_pointwise(const cvk_window *window)
{
    for (int d = 0; d < window->spatial; d++)
        if (window->kernel[d] != 1 || window->stride[d] != 1 || window->pad_begin[d] ||
            window->pad_end[d])
            return false;
    return true;
}
