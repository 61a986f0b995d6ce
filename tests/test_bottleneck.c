/* SPDX-License-Identifier: Apache-2.0
 *
 * 1x1, depthwise and 1x1 convolutions: which of them become one step, and that it computes what they
 * mean.
 *     test_bottleneck [device]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model_reference.h"

static cvk_device *device;
static bool is_cpu;

/* What the CPU makes of a network: its steps but for reorders, and what is fused into the step that
 * has the node `of`. */
typedef struct expected {
    const char *text;
    int steps;
    const char *of, *fused;
} expected;

/* The rows of the joint step are for CPUs, whichever way they are reached. */
static bool joins(void)
{
    cvk_device_info info;
    return cvk_device_get_info(device, &info) == CVK_OK && info.kind == CVK_DEVICE_CPU;
}

static int working_steps(const cvk_session *session)
{
    cvk_step_info step;
    int count = 0;
    for (int i = 0; cvk_session_step(session, i, &step) == CVK_OK; i++)
        count += strcmp(step.op, "Reorder") != 0 && strcmp(step.op, "Transfer") != 0;
    return count;
}

/* The numbers hold with and without fusion, and on every device; the steps where they are `planned` so. */
static void check(const char *head, const expected *e, bool planned)
{
    char text[2000];
    snprintf(text, sizeof text, "%s\n%s", head, e->text);
    cvk_model *model = model_text(text);
    const cvk_session_options plain = {.no_fuse = true};
    test_run unfused = run_make(model, &device, 1, &plain), run = run_make(model, &device, 1, NULL);
    run_once(&unfused);
    expect_reference(model, &unfused);
    run_once(&run);
    expect_reference(model, &run);
    for (int i = 0; i < run.n_out; i++)
        assert_true(tensor_distance(&run.out[i], &unfused.out[i]) <= 1e-5);
    const cvk_step_info *step = step_of(run.session, e->of);
    if (planned &&
        (working_steps(run.session) != e->steps || !step || strcmp(step->fused, e->fused) != 0))
        fail_msg("%s\n%d steps and '%s' are expected, not\n%s", text, e->steps, e->fused,
                 cvk_session_describe(run.session));
    if (!joins()) /* planned as if there were no such step */
        assert_null(strstr(cvk_session_describe(run.session), "Bottleneck"));
    run_free(&unfused);
    run_free(&run);
    cvk_model_free(&model);
}

/* Two images, for two workers: nothing is computed twice. */
#define HEAD                                                                                       \
    "in x 2x24x14x13; const we 72x24x1x1; const be 72; const wd 72x1x3x3; const bd 72; const w5 "  \
    "72x1x5x5; const wp 24x72x1x1; const bp 24; const lo s =0; const hi s =0.4"

static void three_convolutions_are_one_step(void **state)
{
    (void)state;
    static const expected rows[] = {
        {"a = Conv x we be; b = Conv a wd bd group=72 pads=[1,1,1,1]; y = Conv b wp bp; out y", 1,
         "y", "expand, 3x3/1, project"},
        {"a = Conv x we be; r = Clip a lo hi; b = Conv r wd bd group=72 pads=[1,1,1,1]; s = Clip b "
         "lo hi; c = Conv s wp bp; y = Add c x; out y",
         1, "b", "expand, Clip, 3x3/1, Clip, project, Add"},
        {"a = Conv x we be; r = Relu a; b = Conv r wd bd group=72 pads=[0,1,1,0] strides=[2,2]; s "
         "= Relu b; y = Conv s wp bp; z = Relu y; out z",
         1, "b", "expand, Relu, 3x3/2, Relu, project, Relu"},
        {"a = Conv x we be; r = HardSwish a; b = Conv r w5 bd group=72 pads=[2,2,2,2]; s = "
         "HardSwish b; c = Conv s wp; y = Add x c; out y",
         1, "b", "expand, HardSwish, 5x5/1, HardSwish, project, Add"},
        {"a = Conv x we; r = HardSwish a; b = Conv r w5 - group=72 pads=[2,2,2,2] "
         "strides=[2,2]; t = HardSwish b; y = Conv t wp; z = Sigmoid y; out z",
         1, "b", "expand, HardSwish, 5x5/2, HardSwish, project, Sigmoid"},
        {"const p 72x1x1 ~0,0.5; const q s =0.2; a = Conv x we be; r = PRelu a p; b = Conv r wd bd "
         "group=72 pads=[1,1,1,1]; s = PRelu b q; c = Conv s wp bp; y = Add c x; out y",
         1, "b", "expand, PRelu, 3x3/1, PRelu, project, Add"},
        {"const e 72; const g 72 ~0.5,1.5; const m 72; const v 72 ~0.5,2; a = Conv x we; n = "
         "BatchNormalization a g e m v; r = Relu n; b = Conv r wd - group=72 pads=[1,1,1,1]; k = "
         "BatchNormalization b g e m v; s = Relu k; y = Conv s wp bp; out y",
         1, "b", "expand, Relu, 3x3/1, Relu, project"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check(HEAD, &rows[i], joins());
}

static void two_convolutions_are_one_step(void **state)
{
    (void)state;
    static const expected rows[] = {
        /* no expand; then one that others read, too */
        {"const w 24x1x3x3; const v 40x24x1x1; a = Conv x w - group=24 pads=[1,1,1,1]; r = Relu a; "
         "y = Conv r v; z = Relu y; out z",
         1, "y", "3x3/1, Relu, project, Relu"},
        {"a = Conv x we be; r = Relu a; b = Conv r wd bd group=72 pads=[1,1,1,1]; y = Conv b wp "
         "bp; out y r",
         2, "b", "3x3/1, project"},
        /* no project; then a gate in between */
        {"a = Conv x we be; r = Relu a; y = Conv r wd bd group=72 pads=[1,1,1,1] strides=[2,2]; z "
         "= Relu y; out z",
         1, "y", "expand, Relu, 3x3/2, Relu"},
        {"const w1 8x72x1x1; const w2 72x8x1x1; a = Conv x we be; r = HardSwish a; b = Conv r wd "
         "bd "
         "group=72 pads=[1,1,1,1]; s = HardSwish b; g = GlobalAveragePool s; h = Conv g w1; i = "
         "Relu h; j = Conv i w2; k = HardSigmoid j; m = Mul s k; y = Conv m wp bp; z = Add y x; "
         "out z",
         5, "b", "expand, HardSwish, 3x3/1, HardSwish"},
        /* the second depthwise convolution's 1x1 belongs to the first */
        {"const w 24x1x3x3; const v 48x24x1x1; const u 48x1x3x3; const t 32x48x1x1; a = Conv x w - "
         "group=24 pads=[1,1,1,1]; b = Conv a v; c = Conv b u - group=48 pads=[1,1,1,1]; y = Conv "
         "c "
         "t; out y",
         2, "y", "3x3/1, project"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check(HEAD, &rows[i], joins());
}

static void what_is_not_of_the_kind_stays(void **state)
{
    (void)state;
    static const expected rows[] = {
        {"a = Conv x we be strides=[2,2]; b = Conv a wd bd group=72 pads=[1,1,1,1]; r = Relu b; s "
         "= Sigmoid r; y = Conv s wp bp; out y",
         3, "b", "Relu, Sigmoid"},
        {"const w 24x72x3x3; a = Conv x we be pads=[1,1,1,1]; b = Conv a wd bd group=72 "
         "pads=[1,1,1,1]; y = Conv b w bp; out y",
         3, "b", ""},
        {"const v 24x36x1x1; a = Conv x we be; b = Conv a wd bd group=72 pads=[1,1,1,1]; y = Conv "
         "b v bp group=2; out y a",
         3, "b", ""},
        {"const w 144x1x3x3; const v 24x144x1x1; a = Conv x we be; b = Conv a w - group=72 "
         "pads=[1,1,1,1]; y = Conv b v; out y",
         3, "b", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check(HEAD, &rows[i], joins());
}

/* What only the CPU's own rows decide so. */
static void the_cpu_decides(void **state)
{
    (void)state;
    /* next to two exponentials per number there is little to save */
    static const expected exponentials = {
        "a = Conv x we; q = Sigmoid a; r = Mul a q; b = Conv r w5 - group=72 pads=[2,2,2,2]; t = "
        "Sigmoid b; s = Mul b t; y = Conv s wp; out y",
        3, "b", "Swish"};
    check(HEAD, &exponentials, is_cpu);
    static const expected window = {
        "const v 17x40x3x3; m = Mul x g; y = Conv m v - dilations=[2,2] pads=[2,1,2,2]; out y", 1,
        "y", "Mul before"};
    check("in x 2x40x9x8; in g 2x40x1x1", &window, is_cpu);
    static const expected grouped = {
        "const w 32x32x1x1; m = Mul x g; y = Conv m w - group=2; out y", 1, "y", "Mul before"};
    check("in x 2x64x9x8; in g 2x64x1x1", &grouped, is_cpu);
}

/* The factors of a squeeze-and-excite block on the way into the convolution. */
static void a_gate_before_a_convolution(void **state)
{
    (void)state;
    static const char head[] = "in x 2x40x9x8; in g 2x40x1x1; in h 1x40x1x1; const w 24x40x1x1; "
                               "const b 24; const q s =0.5";
    static const expected rows[] = {
        {"m = Mul x g; y = Conv m w b; out y", 1, "y", "Mul before"},
        {"m = Mul g x; y = Conv m w; r = Relu y; z = Conv x w; a = Add r z; out a", 2, "y",
         "Mul before, Relu, Add"},
        {"m = Mul x g; y = Conv m w b; out y m", 2, "y", ""},
        {"m = Mul x h; y = Conv m w b; out y", 2, "y", ""}, /* one for both images */
        {"m = Mul g h; y = Conv m w b; out y", 2, "y", ""}, /* nothing but gates */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check(head, &rows[i], joins());
}

/* One image, whose two parts expand rows twice: the CPU decides, the numbers are the same. */
static void one_image(void **state)
{
    (void)state;
    static const char *const nets[] = {
        "in x 1x16x40x37; const e 96x16x1x1; const d 96x1x3x3; const p 24x96x1x1; a = Conv x e; r "
        "= Relu a; b = Conv r d - group=96 pads=[1,1,1,1] strides=[2,2]; s = Relu b; y = Conv s p; "
        "out y",
        "in x 1x64x7x7; const e 384x64x1x1; const d 384x1x5x5; const p 64x384x1x1; a = Conv x e; r "
        "= Relu a; b = Conv r d - group=384 pads=[2,2,2,2]; s = Relu b; c = Conv s p; y = Add c x; "
        "out y",
        ("in x 1x8x64x50; const e 128x8x1x1; const d 128x1x5x5; const p 8x128x1x1; a = Conv x e\n"
         "b = Conv a d - group=128 pads=[2,2,2,2]; c = Conv b p; y = Add c x; out y"),
    };
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        cvk_model *model = model_text(nets[i]);
        test_run run = run_make(model, &device, 1, NULL);
        run_once(&run);
        expect_reference(model, &run);
        run_free(&run);
        cvk_model_free(&model);
    }
}

/* A kernel by name is one for the convolutions. */
static void a_preferred_kernel_is_used(void **state)
{
    (void)state;
    cvk_model *model = model_text(
        HEAD "\na = Conv x we be; b = Conv a wd bd group=72 pads=[1,1,1,1]; y = Conv b wp; out y");
    test_run run = run_make(model, &device, 1, &(cvk_session_options){.prefer_kernel = "conv_any"});
    run_once(&run);
    expect_reference(model, &run);
    if (is_cpu) assert_string_equal(step_of(run.session, "b")->kernel, "conv_any");
    run_free(&run);
    cvk_model_free(&model);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_convolutions_are_one_step),
        cmocka_unit_test(two_convolutions_are_one_step),
        cmocka_unit_test(what_is_not_of_the_kind_stays),
        cmocka_unit_test(the_cpu_decides),
        cmocka_unit_test(a_gate_before_a_convolution),
        cmocka_unit_test(one_image),
        cmocka_unit_test(a_preferred_kernel_is_used),
    };
    is_cpu = argc < 2 || strcmp(argv[1], "cpu") == 0;
    return run_device_tests(argc, argv, &device, tests, sizeof tests / sizeof tests[0]);
}
