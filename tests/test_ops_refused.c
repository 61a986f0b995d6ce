/* SPDX-License-Identifier: Apache-2.0
 *
 * What the operators refuse, with which status, and the sentence for it.
 */
#include "ops_graph.h"

static void refused_convolutions(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_input(&g, CVK_F32, DIMS(1, 3, 8, 8)), w = ops_input(&g, CVK_F32, DIMS(4, 4, 3, 3));
    int fits = ops_input(&g, CVK_F32, DIMS(4, 3, 3, 3)),
        f64 = ops_input(&g, CVK_F64, DIMS(4, 3, 3, 3));
    int bias = ops_input(&g, CVK_F32, DIMS(5)),
        cube = ops_input(&g, CVK_F32, DIMS(1, 3, 8, 8, 8, 8));
    int depth = ops_input(&g, CVK_F32, DIMS(4, 3, 3, 3, 3, 3)),
        line = ops_input(&g, CVK_F32, DIMS(4, 3, 3));
    int large = ops_input(&g, CVK_F32, DIMS(4, 3, 9, 9)),
        ints = ops_input(&g, CVK_I32, DIMS(1, 3, 8, 8));
    ops_refuse(&g, CVK_OP_Conv, IN(x, w), NO_ATTRS, CVK_SHAPE,
               "input has 3 channels, weights want 4");
    ops_refuse(&g, CVK_OP_Conv, IN(x, fits), ATTRS(ATTR_INT("group", 3)), CVK_SHAPE,
               "input has 3 channels, weights want 9");
    int one = ops_input(&g, CVK_F32, DIMS(4, 1, 3, 3));
    ops_refuse(&g, CVK_OP_Conv, IN(x, one), ATTRS(ATTR_INT("group", 3)), CVK_SHAPE,
               "4 output channels do not divide into 3 groups");
    ops_refuse(&g, CVK_OP_Conv, IN(x, fits), ATTRS(ATTR_INT("group", 0)), CVK_BAD_MODEL,
               "attribute 'group' is 0, 1 or more is expected");
    ops_refuse(&g, CVK_OP_Conv, IN(x, fits, bias), NO_ATTRS, CVK_SHAPE,
               "bias has shape 5, 4 elements are expected");
    ops_refuse(&g, CVK_OP_Conv, IN(cube, depth), NO_ATTRS, CVK_UNSUPPORTED,
               "4-D convolution is not supported, at most 3-D is");
    ops_refuse(&g, CVK_OP_Conv, IN(x, line), NO_ATTRS, CVK_SHAPE,
               "weights have shape 4x3x3, rank 4 is expected as of the input");
    ops_refuse(&g, CVK_OP_Conv, IN(x, large), NO_ATTRS, CVK_SHAPE,
               "spatial dimension 0: a window of 9 with dilation 1 does not fit into 8 with "
               "padding 0 + 0");
    ops_refuse(&g, CVK_OP_Conv, IN(x, fits), ATTRS(ATTR_INTS("kernel_shape", 5, 3)), CVK_SHAPE,
               "attribute 'kernel_shape' is 5 in dimension 0, weights have 3");
    ops_refuse(&g, CVK_OP_Conv, IN(x, f64), NO_ATTRS, CVK_BAD_MODEL,
               "input 1 has type float64, input 0 has type float32, one type is expected");
    ops_refuse(&g, CVK_OP_Conv, IN(ints, ints), NO_ATTRS, CVK_UNSUPPORTED,
               "input has type int32, a float type is expected");
    ops_refuse(&g, CVK_OP_Conv, IN(x), NO_ATTRS, CVK_BAD_MODEL,
               "has 1 inputs, at least 2 expected");
    ops_refuse(&g, CVK_OP_Conv, IN(x, -1), NO_ATTRS, CVK_BAD_MODEL, "input 1 is absent");
    int odd = ops_input(&g, CVK_F32, DIMS(4, 3, 3, 3));
    ops_refuse(&g, CVK_OP_ConvTranspose, IN(x, odd), NO_ATTRS, CVK_SHAPE,
               "input has 3 channels, weights want 4");
    int w33 = ops_input(&g, CVK_F32, DIMS(3, 3, 3, 3));
    ops_refuse(&g, CVK_OP_ConvTranspose, IN(x, w33), ATTRS(ATTR_INTS("pads", 6, 0, 6, 0)),
               CVK_SHAPE, "spatial dimension 0: padding 6 + 6 is more than the output of 10");
    ops_graph_drop(&g);
}

static void refused_attributes(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_input(&g, CVK_F32, DIMS(1, 3, 8, 8)), w = ops_input(&g, CVK_F32, DIMS(3, 3, 3, 3));
    ops_refuse(&g, CVK_OP_Conv, IN(x, w), ATTRS(ATTR_INTS("strides", 0, 1)), CVK_BAD_MODEL,
               "attribute 'strides' is 0 in dimension 0, 1 or more is expected");
    ops_refuse(&g, CVK_OP_Conv, IN(x, w), ATTRS(ATTR_INTS("strides", 1)), CVK_SHAPE,
               "attributes describe 1 spatial dimensions, input has 2");
    ops_refuse(&g, CVK_OP_Conv, IN(x, w),
               ATTRS(ATTR_INTS("strides", 1, 1), ATTR_INTS("dilations", 1)), CVK_BAD_MODEL,
               "attribute 'dilations' has 1 entries, 2 are expected");
    ops_refuse(&g, CVK_OP_Conv, IN(x, w), ATTRS(ATTR_INTS("pads", 1, 1, 1)), CVK_BAD_MODEL,
               "attribute 'pads' has 3 entries, two per spatial dimension are expected");
    ops_refuse(&g, CVK_OP_Conv, IN(x, w), ATTRS(ATTR_INTS("pads", INT64_MAX, 1, 1, 1)),
               CVK_BAD_MODEL, "attribute 'pads' holds 9223372036854775807, which is out of range");
    ops_refuse(&g, CVK_OP_Conv, IN(x, w), ATTRS(ATTR_INTS("pads", 1, 1, 1, 1, 1, 1, 1, 1)),
               CVK_UNSUPPORTED,
               "attribute 'pads' has 8 entries: at most 3 spatial dimensions are supported");
    ops_refuse(&g, CVK_OP_ConvTranspose, IN(x, w),
               ATTRS(ATTR_INTS("strides", 2, 2), ATTR_INTS("output_padding", 1)), CVK_BAD_MODEL,
               "attribute 'output_padding' has 1 entries, 2 are expected");
    ops_refuse(&g, CVK_OP_ConvTranspose, IN(x, w),
               ATTRS(ATTR_INTS("strides", 2, 2), ATTR_INTS("output_shape", 9, 9, 9)), CVK_BAD_MODEL,
               "attribute 'output_shape' has 3 entries, 2 are expected");
    ops_refuse(
        &g, CVK_OP_MaxPool, IN(x),
        ATTRS(ATTR_INTS("kernel_shape", 1000000000, 1), ATTR_INTS("pads", 1000000000, 0, 0, 0)),
        CVK_BAD_MODEL,
        "spatial dimension 0: padding 1000000000 + 0 of a pool whose window reaches "
        "1000000000, each is expected to be 0 or more and smaller than that");
    ops_refuse(&g, CVK_OP_Conv, IN(x, w), ATTRS(ATTR_STRING("auto_pad", "SAME")), CVK_BAD_MODEL,
               "attribute 'auto_pad' is 'SAME'");
    ops_refuse(&g, CVK_OP_Conv, IN(x, w), ATTRS(ATTR_FLOAT("group", 1)), CVK_BAD_MODEL,
               "attribute 'group' should be an integer");
    ops_refuse(&g, CVK_OP_LeakyRelu, IN(x), ATTRS(ATTR_INT("alpha", 1)), CVK_BAD_MODEL,
               "attribute 'alpha' should be a float");
    ops_refuse(&g, CVK_OP_MaxPool, IN(x), NO_ATTRS, CVK_BAD_MODEL,
               "attribute 'kernel_shape' is missing");
    ops_refuse(&g, CVK_OP_LRN, IN(x), NO_ATTRS, CVK_BAD_MODEL,
               "attribute 'size' is missing or 0, 1 or more is expected");
    ops_refuse(&g, CVK_OP_Softmax, IN(x), ATTRS(ATTR_INT("axis", 4)), CVK_SHAPE,
               "axis 4 is outside a tensor of rank 4");
    ops_graph_drop(&g);
}

static void refused_others(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(14);
    int x = ops_input(&g, CVK_F32, DIMS(1, 3, 8, 8)), v = ops_input(&g, CVK_F32, DIMS(3));
    int four = ops_input(&g, CVK_F32, DIMS(4)), m = ops_input(&g, CVK_F32, DIMS(3, 4));
    int i64 = ops_input(&g, CVK_I64, DIMS(3)), flags = ops_input(&g, CVK_BOOL, DIMS(3));
    int cube = ops_input(&g, CVK_F32, DIMS(1, 3, 8, 8, 8, 8)),
        scalar = ops_input(&g, CVK_F32, SCALAR);
    ops_refuse(&g, CVK_OP_BatchNormalization, IN(x, v, v, v, v),
               ATTRS(ATTR_INT("training_mode", 1)), CVK_UNSUPPORTED,
               "attribute 'training_mode' is set: only inference is supported");
    ops_refuse(&g, CVK_OP_BatchNormalization, IN(x, v, v, v, four), NO_ATTRS, CVK_SHAPE,
               "var has shape 4, 3 elements are expected");
    ops_refuse(&g, CVK_OP_BatchNormalization, IN(x, v, v, v), NO_ATTRS, CVK_BAD_MODEL,
               "has 4 inputs, 5 expected");
    ops_refuse(
        &g, CVK_OP_MaxPool, IN(cube), ATTRS(ATTR_INTS("kernel_shape", 2, 2, 2, 2)), CVK_UNSUPPORTED,
        "attribute 'kernel_shape' has 4 entries: at most 3 spatial dimensions are supported");
    ops_refuse(&g, CVK_OP_MaxPool, IN(x),
               ATTRS(ATTR_INTS("kernel_shape", 2, 2), ATTR_INTS("pads", 2, 0, 0, 0)), CVK_BAD_MODEL,
               "spatial dimension 0: padding 2 + 0 of a pool whose window reaches 2, each is "
               "expected to be 0 or more "
               "and smaller than that");
    ops_refuse(&g, CVK_OP_Add, IN(v, four), NO_ATTRS, CVK_SHAPE, "shapes 3 and 4 do not broadcast");
    ops_refuse(&g, CVK_OP_Add, IN(v, i64), NO_ATTRS, CVK_BAD_MODEL,
               "input 1 has type int64, input 0 has type float32, one type is expected");
    ops_refuse(&g, CVK_OP_Mul, IN(flags, flags), NO_ATTRS, CVK_UNSUPPORTED,
               "input has type bool, a number is expected");
    ops_refuse(&g, CVK_OP_Exp, IN(i64), NO_ATTRS, CVK_UNSUPPORTED,
               "input has type int64, a float type is expected");
    ops_refuse(&g, CVK_OP_PRelu, IN(v, x), NO_ATTRS, CVK_SHAPE,
               "shapes 3 and 1x3x8x8 do not broadcast");
    ops_refuse(&g, CVK_OP_PRelu, IN(v, m), NO_ATTRS, CVK_SHAPE,
               "shapes 3 and 3x4 do not broadcast");
    ops_refuse(&g, CVK_OP_PRelu, IN(four, m), NO_ATTRS, CVK_SHAPE,
               "slope has shape 3x4, which does not broadcast to 4");
    ops_refuse(&g, CVK_OP_Gemm, IN(m, m), NO_ATTRS, CVK_SHAPE,
               "input A has 4 columns, input B has 3 rows");
    ops_refuse(&g, CVK_OP_Gemm, IN(x, m), NO_ATTRS, CVK_SHAPE,
               "input A has shape 1x3x8x8, a matrix is expected");
    ops_refuse(&g, CVK_OP_Gemm, IN(m, m, v), ATTRS(ATTR_INT("transA", 1)), CVK_SHAPE,
               "input C has shape 3, which does not broadcast to 4x4");
    ops_refuse(&g, CVK_OP_MatMul, IN(m, m), NO_ATTRS, CVK_SHAPE,
               "input A has 4 columns, input B has 3 rows");
    ops_refuse(&g, CVK_OP_MatMul, IN(m, scalar), NO_ATTRS, CVK_SHAPE,
               "input B is a scalar, a vector or more is expected");
    ops_refuse(&g, CVK_OP_Clip, IN(x, v), NO_ATTRS, CVK_SHAPE,
               "min has shape 3, a scalar is expected");
    ops_refuse(&g, CVK_OP_GlobalMaxPool, IN(v), NO_ATTRS, CVK_SHAPE,
               "input has shape 3, global pooling wants N x C x spatial dimensions");
    ops_refuse(&g, CVK_OP_Sum, IN(v, -1), NO_ATTRS, CVK_BAD_MODEL, "input 1 is absent");
    ops_graph_drop(&g);
}

static void refused_sizes(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int wide = ops_input(&g, CVK_F32, DIMS(INT64_C(1) << 40, 1)),
        tall = ops_input(&g, CVK_F32, DIMS(1, 1 << 30));
    int column = ops_input(&g, CVK_F32, DIMS(1 << 30, 1, 1)),
        row = ops_input(&g, CVK_F32, DIMS(1, 1 << 30, 1 << 30));
    ops_refuse(&g, CVK_OP_Relu, IN(wide), NO_ATTRS, CVK_SHAPE,
               "input 0 has a dimension of 1099511627776, at most 2147483647 is supported");
    ops_refuse(&g, CVK_OP_Add, IN(column, tall), NO_ATTRS, CVK_SHAPE,
               "output 0 of shape 1073741824x1x1073741824 has more elements than can be counted");
    ops_refuse(&g, CVK_OP_Add, IN(column, row), NO_ATTRS, CVK_SHAPE,
               "input 1 of shape 1x1073741824x1073741824 has more elements than can be counted");
    ops_graph_drop(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_convolutions),
        cmocka_unit_test(refused_attributes),
        cmocka_unit_test(refused_others),
        cmocka_unit_test(refused_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
