/* SPDX-License-Identifier: Apache-2.0
 *
 * What the scheduler makes of small networks: which nodes vanish in others, that the result stays
 * what the operators mean, and that it stays within the memory it must take.
 *     test_fusion [device]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model_reference.h"

static cvk_device *device;
static bool is_cpu;

/* A network planned with and without fusion, both compared with the references. */
typedef struct fused_net {
    cvk_model *model;
    test_run run;
    cvk_session_info info;
} fused_net;

static double run_distance(const cvk_model *model, test_run *run)
{
    run_once(run);
    return distance_to_reference(model, run);
}

static fused_net check_net(const char *text)
{
    fused_net net = {.model = model_text(text)};
    const cvk_session_options plain = {.no_fuse = true}, fused = {.fuse = FUSE_ALL_BUT_CHOICE};
    test_run unfused = run_make(net.model, &device, 1, &plain);
    cvk_session_info info;
    expect_ok(cvk_session_get_info(unfused.session, &info), "info");
    assert_int_equal(info.fused, 0);
    double distance = run_distance(net.model, &unfused);
    if (!(distance <= 1e-5)) fail_msg("%s\nunfused: %g away", text, distance);
    net.run = run_make(net.model, &device, 1, &fused);
    distance = run_distance(net.model, &net.run);
    if (!(distance <= 1e-5))
        fail_msg("%s\nfused: %g away\n%s", text, distance, cvk_session_describe(net.run.session));
    for (int i = 0; i < net.run.n_out; i++)
        assert_true(tensor_distance(&net.run.out[i], &unfused.out[i]) <= 1e-5);
    expect_ok(cvk_session_get_info(net.run.session, &net.info), "info");
    run_free(&unfused);
    return net;
}

static void drop_net(fused_net *net)
{
    run_free(&net->run);
    cvk_model_free(&net->model);
}

static void expect_fused(const fused_net *net, int fused)
{
    if (net->info.fused != fused)
        fail_msg("%d nodes fused, expected %d\n%s", net->info.fused, fused,
                 cvk_session_describe(net->run.session));
}

/* The steps that do not only copy or reorder. */
static int working_steps(const fused_net *net)
{
    cvk_step_info step;
    int count = 0;
    for (int i = 0; cvk_session_step(net->run.session, i, &step) == CVK_OK; i++)
        count += strcmp(step.op, "Reorder") != 0 && strcmp(step.op, "Transfer") != 0;
    return count;
}

/* Checks the network and how many nodes became part of others. */
static void check_fused(const char *text, int fused)
{
    fused_net net = check_net(text);
    expect_fused(&net, fused);
    drop_net(&net);
}

static const char *const activations[] = {
    "Relu c",          "LeakyRelu c alpha=0.2",
    "Elu c alpha=0.7", "Sigmoid c",
    "Tanh c",          "HardSigmoid c alpha=0.3 beta=0.4",
    "HardSwish c",     "Clip c lo hi",
    "Clip c - hi",     "Clip c lo",
    "Exp c",           "PRelu c slope",
    "PRelu c slopes",
};
enum { ACTIVATIONS = sizeof activations / sizeof *activations };

static void every_activation_behind_a_convolution(void **state)
{
    (void)state;
    static const char *const convs[] = {
        "in x 1x16x9x11; const w 20x16x3x3; const slopes 20x1x1 ~0,0.5; c = Conv x w - "
        "pads=[1,1,1,1]",
        "in x 2x3x13x9; const w 32x3x3x3; const slopes 32x1x1 ~0,0.5; c = Conv x w strides=[2,2]",
        "in x 1x32x8x7; const w 32x1x3x3; const slopes 32x1x1 ~0,0.5; c = Conv x w group=32 "
        "pads=[1,1,1,1]",
        "in x 1x16x5x6; const w 16x18x2x2; const slopes 18x1x1 ~0,0.5; c = ConvTranspose x w "
        "strides=[2,2]",
    };
    for (size_t k = 0; k < sizeof convs / sizeof *convs; k++)
        for (int i = 0; i < ACTIVATIONS; i++) {
            char text[600];
            snprintf(text, sizeof text,
                     "const lo s =-0.1; const hi s =0.4; const slope 1 =0.3\n%s\na = %s; out a",
                     convs[k], activations[i]);
            check_fused(text, 1);
        }
}

static void every_activation_behind_a_gemm(void **state)
{
    (void)state;
    for (int i = 0; i < ACTIVATIONS; i++) {
        char text[600];
        snprintf(text, sizeof text,
                 "const lo s =-0.1; const hi s =0.4; const slope 1 =0.3; const slopes 1x37 ~0,0.5\n"
                 "in x 3x50; const w 37x50; const b 37; c = Gemm x w b transB=1\na = %s; out a",
                 activations[i]);
        check_fused(text, 1);
    }
}

static void sqrt_needs_numbers_that_have_one(void **state)
{
    (void)state;
    check_fused("in x 1x16x4x5; const w 8x16x1x1 ~-0.1,0.1; const b 8 ~4,5; c = Conv x w b; a = "
                "Sqrt c; out a",
                1);
    check_fused(
        "in x 2x16; const w 16x8 ~-0.1,0.1; const b 8 ~4,5; c = Gemm x w b; a = Sqrt c; out a", 1);
}

static void residuals_and_activations_in_any_order(void **state)
{
    (void)state;
    static const char *const head =
        "in x 1x32x9x10; const w 32x32x3x3 ~-0.1,0.1; const v 32x32x1x1; s = Conv x v; "
        "c = Conv s w - pads=[1,1,1,1]";
    static const struct {
        const char *tail;
        int fused;
    } rows[] = {
        {"a = Add c s; out a", 1},
        {"a = Add s c; r = Relu a; out r", 2},
        {"r = Relu c; a = Add r s; out a", 2},
        {"r = Relu c; a = Add r s; t = Sigmoid a; out t", 3},
        {"r = Relu c; a = Add s r; t = LeakyRelu a; p = MaxPool t kernel_shape=[2,2] "
         "strides=[2,2]; out p",
         -1},
        {"a = Add c x; r = Relu a; out r", 2},
        {"a = Add c x; r = Relu a; out r c", 1}, /* c is wanted: only Add + Relu */
        {"a = Add c c; out a", 0},
        {"a = Add c s; b = Add a x; r = Relu b; out r", -1},
        {"a = Add c s; q = Relu s; b = Mul a q; out b", -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[600];
        snprintf(text, sizeof text, "%s\n%s", head, rows[i].tail);
        fused_net net = check_net(text);
        if (rows[i].fused >= 0) expect_fused(&net, rows[i].fused);
        drop_net(&net);
    }
}

/* The residual is computed after the convolution whose step it belongs to stood in the model. */
static void a_residual_that_comes_late(void **state)
{
    (void)state;
    check_fused("in x 1x16x8x8; const w 16x16x3x3; const v 16x16x1x1; c = Conv x w - "
                "pads=[1,1,1,1]; d = Conv x v; e = Sigmoid d\n"
                "a = Add c e; r = Relu a; out r",
                3);
    check_fused("in x 1x16x8x8; const w 16x16x3x3; c = Conv x w - pads=[1,1,1,1]; d = Conv x w - "
                "pads=[1,1,1,1]\n"
                "a = Add c d; r = Relu a; out r",
                2);
    check_fused(
        "in x 4x16; const w 16x16; c = Gemm x w; d = Gemm x w; a = Add c d; r = Relu a; out r", 2);
}

static void convolution_activation_pool(void **state)
{
    (void)state;
    static const char *const pools[] = {
        "MaxPool r kernel_shape=[2,2] strides=[2,2]",
        "MaxPool r kernel_shape=[3,3] strides=[2,2]",
        "MaxPool r kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1]",
        "MaxPool r kernel_shape=[3,3] strides=[1,1] pads=[1,1,1,1]",
        "MaxPool r kernel_shape=[3,2] strides=[1,2] pads=[0,1,1,0]",
        "MaxPool r kernel_shape=[2,2] strides=[2,2] ceil_mode=1",
        "AveragePool r kernel_shape=[2,2] strides=[2,2]",
        "AveragePool r kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1]",
        "AveragePool r kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1] count_include_pad=1",
        "AveragePool r kernel_shape=[3,3] strides=[2,2] ceil_mode=1",
    };
    int fused = 0;
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++)
        for (int k = 0; k < 2; k++) {
            char text[600];
            snprintf(text, sizeof text,
                     "in x 1x%dx23x19; const w 24x%dx3x3; const b 24\nc = Conv x w b "
                     "pads=[1,1,1,1]; r = Relu c; p = %s; out p",
                     k ? 16 : 3, k ? 16 : 3, pools[i]);
            fused_net net = check_net(text);
            assert_true(net.info.fused >= 1);
            fused += net.info.fused == 2;
            drop_net(&net);
        }
    if (fused == 0) fail_msg("no pool was fused at all");
}

static void maps_are_folded_into_weights(void **state)
{
    (void)state;
    static const char *const bn = "const g 24 ~0.5,1.5; const s 24; const m 24; const v 24 ~0.5,2";
    static const char *const rows[] = {
        "in x 1x16x7x9; const w 24x16x3x3; c = Conv x w; y = BatchNormalization c g s m v; out y",
        "in x 1x16x7x9; const w 24x16x3x3; const b 24; c = Conv x w b; y = BatchNormalization c g "
        "s m v epsilon=0.01; out y",
        "in x 1x24x7x9; const w 24x1x3x3; c = Conv x w - group=24; y = BatchNormalization c g s m "
        "v; out y",
        "in x 1x16x7x9; const w 24x8x3x3; c = Conv x w - group=2; y = BatchNormalization c g s m "
        "v; out y",
        "in x 1x10x5x4; const w 10x24x3x3; const b 24; c = ConvTranspose x w b; y = "
        "BatchNormalization c g s m v; out y",
        "in x 1x10x5x4; const w 10x12x3x3; c = ConvTranspose x w - group=2; y = BatchNormalization "
        "c g s m v; out y",
        "in x 3x16; const w 16x24; c = Gemm x w; y = BatchNormalization c g s m v; out y",
        "in x 3x16; const w 24x16; const b 24; c = Gemm x w b transB=1 alpha=0.5; y = "
        "BatchNormalization c g s m v; out y",
        "in x 1x16x7x9; const w 24x16x3x3; const k 24x1x1; c = Conv x w; y = Mul c k; out y",
        "in x 1x16x7x9; const w 24x16x3x3; const k 1x24x1x1; c = Conv x w; y = Add k c; out y",
        "in x 1x16x7x9; const w 24x16x3x3; const k s =2.5; c = Conv x w; y = Sub k c; out y",
        "in x 1x16x7x9; const w 24x16x3x3; const k 24x1x1 ~1,2; c = Conv x w; y = Div c k; out y",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[600];
        snprintf(text, sizeof text, "%s\n%s", bn, rows[i]);
        fused_net net = check_net(text);
        expect_fused(&net, 1);
        assert_int_equal(working_steps(&net), 1);
        drop_net(&net);
    }
}

/* BatchNormalization and activation in front of a convolution: the CPU's takes both, OpenCL's if it
 * has no window, where nobody else reads what is between. Padding stays zero whatever the map makes
 * of zeros. */
static void maps_before_a_convolution(void **state)
{
    (void)state;
    static const char *const bn = "const g 32 ~0.5,1.5; const s 32; const m 32; const v 32 ~0.5,2";
    static const struct {
        const char *text;
        int cpu, other;
    } rows[] = {
        {"in x 1x32x9x10; const w 40x32x1x1; c = Conv r w; out c", 2, 2},
        {"in x 2x32x9x10; const w 40x32x1x1; const b 40; c = Conv r w b; q = Relu c; out q", 3, 3},
        {"in x 1x32x9x11; const w 24x32x1x1; c = Conv r w - pads=[1,0,0,2] strides=[2,2]; out c", 2,
         2},
        {"in x 1x32x9x10; const w 24x32x5x5; c = Conv r w - pads=[4,4,4,4] dilations=[2,2]; out c",
         2, 1},
        {"in x 1x32x9x11; const w 24x32x3x3; c = Conv r w - pads=[2,1,0,1] strides=[2,2]; out c", 2,
         1},
        {"in x 1x32x9x11; const w 24x32x3x2; c = Conv r w - pads=[1,1,1,1] dilations=[2,1]; out c",
         2, 1},
        {"in x 1x32x9x11; const w 64x16x1x1; c = Conv r w - group=2; out c", 2, 1},
        {"in x 1x32x6x6; const w 16x32x1x1; c = Conv r w; out c r", 1, 1},         /* r is wanted */
        {"in x 1x32x6x6; const w 32x1x3x3; c = Conv r w - group=32; out c", 1, 1}, /* depthwise */
    };
    static const char *const acts[] = {"Relu", "LeakyRelu", "Sigmoid"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t a = 0; a < sizeof acts / sizeof *acts; a++) {
            char text[600];
            const char *body = strchr(rows[i].text, ';') + 1; /* behind the input */
            snprintf(text, sizeof text, "%s\n%.*s; y = BatchNormalization x g s m v; r = %s y;%s",
                     bn, (int)(body - 1 - rows[i].text), rows[i].text, acts[a], body);
            check_fused(text, is_cpu ? rows[i].cpu : rows[i].other);
        }
    check_fused(
        "in x 1x20x5x7; const g 20; const s 20; const m 20; const v 20 ~0.5,2; const w 8x20x2x3\n"
        "y = BatchNormalization x g s m v; c = Conv y w - pads=[1,1,1,1]; out c",
        is_cpu ? 1 : 0);
}

static void maps_that_are_not_per_channel_stay(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "const k 24; y = Add c k; out y", /* along the last dimension, as long by chance */
        "const k 1x24x1x24; y = Mul c k; out y",  "const k 24x1; y = Mul c k; out y",
        "const k s =0.5; y = Div k c; out y",     "const k s =2.0; y = Pow c k; out y",
        "const k 2x24x24x24; y = Add c k; out y", /* the result is larger */
        "const k 24x1x1; y = Mul c k; out y c",   /* the convolution's own result is wanted */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[600];
        snprintf(text, sizeof text,
                 "in x 1x16x24x24; const w 24x16x1x1 ~0.1,0.3; const b 24 ~8,9; c = Conv x w b\n%s",
                 rows[i]);
        fused_net net = check_net(text);
        assert_int_equal(working_steps(&net), 2);
        drop_net(&net);
    }
}

static void padding_is_folded_into_the_window(void **state)
{
    (void)state;
    check_fused("in x 1x16x7x9; const w 8x16x3x3; const p 8:i64 =0,0,1,2,0,0,0,1; z = Pad x p; y = "
                "Conv z w - pads=[1,0,0,1]; out y",
                1);
    check_fused("in x 1x3x7x9; const w 8x3x3x3; const p 8:i64 =0,0,1,1,0,0,1,1; z = Pad x p; y = "
                "Conv z w - strides=[2,2]; r = Relu y; out r",
                2);
    /* These are not zeros around the picture only. */
    check_fused("in x 1x16x7x9; const w 8x16x3x3; const p 8:i64 =0,0,1,2,0,0,0,1; const k s =0.5; "
                "z = Pad x p k; y = Conv z w; out y",
                0);
    check_fused("in x 1x16x7x9; const w 8x16x3x3; const p 8:i64 =0,0,1,2,0,0,0,1; z = Pad x p "
                "mode=reflect; y = Conv z w; out y",
                0);
    check_fused("in x 1x15x7x9; const w 8x16x3x3; const p 8:i64 =0,1,1,2,0,0,0,1; z = Pad x p; y = "
                "Conv z w; out y",
                0);
    check_fused("in x 1x16x7x9; const w 8x16x3x3; const p 8:i64 =0,0,-1,2,0,0,0,1; z = Pad x p; y "
                "= Conv z w; out y",
                0);
}

static void quantising_and_back_is_one_function(void **state)
{
    (void)state;
    static const char *const head =
        "in x 1x16x6x7; const s s =0.05; const z s:u8 =128; const w 16x16x3x3 ~-0.2,0.2";
    static const char *const rows[] = {
        "q = QuantizeLinear x s z; y = DequantizeLinear q s z; out y",
        "const i s:i8 =-3; q = QuantizeLinear x s i; y = DequantizeLinear q s i; out y",
        "q = QuantizeLinear x s; y = DequantizeLinear q s; out y",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[600];
        snprintf(text, sizeof text, "%s\n%s", head, rows[i]);
        check_fused(text, 1);
    }
    char text[600];
    snprintf(text, sizeof text,
             "%s\nc = Conv x w; q = QuantizeLinear c s z; y = DequantizeLinear q s z; out y", head);
    check_fused(text, 2);
    check_fused("in x 3x20; const s s =0.05; const z s:u8 =128; const w 20x9; m = Gemm x w; q = "
                "QuantizeLinear m s z\n"
                "y = DequantizeLinear q s z; out y",
                2);
    snprintf(text, sizeof text,
             "%s\nq = QuantizeLinear x s z; const t s =0.1; y = DequantizeLinear q t z; out y",
             head);
    check_fused(text, 0);
    snprintf(text, sizeof text, "%s\nq = QuantizeLinear x s z; y = DequantizeLinear q s z; out y q",
             head);
    fused_net net = check_net(text);
    drop_net(&net);
}

static void swish_is_one_function(void **state)
{
    (void)state;
    check_fused("in x 1x16x6x7; const w 16x16x3x3; c = Conv x w; s = Sigmoid c; y = Mul c s; out y",
                2);
    check_fused("in x 2x30; s = Sigmoid x; y = Mul s x; out y", 1);
    check_fused("in x 2x30; in z 2x30; s = Sigmoid x; y = Mul s z; out y", 0);
}

/* As exporters write it; the square as a power or a product, gamma and beta or not. */
static void layer_norm_is_one_node(void **state)
{
    (void)state;
    static const char head[] =
        "in x 2x5x24; const two s =2; const e s =0.001; const g 24; const b 24; "
        "m = ReduceMean x axes=[-1]; d = Sub x m;";
    static const char *const tails[] = {
        "q = Pow d two; v = ReduceMean q axes=[-1]; a = Add v e; s = Sqrt a; n = Div d s; k = Mul "
        "n g; "
        "y = Add k b; out y",
        "q = Mul d d; v = ReduceMean q axes=[2]; a = Add e v; s = Sqrt a; n = Div d s; k = Mul g "
        "n; "
        "y = Add b k; out y",
        "q = Mul d d; v = ReduceMean q axes=[2]; a = Add v e; s = Sqrt a; y = Div d s; out y",
    };
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        char text[600];
        snprintf(text, sizeof text, "%s %s", head, tails[i]);
        fused_net net = check_net(text);
        assert_int_equal(working_steps(&net), 1);
        drop_net(&net);
    }
    /* Not a normalisation: the mean square is over other dimensions; nor are all its parts free. */
    char text[600];
    snprintf(text, sizeof text, "%s %s", head,
             "q = Mul d d; v = ReduceMean q axes=[1]; a = Add v e; s = Sqrt a; y = Div d s; out y");
    fused_net net = check_net(text);
    assert_true(working_steps(&net) > 1);
    drop_net(&net);
    snprintf(text, sizeof text, "%s %s", head,
             "q = Mul d d; v = ReduceMean q axes=[2]; a = Add v e; s = Sqrt a; n = Div d s; "
             "y = Mul n g; z = Mul d n; out y; out z");
    net = check_net(text);
    drop_net(&net);
}

static void matmul_and_bias_are_a_gemm(void **state)
{
    (void)state;
    check_fused("in x 3x20; const w 20x9; const b 9; m = MatMul x w; y = Add m b; out y", 1);
    check_fused(
        "in x 2x3x20; const w 20x9; const b 9; m = MatMul x w; y = Add b m; r = Relu y; out r", 1);
    check_fused("in x 2x3x20; const w 20x9; const b 3x9; m = MatMul x w; y = Add m b; out y", 0);
    check_fused("in x 2x3x20; in w 2x20x9; y = MatMul x w; r = Relu y; out r", 1);
}

static void nodes_that_change_nothing_vanish(void **state)
{
    (void)state;
    fused_net net = check_net("in x 1x16x6x7; const w 16x16x3x3; c = Conv x w; i = Identity c; d = "
                              "Dropout i; r = Relu d; out r");
    assert_int_equal(working_steps(&net), 1);
    drop_net(&net);
    net = check_net("in x 1x16x1x1; const w 8x16x1x1; const s 2:i64 =1,-1; c = Conv x w; r = "
                    "Reshape c s; t = Relu r; out t");
    drop_net(&net);
}

/* Inputs of a concatenation are made in place; what cannot be says why. */
static void concat_by_offset(void **state)
{
    (void)state;
    fused_net net = check_net(
        "in x 1x16x8x8; const w 16x16x1x1; const v 32x16x3x3; a = Conv x w; b = Conv x v - "
        "pads=[1,1,1,1]\n"
        "ra = Relu a; rb = Relu b; j = Concat ra rb axis=1; const u 8x48x1x1; y = Conv j u; out y");
    assert_null(step_of(net.run.session, "j"));
    drop_net(&net);
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"in x 1x16x8x8; const w 17x16x1x1; a = Conv x w; b = Conv x w; j = Concat a b axis=1; "
         "const u 8x34x1x1; y = Conv j u; out y",
         "channels are not whole blocks"},
        {"in x 1x16x8x8; const w 16x16x1x1; a = Conv x w; j = Concat a a axis=1; const u 8x32x1x1; "
         "y = Conv j u; out y",
         "an input occurs twice"},
        {"in x 1x16x8x8; const w 16x16x1x1; a = Conv x w; b = Conv x w; j = Concat a b axis=2; "
         "const u 8x16x1x1; y = Conv j u; out y",
         NULL}, /* two reasons, one per layout */
        {"in x 2x16x8x8; const w 16x16x1x1; a = Conv x w; b = Conv x w; j = Concat a b axis=1; "
         "const u 8x32x1x1; y = Conv j u; out y",
         "pieces are not contiguous"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        net = check_net(rows[i].text);
        const cvk_step_info *step = step_of(net.run.session, "j");
        assert_non_null(step);
        assert_non_null(strstr(step->note, "not by offset"));
        if (rows[i].why && !strstr(step->note, rows[i].why))
            fail_msg("note '%s', expected '%s'", step->note, rows[i].why);
        drop_net(&net);
    }
    net = check_net("in x 1x16x8x8; const w 16x16x1x1; a = Conv x w; b = Conv x w; j = Concat a b "
                    "x axis=1; k = Concat j a axis=1\n"
                    "s = Sigmoid k; out s j a");
    drop_net(&net);
    net = check_net("in x 1x64; const w 64x32; a = Gemm x w; r = Relu a; b = Gemm x w; j = Concat "
                    "r b axis=1; k = Concat j b axis=1; out k");
    drop_net(&net);
}

/* The sum of what is alive at once is a bound that no plan can beat; on chains it is reached. */
static void memory_is_what_must_be(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool chain;
    } rows[] = {
        {"in x 1x16x16x16; const w 16x16x3x3; a = Conv x w - pads=[1,1,1,1]; b = Conv a w - "
         "pads=[1,1,1,1]; c = Conv b w; out c",
         true},
        {"in x 1x3x32x32; const w 16x3x3x3; const v 32x16x3x3; a = Conv x w; b = Conv a v; p = "
         "GlobalAveragePool b; s = Softmax p; out s",
         true},
        {"in x 4x100; const w 100x100; a = Gemm x w; b = Gemm a w; c = Gemm b w; d = Gemm c w; out "
         "d",
         true},
        {"in x 1x16x16x16; const w 16x16x3x3; a = Conv x w - pads=[1,1,1,1]; b = Conv a w - "
         "pads=[1,1,1,1]; c = Add a b\n"
         "d = Conv c w; e = MaxPool c kernel_shape=[3,3]; f = Concat d e axis=1; g = Sigmoid f; h "
         "= Conv g u; out h",
         false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1000];
        snprintf(text, sizeof text, "const u 8x32x1x1; %s", rows[i].text);
        fused_net net = check_net(text);
        if (net.info.activation_bytes < net.info.lower_bound_bytes)
            fail_msg("less memory than is alive at once");
        if (rows[i].chain) assert_int_equal(net.info.activation_bytes, net.info.lower_bound_bytes);
        const cvk_session_options kept = {.keep_values = true};
        test_run run = run_make(net.model, &device, 1, &kept);
        cvk_session_info info;
        expect_ok(cvk_session_get_info(run.session, &info), "info");
        assert_true(info.activation_bytes >= net.info.activation_bytes);
        assert_true(run_distance(net.model, &run) <= 1e-5);
        run_free(&run);
        drop_net(&net);
    }
}

/* Operators without a kernel run as their reference, and the plan says so. */
static void operators_without_a_kernel_run_on_the_host(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "in x 1x16x8x8; const w 16x16x3x3; c = Conv x w; d = Cast c to=11; p = MaxPool d "
        "kernel_shape=[2,2]; e = Cast p to=1; r = Relu e; out r",
        "in x 1x16x6x5; const w 16x16x3x3; const k 4 =1,1,2,2; c = Conv x w; d = Cast c to=11; "
        "p = Resize d - k mode=cubic; e = Cast p to=1; r = Conv e w; out r",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fused_net net = check_net(rows[i]);
        const cvk_step_info *step = step_of(net.run.session, "p");
        assert_non_null(step);
        assert_string_equal(step->kernel, "reference");
        assert_string_equal(step->device, "host");
        int copies = 0;
        cvk_step_info other;
        for (int k = 0; cvk_session_step(net.run.session, k, &other) == CVK_OK; k++)
            copies += strcmp(other.kernel, "copy") == 0;
        if (!is_cpu) assert_true(copies >= 3); /* in, to the host, and out or back */
        assert_non_null(strstr(cvk_session_describe(net.run.session), "reference"));
        drop_net(&net);
    }
}

/* A node goes to the first device that has a kernel for it. */
static void two_devices_in_one_session(void **state)
{
    (void)state;
    cvk_device *cpu = NULL;
    expect_ok(cvk_device_open("cpu", NULL, &cpu), "cpu");
    cvk_device *const orders[][2] = {{device, cpu}, {cpu, device}};
    cvk_model *model = model_text("in x 1x16x9x9; const w 16x16x3x3; const v 16x16x1x1; c = Conv x "
                                  "w; r = Relu c; e = Cast r to=11; p = MaxPool e "
                                  "kernel_shape=[2,2]; q = Cast p to=1\n"
                                  "d = Conv q v; a = Add d q; g = GlobalAveragePool a; out g");
    for (int k = 0; k < 2; k++) {
        test_run run = run_make(model, orders[k], 2, NULL);
        cvk_device_info info;
        expect_ok(cvk_device_get_info(orders[k][0], &info), "info");
        const cvk_step_info *step = step_of(run.session, "c");
        assert_non_null(step);
        assert_string_equal(step->device, info.id);
        assert_string_equal(step_of(run.session, "p")->device, "host");
        assert_true(run_distance(model, &run) <= 1e-5);
        assert_true(distance_to_reference(model, &run) <=
                    1e-5); /* again: nothing of the first run is left */
        run_free(&run);
    }
    cvk_model_free(&model);
    cvk_device_close(&cpu);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_activation_behind_a_convolution),
        cmocka_unit_test(every_activation_behind_a_gemm),
        cmocka_unit_test(sqrt_needs_numbers_that_have_one),
        cmocka_unit_test(residuals_and_activations_in_any_order),
        cmocka_unit_test(a_residual_that_comes_late),
        cmocka_unit_test(convolution_activation_pool),
        cmocka_unit_test(maps_are_folded_into_weights),
        cmocka_unit_test(maps_before_a_convolution),
        cmocka_unit_test(maps_that_are_not_per_channel_stay),
        cmocka_unit_test(padding_is_folded_into_the_window),
        cmocka_unit_test(quantising_and_back_is_one_function),
        cmocka_unit_test(swish_is_one_function),
        cmocka_unit_test(layer_norm_is_one_node),
        cmocka_unit_test(matmul_and_bias_are_a_gemm),
        cmocka_unit_test(nodes_that_change_nothing_vanish),
        cmocka_unit_test(concat_by_offset),
        cmocka_unit_test(memory_is_what_must_be),
        cmocka_unit_test(operators_without_a_kernel_run_on_the_host),
        cmocka_unit_test(two_devices_in_one_session),
    };
    is_cpu = argc < 2 || strcmp(argv[1], "cpu") == 0;
    return run_device_tests(argc, argv, &device, tests, sizeof tests / sizeof tests[0]);
}
