/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps: the views of a node, constants brought to the device in the layout that the row wants
 * (unless it packs them itself), and the row's own preparation.
 */
#include <string.h>

#include "schedule/reuse.h"
#include "schedule/trial.h"

/* A constant as the row wants it, in memory of the device, or of the plan on the host. */
static cvk_status place_constant(cvk_scheduler *s, cvk_device *device, cvk_step *step,
                                 cvk_view *view)
{
    cvk_arena *arena = s->plan->arena;
    const void *source = view->data;
    if (view->layout == CVK_LAYOUT_BLOCKED) {
        cvk_shape *shape = &view->shape;
        void *blocked = cvk_arena_alloc(arena, cvk_view_bytes(view));
        if (!blocked) return CVK_NO_MEMORY;
        cvk_layout_block(view->dtype, source, blocked, shape->dims[0], shape->dims[1],
                         cvk_shape_span(shape, 2, shape->rank));
        source = blocked;
    }
    if (device) return cvk_step_constant(device, step, source, cvk_view_bytes(view), &view->data);
    view->data = cvk_arena_copy(arena, source, cvk_view_bytes(view));
    return view->data ? CVK_OK : CVK_NO_MEMORY;
}

cvk_status cvk_step_make(cvk_scheduler *s, const cvk_node *node, cvk_device *device,
                         const cvk_kernel *row, cvk_step *step)
{
    cvk_arena *arena = s->plan->arena;
    const cvk_graph *graph = s->graph;
    *step = (cvk_step){.kernel = row, .arena = arena};
    if (s->options->reuse) step->known = s->options->reuse->known;
    cvk_node *copy = cvk_arena_copy(arena, node, sizeof *node);
    step->in = cvk_arena_alloc(arena, ((size_t)node->n_in + 1) * sizeof *step->in);
    step->out = cvk_arena_alloc(arena, ((size_t)node->n_out + 1) * sizeof *step->out);
    if (!copy || !step->in || !step->out) return CVK_NO_MEMORY;
    step->node = copy;
    for (int i = 0; i < node->n_in; i++) {
        cvk_view *view = &step->in[i];
        *view = cvk_graph_view(graph, node->in[i]);
        if (node->in[i] >= 0)
            view->layout = cvk_row_input_layout(row, node, i, &graph->values[node->in[i]]);
        if (view->data && !cvk_row_packs(row, node, i) && !s->options->draft)
            CVK_TRY(place_constant(s, device, step, view));
    }
    for (int i = 0; i < node->n_out; i++) {
        step->out[i] = cvk_graph_view(graph, node->out[i]);
        if (node->out[i] >= 0)
            step->out[i].layout = cvk_row_output_layout(row, &graph->values[node->out[i]]);
    }
    if (row->prepare && !s->options->draft) CVK_TRY(row->prepare(device, step));
    step->known = NULL;
    for (int i = 0; i < node->n_in; i++)
        if (cvk_is_const(graph, node->in[i]) && cvk_row_packs(row, node, i))
            step->in[i].data = NULL;
    return CVK_OK;
}

void cvk_step_unmake(cvk_device *device, cvk_step *step)
{
    if (!device || !step->kernel) return;
    if (step->kernel->release) step->kernel->release(device, step);
    cvk_step_unpack(device, step);
}

cvk_status cvk_trial_budget(cvk_scheduler *s, const cvk_node *node, const cvk_device *device,
                            const cvk_kernel *row, bool *fits, const char **why)
{
    cvk_step step;
    cvk_status status = cvk_step_make(s, node, (cvk_device *)device, row, &step);
    *fits = step.scratch_bytes <= s->options->workspace_bytes;
    if (!status && !*fits) {
        *why = cvk_arena_printf(s->graph->arena, "wants %zu bytes of workspace, %zu allowed",
                                step.scratch_bytes, s->options->workspace_bytes);
        if (!*why) status = CVK_NO_MEMORY;
    }
    cvk_step_unmake((cvk_device *)device, &step);
    return status;
}

static const cvk_kernel transfer_row = {.op = CVK_OP_Transfer, .name = "copy"};

/* Whether node i does something at run time: not an alias, not a Concat made by offset. */
static bool is_step(const cvk_scheduler *s, int i)
{
    return s->rows[i] || s->graph->nodes[i].op == CVK_OP_Transfer;
}

/* Arithmetic of a node on known shapes; with a pool behind it the result before the pool counts. */
static uint64_t node_macs(const cvk_node *node, const cvk_step *step)
{
    const cvk_op *op = cvk_op_get(node->op);
    if (!op->macs) return 0;
    cvk_view out = step->out[0];
    if (node->n_posts && node->posts[node->n_posts - 1].kind == CVK_POST_POOL)
        out.shape = node->conv_shape;
    return op->macs(node->params, step->in, node->n_in, &out);
}

static size_t constant_bytes(const cvk_scheduler *s, const cvk_node *node)
{
    size_t bytes = 0;
    for (int i = 0; i < node->n_in; i++)
        if (cvk_is_const(s->graph, node->in[i]))
            bytes += cvk_graph_value_bytes(s->graph, node->in[i]);
    return bytes;
}

static cvk_status prepare(cvk_scheduler *s, int index, cvk_plan_step *made)
{
    const cvk_node *node = &s->graph->nodes[index];
    bool transfer = node->op == CVK_OP_Transfer;
    made->device = transfer ? CVK_HOST : node->device;
    made->refused = s->refused[index];
    cvk_device *device = made->device == CVK_HOST ? NULL : s->devices[made->device];
    const cvk_kernel *row = transfer ? &transfer_row : s->rows[index];
    cvk_status status = cvk_step_make(s, node, device, row, &made->step);
    if (status)
        return cvk_fail_at(status, "node '%s' (%s)", node->name, cvk_op_kind_name(node->op));
    if (transfer || (node->op == CVK_OP_Reorder && !device)) { /* of no row's layouts */
        made->step.in[0].layout = s->graph->values[node->in[0]].layout;
        made->step.out[0].layout = s->graph->values[node->out[0]].layout;
    }
    made->macs = node_macs(node, &made->step);
    made->weight_bytes =
        s->options->draft ? constant_bytes(s, node) : cvk_step_pack_bytes(&made->step);
    s->plan->weight_bytes += made->weight_bytes;
    cvk_space_memory *space = &s->plan->spaces[cvk_plan_space(s->plan, made->device)];
    if (made->step.scratch_bytes > space->workspace_bytes)
        space->workspace_bytes = made->step.scratch_bytes;
    return CVK_OK;
}

/* What the steps of each device need, all at once. */
static cvk_status build(cvk_scheduler *s)
{
    cvk_plan *plan = s->plan;
    cvk_step **steps =
        cvk_arena_alloc(s->graph->arena, ((size_t)plan->n_steps + 1) * sizeof *steps);
    if (!steps) return CVK_NO_MEMORY;
    for (int d = 0; d < s->n_devices; d++) {
        int n = 0;
        for (int i = 0; i < plan->n_steps; i++)
            if (plan->steps[i].device == d) steps[n++] = &plan->steps[i].step;
        CVK_TRY(cvk_device_build(s->devices[d], steps, n));
    }
    return CVK_OK;
}

cvk_status cvk_pass_prepare(cvk_scheduler *s)
{
    cvk_plan *plan = s->plan;
    plan->steps =
        cvk_arena_alloc(plan->arena, ((size_t)s->graph->n_nodes + 1) * sizeof *plan->steps);
    if (!plan->steps) return CVK_NO_MEMORY;
    for (int i = 0; i < s->graph->n_nodes; i++) {
        if (!is_step(s, i)) continue;
        plan->n_steps++; /* counted first: a step half made is freed with the plan */
        CVK_TRY(prepare(s, i, &plan->steps[plan->n_steps - 1]));
    }
    return s->options->draft ? CVK_OK : build(s);
}
