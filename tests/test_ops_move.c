/* SPDX-License-Identifier: Apache-2.0
 *
 * Operators that move, pick or hold elements: small cases with exact results, the forms of
 * different operator sets, unknown shapes, and the sentences of refusals.
 */
#include <stdlib.h>

#include "ops_values.h"

static void reshape_cases(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = counting(&g, DIMS(2, 3, 4));
    ops_expect_shape(&g, ops_run(&g, CVK_OP_Reshape, IN(x, ints(&g, 0, -1)), NO_ATTRS),
                     DIMS(2, 12));
    ops_expect_shape(&g, ops_run(&g, CVK_OP_Reshape, IN(x, ints(&g, 4, 6)), NO_ATTRS), DIMS(4, 6));
    ops_expect_shape(&g, ops_run(&g, CVK_OP_Reshape, IN(x, ints(&g, -1)), NO_ATTRS), DIMS(24));
    int empty = ops_constant(&g, CVK_F32, DIMS(0, 3), "");
    ops_expect_shape(
        &g, ops_run(&g, CVK_OP_Reshape, IN(empty, ints(&g, 7, 0)), ATTRS(ATTR_INT("allowzero", 1))),
        DIMS(7, 0));
    /* Free dimensions: what is copied cancels, so that -1 is known. */
    int batch = ops_input(&g, CVK_F32, DIMS(-1, 3, 4)), any = ops_input(&g, CVK_F32, UNRANKED);
    ops_expect_shape(&g, ops_infer(&g, CVK_OP_Reshape, IN(batch, ints(&g, 0, -1)), NO_ATTRS),
                     DIMS(-1, 12));
    ops_expect_shape(&g, ops_infer(&g, CVK_OP_Reshape, IN(batch, ints(&g, -1, 12)), NO_ATTRS),
                     DIMS(-1, 12));
    ops_expect_shape(&g, ops_infer(&g, CVK_OP_Reshape, IN(any, ints(&g, 5, -1)), NO_ATTRS),
                     DIMS(5, -1));
    int list = ops_input(&g, CVK_I64, DIMS(3)), longer = ops_input(&g, CVK_I64, DIMS(-1));
    ops_expect_shape(&g, ops_infer(&g, CVK_OP_Reshape, IN(x, list), NO_ATTRS), DIMS(-1, -1, -1));
    ops_expect_shape(&g, ops_infer(&g, CVK_OP_Reshape, IN(x, longer), NO_ATTRS), UNRANKED);
    ops_refuse(&g, CVK_OP_Reshape, IN(x, ints(&g, 5, 5)), NO_ATTRS, CVK_SHAPE,
               "an input of 2x3x4 does not fit the shape wanted, 24 elements against 25");
    ops_refuse(&g, CVK_OP_Reshape, IN(x, ints(&g, -1, 5)), NO_ATTRS, CVK_SHAPE,
               "an input of 2x3x4 cannot be divided over the shape wanted: 24 elements by 5");
    ops_refuse(&g, CVK_OP_Reshape, IN(x, ints(&g, -1, -1)), NO_ATTRS, CVK_BAD_MODEL,
               "shape lists -1 at place 1; at most one -1 is allowed");
    ops_refuse(&g, CVK_OP_Reshape, IN(x, ints(&g, 1, 1, 1, 0)), NO_ATTRS, CVK_SHAPE,
               "shape keeps dim 3 of an input of rank 3");
    ops_graph_drop(&g);
}

static void flatten_and_dropout(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = counting(&g, DIMS(2, 3, 4));
    ops_expect_shape(&g, ops_run(&g, CVK_OP_Flatten, IN(x), NO_ATTRS), DIMS(2, 12));
    ops_expect_shape(&g, ops_run(&g, CVK_OP_Flatten, IN(x), ATTRS(ATTR_INT("axis", 3))),
                     DIMS(24, 1));
    ops_expect_shape(&g, ops_run(&g, CVK_OP_Flatten, IN(x), ATTRS(ATTR_INT("axis", -1))),
                     DIMS(6, 4));
    ops_expect_shape(&g,
                     ops_infer(&g, CVK_OP_Flatten, IN(ops_input(&g, CVK_F32, UNRANKED)), NO_ATTRS),
                     DIMS(-1, -1));
    ops_refuse(&g, CVK_OP_Flatten, IN(x), ATTRS(ATTR_INT("axis", 4)), CVK_BAD_MODEL,
               "axis 4 is outside a tensor of rank 3");

    int ratio = ops_floats(&g, SCALAR, 0.5f),
        yes = ops_constant(&g, CVK_BOOL, SCALAR, (unsigned char[]){1});
    cvk_node *node = ops_node(&g, CVK_OP_Dropout, IN(counting(&g, DIMS(3)), ratio), 2, NO_ATTRS);
    ops_compute(&g, node);
    ops_expect(&g, node->out[0], 0, 0, 1, 2);
    ops_expect(&g, node->out[1], 0, 1, 1, 1);
    expect_dtype(&g, node->out[1], CVK_BOOL);
    ops_refuse(&g, CVK_OP_Dropout, IN(x, ratio, yes), NO_ATTRS, CVK_UNSUPPORTED,
               "training_mode is true: Dropout is done for inference only");
    ops_graph_drop(&g);
}

static void squeeze_and_unsqueeze(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(11);
    int x = counting(&g, DIMS(1, 3, 1, 2));
    ops_expect_shape(&g, ops_run(&g, CVK_OP_Squeeze, IN(x), NO_ATTRS), DIMS(3, 2));
    ops_expect_shape(&g, ops_run(&g, CVK_OP_Squeeze, IN(x), ATTRS(ATTR_INTS("axes", -2))),
                     DIMS(1, 3, 2));
    ops_expect_shape(&g, ops_run(&g, CVK_OP_Squeeze, IN(x, ints(&g, 0, 2)), NO_ATTRS), DIMS(3, 2));
    ops_expect_shape(&g, ops_run(&g, CVK_OP_Unsqueeze, IN(x), ATTRS(ATTR_INTS("axes", 4, 0))),
                     DIMS(1, 1, 3, 1, 1, 2));
    ops_expect_shape(&g, ops_run(&g, CVK_OP_Unsqueeze, IN(x, ints(&g, -1)), NO_ATTRS),
                     DIMS(1, 3, 1, 2, 1));
    int free = ops_input(&g, CVK_F32, DIMS(-1, 3, 1)), axes = ops_input(&g, CVK_I64, DIMS(2));
    ops_expect_shape(&g, ops_infer(&g, CVK_OP_Squeeze, IN(free), NO_ATTRS), UNRANKED);
    ops_expect_shape(&g, ops_infer(&g, CVK_OP_Squeeze, IN(free), ATTRS(ATTR_INTS("axes", 2))),
                     DIMS(-1, 3));
    ops_expect_shape(&g, ops_infer(&g, CVK_OP_Squeeze, IN(free, axes), NO_ATTRS), DIMS(-1));
    ops_expect_shape(&g, ops_infer(&g, CVK_OP_Unsqueeze, IN(free, axes), NO_ATTRS),
                     DIMS(-1, -1, -1, -1, -1));
    ops_refuse(&g, CVK_OP_Squeeze, IN(x), ATTRS(ATTR_INTS("axes", 1)), CVK_SHAPE,
               "axis 1 is 3 and cannot be dropped, only 1 can");
    ops_refuse(&g, CVK_OP_Unsqueeze, IN(x), ATTRS(ATTR_INTS("axes", 1, -5)), CVK_BAD_MODEL,
               "axis -5 comes twice in axes");
    ops_refuse(&g, CVK_OP_Unsqueeze, IN(x), ATTRS(ATTR_INTS("axes", 5)), CVK_BAD_MODEL,
               "axis 5 is outside a tensor of rank 5");
    ops_refuse(&g, CVK_OP_Unsqueeze, IN(x), NO_ATTRS, CVK_BAD_MODEL, "axes is missing");
    ops_refuse(&g, CVK_OP_Unsqueeze, IN(x), ATTRS(ATTR_INTS("axes", 0, 1, 2, 3, 4)),
               CVK_UNSUPPORTED, "the output has rank 9, more than 8");
    ops_graph_drop(&g);
}

static void transpose_cases(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = counting(&g, DIMS(2, 3)), y = counting(&g, DIMS(2, 1, 2, 2));
    ops_expect(&g, ops_run(&g, CVK_OP_Transpose, IN(x), NO_ATTRS), 0, 0, 3, 1, 4, 2, 5);
    int nhwc = ops_run(&g, CVK_OP_Transpose, IN(y), ATTRS(ATTR_INTS("perm", 1, 3, 0, 2)));
    ops_expect_shape(&g, nhwc, DIMS(1, 2, 2, 2));
    ops_expect(&g, nhwc, 0, 0, 2, 4, 6, 1, 3, 5, 7);
    int small = ops_constant(&g, CVK_I8, DIMS(2, 2), (signed char[]){1, 2, -3, 4});
    ops_expect(&g, ops_run(&g, CVK_OP_Transpose, IN(small), NO_ATTRS), 0, 1, -3, 2, 4);
    int unknown = ops_input(&g, CVK_F32, UNRANKED);
    ops_expect_shape(&g,
                     ops_infer(&g, CVK_OP_Transpose, IN(unknown), ATTRS(ATTR_INTS("perm", 1, 0))),
                     DIMS(-1, -1));
    ops_refuse(&g, CVK_OP_Transpose, IN(x), ATTRS(ATTR_INTS("perm", 0, 0)), CVK_BAD_MODEL,
               "perm is no permutation: entry 1 is 0");
    ops_refuse(&g, CVK_OP_Transpose, IN(x), ATTRS(ATTR_INTS("perm", 0, 1, 2)), CVK_BAD_MODEL,
               "perm has 3 entries for a tensor of rank 2");
    ops_graph_drop(&g);
}

/* More than a tile in both directions, and every element size. */
static void transposed_in_tiles(void **state)
{
    (void)state;
    static const int64_t perms[][4] = {{0, 1, 3, 2}, {0, 2, 3, 1}, {3, 2, 1, 0},
                                       {1, 3, 0, 2}, {2, 0, 1, 3}, {0, 3, 1, 2}};
    static const cvk_dtype types[] = {CVK_U8, CVK_I16, CVK_F32, CVK_I64};
    const int64_t dims[] = {3, 35, 5, 37};
    enum { COUNT = 3 * 35 * 5 * 37 };
    ops_graph g = ops_graph_make(13);
    int64_t *data = calloc(COUNT, sizeof *data);
    assert_non_null(data);
    for (size_t k = 0; k < sizeof perms / sizeof *perms * 4; k++) {
        const int64_t *perm = perms[k / 4];
        cvk_view src = {.dtype = types[k % 4], .shape = cvk_shape_make(4, dims), .data = data};
        for (int64_t i = 0; i < COUNT; i++) cvk_view_set(&src, i, (double)(i % 251));
        cvk_attr attr = {.name = "perm", .kind = CVK_ATTR_INTS, .count = 4, .ints = perm};
        int x = ops_constant(&g, src.dtype, src.shape, data);
        cvk_view dst = cvk_graph_view(g.graph, ops_run(&g, CVK_OP_Transpose, IN(x), &attr, 1));
        int64_t strides[4], at[4] = {0}, wrong = 0;
        cvk_shape_strides(&src.shape, strides);
        for (int64_t i = 0; i < COUNT; i++) {
            int64_t from = 0;
            for (int d = 0; d < 4; d++) from += at[d] * strides[perm[d]];
            wrong += cvk_view_get(&dst, i) != (double)(from % 251);
            for (int d = 3; d >= 0 && ++at[d] == dst.shape.dims[d]; d--) at[d] = 0;
        }
        assert_int_equal(wrong, 0);
    }
    free(data);
    ops_graph_drop(&g);
}

static void concat_and_split(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int a = counting(&g, DIMS(2, 1)), b = counting(&g, DIMS(2, 2)),
        none = ops_constant(&g, CVK_F32, DIMS(2, 0), "");
    int joined = ops_run(&g, CVK_OP_Concat, IN(a, b, none), ATTRS(ATTR_INT("axis", -1)));
    ops_expect(&g, joined, 0, 0, 0, 1, 1, 2, 3);
    ops_expect_shape(&g, joined, DIMS(2, 3));
    int free = ops_input(&g, CVK_F32, DIMS(-1, 5));
    ops_expect_shape(&g, ops_infer(&g, CVK_OP_Concat, IN(free, b), ATTRS(ATTR_INT("axis", 1))),
                     DIMS(2, 7));
    ops_refuse(&g, CVK_OP_Concat, IN(a, b), ATTRS(ATTR_INT("axis", 0)), CVK_SHAPE,
               "input 1 is 2x2 and does not fit 2x1 besides axis 0");
    ops_refuse(&g, CVK_OP_Concat, IN(a, b), NO_ATTRS, CVK_BAD_MODEL, "attribute axis is missing");

    int x = counting(&g, DIMS(2, 4));
    cvk_node *node =
        ops_node(&g, CVK_OP_Split, IN(x, ints(&g, 1, 3)), 2, ATTRS(ATTR_INT("axis", 1)));
    ops_compute(&g, node);
    ops_expect(&g, node->out[0], 0, 0, 4);
    ops_expect(&g, node->out[1], 0, 1, 2, 3, 5, 6, 7);
    node = ops_node(&g, CVK_OP_Split, IN(x), 2, ATTRS(ATTR_INT("axis", -1)));
    ops_compute(&g, node);
    ops_expect(&g, node->out[1], 0, 2, 3, 6, 7);
    ops_refuse(&g, CVK_OP_Split, IN(x, ints(&g, 1)), NO_ATTRS, CVK_SHAPE,
               "the sizes of split add up to 1, axis 0 has 2");
    node = ops_node(&g, CVK_OP_Split, IN(x), 3, ATTRS(ATTR_INT("axis", 1)));
    assert_int_equal(cvk_node_infer(g.graph, node), CVK_SHAPE);
    assert_string_equal(
        cvk_last_error(),
        "node 'n' (Split): axis 1 has 4 elements, which do not divide into 3 equal parts");
    ops_graph_drop(&g);
}

static void split_attribute_before_13(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(11);
    cvk_node *node =
        ops_node(&g, CVK_OP_Split, IN(counting(&g, DIMS(5))), 2, ATTRS(ATTR_INTS("split", 2, 3)));
    ops_compute(&g, node);
    ops_expect(&g, node->out[0], 0, 0, 1);
    ops_expect(&g, node->out[1], 0, 2, 3, 4);
    ops_graph_drop(&g);
}

static void slice_by_inputs(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = counting(&g, DIMS(3, 4));
    int all = ints(&g, INT64_MAX), least = ints(&g, INT64_MIN);
    ops_expect(&g, ops_run(&g, CVK_OP_Slice, IN(x, ints(&g, 1, 1), ints(&g, 3, -1)), NO_ATTRS), 0,
               5, 6, 9, 10);
    ops_expect(
        &g,
        ops_run(&g, CVK_OP_Slice, IN(x, ints(&g, -1), least, ints(&g, 1), ints(&g, -2)), NO_ATTRS),
        0, 3, 1, 7, 5, 11, 9);
    ops_expect(
        &g, ops_run(&g, CVK_OP_Slice, IN(x, ints(&g, 1), all, ints(&g, -1), ints(&g, 2)), NO_ATTRS),
        0, 1, 3, 5, 7, 9, 11);
    ops_expect(&g,
               ops_run(&g, CVK_OP_Slice, IN(x, ints(&g, 100), least, ints(&g, 0), least), NO_ATTRS),
               0, 8, 9, 10, 11);
    ops_expect_shape(&g, ops_run(&g, CVK_OP_Slice, IN(x, ints(&g, 2), ints(&g, 1)), NO_ATTRS),
                     DIMS(0, 4));
    int empty = ops_constant(&g, CVK_F32, DIMS(0, 4), "");
    ops_expect_shape(&g,
                     ops_run(&g, CVK_OP_Slice,
                             IN(empty, ints(&g, 5), least, ints(&g, 0), ints(&g, -1)), NO_ATTRS),
                     DIMS(0, 4));
    int free = ops_input(&g, CVK_F32, DIMS(-1, 4)), computed = ops_input(&g, CVK_I64, DIMS(1));
    ops_expect_shape(
        &g, ops_infer(&g, CVK_OP_Slice, IN(free, ints(&g, 0, 1), ints(&g, 2, 3)), NO_ATTRS),
        DIMS(-1, 2));
    ops_expect_shape(&g, ops_infer(&g, CVK_OP_Slice, IN(x, computed, computed), NO_ATTRS),
                     DIMS(-1, -1));
    ops_refuse(&g, CVK_OP_Slice, IN(x, ints(&g, 0), all, ints(&g, 0), ints(&g, 0)), NO_ATTRS,
               CVK_BAD_MODEL, "the step along axis 0 is 0");
    ops_refuse(&g, CVK_OP_Slice, IN(x, ints(&g, 0, 0), all), NO_ATTRS, CVK_BAD_MODEL,
               "ends has 1 entries, starts has 2");
    ops_graph_drop(&g);
}

static void slice_by_attributes(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(9);
    int x = counting(&g, DIMS(2, 4));
    ops_expect(&g,
               ops_run(&g, CVK_OP_Slice, IN(x),
                       ATTRS(ATTR_INTS("starts", -3), ATTR_INTS("ends", 3), ATTR_INTS("axes", 1))),
               0, 1, 2, 5, 6);
    ops_refuse(&g, CVK_OP_Slice, IN(x), ATTRS(ATTR_INTS("starts", 1)), CVK_BAD_MODEL,
               "attributes starts and ends are missing");
    ops_graph_drop(&g);
}

static void gather_cases(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = counting(&g, DIMS(2, 3));
    int picked = ops_run(&g, CVK_OP_Gather, IN(x, ints(&g, 2, -3)), ATTRS(ATTR_INT("axis", 1)));
    ops_expect(&g, picked, 0, 2, 0, 5, 3);
    int scalar = ops_constant(&g, CVK_I32, SCALAR, (int32_t[]){-1});
    int row = ops_run(&g, CVK_OP_Gather, IN(x, scalar), NO_ATTRS);
    ops_expect_shape(&g, row, DIMS(3));
    ops_expect(&g, row, 0, 3, 4, 5);
    int table = ops_constant(&g, CVK_I64, DIMS(2, 2), (int64_t[]){0, 1, 1, 0});
    ops_expect_shape(&g, ops_run(&g, CVK_OP_Gather, IN(x, table), NO_ATTRS), DIMS(2, 2, 3));
    ops_refuse(&g, CVK_OP_Gather, IN(x, ints(&g, 0, 2)), NO_ATTRS, CVK_BAD_MODEL,
               "index 2 at place 1 is outside a dimension of 2");
    ops_refuse(&g, CVK_OP_Gather, IN(x, x), NO_ATTRS, CVK_BAD_MODEL,
               "indices are float32, expected int32 or int64");

    cvk_node *node =
        ops_node(&g, CVK_OP_Gather, IN(x, ops_input(&g, CVK_I64, DIMS(1))), 1, NO_ATTRS);
    assert_int_equal(cvk_node_infer(g.graph, node), CVK_OK);
    float row_data[3];
    cvk_view in[2] = {cvk_graph_view(g.graph, x),
                      {.dtype = CVK_I64, .shape = DIMS(1), .data = (int64_t[]){-3}}};
    cvk_view out = {.dtype = CVK_F32, .shape = DIMS(1, 3), .data = row_data};
    assert_int_equal(cvk_node_reference(node, in, &out), CVK_BAD_INPUT);
    ops_graph_drop(&g);
}

static void expand_and_blocks(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = counting(&g, DIMS(2, 1));
    int wide = ops_run(&g, CVK_OP_Expand, IN(x, ints(&g, 2, 1, 3)), NO_ATTRS);
    ops_expect_shape(&g, wide, DIMS(2, 2, 3));
    ops_expect(&g, wide, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1);
    ops_expect_shape(&g,
                     ops_infer(&g, CVK_OP_Expand, IN(x, ops_input(&g, CVK_I64, DIMS(3))), NO_ATTRS),
                     DIMS(-1, -1, -1));
    ops_refuse(&g, CVK_OP_Expand, IN(x, ints(&g, 3, 4)), NO_ATTRS, CVK_SHAPE,
               "an input of 2x1 does not expand to 3x4");

    int deep = counting(&g, DIMS(1, 8, 1, 1));
    int dcr = ops_run(&g, CVK_OP_DepthToSpace, IN(deep), ATTRS(ATTR_INT("blocksize", 2)));
    ops_expect_shape(&g, dcr, DIMS(1, 2, 2, 2));
    ops_expect(&g, dcr, 0, 0, 2, 4, 6, 1, 3, 5, 7);
    ops_expect(&g,
               ops_run(&g, CVK_OP_DepthToSpace, IN(deep),
                       ATTRS(ATTR_INT("blocksize", 2), ATTR_STRING("mode", "CRD"))),
               0, 0, 1, 2, 3, 4, 5, 6, 7);
    ops_expect(&g, ops_run(&g, CVK_OP_SpaceToDepth, IN(dcr), ATTRS(ATTR_INT("blocksize", 2))), 0, 0,
               1, 2, 3, 4, 5, 6, 7);
    ops_refuse(&g, CVK_OP_DepthToSpace, IN(deep), ATTRS(ATTR_INT("blocksize", 3)), CVK_SHAPE,
               "8 channels do not divide into blocks of 3 x 3");
    ops_graph_drop(&g);
}

static void pad_modes(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = counting(&g, DIMS(3)), value = ops_floats(&g, SCALAR, 9);
    ops_expect(&g, ops_run(&g, CVK_OP_Pad, IN(x, ints(&g, 1, 2), value), NO_ATTRS), 0, 9, 0, 1, 2,
               9, 9);
    ops_expect(&g, ops_run(&g, CVK_OP_Pad, IN(x, ints(&g, -1, 1)), NO_ATTRS), 0, 1, 2, 0);
    ops_expect(
        &g, ops_run(&g, CVK_OP_Pad, IN(x, ints(&g, 2, 1)), ATTRS(ATTR_STRING("mode", "reflect"))),
        0, 2, 1, 0, 1, 2, 1);
    ops_expect(&g,
               ops_run(&g, CVK_OP_Pad, IN(x, ints(&g, 1, 3)), ATTRS(ATTR_STRING("mode", "edge"))),
               0, 0, 0, 1, 2, 2, 2, 2);
    int longs = ints(&g, 5), fill = ops_constant(&g, CVK_I64, SCALAR, (int64_t[]){-7});
    ops_expect(&g, ops_run(&g, CVK_OP_Pad, IN(longs, ints(&g, 1, 0), fill), NO_ATTRS), 0, -7, 5);
    ops_expect_shape(
        &g, ops_infer(&g, CVK_OP_Pad, IN(x, ops_input(&g, CVK_I64, DIMS(2))), NO_ATTRS), DIMS(-1));
    ops_refuse(&g, CVK_OP_Pad, IN(x, ints(&g, 3, 0)), ATTRS(ATTR_STRING("mode", "reflect")),
               CVK_SHAPE, "dimension 0 of 3 is too short to mirror 3 and 0 elements");
    ops_refuse(&g, CVK_OP_Pad, IN(x, ints(&g, -2, -2)), NO_ATTRS, CVK_SHAPE,
               "dimension 0 of 3 cannot be padded by -2 and -2");
    ops_refuse(&g, CVK_OP_Pad, IN(x, ints(&g, 1, 1, 1, 1)), NO_ATTRS, CVK_BAD_MODEL,
               "pads has 4 entries for a tensor of rank 1");
    ops_refuse(&g, CVK_OP_Pad, IN(x, ints(&g, 1, 1)), ATTRS(ATTR_STRING("mode", "wrap")),
               CVK_UNSUPPORTED, "mode 'wrap' of Pad is not supported");
    ops_graph_drop(&g);

    g = ops_graph_make(10);
    x = counting(&g, DIMS(1, 2));
    ops_expect(&g,
               ops_run(&g, CVK_OP_Pad, IN(x),
                       ATTRS(ATTR_INTS("pads", 0, 1, 1, 0), ATTR_FLOAT("value", 0.5f))),
               0, 0.5, 0, 1, 0.5, 0.5, 0.5);
    ops_graph_drop(&g);
}

static void constants_and_shapes(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(15);
    cvk_tensor pair = {.dtype = CVK_I32, .rank = 1, .dims = {2}, .data = (int32_t[]){3, -4}};
    cvk_tensor one = {.dtype = CVK_I64, .rank = 1, .dims = {1}, .data = (int64_t[]){6}};
    ops_expect(&g, ops_run(&g, CVK_OP_Constant, NULL, 0, ATTRS(ATTR_TENSOR("value", &pair))), 0, 3,
               -4);
    int number = ops_run(&g, CVK_OP_Constant, NULL, 0, ATTRS(ATTR_FLOAT("value_float", 2.5f)));
    ops_expect(&g, number, 0, 2.5);
    ops_expect_shape(&g, number, SCALAR);
    int list = ops_run(&g, CVK_OP_Constant, NULL, 0, ATTRS(ATTR_INTS("value_ints", 1, 2)));
    ops_expect_shape(&g, list, DIMS(2));
    expect_dtype(&g, list, CVK_I64);
    ops_refuse(&g, CVK_OP_Constant, NULL, 0, ATTRS(ATTR_STRING("value_string", "a")),
               CVK_UNSUPPORTED, "attribute value_string of Constant is not supported");
    ops_refuse(&g, CVK_OP_Constant, NULL, 0, NO_ATTRS, CVK_BAD_MODEL, "Constant has no value");

    ops_expect(&g, ops_run(&g, CVK_OP_ConstantOfShape, IN(list), ATTRS(ATTR_TENSOR("value", &one))),
               0, 6, 6);
    ops_expect(&g, ops_run(&g, CVK_OP_ConstantOfShape, IN(ints(&g, 3)), NO_ATTRS), 0, 0, 0, 0);
    ops_refuse(&g, CVK_OP_ConstantOfShape, IN(ints(&g, 2, -1)), NO_ATTRS, CVK_SHAPE,
               "shape lists -1 at place 1");

    int x = counting(&g, DIMS(2, 3, 4));
    ops_expect(&g, ops_run(&g, CVK_OP_Shape, IN(x), NO_ATTRS), 0, 2, 3, 4);
    ops_expect(&g,
               ops_run(&g, CVK_OP_Shape, IN(x), ATTRS(ATTR_INT("start", -2), ATTR_INT("end", -1))),
               0, 3);
    ops_expect(&g,
               ops_run(&g, CVK_OP_Shape, IN(x), ATTRS(ATTR_INT("start", 1), ATTR_INT("end", 100))),
               0, 3, 4);
    ops_graph_drop(&g);
}

/* Copy is made by schedule, with everything in its parameters. */
static void copy_case(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = counting(&g, DIMS(2, 3));
    cvk_node *node = ops_node(&g, CVK_OP_Copy, IN(x), 1, NO_ATTRS);
    *(cvk_copy_params *)node->params =
        (cvk_copy_params){.n = 2, .dims = {2, 2}, .strides = {-3, 2}, .offset = 3};
    float made[4];
    cvk_view in = cvk_graph_view(g.graph, x),
             out = {.dtype = CVK_F32, .shape = DIMS(4), .data = made};
    assert_int_equal(cvk_node_reference(node, &in, &out), CVK_OK);
    const float wanted[] = {3, 5, 0, 2};
    assert_memory_equal(made, wanted, sizeof wanted);
    ops_graph_drop(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reshape_cases),
        cmocka_unit_test(flatten_and_dropout),
        cmocka_unit_test(squeeze_and_unsqueeze),
        cmocka_unit_test(transpose_cases),
        cmocka_unit_test(transposed_in_tiles),
        cmocka_unit_test(concat_and_split),
        cmocka_unit_test(split_attribute_before_13),
        cmocka_unit_test(slice_by_inputs),
        cmocka_unit_test(slice_by_attributes),
        cmocka_unit_test(gather_cases),
        cmocka_unit_test(expand_and_blocks),
        cmocka_unit_test(pad_modes),
        cmocka_unit_test(constants_and_shapes),
        cmocka_unit_test(copy_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
