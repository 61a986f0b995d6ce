/* SPDX-License-Identifier: Apache-2.0
 *
 * Evaluates a graph naively.
 */
#include "tests/model_reference.h"

#include <stdlib.h>
#include <string.h>

#include "onnx/model.h"
#include "ops/op.h"

static cvk_graph *bound_clone(cvk_arena *arena, const cvk_model *model, const cvk_tensor *in,
                              int n_in)
{
    cvk_graph *graph = cvk_graph_clone(arena, cvk_model_graph(model), true);
    assert_non_null(graph);
    assert_int_equal(graph->n_inputs, n_in);
    for (int i = 0; i < n_in; i++) {
        cvk_value *value = &graph->values[graph->inputs[i]];
        value->has_shape = true;
        value->shape = cvk_shape_make(in[i].rank, in[i].dims);
    }
    for (int i = 0; i < graph->n_nodes; i++)
        expect_ok(cvk_node_parse(graph, &graph->nodes[i]), "parse");
    expect_ok(cvk_graph_infer(graph, SIZE_MAX), "infer");
    return graph;
}

static void compute(cvk_graph *graph, const cvk_node *node)
{
    cvk_view views[2 * CVK_MAX_SPLIT];
    cvk_view *in = views, *out = views + node->n_in;
    bool known = true;
    assert_true((size_t)(node->n_in + node->n_out) <= sizeof views / sizeof *views);
    for (int i = 0; i < node->n_in; i++) in[i] = cvk_graph_view(graph, node->in[i]);
    for (int i = 0; i < node->n_out; i++) {
        out[i] = cvk_graph_view(graph, node->out[i]);
        if (node->out[i] < 0) continue;
        known = known && out[i].data;
        if (!out[i].data) out[i].data = cvk_arena_alloc(graph->arena, cvk_view_bytes(&out[i]) + 8);
        assert_non_null(out[i].data);
    }
    if (known) return; /* folded */
    expect_ok(cvk_node_reference(node, in, out), node->name);
    for (int i = 0; i < node->n_out; i++)
        if (node->out[i] >= 0) graph->values[node->out[i]].data = out[i].data;
}

void model_reference(const cvk_model *model, const cvk_tensor *in, int n_in, cvk_tensor *out,
                     int n_out)
{
    cvk_arena *arena = cvk_arena_create();
    assert_non_null(arena);
    cvk_graph *graph = bound_clone(arena, model, in, n_in);
    for (int i = 0; i < n_in; i++) graph->values[graph->inputs[i]].data = in[i].data;
    for (int i = 0; i < graph->n_nodes; i++) compute(graph, &graph->nodes[i]);
    assert_true(n_out <= graph->n_outputs);
    for (int i = 0; i < n_out; i++) {
        cvk_view view = cvk_graph_view(graph, graph->outputs[i]);
        out[i] = (cvk_tensor){.dtype = view.dtype, .rank = view.shape.rank};
        memcpy(out[i].dims, view.shape.dims, sizeof out[i].dims);
        out[i].data = malloc(cvk_view_bytes(&view) + 1);
        assert_non_null(out[i].data);
        memcpy(out[i].data, view.data, cvk_view_bytes(&view));
    }
    cvk_arena_free(&arena);
}

double distance_to_reference(const cvk_model *model, const test_run *run)
{
    cvk_tensor want[MAX_TENSORS];
    double worst = 0;
    model_reference(model, run->in, run->n_in, want, run->n_out);
    for (int i = 0; i < run->n_out; i++) {
        double distance = tensor_distance(&run->out[i], &want[i]);
        if (!(distance <= worst)) worst = distance;
        free(want[i].data);
    }
    return worst;
}

void expect_reference(const cvk_model *model, const test_run *run)
{
    double distance = distance_to_reference(model, run);
    if (!(distance <= 1e-5)) fail_msg("an output is %g away", distance);
}
