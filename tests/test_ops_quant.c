/* SPDX-License-Identifier: Apache-2.0
 *
 * Operators on 8-bit integers: values computed by hand, and what they refuse.
 */
#include <string.h>

#include "ops_values.h"

static int scalar_of(ops_graph *g, cvk_dtype dtype, int value)
{
    unsigned char byte = (unsigned char)value;
    return ops_constant(g, dtype, SCALAR, &byte);
}

static int one(ops_graph *g, float value)
{
    return ops_constant(g, CVK_F32, SCALAR, &value);
}

/* 1x1 convolutions: y = clamp(round(m (x - x_zp) (w - w_zp)) + y_zp). */
static void qlinear_conv(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_constant(&g, CVK_U8, DIMS(1, 1, 1, 6), (unsigned char[]){10, 11, 12, 13, 255, 0});
    int w = ops_constant(&g, CVK_U8, DIMS(2, 1, 1, 1), (unsigned char[]){5, 2});
    int half = one(&g, 0.5f), unit = one(&g, 1), zx = scalar_of(&g, CVK_U8, 10);
    int zw = scalar_of(&g, CVK_U8, 4), zy = scalar_of(&g, CVK_U8, 3);
    /* channel 0: (x - 10) / 2, halves to even; channel 1: -(x - 10) */
    int y = ops_run(&g, CVK_OP_QLinearConv, IN(x, half, zx, w, unit, zw, unit, zy), NO_ATTRS);
    expect_dtype(&g, y, CVK_U8);
    ops_expect(&g, y, 0, 3, 3, 4, 5, 125, 0, 3, 2, 1, 0, 0, 13);
    /* with a bias, one scale and zero point per channel, and int8 for the result */
    int scales = ops_floats(&g, DIMS(2), 1, 0.25f), zeros = bytes(&g, CVK_U8, 4, 0);
    int b = ops_constant(&g, CVK_I32, DIMS(2), (int32_t[]){1, -6});
    int z8 = scalar_of(&g, CVK_I8, -100);
    y = ops_run(&g, CVK_OP_QLinearConv, IN(x, half, zx, w, scales, zeros, unit, z8, b), NO_ATTRS);
    expect_dtype(&g, y, CVK_I8);
    /* channel 0: (x - 10 + 1) / 2; channel 1: (2 (x - 10) - 6) / 8 */
    ops_expect(&g, y, 0, -100, -99, -98, -98, 23, -104, -101, -100, -100, -100, -40, -103);
    ops_graph_drop(&g);
}

static void qlinear_conv_pads_with_the_zero_point(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_constant(&g, CVK_U8, DIMS(1, 1, 3), (unsigned char[]){7, 8, 9});
    int w = ops_constant(&g, CVK_I8, DIMS(1, 1, 3), (signed char[]){1, 1, 1});
    int unit = one(&g, 1), zx = scalar_of(&g, CVK_U8, 7), zero = scalar_of(&g, CVK_I8, 0);
    int zy = scalar_of(&g, CVK_U8, 0);
    int y = ops_run(&g, CVK_OP_QLinearConv, IN(x, unit, zx, w, unit, zero, unit, zy),
                    ATTRS(ATTR_INTS("pads", 1, 1)));
    ops_expect(&g, y, 0, 1, 3, 3);
    ops_graph_drop(&g);
}

static void integer_products(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int a = ops_constant(&g, CVK_U8, DIMS(2, 2), (unsigned char[]){1, 2, 3, 255});
    int b = ops_constant(&g, CVK_I8, DIMS(2, 2), (signed char[]){1, -1, 2, -128});
    int za = scalar_of(&g, CVK_U8, 1), rows = bytes(&g, CVK_U8, 1, 3);
    int columns = ops_constant(&g, CVK_I8, DIMS(2), (signed char[]){0, -1});
    int y = ops_run(&g, CVK_OP_MatMulInteger, IN(a, b), NO_ATTRS);
    expect_dtype(&g, y, CVK_I32);
    ops_expect(&g, y, 0, 5, -257, 513, -32643);
    ops_expect(&g, ops_run(&g, CVK_OP_MatMulInteger, IN(a, b, za, columns), NO_ATTRS), 0, 2, -127,
               510, -32258);
    ops_expect(&g, ops_run(&g, CVK_OP_MatMulInteger, IN(a, b, rows), NO_ATTRS), 0, 2, -128, 504,
               -32256);
    /* rows of a and columns of b have scales */
    int sa = ops_floats(&g, DIMS(2), 1, 0.5f), sb = ops_floats(&g, DIMS(2), 1, 0.25f);
    int unit = one(&g, 1), zy = scalar_of(&g, CVK_I8, -1), zb = scalar_of(&g, CVK_I8, 0);
    y = ops_run(&g, CVK_OP_QLinearMatMul, IN(a, sa, rows, b, sb, zb, unit, zy), NO_ATTRS);
    expect_dtype(&g, y, CVK_I8);
    ops_expect(&g, y, 0, 1, -33, 127, -128);
    int x = ops_constant(&g, CVK_U8, DIMS(1, 1, 3), (unsigned char[]){7, 8, 9});
    int w = ops_constant(&g, CVK_U8, DIMS(1, 1, 2), (unsigned char[]){2, 1});
    y = ops_run(&g, CVK_OP_ConvInteger, IN(x, w), NO_ATTRS);
    expect_dtype(&g, y, CVK_I32);
    ops_expect(&g, y, 0, 22, 25);
    int eight = scalar_of(&g, CVK_U8, 8), two = scalar_of(&g, CVK_U8, 2);
    ops_expect(&g, ops_run(&g, CVK_OP_ConvInteger, IN(x, w, eight, two), NO_ATTRS), 0, 0, -1);
    ops_graph_drop(&g);
}

static void dynamic_quantisation(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_floats(&g, DIMS(4), -1, 0, 0.5f, 4.1f), positive = ops_floats(&g, DIMS(2), 2, 255);
    cvk_node *node = ops_node(&g, CVK_OP_DynamicQuantizeLinear, &x, 1, 3, NO_ATTRS);
    int out[3];
    memcpy(out, node->out, sizeof out);
    ops_compute(&g, node);
    ops_expect(&g, out[1], 1e-8, 0.02f);
    ops_expect(&g, out[2], 0, 50);
    ops_expect(&g, out[0], 0, 0, 50, 75, 255);
    node = ops_node(&g, CVK_OP_DynamicQuantizeLinear, &positive, 1, 3, NO_ATTRS);
    memcpy(out, node->out, sizeof out);
    ops_compute(&g, node); /* 0 belongs to the range */
    ops_expect(&g, out[1], 0, 1);
    ops_expect(&g, out[0], 0, 2, 255);
    ops_graph_drop(&g);
}

static void blocks_and_wide_integers(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(21);
    int x = ops_floats(&g, DIMS(2, 3), 1, 2, 3, 4, 5, 6);
    int scales = ops_floats(&g, DIMS(2, 2), 1, 0.5f, 2, 0.1f);
    int zeros = ops_constant(&g, CVK_I16, DIMS(2, 2), (int16_t[]){0, 1000, -1, 32767});
    int q = ops_run(&g, CVK_OP_QuantizeLinear, IN(x, scales, zeros),
                    ATTRS(ATTR_INT("axis", 1), ATTR_INT("block_size", 2)));
    expect_dtype(&g, q, CVK_I16);
    ops_expect(&g, q, 0, 1, 2, 1006, 1, 1, 32767);
    ops_expect(&g,
               ops_run(&g, CVK_OP_DequantizeLinear, IN(q, scales, zeros),
                       ATTRS(ATTR_INT("axis", 1), ATTR_INT("block_size", 2))),
               0, 1, 2, 3, 4, 4, 0);
    /* blocks along the first axis: each column its own scale */
    int columns = ops_floats(&g, DIMS(1, 3), 1, 2, 3);
    ops_expect(&g,
               ops_run(&g, CVK_OP_QuantizeLinear, IN(x, columns),
                       ATTRS(ATTR_INT("axis", 0), ATTR_INT("block_size", 2))),
               0, 1, 1, 1, 4, 2, 2);
    int unit = one(&g, 0.001f);
    q = ops_run(&g, CVK_OP_QuantizeLinear, IN(x, unit), ATTRS(ATTR_INT("output_dtype", 4)));
    expect_dtype(&g, q, CVK_U16);
    ops_expect(&g, q, 0, 1000, 2000, 3000, 4000, 5000, 6000);
    ops_refuse(&g, CVK_OP_QuantizeLinear, IN(x, scales),
               ATTRS(ATTR_INT("axis", 1), ATTR_INT("block_size", 3)), CVK_SHAPE,
               "scale has shape 2x2, which does not fit 2x3 in blocks of 3");
    ops_refuse(&g, CVK_OP_QuantizeLinear, IN(x, unit), ATTRS(ATTR_INT("block_size", -1)),
               CVK_BAD_MODEL, "attribute 'block_size' is -1, 0 or more is expected");
    ops_refuse(&g, CVK_OP_QuantizeLinear, IN(x, unit), ATTRS(ATTR_INT("output_dtype", 22)),
               CVK_UNSUPPORTED, "output_dtype is int4, expected an integer of 8 or 16 bits");
    ops_refuse(&g, CVK_OP_QuantizeLinear, IN(x, unit), ATTRS(ATTR_INT("output_dtype", 17)),
               CVK_UNSUPPORTED, "output_dtype is float8e4m3fn, expected an integer of 8 or 16 bits");
    ops_refuse(&g, CVK_OP_QuantizeLinear, IN(x, unit, scalar_of(&g, CVK_U8, 0)),
               ATTRS(ATTR_INT("output_dtype", 3)), CVK_BAD_MODEL,
               "output_dtype is int8, zero point has type uint8");
    ops_graph_drop(&g);
}

static void refused_convolutions(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_input(&g, CVK_U8, DIMS(1, 3, 5, 5)), w = ops_input(&g, CVK_I8, DIMS(4, 3, 3, 3));
    int f = ops_input(&g, CVK_F32, DIMS(1, 3, 5, 5)),
        narrow = ops_input(&g, CVK_I8, DIMS(4, 2, 3, 3));
    int s = one(&g, 1), zx = scalar_of(&g, CVK_U8, 1), zw = scalar_of(&g, CVK_I8, 1);
    int three = ops_floats(&g, DIMS(3), 1, 1, 1), wide = ops_input(&g, CVK_I32, SCALAR);
    int fb = ops_input(&g, CVK_F32, DIMS(4)), b = ops_input(&g, CVK_I32, DIMS(5));
    const cvk_op_kind op = CVK_OP_QLinearConv;
    ops_refuse(&g, op, IN(f, s, zx, w, s, zw, s, zx), NO_ATTRS, CVK_UNSUPPORTED,
               "x has type float32, uint8 or int8 is expected");
    ops_refuse(&g, op, IN(x, s, zw, w, s, zw, s, zx), NO_ATTRS, CVK_BAD_MODEL,
               "x_zero_point has type int8, uint8 is expected as of its tensor");
    ops_refuse(&g, op, IN(x, three, zx, w, s, zw, s, zx), NO_ATTRS, CVK_SHAPE,
               "x_scale has shape 3, one number is expected");
    ops_refuse(&g, op, IN(x, s, zx, w, three, zw, s, zx), NO_ATTRS, CVK_SHAPE,
               "w_scale has shape 3, 4 elements are expected");
    ops_refuse(&g, op, IN(x, s, zx, w, s, zw, s, wide), NO_ATTRS, CVK_UNSUPPORTED,
               "y_zero_point has type int32, uint8 or int8 is expected");
    ops_refuse(&g, op, IN(x, s, zx, w, s, zw, s, zx, fb), NO_ATTRS, CVK_UNSUPPORTED,
               "B has type float32, int32 is expected");
    ops_refuse(&g, op, IN(x, s, zx, w, s, zw, s, zx, b), NO_ATTRS, CVK_SHAPE,
               "bias has shape 5, 4 elements are expected");
    ops_refuse(&g, op, IN(x, s, zx, narrow, s, zw, s, zx), NO_ATTRS, CVK_SHAPE,
               "input has 3 channels, weights want 2");
    ops_refuse(&g, op, IN(x, s, zx, w, s, zw, s), NO_ATTRS, CVK_BAD_MODEL,
               "has 7 inputs, at least 8 expected");
    ops_refuse(&g, CVK_OP_ConvInteger, IN(x, f), NO_ATTRS, CVK_UNSUPPORTED,
               "w has type float32, uint8 or int8 is expected");
    ops_graph_drop(&g);
}

static void refused_products(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int a = ops_input(&g, CVK_U8, DIMS(2, 3)), b = ops_input(&g, CVK_I8, DIMS(3, 4));
    int short_b = ops_input(&g, CVK_I8, DIMS(2, 4)), s = one(&g, 1);
    int za = scalar_of(&g, CVK_U8, 1), zb = scalar_of(&g, CVK_I8, 1);
    int three = ops_floats(&g, DIMS(3), 1, 1, 1);
    ops_refuse(&g, CVK_OP_MatMulInteger, IN(a, short_b), NO_ATTRS, CVK_SHAPE,
               "input A has 3 columns, input B has 2 rows");
    ops_refuse(&g, CVK_OP_MatMulInteger, IN(a, b, zb), NO_ATTRS, CVK_BAD_MODEL,
               "a_zero_point has type int8, uint8 is expected as of its tensor");
    ops_refuse(&g, CVK_OP_QLinearMatMul, IN(a, three, za, b, s, zb, s, za), NO_ATTRS, CVK_SHAPE,
               "a_scale has shape 3, 2 elements are expected");
    ops_refuse(&g, CVK_OP_QLinearMatMul, IN(a, s, za, b, s, zb, three, za), NO_ATTRS, CVK_SHAPE,
               "y_scale has shape 3, one number is expected");
    int d = ops_input(&g, CVK_F64, DIMS(3));
    cvk_node *node;
    assert_int_equal(ops_try_node(&g, CVK_OP_DynamicQuantizeLinear, &d, 1, 3, NO_ATTRS, &node),
                     CVK_OK);
    assert_int_equal(cvk_node_infer(g.graph, node), CVK_UNSUPPORTED);
    ops_graph_drop(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(qlinear_conv),
        cmocka_unit_test(qlinear_conv_pads_with_the_zero_point),
        cmocka_unit_test(integer_products),
        cmocka_unit_test(dynamic_quantisation),
        cmocka_unit_test(blocks_and_wide_integers),
        cmocka_unit_test(refused_convolutions),
        cmocka_unit_test(refused_products),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
