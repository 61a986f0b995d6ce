/* SPDX-License-Identifier: Apache-2.0
 *
 * Operators that make tensors from a few numbers, repeat them, and gather or scatter by index:
 * small cases with exact results, unknown shapes, and the sentences of refusals.
 */
#include <math.h>
#include <string.h>

#include "ops_values.h"

#define matrix(g, rows, columns, ...)                                                              \
    ops_constant(g, CVK_I64, DIMS(rows, columns), (int64_t[]){__VA_ARGS__})

/* The reference alone, with indices that inference has not seen, must refuse them. */
static void refuse_at_run(ops_graph *g, cvk_op_kind op, const int *in, int n_in, int hidden,
                          const char *sentence)
{
    cvk_view views[3], out;
    float data[64];
    cvk_value *value = &g->graph->values[in[hidden]];
    const void *kept = value->data;
    value->data = NULL;
    cvk_node *node = ops_node(g, op, in, n_in, 1, NO_ATTRS);
    assert_int_equal(cvk_node_infer(g->graph, node), CVK_OK);
    g->graph->values[in[hidden]].data = kept;
    for (int i = 0; i < n_in; i++) views[i] = cvk_graph_view(g->graph, in[i]);
    out = cvk_graph_view(g->graph, node->out[0]);
    assert_in_range(cvk_view_bytes(&out), 0, sizeof data);
    out.data = data;
    assert_int_equal(cvk_node_reference(node, views, &out), CVK_BAD_INPUT);
    assert_non_null(strstr(cvk_last_error(), sentence));
}

static void tiles(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = counting(&g, DIMS(2, 2));
    int tiled = ops_run(&g, CVK_OP_Tile, IN(x, ints(&g, 2, 2)), NO_ATTRS);
    ops_expect_shape(&g, tiled, DIMS(4, 4));
    ops_expect(&g, tiled, 0, 0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3);
    int small = bytes(&g, CVK_U8, 7, 9);
    ops_expect(&g, ops_run(&g, CVK_OP_Tile, IN(small, ints(&g, 3)), NO_ATTRS), 0, 7, 9, 7, 9, 7, 9);
    ops_expect_shape(&g, ops_run(&g, CVK_OP_Tile, IN(x, ints(&g, 0, 5)), NO_ATTRS), DIMS(0, 10));
    /* Five repeated dimensions are more than a walk has. */
    int deep = counting(&g, DIMS(2, 2, 2, 2, 2));
    cvk_view all = cvk_graph_view(
        g.graph, ops_run(&g, CVK_OP_Tile, IN(deep, ints(&g, 2, 2, 2, 2, 2)), NO_ATTRS));
    assert_int_equal(cvk_view_count(&all), 1024);
    for (int i = 0; i < 1024; i++) {
        int from = 0;
        for (int d = 0, left = i, bit = 1; d < 5; d++, left /= 4, bit *= 2) from += left % 2 * bit;
        assert_int_equal((int)cvk_view_get(&all, i), from);
    }
    int list = ops_input(&g, CVK_I64, DIMS(2));
    ops_expect_shape(&g, ops_infer(&g, CVK_OP_Tile, IN(x, list), NO_ATTRS), DIMS(-1, -1));
    ops_refuse(&g, CVK_OP_Tile, IN(x, ints(&g, 2)), NO_ATTRS, CVK_SHAPE,
               "repeats has 1 elements for a tensor of rank 2");
    ops_refuse(&g, CVK_OP_Tile, IN(x, ints(&g, 1, -1)), NO_ATTRS, CVK_SHAPE,
               "repeats lists -1 at place 1");
    ops_refuse(&g, CVK_OP_Tile, IN(x, ints(&g, 1, INT64_MAX)), NO_ATTRS, CVK_SHAPE,
               "dimension 1 overflows when it is repeated");
    ops_refuse(&g, CVK_OP_Tile, IN(x, x), NO_ATTRS, CVK_BAD_MODEL,
               "repeats are float32, expected int64");
    ops_graph_drop(&g);
}

static void ranges(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int64_t numbers[] = {10, 4, -2, 0, INT64_MIN, INT64_MAX};
    int v[6];
    for (int i = 0; i < 6; i++) v[i] = ops_constant(&g, CVK_I64, SCALAR, &numbers[i]);
    ops_expect(&g, ops_run(&g, CVK_OP_Range, IN(v[0], v[1], v[2]), NO_ATTRS), 0, 10, 8, 6);
    ops_expect_shape(&g, ops_run(&g, CVK_OP_Range, IN(v[1], v[0], v[2]), NO_ATTRS), DIMS(0));
    int start = ops_floats(&g, SCALAR, 1), limit = ops_floats(&g, DIMS(1), 2.5f),
        delta = ops_floats(&g, SCALAR, 0.5f), zero = ops_floats(&g, SCALAR, 0);
    ops_expect(&g, ops_run(&g, CVK_OP_Range, IN(start, limit, delta), NO_ATTRS), 0, 1, 1.5, 2);
    int computed = ops_input(&g, CVK_F32, SCALAR);
    ops_expect_shape(&g, ops_infer(&g, CVK_OP_Range, IN(start, computed, delta), NO_ATTRS),
                     DIMS(-1));
    ops_refuse(&g, CVK_OP_Range, IN(start, limit, zero), NO_ATTRS, CVK_BAD_MODEL, "delta is 0");
    ops_refuse(&g, CVK_OP_Range, IN(v[0], v[1], v[3]), NO_ATTRS, CVK_BAD_MODEL, "delta is 0");
    ops_refuse(&g, CVK_OP_Range, IN(v[4], v[5], v[0]), NO_ATTRS, CVK_SHAPE,
               "start and limit are too far apart");
    ops_refuse(&g, CVK_OP_Range, IN(v[3], v[5], v[0]), NO_ATTRS, CVK_SHAPE,
               "9.22337e+17 numbers, at most 2147483647");
    ops_refuse(&g, CVK_OP_Range, IN(start, ops_floats(&g, SCALAR, NAN), delta), NO_ATTRS, CVK_SHAPE,
               "nan numbers, at most 2147483647");
    ops_refuse(&g, CVK_OP_Range, IN(start, ops_floats(&g, DIMS(2), 1, 2), delta), NO_ATTRS,
               CVK_SHAPE, "limit has shape 2, one element is expected");
    ops_graph_drop(&g);
}

static void made_from_shapes(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(14);
    int x = counting(&g, DIMS(2, 3));
    int size = ops_run(&g, CVK_OP_Size, IN(x), NO_ATTRS);
    ops_expect_shape(&g, size, SCALAR);
    ops_expect(&g, size, 0, 6);
    expect_dtype(&g, size, CVK_I64);
    ops_expect(&g, ops_run(&g, CVK_OP_EyeLike, IN(x), ATTRS(ATTR_INT("k", 1))), 0, 0, 1, 0, 0, 0,
               1);
    int eye = ops_run(&g, CVK_OP_EyeLike, IN(x), ATTRS(ATTR_INT("k", -1), ATTR_INT("dtype", 6)));
    ops_expect(&g, eye, 0, 0, 0, 0, 1, 0, 0);
    expect_dtype(&g, eye, CVK_I32);
    ops_expect(&g, ops_run(&g, CVK_OP_EyeLike, IN(x), ATTRS(ATTR_INT("k", INT64_MAX))), 0, 0, 0, 0,
               0, 0, 0);
    ops_refuse(&g, CVK_OP_EyeLike, IN(counting(&g, DIMS(3))), NO_ATTRS, CVK_SHAPE,
               "input has shape 3, a matrix is expected");
    ops_refuse(&g, CVK_OP_EyeLike, IN(x), ATTRS(ATTR_INT("dtype", 8)), CVK_UNSUPPORTED,
               "attribute dtype is 8, a number type is expected");

    int m = counting(&g, DIMS(1, 2, 3)), k = ops_constant(&g, CVK_I64, SCALAR, (int64_t[]){-1});
    ops_expect(&g, ops_run(&g, CVK_OP_Trilu, IN(m), NO_ATTRS), 0, 0, 1, 2, 0, 4, 5);
    ops_expect(&g, ops_run(&g, CVK_OP_Trilu, IN(m, k), ATTRS(ATTR_INT("upper", 0))), 0, 0, 0, 0, 3,
               0, 0);
    int least = ops_constant(&g, CVK_I64, SCALAR, (int64_t[]){INT64_MIN});
    ops_expect(&g, ops_run(&g, CVK_OP_Trilu, IN(m, least), NO_ATTRS), 0, 0, 1, 2, 3, 4, 5);
    ops_refuse(&g, CVK_OP_Trilu, IN(counting(&g, DIMS(3))), NO_ATTRS, CVK_SHAPE,
               "input has shape 3, matrices are expected");
    ops_refuse(&g, CVK_OP_Trilu, IN(m, ints(&g, 1, 2)), NO_ATTRS, CVK_SHAPE,
               "k has shape 2, one element is expected");
    ops_graph_drop(&g);
}

static void one_hots(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int depth = ops_constant(&g, CVK_I64, SCALAR, (int64_t[]){3}),
        real = ops_floats(&g, DIMS(1), 3);
    int values = ops_floats(&g, DIMS(2), 2, 5), indices = ints(&g, 1, -1, 3);
    ops_expect(&g, ops_run(&g, CVK_OP_OneHot, IN(indices, depth, values), NO_ATTRS), 0, 2, 5, 2, 2,
               2, 5, 2, 2, 2);
    ops_expect(&g,
               ops_run(&g, CVK_OP_OneHot, IN(indices, real, values), ATTRS(ATTR_INT("axis", 0))), 0,
               2, 2, 2, 5, 2, 2, 2, 5, 2);
    ops_expect_shape(
        &g,
        ops_infer(&g, CVK_OP_OneHot, IN(indices, ops_input(&g, CVK_I64, SCALAR), values), NO_ATTRS),
        DIMS(3, -1));
    ops_refuse(&g, CVK_OP_OneHot, IN(indices, ints(&g, -2), values), NO_ATTRS, CVK_SHAPE,
               "depth is -2");
    ops_refuse(&g, CVK_OP_OneHot, IN(indices, ints(&g, 1, 2), values), NO_ATTRS, CVK_SHAPE,
               "depth has shape 2, one element is expected");
    ops_refuse(&g, CVK_OP_OneHot, IN(indices, depth, indices), NO_ATTRS, CVK_SHAPE,
               "values has shape 3, 2 elements are expected");
    ops_refuse(&g, CVK_OP_OneHot, IN(indices, depth, values), ATTRS(ATTR_INT("axis", 2)), CVK_SHAPE,
               "axis 2 is outside a tensor of rank 2");
    ops_graph_drop(&g);
}

static void gathers_elements(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = counting(&g, DIMS(3, 3)), some = matrix(&g, 2, 2, 1, -3, 2, 0);
    ops_expect(&g, ops_run(&g, CVK_OP_GatherElements, IN(x, some), NO_ATTRS), 0, 3, 1, 6, 1);
    ops_expect(&g, ops_run(&g, CVK_OP_GatherElements, IN(x, some), ATTRS(ATTR_INT("axis", -1))), 0,
               1, 0, 5, 3);
    int many = matrix(&g, 1, 5, 0, 1, 2, -1, -2);
    ops_expect(&g, ops_run(&g, CVK_OP_GatherElements, IN(x, many), ATTRS(ATTR_INT("axis", 1))), 0,
               0, 1, 2, 2, 1);
    ops_refuse(&g, CVK_OP_GatherElements, IN(x, many), NO_ATTRS, CVK_SHAPE,
               "indices are 1x5 and do not fit data of 3x3 besides axis 0");
    ops_refuse(&g, CVK_OP_GatherElements, IN(x, ints(&g, 1)), NO_ATTRS, CVK_SHAPE,
               "indices are 1 and do not fit data of 3x3 besides axis 0");
    int wrong = matrix(&g, 1, 2, 0, 3);
    ops_refuse(&g, CVK_OP_GatherElements, IN(x, wrong), NO_ATTRS, CVK_BAD_MODEL,
               "index 3 at place 1 is outside a dimension of 3");
    ops_refuse(&g, CVK_OP_GatherElements, IN(x, x), NO_ATTRS, CVK_BAD_MODEL,
               "indices are float32, expected int32 or int64");
    refuse_at_run(&g, CVK_OP_GatherElements, IN(x, wrong), 1,
                  "index 3 at place 1 is outside a dimension of 3");
    ops_graph_drop(&g);
}

static void gathers_slices(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = counting(&g, DIMS(2, 2, 2));
    ops_expect(&g, ops_run(&g, CVK_OP_GatherND, IN(x, matrix(&g, 2, 2, 0, 1, -1, 0)), NO_ATTRS), 0,
               2, 3, 4, 5);
    ops_expect(&g, ops_run(&g, CVK_OP_GatherND, IN(x, ints(&g, 1, 0, -1)), NO_ATTRS), 0, 5);
    int batched = ops_run(&g, CVK_OP_GatherND, IN(x, matrix(&g, 2, 1, 1, 0)),
                          ATTRS(ATTR_INT("batch_dims", 1)));
    ops_expect_shape(&g, batched, DIMS(2, 2));
    ops_expect(&g, batched, 0, 2, 3, 4, 5);
    ops_refuse(&g, CVK_OP_GatherND, IN(x, ints(&g, 0, 0, 0, 0)), NO_ATTRS, CVK_SHAPE,
               "indices of 4 do not point into data of 2x2x2 behind 0 common dimensions");
    ops_refuse(&g, CVK_OP_GatherND, IN(x, matrix(&g, 1, 1, 0)), ATTRS(ATTR_INT("batch_dims", 1)),
               CVK_SHAPE,
               "indices of 1x1 do not point into data of 2x2x2 behind 1 common dimensions");
    ops_refuse(&g, CVK_OP_GatherND, IN(x, ints(&g, 0)), ATTRS(ATTR_INT("batch_dims", 1)),
               CVK_BAD_MODEL,
               "batch_dims is 1, less than the rank of data and indices is expected");
    int wrong = matrix(&g, 1, 2, 1, -3);
    ops_refuse(&g, CVK_OP_GatherND, IN(x, wrong), NO_ATTRS, CVK_BAD_MODEL,
               "index -3 at place 1 is outside a dimension of 2");
    refuse_at_run(&g, CVK_OP_GatherND, IN(x, wrong), 1,
                  "index -3 at place 1 is outside a dimension of 2");
    ops_graph_drop(&g);
}

static void scatters_elements(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(18);
    int x = counting(&g, DIMS(2, 3)), at = matrix(&g, 1, 3, 1, 0, 1),
        updates = ops_floats(&g, DIMS(1, 3), 10, 20, 30);
    ops_expect(&g, ops_run(&g, CVK_OP_ScatterElements, IN(x, at, updates), NO_ATTRS), 0, 0, 20, 2,
               10, 4, 30);
    ops_expect(&g, ops_run(&g, CVK_OP_Scatter, IN(x, at, updates), ATTRS(ATTR_INT("axis", -2))), 0,
               0, 20, 2, 10, 4, 30);
    int same = matrix(&g, 1, 3, -1, 2, 2);
    const struct {
        const char *kind;
        double expected;
    } cases[] = {
        {"none", 3}, {"add", 2 + 1 - 4 + 3}, {"mul", 2 * 1 * -4 * 3}, {"max", 3}, {"min", -4}};
    int three = ops_floats(&g, DIMS(1, 3), 1, -4, 3);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ops_expect(&g,
                   ops_run(&g, CVK_OP_ScatterElements, IN(x, same, three),
                           ATTRS(ATTR_INT("axis", 1), ATTR_STRING("reduction", cases[i].kind))),
                   0, 0, 1, cases[i].expected, 3, 4, 5);
    int64_t large[] = {INT64_MAX - 1}, one[] = {1};
    int exact = ops_run(&g, CVK_OP_ScatterElements,
                        IN(ops_constant(&g, CVK_I64, DIMS(1), large), ints(&g, 0),
                           ops_constant(&g, CVK_I64, DIMS(1), one)),
                        ATTRS(ATTR_STRING("reduction", "add")));
    assert_true(((const int64_t *)g.graph->values[exact].data)[0] == INT64_MAX);
    ops_refuse(&g, CVK_OP_ScatterElements, IN(x, at, updates),
               ATTRS(ATTR_STRING("reduction", "mean")), CVK_BAD_MODEL,
               "attribute reduction is 'mean'");
    ops_refuse(&g, CVK_OP_ScatterElements, IN(x, at, ops_floats(&g, DIMS(3), 1, 2, 3)), NO_ATTRS,
               CVK_SHAPE, "indices are 1x3, updates are 3, one shape is expected");
    ops_refuse(&g, CVK_OP_ScatterElements, IN(x, at, at), NO_ATTRS, CVK_BAD_MODEL,
               "data are float32, updates are int64, one type is expected");
    int wrong = matrix(&g, 1, 3, 0, 2, 0);
    ops_refuse(&g, CVK_OP_ScatterElements, IN(x, wrong, updates), NO_ATTRS, CVK_BAD_MODEL,
               "index 2 at place 1 is outside a dimension of 2");
    refuse_at_run(&g, CVK_OP_ScatterElements, IN(x, wrong, updates), 1,
                  "index 2 at place 1 is outside a dimension of 2");
    ops_graph_drop(&g);
}

static void scatters_slices(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(18);
    int x = counting(&g, DIMS(3, 2)), rows = matrix(&g, 2, 1, 2, -3),
        updates = ops_floats(&g, DIMS(2, 2), 10, 20, 30, 40);
    ops_expect(&g, ops_run(&g, CVK_OP_ScatterND, IN(x, rows, updates), NO_ATTRS), 0, 30, 40, 2, 3,
               10, 20);
    ops_expect(
        &g,
        ops_run(&g, CVK_OP_ScatterND, IN(x, rows, updates), ATTRS(ATTR_STRING("reduction", "add"))),
        0, 30, 41, 2, 3, 14, 25);
    ops_expect(&g,
               ops_run(&g, CVK_OP_ScatterND,
                       IN(x, matrix(&g, 2, 2, 0, 0, 0, 0), ops_floats(&g, DIMS(2), -1, -2)),
                       ATTRS(ATTR_STRING("reduction", "min"))),
               0, -2, 1, 2, 3, 4, 5);
    ops_refuse(&g, CVK_OP_ScatterND, IN(x, rows, x), NO_ATTRS, CVK_SHAPE,
               "updates are 3x2, expected 2x2");
    ops_refuse(&g, CVK_OP_ScatterND,
               IN(bytes(&g, CVK_BOOL, 1, 0), matrix(&g, 1, 1, 0), bytes(&g, CVK_BOOL, 1)),
               ATTRS(ATTR_STRING("reduction", "add")), CVK_UNSUPPORTED,
               "data has type bool, a number is expected");
    int wrong = matrix(&g, 2, 1, 0, 3);
    ops_refuse(&g, CVK_OP_ScatterND, IN(x, wrong, updates), NO_ATTRS, CVK_BAD_MODEL,
               "index 3 at place 1 is outside a dimension of 3");
    refuse_at_run(&g, CVK_OP_ScatterND, IN(x, wrong, updates), 1,
                  "index 3 at place 1 is outside a dimension of 3");
    ops_graph_drop(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles),
        cmocka_unit_test(ranges),
        cmocka_unit_test(made_from_shapes),
        cmocka_unit_test(one_hots),
        cmocka_unit_test(gathers_elements),
        cmocka_unit_test(gathers_slices),
        cmocka_unit_test(scatters_elements),
        cmocka_unit_test(scatters_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
