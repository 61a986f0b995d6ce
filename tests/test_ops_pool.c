/* SPDX-License-Identifier: Apache-2.0
 *
 * Pools beyond the plain maximum and mean: indices, MaxUnpool, p-norms, integers, dilation; against
 * values worked out by hand.
 */
#include <math.h>

#include "ops_graph.h"

/* 0, 1, 2 ... */
static int counting(ops_graph *g, cvk_shape shape)
{
    float data[64];
    for (int i = 0; i < 64; i++) data[i] = (float)i;
    return ops_constant(g, CVK_F32, shape, data);
}

static cvk_node *pool_with_indices(ops_graph *g, int x, const cvk_attr *attrs, int n_attrs)
{
    cvk_node *node = ops_node(g, CVK_OP_MaxPool, &x, 1, 2, attrs, n_attrs);
    ops_compute(g, node);
    return node;
}

/* Rows of 4: the largest of each square is its last; in the second channel counting goes on, in
 * column-major order too. */
static void indices(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(12);
    int x = counting(&g, DIMS(1, 2, 2, 4));
    cvk_node *node = pool_with_indices(
        &g, x, ATTRS(ATTR_INTS("kernel_shape", 2, 2), ATTR_INTS("strides", 2, 2)));
    ops_expect(&g, node->out[0], 0, 5, 7, 13, 15);
    ops_expect(&g, node->out[1], 0, 5, 7, 13, 15);
    node = pool_with_indices(&g, x,
                             ATTRS(ATTR_INTS("kernel_shape", 2, 2), ATTR_INTS("strides", 2, 2),
                                   ATTR_INT("storage_order", 1)));
    ops_expect(&g, node->out[1], 0, 3, 7, 11, 15);
    int same = ops_floats(&g, DIMS(1, 1, 4), 2, 2, 1, 2); /* of equals the first */
    node = pool_with_indices(&g, same, ATTRS(ATTR_INTS("kernel_shape", 2)));
    ops_expect(&g, node->out[1], 0, 0, 1, 3);
    node = pool_with_indices(&g, same,
                             ATTRS(ATTR_INTS("kernel_shape", 2), ATTR_INTS("dilations", 2),
                                   ATTR_INTS("pads", 1, 0), ATTR_INTS("strides", 2),
                                   ATTR_INT("ceil_mode", 1)));
    ops_expect(&g, node->out[0], 0, 2, 2);
    ops_expect(&g, node->out[1], 0, 1, 1);
    int cube = counting(&g, DIMS(1, 1, 2, 2, 2));
    node = pool_with_indices(
        &g, cube, ATTRS(ATTR_INTS("kernel_shape", 2, 2, 1), ATTR_INT("storage_order", 1)));
    ops_expect(&g, node->out[0], 0, 6, 7);
    ops_expect(&g, node->out[1], 0, 3, 7);
    ops_graph_drop(&g);
}

static void integers(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(12);
    int x = ops_constant(&g, CVK_I8, DIMS(1, 1, 4), (int8_t[]){-128, -5, 7, -9});
    int y = ops_run(&g, CVK_OP_MaxPool, IN(x), ATTRS(ATTR_INTS("kernel_shape", 2)));
    ops_expect(&g, y, 0, -5, 7, 7);
    ops_refuse(&g, CVK_OP_AveragePool, IN(x), ATTRS(ATTR_INTS("kernel_shape", 2)), CVK_UNSUPPORTED,
               "input has type int8, a float type is expected");
    ops_graph_drop(&g);
}

static void unpool(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(11);
    int x = ops_floats(&g, DIMS(1, 1, 1, 2), 3, 4);
    int at = ops_constant(&g, CVK_I64, DIMS(1, 1, 1, 2), (int64_t[]){5, 2});
    int y = ops_run(&g, CVK_OP_MaxUnpool, IN(x, at),
                    ATTRS(ATTR_INTS("kernel_shape", 2, 2), ATTR_INTS("strides", 2, 2)));
    ops_expect_shape(&g, y, DIMS(1, 1, 2, 4));
    ops_expect(&g, y, 0, 0, 0, 4, 0, 0, 3, 0, 0);
    int wanted = ops_constant(&g, CVK_I64, DIMS(4), (int64_t[]){1, 1, 2, 5});
    y = ops_run(&g, CVK_OP_MaxUnpool, IN(x, at, wanted),
                ATTRS(ATTR_INTS("kernel_shape", 2, 2), ATTR_INTS("strides", 2, 2)));
    ops_expect(&g, y, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0);
    int small = ops_constant(&g, CVK_I64, DIMS(4), (int64_t[]){1, 1, 2, 3});
    ops_refuse(&g, CVK_OP_MaxUnpool, IN(x, at, small),
               ATTRS(ATTR_INTS("kernel_shape", 2, 2), ATTR_INTS("strides", 2, 2)), CVK_SHAPE,
               "output_shape is 1x1x2x3, at least 1x1x2x4 is expected");
    ops_refuse(&g, CVK_OP_MaxUnpool, IN(x, x), ATTRS(ATTR_INTS("kernel_shape", 2, 2)),
               CVK_BAD_MODEL, "indices have type float32, int64 is expected");
    ops_refuse(&g, CVK_OP_MaxUnpool, IN(x, small), ATTRS(ATTR_INTS("kernel_shape", 2, 2)),
               CVK_SHAPE, "indices have shape 4, that of the input, 1x1x1x2, is expected");
    ops_refuse(
        &g, CVK_OP_MaxUnpool, IN(x, at),
        ATTRS(ATTR_INTS("kernel_shape", 1, 1), ATTR_INTS("pads", 1, 0, 0, 0)), CVK_SHAPE,
        "spatial dimension 0: nothing pools to 1 with a window of 1, stride 1 and padding 1");
    ops_graph_drop(&g);
}

/* A place outside is known at run time only. */
static void unpool_out_of_range(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(11);
    float x[1] = {1}, y[4];
    int64_t at[1] = {4};
    int in[2] = {ops_input(&g, CVK_F32, DIMS(1, 1, 1)), ops_input(&g, CVK_I64, DIMS(1, 1, 1))};
    cvk_node *node = ops_node(&g, CVK_OP_MaxUnpool, in, 2, 1, ATTRS(ATTR_INTS("kernel_shape", 4)));
    assert_int_equal(cvk_node_infer(g.graph, node), CVK_OK);
    cvk_view views[2] = {cvk_graph_view(g.graph, in[0]), cvk_graph_view(g.graph, in[1])};
    cvk_view out = cvk_graph_view(g.graph, node->out[0]);
    views[0].data = x;
    views[1].data = at;
    out.data = y;
    assert_int_equal(cvk_node_reference(node, views, &out), CVK_SHAPE);
    at[0] = 3;
    assert_int_equal(cvk_node_reference(node, views, &out), CVK_OK);
    assert_true(y[0] == 0 && y[3] == 1);
    ops_graph_drop(&g);
}

static void norms(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(18);
    int x = ops_floats(&g, DIMS(1, 1, 4), 3, -4, 0, 12);
    ops_expect(&g, ops_run(&g, CVK_OP_LpPool, IN(x), ATTRS(ATTR_INTS("kernel_shape", 2))), 1e-6, 5,
               4, 12);
    ops_expect(&g,
               ops_run(&g, CVK_OP_LpPool, IN(x),
                       ATTRS(ATTR_INTS("kernel_shape", 2), ATTR_INT("p", 1),
                             ATTR_INTS("dilations", 2), ATTR_INTS("pads", 1, 0))),
               1e-6, 4, 3, 16);
    ops_expect(&g, ops_run(&g, CVK_OP_GlobalLpPool, IN(x), NO_ATTRS), 1e-6, 13);
    int cubes = ops_floats(&g, DIMS(1, 1, 3), 3, -4, 5);
    ops_expect(&g, ops_run(&g, CVK_OP_GlobalLpPool, IN(cubes), ATTRS(ATTR_INT("p", 3))), 1e-6, 6);
    ops_expect_shape(
        &g,
        ops_infer(&g, CVK_OP_GlobalLpPool, IN(ops_input(&g, CVK_F32, DIMS(2, 3, -1, 5))), NO_ATTRS),
        DIMS(2, 3, 1, 1));
    ops_refuse(&g, CVK_OP_LpPool, IN(x), ATTRS(ATTR_INTS("kernel_shape", 2), ATTR_INT("p", 0)),
               CVK_UNSUPPORTED, "attribute 'p' is 0, 1 to 64 are supported");
    ops_graph_drop(&g);
}

static void dilated_average(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(19);
    int x = counting(&g, DIMS(1, 1, 5));
    int y = ops_run(
        &g, CVK_OP_AveragePool, IN(x),
        ATTRS(ATTR_INTS("kernel_shape", 2), ATTR_INTS("dilations", 3), ATTR_INTS("pads", 1, 1)));
    ops_expect(&g, y, 0, 2, 1.5, 2.5, 2);
    ops_graph_drop(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(indices), cmocka_unit_test(integers),
        cmocka_unit_test(unpool),  cmocka_unit_test(unpool_out_of_range),
        cmocka_unit_test(norms),   cmocka_unit_test(dilated_average),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
