/* SPDX-License-Identifier: Apache-2.0
 *
 * A device and a kernel row for every node: the first device in the caller's order that has a row
 * for it, or that which assign.c prefers, else its reference on the host; of the rows that accept, the one that was tuned for this
 * problem (tuned.c), else the first that takes the data as they lie; none that selftest found wrong
 * on the driver (denied.c). Records which rows were asked before and why they refused.
 */
#include <string.h>

#include "base/log.h"
#include "schedule/denied.h"
#include "schedule/trial.h"

static cvk_status run_reference(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    (void)workers;
    return worker ? CVK_OK : cvk_node_reference(step->node, step->in, step->out);
}

const cvk_kernel cvk_reference_row = {.name = "reference", .run = run_reference};

/* Whether the layout of this value is a kernel's choice at all. */
static bool has_layout(const cvk_value *value)
{
    return (value->dtype == CVK_F32 || value->dtype == CVK_F16) &&
           (value->shape.rank == 3 || value->shape.rank == 4);
}

bool cvk_row_packs(const cvk_kernel *row, const cvk_node *node, int i)
{
    if (cvk_pre_reads(&node->pre, i)) return false;
    for (int p = 0; p < node->n_posts; p++)
        if (cvk_post_has_input(&node->posts[p]) && node->posts[p].input == i) return false;
    return row->packs >> (i < 31 ? i : 31) & 1;
}

cvk_layout cvk_row_input_layout(const cvk_kernel *row, const cvk_node *node, int i,
                                const cvk_value *value)
{
    if (!row || !has_layout(value) || (value->data && cvk_row_packs(row, node, i)))
        return CVK_LAYOUT_PLAIN;
    for (int p = 0; p < node->n_posts; p++)
        if (node->posts[p].kind == CVK_POST_ADD && node->posts[p].input == i)
            return row->out_layout;
    return row->in_layout;
}

cvk_layout cvk_row_output_layout(const cvk_kernel *row, const cvk_value *value)
{
    return row && has_layout(value) ? row->out_layout : CVK_LAYOUT_PLAIN;
}

cvk_status cvk_problem_make(cvk_scheduler *s, const cvk_node *node, const cvk_caps *caps,
                            cvk_problem *problem)
{
    size_t count = (size_t)node->n_in + (size_t)node->n_out;
    cvk_view *views = cvk_arena_alloc(s->graph->arena, (count + 1) * sizeof *views);
    if (!views) return CVK_NO_MEMORY;
    for (int i = 0; i < node->n_in; i++) views[i] = cvk_graph_view(s->graph, node->in[i]);
    for (int i = 0; i < node->n_out; i++)
        views[node->n_in + i] = cvk_graph_view(s->graph, node->out[i]);
    *problem = (cvk_problem){.node = node, .in = views, .out = views + node->n_in, .caps = caps};
    return CVK_OK;
}

const char *cvk_row_lacks(const cvk_device *device, const cvk_kernel *row)
{
    const uint32_t lacks = row->needs & ~device->caps.bits;
    if (!lacks) return NULL;
    return lacks & CVK_CAP_CLBLAST ? "CLBlast was not found"
           : lacks & CVK_CAP_CPU   ? "is written for CPU devices"
                                   : "the device lacks a capability";
}

static bool row_accepts(const cvk_scheduler *s, const cvk_device *device, const cvk_kernel *row,
                        const cvk_problem *problem, const char **why)
{
    *why = "refused";
    for (int i = 0; i < problem->node->n_in + problem->node->n_out; i++) {
        const cvk_view *view =
            &problem->in[i]; /* outputs follow the inputs, see cvk_problem_make */
        if (view->dtype == CVK_NONE || cvk_view_count(view) > 0) continue;
        *why = "a tensor has no elements";
        return false;
    }
    const char *lacks = cvk_row_lacks(device, row);
    if (lacks) {
        *why = lacks;
        return false;
    }
    if (problem->node->pre.on && !row->prologue) {
        *why = "takes its input as it is";
        return false;
    }
    if (!row->accepts(problem, why)) return false;
    if (!cvk_denied(s, device, row)) return true;
    *why = CVK_DENIED_WHY;
    return false;
}

bool cvk_place_accepts(cvk_scheduler *s, const cvk_node *node, int device, const cvk_kernel *row,
                       const char **why)
{
    const cvk_device *dev = s->devices[device];
    cvk_problem problem;
    *why = "out of memory";
    if (cvk_problem_make(s, node, &dev->caps, &problem)) return false;
    return row_accepts(s, dev, row, &problem, why);
}

/* Whether the row accepts and keeps to the workspace budget. */
static cvk_status row_takes(cvk_scheduler *s, const cvk_device *device, const cvk_kernel *row,
                            const cvk_problem *problem, bool *takes, const char **why)
{
    *takes = row_accepts(s, device, row, problem, why);
    if (!*takes || !s->options->workspace_bytes || s->options->draft) return CVK_OK;
    return cvk_trial_budget(s, problem->node, device, row, takes, why);
}

cvk_status cvk_place_takes(cvk_scheduler *s, const cvk_node *node, int device,
                           const cvk_kernel *row, bool *takes, const char **why)
{
    cvk_problem problem;
    CVK_TRY(cvk_problem_make(s, node, &s->devices[device]->caps, &problem));
    return row_takes(s, s->devices[device], row, &problem, takes, why);
}

/* The layout in which a node's activations lie now: blocked if any is. */
static cvk_layout current_layout(const cvk_graph *graph, const cvk_node *node)
{
    for (int i = 0; i < node->n_in; i++)
        if (node->in[i] >= 0 && graph->values[node->in[i]].layout == CVK_LAYOUT_BLOCKED)
            return CVK_LAYOUT_BLOCKED;
    return CVK_LAYOUT_PLAIN;
}

/* How well a row suits data that lie in `current`, smaller is better. Convolutions are so much
 * faster towards the blocked layout that a reorder pays; everything else takes the data as they
 * lie. */
static int misfit(const cvk_kernel *row, cvk_layout current)
{
    bool conv = row->op == CVK_OP_Conv || row->op == CVK_OP_ConvTranspose;
    if (!conv) return row->in_layout != current;
    if (row->in_layout == current && row->out_layout == CVK_LAYOUT_BLOCKED) return 0;
    return row->in_layout == CVK_LAYOUT_BLOCKED ? 1 : 2;
}

/* Adds "row: why" to the list of refusals. */
static cvk_status add_refusal(cvk_arena *arena, const char **refused, const char *row,
                              const char *why)
{
    if (!refused) return CVK_OK;
    *refused = cvk_arena_printf(arena, "%s%s%s: %s", *refused, **refused ? "; " : "", row, why);
    return *refused ? CVK_OK : CVK_NO_MEMORY;
}

/* Best row of one device; NULL if none accepts. `all`: cvk_scheduler.takes. */
static cvk_status best_row(cvk_scheduler *s, const cvk_node *node, const cvk_device *device,
                           const cvk_kernel **best, const char **refused, uint32_t *all)
{
    cvk_problem problem;
    CVK_TRY(cvk_problem_make(s, node, &device->caps, &problem));
    cvk_layout current = current_layout(s->graph, node);
    const char *prefer = s->options->prefer_kernel;
    const char *asked = "";
    uint32_t bit = 1;
    *all = 0;
    for (int r = 0; r < device->n_kernels; r++) {
        const cvk_kernel *row = &device->kernels[r];
        const char *why;
        if (row->op != node->op) continue;
        bool takes;
        CVK_TRY(row_takes(s, device, row, &problem, &takes, &why));
        *all |= takes ? bit : 0;
        bit <<= 1;
        if (!takes) {
            CVK_TRY(add_refusal(s->graph->arena, &asked, row->name, why));
            continue;
        }
        bool preferred = prefer && strcmp(row->name, prefer) == 0;
        if (!*best || preferred || misfit(row, current) < misfit(*best, current)) {
            *best = row;
            if (refused) *refused = asked;
        }
        if (preferred) break;
    }
    if (!*best && refused) *refused = asked;
    return CVK_OK;
}

static cvk_status place_on(cvk_scheduler *s, const cvk_node *node, int device,
                           const cvk_kernel **row, const char **refused, uint32_t *all)
{
    *row = NULL;
    return best_row(s, node, s->devices[device], row, refused, all);
}

cvk_status cvk_place_on(cvk_scheduler *s, const cvk_node *node, int device, const cvk_kernel **row,
                        const char **refused)
{
    uint32_t all;
    return place_on(s, node, device, row, refused, &all);
}

/* What a device without any row for the node has said stands before what the next ones say. */
static cvk_status join_refusals(cvk_arena *arena, const char *before, const char **refused)
{
    if (!refused || !*before) return CVK_OK;
    *refused = cvk_arena_printf(arena, "%s%s%s", before, **refused ? "; " : "", *refused);
    return *refused ? CVK_OK : CVK_NO_MEMORY;
}

static cvk_status place_node(cvk_scheduler *s, const cvk_node *node, int *device,
                             const cvk_kernel **row, const char **refused, uint32_t *all)
{
    if (refused) *refused = "";
    for (int d = 0; d < s->n_devices; d++) {
        const char *before = refused ? *refused : "";
        const cvk_kernel *best;
        CVK_TRY(place_on(s, node, d, &best, refused, all));
        CVK_TRY(join_refusals(s->graph->arena, before, refused));
        if (!best) continue;
        *device = d;
        *row = best;
        return CVK_OK;
    }
    *device = CVK_HOST;
    *row = &cvk_reference_row;
    return CVK_OK;
}

cvk_status cvk_place_node(cvk_scheduler *s, const cvk_node *node, int *device,
                          const cvk_kernel **row, const char **refused)
{
    uint32_t all;
    return place_node(s, node, device, row, refused, &all);
}

/* Says in the node's note which row would be the first for it if none were denied, and among the
 * refusals, where it is not if it stands behind the row that was chosen. */
static cvk_status note_denied(cvk_scheduler *s, cvk_node *node, const cvk_kernel *row,
                              const char **refused)
{
    cvk_arena *arena = s->graph->arena;
    bool *const *denied = s->denied;
    const cvk_kernel *usual;
    int device;
    if (!denied) return CVK_OK;
    s->denied = NULL;
    cvk_status status = cvk_place_node(s, node, &device, &usual, NULL);
    s->denied = denied;
    if (status || usual == row) return status;
    const char *what = cvk_arena_printf(arena, "%s: " CVK_DENIED_WHY, usual->name);
    if (!what) return CVK_NO_MEMORY;
    node->note = node->note ? cvk_arena_printf(arena, "%s; %s", node->note, what) : what;
    if (!node->note) return CVK_NO_MEMORY;
    return strstr(*refused, what) ? CVK_OK
                                  : add_refusal(arena, refused, usual->name, CVK_DENIED_WHY);
}

void cvk_place_outputs(cvk_scheduler *s, const cvk_node *node, const cvk_kernel *row, int device)
{
    for (int k = 0; k < node->n_out; k++) {
        if (node->out[k] < 0) continue;
        cvk_value *value = &s->graph->values[node->out[k]];
        value->layout = cvk_row_output_layout(row, value);
        value->device = cvk_plan_space(s->plan, device);
    }
}

/* Where assign.c has put it, else on the first device of the order; *moved: not on that one. */
static cvk_status place_assigned(cvk_scheduler *s, int index, bool *moved)
{
    cvk_node *node = &s->graph->nodes[index];
    *moved = false;
    CVK_TRY(
        place_node(s, node, &node->device, &s->rows[index], &s->refused[index], &s->takes[index]));
    if (!s->assigned || s->assigned[index] == node->device || s->assigned[index] == CVK_HOST)
        return CVK_OK;
    const cvk_kernel *row;
    const char *refused = "";
    uint32_t takes;
    CVK_TRY(place_on(s, node, s->assigned[index], &row, &refused, &takes));
    if (!row) return CVK_OK;
    node->device = s->assigned[index];
    s->takes[index] = takes;
    s->rows[index] = row;
    s->refused[index] = refused;
    *moved = true;
    return CVK_OK;
}

static cvk_status place(cvk_scheduler *s, int index)
{
    cvk_graph *graph = s->graph;
    cvk_node *node = &graph->nodes[index];
    if (cvk_is_alias(node)) {
        int producer = graph->values[node->in[0]].producer;
        node->device = producer >= 0 ? graph->nodes[producer].device : CVK_HOST;
        s->rows[index] = NULL;
        s->refused[index] = "";
    } else {
        bool moved;
        CVK_TRY(place_assigned(s, index, &moved));
        if (!s->refused[index]) s->refused[index] = "";
        if (!moved) CVK_TRY(note_denied(s, node, s->rows[index], &s->refused[index]));
        if (node->device != CVK_HOST)
            CVK_TRY(cvk_place_tuned(s, node, node->device, &s->rows[index]));
    }
    cvk_place_outputs(s, node, s->rows[index], node->device);
    return CVK_OK;
}

/* Whether `value` is an input of the model under another shape, or the input itself. */
static bool is_input(const cvk_graph *graph, int value)
{
    int producer = graph->values[value].producer;
    while (producer >= 0 && cvk_is_alias(&graph->nodes[producer]))
        producer = graph->values[graph->nodes[producer].in[0]].producer;
    return producer < 0;
}

/* Another shape of an input belongs where its first reader is: the input goes there as it came. */
static void follow_reader(cvk_scheduler *s, int index)
{
    cvk_graph *graph = s->graph;
    cvk_node *node = &graph->nodes[index];
    if (!cvk_is_alias(node) || !is_input(graph, node->in[0])) return;
    for (int i = index + 1; i < graph->n_nodes; i++)
        for (int k = 0; k < graph->nodes[i].n_in; k++) {
            if (graph->nodes[i].in[k] != node->out[0]) continue;
            node->device = graph->nodes[i].device;
            graph->values[node->out[0]].device = cvk_plan_space(s->plan, node->device);
            return;
        }
}

/* A row that the caller prefers may be misspelt, or not for this device or network. */
static void warn_unused(const cvk_scheduler *s)
{
    const char *prefer = s->options->prefer_kernel;
    for (int i = 0; prefer && i < s->graph->n_nodes; i++)
        if (s->rows[i] && strcmp(s->rows[i]->name, prefer) == 0) return;
    if (prefer)
        cvk_log(CVK_LOG_WARN, "no kernel row '%s' accepts a step of this network here", prefer);
}

cvk_status cvk_pass_place(cvk_scheduler *s)
{
    size_t n = (size_t)s->graph->n_nodes + 1;
    s->rows = cvk_arena_alloc(s->graph->arena, n * sizeof *s->rows);
    s->refused = cvk_arena_alloc(s->graph->arena, n * sizeof *s->refused);
    s->takes = cvk_arena_alloc(s->graph->arena, n * sizeof *s->takes);
    if (!s->rows || !s->refused || !s->takes) return CVK_NO_MEMORY;
    for (int i = 0; i < s->graph->n_nodes; i++) CVK_TRY(place(s, i));
    warn_unused(s);
    for (int i = s->graph->n_nodes - 1; i >= 0; i--) follow_reader(s, i);
    return CVK_OK;
}
