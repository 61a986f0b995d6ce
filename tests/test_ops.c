/* SPDX-License-Identifier: Apache-2.0
 *
 * The room src/ops as a whole: the table, the worked examples on the references, shapes, costs,
 * what is refused and how it is said, unknown shapes, differences between operator sets, and fused
 * nodes. Values of single operators are in test_ops_values.c.
 */
#include <string.h>

#include "ops_graph.h"
#include "worked_examples.h"

static void table_is_complete(void **state)
{
    (void)state;
    cvk_op_kind kind;
    for (int i = 0; i < CVK_OP_COUNT; i++) {
        const cvk_op *op = cvk_op_get((cvk_op_kind)i);
        assert_string_equal(op->name, cvk_op_kind_name((cvk_op_kind)i));
        assert_non_null(op->infer);
        assert_non_null(op->reference);
        assert_int_equal(cvk_op_find(op->name, &kind), !op->internal);
        if (!op->internal) assert_int_equal(kind, i);
    }
    assert_false(cvk_op_find("conv", &kind));
    assert_false(cvk_op_find("Pool", &kind));
}

/* ---- worked examples ------------------------------------------------------------------------ */

static cvk_op_kind find_op(const char *name)
{
    cvk_op_kind kind = CVK_OP_COUNT;
    assert_true(cvk_op_find(name, &kind));
    return kind;
}

static void run_worked_example(const worked_example *e)
{
    ops_graph g = ops_graph_make(13);
    bool conv = strcmp(e->op, "Conv") == 0;
    int in[2] = {ops_constant(&g, CVK_F32, DIMS(1, 1, e->h, e->w), e->input)};
    in[1] = ops_constant(&g, CVK_F32, DIMS(1, 1, e->kh, e->kw), e->kernel);
    int out = ops_run(&g, find_op(e->op), in, conv ? 2 : 1,
                      ATTRS(ATTR_INTS("kernel_shape", e->kh, e->kw),
                            ATTR_INTS("strides", e->stride, e->stride),
                            ATTR_INTS("pads", e->pad, e->pad, e->pad, e->pad)));
    ops_expect_shape(&g, out, DIMS(1, 1, e->oh, e->ow));
    assert_memory_equal(g.graph->values[out].data, e->expected,
                        (size_t)(e->oh * e->ow) * sizeof(float));
    ops_graph_drop(&g);
}

static void worked_examples_are_exact(void **state)
{
    (void)state;
    for (int i = 0; i < WORKED_EXAMPLES; i++) {
        print_message("    %s\n", worked_examples[i].name);
        run_worked_example(&worked_examples[i]);
    }
}

/* A transposed convolution turns the kernel: it is the mathematical convolution. */
static void flipped_kernel_is_mathematical_convolution(void **state)
{
    (void)state;
    for (int i = 0; i < WORKED_KERNEL; i++)
        assert_true(worked_kernel_flipped[i] == worked_kernel[WORKED_KERNEL - 1 - i]);
    ops_graph g = ops_graph_make(13);
    const worked_example *e = &worked_examples[0];
    int x = ops_constant(&g, CVK_F32, DIMS(1, 1, e->h, e->w), e->input);
    int k = ops_constant(&g, CVK_F32, DIMS(1, 1, 3, 3), worked_kernel);
    int flipped = ops_constant(&g, CVK_F32, DIMS(1, 1, 3, 3), worked_kernel_flipped);
    int a = ops_run(&g, CVK_OP_Conv, IN(x, flipped), NO_ATTRS);
    int b = ops_run(&g, CVK_OP_ConvTranspose, IN(x, k), ATTRS(ATTR_INTS("pads", 2, 2, 2, 2)));
    ops_expect_shape(&g, b, DIMS(1, 1, 4, 4));
    assert_memory_equal(g.graph->values[a].data, g.graph->values[b].data, 16 * sizeof(float));
    ops_graph_drop(&g);
}

static void named_kernels_on_a_constant_picture(void **state)
{
    (void)state;
    float ones[25], weights[WORKED_KERNEL];
    for (int i = 0; i < 25; i++) ones[i] = 1;
    for (int i = 0; i < NAMED_KERNELS; i++) {
        ops_graph g = ops_graph_make(13);
        const named_kernel *kernel = &named_kernels[i];
        for (int k = 0; k < WORKED_KERNEL; k++) weights[k] = kernel->weights[k] / kernel->divisor;
        int x = ops_constant(&g, CVK_F32, DIMS(1, 1, 5, 5), ones);
        int w = ops_constant(&g, CVK_F32, DIMS(1, 1, 3, 3), weights);
        int y = ops_run(&g, CVK_OP_Conv, IN(x, w), NO_ATTRS);
        double s = (double)kernel->sum;
        ops_expect(&g, y, 0, s, s, s, s, s, s, s, s, s);
        ops_graph_drop(&g);
    }
}

/* ---- shapes and costs ----------------------------------------------------------------------- */

static void shapes_of_convolutions(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int rgb = ops_input(&g, CVK_F32, DIMS(1, 3, 6, 6)),
        grey = ops_input(&g, CVK_F32, DIMS(1, 1, 6, 6));
    int two = ops_input(&g, CVK_F32, DIMS(2, 3, 3, 3)),
        one = ops_input(&g, CVK_F32, DIMS(1, 1, 3, 3));
    ops_expect_shape(&g, ops_infer(&g, CVK_OP_Conv, IN(rgb, two), NO_ATTRS), DIMS(1, 2, 4, 4));
    int y = ops_infer(&g, CVK_OP_Conv, IN(grey, one),
                      ATTRS(ATTR_INTS("pads", 2, 2, 2, 2), ATTR_INTS("strides", 2, 2)));
    ops_expect_shape(&g, y, DIMS(1, 1, 4, 4));
    y = ops_infer(&g, CVK_OP_Conv, IN(grey, one), ATTRS(ATTR_STRING("auto_pad", "SAME_LOWER")));
    ops_expect_shape(&g, y, DIMS(1, 1, 6, 6));
    y = ops_infer(&g, CVK_OP_Conv, IN(grey, one), ATTRS(ATTR_INTS("dilations", 2, 1)));
    ops_expect_shape(&g, y, DIMS(1, 1, 2, 4));
    int line = ops_input(&g, CVK_F32, DIMS(5, 4, 100)),
        taps = ops_input(&g, CVK_F32, DIMS(8, 2, 7));
    y = ops_infer(&g, CVK_OP_Conv, IN(line, taps),
                  ATTRS(ATTR_INT("group", 2), ATTR_INTS("pads", 3, 0)));
    ops_expect_shape(&g, y, DIMS(5, 8, 97));
    ops_graph_drop(&g);
}

static int64_t elements(const ops_graph *g, int id)
{
    return cvk_shape_count(&g->graph->values[id].shape);
}

static void parameters_of_ten_filters(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int w = ops_input(&g, CVK_F32, DIMS(10, 3, 3, 3)), b = ops_input(&g, CVK_F32, DIMS(10));
    assert_int_equal(elements(&g, w) + elements(&g, b), 280);
    ops_graph_drop(&g);
}

/* One layer of the lectures' network; checks its shape and how many parameters it has. */
static int lecture_layer(ops_graph *g, cvk_op_kind op, int x, cvk_shape wgt, int64_t bias,
                         const cvk_attr *attrs, int n_attrs, cvk_shape expected, int64_t parameters)
{
    int w = wgt.rank ? ops_input(g, CVK_F32, wgt) : -1,
        b = wgt.rank ? ops_input(g, CVK_F32, DIMS(bias)) : -1;
    int y = ops_infer(g, op, (int[]){x, w, b}, wgt.rank ? 3 : 1, attrs, n_attrs);
    ops_expect_shape(g, y, expected);
    assert_int_equal(wgt.rank ? elements(g, w) + elements(g, b) : 0, parameters);
    return y;
}

static void network_of_the_lectures(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    cvk_attr pool[] = {ATTR_INTS("kernel_shape", 2, 2), ATTR_INTS("strides", 2, 2)};
    cvk_attr fc[] = {ATTR_INT("transB", 1)};
    int x = ops_input(&g, CVK_F32, DIMS(1, 3, 32, 32));
    x = lecture_layer(&g, CVK_OP_Conv, x, DIMS(8, 3, 5, 5), 8, NO_ATTRS, DIMS(1, 8, 28, 28), 608);
    x = lecture_layer(&g, CVK_OP_MaxPool, x, SCALAR, 0, pool, 2, DIMS(1, 8, 14, 14), 0);
    x = lecture_layer(&g, CVK_OP_Conv, x, DIMS(16, 8, 5, 5), 16, NO_ATTRS, DIMS(1, 16, 10, 10),
                      3216);
    x = lecture_layer(&g, CVK_OP_MaxPool, x, SCALAR, 0, pool, 2, DIMS(1, 16, 5, 5), 0);
    x = ops_infer(&g, CVK_OP_Flatten, IN(x), NO_ATTRS);
    x = lecture_layer(&g, CVK_OP_Gemm, x, DIMS(120, 400), 120, fc, 1, DIMS(1, 120), 48120);
    x = lecture_layer(&g, CVK_OP_Gemm, x, DIMS(84, 120), 84, fc, 1, DIMS(1, 84), 10164);
    x = lecture_layer(&g, CVK_OP_Gemm, x, DIMS(10, 84), 10, fc, 1, DIMS(1, 10), 850);
    ops_expect_shape(&g, ops_infer(&g, CVK_OP_Softmax, IN(x), NO_ATTRS), DIMS(1, 10));
    ops_graph_drop(&g);
}

static uint64_t conv_macs(ops_graph *g, int64_t batch, int64_t ic, int64_t oc, int64_t kernel)
{
    int x = ops_input(g, CVK_F32, DIMS(batch, ic, 28, 28)),
        w = ops_input(g, CVK_F32, DIMS(oc, ic, kernel, kernel));
    cvk_node *node =
        ops_node(g, CVK_OP_Conv, IN(x, w), 1, ATTRS(ATTR_STRING("auto_pad", "SAME_UPPER")));
    assert_int_equal(cvk_node_infer(g->graph, node), CVK_OK);
    return cvk_node_macs(g->graph, node);
}

static void multiplications_of_the_bottleneck(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    assert_int_equal(conv_macs(&g, 1, 192, 32, 5), 120422400);
    assert_int_equal(conv_macs(&g, 1, 192, 16, 1) + conv_macs(&g, 1, 16, 32, 5), 12443648);
    assert_int_equal(conv_macs(&g, -1, 192, 32, 5), 120422400);
    assert_int_equal(conv_macs(&g, 3, 192, 32, 5), 3 * 120422400);
    ops_graph_drop(&g);
}

static uint64_t macs_of(ops_graph *g, cvk_op_kind op, const int *in, int n_in,
                        const cvk_attr *attrs, int n_attrs)
{
    cvk_node *node = ops_node(g, op, in, n_in, 1, attrs, n_attrs);
    assert_int_equal(cvk_node_infer(g->graph, node), CVK_OK);
    return cvk_node_macs(g->graph, node);
}

static void multiplications_of_other_operators(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int a = ops_input(&g, CVK_F32, DIMS(4, 5)), b = ops_input(&g, CVK_F32, DIMS(4, 7));
    assert_int_equal(macs_of(&g, CVK_OP_Gemm, IN(a, b), ATTRS(ATTR_INT("transA", 1))), 4 * 5 * 7);
    int stack = ops_input(&g, CVK_F32, DIMS(3, 7, 4));
    assert_int_equal(macs_of(&g, CVK_OP_MatMul, IN(stack, a), NO_ATTRS), 3 * 7 * 4 * 5);
    int x = ops_input(&g, CVK_F32, DIMS(1, 4, 6, 6)), w = ops_input(&g, CVK_F32, DIMS(4, 3, 2, 2));
    assert_int_equal(macs_of(&g, CVK_OP_ConvTranspose, IN(x, w), ATTRS(ATTR_INT("group", 2))),
                     4 * 36 * 3 * 4);
    assert_int_equal(macs_of(&g, CVK_OP_Relu, IN(x), NO_ATTRS), 0);
    int wide = ops_input(&g, CVK_F32, DIMS(1, 4, 6, -1));
    assert_int_equal(macs_of(&g, CVK_OP_ConvTranspose, IN(wide, w), NO_ATTRS), 0);
    ops_graph_drop(&g);
}

/* ---- what is not known yet ------------------------------------------------------------------ */

static void unknown_dims_pass_through(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    cvk_attr same[] = {ATTR_STRING("auto_pad", "SAME_UPPER"), ATTR_INTS("strides", 2, 2)};
    int x = ops_input(&g, CVK_F32, DIMS(-1, 3, -1, 8)),
        w = ops_input(&g, CVK_F32, DIMS(4, 3, 3, 3));
    int y = ops_infer(&g, CVK_OP_Conv, IN(x, w), same, 2);
    ops_expect_shape(&g, y, DIMS(-1, 4, -1, 4));
    y = ops_infer(&g, CVK_OP_GlobalAveragePool, IN(y), NO_ATTRS);
    ops_expect_shape(&g, y, DIMS(-1, 4, 1, 1));
    int row = ops_input(&g, CVK_F32, DIMS(-1, 5)), scalar = ops_input(&g, CVK_F32, DIMS(4, 1));
    ops_expect_shape(&g, ops_infer(&g, CVK_OP_Add, IN(row, scalar), NO_ATTRS), DIMS(4, 5));
    int m = ops_input(&g, CVK_F32, DIMS(5, 6));
    ops_expect_shape(&g, ops_infer(&g, CVK_OP_MatMul, IN(row, m), NO_ATTRS), DIMS(-1, 6));
    ops_expect_shape(&g, ops_infer(&g, CVK_OP_Gemm, IN(row, m), NO_ATTRS), DIMS(-1, 6));
    ops_graph_drop(&g);
}

static void unknown_rank_and_type_pass_through(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_input(&g, CVK_F32, UNRANKED), w = ops_input(&g, CVK_F32, DIMS(4, 3, 3, 3));
    int untyped = ops_input(&g, CVK_NONE, UNRANKED);
    static const cvk_op_kind two[] = {CVK_OP_Conv, CVK_OP_ConvTranspose, CVK_OP_MatMul,
                                      CVK_OP_Add,  CVK_OP_PRelu,         CVK_OP_Pow};
    for (size_t i = 0; i < sizeof two / sizeof *two; i++) {
        int y = ops_infer(&g, two[i], IN(x, w), NO_ATTRS);
        assert_false(g.graph->values[y].has_shape);
        assert_int_equal(g.graph->values[y].dtype, CVK_F32);
        y = ops_infer(&g, two[i], IN(untyped, w), NO_ATTRS);
        assert_false(g.graph->values[y].has_shape);
        assert_int_equal(g.graph->values[y].dtype, CVK_NONE);
    }
    static const cvk_op_kind one[] = {CVK_OP_Relu, CVK_OP_Softmax, CVK_OP_GlobalMaxPool,
                                      CVK_OP_Clip};
    for (size_t i = 0; i < sizeof one / sizeof *one; i++)
        assert_false(g.graph->values[ops_infer(&g, one[i], IN(x), NO_ATTRS)].has_shape);
    int flat =
        ops_infer(&g, CVK_OP_Conv, IN(ops_input(&g, CVK_F32, DIMS(1, 3, 8, 8)), x), NO_ATTRS);
    ops_expect_shape(&g, flat, DIMS(1, -1, -1, -1));
    ops_graph_drop(&g);
}

static void inference_is_idempotent(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(11);
    cvk_attr same[] = {ATTR_STRING("auto_pad", "SAME_LOWER"), ATTR_INTS("strides", 2, 2)};
    cvk_attr shape[] = {ATTR_INTS("output_shape", 20, 9)}, axis[] = {ATTR_INT("axis", -2)};
    int x = ops_input(&g, CVK_F32, DIMS(1, 3, 8, 9)), w = ops_input(&g, CVK_F32, DIMS(3, 3, 3, 3));
    int one = ops_floats(&g, SCALAR, 1);
    cvk_node nodes[] = {
        *ops_node(&g, CVK_OP_Conv, IN(x, w), 1, same, 2),
        *ops_node(&g, CVK_OP_ConvTranspose, IN(x, w), 1, same, 2),
        *ops_node(&g, CVK_OP_ConvTranspose, IN(x, w), 1, shape, 1),
        *ops_node(&g, CVK_OP_Softmax, IN(x), 1, axis, 1),
        *ops_node(&g, CVK_OP_Clip, IN(x, one, one), 1, NO_ATTRS),
    };
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        unsigned char first[sizeof(cvk_conv_params)];
        assert_true(nodes[i].params_bytes <= sizeof first);
        assert_int_equal(cvk_node_infer(g.graph, &nodes[i]), CVK_OK);
        memcpy(first, nodes[i].params, nodes[i].params_bytes);
        cvk_shape before = g.graph->values[nodes[i].out[0]].shape;
        assert_int_equal(cvk_node_infer(g.graph, &nodes[i]), CVK_OK);
        assert_memory_equal(first, nodes[i].params, nodes[i].params_bytes);
        ops_expect_shape(&g, nodes[i].out[0], before);
    }
    ops_graph_drop(&g);
}

/* ---- operator sets -------------------------------------------------------------------------- */

static void softmax_before_and_after_13(void **state)
{
    (void)state;
    float zeros[8] = {0};
    ops_graph old = ops_graph_make(12), new = ops_graph_make(13);
    int a = ops_constant(&old, CVK_F32, DIMS(2, 2, 2), zeros),
        b = ops_constant(&new, CVK_F32, DIMS(2, 2, 2), zeros);
    int y = ops_run(&old, CVK_OP_Softmax, IN(a), NO_ATTRS);
    ops_expect(&old, y, 0, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25);
    y = ops_run(&new, CVK_OP_Softmax, IN(b), NO_ATTRS);
    ops_expect(&new, y, 0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5);
    y = ops_run(&new, CVK_OP_LogSoftmax, IN(b), ATTRS(ATTR_INT("axis", 0)));
    double l = -0.69314718055994530942;
    ops_expect(&new, y, 1e-7, l, l, l, l, l, l, l, l);
    y = ops_run(&old, CVK_OP_LogSoftmax, IN(a), ATTRS(ATTR_INT("axis", 0)));
    l *= 3;
    ops_expect(&old, y, 2e-7, l, l, l, l, l, l, l, l);
    ops_graph_drop(&old);
    ops_graph_drop(&new);
}

static void clip_before_and_after_11(void **state)
{
    (void)state;
    ops_graph old = ops_graph_make(10), new = ops_graph_make(11);
    cvk_attr bounds[] = {ATTR_FLOAT("min", -1), ATTR_FLOAT("max", 2)};
    int a = ops_floats(&old, DIMS(4), -3, -0.5, 1, 5),
        b = ops_floats(&new, DIMS(4), -3, -0.5, 1, 5);
    ops_expect(&old, ops_run(&old, CVK_OP_Clip, IN(a), bounds, 2), 0, -1, -0.5, 1, 2);
    ops_expect(&old, ops_run(&old, CVK_OP_Clip, IN(a), bounds, 1), 0, -1, -0.5, 1, 5);
    ops_expect(&old, ops_run(&old, CVK_OP_Clip, IN(a), NO_ATTRS), 0, -3, -0.5, 1, 5);
    int low = ops_floats(&new, SCALAR, -1), high = ops_floats(&new, DIMS(1), 2);
    ops_expect(&new, ops_run(&new, CVK_OP_Clip, IN(b, low, high), NO_ATTRS), 0, -1, -0.5, 1, 2);
    ops_expect(&new, ops_run(&new, CVK_OP_Clip, IN(b, -1, high), NO_ATTRS), 0, -3, -0.5, 1, 2);
    ops_refuse(&new, CVK_OP_Clip, IN(b), bounds, 2, CVK_UNSUPPORTED,
               "attribute 'min' is not known in operator set 11");
    cvk_node *node = ops_node(&new, CVK_OP_Clip, IN(b, low, high), 1, NO_ATTRS);
    assert_int_equal(cvk_node_infer(new.graph, node), CVK_OK);
    const cvk_act *act = &((const cvk_unary_params *)node->params)->act;
    assert_true(act->a == -1 && act->b == 2);
    ops_graph_drop(&old);
    ops_graph_drop(&new);
}

/* ---- fused nodes ---------------------------------------------------------------------------- */

static void add_post(cvk_node *node, cvk_post post)
{
    node->posts[node->n_posts++] = post;
}

static void compare(const ops_graph *g, int got, int expected)
{
    cvk_view want = cvk_graph_view(g->graph, expected);
    double values[256];
    int count = (int)cvk_view_count(&want);
    for (int i = 0; i < count; i++) values[i] = cvk_view_get(&want, i);
    ops_expect_shape(g, got, want.shape);
    ops_expect_values(g, got, values, count, 1e-5);
}

static void posts_follow_in_order(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    cvk_attr pad[] = {ATTR_INTS("pads", 1, 1, 1, 1)};
    cvk_attr pool[] = {ATTR_INTS("kernel_shape", 3, 3), ATTR_INTS("strides", 2, 2),
                       ATTR_INTS("pads", 1, 1, 1, 1)};
    int x = ops_pattern(&g, DIMS(2, 3, 6, 5)), w = ops_pattern(&g, DIMS(4, 3, 3, 3)),
        b = ops_pattern(&g, DIMS(4));
    int r = ops_pattern(&g, DIMS(2, 4, 6, 5)), s = ops_pattern(&g, DIMS(4, 1, 1)),
        sv = ops_pattern(&g, DIMS(4));
    int y = ops_run(&g, CVK_OP_Conv, IN(x, w, b), pad, 1);
    y = ops_run(&g, CVK_OP_PRelu, IN(y, s), NO_ATTRS);
    y = ops_run(&g, CVK_OP_Add, IN(y, r), NO_ATTRS);
    y = ops_run(&g, CVK_OP_Sigmoid, IN(y), NO_ATTRS);
    cvk_node *node = ops_node(&g, CVK_OP_MaxPool, IN(y), 1, pool, 3);
    cvk_pool_params window = *(const cvk_pool_params *)node->params;
    ops_compute(&g, node);
    int expected = node->out[0];

    node = ops_node(&g, CVK_OP_Conv, IN(x, w, b, sv, r), 1, pad, 1);
    add_post(node, (cvk_post){.kind = CVK_POST_PRELU, .input = 3});
    add_post(node, (cvk_post){.kind = CVK_POST_ADD, .input = 4});
    add_post(node, (cvk_post){.kind = CVK_POST_ACT, .act = {.kind = CVK_ACT_SIGMOID}});
    add_post(node, (cvk_post){.kind = CVK_POST_POOL, .pool = window});
    ops_compute(&g, node);
    compare(&g, node->out[0], expected);
    cvk_shape before = DIMS(2, 4, 6, 5);
    assert_true(cvk_shape_equal(&node->conv_shape, &before));
    assert_int_equal(cvk_node_macs(g.graph, node), 2 * 4 * 6 * 5 * 27);
    ops_graph_drop(&g);
}

static void residual_without_bias(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_pattern(&g, DIMS(1, 2, 4, 4)), w = ops_pattern(&g, DIMS(2, 2, 1, 1)),
        r = ops_pattern(&g, DIMS(1, 2, 4, 4));
    int y = ops_run(&g, CVK_OP_Conv, IN(x, w), NO_ATTRS);
    int expected = ops_run(&g, CVK_OP_Add, IN(y, r), NO_ATTRS);
    cvk_node *packed = ops_node(&g, CVK_OP_Conv, IN(x, w, r), 1, NO_ATTRS);
    add_post(packed, (cvk_post){.kind = CVK_POST_ADD, .input = 2});
    ops_compute(&g, packed);
    compare(&g, packed->out[0], expected);
    cvk_node *gap = ops_node(&g, CVK_OP_Conv, IN(x, w, -1, r), 1, NO_ATTRS);
    add_post(gap, (cvk_post){.kind = CVK_POST_ADD, .input = 3});
    ops_compute(&g, gap);
    compare(&g, gap->out[0], expected);
    ops_graph_drop(&g);
}

static void residual_that_does_not_fit(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int x = ops_pattern(&g, DIMS(1, 2, 4, 4)), r = ops_pattern(&g, DIMS(1, 2, 4, 3));
    float data[32];
    cvk_node *node = ops_node(&g, CVK_OP_Add, IN(x, x, r), 1, NO_ATTRS);
    add_post(node, (cvk_post){.kind = CVK_POST_ADD, .input = 2});
    assert_int_equal(cvk_node_infer(g.graph, node), CVK_OK);
    cvk_view in[3] = {cvk_graph_view(g.graph, x), cvk_graph_view(g.graph, x),
                      cvk_graph_view(g.graph, r)};
    cvk_view out = cvk_graph_view(g.graph, node->out[0]);
    out.data = data;
    assert_int_equal(cvk_node_reference(node, in, &out), CVK_SHAPE);
    assert_string_equal(cvk_last_error(),
                        "node 'n' (Add): residual has shape 1x2x4x3, the result has 1x2x4x4");
    ops_graph_drop(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_complete),
        cmocka_unit_test(worked_examples_are_exact),
        cmocka_unit_test(flipped_kernel_is_mathematical_convolution),
        cmocka_unit_test(named_kernels_on_a_constant_picture),
        cmocka_unit_test(shapes_of_convolutions),
        cmocka_unit_test(parameters_of_ten_filters),
        cmocka_unit_test(network_of_the_lectures),
        cmocka_unit_test(multiplications_of_the_bottleneck),
        cmocka_unit_test(multiplications_of_other_operators),
        cmocka_unit_test(unknown_dims_pass_through),
        cmocka_unit_test(unknown_rank_and_type_pass_through),
        cmocka_unit_test(inference_is_idempotent),
        cmocka_unit_test(softmax_before_and_after_13),
        cmocka_unit_test(clip_before_and_after_11),
        cmocka_unit_test(posts_follow_in_order),
        cmocka_unit_test(residual_without_bias),
        cmocka_unit_test(residual_that_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
