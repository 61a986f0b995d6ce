/* SPDX-License-Identifier: Apache-2.0
 *
 * Element-wise operators beyond those of convolutional networks, by hand: functions, remainders,
 * comparisons, bits, Where, CastLike; what they do with integers and refuse.
 */
#include <math.h>

#include "ops_graph.h"

static double apply(cvk_act_kind kind, float a, float b, double x)
{
    return cvk_act_apply(&(cvk_act){.kind = kind, .a = a, .b = b}, x);
}

static void functions(void **state)
{
    (void)state;
    static const struct {
        cvk_act_kind kind;
        float a, b;
        double x, y;
    } rows[] = {
        {CVK_ACT_ABS, 0, 0, -3, 3},
        {CVK_ACT_NEG, 0, 0, -3, 3},
        {CVK_ACT_FLOOR, 0, 0, -1.5, -2},
        {CVK_ACT_CEIL, 0, 0, -1.5, -1},
        {CVK_ACT_ROUND, 0, 0, 2.5, 2},
        {CVK_ACT_ROUND, 0, 0, 3.5, 4},
        {CVK_ACT_ROUND, 0, 0, -0.75, -1},
        {CVK_ACT_SIGN, 0, 0, -7, -1},
        {CVK_ACT_SIGN, 0, 0, -0.0, 0},
        {CVK_ACT_RECIPROCAL, 0, 0, 4, 0.25},
        {CVK_ACT_SOFTSIGN, 0, 0, -3, -0.75},
        {CVK_ACT_THRESHOLDED_RELU, 2, 0, 2, 0},
        {CVK_ACT_THRESHOLDED_RELU, 2, 0, 2.5, 2.5},
        {CVK_ACT_SHRINK, 1, 0.5f, -2, -1.5},
        {CVK_ACT_SHRINK, 1, 0.5f, 1, 0},
        {CVK_ACT_SHRINK, 1, 0.5f, 3, 2.5},
        {CVK_ACT_SELU, 2, 3, -1, -3.79272335297134607},
        {CVK_ACT_SELU, 2, 3, 2, 6},
        {CVK_ACT_CELU, 2, 0, -1, -0.786938680574733153},
        {CVK_ACT_CELU, 2, 0, 4, 4},
        {CVK_ACT_LOG, 0, 0, 10, 2.30258509299404568},
        {CVK_ACT_ERF, 0, 0, 0.5, 0.520499877813046538},
        {CVK_ACT_ERF, 0, 0, -3, -0.999977909503001415},
        {CVK_ACT_GELU, 0, 0, 1, 0.841344746068542949},
        {CVK_ACT_GELU, 0, 0, -5, -1.43325785939596956e-6},
        {CVK_ACT_GELU_TANH, 0, 0, -2, -0.0454023059122249812},
        {CVK_ACT_SOFTPLUS, 0, 0, 1, 1.31326168751822283},
        {CVK_ACT_SOFTPLUS, 0, 0, -30, 9.35762296883973678e-14},
        {CVK_ACT_SOFTPLUS, 0, 0, 1000, 1000},
        {CVK_ACT_MISH, 0, 0, -1, -0.303401461374108918},
        {CVK_ACT_SIN, 0, 0, 2, 0.909297426825681695},
        {CVK_ACT_COS, 0, 0, 2, -0.416146836547142387},
        {CVK_ACT_TAN, 0, 0, 2, -2.18503986326151899},
        {CVK_ACT_ASIN, 0, 0, 0.5, 0.523598775598298873},
        {CVK_ACT_ACOS, 0, 0, 0.5, 1.04719755119659775},
        {CVK_ACT_ATAN, 0, 0, 2, 1.1071487177940905},
        {CVK_ACT_SINH, 0, 0, 2, 3.62686040784701877},
        {CVK_ACT_COSH, 0, 0, 2, 3.76219569108363146},
        {CVK_ACT_ASINH, 0, 0, 2, 1.44363547517881034},
        {CVK_ACT_ACOSH, 0, 0, 2, 1.31695789692481671},
        {CVK_ACT_ATANH, 0, 0, 0.5, 0.549306144334054846},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double y = apply(rows[i].kind, rows[i].a, rows[i].b, rows[i].x);
        assert_true(fabs(y - rows[i].y) <= 1e-15 + 1e-13 * fabs(rows[i].y));
    }
    assert_true(isinf(apply(CVK_ACT_RECIPROCAL, 0, 0, 0)) && isinf(apply(CVK_ACT_LOG, 0, 0, 0)));
    assert_true(apply(CVK_ACT_SOFTPLUS, 0, 0, INFINITY) == INFINITY);
    assert_true(apply(CVK_ACT_ERF, 0, 0, -INFINITY) == -1);
}

static void attributes_and_defaults(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(20);
    int x = ops_floats(&g, DIMS(3), -2, 0.25f, 3);
    ops_expect(&g, ops_run(&g, CVK_OP_ThresholdedRelu, IN(x), NO_ATTRS), 0, 0, 0, 3);
    ops_expect(&g, ops_run(&g, CVK_OP_Shrink, IN(x), NO_ATTRS), 0, -2, 0, 3);
    ops_expect(
        &g, ops_run(&g, CVK_OP_Shrink, IN(x), ATTRS(ATTR_FLOAT("bias", 1), ATTR_FLOAT("lambd", 0))),
        0, -1, -0.75, 2);
    ops_expect(&g, ops_run(&g, CVK_OP_Celu, IN(x), NO_ATTRS), 1e-7, -0.86466471676338731, 0.25, 3);
    ops_expect(&g, ops_run(&g, CVK_OP_Selu, IN(x), NO_ATTRS), 1e-6, -1.5201664686, 0.26267526,
               3.1521030664);
    ops_expect(&g, ops_run(&g, CVK_OP_Gelu, IN(x), NO_ATTRS), 1e-6, -0.0455002639, 0.1496765782,
               2.9959502950);
    ops_expect(&g, ops_run(&g, CVK_OP_Gelu, IN(x), ATTRS(ATTR_STRING("approximate", "tanh"))), 1e-6,
               -0.0454023059, 0.1496752831, 2.9963626079);
    ops_refuse(&g, CVK_OP_Gelu, IN(x), ATTRS(ATTR_STRING("approximate", "sin")), CVK_BAD_MODEL,
               "attribute 'approximate' is 'sin', none or tanh is expected");
    ops_expect(&g, ops_run(&g, CVK_OP_Mean, IN(x, ops_floats(&g, SCALAR, 1)), NO_ATTRS), 0, -0.5,
               0.625, 2);
    int odd = ops_floats(&g, DIMS(3), INFINITY, -INFINITY, NAN);
    ops_expect(&g, ops_run(&g, CVK_OP_IsInf, IN(odd), NO_ATTRS), 0, 1, 1, 0);
    ops_expect(&g, ops_run(&g, CVK_OP_IsInf, IN(odd), ATTRS(ATTR_INT("detect_negative", 0))), 0, 1,
               0, 0);
    ops_expect(&g, ops_run(&g, CVK_OP_IsInf, IN(odd), ATTRS(ATTR_INT("detect_positive", 0))), 0, 0,
               1, 0);
    ops_expect(&g, ops_run(&g, CVK_OP_IsNaN, IN(odd), NO_ATTRS), 0, 0, 0, 1);
    ops_graph_drop(&g);
}

static void integers(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(18);
    int64_t wide[] = {INT64_MIN + 1, -5, 7};
    int a = ops_constant(&g, CVK_I64, DIMS(3), wide),
        b = ops_constant(&g, CVK_I64, DIMS(3), (int64_t[]){-1, 3, -4});
    const int64_t *y = g.graph->values[ops_run(&g, CVK_OP_Abs, IN(a), NO_ATTRS)].data;
    assert_true(y[0] == INT64_MAX && y[1] == 5 && y[2] == 7);
    y = g.graph->values[ops_run(&g, CVK_OP_Neg, IN(a), NO_ATTRS)].data;
    assert_true(y[0] == INT64_MAX && y[1] == 5 && y[2] == -7);
    ops_expect(&g, ops_run(&g, CVK_OP_Sign, IN(a), NO_ATTRS), 0, -1, -1, 1);
    ops_expect(&g, ops_run(&g, CVK_OP_Mod, IN(a, b), NO_ATTRS), 0, 0, 1, -1);
    ops_expect(&g, ops_run(&g, CVK_OP_Mod, IN(a, b), ATTRS(ATTR_INT("fmod", 1))), 0, 0, -2, 3);
    ops_expect(&g, ops_run(&g, CVK_OP_BitwiseNot, IN(b), NO_ATTRS), 0, 0, -4, 3);
    ops_expect(&g, ops_run(&g, CVK_OP_BitwiseAnd, IN(b, a), NO_ATTRS), 0,
               (double)((double)(INT64_MIN + 1)), 3, 4);
    uint8_t bytes[] = {0x81, 3, 255};
    int u = ops_constant(&g, CVK_U8, DIMS(3), bytes),
        by = ops_constant(&g, CVK_U8, DIMS(3), (uint8_t[]){1, 9, 4});
    int left = ops_run(&g, CVK_OP_BitShift, IN(u, by), ATTRS(ATTR_STRING("direction", "LEFT")));
    ops_expect(&g, left, 0, 2, 0, 240);
    int right = ops_run(&g, CVK_OP_BitShift, IN(u, by), ATTRS(ATTR_STRING("direction", "RIGHT")));
    ops_expect(&g, right, 0, 64, 0, 15);
    ops_expect(&g, ops_run(&g, CVK_OP_BitwiseXor, IN(u, by), NO_ATTRS), 0, 0x80, 10, 251);
    ops_expect(&g, ops_run(&g, CVK_OP_BitwiseOr, IN(u, by), NO_ATTRS), 0, 0x81, 11, 255);
    uint64_t huge[] = {UINT64_MAX, 1};
    int h = ops_constant(&g, CVK_U64, DIMS(2), huge),
        one = ops_constant(&g, CVK_U64, DIMS(2), (uint64_t[]){1, 1});
    ops_expect(&g, ops_run(&g, CVK_OP_Greater, IN(h, one), NO_ATTRS), 0, 1, 0);
    ops_expect(&g, ops_run(&g, CVK_OP_GreaterOrEqual, IN(h, one), NO_ATTRS), 0, 1, 1);
    ops_graph_drop(&g);
}

static void truth(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(18);
    int x = ops_floats(&g, DIMS(3), 1, 2, NAN), two = ops_floats(&g, SCALAR, 2);
    ops_expect(&g, ops_run(&g, CVK_OP_Less, IN(x, two), NO_ATTRS), 0, 1, 0, 0);
    ops_expect(&g, ops_run(&g, CVK_OP_LessOrEqual, IN(x, two), NO_ATTRS), 0, 1, 1, 0);
    ops_expect(&g, ops_run(&g, CVK_OP_Greater, IN(two, x), NO_ATTRS), 0, 1, 0, 0);
    ops_expect(&g, ops_run(&g, CVK_OP_Equal, IN(x, x), NO_ATTRS), 0, 1, 1, 0);
    int p = ops_constant(&g, CVK_BOOL, DIMS(2, 1), (uint8_t[]){0, 1}),
        q = ops_constant(&g, CVK_BOOL, DIMS(2), (uint8_t[]){0, 1});
    ops_expect(&g, ops_run(&g, CVK_OP_And, IN(p, q), NO_ATTRS), 0, 0, 0, 0, 1);
    ops_expect(&g, ops_run(&g, CVK_OP_Or, IN(p, q), NO_ATTRS), 0, 0, 1, 1, 1);
    ops_expect(&g, ops_run(&g, CVK_OP_Xor, IN(p, q), NO_ATTRS), 0, 0, 1, 1, 0);
    ops_expect(&g, ops_run(&g, CVK_OP_Not, IN(q), NO_ATTRS), 0, 1, 0);
    int64_t wide[] = {INT64_MAX, 5};
    int l = ops_constant(&g, CVK_I64, DIMS(2), wide),
        zero = ops_constant(&g, CVK_I64, SCALAR, &(int64_t){0});
    int y = ops_run(&g, CVK_OP_Where, IN(p, l, zero), NO_ATTRS);
    const int64_t *chosen = g.graph->values[y].data;
    assert_true(chosen[0] == 0 && chosen[1] == 0 && chosen[2] == INT64_MAX && chosen[3] == 5);
    y = ops_run(&g, CVK_OP_CastLike, IN(l, two), NO_ATTRS);
    assert_int_equal(g.graph->values[y].dtype, CVK_F32);
    ops_expect(&g, y, 0, 9223372036854775808.0, 5);
    ops_graph_drop(&g);
}

static void refused(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(18);
    int x = ops_input(&g, CVK_F32, DIMS(3)), i = ops_input(&g, CVK_I32, DIMS(3)),
        b = ops_input(&g, CVK_BOOL, DIMS(2));
    ops_refuse(&g, CVK_OP_Mod, IN(x, x), NO_ATTRS, CVK_BAD_MODEL,
               "input has type float32: fmod = 1 is expected with a float type");
    ops_refuse(&g, CVK_OP_And, IN(x, x), NO_ATTRS, CVK_UNSUPPORTED,
               "input has type float32, bool is expected");
    ops_refuse(&g, CVK_OP_Not, IN(i), NO_ATTRS, CVK_UNSUPPORTED,
               "input has type int32, bool is expected");
    ops_refuse(&g, CVK_OP_BitwiseOr, IN(x, x), NO_ATTRS, CVK_UNSUPPORTED,
               "input has type float32, an integer type is expected");
    ops_refuse(&g, CVK_OP_BitShift, IN(i, i), ATTRS(ATTR_STRING("direction", "LEFT")),
               CVK_UNSUPPORTED, "input has type int32, an unsigned integer type is expected");
    ops_refuse(&g, CVK_OP_BitShift, IN(i, i), NO_ATTRS, CVK_BAD_MODEL,
               "attribute 'direction' is '', LEFT or RIGHT is expected");
    ops_refuse(&g, CVK_OP_Less, IN(b, b), NO_ATTRS, CVK_UNSUPPORTED,
               "input has type bool, a number is expected");
    ops_refuse(&g, CVK_OP_Equal, IN(x, i), NO_ATTRS, CVK_BAD_MODEL,
               "input 1 has type int32, input 0 has type float32, one type is expected");
    ops_refuse(&g, CVK_OP_Where, IN(i, x, x), NO_ATTRS, CVK_UNSUPPORTED,
               "condition has type int32, bool is expected");
    ops_refuse(&g, CVK_OP_Where, IN(b, x, i), NO_ATTRS, CVK_BAD_MODEL,
               "X has type float32, Y has type int32, one type is expected");
    ops_refuse(&g, CVK_OP_Where, IN(b, x, x), NO_ATTRS, CVK_SHAPE,
               "shapes 2 and 3 do not broadcast");
    ops_refuse(&g, CVK_OP_Erf, IN(i), NO_ATTRS, CVK_UNSUPPORTED,
               "input has type int32, a float type is expected");
    ops_refuse(&g, CVK_OP_Mean, IN(i, i), NO_ATTRS, CVK_UNSUPPORTED,
               "input has type int32, a float type is expected");
    ops_graph_drop(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions), cmocka_unit_test(attributes_and_defaults),
        cmocka_unit_test(integers),  cmocka_unit_test(truth),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
