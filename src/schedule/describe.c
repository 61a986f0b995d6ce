/* SPDX-License-Identifier: Apache-2.0
 *
 * A plan for people: one line per step, then the memory.
 */
#include <stdio.h>
#include <string.h>

#include "schedule/describe.h"
#include "schedule/passes.h"

const char *cvk_step_device_name(const cvk_plan *plan, const cvk_plan_step *made)
{
    return made->device == CVK_HOST ? "host" : plan->devices[made->device]->info.id;
}

const char *cvk_step_op_name(const cvk_plan_step *made)
{
    static const char *const pool_names[] = {"MaxPool", "AveragePool", "LpPool"};
    const cvk_node *node = made->step.node;
    switch (node->op) {
    case CVK_OP_Unary: return cvk_act_name(((const cvk_unary_params *)node->params)->act.kind);
    case CVK_OP_Binary: return cvk_binary_name(((const cvk_binary_params *)node->params)->kind);
    case CVK_OP_QBinary:
        return ((const cvk_qbinary_params *)node->params)->kind == CVK_BINARY_ADD ? "QAdd" : "QMul";
    case CVK_OP_Pool: return pool_names[((const cvk_pool_params *)node->params)->kind];
    case CVK_OP_GlobalPool:
        return ((const cvk_global_pool_params *)node->params)->kind == CVK_POOL_MAX
                   ? "GlobalMaxPool"
                   : "GlobalAveragePool";
    default: return cvk_op_kind_name(node->op);
    }
}

const char *cvk_step_fused_names(cvk_arena *arena, const cvk_plan_step *made)
{
    const cvk_node *node = made->step.node;
    const char *text = node->within ? node->within : node->pre.on ? node->pre.name : "";
    for (int p = 0; text && p < node->n_posts; p++)
        text = cvk_arena_printf(arena, "%s%s%s", text, *text ? ", " : "", node->posts[p].name);
    return text;
}

const char *cvk_step_shape_text(cvk_arena *arena, const cvk_plan_step *made)
{
    char text[CVK_SHAPE_TEXT];
    const cvk_view *out = &made->step.out[0];
    const char *type = out->dtype == CVK_F32 ? "" : cvk_dtype_name(out->dtype);
    return cvk_arena_printf(arena, "%s%s%s%s", cvk_shape_text(&out->shape, text),
                            out->layout == CVK_LAYOUT_BLOCKED ? " nchw16c" : "", *type ? " " : "",
                            type);
}

cvk_dtype cvk_step_weights(const cvk_plan *plan, const cvk_plan_step *made)
{
    const cvk_node *node = made->step.node;
    if (node->op != CVK_OP_Gemm && node->op != CVK_OP_MatMul) return CVK_NONE;
    const cvk_value *weights = &plan->graph->values[node->in[1]];
    return weights->data ? weights->dtype : CVK_NONE;
}

static bool writes(const cvk_node *node, int value)
{
    for (int i = 0; i < node->n_out; i++)
        if (node->out[i] == value) return true;
    return false;
}

/* The node that makes `value` without being a step (an alias, a concat by offset); NULL if there is
 * none. */
static const cvk_node *maker_without_step(const cvk_plan *plan, int value)
{
    for (int i = 0; i < plan->n_steps; i++)
        if (writes(plan->steps[i].step.node, value)) return NULL;
    for (int i = 0; i < plan->graph->n_nodes; i++)
        if (writes(&plan->graph->nodes[i], value)) return &plan->graph->nodes[i];
    return NULL;
}

static const char *add_sources(const cvk_plan *plan, const cvk_node *node, const char *text)
{
    const cvk_graph *graph = plan->graph;
    for (int i = 0; text && i < node->n_in; i++) {
        if (node->in[i] < 0 || graph->values[node->in[i]].data) continue;
        const cvk_node *from = maker_without_step(plan, node->in[i]);
        text = from ? add_sources(plan, from, text)
                    : cvk_arena_printf(plan->arena, "%s%s%s", text, *text ? ", " : "",
                                       graph->values[node->in[i]].name);
    }
    return text;
}

const char *cvk_step_input_names(const cvk_plan *plan, const cvk_plan_step *made)
{
    return add_sources(plan, made->step.node, "");
}

cvk_status cvk_late_info(const cvk_plan *plan, const cvk_node *node, cvk_step_info *info)
{
    const cvk_graph *graph = plan->tail->graph;
    const char *inputs = "";
    for (int i = 0; inputs && i < node->n_in; i++) {
        if (node->in[i] < 0 || graph->values[node->in[i]].data) continue;
        inputs = cvk_arena_printf(plan->arena, "%s%s%s", inputs, *inputs ? ", " : "",
                                  graph->values[node->in[i]].name);
    }
    int first = 0;
    while (first < node->n_out - 1 && node->out[first] < 0) first++;
    *info = (cvk_step_info){.op = cvk_op_kind_name(node->op),
                            .nodes = node->name,
                            .device = "host",
                            .kernel = "late",
                            .fused = "",
                            .refused = "",
                            .note = "planned by each run: its shape depends on data",
                            .output = graph->values[node->out[first]].name,
                            .shape = "?",
                            .inputs = inputs,
                            .executor = "host"};
    return inputs ? CVK_OK : CVK_NO_MEMORY;
}

/* One line for a node of the tail. */
static const char *late_line(const cvk_plan *plan, int index)
{
    cvk_step_info info;
    if (cvk_late_info(plan, &plan->tail->graph->nodes[index], &info)) return NULL;
    return cvk_arena_printf(plan->arena, "%3d  %-10s %-20s %-18s %-26s %-28s %9s  %s  (%s)",
                            plan->n_steps + index, info.device, info.kernel, info.op, info.shape,
                            "", "?", info.nodes, info.note);
}

/* One line; `line` numbers from 0. */
static const char *step_line(const cvk_plan *plan, int line)
{
    const cvk_plan_step *made = &plan->steps[line];
    const char *fused = cvk_step_fused_names(plan->arena, made);
    const char *shape = cvk_step_shape_text(plan->arena, made);
    if (!fused || !shape) return NULL;
    const char *note = made->step.node->note;
    return cvk_arena_printf(
        plan->arena, "%3d  %-10s %-20s %-18s %-26s %-28s %9.4f  %s%s%s%s", line,
        cvk_step_device_name(plan, made), made->step.kernel->name, cvk_step_op_name(made), shape,
        fused, made->predicted_ms,
        made->step.node->members && *made->step.node->members ? made->step.node->members : "-",
        note ? "  (" : "", note ? note : "", note ? ")" : "");
}

const char *cvk_plan_choice(const cvk_plan *plan)
{
    for (int d = 0; d < plan->n_devices; d++)
        if (plan->devices[d]->choice) return plan->devices[d]->choice;
    return "";
}

cvk_status cvk_pass_describe(cvk_scheduler *s)
{
    cvk_plan *plan = s->plan;
    size_t room = 4096;
    const char *choice = cvk_plan_choice(plan);
    int count = plan->n_steps + (plan->tail ? plan->tail->graph->n_nodes : 0);
    const char **lines = cvk_arena_alloc(plan->arena, ((size_t)count + 1) * sizeof *lines);
    if (!lines) return CVK_NO_MEMORY;
    room += strlen(choice);
    for (int i = 0; i < count; i++) {
        lines[i] = i < plan->n_steps ? step_line(plan, i) : late_line(plan, i - plan->n_steps);
        if (!lines[i]) return CVK_NO_MEMORY;
        for (const char *c = lines[i]; *c; c++) room++;
        room++;
    }
    char *text = cvk_arena_alloc(plan->arena, room);
    if (!text) return CVK_NO_MEMORY;
    size_t at = (size_t)snprintf(
        text, room,
        "step device     kernel               operator           %-26s %-28s predicted  nodes\n",
        "output", "fused");
    for (int i = 0; i < count; i++) at += (size_t)snprintf(text + at, room - at, "%s\n", lines[i]);
    cvk_space_memory memory = cvk_plan_memory(plan);
    snprintf(text + at, room - at,
             "%d steps for %d nodes, %d fused; activations %zu bytes (lower bound %zu), workspace "
             "%zu, weights %zu; predicted %.4f ms, %s\n%s%s%s",
             count, plan->n_model_nodes, plan->n_fused, memory.activation_bytes,
             memory.lower_bound_bytes, memory.workspace_bytes, plan->weight_bytes,
             plan->predicted_ms,
             plan->calibrated ? "by measured rates" : "roughly: no device rates were measured",
             *choice ? "taken: " : "", choice, *choice ? "\n" : "");
    plan->text = text;
    return CVK_OK;
}
