/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalisations against values worked out by hand.
 */
#include <math.h>

#include "ops_graph.h"

static void layer(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(17);
    int x = ops_floats(&g, DIMS(2, 2), 1, 3, -2, 6);
    int scale = ops_floats(&g, DIMS(2), 2, 1), shift = ops_floats(&g, DIMS(2), 0, 10);
    cvk_node *node = ops_node(&g, CVK_OP_LayerNormalization, IN(x, scale, shift), 3,
                              ATTRS(ATTR_FLOAT("epsilon", 0)));
    ops_compute(&g, node);
    ops_expect(&g, node->out[0], 1e-6, -2, 11, -2, 11);
    ops_expect(&g, node->out[1], 1e-6, 2, 2);
    ops_expect(&g, node->out[2], 1e-6, 1, 0.25);
    ops_expect_shape(&g, node->out[1], DIMS(2, 1));
    int one = ops_floats(&g, DIMS(1), 3); /* over everything, one entry for all */
    node = ops_node(&g, CVK_OP_LayerNormalization, IN(x, one), 2,
                    ATTRS(ATTR_INT("axis", 0), ATTR_FLOAT("epsilon", 0.5f)));
    ops_compute(&g, node);
    ops_expect(&g, node->out[1], 1e-6, 2); /* variance 8.5 */
    ops_expect(&g, node->out[0], 1e-6, -1, 1, -4, 4);
    ops_expect_shape(&g, node->out[1], DIMS(1, 1));
    int column = ops_floats(&g, DIMS(2, 1), 1, 2); /* broadcast: one entry per row */
    ops_expect(&g,
               ops_run(&g, CVK_OP_LayerNormalization, IN(x, column, shift),
                       ATTRS(ATTR_FLOAT("epsilon", 0))),
               1e-6, -1, 11, -2, 12);
    ops_refuse(&g, CVK_OP_LayerNormalization, IN(x, ops_floats(&g, DIMS(3), 1, 2, 3)), NO_ATTRS,
               CVK_SHAPE, "scale has shape 3, which does not broadcast to 2x2");
    ops_refuse(&g, CVK_OP_LayerNormalization, IN(x, one), ATTRS(ATTR_INT("axis", 2)), CVK_SHAPE,
               "axis 2 is outside a tensor of rank 2");
    ops_graph_drop(&g);
}

static void group(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(21);
    int x = ops_floats(&g, DIMS(1, 4, 1), 1, 3, 10, 30);
    int scale = ops_floats(&g, DIMS(4), 1, 2, 3, 4), shift = ops_floats(&g, DIMS(4), 0, 0, 5, 5);
    ops_expect(&g,
               ops_run(&g, CVK_OP_GroupNormalization, IN(x, scale, shift),
                       ATTRS(ATTR_INT("num_groups", 2), ATTR_FLOAT("epsilon", 0))),
               1e-6, -1, 2, 2, 9);
    ops_refuse(&g, CVK_OP_GroupNormalization, IN(x, scale, shift), ATTRS(ATTR_INT("num_groups", 3)),
               CVK_SHAPE, "4 channels do not divide into 3 groups");
    ops_refuse(&g, CVK_OP_GroupNormalization, IN(x, scale, shift), NO_ATTRS, CVK_BAD_MODEL,
               "attribute 'num_groups' is 0, 1 or more is expected");
    ops_graph_drop(&g);
    g = ops_graph_make(18);
    x = ops_floats(&g, DIMS(1, 4, 1), 1, 3, 10, 30);
    scale = ops_floats(&g, DIMS(2), 1, 2);
    shift = ops_floats(&g, DIMS(2), 0, 5);
    ops_expect(&g,
               ops_run(&g, CVK_OP_GroupNormalization, IN(x, scale, shift),
                       ATTRS(ATTR_INT("num_groups", 2), ATTR_FLOAT("epsilon", 0))),
               1e-6, -1, 1, 3, 7);
    ops_refuse(&g, CVK_OP_GroupNormalization, IN(x, x, shift), ATTRS(ATTR_INT("num_groups", 2)),
               CVK_SHAPE, "scale has shape 1x4x1, 2 elements are expected");
    ops_graph_drop(&g);
}

static void mean_variance(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_floats(&g, DIMS(2, 2, 1, 1), 1, 10, 3, 30); /* over N, H, W */
    ops_expect(&g, ops_run(&g, CVK_OP_MeanVarianceNormalization, IN(x), NO_ATTRS), 1e-6, -1, -1, 1,
               1);
    ops_expect(&g,
               ops_run(&g, CVK_OP_MeanVarianceNormalization, IN(x), ATTRS(ATTR_INTS("axes", 1))),
               1e-6, -1, 1, -1, 1);
    ops_refuse(&g, CVK_OP_MeanVarianceNormalization, IN(x), ATTRS(ATTR_INTS("axes", 4)),
               CVK_BAD_MODEL, "axis 4 is outside a tensor of rank 4");
    ops_graph_drop(&g);
}

static void lp(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_floats(&g, DIMS(2, 2), 3, -4, 0, 0);
    ops_expect(&g, ops_run(&g, CVK_OP_LpNormalization, IN(x), NO_ATTRS), 1e-6, 0.6, -0.8, 0, 0);
    ops_expect(
        &g,
        ops_run(&g, CVK_OP_LpNormalization, IN(x), ATTRS(ATTR_INT("axis", 0), ATTR_INT("p", 1))),
        1e-6, 1, -1, 0, 0);
    ops_refuse(&g, CVK_OP_LpNormalization, IN(x), ATTRS(ATTR_INT("p", 3)), CVK_BAD_MODEL,
               "attribute 'p' is 3, 1 or 2 is expected");
    ops_graph_drop(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layer),
        cmocka_unit_test(group),
        cmocka_unit_test(mean_variance),
        cmocka_unit_test(lp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
