/* SPDX-License-Identifier: Apache-2.0
 *
 * Values that the references of single operators give, by hand or by formula: element-wise
 * operators on floats and integers, products, pools, normalisations, transposed convolutions, empty
 * tensors.
 */
#include <math.h>
#include <string.h>

#include "ops_graph.h"

static void activations(void **state)
{
    (void)state;
    static const struct {
        cvk_act act;
        double x, y;
    } rows[] = {
        {{.kind = CVK_ACT_NONE}, -3, -3},
        {{.kind = CVK_ACT_RELU}, -3, 0},
        {{.kind = CVK_ACT_RELU}, 3, 3},
        {{.kind = CVK_ACT_LEAKY_RELU, .a = 0.5f}, -3, -1.5},
        {{.kind = CVK_ACT_ELU, .a = 2}, -1, -1.2642411176571153},
        {{.kind = CVK_ACT_SIGMOID}, 0, 0.5},
        {{.kind = CVK_ACT_SIGMOID}, -1000, 0},
        {{.kind = CVK_ACT_HARD_SIGMOID, .a = 0.5f, .b = 0.5f}, 0.5, 0.75},
        {{.kind = CVK_ACT_HARD_SIGMOID, .a = 0.5f, .b = 0.5f}, 5, 1},
        {{.kind = CVK_ACT_HARD_SWISH}, -4, 0},
        {{.kind = CVK_ACT_HARD_SWISH}, 1.5, 1.125},
        {{.kind = CVK_ACT_HARD_SWISH}, 4, 4},
        {{.kind = CVK_ACT_TANH}, 1, 0.76159415595576489},
        {{.kind = CVK_ACT_CLIP, .a = -1, .b = 6}, 7, 6},
        {{.kind = CVK_ACT_CLIP, .a = 3, .b = 1}, 2, 1},
        {{.kind = CVK_ACT_SQRT}, 6.25, 2.5},
        {{.kind = CVK_ACT_EXP}, 1, 2.7182818284590452},
        {{.kind = CVK_ACT_LINEAR, .a = 2, .b = -1}, 3, 5},
        {{.kind = CVK_ACT_QDQ, .a = 0.5f, .b = 3, .c = 0, .d = 255}, 1.25, 1},
        {{.kind = CVK_ACT_QDQ, .a = 0.5f, .b = 3, .c = 0, .d = 255}, 1.75, 2},
        {{.kind = CVK_ACT_QDQ, .a = 0.5f, .b = 3, .c = 0, .d = 255}, -99, -1.5},
        /* 3.5 in float32, which goes to 4; a little less in double */
        {{.kind = CVK_ACT_QDQ, .a = 0.1f, .b = 0, .c = 0, .d = 255}, 0.35f, 4 * (double)0.1f},
        {{.kind = CVK_ACT_SWISH, .a = 1}, 2, 1.7615941559557649},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_true(fabs(cvk_act_apply(&rows[i].act, rows[i].x) - rows[i].y) < 1e-14);
    for (int kind = 0; kind < CVK_ACT_COUNT; kind++) {
        if (kind == CVK_ACT_THRESHOLDED_RELU || kind == CVK_ACT_SHRINK) continue; /* else 0 */
        cvk_act act = {.kind = (cvk_act_kind)kind, .a = 1, .b = 2, .d = 3};
        assert_true(isnan(cvk_act_apply(&act, NAN)));
    }
    assert_true(isnan(cvk_binary_apply(CVK_BINARY_MAX, NAN, 1)) &&
                isnan(cvk_binary_apply(CVK_BINARY_MAX, 1, NAN)));
    assert_true(isnan(cvk_binary_apply(CVK_BINARY_MIN, NAN, 1)) &&
                isnan(cvk_binary_apply(CVK_BINARY_MIN, 1, NAN)));
}

static void unary_defaults(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(14);
    int x = ops_floats(&g, DIMS(3), -1, 0, 4);
    ops_expect(&g, ops_run(&g, CVK_OP_Relu, IN(x), NO_ATTRS), 0, 0, 0, 4);
    ops_expect(&g, ops_run(&g, CVK_OP_LeakyRelu, IN(x), NO_ATTRS), 1e-9, -0.01, 0, 4);
    ops_expect(&g, ops_run(&g, CVK_OP_Elu, IN(x), NO_ATTRS), 1e-7, -0.63212055882855767, 0, 4);
    ops_expect(&g, ops_run(&g, CVK_OP_HardSigmoid, IN(x), NO_ATTRS), 1e-7, 0.3, 0.5, 1);
    ops_expect(&g, ops_run(&g, CVK_OP_HardSwish, IN(x), NO_ATTRS), 1e-7, -1.0 / 3, 0, 4);
    ops_expect(&g, ops_run(&g, CVK_OP_Sigmoid, IN(x), NO_ATTRS), 1e-7, 0.26894142136999512, 0.5,
               0.98201379003790845);
    ops_expect(&g, ops_run(&g, CVK_OP_Tanh, IN(x), NO_ATTRS), 1e-7, -0.76159415595576489, 0,
               0.99932929973906704);
    ops_expect(&g, ops_run(&g, CVK_OP_Sqrt, IN(x), NO_ATTRS), 0, NAN, 0, 2);
    ops_expect(&g, ops_run(&g, CVK_OP_Exp, IN(x), NO_ATTRS), 1e-5, 0.36787944117144233, 1,
               54.598150033144236);
    int64_t big[] = {-(INT64_C(1) << 62) - 1, 0, (INT64_C(1) << 62) + 1};
    int wide = ops_constant(&g, CVK_I64, DIMS(3), big),
        low = ops_constant(&g, CVK_I64, SCALAR, &big[1]);
    int y = ops_run(&g, CVK_OP_Relu, IN(wide), NO_ATTRS);
    assert_true(((const int64_t *)g.graph->values[y].data)[2] == big[2]);
    y = ops_run(&g, CVK_OP_Clip, IN(wide, low), NO_ATTRS);
    assert_true(((const int64_t *)g.graph->values[y].data)[0] == 0);
    assert_true(((const int64_t *)g.graph->values[y].data)[2] == big[2]);
    ops_graph_drop(&g);
}

static void binary_broadcasts(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int row = ops_floats(&g, DIMS(1, 3), 1, 2, 3), column = ops_floats(&g, DIMS(2, 1), 10, 20);
    int scalar = ops_floats(&g, SCALAR, 2);
    ops_expect(&g, ops_run(&g, CVK_OP_Add, IN(row, column), NO_ATTRS), 0, 11, 12, 13, 21, 22, 23);
    ops_expect(&g, ops_run(&g, CVK_OP_Sub, IN(row, column), NO_ATTRS), 0, -9, -8, -7, -19, -18,
               -17);
    ops_expect(&g, ops_run(&g, CVK_OP_Mul, IN(column, row), NO_ATTRS), 0, 10, 20, 30, 20, 40, 60);
    ops_expect(&g, ops_run(&g, CVK_OP_Div, IN(row, scalar), NO_ATTRS), 0, 0.5, 1, 1.5);
    ops_expect(&g, ops_run(&g, CVK_OP_Pow, IN(row, scalar), NO_ATTRS), 0, 1, 4, 9);
    ops_expect(&g, ops_run(&g, CVK_OP_Max, IN(row, column, scalar), NO_ATTRS), 0, 10, 10, 10, 20,
               20, 20);
    ops_expect(&g, ops_run(&g, CVK_OP_Min, IN(row, column, scalar), NO_ATTRS), 0, 1, 2, 2, 1, 2, 2);
    ops_expect(&g, ops_run(&g, CVK_OP_Sum, IN(row, column, scalar), NO_ATTRS), 0, 13, 14, 15, 23,
               24, 25);
    ops_expect(&g, ops_run(&g, CVK_OP_Sum, IN(row), NO_ATTRS), 0, 1, 2, 3);
    int slope = ops_floats(&g, DIMS(2, 1), 0.5f, -1), x = ops_floats(&g, DIMS(2, 2), -2, 2, -4, 4);
    ops_expect(&g, ops_run(&g, CVK_OP_PRelu, IN(x, slope), NO_ATTRS), 0, -1, 2, 4, 4);
    ops_graph_drop(&g);
}

static void integers_are_exact(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int64_t a64[] = {-7, 7, INT64_MAX, INT64_MIN}, b64[] = {2, -2, 1, -1};
    int a = ops_constant(&g, CVK_I64, DIMS(4), a64), b = ops_constant(&g, CVK_I64, DIMS(4), b64);
    const int64_t *y = g.graph->values[ops_run(&g, CVK_OP_Div, IN(a, b), NO_ATTRS)].data;
    assert_true(y[0] == -3 && y[1] == -3 && y[2] == INT64_MAX && y[3] == INT64_MIN);
    y = g.graph->values[ops_run(&g, CVK_OP_Add, IN(a, b), NO_ATTRS)].data;
    assert_true(y[0] == -5 && y[2] == INT64_MIN && y[3] == INT64_MAX);
    uint64_t u64[] = {UINT64_MAX, 5}, v64[] = {2, 7};
    int u = ops_constant(&g, CVK_U64, DIMS(2), u64), v = ops_constant(&g, CVK_U64, DIMS(2), v64);
    const uint64_t *z = g.graph->values[ops_run(&g, CVK_OP_Div, IN(u, v), NO_ATTRS)].data;
    assert_true(z[0] == UINT64_MAX / 2 && z[1] == 0);
    z = g.graph->values[ops_run(&g, CVK_OP_Max, IN(u, v), NO_ATTRS)].data;
    assert_true(z[0] == UINT64_MAX && z[1] == 7);
    int32_t base32[] = {-3, 2, 10};
    int base = ops_constant(&g, CVK_I32, DIMS(3), base32),
        cube = ops_constant(&g, CVK_I64, SCALAR, &(int64_t){3});
    ops_expect(&g, ops_run(&g, CVK_OP_Pow, IN(base, cube), NO_ATTRS), 0, -27, 8, 1000);
    int half = ops_floats(&g, SCALAR, 0.5f), f = ops_floats(&g, DIMS(2), 4, 9);
    ops_expect(&g, ops_run(&g, CVK_OP_Pow, IN(base, half), NO_ATTRS), 0, 0, 1, 3);
    ops_expect(&g, ops_run(&g, CVK_OP_Pow, IN(f, cube), NO_ATTRS), 0, 64, 729);
    ops_graph_drop(&g);
}

static void integer_division_by_zero(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int64_t data[] = {1, 0}, result[2];
    int a = ops_constant(&g, CVK_I64, DIMS(2), data);
    cvk_node *node = ops_node(&g, CVK_OP_Div, IN(a, a), 1, NO_ATTRS);
    assert_int_equal(cvk_node_infer(g.graph, node), CVK_OK);
    cvk_view view = cvk_graph_view(g.graph, a), in[2] = {view, view}, out = view;
    out.data = result;
    assert_int_equal(cvk_node_reference(node, in, &out), CVK_BAD_INPUT);
    assert_string_equal(cvk_last_error(), "node 'n' (Div): integer division by zero at element 1");
    ops_graph_drop(&g);
}

static void gemm(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int a = ops_floats(&g, DIMS(2, 3), 1, 2, 3, 4, 5, 6),
        b = ops_floats(&g, DIMS(3, 2), 1, 0, 0, 1, 1, 1);
    int c = ops_floats(&g, DIMS(2, 1), 10, 20), row = ops_floats(&g, DIMS(2), 1, 2);
    ops_expect(&g, ops_run(&g, CVK_OP_Gemm, IN(a, b), NO_ATTRS), 0, 4, 5, 10, 11);
    ops_expect(&g, ops_run(&g, CVK_OP_Gemm, IN(a, b, row), NO_ATTRS), 0, 5, 7, 11, 13);
    cvk_attr scaled[] = {ATTR_FLOAT("alpha", 2), ATTR_FLOAT("beta", 0.5f)};
    ops_expect(&g, ops_run(&g, CVK_OP_Gemm, IN(a, b, c), scaled, 2), 0, 13, 15, 30, 32);
    cvk_attr turned[] = {ATTR_INT("transA", 1), ATTR_INT("transB", 1)};
    ops_expect(&g, ops_run(&g, CVK_OP_Gemm, IN(a, b), turned, 2), 0, 1, 4, 5, 2, 5, 7, 3, 6, 9);
    ops_graph_drop(&g);
}

static void mat_mul(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int a = ops_floats(&g, DIMS(2, 3), 1, 2, 3, 4, 5, 6), v = ops_floats(&g, DIMS(3), 1, 0, -1);
    int w = ops_floats(&g, DIMS(2), 1, 2), stack = ops_floats(&g, DIMS(2, 1, 1, 2), 1, 0, 0, 1);
    int y = ops_run(&g, CVK_OP_MatMul, IN(a, v), NO_ATTRS);
    ops_expect_shape(&g, y, DIMS(2));
    ops_expect(&g, y, 0, -2, -2);
    y = ops_run(&g, CVK_OP_MatMul, IN(w, a), NO_ATTRS);
    ops_expect_shape(&g, y, DIMS(3));
    ops_expect(&g, y, 0, 9, 12, 15);
    y = ops_run(&g, CVK_OP_MatMul, IN(v, v), NO_ATTRS);
    ops_expect_shape(&g, y, SCALAR);
    ops_expect(&g, y, 0, 2);
    int pair = ops_floats(&g, DIMS(2, 2, 3), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    y = ops_run(&g, CVK_OP_MatMul, IN(stack, pair), NO_ATTRS);
    ops_expect_shape(&g, y, DIMS(2, 2, 1, 3));
    ops_expect(&g, y, 0, 1, 2, 3, 7, 8, 9, 4, 5, 6, 10, 11, 12);
    int64_t big[] = {INT64_C(1) << 60, 1, 1, 1};
    int m = ops_constant(&g, CVK_I64, DIMS(2, 2), big);
    y = ops_run(&g, CVK_OP_MatMul, IN(m, m), NO_ATTRS);
    assert_true(((const int64_t *)g.graph->values[y].data)[1] == big[0] + 1);
    ops_graph_drop(&g);
}

static void pools_with_borders(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_floats(&g, DIMS(1, 1, 3, 3), 1, 2, 3, 4, 5, 6, 7, 8, 9);
    cvk_attr around[] = {ATTR_INTS("kernel_shape", 3, 3), ATTR_INTS("pads", 1, 1, 1, 1),
                         ATTR_INTS("strides", 2, 2), ATTR_INT("count_include_pad", 1)};
    ops_expect(&g, ops_run(&g, CVK_OP_AveragePool, IN(x), around, 3), 0, 3, 4, 6, 7);
    ops_expect(&g, ops_run(&g, CVK_OP_AveragePool, IN(x), around, 4), 1e-6, 12 / 9.0, 16 / 9.0,
               24 / 9.0, 28 / 9.0);
    ops_expect(&g, ops_run(&g, CVK_OP_MaxPool, IN(x), around, 3), 0, 5, 6, 8, 9);
    /* ceil: the last window hangs over the end, which never counts in the divisor */
    cvk_attr ceil[] = {ATTR_INTS("kernel_shape", 2, 2), ATTR_INTS("strides", 2, 2),
                       ATTR_INT("ceil_mode", 1), ATTR_INT("count_include_pad", 1)};
    ops_expect(&g, ops_run(&g, CVK_OP_AveragePool, IN(x), ceil, 4), 0, 3, 4.5, 7.5, 9);
    ops_expect(&g, ops_run(&g, CVK_OP_AveragePool, IN(x), ceil, 2), 0, 3);
    cvk_attr dilated[] = {ATTR_INTS("kernel_shape", 2, 2), ATTR_INTS("dilations", 2, 2)};
    ops_expect(&g, ops_run(&g, CVK_OP_MaxPool, IN(x), dilated, 2), 0, 9);
    ops_expect(&g, ops_run(&g, CVK_OP_AveragePool, IN(x), dilated, 2), 0, 5);
    int line = ops_floats(&g, DIMS(1, 2, 4), 1, 2, 3, 4, -1, -2, -3, -4);
    cvk_attr two[] = {ATTR_INTS("kernel_shape", 2), ATTR_STRING("auto_pad", "SAME_UPPER")};
    ops_expect(&g, ops_run(&g, CVK_OP_MaxPool, IN(line), two, 2), 0, 2, 3, 4, 4, -1, -2, -3, -4);
    int8_t bytes[] = {-5, -3, -128, -4};
    int small = ops_constant(&g, CVK_I8, DIMS(1, 1, 2, 2), bytes);
    ops_expect(&g, ops_run(&g, CVK_OP_MaxPool, IN(small), ceil, 2), 0, -3);
    ops_expect(&g, ops_run(&g, CVK_OP_GlobalMaxPool, IN(line), NO_ATTRS), 0, 4, -1);
    ops_expect(&g, ops_run(&g, CVK_OP_GlobalAveragePool, IN(line), NO_ATTRS), 0, 2.5, -2.5);
    ops_graph_drop(&g);
}

static void pool_indices(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(12);
    int x = ops_floats(&g, DIMS(1, 2, 2, 3), 1, 5, 2, 6, 3, 4, 9, 0, 0, 0, 0, 8);
    cvk_attr rows[] = {ATTR_INTS("kernel_shape", 2, 2), ATTR_INT("storage_order", 1)};
    cvk_node *node = ops_node(&g, CVK_OP_MaxPool, IN(x), 2, rows, 1);
    ops_compute(&g, node);
    int first = node->out[0], indices = node->out[1];
    ops_expect(&g, first, 0, 6, 5, 9, 8);
    assert_int_equal(g.graph->values[indices].dtype, CVK_I64);
    ops_expect(&g, indices, 0, 3, 1, 6, 11);
    node = ops_node(&g, CVK_OP_MaxPool, IN(x), 2, rows, 2);
    ops_compute(&g, node);
    ops_expect(&g, node->out[1], 0, 1, 2, 6, 11);
    ops_graph_drop(&g);
}

static void convolutions(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_floats(&g, DIMS(1, 2, 4), 1, 2, 3, 4, 10, 20, 30, 40),
        b = ops_floats(&g, DIMS(2), 0.5f, -0.5f);
    int w = ops_floats(&g, DIMS(2, 1, 2), 1, -1, 2, 1),
        full = ops_floats(&g, DIMS(1, 2, 2), 1, 1, 1, 0);
    cvk_attr group[] = {ATTR_INT("group", 2), ATTR_INTS("pads", 1, 0), ATTR_INTS("dilations", 2)};
    int y = ops_run(&g, CVK_OP_Conv, IN(x, w, b), group, 3);
    ops_expect_shape(&g, y, DIMS(1, 2, 3));
    ops_expect(&g, y, 0, -1.5, -1.5, -1.5, 19.5, 49.5, 79.5);
    ops_expect(&g, ops_run(&g, CVK_OP_Conv, IN(x, full), ATTRS(ATTR_INTS("strides", 2))), 0, 13,
               37);
    ops_expect(&g, ops_run(&g, CVK_OP_Conv, IN(x, full), ATTRS(ATTR_INTS("pads", -1, -1))), 0, 25);
    ops_graph_drop(&g);
}

static void transposed_convolutions(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_floats(&g, DIMS(1, 1, 3), 1, 2, 3), w = ops_floats(&g, DIMS(1, 1, 3), 1, 10, 100);
    int b = ops_floats(&g, DIMS(1), 0.5f);
    ops_expect(&g, ops_run(&g, CVK_OP_ConvTranspose, IN(x, w), NO_ATTRS), 0, 1, 12, 123, 230, 300);
    cvk_attr two[] = {ATTR_INTS("strides", 2), ATTR_INTS("pads", 1, 1),
                      ATTR_INTS("output_padding", 1)};
    ops_expect(&g, ops_run(&g, CVK_OP_ConvTranspose, IN(x, w, b), two, 3), 0, 10.5, 102.5, 20.5,
               203.5, 30.5, 300.5);
    cvk_attr upper[] = {ATTR_INTS("strides", 2), ATTR_STRING("auto_pad", "SAME_UPPER")};
    ops_expect(&g, ops_run(&g, CVK_OP_ConvTranspose, IN(x, w), upper, 2), 0, 1, 10, 102, 20, 203,
               30);
    cvk_attr lower[] = {ATTR_INTS("strides", 2), ATTR_STRING("auto_pad", "SAME_LOWER")};
    ops_expect(&g, ops_run(&g, CVK_OP_ConvTranspose, IN(x, w), lower, 2), 0, 10, 102, 20, 203, 30,
               300);
    cvk_attr longer[] = {ATTR_INTS("strides", 2), ATTR_INTS("output_shape", 8)};
    ops_expect(&g, ops_run(&g, CVK_OP_ConvTranspose, IN(x, w), longer, 2), 0, 1, 10, 102, 20, 203,
               30, 300, 0);
    int pair = ops_floats(&g, DIMS(1, 2, 2), 1, 2, 3, 4),
        taps = ops_floats(&g, DIMS(2, 1, 2), 1, 1, 1, -1);
    ops_expect(&g, ops_run(&g, CVK_OP_ConvTranspose, IN(pair, taps), ATTRS(ATTR_INT("group", 2))),
               0, 1, 3, 2, 3, 1, -4);
    ops_expect(&g,
               ops_run(&g, CVK_OP_ConvTranspose, IN(pair, taps), ATTRS(ATTR_INTS("dilations", 2))),
               0, 4, 6, -2, -2);
    ops_graph_drop(&g);
}

static void normalisations(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_floats(&g, DIMS(1, 2, 2), 1, 3, -2, 6), scale = ops_floats(&g, DIMS(2), 2, 1);
    int shift = ops_floats(&g, DIMS(2), 1, 0), mean = ops_floats(&g, DIMS(2), 2, 0),
        var = ops_floats(&g, DIMS(2), 3, 0);
    cvk_attr one[] = {ATTR_FLOAT("epsilon", 1)};
    ops_expect(&g, ops_run(&g, CVK_OP_BatchNormalization, IN(x, scale, shift, mean, var), one, 1),
               0, 0, 2, -2, 6);
    ops_expect(&g, ops_run(&g, CVK_OP_Affine, IN(x, scale, shift), NO_ATTRS), 0, 3, 7, -2, 6);
    cvk_attr zero[] = {ATTR_FLOAT("epsilon", 0)};
    ops_expect(&g, ops_run(&g, CVK_OP_InstanceNormalization, IN(x, scale, shift), zero, 1), 0, -1,
               3, -1, 1);
    int channels = ops_floats(&g, DIMS(1, 4, 1), 1, 2, 3, 4);
    cvk_attr lrn[] = {ATTR_INT("size", 2), ATTR_FLOAT("alpha", 2), ATTR_FLOAT("beta", 1),
                      ATTR_FLOAT("bias", 0)};
    ops_expect(&g, ops_run(&g, CVK_OP_LRN, IN(channels), lrn, 4), 1e-7, 1 / 5.0, 2 / 13.0, 3 / 25.0,
               4 / 16.0);
    ops_graph_drop(&g);
}

static void softmax_of_large_numbers(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_floats(&g, DIMS(2, 2), 1000, 1000, -1000, 1000);
    ops_expect(&g, ops_run(&g, CVK_OP_Softmax, IN(x), NO_ATTRS), 0, 0.5, 0.5, 0, 1);
    ops_expect(&g, ops_run(&g, CVK_OP_Softmax, IN(x), ATTRS(ATTR_INT("axis", 0))), 0, 1, 0.5, 0,
               0.5);
    ops_expect(&g, ops_run(&g, CVK_OP_LogSoftmax, IN(x), ATTRS(ATTR_INT("axis", 0))), 1e-7, 0,
               -0.69314718055994531, -2000, -0.69314718055994531);
    ops_graph_drop(&g);
}

static void layouts(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_pattern(&g, DIMS(2, 17, 3, 2)), y = ops_run(&g, CVK_OP_Reorder, IN(x), NO_ATTRS);
    cvk_view plain = cvk_graph_view(g.graph, x), blocked = plain, back = cvk_graph_view(g.graph, y);
    blocked.layout = CVK_LAYOUT_BLOCKED;
    blocked.data = cvk_arena_alloc(g.arena, cvk_view_bytes(&blocked));
    assert_non_null(blocked.data);
    assert_memory_equal(plain.data, back.data, cvk_view_bytes(&plain));
    memset(back.data, 0, cvk_view_bytes(&back));
    const cvk_op *op = cvk_op_get(CVK_OP_Reorder);
    assert_int_equal(op->reference(NULL, &plain, 1, &blocked, 1), CVK_OK);
    assert_int_equal(op->reference(NULL, &blocked, 1, &back, 1), CVK_OK);
    assert_memory_equal(plain.data, back.data, cvk_view_bytes(&plain));
    cvk_view copy = blocked;
    copy.data = cvk_arena_alloc(g.arena, cvk_view_bytes(&copy));
    assert_int_equal(cvk_op_get(CVK_OP_Transfer)->reference(NULL, &blocked, 1, &copy, 1), CVK_OK);
    assert_memory_equal(blocked.data, copy.data, cvk_view_bytes(&copy));
    ops_graph_drop(&g);
}

static void empty_tensors(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int none = ops_pattern(&g, DIMS(0, 3, 4, 4)), w = ops_pattern(&g, DIMS(2, 3, 3, 3)),
        one = ops_floats(&g, SCALAR, 1);
    int c = ops_pattern(&g, DIMS(3)), m = ops_pattern(&g, DIMS(0, 4)),
        n = ops_pattern(&g, DIMS(4, 2));
    cvk_attr pool[] = {ATTR_INTS("kernel_shape", 2, 2)}, lrn[] = {ATTR_INT("size", 3)};
    ops_expect_shape(&g, ops_run(&g, CVK_OP_Conv, IN(none, w), NO_ATTRS), DIMS(0, 2, 2, 2));
    ops_expect_shape(&g, ops_run(&g, CVK_OP_MaxPool, IN(none), pool, 1), DIMS(0, 3, 3, 3));
    ops_expect_shape(&g, ops_run(&g, CVK_OP_GlobalMaxPool, IN(none), NO_ATTRS), DIMS(0, 3, 1, 1));
    ops_expect_shape(&g, ops_run(&g, CVK_OP_Add, IN(none, one), NO_ATTRS), DIMS(0, 3, 4, 4));
    ops_expect_shape(&g, ops_run(&g, CVK_OP_Softmax, IN(none), NO_ATTRS), DIMS(0, 3, 4, 4));
    ops_expect_shape(&g, ops_run(&g, CVK_OP_LRN, IN(none), lrn, 1), DIMS(0, 3, 4, 4));
    ops_expect_shape(&g, ops_run(&g, CVK_OP_BatchNormalization, IN(none, c, c, c, c), NO_ATTRS),
                     DIMS(0, 3, 4, 4));
    ops_expect_shape(&g, ops_run(&g, CVK_OP_InstanceNormalization, IN(none, c, c), NO_ATTRS),
                     DIMS(0, 3, 4, 4));
    ops_expect_shape(&g, ops_run(&g, CVK_OP_Gemm, IN(m, n), NO_ATTRS), DIMS(0, 2));
    ops_expect_shape(&g, ops_run(&g, CVK_OP_MatMul, IN(m, n), NO_ATTRS), DIMS(0, 2));
    int inner = ops_pattern(&g, DIMS(2, 0)), other = ops_pattern(&g, DIMS(0, 2));
    ops_expect(&g, ops_run(&g, CVK_OP_MatMul, IN(inner, other), NO_ATTRS), 0, 0, 0, 0, 0);
    ops_graph_drop(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations),
        cmocka_unit_test(unary_defaults),
        cmocka_unit_test(binary_broadcasts),
        cmocka_unit_test(integers_are_exact),
        cmocka_unit_test(integer_division_by_zero),
        cmocka_unit_test(gemm),
        cmocka_unit_test(mat_mul),
        cmocka_unit_test(pools_with_borders),
        cmocka_unit_test(pool_indices),
        cmocka_unit_test(convolutions),
        cmocka_unit_test(transposed_convolutions),
        cmocka_unit_test(normalisations),
        cmocka_unit_test(softmax_of_large_numbers),
        cmocka_unit_test(layouts),
        cmocka_unit_test(empty_tensors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
