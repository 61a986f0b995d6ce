/* SPDX-License-Identifier: Apache-2.0
 *
 * float16 networks with float32 kernels: stored as float16, computed in float32. The first pass,
 * ahead of lowering, gives every float16 value a float32 twin that the nodes compute with, so that
 * lowering, folding, fusing and kernels see float32. The second, after fusing, puts the float16
 * values back where results stand between steps:
 *
 *     x -> Conv -> c -> Relu -> r -> Conv -> y             all float16
 *     x -> Cast -> Conv+Relu -> Cast -> r -> Cast -> Conv -> Cast -> y
 *
 * A step's result is rounded to float16 once, what is fused into it not in between. Rows that read
 * and write float16 themselves need no casts; what only moves elements is such a one, and so is a
 * reference where no device has a kernel.
 */
#include "schedule/passes.h"

static bool is_half(const cvk_graph *graph, int id)
{
    return id >= 0 && graph->values[id].dtype == CVK_F16;
}

/* A value like `id` in another float type. */
static cvk_status add_twin(cvk_graph *graph, int id, cvk_dtype dtype, int *twin)
{
    const cvk_value *from = &graph->values[id];
    CVK_TRY(cvk_graph_add_temp_of(graph, from->name, dtype, &from->shape, twin));
    graph->values[*twin].initializer = graph->values[id].initializer;
    return CVK_OK;
}

static cvk_status emit_cast(cvk_graph *graph, int from, int to)
{
    cvk_node *node;
    CVK_TRY(cvk_graph_add_node(graph, CVK_OP_Cast, NULL, &from, 1, &to, 1, sizeof(cvk_cast_params),
                               &node));
    node->members = "";
    ((cvk_cast_params *)node->params)->to = graph->values[to].dtype;
    return CVK_OK;
}

/* The node with in and out of its own, to be written to. */
static cvk_status own_values(cvk_graph *graph, const cvk_node *node, cvk_node *copy)
{
    *copy = *node;
    copy->in = cvk_arena_copy(graph->arena, node->in, (size_t)node->n_in * sizeof *copy->in);
    copy->out = cvk_arena_copy(graph->arena, node->out, (size_t)node->n_out * sizeof *copy->out);
    return copy->in && copy->out ? CVK_OK : CVK_NO_MEMORY;
}

/* The first pass: which of a value's two forms there are already. */
typedef struct widener {
    cvk_graph *graph;
    cvk_arena *brief;
    int *wide; /* by float16 value: its twin, or -1 */
    char *has_half, *has_wide;
} widener;

/* Prepare puts constants into the plan, so that the wide ones need not outlive the passes. */
static cvk_status widen_constant(const widener *w, int id, int twin)
{
    cvk_graph *graph = w->graph;
    cvk_view from = cvk_graph_view(graph, id);
    int64_t count = cvk_view_count(&from);
    float *data = cvk_arena_alloc(w->brief, (size_t)count * sizeof *data + 1);
    if (!data) return CVK_NO_MEMORY;
    for (int64_t i = 0; i < count; i++) data[i] = cvk_f16_to_f32(((const uint16_t *)from.data)[i]);
    graph->values[twin].data = data;
    return CVK_OK;
}

/* The twin of a float16 value; `read`: with its elements. */
static cvk_status twin_of(widener *w, int id, bool read, int *twin)
{
    cvk_graph *graph = w->graph;
    if (w->wide[id] < 0) {
        CVK_TRY(add_twin(graph, id, CVK_F32, &w->wide[id]));
        if (cvk_is_const(graph, id)) CVK_TRY(widen_constant(w, id, w->wide[id]));
    }
    *twin = w->wide[id];
    if (!read || cvk_is_const(graph, id) || w->has_wide[id]) return CVK_OK;
    w->has_wide[id] = 1;
    return emit_cast(graph, id, *twin);
}

/* A float16 value itself is wanted. */
static cvk_status need_half(widener *w, int id)
{
    if (!is_half(w->graph, id) || cvk_is_const(w->graph, id) || w->has_half[id]) return CVK_OK;
    w->has_half[id] = 1;
    return emit_cast(w->graph, w->wide[id], id);
}

/* Casts are what they are, and what makes float16 of other types does so by its parameters. */
static bool computes_in_half(const cvk_graph *graph, const cvk_node *node)
{
    if (cvk_op_get(node->op)->form.kind == CVK_FORM_CAST) return false;
    for (int i = 0; i < node->n_in; i++)
        if (is_half(graph, node->in[i])) return true;
    return false;
}

static cvk_status widen_node(widener *w, const cvk_node *node)
{
    cvk_graph *graph = w->graph;
    cvk_node wide;
    if (!computes_in_half(graph, node)) {
        for (int i = 0; i < node->n_in; i++) CVK_TRY(need_half(w, node->in[i]));
        for (int i = 0; i < node->n_out; i++)
            if (is_half(graph, node->out[i])) w->has_half[node->out[i]] = 1;
        return cvk_nodes_keep(graph, node);
    }
    CVK_TRY(own_values(graph, node, &wide));
    for (int i = 0; i < node->n_in; i++)
        if (is_half(graph, node->in[i])) CVK_TRY(twin_of(w, node->in[i], true, &wide.in[i]));
    for (int i = 0; i < node->n_out; i++) {
        if (!is_half(graph, node->out[i])) continue;
        CVK_TRY(twin_of(w, node->out[i], false, &wide.out[i]));
        w->has_wide[node->out[i]] = 1;
    }
    return cvk_nodes_keep(graph, &wide);
}

static bool has_halves(const cvk_graph *graph)
{
    for (int i = 0; i < graph->n_nodes; i++)
        if (computes_in_half(graph, &graph->nodes[i])) return true;
    return false;
}

cvk_status cvk_pass_widen(cvk_scheduler *s)
{
    cvk_graph *graph = s->graph;
    if (!has_halves(graph)) return CVK_OK;
    const int known = graph->n_values;
    size_t n = (size_t)known + 1;
    widener w = {.graph = graph,
                 .brief = s->brief,
                 .wide = cvk_arena_alloc(graph->arena, n * sizeof *w.wide),
                 .has_half = cvk_arena_alloc(graph->arena, n),
                 .has_wide = cvk_arena_alloc(graph->arena, n)};
    int count;
    cvk_node *nodes = cvk_nodes_take(graph, &count);
    if (!w.wide || !w.has_half || !w.has_wide || !nodes) return CVK_NO_MEMORY;
    for (int i = 0; i < known; i++) w.wide[i] = -1;
    for (int i = 0; i < graph->n_inputs; i++) w.has_half[graph->inputs[i]] = 1;
    for (int i = 0; i < count; i++) CVK_TRY(widen_node(&w, &nodes[i]));
    for (int i = 0; i < graph->n_outputs; i++) CVK_TRY(need_half(&w, graph->outputs[i]));
    s->n_half = graph->n_values;
    s->half = cvk_arena_alloc(graph->arena, (size_t)s->n_half * sizeof *s->half);
    if (!s->half) return CVK_NO_MEMORY;
    for (int i = 0; i < s->n_half; i++) s->half[i] = -1;
    for (int i = 0; i < known; i++)
        if (w.wide[i] >= 0) s->half[w.wide[i]] = i;
    return cvk_graph_link(graph);
}

/* The second pass. */
typedef struct narrower {
    cvk_scheduler *s;
    cvk_graph *graph;
    int *form;    /* by float16 value: its last float32 form, made for a reader, or -1 */
    int *form_at; /* that reader's number */
    int at;       /* number of the node in hand */
} narrower;

/* The float16 value that stands for a float32 one between steps; -1: none, it stays. */
static int half_of(const narrower *n, int id)
{
    return id >= 0 && id < n->s->n_half ? n->s->half[id] : -1;
}

/* A float32 form of a float16 value for the node in hand; readers that stand side by side share
 * it, others make their own, so that it takes its memory for a moment only. */
static cvk_status form_of(narrower *n, int half, int *form)
{
    if (n->form[half] < 0 || n->form_at[half] + 1 < n->at) {
        CVK_TRY(add_twin(n->graph, half, CVK_F32, &n->form[half]));
        CVK_TRY(emit_cast(n->graph, half, n->form[half]));
    }
    n->form_at[half] = n->at;
    *form = n->form[half];
    return CVK_OK;
}

/* The node on float16 values, its results among them, constants only if told so; *fits: there is
 * such a form. */
static cvk_status in_halves(narrower *n, const cvk_node *node, bool constants, cvk_node *made,
                            bool *fits)
{
    cvk_graph *graph = n->graph;
    CVK_TRY(own_values(graph, node, made));
    *fits = true;
    for (int i = 0; *fits && i < node->n_in; i++) {
        if (node->in[i] < 0 || graph->values[node->in[i]].dtype != CVK_F32) continue;
        if (!constants && cvk_is_const(graph, node->in[i])) continue;
        made->in[i] = half_of(n, node->in[i]);
        *fits = made->in[i] >= 0;
    }
    for (int i = 0; *fits && i < node->n_out; i++) {
        int id = node->out[i];
        if (id < 0 || graph->values[id].dtype != CVK_F32) continue;
        if (half_of(n, id) < 0) CVK_TRY(add_twin(graph, id, CVK_F16, &n->s->half[id]));
        made->out[i] = n->s->half[id];
    }
    return CVK_OK;
}

/* The node on float32 values, with casts before and behind it. */
static cvk_status keep_wide(narrower *n, const cvk_node *node)
{
    cvk_node made;
    CVK_TRY(own_values(n->graph, node, &made));
    for (int i = 0; i < node->n_in; i++) {
        int half = half_of(n, node->in[i]);
        if (half >= 0 && !cvk_is_const(n->graph, node->in[i]))
            CVK_TRY(form_of(n, half, &made.in[i]));
    }
    CVK_TRY(cvk_nodes_keep(n->graph, &made));
    for (int i = 0; i < node->n_out; i++) {
        int half = half_of(n, node->out[i]);
        if (half >= 0) CVK_TRY(emit_cast(n->graph, node->out[i], half));
    }
    return CVK_OK;
}

/* `to` is `from` under another name, or it itself. */
static cvk_status keep_same(narrower *n, const cvk_node *node, int from, int to)
{
    cvk_node *made;
    if (from == to) return CVK_OK;
    CVK_TRY(cvk_graph_add_node(n->graph, CVK_OP_Reshape, node->name, &from, 1, &to, 1,
                               sizeof(cvk_reshape_params), &made));
    made->members = node->members;
    return CVK_OK;
}

static bool touches_halves(const narrower *n, const cvk_node *node)
{
    for (int i = 0; i < node->n_in; i++)
        if (half_of(n, node->in[i]) >= 0 && !cvk_is_const(n->graph, node->in[i])) return true;
    for (int i = 0; i < node->n_out; i++)
        if (half_of(n, node->out[i]) >= 0) return true;
    return false;
}

static cvk_status narrow_node(narrower *n, const cvk_node *node)
{
    cvk_graph *graph = n->graph;
    int half_in = node->n_in ? half_of(n, node->in[0]) : -1, half_out = half_of(n, node->out[0]);
    if (!touches_halves(n, node)) return cvk_nodes_keep(graph, node);
    if (node->op == CVK_OP_Cast && half_in >= 0 && is_half(graph, node->out[0]))
        return keep_same(n, node, half_in, node->out[0]);
    if (node->op == CVK_OP_Cast && half_out >= 0 && is_half(graph, node->in[0]))
        return keep_same(n, node, node->in[0], half_out);
    cvk_node halves;
    const cvk_kernel *row;
    bool fits;
    for (int constants = 1; constants >= 0; constants--) {
        int device = CVK_HOST;
        CVK_TRY(in_halves(n, node, constants, &halves, &fits));
        if (fits && cvk_is_alias(node)) return cvk_nodes_keep(graph, &halves);
        if (fits) CVK_TRY(cvk_place_node(n->s, &halves, &device, &row, NULL));
        if (device != CVK_HOST) return cvk_nodes_keep(graph, &halves);
    }
    int device;
    CVK_TRY(cvk_place_node(n->s, node, &device, &row, NULL));
    CVK_TRY(in_halves(n, node, true, &halves, &fits));
    return fits && device == CVK_HOST && node->n_posts == 0 ? cvk_nodes_keep(graph, &halves)
                                                            : keep_wide(n, node);
}

/* An upper bound of the values that there will be. */
static size_t count_values(const cvk_graph *graph)
{
    size_t count = (size_t)graph->n_values + 1;
    for (int i = 0; i < graph->n_nodes; i++)
        count += (size_t)graph->nodes[i].n_in + (size_t)graph->nodes[i].n_out;
    return count;
}

cvk_status cvk_pass_narrow(cvk_scheduler *s)
{
    cvk_graph *graph = s->graph;
    if (!s->half) return CVK_OK;
    size_t values = count_values(graph);
    int *half = cvk_arena_alloc(graph->arena, values * sizeof *half);
    narrower n = {.s = s,
                  .graph = graph,
                  .form = cvk_arena_alloc(graph->arena, values * sizeof *n.form),
                  .form_at = cvk_arena_alloc(graph->arena, values * sizeof *n.form_at)};
    int count;
    cvk_node *nodes = cvk_nodes_take(graph, &count);
    if (!half || !n.form || !n.form_at || !nodes) return CVK_NO_MEMORY;
    for (size_t i = 0; i < values; i++) {
        half[i] = i < (size_t)s->n_half ? s->half[i] : -1;
        n.form[i] = -1;
    }
    s->half = half;
    s->n_half = graph->n_values; /* those that the nodes name */
    for (n.at = 0; n.at < count; n.at++) CVK_TRY(narrow_node(&n, &nodes[n.at]));
    CVK_TRY(cvk_graph_prune(graph));
    return cvk_graph_link(graph);
}
