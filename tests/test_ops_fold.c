/* SPDX-License-Identifier: Apache-2.0
 *
 * Inference over a whole graph and constant folding: shape arithmetic goes away once the input's
 * shape is known, 8-bit weights become float32, what is too large or computed stays.
 */
#include "ops_values.h"

enum { LIMIT = 1 << 20 };

static int add(ops_graph *g, cvk_op_kind op, const int *in, int n_in, const cvk_attr *attrs,
               int n_attrs)
{
    return ops_node(g, op, in, n_in, 1, attrs, n_attrs)->out[0];
}

static void infer(ops_graph *g, size_t limit)
{
    if (cvk_graph_link(g->graph)) fail_msg("%s", cvk_last_error());
    if (cvk_graph_infer(g->graph, limit)) fail_msg("%s", cvk_last_error());
}

/* x.reshape(x.shape[0], -1) as exporters write it. */
static int flatten_chain(ops_graph *g, int x)
{
    static const int64_t zero = 0;
    int shape = add(g, CVK_OP_Shape, IN(x), NO_ATTRS);
    int batch = add(g, CVK_OP_Gather, IN(shape, ops_constant(g, CVK_I64, SCALAR, &zero)), NO_ATTRS);
    int list = add(g, CVK_OP_Unsqueeze, IN(batch, ints(g, 0)), NO_ATTRS);
    int both = add(g, CVK_OP_Concat, IN(list, ints(g, -1)), ATTRS(ATTR_INT("axis", 0)));
    return add(g, CVK_OP_Reshape, IN(x, both), NO_ATTRS);
}

static void shape_arithmetic(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_input(&g, CVK_F32, DIMS(-1, 3, 4));
    assert_int_equal(cvk_graph_add_input(g.graph, x), CVK_OK);
    int y = flatten_chain(&g, x);
    assert_int_equal(cvk_graph_add_output(g.graph, y), CVK_OK);
    infer(&g, LIMIT); /* nothing is known about the batch: everything stays */
    assert_int_equal(g.graph->n_nodes, 5);
    ops_expect_shape(&g, y, DIMS(-1, -1));

    g.graph->values[x].shape = DIMS(2, 3, 4);
    infer(&g, LIMIT);
    assert_int_equal(g.graph->n_nodes, 1);
    assert_int_equal(g.graph->nodes[0].op, CVK_OP_Reshape);
    assert_int_equal(g.graph->values[y].producer, 0);
    assert_null(g.graph->values[y].data);
    ops_expect_shape(&g, y, DIMS(2, 12));
    int list = g.graph->nodes[0].in[1];
    assert_int_equal(g.graph->values[list].producer, -1);
    assert_false(g.graph->values[list].initializer);
    ops_expect(&g, list, 0, 2, -1);
    infer(&g, LIMIT); /* and again */
    assert_int_equal(g.graph->n_nodes, 1);
    ops_graph_drop(&g);
}

static void eight_bit_weights(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_input(&g, CVK_F32, DIMS(1, 2));
    int w8 = ops_constant(&g, CVK_I8, DIMS(2, 2), (signed char[]){1, 2, -3, 4});
    int w = add(&g, CVK_OP_DequantizeLinear, IN(w8, ops_floats(&g, DIMS(2), 0.5f, 2)),
                ATTRS(ATTR_INT("axis", 0)));
    int turned = add(&g, CVK_OP_Transpose, IN(w), NO_ATTRS);
    int y = add(&g, CVK_OP_MatMul, IN(x, turned), NO_ATTRS);
    assert_int_equal(cvk_graph_add_input(g.graph, x), CVK_OK);
    assert_int_equal(cvk_graph_add_output(g.graph, y), CVK_OK);

    infer(&g, 15); /* one byte too few */
    assert_int_equal(g.graph->n_nodes, 3);
    infer(&g, 16);
    assert_int_equal(g.graph->n_nodes, 1);
    ops_expect(&g, turned, 0, 0.5, -6, 1, 8);
    ops_graph_drop(&g);
}

/* New shapes and attributes' tensors are not copied, however small the limit is. */
static void nothing_is_copied(void **state)
{
    (void)state;
    float data[64] = {0};
    cvk_tensor tensor = {.dtype = CVK_F32, .rank = 1, .dims = {64}, .data = data};
    ops_graph g = ops_graph_make(13);
    int held = add(&g, CVK_OP_Constant, NULL, 0, ATTRS(ATTR_TENSOR("value", &tensor)));
    int square = add(&g, CVK_OP_Reshape, IN(held, ints(&g, 8, 8)), NO_ATTRS);
    int same = add(&g, CVK_OP_Identity, IN(square), NO_ATTRS);
    assert_int_equal(cvk_graph_add_output(g.graph, same), CVK_OK);
    infer(&g, 1);
    assert_int_equal(g.graph->n_nodes, 0);
    assert_ptr_equal(g.graph->values[same].data, data);
    ops_expect_shape(&g, same, DIMS(8, 8));
    ops_graph_drop(&g);
}

static void no_limit_no_folding(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int sum =
        add(&g, CVK_OP_Add, IN(ops_floats(&g, DIMS(1), 1), ops_floats(&g, DIMS(1), 2)), NO_ATTRS);
    assert_int_equal(cvk_graph_add_output(g.graph, sum), CVK_OK);
    infer(&g, 0);
    assert_int_equal(g.graph->n_nodes, 1);
    assert_null(g.graph->values[sum].data);
    infer(&g, LIMIT);
    assert_int_equal(g.graph->n_nodes, 0);
    ops_expect(&g, sum, 0, 3);
    ops_graph_drop(&g);
}

static void failures_name_the_node(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int y = add(&g, CVK_OP_Gather, IN(ops_floats(&g, DIMS(2), 1, 2), ints(&g, 5)), NO_ATTRS);
    assert_int_equal(cvk_graph_add_output(g.graph, y), CVK_OK);
    assert_int_equal(cvk_graph_infer(g.graph, LIMIT), CVK_BAD_MODEL);
    assert_string_equal(cvk_last_error(),
                        "node 'n' (Gather): index 5 at place 0 is outside a dimension of 2");
    ops_graph_drop(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shape_arithmetic),       cmocka_unit_test(eight_bit_weights),
        cmocka_unit_test(nothing_is_copied),      cmocka_unit_test(no_limit_no_folding),
        cmocka_unit_test(failures_name_the_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
