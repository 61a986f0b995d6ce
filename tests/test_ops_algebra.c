/* SPDX-License-Identifier: Apache-2.0
 *
 * Einsum, Det, Col2Im, AffineGrid and CenterCropPad: small cases with exact results, what an Einsum
 * is lowered to, and the sentences of refusals.
 */
#include <math.h>
#include <string.h>

#include "ops_values.h"
#include "schedule/passes.h"

#define EQUATION(text) ATTRS(ATTR_STRING("equation", text))

static void einsum_of_one(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = counting(&g, DIMS(2, 3)), square = counting(&g, DIMS(2, 2, 2));
    ops_expect(&g, ops_run(&g, CVK_OP_Einsum, IN(x), EQUATION("ij->ji")), 0, 0, 3, 1, 4, 2, 5);
    ops_expect(&g, ops_run(&g, CVK_OP_Einsum, IN(x), EQUATION("ba")), 0, 0, 3, 1, 4, 2, 5);
    ops_expect(&g, ops_run(&g, CVK_OP_Einsum, IN(x), EQUATION("ij->i")), 0, 3, 12);
    int total = ops_run(&g, CVK_OP_Einsum, IN(x), EQUATION(" i j -> "));
    ops_expect_shape(&g, total, SCALAR);
    ops_expect(&g, total, 0, 15);
    ops_expect(&g, ops_run(&g, CVK_OP_Einsum, IN(square), EQUATION("...ii->...i")), 0, 0, 3, 4, 7);
    ops_expect(&g, ops_run(&g, CVK_OP_Einsum, IN(square), EQUATION("...ii")), 0, 3, 11);
    ops_expect(&g, ops_run(&g, CVK_OP_Einsum, IN(square), EQUATION("i...->...i")), 0, 0, 4, 1, 5, 2,
               6, 3, 7);
    ops_graph_drop(&g);
}

static void einsum_of_several(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int a = counting(&g, DIMS(2, 3)), b = counting(&g, DIMS(3, 2)), v = counting(&g, DIMS(3));
    ops_expect(&g, ops_run(&g, CVK_OP_Einsum, IN(a, b), EQUATION("ij,jk->ik")), 0, 10, 13, 28, 40);
    ops_expect(&g, ops_run(&g, CVK_OP_Einsum, IN(a, b), EQUATION("ij,jk")), 0, 10, 13, 28, 40);
    ops_expect(&g, ops_run(&g, CVK_OP_Einsum, IN(v, v), EQUATION("i,i")), 0, 5);
    ops_expect(&g, ops_run(&g, CVK_OP_Einsum, IN(v, v), EQUATION("i,j->ij")), 0, 0, 0, 0, 0, 1, 2,
               0, 2, 4);
    ops_expect(&g, ops_run(&g, CVK_OP_Einsum, IN(a, b, a), EQUATION("ij,jk,il->l")), 0, 204, 295,
               386);
    /* The ellipsis broadcasts; integers stay exact. */
    int one = ints(&g, 2),
        two = ops_constant(&g, CVK_I64, DIMS(2, 1), (int64_t[]){INT64_MAX / 2, 5});
    int wide = ops_run(&g, CVK_OP_Einsum, IN(one, two), EQUATION("...,...->..."));
    ops_expect_shape(&g, wide, DIMS(2, 1));
    assert_true(((const int64_t *)g.graph->values[wide].data)[0] == INT64_MAX - 1);
    int free = ops_input(&g, CVK_F32, DIMS(-1, 3));
    ops_expect_shape(&g, ops_infer(&g, CVK_OP_Einsum, IN(free, b), EQUATION("ij,jk->ik")),
                     DIMS(-1, 2));
    ops_graph_drop(&g);
}

static void einsum_refused(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int a = counting(&g, DIMS(2, 3)), v = counting(&g, DIMS(4));
    const struct {
        const char *equation, *sentence;
        cvk_status status;
    } cases[] = {
        {"ij,jk->ik", "the equation has more terms than the 1 inputs", CVK_BAD_MODEL},
        {"ij->ik", "no input has the output's label 'k'", CVK_BAD_MODEL},
        {"ij->ii", "the output has label 'i' twice", CVK_BAD_MODEL},
        {"i->i", "input 0 has rank 2, the equation gives it 1 labels", CVK_SHAPE},
        {"ij.->i", "the equation cannot be read at '.->i'", CVK_BAD_MODEL},
        {"i1->i", "the equation cannot be read at '1->i'", CVK_BAD_MODEL},
        {"ij->i,j", "the equation goes on behind its output", CVK_BAD_MODEL},
        {"abcdefghijk", "the equation cannot be read at 'ijk'", CVK_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ops_refuse(&g, CVK_OP_Einsum, IN(a), EQUATION(cases[i].equation), cases[i].status,
                   cases[i].sentence);
    ops_refuse(&g, CVK_OP_Einsum, IN(a, v), EQUATION("ij,j->i"), CVK_SHAPE,
               "dimension 0 of input 1 is 4, its label stands for 3");
    ops_refuse(&g, CVK_OP_Einsum, IN(a, v), EQUATION("ij"), CVK_BAD_MODEL,
               "the equation has fewer terms than the 2 inputs");
    ops_refuse(&g, CVK_OP_Einsum, IN(a), NO_ATTRS, CVK_BAD_MODEL, "attribute equation is missing");
    ops_graph_drop(&g);
}

/* The operators that an equation over inputs of these shapes becomes, in order. */
static void expect_lowered(const char *equation, cvk_shape first, cvk_shape second,
                           const cvk_op_kind *kinds, int count)
{
    ops_graph g = ops_graph_make(13);
    int in[2] = {ops_input(&g, CVK_F32, first), ops_input(&g, CVK_F32, second)};
    assert_int_equal(cvk_graph_add_input(g.graph, in[0]), CVK_OK);
    assert_int_equal(cvk_graph_add_input(g.graph, in[1]), CVK_OK);
    int out = ops_infer(&g, CVK_OP_Einsum, in, 2, EQUATION(equation));
    assert_int_equal(cvk_graph_add_output(g.graph, out), CVK_OK);
    if (cvk_pass_lower(g.graph)) fail_msg("%s", cvk_last_error());
    assert_int_equal(g.graph->n_nodes, count);
    for (int i = 0; i < count; i++)
        assert_string_equal(cvk_op_kind_name(g.graph->nodes[i].op), cvk_op_kind_name(kinds[i]));
    ops_graph_drop(&g);
}

static void einsum_lowered(void **state)
{
    (void)state;
    const cvk_op_kind product[] = {CVK_OP_Reshape, CVK_OP_Reshape, CVK_OP_MatMul, CVK_OP_Reshape},
                      moved[] = {CVK_OP_Reshape, CVK_OP_Copy, CVK_OP_MatMul, CVK_OP_Copy},
                      kept[] = {CVK_OP_Einsum};
    const cvk_op_kind *plain = product + 2;
    expect_lowered("bij,bjk->bik", DIMS(2, 3, 4), DIMS(2, 4, 5), plain, 1);
    expect_lowered("bhid,bhdj->bhij", DIMS(2, 3, 4, 5), DIMS(2, 3, 5, 6), product, 4);
    expect_lowered("ij,kj->ki", DIMS(3, 4), DIMS(5, 4), moved + 1, 3);
    expect_lowered("ij,jk->i", DIMS(3, 4), DIMS(4, 5), kept, 1);
    expect_lowered("...ij,...jk->...ik", DIMS(2, 3, 4), DIMS(1, 4, 5), kept, 1);
}

static void determinants(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_floats(&g, DIMS(3, 2, 2), 1, 2, 3, 4, 0, 1, 1, 0, 2, 4, 1, 2);
    ops_expect(&g, ops_run(&g, CVK_OP_Det, IN(x), NO_ATTRS), 1e-12, -2, -1, 0);
    int three = ops_floats(&g, DIMS(3, 3), 2, 0, 1, 1, 3, 2, 1, 1, 4);
    int det = ops_run(&g, CVK_OP_Det, IN(three), NO_ATTRS);
    ops_expect_shape(&g, det, SCALAR);
    ops_expect(&g, det, 1e-6, 18);
    ops_refuse(&g, CVK_OP_Det, IN(counting(&g, DIMS(2, 3))), NO_ATTRS, CVK_SHAPE,
               "input has shape 2x3, square matrices are expected");
    ops_graph_drop(&g);
}

static void columns_to_images(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(18);
    /* Two by two blocks of a three by three image: the middle belongs to all four. */
    int x = ops_floats(&g, DIMS(1, 4, 4), 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4);
    int image = ops_run(&g, CVK_OP_Col2Im, IN(x, ints(&g, 3, 3), ints(&g, 2, 2)), NO_ATTRS);
    ops_expect_shape(&g, image, DIMS(1, 1, 3, 3));
    ops_expect(&g, image, 0, 1, 3, 2, 4, 10, 6, 3, 7, 4);
    int wide = ops_run(&g, CVK_OP_Col2Im, IN(x, ints(&g, 4, 2), ints(&g, 2, 1)),
                       ATTRS(ATTR_INTS("strides", 2, 1)));
    ops_expect_shape(&g, wide, DIMS(1, 2, 4, 2));
    ops_expect(&g, wide, 0, 1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4);
    int padded = ops_run(&g, CVK_OP_Col2Im, IN(x, ints(&g, 1, 1), ints(&g, 2, 2)),
                         ATTRS(ATTR_INTS("pads", 1, 1, 1, 1)));
    ops_expect(&g, padded, 0, 10);
    int list = ops_input(&g, CVK_I64, DIMS(2));
    ops_expect_shape(&g, ops_infer(&g, CVK_OP_Col2Im, IN(x, list, list), NO_ATTRS),
                     DIMS(-1, -1, -1, -1));
    ops_refuse(&g, CVK_OP_Col2Im, IN(x, ints(&g, 3, 4), ints(&g, 2, 2)), NO_ATTRS, CVK_SHAPE,
               "input has shape 1x4x4, expected 6 columns of a multiple of 4");
    ops_refuse(&g, CVK_OP_Col2Im, IN(x, ints(&g, 3, 3), ints(&g, 2)), NO_ATTRS, CVK_SHAPE,
               "image_shape has 2 elements, block_shape 1, the attributes 2");
    ops_refuse(&g, CVK_OP_Col2Im, IN(x, ints(&g, 3, 1), ints(&g, 2, 2)), NO_ATTRS, CVK_SHAPE,
               "no block of 2 fits into dimension 1 of the image, 1");
    ops_refuse(&g, CVK_OP_Col2Im, IN(x, ints(&g, 3, 3), ints(&g, 2, 0)), NO_ATTRS, CVK_SHAPE,
               "image_shape or block_shape lists 3 and 0 at place 1");
    ops_graph_drop(&g);
}

static void affine_grids(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(20);
    int theta = ops_floats(&g, DIMS(1, 2, 3), 1, 0, 0.5f, 0, 2, 0), size = ints(&g, 1, 1, 2, 2);
    int grid = ops_run(&g, CVK_OP_AffineGrid, IN(theta, size), NO_ATTRS);
    ops_expect_shape(&g, grid, DIMS(1, 2, 2, 2));
    ops_expect(&g, grid, 1e-6, 0, -1, 1, -1, 0, 1, 1, 1);
    ops_expect(&g,
               ops_run(&g, CVK_OP_AffineGrid, IN(theta, size), ATTRS(ATTR_INT("align_corners", 1))),
               1e-6, -0.5, -2, 1.5, -2, -0.5, 2, 1.5, 2);
    int solid = ops_floats(&g, DIMS(1, 3, 4), 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0);
    int volume = ops_run(&g, CVK_OP_AffineGrid, IN(solid, ints(&g, 1, 1, 2, 1, 1)), NO_ATTRS);
    ops_expect_shape(&g, volume, DIMS(1, 2, 1, 1, 3));
    ops_expect(&g, volume, 1e-6, 0, 0, -0.5, 0, 0, 0.5);
    ops_refuse(&g, CVK_OP_AffineGrid, IN(theta, ints(&g, 1, 2, 2)), NO_ATTRS, CVK_SHAPE,
               "size has 3 elements, expected 4 or 5");
    ops_refuse(&g, CVK_OP_AffineGrid, IN(solid, size), NO_ATTRS, CVK_SHAPE,
               "theta has shape 1x3x4, expected 1x2x3");
    ops_refuse(&g, CVK_OP_AffineGrid, IN(theta, ints(&g, 1, 1, 0, 2)), NO_ATTRS, CVK_SHAPE,
               "size lists 0 at place 2");
    ops_graph_drop(&g);
}

static void centred_crops_and_pads(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(18);
    int x = counting(&g, DIMS(2, 4));
    int both = ops_run(&g, CVK_OP_CenterCropPad, IN(x, ints(&g, 3, 1)), NO_ATTRS);
    ops_expect_shape(&g, both, DIMS(3, 1));
    ops_expect(&g, both, 0, 1, 5, 0);
    ops_expect(&g,
               ops_run(&g, CVK_OP_CenterCropPad, IN(x, ints(&g, 7)), ATTRS(ATTR_INTS("axes", -1))),
               0, 0, 0, 1, 2, 3, 0, 0, 0, 4, 5, 6, 7, 0, 0);
    ops_refuse(&g, CVK_OP_CenterCropPad, IN(x, ints(&g, 7)), NO_ATTRS, CVK_SHAPE,
               "shape has 1 elements, 2 are expected");
    ops_refuse(&g, CVK_OP_CenterCropPad, IN(x, ints(&g, 1, -7)), NO_ATTRS, CVK_SHAPE,
               "shape lists -7 at place 1");
    ops_refuse(&g, CVK_OP_CenterCropPad, IN(x, ints(&g, 1, 1)), ATTRS(ATTR_INTS("axes", 1, -1)),
               CVK_BAD_MODEL, "axis 1 comes twice in axes");
    ops_graph_drop(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(einsum_of_one),  cmocka_unit_test(einsum_of_several),
        cmocka_unit_test(einsum_refused), cmocka_unit_test(einsum_lowered),
        cmocka_unit_test(determinants),   cmocka_unit_test(columns_to_images),
        cmocka_unit_test(affine_grids),   cmocka_unit_test(centred_crops_and_pads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
