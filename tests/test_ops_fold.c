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

/* Whether a node of constants is folded. wgt: of a second input, SCALAR for none. */
static bool folds(cvk_op_kind op, cvk_shape shape, cvk_shape wgt, const cvk_attr *attrs,
                  int n_attrs)
{
    ops_graph g = ops_graph_make(13);
    int in[] = {ops_pattern(&g, shape), wgt.rank ? ops_pattern(&g, wgt) : -1};
    int y = add(&g, op, in, wgt.rank ? 2 : 1, attrs, n_attrs);
    assert_int_equal(cvk_graph_add_output(g.graph, y), CVK_OK);
    infer(&g, SIZE_MAX);
    bool folded = g.graph->values[y].data != NULL;
    assert_int_equal(g.graph->n_nodes, !folded);
    ops_graph_drop(&g);
    return folded;
}

/* Small files that would take hours: such nodes stay, and take their time when they are run. */
static void work_is_bounded(void **state)
{
    (void)state;
    cvk_attr huge[] = {ATTR_INTS("kernel_shape", 2000, 2000),
                       ATTR_INTS("pads", 1999, 1999, 1999, 1999)};
    cvk_attr line[] = {ATTR_INTS("kernel_shape", 1000000000),
                       ATTR_INTS("pads", 999999999, 999999999)};
    cvk_attr wide[] = {ATTR_INTS("pads", 20000, 20000, 20000, 20000)};
    cvk_attr size[] = {ATTR_INT("size", 1000000)}, two[] = {ATTR_INTS("kernel_shape", 2, 2)};
    assert_false(folds(CVK_OP_MaxPool, DIMS(1, 1, 2000, 2000), SCALAR, huge, 2));
    assert_false(folds(CVK_OP_AveragePool, DIMS(1, 1, 2000, 2000), SCALAR, huge, 2));
    assert_false(folds(CVK_OP_AveragePool, DIMS(1, 1, 4), SCALAR, line, 2));
    assert_false(folds(CVK_OP_Conv, DIMS(1, 1, 1, 1), DIMS(1, 1, 1, 1), wide, 1));
    assert_false(folds(CVK_OP_MatMul, DIMS(60000, 8), DIMS(8, 1000), NO_ATTRS));
    assert_false(folds(CVK_OP_LRN, DIMS(1, 1000000), SCALAR, size, 1));
    assert_true(folds(CVK_OP_MaxPool, DIMS(1, 1, 4, 4), SCALAR, two, 1));
    assert_true(folds(CVK_OP_LRN, DIMS(1, 8), SCALAR, size, 1));
    assert_true(folds(CVK_OP_MatMul, DIMS(6, 8), DIMS(8, 5), NO_ATTRS));
}

/* Each node is cheap enough, all of them are not. */
static void work_is_bounded_in_all(void **state)
{
    (void)state;
    enum { N = 256, NODES = 20 };
    ops_graph g = ops_graph_make(13);
    int m = ops_pattern(&g, DIMS(N, N)), last = m, folded = 0, made[NODES];
    for (int i = 0; i < NODES; i++) last = made[i] = add(&g, CVK_OP_MatMul, IN(last, m), NO_ATTRS);
    assert_int_equal(cvk_graph_add_output(g.graph, last), CVK_OK);
    infer(&g, SIZE_MAX);
    for (int i = 0; i < NODES; i++) folded += g.graph->values[made[i]].data != NULL;
    assert_int_equal(folded, 16);
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

/* A few numbers of a file must not become gigabytes; where the elements were there, they may. */
static void growth_is_bounded(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int huge =
        add(&g, CVK_OP_ConstantOfShape, IN(ints(&g, INT64_C(1) << 15, INT64_C(1) << 14)), NO_ATTRS);
    int small = add(&g, CVK_OP_ConstantOfShape, IN(ints(&g, 3)), NO_ATTRS);
    assert_int_equal(cvk_graph_add_output(g.graph, huge), CVK_OK);
    assert_int_equal(cvk_graph_add_output(g.graph, small), CVK_OK);
    infer(&g, SIZE_MAX);
    assert_int_equal(g.graph->n_nodes, 1);
    assert_null(g.graph->values[huge].data);
    ops_expect_shape(&g, huge, DIMS(1 << 15, 1 << 14));
    ops_expect(&g, small, 0, 0, 0, 0);
    ops_graph_drop(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shape_arithmetic),       cmocka_unit_test(eight_bit_weights),
        cmocka_unit_test(nothing_is_copied),      cmocka_unit_test(no_limit_no_folding),
        cmocka_unit_test(failures_name_the_node), cmocka_unit_test(work_is_bounded),
        cmocka_unit_test(work_is_bounded_in_all), cmocka_unit_test(growth_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
