/* SPDX-License-Identifier: Apache-2.0
 *
 * Building and copying graphs: values by name, nodes, inputs, outputs.
 */
#include "graph/graph.h"

#include <stdio.h>
#include <string.h>

static uint32_t hash_name(const char *name)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (; *name; name++) h = (h ^ (unsigned char)*name) * 16777619u;
    return h;
}

/* Slot of `name` in the table: the one that holds it, or the free one where it belongs. */
static int *table_slot(const cvk_graph *graph, const char *name)
{
    uint32_t mask = (uint32_t)graph->table_size - 1;
    for (uint32_t at = hash_name(name) & mask;; at = (at + 1) & mask) {
        int *slot = &graph->table[at];
        if (*slot < 0 || strcmp(graph->values[*slot].name, name) == 0) return slot;
    }
}

static cvk_status grow_table(cvk_graph *graph)
{
    if (graph->n_values * 2 < graph->table_size) return CVK_OK;
    int size = graph->table_size ? graph->table_size * 4 : 256;
    int *table = cvk_arena_alloc(graph->arena, (size_t)size * sizeof *table);
    if (!table) return CVK_NO_MEMORY;
    for (int i = 0; i < size; i++) table[i] = -1;
    graph->table = table;
    graph->table_size = size;
    for (int i = 0; i < graph->n_values; i++) *table_slot(graph, graph->values[i].name) = i;
    return CVK_OK;
}

cvk_graph *cvk_graph_create(cvk_arena *arena, const char *name, int opset)
{
    cvk_graph *graph = cvk_arena_alloc(arena, sizeof *graph);
    if (!graph) return NULL;
    graph->arena = arena;
    graph->opset = opset;
    graph->name = cvk_arena_string(arena, name ? name : "");
    return graph->name && !grow_table(graph) ? graph : NULL;
}

int cvk_graph_find(const cvk_graph *graph, const char *name)
{
    return *table_slot(graph, name);
}

cvk_status cvk_graph_add_value(cvk_graph *graph, const char *name, int *id)
{
    if (cvk_graph_find(graph, name) >= 0)
        return cvk_fail(CVK_BAD_MODEL, "two tensors are called '%s'", name);
    cvk_value *values = cvk_arena_grow(graph->arena, graph->values, sizeof *values,
                                       graph->n_values + 1, &graph->values_capacity);
    char *copy = cvk_arena_string(graph->arena, name);
    if (!values || !copy) return CVK_NO_MEMORY;
    graph->values = values;
    CVK_TRY(grow_table(graph));
    *table_slot(graph, copy) = graph->n_values;
    values[graph->n_values] = (cvk_value){.name = copy, .producer = -1};
    *id = graph->n_values++;
    return CVK_OK;
}

cvk_status cvk_graph_add_temp(cvk_graph *graph, const char *stem, int *id)
{
    char name[160];
    for (int i = graph->n_values;; i++) {
        snprintf(name, sizeof name, "%.120s#%d", stem, i);
        if (cvk_graph_find(graph, name) < 0) return cvk_graph_add_value(graph, name, id);
    }
}

cvk_status cvk_graph_add_temp_of(cvk_graph *graph, const char *stem, cvk_dtype dtype,
                                 const cvk_shape *shape, int *id)
{
    const cvk_shape own = *shape; /* the values may move */
    CVK_TRY(cvk_graph_add_temp(graph, stem, id));
    cvk_value *value = &graph->values[*id];
    value->dtype = dtype;
    value->has_shape = true;
    value->shape = own;
    return CVK_OK;
}

cvk_status cvk_graph_add_node(cvk_graph *graph, cvk_op_kind op, const char *name, const int *in,
                              int n_in, const int *out, int n_out, size_t params_bytes,
                              cvk_node **node)
{
    cvk_arena *arena = graph->arena;
    cvk_node *nodes = cvk_arena_grow(arena, graph->nodes, sizeof *nodes, graph->n_nodes + 1,
                                     &graph->nodes_capacity);
    if (!nodes) return CVK_NO_MEMORY;
    graph->nodes = nodes;
    cvk_node made = {
        .op = op, .n_in = n_in, .n_out = n_out, .params_bytes = params_bytes, .device = -1};
    made.in = cvk_arena_copy(arena, in, (size_t)n_in * sizeof *in);
    made.out = cvk_arena_copy(arena, out, (size_t)n_out * sizeof *out);
    made.params = params_bytes ? cvk_arena_alloc(arena, params_bytes) : NULL;
    if (name && *name)
        made.name = cvk_arena_string(arena, name);
    else
        made.name = cvk_arena_printf(arena, "%s_%s", cvk_op_kind_name(op),
                                     n_out && out[0] >= 0 ? graph->values[out[0]].name : "none");
    if (!made.in || !made.out || !made.name || (params_bytes && !made.params)) return CVK_NO_MEMORY;
    nodes[graph->n_nodes] = made;
    for (int i = 0; i < n_out; i++)
        if (out[i] >= 0) graph->values[out[i]].producer = graph->n_nodes;
    *node = &nodes[graph->n_nodes++];
    return CVK_OK;
}

static cvk_status append(cvk_graph *graph, int **items, int *count, int *capacity, int value)
{
    int *grown = cvk_arena_grow(graph->arena, *items, sizeof **items, *count + 1, capacity);
    if (!grown) return CVK_NO_MEMORY;
    *items = grown;
    grown[(*count)++] = value;
    return CVK_OK;
}

cvk_status cvk_graph_add_input(cvk_graph *graph, int value)
{
    return append(graph, &graph->inputs, &graph->n_inputs, &graph->inputs_capacity, value);
}

cvk_status cvk_graph_add_output(cvk_graph *graph, int value)
{
    return append(graph, &graph->outputs, &graph->n_outputs, &graph->outputs_capacity, value);
}

static cvk_status clone_value(cvk_graph *to, const cvk_graph *from, int id, bool share)
{
    const cvk_value *src = &from->values[id];
    int copy;
    CVK_TRY(cvk_graph_add_value(to, src->name, &copy));
    const char *name = to->values[copy].name;
    to->values[copy] = *src;
    to->values[copy].name = name;
    if (share) return CVK_OK;
    for (int d = 0; d < CVK_MAX_RANK; d++)
        if (src->dim_names[d] &&
            !(to->values[copy].dim_names[d] = cvk_arena_string(to->arena, src->dim_names[d])))
            return CVK_NO_MEMORY;
    if (src->data) {
        cvk_view view = cvk_graph_view(from, id);
        to->values[copy].data = cvk_arena_copy(to->arena, src->data, cvk_view_bytes(&view));
        if (!to->values[copy].data) return CVK_NO_MEMORY;
    }
    return CVK_OK;
}

/* NULL stays NULL; *failed is set when there is no memory. */
static void *copy_piece(cvk_arena *arena, const void *src, size_t bytes, bool *failed)
{
    void *copy = src ? cvk_arena_copy(arena, src, bytes) : NULL;
    if (src && !copy) *failed = true;
    return copy;
}

cvk_attr *cvk_attrs_clone(cvk_arena *arena, const cvk_attr *attrs, int count)
{
    bool failed = false;
    cvk_attr *copy = cvk_arena_alloc(arena, (size_t)count * sizeof *copy);
    for (int i = 0; copy && i < count; i++) {
        const cvk_attr *a = &attrs[i];
        copy[i] = *a;
        copy[i].name = copy_piece(arena, a->name, strlen(a->name) + 1, &failed);
        copy[i].s = copy_piece(arena, a->s, a->s ? strlen(a->s) + 1 : 0, &failed);
        copy[i].ints = copy_piece(arena, a->ints, a->count * sizeof *a->ints, &failed);
        copy[i].floats = copy_piece(arena, a->floats, a->count * sizeof *a->floats, &failed);
        cvk_tensor *t = copy_piece(arena, a->tensor, sizeof *t, &failed);
        copy[i].tensor = t;
        if (!t) continue;
        int64_t elements = cvk_tensor_count(t);
        t->name = copy_piece(arena, t->name, t->name ? strlen(t->name) + 1 : 0, &failed);
        t->data =
            copy_piece(arena, t->data,
                       (size_t)(elements < 0 ? 0 : elements) * cvk_dtype_bytes(t->dtype), &failed);
    }
    return failed ? NULL : copy;
}

cvk_graph *cvk_graph_clone(cvk_arena *arena, const cvk_graph *graph, bool share_data)
{
    cvk_graph *copy = cvk_graph_create(arena, graph->name, graph->opset);
    if (!copy) return NULL;
    for (int i = 0; i < graph->n_values; i++)
        if (clone_value(copy, graph, i, share_data)) return NULL;
    for (int i = 0; i < graph->n_nodes; i++) {
        const cvk_node *src = &graph->nodes[i];
        cvk_node *dst;
        if (cvk_graph_add_node(copy, src->op, src->name, src->in, src->n_in, src->out, src->n_out,
                               src->params_bytes, &dst))
            return NULL;
        cvk_node made = *dst;
        *dst = *src;
        dst->name = made.name;
        dst->in = made.in;
        dst->out = made.out;
        dst->params = made.params;
        if (src->params_bytes) memcpy(dst->params, src->params, src->params_bytes);
        if (share_data) continue;
        dst->attrs = cvk_attrs_clone(arena, src->attrs, src->n_attrs);
        if (!dst->attrs) return NULL;
    }
    for (int i = 0; i < graph->n_inputs; i++)
        if (cvk_graph_add_input(copy, graph->inputs[i])) return NULL;
    for (int i = 0; i < graph->n_outputs; i++)
        if (cvk_graph_add_output(copy, graph->outputs[i])) return NULL;
    return copy;
}

cvk_status cvk_graph_require_data(const cvk_graph *graph)
{
    for (int i = 0; i < graph->n_values; i++)
        if (graph->values[i].initializer && !graph->values[i].data)
            return cvk_fail(CVK_BAD_MODEL,
                            "constant '%s' has no data: it was declared only, or left in its file",
                            graph->values[i].name);
    return CVK_OK;
}

bool cvk_graph_is_output(const cvk_graph *graph, int value)
{
    for (int i = 0; i < graph->n_outputs; i++)
        if (graph->outputs[i] == value) return true;
    return false;
}

cvk_view cvk_graph_view(const cvk_graph *graph, int id)
{
    if (id < 0) return (cvk_view){0};
    const cvk_value *value = &graph->values[id];
    cvk_view view = {.dtype = value->dtype,
                     .layout = value->layout,
                     .shape = value->shape,
                     .data = (void *)value->data};
    if (!value->has_shape) view.shape.rank = -1;
    return view;
}

size_t cvk_graph_value_bytes(const cvk_graph *graph, int id)
{
    cvk_view view = cvk_graph_view(graph, id);
    return cvk_view_bytes(&view);
}
