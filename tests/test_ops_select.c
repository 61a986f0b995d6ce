/* SPDX-License-Identifier: Apache-2.0
 *
 * Operators that order, select and add up elements: small cases with exact results, shapes that
 * only the elements tell, and the sentences of refusals.
 */
#include <math.h>

#include "ops_values.h"

static void top_k(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(11);
    int x = ops_floats(&g, DIMS(2, 4), 3, 1, 3, 2, 0, NAN, 5, -1);
    cvk_node *node = ops_node(&g, CVK_OP_TopK, IN(x, ints(&g, 3)), 2, NO_ATTRS);
    ops_compute(&g, node);
    ops_expect(&g, node->out[0], 0, 3, 3, 2, NAN, 5, 0);
    ops_expect(&g, node->out[1], 0, 0, 2, 3, 1, 2, 0);
    node = ops_node(&g, CVK_OP_TopK, IN(x, ints(&g, 1)), 2,
                    ATTRS(ATTR_INT("axis", 0), ATTR_INT("largest", 0), ATTR_INT("sorted", 0)));
    ops_compute(&g, node);
    ops_expect(&g, node->out[0], 0, 0, 1, 3, -1);
    ops_expect(&g, node->out[1], 0, 1, 0, 0, 1);
    node =
        ops_node(&g, CVK_OP_TopK, IN(ints(&g, INT64_MAX - 1, INT64_MAX), ints(&g, 1)), 2, NO_ATTRS);
    ops_compute(&g, node);
    ops_expect(&g, node->out[1], 0, 1); /* equal as doubles */
    ops_expect_shape(&g,
                     ops_infer(&g, CVK_OP_TopK, IN(x, ops_input(&g, CVK_I64, DIMS(1))), NO_ATTRS),
                     DIMS(2, -1));
    ops_refuse(&g, CVK_OP_TopK, IN(x, ints(&g, 5)), NO_ATTRS, CVK_SHAPE,
               "k is 5, axis 1 has 4 elements");
    ops_refuse(&g, CVK_OP_TopK, IN(x, ints(&g, -1)), NO_ATTRS, CVK_SHAPE,
               "k is -1, axis 1 has 4 elements");
    ops_refuse(&g, CVK_OP_TopK, IN(x, ints(&g, 1, 2)), NO_ATTRS, CVK_SHAPE,
               "k has shape 2, one element is expected");
    ops_refuse(&g, CVK_OP_TopK, IN(x), NO_ATTRS, CVK_BAD_MODEL, "k is expected as an input");
    ops_refuse(&g, CVK_OP_TopK, IN(x, ints(&g, 1)), ATTRS(ATTR_INT("k", 1)), CVK_UNSUPPORTED,
               "attribute 'k' is not known in operator set 11");
    ops_graph_drop(&g);
}

static void top_k_of_an_attribute(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(9);
    cvk_node *node =
        ops_node(&g, CVK_OP_TopK, IN(counting(&g, DIMS(4))), 2, ATTRS(ATTR_INT("k", 2)));
    ops_compute(&g, node);
    ops_expect(&g, node->out[0], 0, 3, 2);
    ops_expect(&g, node->out[1], 0, 3, 2);
    ops_refuse(&g, CVK_OP_TopK, IN(counting(&g, DIMS(4))), NO_ATTRS, CVK_BAD_MODEL,
               "attribute k is missing");
    ops_graph_drop(&g);
}

static void arg_min_and_hardmax(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_floats(&g, DIMS(2, 3), 2, 1, 1, 3, 4, 4);
    ops_expect(&g, ops_run(&g, CVK_OP_ArgMin, IN(x), ATTRS(ATTR_INT("axis", 1))), 0, 1, 0);
    ops_expect(&g,
               ops_run(&g, CVK_OP_ArgMin, IN(x),
                       ATTRS(ATTR_INT("axis", -1), ATTR_INT("select_last_index", 1))),
               0, 2, 0);
    int columns = ops_run(&g, CVK_OP_ArgMin, IN(x), ATTRS(ATTR_INT("keepdims", 0)));
    ops_expect_shape(&g, columns, DIMS(3));
    ops_expect(&g, columns, 0, 0, 0, 0);
    int empty = ops_constant(&g, CVK_F32, DIMS(2, 0), "");
    ops_refuse(&g, CVK_OP_ArgMin, IN(empty), ATTRS(ATTR_INT("axis", 1)), CVK_SHAPE,
               "axis 1 is empty and has no smallest element");
    ops_expect(&g, ops_run(&g, CVK_OP_Hardmax, IN(x), NO_ATTRS), 0, 1, 0, 0, 0, 1, 0);
    ops_expect(&g, ops_run(&g, CVK_OP_Hardmax, IN(x), ATTRS(ATTR_INT("axis", 0))), 0, 0, 0, 0, 1, 1,
               1);
    g.graph->opset = 11; /* all from the axis on are one */
    ops_expect(&g, ops_run(&g, CVK_OP_Hardmax, IN(x), ATTRS(ATTR_INT("axis", 0))), 0, 0, 0, 0, 0, 1,
               0);
    ops_graph_drop(&g);
}

static void cumulative_sums(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_floats(&g, DIMS(2, 3), 1, 2, 3, 4, 5, 6), row = ints(&g, 1), column = ints(&g, -2);
    ops_expect(&g, ops_run(&g, CVK_OP_CumSum, IN(x, row), NO_ATTRS), 0, 1, 3, 6, 4, 9, 15);
    ops_expect(&g, ops_run(&g, CVK_OP_CumSum, IN(x, column), NO_ATTRS), 0, 1, 2, 3, 5, 7, 9);
    ops_expect(&g, ops_run(&g, CVK_OP_CumSum, IN(x, row), ATTRS(ATTR_INT("exclusive", 1))), 0, 0, 1,
               3, 0, 4, 9);
    ops_expect(&g,
               ops_run(&g, CVK_OP_CumSum, IN(x, row),
                       ATTRS(ATTR_INT("exclusive", 1), ATTR_INT("reverse", 1))),
               0, 5, 3, 0, 11, 6, 0);
    ops_expect(&g, ops_run(&g, CVK_OP_CumSum, IN(ints(&g, 1, -4, 2), ints(&g, 0)), NO_ATTRS), 0, 1,
               -3, -1);
    ops_refuse(&g, CVK_OP_CumSum, IN(x, ints(&g, 2)), NO_ATTRS, CVK_SHAPE,
               "axis 2 is outside a tensor of rank 2");
    ops_refuse(&g, CVK_OP_CumSum, IN(x, x), NO_ATTRS, CVK_SHAPE,
               "axis has shape 2x3, one element is expected");
    ops_graph_drop(&g);
}

static void compress(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = counting(&g, DIMS(2, 3)), some = bytes(&g, CVK_BOOL, 0, 1),
        most = bytes(&g, CVK_BOOL, 1, 0, 1);
    ops_expect(&g, ops_run(&g, CVK_OP_Compress, IN(x, some), ATTRS(ATTR_INT("axis", 0))), 0, 3, 4,
               5);
    ops_expect(&g, ops_run(&g, CVK_OP_Compress, IN(x, most), ATTRS(ATTR_INT("axis", -1))), 0, 0, 2,
               3, 5);
    ops_expect(&g, ops_run(&g, CVK_OP_Compress, IN(x, most), NO_ATTRS), 0, 0, 2);
    int computed = ops_input(&g, CVK_F32, DIMS(2, 3)), unknown = ops_input(&g, CVK_BOOL, DIMS(2));
    ops_expect_shape(&g,
                     ops_infer(&g, CVK_OP_Compress, IN(computed, most), ATTRS(ATTR_INT("axis", 1))),
                     DIMS(2, 2));
    ops_expect_shape(&g, ops_infer(&g, CVK_OP_Compress, IN(x, unknown), NO_ATTRS), DIMS(-1));
    ops_refuse(&g, CVK_OP_Compress, IN(x, most), ATTRS(ATTR_INT("axis", 0)), CVK_SHAPE,
               "condition has 3 elements for 2 to choose from");
    ops_refuse(&g, CVK_OP_Compress, IN(x, x), NO_ATTRS, CVK_BAD_MODEL,
               "condition is float32, expected bool");
    ops_graph_drop(&g);
}

static void non_zero(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_floats(&g, DIMS(2, 2), 1, 0, NAN, 7);
    int found = ops_run(&g, CVK_OP_NonZero, IN(x), NO_ATTRS);
    ops_expect_shape(&g, found, DIMS(2, 3));
    ops_expect(&g, found, 0, 0, 1, 1, 0, 0, 1);
    ops_expect_shape(&g, ops_run(&g, CVK_OP_NonZero, IN(ops_floats(&g, DIMS(2), 0, 0)), NO_ATTRS),
                     DIMS(1, 0));
    ops_expect_shape(
        &g, ops_infer(&g, CVK_OP_NonZero, IN(ops_input(&g, CVK_F32, DIMS(2, 3, 4))), NO_ATTRS),
        DIMS(3, -1));
    ops_graph_drop(&g);
}

static void unique(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_floats(&g, DIMS(6), 2, 1, 1, 3, 4, 3);
    cvk_node *node = ops_node(&g, CVK_OP_Unique, IN(x), 4, NO_ATTRS);
    ops_compute(&g, node);
    ops_expect(&g, node->out[0], 0, 1, 2, 3, 4);
    ops_expect(&g, node->out[1], 0, 1, 0, 3, 4);
    ops_expect(&g, node->out[2], 0, 1, 0, 0, 2, 3, 2);
    ops_expect(&g, node->out[3], 0, 2, 1, 2, 1);
    node = ops_node(&g, CVK_OP_Unique, IN(x), 4, ATTRS(ATTR_INT("sorted", 0)));
    ops_compute(&g, node);
    ops_expect(&g, node->out[0], 0, 2, 1, 3, 4);
    ops_expect(&g, node->out[1], 0, 0, 1, 3, 4);
    ops_expect(&g, node->out[2], 0, 0, 1, 1, 2, 3, 2);
    ops_expect(&g, node->out[3], 0, 1, 2, 2, 1);
    int rows = ops_floats(&g, DIMS(3, 2), 1, 0, 1, 0, 0, NAN);
    node = ops_node(&g, CVK_OP_Unique, IN(rows), 3, ATTRS(ATTR_INT("axis", 0)));
    ops_compute(&g, node);
    ops_expect_shape(&g, node->out[0], DIMS(2, 2));
    ops_expect(&g, node->out[0], 0, 0, NAN, 1, 0);
    ops_expect(&g, node->out[1], 0, 2, 0);
    ops_expect(&g, node->out[2], 0, 1, 1, 0);
    int nans = ops_run(&g, CVK_OP_Unique, IN(ops_floats(&g, DIMS(3), NAN, 1, NAN)), NO_ATTRS);
    ops_expect(&g, nans, 0, 1, NAN);
    node = ops_node(&g, CVK_OP_Unique, IN(ops_input(&g, CVK_I64, DIMS(2, 3))), 4,
                    ATTRS(ATTR_INT("axis", -1)));
    assert_int_equal(cvk_node_infer(g.graph, node), CVK_OK);
    ops_expect_shape(&g, node->out[0], DIMS(2, -1));
    ops_expect_shape(&g, node->out[1], DIMS(-1));
    ops_expect_shape(&g, node->out[2], DIMS(3));
    ops_expect_shape(&g, node->out[3], DIMS(-1));
    ops_refuse(&g, CVK_OP_Unique, IN(x), ATTRS(ATTR_INT("axis", 1)), CVK_SHAPE,
               "axis 1 is outside a tensor of rank 1");
    ops_graph_drop(&g);
}

static void reverse_sequence(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = counting(&g, DIMS(3, 2)), lengths = ints(&g, 3, 1);
    ops_expect(&g, ops_run(&g, CVK_OP_ReverseSequence, IN(x, lengths), NO_ATTRS), 0, 4, 1, 2, 3, 0,
               5);
    const cvk_attr batch_first[] = {ATTR_INT("batch_axis", 0), ATTR_INT("time_axis", 1)};
    ops_expect(&g, ops_run(&g, CVK_OP_ReverseSequence, IN(x, ints(&g, 2, 0, 1)), batch_first, 2), 0,
               1, 0, 2, 3, 4, 5);
    ops_refuse(&g, CVK_OP_ReverseSequence, IN(x, ints(&g, 4, 1)), NO_ATTRS, CVK_BAD_MODEL,
               "the sequence at place 0 has length 4, at most 3 is expected");
    ops_refuse(&g, CVK_OP_ReverseSequence, IN(x, ints(&g, 1)), NO_ATTRS, CVK_SHAPE,
               "sequence_lens has shape 1, 2 elements are expected");
    ops_refuse(&g, CVK_OP_ReverseSequence, IN(x, lengths), batch_first, 1, CVK_BAD_MODEL,
               "batch_axis is 0 and time_axis 0, expected 0 and 1");
    ops_refuse(&g, CVK_OP_ReverseSequence, IN(counting(&g, DIMS(3)), lengths), NO_ATTRS, CVK_SHAPE,
               "input has shape 3, batches and steps are expected");
    ops_graph_drop(&g);
}

/* Four boxes: two nearly the same, one far away, one touching the first only. */
static void non_max_suppression(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(11);
    int boxes = ops_floats(&g, DIMS(1, 4, 4), 0, 0, 1, 1, 1, 1.1f, 0, 0.1f, 5, 5, 6, 6, 0, 1, 1, 2);
    int scores = ops_floats(&g, DIMS(1, 2, 4), 0.8f, 0.9f, 0.3f, 0.9f, 0, 0.5f, 0.5f, 0.25f);
    int most = ints(&g, 9), iou = ops_floats(&g, DIMS(1), 0.5f),
        least = ops_floats(&g, DIMS(1), 0.3f);
    int all = ops_run(&g, CVK_OP_NonMaxSuppression, IN(boxes, scores, most, iou), NO_ATTRS);
    ops_expect_shape(&g, all, DIMS(6, 3));
    ops_expect(&g, all, 0, 0, 0, 1, 0, 0, 3, 0, 0, 2, 0, 1, 1, 0, 1, 2, 0, 1, 3);
    int best =
        ops_run(&g, CVK_OP_NonMaxSuppression, IN(boxes, scores, ints(&g, 1), iou, least), NO_ATTRS);
    ops_expect(&g, best, 0, 0, 0, 1, 0, 1, 1);
    ops_expect(&g,
               ops_run(&g, CVK_OP_NonMaxSuppression, IN(boxes, scores, most, iou, least), NO_ATTRS),
               0, 0, 0, 1, 0, 0, 3, 0, 1, 1, 0, 1, 2); /* 0.3 is not above 0.3 */
    ops_expect_shape(&g, ops_run(&g, CVK_OP_NonMaxSuppression, IN(boxes, scores), NO_ATTRS),
                     DIMS(0, 3));
    /* As centres and sizes: (0.5, 0.5, 1, 1) twice, and one beside them. */
    int centers = ops_floats(&g, DIMS(1, 3, 4), 0.5f, 0.5f, 1, 1, 0.5f, 0.6f, 1, 1, 3, 0.5f, 1, 1);
    ops_expect(&g,
               ops_run(&g, CVK_OP_NonMaxSuppression,
                       IN(centers, ops_floats(&g, DIMS(1, 1, 3), 1, 2, 3), most, iou),
                       ATTRS(ATTR_INT("center_point_box", 1))),
               0, 0, 0, 2, 0, 0, 1);
    int computed = ops_input(&g, CVK_F32, DIMS(1, 2, 4));
    ops_expect_shape(&g,
                     ops_infer(&g, CVK_OP_NonMaxSuppression, IN(boxes, computed, most), NO_ATTRS),
                     DIMS(-1, 3));
    ops_refuse(&g, CVK_OP_NonMaxSuppression, IN(centers, scores), NO_ATTRS, CVK_SHAPE,
               "boxes are 1x3x4 and scores 1x2x4, expected batches x boxes x 4 and batches x "
               "classes x boxes");
    ops_refuse(&g, CVK_OP_NonMaxSuppression, IN(boxes, scores),
               ATTRS(ATTR_INT("center_point_box", 2)), CVK_BAD_MODEL,
               "attribute center_point_box is 2, 0 or 1 is expected");
    ops_refuse(&g, CVK_OP_NonMaxSuppression, IN(boxes, scores, most, boxes), NO_ATTRS, CVK_SHAPE,
               "iou_threshold has shape 1x4x4, one element is expected");
    ops_graph_drop(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(top_k),
        cmocka_unit_test(top_k_of_an_attribute),
        cmocka_unit_test(arg_min_and_hardmax),
        cmocka_unit_test(cumulative_sums),
        cmocka_unit_test(compress),
        cmocka_unit_test(non_zero),
        cmocka_unit_test(unique),
        cmocka_unit_test(reverse_sequence),
        cmocka_unit_test(non_max_suppression),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
