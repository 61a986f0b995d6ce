/* SPDX-License-Identifier: Apache-2.0
 *
 * Lives of all activations, and their offsets in one buffer per memory space (offsets.c). Then the
 * buffers are allocated and every step's views point into them; tensors of the caller
 * become bindings.
 */
#include <stdlib.h>

#include "schedule/offsets.h"
#include "schedule/passes.h"

enum { HOST_ALIGNMENT = 64 };

static size_t round_up(size_t bytes, size_t alignment)
{
    return (bytes + alignment - 1) / alignment * alignment;
}

static size_t space_alignment(const cvk_scheduler *s, int space)
{
    return space ? s->devices[space - 1]->caps.buffer_alignment : HOST_ALIGNMENT;
}

/* Graph inputs lie in the caller's tensors; so does an output that has its storage to itself. */
static void mark_external(const cvk_scheduler *s, char *external)
{
    const cvk_graph *graph = s->graph;
    const cvk_plan *plan = s->plan;
    for (int i = 0; i < graph->n_inputs; i++) external[graph->inputs[i]] = 1;
    for (int i = 0; i < graph->n_outputs; i++) {
        cvk_storage at = plan->storage[graph->outputs[i]];
        if (graph->values[at.root].data || external[at.root] || at.offset) continue;
        if (cvk_graph_value_bytes(graph, at.root) !=
                cvk_graph_value_bytes(graph, graph->outputs[i]) ||
            plan->keep_values)
            continue;
        int sharing = 0;
        for (int k = 0; k < graph->n_outputs; k++)
            sharing += plan->storage[graph->outputs[k]].root == at.root;
        if (sharing == 1) external[at.root] = 1;
    }
}

/* One block per root that needs memory. */
static cvk_block *collect(const cvk_scheduler *s, int *count)
{
    const cvk_graph *graph = s->graph;
    const cvk_plan *plan = s->plan;
    size_t n = (size_t)graph->n_values + 1;
    cvk_block *blocks = cvk_arena_alloc(graph->arena, n * sizeof *blocks);
    if (!blocks) return NULL;
    for (int i = 0; i < graph->n_values; i++)
        blocks[i] = (cvk_block){.root = i, .first = graph->n_nodes, .last = -1};
    for (int i = 0; i < graph->n_nodes; i++) {
        const cvk_node *node = &graph->nodes[i];
        for (int k = 0; k < node->n_in + node->n_out; k++) {
            int id = k < node->n_in ? node->in[k] : node->out[k - node->n_in];
            if (id < 0) continue;
            cvk_block *b = &blocks[plan->storage[id].root];
            if (i < b->first) b->first = i;
            if (i > b->last) b->last = i;
        }
    }
    for (int i = 0; i < graph->n_outputs; i++)
        blocks[plan->storage[graph->outputs[i]].root].last = graph->n_nodes;
    *count = 0;
    for (int i = 0; i < graph->n_values; i++) {
        if (plan->storage[i].root != i || graph->values[i].data || plan->external[i] ||
            blocks[i].last < 0)
            continue;
        cvk_block b = blocks[i];
        b.space = graph->values[i].device;
        b.bytes = round_up(cvk_graph_value_bytes(graph, i), space_alignment(s, b.space));
        if (plan->keep_values) {
            b.first = 0;
            b.last = graph->n_nodes;
        }
        blocks[(*count)++] = b;
    }
    return blocks;
}

static int by_space(const void *a, const void *b)
{
    const cvk_block *x = a, *y = b;
    return x->space != y->space ? x->space - y->space : x->root - y->root;
}

/* Space by space; `blocks` are sorted by it. */
static cvk_status plan_offsets(const cvk_scheduler *s, cvk_block *blocks, int count)
{
    cvk_plan *plan = s->plan;
    for (int begin = 0, end; begin < count; begin = end) {
        cvk_space_memory *space = &plan->spaces[blocks[begin].space];
        for (end = begin; end < count && blocks[end].space == blocks[begin].space;) end++;
        space->lower_bound_bytes =
            cvk_offsets_bound(&blocks[begin], end - begin, s->graph->n_nodes);
        if (!cvk_offsets_assign(s->graph->arena, &blocks[begin], end - begin,
                                space->lower_bound_bytes, &space->activation_bytes))
            return CVK_NO_MEMORY;
    }
    for (int i = 0; i < count; i++) plan->offsets[blocks[i].root] = blocks[i].offset;
    return CVK_OK;
}

static cvk_status allocate(const cvk_scheduler *s)
{
    for (int space = 0; space <= s->n_devices; space++) {
        cvk_space_memory *m = &s->plan->spaces[space];
        void **memory[] = {&m->activations, &m->workspace};
        size_t bytes[] = {m->activation_bytes, m->workspace_bytes};
        for (int i = 0; i < 2; i++) {
            if (!bytes[i]) continue;
            if (space) {
                CVK_TRY(s->devices[space - 1]->backend->alloc(s->devices[space - 1], bytes[i],
                                                              memory[i]));
                continue;
            }
            *memory[i] = aligned_alloc(HOST_ALIGNMENT, round_up(bytes[i], HOST_ALIGNMENT));
            if (!*memory[i])
                return cvk_fail(CVK_NO_MEMORY, "out of memory: %zu bytes of activations", bytes[i]);
        }
    }
    return CVK_OK;
}

/* The handle of a piece of a device's activation buffer, kept for release. */
static cvk_status make_part(cvk_plan *plan, int device, size_t offset, size_t bytes, void **part)
{
    void **parts = cvk_arena_grow(plan->arena, plan->parts, sizeof *parts, plan->n_parts + 1,
                                  &plan->parts_capacity);
    int *owners = cvk_arena_grow(plan->arena, plan->part_device, sizeof *owners, plan->n_parts + 1,
                                 &plan->part_device_capacity);
    if (!parts || !owners) return CVK_NO_MEMORY;
    plan->parts = parts;
    plan->part_device = owners;
    cvk_device *owner = plan->devices[device];
    CVK_TRY(owner->backend->part(owner, plan->spaces[1 + device].activations, offset, bytes, part));
    parts[plan->n_parts] = *part;
    owners[plan->n_parts++] = device;
    return CVK_OK;
}

static cvk_status add_binding(cvk_plan *plan, int value, bool output, cvk_view *view, size_t offset)
{
    cvk_binding *grown = cvk_arena_grow(plan->arena, plan->bindings, sizeof *grown,
                                        plan->n_bindings + 1, &plan->bindings_capacity);
    if (!grown) return CVK_NO_MEMORY;
    plan->bindings = grown;
    grown[plan->n_bindings++] =
        (cvk_binding){.value = value, .output = output, .view = view, .offset = offset};
    return CVK_OK;
}

/* Graph input or output whose tensor is the storage `root`. */
static bool external_value(const cvk_graph *graph, const cvk_plan *plan, int root, int *value)
{
    for (int i = 0; i < graph->n_inputs; i++)
        if (graph->inputs[i] == root) {
            *value = root;
            return false;
        }
    for (int i = 0; i < graph->n_outputs; i++)
        if (plan->storage[graph->outputs[i]].root == root) *value = graph->outputs[i];
    return true;
}

static cvk_status bind_view(cvk_plan *plan, int value, cvk_view *view)
{
    cvk_storage at = plan->storage[value];
    if (plan->external[at.root]) {
        int owner = at.root;
        bool output = external_value(plan->graph, plan, at.root, &owner);
        return add_binding(plan, owner, output, view, at.offset);
    }
    int space = plan->graph->values[value].device;
    size_t offset = plan->offsets[at.root] + at.offset;
    if (space && !cvk_view_bytes(view)) return CVK_OK; /* nothing to point to */
    if (space) return make_part(plan, space - 1, offset, cvk_view_bytes(view), &view->data);
    view->data = (char *)plan->spaces[0].activations + offset;
    return CVK_OK;
}

static cvk_status bind_step(cvk_scheduler *s, cvk_plan_step *made)
{
    cvk_step *step = &made->step;
    for (int i = 0; i < step->node->n_in; i++) {
        int id = step->node->in[i];
        if (id >= 0 && !cvk_is_const(s->graph, id)) CVK_TRY(bind_view(s->plan, id, &step->in[i]));
    }
    for (int i = 0; i < step->node->n_out; i++)
        if (step->node->out[i] >= 0) CVK_TRY(bind_view(s->plan, step->node->out[i], &step->out[i]));
    step->scratch = s->plan->spaces[cvk_plan_space(s->plan, made->device)].workspace;
    int id = step->node->out[0];
    if (id >= 0)
        made->offset = s->plan->offsets[s->plan->storage[id].root] + s->plan->storage[id].offset;
    return CVK_OK;
}

/* The session's own memory for outputs: where a caller leaves one out, and for constant ones. */
static cvk_status make_outputs(cvk_plan *plan)
{
    const cvk_graph *graph = plan->graph;
    for (int i = 0; i < graph->n_outputs; i++) {
        int id = graph->outputs[i];
        cvk_view view = cvk_graph_view(graph, id);
        if (!view.data && !plan->external[plan->storage[id].root]) continue;
        if (plan->output_data[id]) continue;
        plan->output_data[id] = view.data
                                    ? cvk_arena_copy(plan->arena, view.data, cvk_view_bytes(&view))
                                    : cvk_arena_alloc(plan->arena, cvk_view_bytes(&view));
        if (!plan->output_data[id]) return CVK_NO_MEMORY;
    }
    return CVK_OK;
}

cvk_status cvk_pass_memory(cvk_scheduler *s)
{
    cvk_plan *plan = s->plan;
    size_t n = (size_t)s->graph->n_values + 1;
    plan->offsets = cvk_arena_alloc(plan->arena, n * sizeof *plan->offsets);
    plan->external = cvk_arena_alloc(plan->arena, n);
    plan->output_data = cvk_arena_alloc(plan->arena, n * sizeof *plan->output_data);
    if (!plan->offsets || !plan->external || !plan->output_data) return CVK_NO_MEMORY;
    mark_external(s, plan->external);
    int count;
    cvk_block *blocks = collect(s, &count);
    if (!blocks) return CVK_NO_MEMORY;
    qsort(blocks, (size_t)count, sizeof *blocks, by_space);
    CVK_TRY(plan_offsets(s, blocks, count));
    CVK_TRY(allocate(s));
    for (int i = 0; i < plan->n_steps; i++) CVK_TRY(bind_step(s, &plan->steps[i]));
    return make_outputs(plan);
}
