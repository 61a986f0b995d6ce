/* SPDX-License-Identifier: Apache-2.0
 *
 * Building and computing small graphs for the tests of src/ops.
 */
#include "ops_graph.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

ops_graph ops_graph_make(int opset)
{
    ops_graph g = {.arena = cvk_arena_create()};
    assert_non_null(g.arena);
    g.graph = cvk_graph_create(g.arena, "test", opset);
    assert_non_null(g.graph);
    return g;
}

void ops_graph_drop(ops_graph *g)
{
    cvk_arena_free(&g->arena);
}

int ops_input(ops_graph *g, cvk_dtype dtype, cvk_shape shape)
{
    int id;
    assert_int_equal(cvk_graph_add_temp(g->graph, "value", &id), CVK_OK);
    cvk_value *value = &g->graph->values[id];
    value->dtype = dtype;
    value->has_shape = shape.rank >= 0;
    value->shape = value->has_shape ? shape : SCALAR;
    return id;
}

int ops_constant(ops_graph *g, cvk_dtype dtype, cvk_shape shape, const void *data)
{
    int id = ops_input(g, dtype, shape);
    cvk_view view = cvk_graph_view(g->graph, id);
    void *copy = cvk_arena_copy(g->arena, data, cvk_view_bytes(&view));
    assert_non_null(copy);
    g->graph->values[id].data = copy;
    return id;
}

int ops_pattern(ops_graph *g, cvk_shape shape)
{
    int64_t count = cvk_shape_count(&shape);
    float *data = cvk_arena_alloc(g->arena, (size_t)count * sizeof *data);
    assert_non_null(data);
    for (int64_t i = 0; i < count; i++) data[i] = (float)(i * 7 % 11 - 5) / 4;
    return ops_constant(g, CVK_F32, shape, data);
}

cvk_status ops_try_node(ops_graph *g, cvk_op_kind op, const int *in, int n_in, int n_out,
                        const cvk_attr *attrs, int n_attrs, cvk_node **node)
{
    int out[4];
    for (int i = 0; i < n_out; i++) out[i] = ops_input(g, CVK_NONE, UNRANKED);
    assert_int_equal(cvk_graph_add_node(g->graph, op, "n", in, n_in, out, n_out,
                                        cvk_op_get(op)->params_bytes, node),
                     CVK_OK);
    (*node)->attrs = attrs;
    (*node)->n_attrs = n_attrs;
    return cvk_op_get(op)->internal ? CVK_OK : cvk_node_parse(g->graph, *node);
}

cvk_node *ops_node(ops_graph *g, cvk_op_kind op, const int *in, int n_in, int n_out,
                   const cvk_attr *attrs, int n_attrs)
{
    cvk_node *node;
    cvk_status status = ops_try_node(g, op, in, n_in, n_out, attrs, n_attrs, &node);
    if (status) fail_msg("%s", cvk_last_error());
    return node;
}

void ops_compute(ops_graph *g, cvk_node *node)
{
    cvk_view in[16], out[4];
    if (cvk_node_infer(g->graph, node)) fail_msg("%s", cvk_last_error());
    for (int i = 0; i < node->n_in; i++) in[i] = cvk_graph_view(g->graph, node->in[i]);
    for (int i = 0; i < node->n_out; i++) {
        cvk_value *value = &g->graph->values[node->out[i]];
        assert_true(value->has_shape && cvk_shape_known(&value->shape));
        out[i] = cvk_graph_view(g->graph, node->out[i]);
        out[i].data = cvk_arena_alloc(g->arena, cvk_view_bytes(&out[i]));
        assert_non_null(out[i].data);
    }
    if (cvk_node_reference(node, in, out)) fail_msg("%s", cvk_last_error());
    for (int i = 0; i < node->n_out; i++) g->graph->values[node->out[i]].data = out[i].data;
}

int ops_run(ops_graph *g, cvk_op_kind op, const int *in, int n_in, const cvk_attr *attrs,
            int n_attrs)
{
    cvk_node *node = ops_node(g, op, in, n_in, 1, attrs, n_attrs);
    ops_compute(g, node);
    return node->out[0];
}

int ops_infer(ops_graph *g, cvk_op_kind op, const int *in, int n_in, const cvk_attr *attrs,
              int n_attrs)
{
    cvk_node *node = ops_node(g, op, in, n_in, 1, attrs, n_attrs);
    if (cvk_node_infer(g->graph, node)) fail_msg("%s", cvk_last_error());
    return node->out[0];
}

void ops_refuse(ops_graph *g, cvk_op_kind op, const int *in, int n_in, const cvk_attr *attrs,
                int n_attrs, cvk_status status, const char *sentence)
{
    char whole[512];
    cvk_node *node;
    cvk_status got = ops_try_node(g, op, in, n_in, 1, attrs, n_attrs, &node);
    if (!got) got = cvk_node_infer(g->graph, node);
    snprintf(whole, sizeof whole, "node 'n' (%s): %s", cvk_op_kind_name(op), sentence);
    assert_int_equal(got, status);
    assert_string_equal(cvk_last_error(), whole);
}

void ops_expect_shape(const ops_graph *g, int value, cvk_shape shape)
{
    char text[CVK_SHAPE_TEXT], want[CVK_SHAPE_TEXT];
    cvk_view view = cvk_graph_view(g->graph, value);
    assert_string_equal(cvk_shape_text(&view.shape, text), cvk_shape_text(&shape, want));
}

void ops_expect_values(const ops_graph *g, int value, const double *expected, int count,
                       double tolerance)
{
    cvk_view view = cvk_graph_view(g->graph, value);
    assert_non_null(view.data);
    assert_int_equal(cvk_view_count(&view), count);
    for (int i = 0; i < count; i++) {
        double got = cvk_view_get(&view, i);
        if (got == expected[i] || (isnan(got) && isnan(expected[i]))) continue;
        if (!(fabs(got - expected[i]) <= tolerance))
            fail_msg("element %d is %.9g, expected %.9g", i, got, expected[i]);
    }
}
