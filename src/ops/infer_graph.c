/* SPDX-License-Identifier: Apache-2.0
 *
 * Inference over a whole graph, and constant folding with it: a node whose inputs are all constant,
 * or that asks only for a known shape, is computed once by its reference and leaves the graph.
 */
#include <stdlib.h>

#include "ops/op.h"

/* What all references together may cost (cvk_node_work): about a second. */
#define FOLD_WORK (UINT64_C(1) << 28)

/* Room for the views of one node, as large as the largest node needs. */
typedef struct folder {
    cvk_graph *graph;
    size_t limit;  /* bytes per value made; what lies somewhere already costs none */
    uint64_t work; /* left of FOLD_WORK */
    bool keep_quantised;
    cvk_view *in, *out;
} folder;

static cvk_status folder_open(folder *f)
{
    int most_in = 1, most_out = 1;
    for (int i = 0; i < f->graph->n_nodes; i++) {
        const cvk_node *node = &f->graph->nodes[i];
        if (node->n_in > most_in) most_in = node->n_in;
        if (node->n_out > most_out) most_out = node->n_out;
    }
    f->in = calloc((size_t)most_in, sizeof *f->in);
    f->out = calloc((size_t)most_out, sizeof *f->out);
    return f->in && f->out ? CVK_OK : cvk_fail(CVK_NO_MEMORY, "out of memory: folding constants");
}

static void folder_close(folder *f)
{
    free(f->in);
    free(f->out);
}

/* All that the node depends on is known now. */
static bool inputs_known(const cvk_graph *graph, const cvk_node *node)
{
    if (cvk_op_get(node->op)->shape_only) {
        const cvk_value *in = &graph->values[node->in[0]];
        return in->has_shape && cvk_shape_known(&in->shape);
    }
    int count = cvk_op_get(node->op)->type_only ? 1 : node->n_in;
    for (int k = 0; k < count; k++)
        if (node->in[k] >= 0 && !graph->values[node->in[k]].data) return false;
    return true;
}

/* Every output has a known shape and none is made already; *small: each is within the limit. */
static bool outputs_known(const folder *f, const cvk_node *node, bool *small)
{
    *small = true;
    for (int k = 0; k < node->n_out; k++) {
        if (node->out[k] < 0) continue;
        cvk_view out = cvk_graph_view(f->graph, node->out[k]);
        int64_t count = cvk_view_count(&out);
        size_t bytes = cvk_dtype_bytes(out.dtype);
        if (out.data || count < 0 || bytes == 0) return false;
        if ((uint64_t)count > f->limit / bytes) *small = false;
    }
    return true;
}

/* The elements of output 0 where they lie already: Constant, and new shapes of a constant. */
static const void *existing(const cvk_graph *graph, const cvk_node *node)
{
    if (node->op == CVK_OP_Constant) return ((const cvk_constant_params *)node->params)->value.data;
    bool alias = cvk_op_get(node->op)->alias && (node->n_out == 1 || node->out[1] < 0);
    return alias ? graph->values[node->in[0]].data : NULL;
}

static uint64_t count_all(const cvk_graph *graph, const int *ids, int count)
{
    uint64_t total = 0;
    for (int i = 0; i < count; i++) {
        cvk_view view = cvk_graph_view(graph, ids[i]);
        int64_t elements = view.dtype == CVK_NONE ? 0 : cvk_view_count(&view);
        if (elements > 0) total += (uint64_t)elements;
    }
    return total;
}

/* Whether the node's reference is worth its time; if so, takes that off what is left. What it makes
 * of few elements (a Range, a Tile) costs as well. */
static bool afford(folder *f, const cvk_node *node)
{
    uint64_t work = cvk_node_work(f->graph, node);
    uint64_t read = count_all(f->graph, node->in, node->n_in),
             made = count_all(f->graph, node->out, node->n_out);
    if (made > read && made - read > work) work = made - read;
    if (work > f->work) return false;
    f->work -= work;
    return true;
}

static cvk_status compute(folder *f, const cvk_node *node)
{
    cvk_graph *graph = f->graph;
    for (int k = 0; k < node->n_in; k++) f->in[k] = cvk_graph_view(graph, node->in[k]);
    for (int k = 0; k < node->n_out; k++) {
        f->out[k] = cvk_graph_view(graph, node->out[k]);
        if (node->out[k] < 0) continue;
        f->out[k].data = cvk_arena_alloc(graph->arena, cvk_view_bytes(&f->out[k]));
        if (!f->out[k].data) return CVK_NO_MEMORY;
    }
    CVK_TRY(cvk_node_reference(node, f->in, f->out));
    for (int k = 0; k < node->n_out; k++)
        if (node->out[k] >= 0) graph->values[node->out[k]].data = f->out[k].data;
    return CVK_OK;
}

static cvk_status fold(folder *f, const cvk_node *node)
{
    bool small;
    if (f->keep_quantised && node->op == CVK_OP_DequantizeLinear) return CVK_OK;
    if (!inputs_known(f->graph, node) || !outputs_known(f, node, &small)) return CVK_OK;
    const void *data = node->n_out > 0 && node->out[0] >= 0 ? existing(f->graph, node) : NULL;
    if (!data) return small && afford(f, node) ? compute(f, node) : CVK_OK;
    f->graph->values[node->out[0]].data = data;
    return CVK_OK;
}

static cvk_status walk(folder *f)
{
    for (int i = 0; i < f->graph->n_nodes; i++) {
        cvk_node *node = &f->graph->nodes[i];
        CVK_TRY(cvk_node_infer(f->graph, node));
        if (f->limit) CVK_TRY(fold(f, node));
    }
    return CVK_OK;
}

static cvk_status walk_within(cvk_graph *graph, size_t limit, uint64_t work, bool keep_quantised)
{
    folder f = {.graph = graph, .limit = limit, .work = work, .keep_quantised = keep_quantised};
    cvk_status status = folder_open(&f);
    if (!status) status = walk(&f);
    folder_close(&f);
    return status;
}

cvk_status cvk_graph_evaluate(cvk_graph *graph)
{
    CVK_TRY(walk_within(graph, SIZE_MAX, UINT64_MAX, false));
    for (int i = 0; i < graph->n_outputs; i++)
        if (!graph->values[graph->outputs[i]].data)
            return cvk_fail(CVK_UNSUPPORTED, "output '%s' cannot be computed: its shape stays open",
                            graph->values[graph->outputs[i]].name);
    return CVK_OK;
}

static cvk_status infer_all(cvk_graph *graph, size_t fold_limit_bytes, bool keep_quantised)
{
    CVK_TRY(walk_within(graph, fold_limit_bytes, FOLD_WORK, keep_quantised));
    if (!fold_limit_bytes) return CVK_OK;
    return cvk_graph_prune(graph); /* a folded node has no output left that is not constant */
}

cvk_status cvk_graph_infer(cvk_graph *graph, size_t fold_limit_bytes)
{
    return infer_all(graph, fold_limit_bytes, false);
}

cvk_status cvk_graph_infer_quantised(cvk_graph *graph, size_t fold_limit_bytes)
{
    return infer_all(graph, fold_limit_bytes, true);
}
