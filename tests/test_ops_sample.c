/* SPDX-License-Identifier: Apache-2.0
 *
 * Operators that take pixels from between pixels, and wrapped padding: against values worked out by
 * hand.
 */
#include <math.h>

#include "ops_graph.h"

static void grid(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(16);
    int x = ops_floats(&g, DIMS(1, 1, 2, 2), 1, 2, 3, 4);
    /* The middle, the right edge between two rows, and far outside to the left. */
    int at = ops_floats(&g, DIMS(1, 1, 3, 2), 0, 0, 1, 0, -3, -1);
    ops_expect(&g, ops_run(&g, CVK_OP_GridSample, IN(x, at), NO_ATTRS), 1e-6, 2.5, 1.5, 0);
    ops_expect(&g,
               ops_run(&g, CVK_OP_GridSample, IN(x, at),
                       ATTRS(ATTR_INT("align_corners", 1), ATTR_STRING("padding_mode", "border"))),
               1e-6, 2.5, 3, 1);
    ops_expect(&g,
               ops_run(&g, CVK_OP_GridSample, IN(x, at),
                       ATTRS(ATTR_STRING("mode", "nearest"), ATTR_INT("align_corners", 1),
                             ATTR_STRING("padding_mode", "reflection"))),
               1e-6, 1, 2, 2);
    ops_refuse(&g, CVK_OP_GridSample, IN(x, at), ATTRS(ATTR_STRING("mode", "linear")),
               CVK_UNSUPPORTED, "mode 'linear' of GridSample is not supported");
    int wrong = ops_floats(&g, DIMS(1, 1, 1, 3), 0, 0, 0);
    ops_refuse(
        &g, CVK_OP_GridSample, IN(x, wrong), NO_ATTRS, CVK_SHAPE,
        "input has shape 1x1x2x2, grid 1x1x1x3: N x C x [D x] H x W and N x [oD x] oH x oW x 2 "
        "or 3 are expected");
    ops_graph_drop(&g);
    g = ops_graph_make(20);
    x = ops_floats(&g, DIMS(1, 1, 1, 1, 2), 1, 3);
    at = ops_floats(&g, DIMS(1, 1, 1, 1, 3), 0, 0, 0);
    ops_expect(&g, ops_run(&g, CVK_OP_GridSample, IN(x, at), ATTRS(ATTR_STRING("mode", "cubic"))),
               1e-6, 2.375);
    ops_graph_drop(&g);
}

static void roi(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(16);
    int x = ops_floats(&g, DIMS(1, 1, 2, 2), 1, 2, 3, 4);
    int box = ops_floats(&g, DIMS(1, 4), 0, 0, 2, 2);
    int image = ops_constant(&g, CVK_I64, DIMS(1), (int64_t[]){0});
    ops_expect(&g,
               ops_run(&g, CVK_OP_RoiAlign, IN(x, box, image),
                       ATTRS(ATTR_INT("output_height", 2), ATTR_INT("output_width", 2))),
               1e-6, 1, 2, 3, 4);
    ops_expect(
        &g, ops_run(&g, CVK_OP_RoiAlign, IN(x, box, image), ATTRS(ATTR_INT("sampling_ratio", 1))),
        1e-6, 2.5);
    ops_expect(&g,
               ops_run(&g, CVK_OP_RoiAlign, IN(x, box, image),
                       ATTRS(ATTR_INT("sampling_ratio", 1), ATTR_STRING("mode", "max"))),
               1e-6, 1);
    ops_refuse(&g, CVK_OP_RoiAlign, IN(x, x, image), NO_ATTRS, CVK_SHAPE,
               "rois have shape 1x1x2x2, R x 4 is expected");
    ops_refuse(&g, CVK_OP_RoiAlign, IN(x, box, image), ATTRS(ATTR_STRING("mode", "sum")),
               CVK_UNSUPPORTED, "mode 'sum' of RoiAlign is not supported");
    ops_graph_drop(&g);
}

/* Regions are data: what they ask for must be bearable, and there. */
static void roi_refused_when_run(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(16);
    float x[4] = {1, 2, 3, 4}, box[4] = {0, 0, 1e9f, 1}, y[1];
    int64_t image[1] = {0};
    int in[3] = {ops_input(&g, CVK_F32, DIMS(1, 1, 2, 2)), ops_input(&g, CVK_F32, DIMS(1, 4)),
                 ops_input(&g, CVK_I64, DIMS(1))};
    cvk_node *node = ops_node(&g, CVK_OP_RoiAlign, in, 3, 1, NO_ATTRS);
    assert_int_equal(cvk_node_infer(g.graph, node), CVK_OK);
    void *data[3] = {x, box, image};
    cvk_view views[3], out = cvk_graph_view(g.graph, node->out[0]);
    for (int i = 0; i < 3; i++) {
        views[i] = cvk_graph_view(g.graph, in[i]);
        views[i].data = data[i];
    }
    out.data = y;
    assert_int_equal(cvk_node_reference(node, views, &out), CVK_SHAPE);
    box[2] = 1;
    assert_int_equal(cvk_node_reference(node, views, &out), CVK_OK);
    image[0] = 1;
    assert_int_equal(cvk_node_reference(node, views, &out), CVK_SHAPE);
    ops_graph_drop(&g);
}

static void deformed(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(19);
    int x = ops_floats(&g, DIMS(1, 1, 2, 2), 1, 2, 3, 4), w = ops_floats(&g, DIMS(1, 1, 1, 1), 2);
    int offset = ops_floats(&g, DIMS(1, 2, 2, 2), 0.5f, 0, 0, 0, 0, -0.5f, 1, 0);
    int bias = ops_floats(&g, DIMS(1), 10), mask = ops_floats(&g, DIMS(1, 1, 2, 2), 1, 1, 0.5f, 0);
    int y = ops_run(&g, CVK_OP_DeformConv, IN(x, w, offset, bias, mask),
                    ATTRS(ATTR_INTS("kernel_shape", 1, 1)));
    ops_expect(&g, y, 1e-6, 14, 13, 14, 10);
    ops_refuse(&g, CVK_OP_DeformConv, IN(x, w, mask), NO_ATTRS, CVK_SHAPE,
               "offset has shape 1x1x2x2, 2 channels of the output's size are expected");
    ops_graph_drop(&g);
}

static void wrapped(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(19);
    int x = ops_floats(&g, DIMS(1, 3), 1, 2, 3);
    int pads = ops_constant(&g, CVK_I64, DIMS(2), (int64_t[]){4, 1});
    int axis = ops_constant(&g, CVK_I64, DIMS(1), (int64_t[]){-1});
    int y = ops_run(&g, CVK_OP_Pad, IN(x, pads, -1, axis), ATTRS(ATTR_STRING("mode", "wrap")));
    ops_expect_shape(&g, y, DIMS(1, 8));
    ops_expect(&g, y, 0, 3, 1, 2, 3, 1, 2, 3, 1);
    int two = ops_constant(&g, CVK_I64, DIMS(2), (int64_t[]){0, 1});
    ops_refuse(&g, CVK_OP_Pad, IN(x, pads, -1, two), NO_ATTRS, CVK_BAD_MODEL,
               "pads has 2 entries for 2 axes");
    ops_graph_drop(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grid),
        cmocka_unit_test(roi),
        cmocka_unit_test(roi_refused_when_run),
        cmocka_unit_test(deformed),
        cmocka_unit_test(wrapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
