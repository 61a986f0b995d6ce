/* SPDX-License-Identifier: Apache-2.0
 *
 * Which values share storage: an alias lies where its source does; the inputs of a concatenation
 * are made where its output wants them, so that the node vanishes; an output may take the place of
 * an input that dies. plan->storage says where each value lies; a Concat that vanished has no row
 * and is noted.
 */
#include "schedule/passes.h"

/* Root and offset of a value, through all links. */
static cvk_storage find(const cvk_plan *plan, int value)
{
    cvk_storage at = {.root = value};
    while (plan->storage[at.root].root != at.root) {
        at.offset += plan->storage[at.root].offset;
        at.root = plan->storage[at.root].root;
    }
    return at;
}

static void link_aliases(cvk_scheduler *s)
{
    for (int i = 0; i < s->graph->n_nodes; i++) {
        const cvk_node *node = &s->graph->nodes[i];
        if (!cvk_is_alias(node)) continue;
        s->plan->storage[node->out[0]] = (cvk_storage){.root = node->in[0]};
    }
}

static bool is_transferred(const cvk_graph *graph, int id)
{
    for (int i = 0; i < graph->n_nodes; i++)
        if (graph->nodes[i].op == CVK_OP_Transfer && graph->nodes[i].in[0] == id) return true;
    return false;
}

/* Why input k of a Concat cannot be made in place; NULL if it can. */
static const char *concat_obstacle(const cvk_scheduler *s, const cvk_node *node, int k,
                                   size_t offset)
{
    const cvk_graph *graph = s->graph;
    int id = node->in[k];
    const cvk_value *value = &graph->values[id];
    if (value->data) return "an input is constant";
    if (value->producer < 0) return "an input is the caller's";
    if (graph->nodes[value->producer].op == CVK_OP_Transfer)
        return "an input comes from another device";
    if (s->plan->storage[id].root != id) return "an input already lies elsewhere";
    if (cvk_graph_is_output(graph, id)) return "an input is an output of the model";
    for (int j = 0; j < k; j++)
        if (node->in[j] == id) return "an input occurs twice";
    if (is_transferred(graph, id)) return "an input is read by another device";
    bool last = k == node->n_in - 1;
    if (value->layout == CVK_LAYOUT_BLOCKED && !last && value->shape.dims[1] % CVK_BLOCK)
        return "channels are not whole blocks";
    int device = value->device - 1;
    if (device >= 0 && offset % s->devices[device]->caps.buffer_alignment)
        return "offsets are not aligned";
    return NULL;
}

/* Whether the inputs of the Concat are contiguous pieces of its output. */
static const char *concat_shape_obstacle(const cvk_graph *graph, const cvk_node *node)
{
    const cvk_value *out = &graph->values[node->out[0]];
    int64_t axis = ((const cvk_axis_params *)node->params)->axis;
    if (out->layout == CVK_LAYOUT_BLOCKED && axis != 1) return "not along channels";
    return cvk_shape_span(&out->shape, 0, (int)axis) == 1 ? NULL : "pieces are not contiguous";
}

/* Whether a graph output is copied out of `root`: a buffer of the caller's may then stand in for
 * all of it. */
static bool is_handed_over(const cvk_scheduler *s, int root)
{
    const cvk_graph *graph = s->graph;
    for (int i = 0; i < graph->n_nodes; i++)
        if (graph->nodes[i].op == CVK_OP_Transfer &&
            find(s->plan, graph->nodes[i].in[0]).root == root &&
            cvk_graph_is_output(graph, graph->nodes[i].out[0]))
            return true;
    return false;
}

static cvk_status link_concat(cvk_scheduler *s, int index)
{
    cvk_graph *graph = s->graph;
    cvk_node *node = &graph->nodes[index];
    if (node->op != CVK_OP_Concat || node->device == CVK_HOST) return CVK_OK;
    const char *why = concat_shape_obstacle(graph, node);
    if (!why && is_handed_over(s, find(s->plan, node->out[0]).root))
        why = "the result leaves the device";
    size_t offset = 0;
    for (int k = 0; !why && k < node->n_in; k++) {
        why = concat_obstacle(s, node, k, offset);
        offset += cvk_graph_value_bytes(graph, node->in[k]);
    }
    if (why) {
        node->note = cvk_arena_printf(graph->arena, "not by offset: %s", why);
        return node->note ? CVK_OK : CVK_NO_MEMORY;
    }
    offset = 0;
    for (int k = 0; k < node->n_in; k++) {
        s->plan->storage[node->in[k]] = (cvk_storage){.root = node->out[0], .offset = offset};
        offset += cvk_graph_value_bytes(graph, node->in[k]);
    }
    s->rows[index] = NULL;
    return CVK_OK;
}

/* Last node that reads anything stored in `root`. */
static void last_uses(const cvk_scheduler *s, int *last)
{
    const cvk_graph *graph = s->graph;
    for (int i = 0; i < graph->n_values; i++) last[i] = -1;
    for (int i = 0; i < graph->n_nodes; i++)
        for (int k = 0; k < graph->nodes[i].n_in; k++)
            if (graph->nodes[i].in[k] >= 0) last[find(s->plan, graph->nodes[i].in[k]).root] = i;
    for (int i = 0; i < graph->n_outputs; i++)
        last[find(s->plan, graph->outputs[i]).root] = graph->n_nodes;
}

static bool is_callers(const cvk_graph *graph, int root)
{
    const cvk_value *value = &graph->values[root];
    return value->data || value->producer < 0 ||
           graph->nodes[value->producer].op == CVK_OP_Transfer;
}

/* Output over the first input, where the row allows it and the input dies here. */
static void link_in_place(cvk_scheduler *s, int *last)
{
    const cvk_graph *graph = s->graph;
    for (int i = 0; i < graph->n_nodes; i++) {
        const cvk_node *node = &graph->nodes[i];
        if (!s->rows[i] || !s->rows[i]->inplace || node->in[0] < 0) continue;
        int in = node->in[0], out = node->out[0];
        const cvk_value *a = &graph->values[in], *b = &graph->values[out];
        cvk_storage root = find(s->plan, in);
        if (is_callers(graph, root.root) || s->plan->storage[out].root != out ||
            last[root.root] != i)
            continue;
        if (a->device != b->device || a->layout != b->layout || root.offset) continue;
        if (cvk_graph_value_bytes(graph, in) != cvk_graph_value_bytes(graph, out) ||
            cvk_graph_value_bytes(graph, root.root) != cvk_graph_value_bytes(graph, in))
            continue;
        bool once = true; /* a second input over the same memory must not be overwritten */
        for (int k = 1; k < node->n_in; k++)
            if (node->in[k] >= 0 && find(s->plan, node->in[k]).root == root.root) once = false;
        if (!once) continue;
        s->plan->storage[out] = (cvk_storage){.root = root.root};
        last[root.root] = last[out];
    }
}

cvk_status cvk_pass_storage(cvk_scheduler *s)
{
    cvk_graph *graph = s->graph;
    cvk_plan *plan = s->plan;
    size_t n = (size_t)graph->n_values + 1;
    plan->storage = cvk_arena_alloc(graph->arena, n * sizeof *plan->storage);
    int *last = cvk_arena_alloc(graph->arena, n * sizeof *last);
    if (!plan->storage || !last) return CVK_NO_MEMORY;
    for (int i = 0; i < graph->n_values; i++) plan->storage[i].root = i;
    link_aliases(s);
    for (int i = 0; s->fusions & CVK_FUSE_CONCAT && i < graph->n_nodes; i++)
        CVK_TRY(link_concat(s, i));
    if (!s->options->keep_values) {
        last_uses(s, last);
        link_in_place(s, last);
    }
    for (int i = 0; i < graph->n_values; i++)
        plan->storage[i] = find(plan, i); /* straight to the root */
    return CVK_OK;
}
