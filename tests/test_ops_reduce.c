/* SPDX-License-Identifier: Apache-2.0
 *
 * Operators that convert, reduce or resample: Cast, QuantizeLinear, DequantizeLinear, the
 * reductions, ArgMax, Resize and Upsample; small cases with exact results, and refusals.
 */
#include <math.h>
#include <stdlib.h>

#include "ops_values.h"

static void cast_cases(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_floats(&g, DIMS(4), -1.75f, 0, 2.5f, 300);
    int huge = ops_floats(&g, DIMS(3), NAN, INFINITY, -1e30f);
    ops_expect(&g, ops_run(&g, CVK_OP_Cast, IN(x), ATTRS(ATTR_INT("to", CVK_I32))), 0, -1, 0, 2,
               300);
    ops_expect(&g, ops_run(&g, CVK_OP_Cast, IN(x), ATTRS(ATTR_INT("to", CVK_BOOL))), 0, 1, 0, 1, 1);
    ops_expect(&g, ops_run(&g, CVK_OP_Cast, IN(huge), ATTRS(ATTR_INT("to", CVK_I32))), 0, 0,
               INT32_MAX, INT32_MIN);
    int halves =
        ops_floats(&g, DIMS(4), 1 + 0x1p-11f, 1 + 0x3p-11f, 65520, 0x1p-25f); /* ties to even */
    ops_expect(&g, ops_run(&g, CVK_OP_Cast, IN(halves), ATTRS(ATTR_INT("to", CVK_F16))), 0, 1,
               1 + 0x1p-9, INFINITY, 0);
    double above_tie = 1 + 0x1p-11 + 0x1p-40; /* as float32 a tie, yet above it */
    int exact = ops_constant(&g, CVK_F64, DIMS(1), &above_tie);
    ops_expect(&g, ops_run(&g, CVK_OP_Cast, IN(exact), ATTRS(ATTR_INT("to", CVK_F16))), 0,
               1 + 0x1p-10);
    int wraps = ints(&g, 257, -1, INT64_MIN);
    ops_expect(&g, ops_run(&g, CVK_OP_Cast, IN(wraps), ATTRS(ATTR_INT("to", CVK_U8))), 0, 1, 255,
               0);
    ops_expect(&g, ops_run(&g, CVK_OP_Cast, IN(wraps), ATTRS(ATTR_INT("to", CVK_F32))), 0, 257, -1,
               -0x1p63);
    ops_refuse(&g, CVK_OP_Cast, IN(x), ATTRS(ATTR_INT("to", 8)), CVK_UNSUPPORTED,
               "a cast to element type string (8) is not supported");
    ops_refuse(&g, CVK_OP_Cast, IN(x), ATTRS(ATTR_INT("to", 16)), CVK_UNSUPPORTED,
               "a cast to element type bfloat16 (16) is not supported");
    ops_graph_drop(&g);
}

static void quantize_cases(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_floats(&g, DIMS(6), 1, 3, 5, -1, 1000, -1000), two = ops_floats(&g, SCALAR, 2);
    int zero = ops_constant(&g, CVK_I8, SCALAR, (signed char[]){-1});
    int q = ops_run(&g, CVK_OP_QuantizeLinear, IN(x, two), NO_ATTRS);
    expect_dtype(&g, q, CVK_U8);
    ops_expect(&g, q, 0, 0, 2, 2, 0, 255, 0); /* halves to even, then saturated */
    ops_expect(&g, ops_run(&g, CVK_OP_QuantizeLinear, IN(x, two, zero), NO_ATTRS), 0, -1, 1, 1, -1,
               127, -128);

    int w = ops_constant(&g, CVK_I8, DIMS(2, 2), (signed char[]){-128, 127, 1, 2});
    int scales = ops_floats(&g, DIMS(2), 0.5f, 4),
        zeros = ops_constant(&g, CVK_I8, DIMS(2), (signed char[]){0, 1});
    ops_expect(
        &g, ops_run(&g, CVK_OP_DequantizeLinear, IN(w, scales, zeros), ATTRS(ATTR_INT("axis", 0))),
        0, -64, 63.5, 0, 4);
    ops_expect(&g, ops_run(&g, CVK_OP_DequantizeLinear, IN(w, scales), ATTRS(ATTR_INT("axis", -1))),
               0, -64, 508, 0.5, 8);
    int wide = ops_constant(&g, CVK_I32, DIMS(2), (int32_t[]){1 << 24, -3});
    ops_expect(&g, ops_run(&g, CVK_OP_DequantizeLinear, IN(wide, two), NO_ATTRS), 0, 0x1p25, -6);
    ops_expect(&g,
               ops_run(&g, CVK_OP_QuantizeLinear, IN(counting(&g, DIMS(2, 2)), scales), NO_ATTRS),
               0, 0, 0, 4, 1);
    ops_refuse(&g, CVK_OP_DequantizeLinear, IN(bytes(&g, CVK_U8, 1, 2, 3), scales),
               ATTRS(ATTR_INT("axis", 0)), CVK_SHAPE, "scale has shape 2, 3 elements are expected");
    ops_refuse(&g, CVK_OP_DequantizeLinear, IN(x, two), NO_ATTRS, CVK_UNSUPPORTED,
               "input has type float32, expected an integer of 8 or 16 bits or int32");
    ops_refuse(&g, CVK_OP_QuantizeLinear, IN(x, two, x), NO_ATTRS, CVK_UNSUPPORTED,
               "zero point has type float32, expected an integer of 8 or 16 bits");
    ops_graph_drop(&g);
}

static void reduce_cases(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = counting(&g, DIMS(2, 3));
    int mean = ops_run(&g, CVK_OP_ReduceMean, IN(x), ATTRS(ATTR_INTS("axes", -1)));
    ops_expect_shape(&g, mean, DIMS(2, 1));
    ops_expect(&g, mean, 0, 1, 4);
    int max =
        ops_run(&g, CVK_OP_ReduceMax, IN(x), ATTRS(ATTR_INTS("axes", 0), ATTR_INT("keepdims", 0)));
    ops_expect_shape(&g, max, DIMS(3));
    ops_expect(&g, max, 0, 3, 4, 5);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceSum, IN(x), ATTRS(ATTR_INT("keepdims", 0))), 0, 15);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceSum, IN(x, ints(&g, 1)), NO_ATTRS), 0, 3, 12);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceSum, IN(x), ATTRS(ATTR_INT("noop_with_empty_axes", 1))),
               0, 0, 1, 2, 3, 4, 5);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceSum, IN(ints(&g, INT64_MAX, -1)), NO_ATTRS), 0, 0x1p63);
    ops_expect_shape(
        &g, ops_infer(&g, CVK_OP_ReduceSum, IN(x, ops_input(&g, CVK_I64, DIMS(1))), NO_ATTRS),
        DIMS(-1, -1));
    ops_expect_shape(&g,
                     ops_infer(&g, CVK_OP_ReduceMean, IN(ops_input(&g, CVK_F32, DIMS(-1, 8, -1))),
                               ATTRS(ATTR_INTS("axes", 2))),
                     DIMS(-1, 8, 1));
    int empty = ops_constant(&g, CVK_F32, DIMS(2, 0), "");
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceSum, IN(empty, ints(&g, 1)), NO_ATTRS), 0, 0, 0);
    ops_refuse(&g, CVK_OP_ReduceMean, IN(empty), NO_ATTRS, CVK_SHAPE,
               "a mean over no elements is undefined");
    ops_refuse(&g, CVK_OP_ReduceMax, IN(x), ATTRS(ATTR_INTS("axes", 2)), CVK_BAD_MODEL,
               "axis 2 is outside a tensor of rank 2");
    ops_graph_drop(&g);
}

static void reduce_kinds(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(20);
    int x = ops_floats(&g, DIMS(2, 3), 3, -4, 0, 1, 2, 2), one = ints(&g, 1);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceMin, IN(x, one), NO_ATTRS), 0, -4, 1);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceProd, IN(x, one), NO_ATTRS), 0, 0, 4);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceL1, IN(x, one), NO_ATTRS), 0, 7, 5);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceL2, IN(x, one), NO_ATTRS), 0, 5, 3);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceSumSquare, IN(x, one), NO_ATTRS), 0, 25, 9);
    int y = ops_floats(&g, DIMS(2, 2), -1, 1, 3, 2);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceLogSum, IN(y, one), NO_ATTRS), 1e-6, -INFINITY,
               1.6094379124341003);
    int far = ops_floats(&g, DIMS(2, 2), 1000, 1000, -2000, -2000);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceLogSumExp, IN(far, one), NO_ATTRS), 1e-4,
               1000.6931471805599, -1999.3068528194401);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceMean, IN(x, one), ATTRS(ATTR_INT("keepdims", 0))), 1e-6,
               -1.0 / 3, 5.0 / 3);
    int i = ops_constant(&g, CVK_I32, DIMS(3), (int32_t[]){3, -4, 12});
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceL2, IN(i), NO_ATTRS), 0, 13);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceL1, IN(i), NO_ATTRS), 0, 19);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceProd, IN(i), NO_ATTRS), 0, -144);
    int u = ops_constant(&g, CVK_U64, DIMS(2), (uint64_t[]){UINT64_MAX, 1});
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceMax, IN(u), NO_ATTRS), 0, 0x1p64);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceMin, IN(u), NO_ATTRS), 0, 1);
    int b = ops_constant(&g, CVK_BOOL, DIMS(2, 2), (uint8_t[]){0, 1, 0, 0});
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceMax, IN(b, one), NO_ATTRS), 0, 1, 0);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceMin, IN(b, one), NO_ATTRS), 0, 0, 0);
    ops_graph_drop(&g);
}

/* Over no elements, and over no axes. */
static void reduce_nothing(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(20);
    int none = ops_constant(&g, CVK_F32, DIMS(2, 0), ""), one = ints(&g, 1);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceMax, IN(none, one), NO_ATTRS), 0, -INFINITY, -INFINITY);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceMin, IN(none, one), NO_ATTRS), 0, INFINITY, INFINITY);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceProd, IN(none, one), NO_ATTRS), 0, 1, 1);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceL2, IN(none, one), NO_ATTRS), 0, 0, 0);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceLogSumExp, IN(none, one), NO_ATTRS), 0, -INFINITY,
               -INFINITY);
    int ints8 = ops_constant(&g, CVK_I8, DIMS(1, 0), "");
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceMax, IN(ints8, one), NO_ATTRS), 0, INT8_MIN);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceMin, IN(ints8, one), NO_ATTRS), 0, INT8_MAX);
    int bools = ops_constant(&g, CVK_BOOL, DIMS(1, 0), "");
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceMin, IN(bools, one), NO_ATTRS), 0, 1);
    int x = ops_floats(&g, DIMS(2), 3, -4);
    int no_axes = ops_constant(&g, CVK_I64, DIMS(0), "");
    ops_expect(&g,
               ops_run(&g, CVK_OP_ReduceSumSquare, IN(x, no_axes),
                       ATTRS(ATTR_INT("noop_with_empty_axes", 1))),
               0, 9, 16);
    ops_expect(&g, ops_run(&g, CVK_OP_ReduceSumSquare, IN(x, no_axes), NO_ATTRS), 0, 25);
    ops_refuse(&g, CVK_OP_ReduceProd, IN(bools), NO_ATTRS, CVK_UNSUPPORTED,
               "input has type bool, a number is expected");
    ops_graph_drop(&g);
}

static void arg_max_cases(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_floats(&g, DIMS(2, 3), 2, 2, 1, -3, 0, 0);
    int first = ops_run(&g, CVK_OP_ArgMax, IN(x), ATTRS(ATTR_INT("axis", -1)));
    expect_dtype(&g, first, CVK_I64);
    ops_expect_shape(&g, first, DIMS(2, 1));
    ops_expect(&g, first, 0, 0, 1);
    ops_expect(&g,
               ops_run(&g, CVK_OP_ArgMax, IN(x),
                       ATTRS(ATTR_INT("axis", 1), ATTR_INT("select_last_index", 1))),
               0, 1, 2);
    int down = ops_run(&g, CVK_OP_ArgMax, IN(x), ATTRS(ATTR_INT("keepdims", 0)));
    ops_expect_shape(&g, down, DIMS(3));
    ops_expect(&g, down, 0, 0, 0, 0);
    ops_graph_drop(&g);
}

static void resize_by_scales(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = counting(&g, DIMS(4)), none = -1, line = ops_floats(&g, DIMS(4), 1, 2, 3, 4);
    int twice = ops_floats(&g, DIMS(1), 2), less = ops_floats(&g, DIMS(1), 0.6f);
#define LINEAR ATTR_STRING("mode", "linear")
#define COORD(mode) ATTR_STRING("coordinate_transformation_mode", mode)
#define ROUND(mode) ATTR_STRING("nearest_mode", mode)
    ops_expect(&g, ops_run(&g, CVK_OP_Resize, IN(x, none, twice), NO_ATTRS), 0, 0, 0, 1, 1, 2, 2, 3,
               3);
    ops_expect(
        &g,
        ops_run(&g, CVK_OP_Resize, IN(x, none, twice), ATTRS(COORD("asymmetric"), ROUND("ceil"))),
        0, 0, 1, 1, 2, 2, 3, 3, 3);
    ops_expect(&g,
               ops_run(&g, CVK_OP_Resize, IN(x, none, twice),
                       ATTRS(COORD("asymmetric"), ROUND("round_prefer_ceil"))),
               0, 0, 1, 1, 2, 2, 3, 3, 3);
    ops_expect(&g, ops_run(&g, CVK_OP_Resize, IN(line, none, twice), ATTRS(LINEAR)), 1e-6, 1, 1.25,
               1.75, 2.25, 2.75, 3.25, 3.75, 4);
    /* The scale as given, not out / in: 0.6 of 4 elements is 2.4 long, of which 2 are made. */
    ops_expect(&g, ops_run(&g, CVK_OP_Resize, IN(line, none, less), ATTRS(LINEAR)), 1e-6, 1.3333333,
               3);
    ops_expect(
        &g, ops_run(&g, CVK_OP_Resize, IN(line, none, less), ATTRS(LINEAR, COORD("align_corners"))),
        1e-6, 1, 3.1428571);
    ops_refuse(&g, CVK_OP_Resize, IN(x), NO_ATTRS, CVK_BAD_MODEL,
               "there are neither scales nor sizes");
    ops_refuse(&g, CVK_OP_Resize, IN(x, none, ops_floats(&g, DIMS(1), -1)), NO_ATTRS, CVK_BAD_MODEL,
               "scale 0 is -1");
    ops_refuse(&g, CVK_OP_Resize, IN(x, none, ops_floats(&g, DIMS(2), 1, 1)), NO_ATTRS, CVK_SHAPE,
               "scales has 2 entries for a tensor of rank 1");
    ops_graph_drop(&g);
}

static void resize_of_a_region(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = counting(&g, DIMS(5)), none = -1, plane = counting(&g, DIMS(3, 4));
    int half = ops_floats(&g, DIMS(2), 0.25f, 0.75f), out = ops_floats(&g, DIMS(2), -0.5f, 1.25f);
#define CROP COORD("tf_crop_and_resize"), ATTR_FLOAT("extrapolation_value", 100)
    ops_expect(&g, ops_run(&g, CVK_OP_Resize, IN(x, half, none, ints(&g, 5)), ATTRS(LINEAR, CROP)),
               1e-6, 1, 1.5, 2, 2.5, 3); /* as long as before and yet no copy */
    ops_expect(&g, ops_run(&g, CVK_OP_Resize, IN(x, out, none, ints(&g, 8)), ATTRS(LINEAR, CROP)),
               1e-6, 100, 100, 0, 1, 2, 3, 4, 100);
    ops_expect(&g,
               ops_run(&g, CVK_OP_Resize, IN(x, out, none, ints(&g, 8)),
                       ATTRS(CROP, ATTR_STRING("mode", "cubic"))),
               1e-6, 100, 100, 0, 1, 2, 3, 4, 100);
    ops_expect(&g, ops_run(&g, CVK_OP_Resize, IN(x, half, none, ints(&g, 1)), ATTRS(LINEAR, CROP)),
               1e-6, 2);
    ops_expect(&g,
               ops_run(&g, CVK_OP_Resize, IN(x, half, ops_floats(&g, DIMS(1), 0.6f)), ATTRS(CROP)),
               0, 1, 2, 3);
    /* backwards along the second dimension; the first output row is outside */
    int roi = ops_floats(&g, DIMS(4), -0.5f, 1, 1, 0);
    ops_expect(&g, ops_run(&g, CVK_OP_Resize, IN(plane, roi, none, ints(&g, 4, 2)), ATTRS(CROP)), 0,
               100, 100, 3, 0, 7, 4, 11, 8);
    int whole = ops_floats(&g, DIMS(2), 0, 1), nan = ops_floats(&g, DIMS(2), 0, NAN);
    ops_expect(&g, ops_run(&g, CVK_OP_Resize, IN(x, whole, none, ints(&g, 5)), ATTRS(CROP)), 0, 0,
               1, 2, 3, 4);
    ops_refuse(&g, CVK_OP_Resize, IN(x, none, none, ints(&g, 5)), ATTRS(CROP), CVK_BAD_MODEL,
               "there is no roi, which tf_crop_and_resize wants");
    ops_refuse(&g, CVK_OP_Resize, IN(x, roi, none, ints(&g, 5)), ATTRS(CROP), CVK_SHAPE,
               "roi has 4 entries for a tensor of rank 1, two per dimension are expected");
    ops_refuse(&g, CVK_OP_Resize, IN(x, nan, none, ints(&g, 5)), ATTRS(CROP), CVK_BAD_MODEL,
               "roi holds nan");
    int computed = ops_input(&g, CVK_F32, DIMS(2));
    ops_expect_shape(&g,
                     ops_infer(&g, CVK_OP_Resize, IN(x, computed, none, ints(&g, 5)), ATTRS(CROP)),
                     DIMS(-1));
    ops_graph_drop(&g);
}

/* Nothing between may be larger than both ends, in whatever order the dimensions are taken. */
static void resize_of_a_line(void **state)
{
    (void)state;
    enum { LONG = 1 << 20 };
    ops_graph g = ops_graph_make(13);
    float *data = calloc(LONG, sizeof *data);
    assert_non_null(data);
    for (int i = 0; i < LONG; i++) data[i] = (float)(i % 3);
    int x = ops_constant(&g, CVK_F32, DIMS(1, LONG), data);
    int y = ops_run(&g, CVK_OP_Resize, IN(x, -1, -1, ints(&g, LONG, 1)), NO_ATTRS);
    ops_expect_shape(&g, y, DIMS(LONG, 1));
    assert_true(((const float *)g.graph->values[y].data)[LONG - 1] == data[LONG / 2 - 1]);
    free(data);
    ops_graph_drop(&g);
}

static void resize_by_sizes(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = counting(&g, DIMS(9)), none = -1, ramp = counting(&g, DIMS(1, 1, 2, 2));
    int six = ints(&g, 6);
    /* x / (6 / 9) is a whole number wherever it should be, although 6 / 9 is none in float32. */
    ops_expect(&g,
               ops_run(&g, CVK_OP_Resize, IN(x, none, none, six),
                       ATTRS(COORD("asymmetric"), ROUND("floor"))),
               0, 0, 1, 3, 4, 6, 7);
    ops_expect(&g,
               ops_run(&g, CVK_OP_Resize, IN(ramp, none, none, ints(&g, 1, 1, 3, 3)),
                       ATTRS(LINEAR, COORD("align_corners"))),
               1e-6, 0, 0.5, 1, 1, 1.5, 2, 2, 2.5, 3);
    ops_expect(&g,
               ops_run(&g, CVK_OP_Resize, IN(x, none, none, ints(&g, 1)),
                       ATTRS(LINEAR, COORD("pytorch_half_pixel"))),
               0, 0);
    int empty = ops_constant(&g, CVK_F32, DIMS(0), "");
    ops_expect(&g,
               ops_run(&g, CVK_OP_Resize, IN(x, empty, empty, ints(&g, 3)),
                       ATTRS(COORD("tf_half_pixel_for_nn"))),
               0, 1, 4, 7);
    int sizes = ops_input(&g, CVK_I64, DIMS(1));
    ops_expect_shape(&g, ops_infer(&g, CVK_OP_Resize, IN(x, none, none, sizes), NO_ATTRS),
                     DIMS(-1));
    ops_refuse(&g, CVK_OP_Resize, IN(x, none, none, ints(&g, 0)), NO_ATTRS, CVK_SHAPE,
               "dimension 0 of 9 cannot be resized to 0");
    ops_graph_drop(&g);
}

static void upsample_cases(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(7);
    int x = counting(&g, DIMS(1, 1, 1, 2));
    ops_expect(&g, ops_run(&g, CVK_OP_Upsample, IN(x), ATTRS(ATTR_FLOATS("scales", 1, 1, 2, 2))), 0,
               0, 0, 1, 1, 0, 0, 1, 1);
    ops_refuse(&g, CVK_OP_Upsample, IN(x), NO_ATTRS, CVK_BAD_MODEL, "attribute scales is missing");
    ops_graph_drop(&g);

    g = ops_graph_make(9);
    x = counting(&g, DIMS(2));
    ops_expect(&g, ops_run(&g, CVK_OP_Upsample, IN(x, ops_floats(&g, DIMS(1), 2)), ATTRS(LINEAR)),
               0, 0, 0.5, 1, 1);
    ops_graph_drop(&g);

    g = ops_graph_make(10); /* Resize was still the same */
    x = counting(&g, DIMS(3));
    ops_expect(&g, ops_run(&g, CVK_OP_Resize, IN(x, ops_floats(&g, DIMS(1), 2)), NO_ATTRS), 0, 0, 0,
               1, 1, 2, 2);
    ops_graph_drop(&g);
}

/* What operator sets 18 and 19 added to Resize. */
static void resize_since_18(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(19);
    int x = counting(&g, DIMS(1, 1, 2, 4)), sizes = ints(&g, 7, 8), none = -1;
    int y = ops_run(
        &g, CVK_OP_Resize, IN(x, none, none, sizes),
        ATTRS(ATTR_INTS("axes", 2, 3), ATTR_STRING("keep_aspect_ratio_policy", "not_larger")));
    ops_expect_shape(&g, y, DIMS(1, 1, 4, 8));
    y = ops_run(
        &g, CVK_OP_Resize, IN(x, none, none, sizes),
        ATTRS(ATTR_INTS("axes", -2, -1), ATTR_STRING("keep_aspect_ratio_policy", "not_smaller")));
    ops_expect_shape(&g, y, DIMS(1, 1, 7, 14));
    int line = counting(&g, DIMS(4)), half = ops_floats(&g, DIMS(1), 0.5f);
    /* Triangles of 4 elements, 1/8 3/8 3/8 1/8, over the line with its ends repeated. */
    ops_expect(&g,
               ops_run(&g, CVK_OP_Resize, IN(line, none, half),
                       ATTRS(ATTR_STRING("mode", "linear"), ATTR_INT("antialias", 1))),
               1e-6, 0.625, 2.375);
    int scale = ops_floats(&g, DIMS(1), 0.6f); /* 2 of 2.4 outputs, about the middle */
    ops_expect(
        &g,
        ops_run(&g, CVK_OP_Resize, IN(line, none, scale),
                ATTRS(ATTR_STRING("mode", "linear"),
                      ATTR_STRING("coordinate_transformation_mode", "half_pixel_symmetric"))),
        1e-6, 2.0 / 3, 7.0 / 3);
    ops_refuse(&g, CVK_OP_Resize, IN(x, none, none, sizes), ATTRS(ATTR_INTS("axes", 3, 3)),
               CVK_BAD_MODEL, "axis 3 comes twice");
    ops_refuse(&g, CVK_OP_Resize, IN(x, none, none, sizes), ATTRS(ATTR_INTS("axes", 3)), CVK_SHAPE,
               "sizes has 2 entries for a tensor of rank 1");
    ops_refuse(&g, CVK_OP_Resize, IN(x, none, none, sizes),
               ATTRS(ATTR_STRING("keep_aspect_ratio_policy", "wide")), CVK_UNSUPPORTED,
               "keep_aspect_ratio_policy 'wide' of Resize is not supported");
    ops_graph_drop(&g);
}

/* Reduce is made by schedule, with everything in its parameters. */
static void reduce_internal(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = counting(&g, DIMS(2, 3));
    cvk_node *node = ops_node(&g, CVK_OP_Reduce, IN(x), 1, NO_ATTRS);
    *(cvk_reduce_params *)node->params =
        (cvk_reduce_params){.kind = CVK_REDUCE_MEAN, .n_axes = 1, .axes = {1}};
    ops_compute(&g, node);
    ops_expect(&g, node->out[0], 0, 1, 4);
    ops_graph_drop(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cast_cases),       cmocka_unit_test(quantize_cases),
        cmocka_unit_test(reduce_cases),     cmocka_unit_test(reduce_kinds),
        cmocka_unit_test(reduce_nothing),   cmocka_unit_test(arg_max_cases),
        cmocka_unit_test(resize_by_scales), cmocka_unit_test(resize_of_a_region),
        cmocka_unit_test(resize_of_a_line), cmocka_unit_test(resize_by_sizes),
        cmocka_unit_test(upsample_cases),   cmocka_unit_test(resize_since_18),
        cmocka_unit_test(reduce_internal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
