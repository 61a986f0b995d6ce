/* SPDX-License-Identifier: Apache-2.0
 *
 * Average pools and convolutions: which change places, which must not, which pools become part of a
 * convolution's step, and what a pool takes in before it; and that all of it stays what the
 * operators mean.
 *     test_rewrite_pool [device]
 */
#include <stdio.h>
#include <string.h>

#include "tests/model_reference.h"

static cvk_device *device;
static bool is_cpu;

/* The network planned as it is (plain) and rewritten, both run. */
typedef struct net {
    const char *text;
    cvk_model *model;
    test_run plain, run;
} net;

static net make_net(const char *text)
{
    net n = {.text = text, .model = model_text(text)};
    const cvk_session_options as_it_is = {.no_fuse = true};
    n.plain = run_make(n.model, &device, 1, &as_it_is);
    n.run = run_make(n.model, &device, 1, NULL);
    run_once(&n.plain);
    run_once(&n.run);
    for (int i = 0; i < n.run.n_out; i++) {
        const double distance = tensor_distance(&n.run.out[i], &n.plain.out[i]);
        if (!(distance <= 1e-5))
            fail_msg("%s\n%g away\n%s", text, distance, cvk_session_describe(n.run.session));
    }
    expect_reference(n.model, &n.run);
    return n;
}

static void drop_net(net *n)
{
    run_free(&n->plain);
    run_free(&n->run);
    cvk_model_free(&n->model);
}

/* The number of the step that holds the model's node; fails without one. */
static int index_of(const net *n, const char *node)
{
    const cvk_step_info *step = step_of(n->run.session, node);
    if (!step) fail_msg("%s\nno step of '%s'", n->text, node);
    const char *output = step->output;
    cvk_step_info info;
    for (int i = 0; cvk_session_step(n->run.session, i, &info) == CVK_OK; i++)
        if (strcmp(info.output, output) == 0) return i;
    fail_msg("%s\nno step makes '%s'", n->text, output);
    return -1;
}

/* Whether node `pool` is computed before node `conv`, and not in its step. */
static bool pool_leads(const net *n)
{
    return index_of(n, "pool") < index_of(n, "conv");
}

static int working_steps(const net *n)
{
    cvk_step_info step;
    int count = 0;
    for (int i = 0; cvk_session_step(n->run.session, i, &step) == CVK_OK; i++)
        count += strcmp(step.op, "Reorder") != 0 && strcmp(step.op, "Transfer") != 0;
    return count;
}

static void check_order(const char *text, bool pool_first)
{
    net n = make_net(text);
    if (pool_leads(&n) != pool_first)
        fail_msg("%s\nthe pool is %s the convolution\n%s", text, pool_first ? "behind" : "before",
                 cvk_session_describe(n.run.session));
    drop_net(&n);
}

static void pools_move_before_convolutions(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "in x 1x32x12x14; const w 20x32x1x1; const b 20; conv = Conv x w b\n"
        "pool = AveragePool conv kernel_shape=[2,2] strides=[2,2]; out pool",
        "in x 2x33x13x11; const w 17x33x1x1; const b 17; conv = Conv x w b; pool = AveragePool "
        "conv "
        "kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1]; r = Relu pool; out r",
        "in x 1x32x13x11; const w 40x32x1x1; const b 40; conv = Conv x w b; pool = AveragePool "
        "conv "
        "kernel_shape=[2,2] strides=[2,2] ceil_mode=1; out pool",
        "in x 1x32x13x11; const w 24x32x1x1; const b 24; conv = Conv x w b; pool = AveragePool "
        "conv "
        "kernel_shape=[3,2] strides=[2,3] auto_pad=SAME_UPPER; out pool",
        "in x 1x32x12x12; const w 32x16x1x1; const b 32; conv = Conv x w b group=2\n"
        "pool = AveragePool conv kernel_shape=[2,2] strides=[2,2]; s = Sigmoid pool; out s",
        "in x 2x40x31; const w 24x40x1; const b 24; conv = Conv x w b; pool = AveragePool conv "
        "kernel_shape=[3] strides=[3]; out pool",
        "in x 1x20x6x8x6; const w 24x20x1x1x1; const b 24; conv = Conv x w b; pool = AveragePool "
        "conv kernel_shape=[2,2,2] strides=[2,2,2]; out pool",
        /* padding counts, but there is no bias that it could thin out */
        "in x 1x32x13x11; const w 24x32x1x1; conv = Conv x w; pool = AveragePool conv "
        "kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1] count_include_pad=1; out pool",
        "in x 1x32x13x11; const w 24x32x1x1; const b 24 ~0,0; conv = Conv x w b; pool = "
        "AveragePool conv kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1] count_include_pad=1\n"
        "out pool",
        /* nothing is padded */
        "in x 1x32x13x11; const w 24x32x1x1; const b 24; conv = Conv x w b; pool = AveragePool "
        "conv "
        "kernel_shape=[3,3] strides=[2,2] count_include_pad=1; out pool",
        "in x 1x64x7x9; const w 40x64x1x1; const b 40; conv = Conv x w b; pool = GlobalAveragePool "
        "conv; r = Relu pool; out r",
        "in x 2x48x30; const w 20x48x1; const b 20; conv = Conv x w b; pool = GlobalAveragePool "
        "conv; out pool",
        "in x 1x64x7x9; const w 40x64x1x1; conv = Conv x w; pool = ReduceMean conv axes=[2,3] "
        "keepdims=1; out pool",
        /* what is folded into the convolution moves with it */
        "in x 1x32x12x14; const g 20 ~0.5,1.5; const s 20; const v 20 ~0.5,2; const w 20x32x1x1\n"
        "conv = Conv x w; n = BatchNormalization conv g s s v; i = Identity n; pool = AveragePool "
        "i "
        "kernel_shape=[2,2] strides=[2,2]; out pool",
        /* x has other readers, what stands between the two has not */
        "in x 1x32x12x12; const w 24x32x1x1; conv = Conv x w; pool = AveragePool conv "
        "kernel_shape=[2,2] strides=[2,2]; t = Tanh x; out pool t",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check_order(rows[i], true);
}

static void pools_move_behind_convolutions(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "in x 1x64x9x11; const w 16x64x1x1; const b 16; pool = AveragePool x kernel_shape=[3,3] "
        "pads=[1,1,1,1]; conv = Conv pool w b; r = Relu conv; t = Tanh x; out r t",
        "in x 2x65x9x11; const w 17x65x1x1; const b 17; pool = AveragePool x kernel_shape=[3,3]\n"
        "conv = Conv pool w b; out conv",
        "in x 1x64x9x11; const w 16x64x1x1; const g 16 ~0.5,1.5; const s 16; const v 16 ~0.5,2\n"
        "pool = AveragePool x kernel_shape=[3,3] pads=[1,1,1,1]; conv = Conv pool w\n"
        "n = BatchNormalization conv g s s v; r = LeakyRelu n; out r",
        /* padding counts: without a bias, or with one that is added behind the pool */
        "in x 1x64x9x11; const w 16x64x1x1; pool = AveragePool x kernel_shape=[3,3] "
        "pads=[1,1,1,1] count_include_pad=1; conv = Conv pool w; r = Relu conv; out r",
        "in x 1x64x9x11; const w 16x64x1x1; const b 16 ~1,2; pool = AveragePool x "
        "kernel_shape=[3,3] pads=[1,1,1,1] count_include_pad=1; conv = Conv pool w b; out conv",
        "in x 1x64x9x11; const w 17x64x1x1; const b 17 ~1,2; pool = AveragePool x "
        "kernel_shape=[3,3] pads=[1,1,1,1] count_include_pad=1; conv = Conv pool w b\n"
        "r = Relu conv; t = Tanh r; out t",
        "in x 1x64x9x11; in z 1x16x9x11; const w 16x64x1x1; const b 16; pool = AveragePool x "
        "kernel_shape=[3,3] pads=[1,1,1,1]; conv = Conv pool w b; a = Add conv z; out a",
        "in x 2x64x40; const w 16x64x1; const b 16; pool = AveragePool x kernel_shape=[3] "
        "pads=[1,1]; conv = Conv pool w b; r = Relu conv; out r",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check_order(rows[i], false);
}

/* Neither order is always the cheaper, and some pairs are bound to theirs. */
static void pairs_that_keep_their_order(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool pool_first;
    } rows[] = {
        /* padding in the divisor thins out the bias */
        {"in x 1x32x13x11; const w 24x32x1x1; const b 24 ~1,2; conv = Conv x w b; pool = "
         "AveragePool conv kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1] count_include_pad=1\n"
         "out pool",
         false},
        {"in x 1x32x13x11; const w 24x32x1x1; const b 24 ~1,2; conv = Conv x w b; r = Relu conv\n"
         "pool = AveragePool r kernel_shape=[2,2] strides=[2,2]; out pool",
         false},
        {"in x 1x32x12x12; const w 24x32x1x1; conv = Conv x w; t = Tanh conv; pool = AveragePool "
         "conv kernel_shape=[2,2] strides=[2,2]; out pool t",
         false},
        {"in x 1x32x12x12; const w 24x32x1x1; conv = Conv x w; pool = AveragePool conv "
         "kernel_shape=[2,2] strides=[2,2]; out pool conv",
         false},
        {"in x 1x32x12x12; const w 24x32x3x3; conv = Conv x w; pool = AveragePool conv "
         "kernel_shape=[2,2] strides=[2,2]; out pool",
         false},
        {"in x 1x32x12x12; const w 24x32x1x1; conv = Conv x w - strides=[2,2]; pool = AveragePool "
         "conv kernel_shape=[2,2] strides=[2,2]; out pool",
         false},
        {"in x 1x32x12x12; const w 24x32x1x1; conv = Conv x w - pads=[1,1,1,1]; pool = AveragePool "
         "conv kernel_shape=[2,2] strides=[2,2]; out pool",
         false},
        {"in x 1x32x12x12; const w 24x32x1x1; conv = Conv x w; pool = MaxPool conv "
         "kernel_shape=[2,2] strides=[2,2]; out pool",
         false},
        {"in x 1x32x12x12; const w 24x32x1x1; conv = Conv x w; pool = LpPool conv "
         "kernel_shape=[2,2] strides=[2,2]; out pool",
         false},
        {"in x 1x32x12x12; in w 24x32x1x1; conv = Conv x w; pool = AveragePool conv "
         "kernel_shape=[2,2] strides=[2,2]; out pool",
         false},
        /* as many pixels, fewer channels behind it */
        {"in x 1x64x9x11; const w 16x64x1x1; const b 16; conv = Conv x w b; pool = AveragePool "
         "conv kernel_shape=[3,3] pads=[1,1,1,1]; out pool",
         false},
        {"in x 1x16x9x11; const w 64x16x1x1; const b 64; pool = AveragePool x kernel_shape=[3,3] "
         "pads=[1,1,1,1]; conv = Conv pool w b; out conv",
         true},
        {"in x 1x64x12x12; const w 16x64x1x1; pool = AveragePool x kernel_shape=[2,2] "
         "strides=[2,2]; conv = Conv pool w; out conv",
         true},
        {"in x 1x64x9x11; const w 16x64x1x1; pool = GlobalAveragePool x; conv = Conv pool w\n"
         "out conv",
         true},
        {"in x 1x64x9x11; const w 16x64x1x1; pool = AveragePool x kernel_shape=[3,3] "
         "pads=[1,1,1,1]; r = Relu pool; conv = Conv r w; out conv",
         true},
        {"in x 1x64x9x11; const w 16x64x1x1; pool = AveragePool x kernel_shape=[3,3] "
         "pads=[1,1,1,1]; conv = Conv pool w; d = Conv pool w; out conv d",
         true},
        {"in x 1x64x9x11; const w 16x64x1x1; pool = AveragePool x kernel_shape=[3,3] "
         "pads=[1,1,1,1]; conv = Conv pool w; out conv pool",
         true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_order(rows[i].text, rows[i].pool_first);
}

/* Pool, Conv, Conv: the pool goes all the way; and a chain in which both directions occur. */
static void chains(void **state)
{
    (void)state;
    net n = make_net("in x 1x64x9x11; const w 48x64x1x1; const v 16x48x1x1; const b 16\n"
                     "pool = AveragePool x kernel_shape=[3,3] pads=[1,1,1,1]; c = Conv pool w\n"
                     "conv = Conv c v b; r = Relu conv; out r");
    assert_false(pool_leads(&n));
    drop_net(&n);
    n = make_net("in x 1x64x12x12; const w 32x64x1x1; const v 16x32x1x1; conv = Conv x w; pool = "
                 "AveragePool conv kernel_shape=[2,2] strides=[2,2]; q = AveragePool pool "
                 "kernel_shape=[3,3] pads=[1,1,1,1]; d = Conv q v; t = Tanh pool; out d t");
    assert_true(pool_leads(&n));
    assert_true(index_of(&n, "d") <= index_of(&n, "q"));
    drop_net(&n);
}

/* DenseNet's transition: map and activation go into the pool's step, the convolution is another. */
static void a_transition_is_two_steps(void **state)
{
    (void)state;
    static const char *const acts[] = {"Relu", "LeakyRelu", "Sigmoid", "Tanh"};
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        char text[600];
        snprintf(text, sizeof text,
                 "const g 40 ~0.5,1.5; const s 40; const v 40 ~0.5,2; const w 40x16x3x3\n"
                 "const u 20x40x1x1; in x 2x16x12x14; f = Conv x w - pads=[1,1,1,1]; t = Tanh f\n"
                 "n = BatchNormalization t g s s v; a = %s n; conv = Conv a u\n"
                 "pool = AveragePool conv kernel_shape=[2,2] strides=[2,2]; out pool",
                 acts[i]);
        net n = make_net(text);
        assert_true(pool_leads(&n));
        if (working_steps(&n) != 3) fail_msg("%s", cvk_session_describe(n.run.session));
        drop_net(&n);
    }
}

/* Blocked tensors (behind a convolution) and plain ones; padding is not mapped. */
static void check_maps(void)
{
    static const char *const pools[] = {
        "AveragePool a kernel_shape=[2,2] strides=[2,2]",
        "MaxPool a kernel_shape=[2,2] strides=[2,2]",
        "AveragePool a kernel_shape=[2,2] strides=[2,2] pads=[1,1,1,1]",
        "AveragePool a kernel_shape=[2,2] strides=[2,2] pads=[1,1,1,1] count_include_pad=1",
        "MaxPool a kernel_shape=[2,3] strides=[3,3] pads=[1,1,0,1]",
        "AveragePool a kernel_shape=[5,4] strides=[5,4] ceil_mode=1",
    };
    static const char *const acts[] = {"Relu n", "LeakyRelu n", "Identity n", "Elu n"};
    static const char *const inputs[] = {
        "in y 1x3x33x39; const w 19x3x3x3; x = Conv y w",
        "in x 2x19x33x39",
    };
    for (size_t k = 0; k < sizeof inputs / sizeof *inputs; k++)
        for (size_t i = 0; i < sizeof pools / sizeof *pools; i++)
            for (size_t a = 0; a < sizeof acts / sizeof *acts; a++) {
                char text[600];
                snprintf(text, sizeof text,
                         "%s\nconst g 19 ~0.5,1.5; const s 19; const v 19 ~0.5,2; t = Tanh x\n"
                         "n = BatchNormalization t g s s v; a = %s; pool = %s; q = Relu pool\n"
                         "out q",
                         inputs[k], acts[a], pools[i]);
                net n = make_net(text);
                if (!strstr(step_of(n.run.session, "pool")->fused, "before") ||
                    index_of(&n, "n") != index_of(&n, "pool"))
                    fail_msg("%s\n%s", text, cvk_session_describe(n.run.session));
                drop_net(&n);
            }
}

/* On the CPU with its vectors, and without. */
static void maps_before_a_pool(void **state)
{
    (void)state;
    check_maps();
    if (is_cpu) {
        static const char *const levels[] = {"avx2", "scalar"};
        cvk_device *best = device;
        for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
            const cvk_device_options options = {.threads = 2, .isa = levels[i]};
            if (cvk_device_open("cpu", &options, &device)) continue; /* another kind of CPU */
            check_maps();
            cvk_device_close(&device);
        }
        device = best;
    }
    /* a pixel would be mapped for each of its windows */
    net n = make_net("in x 1x19x13x15; const g 19 ~0.5,1.5; const s 19; const v 19 ~0.5,2\n"
                     "n = BatchNormalization x g s s v; a = Relu n; pool = AveragePool a "
                     "kernel_shape=[3,3] strides=[2,2]; out pool");
    const cvk_step_info *step = step_of(n.run.session, "pool");
    if (!strstr(step->note, "windows overlap")) fail_msg("note '%s'", step->note);
    assert_int_equal(working_steps(&n), 2);
    drop_net(&n);
}

/* Convolution, activation and the pool over the whole picture: one step, or a reason why not. */
static void global_pools_in_a_convolution(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool on_cpu;
    } rows[] = {
        {"in x 1x64x13x13; const w 100x64x1x1; const b 100; conv = Conv x w b; r = Relu conv; pool "
         "= GlobalAveragePool r; out pool",
         true},
        {"in x 2x40x7x7; const w 129x40x1x1; const b 129; conv = Conv x w b; r = Clip conv lo hi\n"
         "pool = GlobalAveragePool r; out pool",
         true},
        {"in x 1x40x7x9; in z 1x128x7x9; const w 128x40x1x1; const b 128; conv = Conv x w b; a = "
         "Add "
         "conv z; r = Relu a; pool = GlobalAveragePool r; out pool",
         true},
        {"in x 3x40x7x9; const w 128x40x1x1; conv = Conv x w; r = HardSwish conv; pool = "
         "GlobalAveragePool r; f = Flatten pool; out f",
         true},
        {"in x 1x40x7x9; const w 128x40x1x1; conv = Conv x w; r = Sigmoid conv; pool = "
         "GlobalMaxPool r; out pool",
         true},
        {"in x 1x40x1x1; const w 128x40x1x1; conv = Conv x w; r = Relu conv; pool = "
         "GlobalAveragePool r; out pool",
         true},
        {"in x 1x40x3x3; const w 128x40x1x1; conv = Conv x w; r = Relu conv; pool = "
         "GlobalAveragePool r; out pool",
         true},
        {"in x 2x40x50; const w 128x40x1; conv = Conv x w; r = Relu conv; pool = GlobalAveragePool "
         "r; out pool",
         true},
        {"in x 1x40x15x13; const w 128x40x3x3; conv = Conv x w - strides=[2,2]; r = Relu conv; "
         "pool "
         "= GlobalAveragePool r; out pool",
         true},
        {"in x 1x40x15x13; const w 128x40x1x1; conv = Conv x w - strides=[2,2]; r = Relu conv; "
         "pool "
         "= ReduceMean r axes=[2,3]; out pool",
         true},
        {"in x 1x3x15x13; const w 128x3x1x1; conv = Conv x w; r = Relu conv; pool = "
         "GlobalAveragePool r; out pool",
         true},
        {"in x 1x40x9x9; const g 40 ~0.5,1.5; const s 40; const v 40 ~0.5,2; const w 128x40x1x1\n"
         "n = BatchNormalization x g s s v; q = Relu n; conv = Conv q w; r = Relu conv; pool = "
         "GlobalAveragePool r; out pool",
         true},
        {"in x 1x32x9x9; const w 32x1x3x3; conv = Conv x w - group=32; r = Relu conv; pool = "
         "GlobalAveragePool r; out pool",
         false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[600];
        snprintf(text, sizeof text, "const lo s =0; const hi s =0.5\n%s", rows[i].text);
        net n = make_net(text);
        const bool fused = index_of(&n, "pool") == index_of(&n, "conv");
        const cvk_step_info *step = step_of(n.run.session, "conv");
        if (is_cpu ? fused != rows[i].on_cpu
                   : !fused && !strstr(step->note, "GlobalAveragePool not fused") &&
                         !strstr(step->note, "GlobalMaxPool not fused"))
            fail_msg("%s\n%s", text, cvk_session_describe(n.run.session));
        if (fused && !strstr(step->fused, "Global")) fail_msg("fused '%s'", step->fused);
        drop_net(&n);
    }
    net n = make_net("in x 1x40x7x7; const w 128x40x1x1; conv = Conv x w; r = Relu conv; pool = "
                     "GlobalAveragePool r; out pool r");
    assert_true(index_of(&n, "pool") > index_of(&n, "conv"));
    drop_net(&n);
}

/* A convolution of one window, with many weights, is a Gemm; with a margin, or few, it is not. */
static void convolutions_of_one_window(void **state)
{
    (void)state;
    static const struct {
        const char *text, *op;
    } rows[] = {
        {"in x 2x512x1x1; const w 520x512x1x1; const b 520; conv = Conv x w b; out conv", "Gemm"},
        {"in x 1x64x4x5; const w 210x64x4x5; conv = Conv x w; r = Relu conv; out r", "Gemm"},
        {"in x 1x96x30; const w 100x96x30; const b 100; conv = Conv x w b; out conv", "Gemm"},
        {"in x 1x64x4x5; const w 210x64x4x5; conv = Conv x w pads=[0,0,1,0]; out conv", "Conv"},
        {"in x 1x64x6x6; const w 20x64x6x6; conv = Conv x w; out conv", "Conv"},
        {"in x 1x512x1x1; const w 1040x256x1x1; conv = Conv x w group=2; out conv", "Conv"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        net n = make_net(rows[i].text);
        const cvk_step_info *step = step_of(n.run.session, "conv");
        if (!step || strcmp(step->op, rows[i].op) != 0)
            fail_msg("%s\n%s", rows[i].text, cvk_session_describe(n.run.session));
        drop_net(&n);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pools_move_before_convolutions),
        cmocka_unit_test(pools_move_behind_convolutions),
        cmocka_unit_test(pairs_that_keep_their_order),
        cmocka_unit_test(chains),
        cmocka_unit_test(a_transition_is_two_steps),
        cmocka_unit_test(maps_before_a_pool),
        cmocka_unit_test(global_pools_in_a_convolution),
        cmocka_unit_test(convolutions_of_one_window),
    };
    is_cpu = argc < 2 || strcmp(argv[1], "cpu") == 0;
    return run_device_tests(argc, argv, &device, tests, sizeof tests / sizeof tests[0]);
}
