/* SPDX-License-Identifier: Apache-2.0
 *
 * float16 networks: stored in float16, computed by float32 kernels, against the operators'
 * references, which round after every node.
 *     test_half [device]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/shape.h"
#include "tests/model_reference.h"

static cvk_device *device;

/* A step rounds its result to 2^-11 of it; a dozen of them, amplified a little. */
static const double tolerance = 5e-3;

/* Steps that are not the device's, copies between memories apart. */
static int host_steps(const cvk_session *session)
{
    cvk_step_info step;
    int count = 0;
    for (int i = 0; cvk_session_step(session, i, &step) == CVK_OK; i++)
        count += strcmp(step.device, "host") == 0 && strcmp(step.op, "Transfer") != 0;
    return count;
}

static int steps_of(const cvk_session *session, const char *op)
{
    cvk_step_info step;
    int count = 0;
    for (int i = 0; cvk_session_step(session, i, &step) == CVK_OK; i++)
        count += strcmp(step.op, op) == 0;
    return count;
}

/* Runs the network in both ways; gives the fused run, the caller's to free. */
static test_run check_net(cvk_model *model, const char *text, int on_host)
{
    test_run run = {0};
    for (int fuse = 0; fuse < 2; fuse++) {
        const cvk_session_options options = {.no_fuse = !fuse};
        run_free(&run);
        run = run_make(model, &device, 1, &options);
        run_once(&run);
        double distance = distance_to_reference(model, &run);
        if (!(distance <= tolerance))
            fail_msg("%s\n%g away\n%s", text, distance, cvk_session_describe(run.session));
        if (host_steps(run.session) != on_host)
            fail_msg("%s\n%d steps on the host, expected %d\n%s", text, host_steps(run.session),
                     on_host, cvk_session_describe(run.session));
    }
    return run;
}

static void check(const char *text)
{
    cvk_model *model = model_text(text);
    test_run run = check_net(model, text, 0);
    run_free(&run);
    cvk_model_free(&model);
}

static const char residual[] =
    "in x 1x3x20x18:f16; const w 24x3x3x3:f16; const b 24:f16; const v 24x24x3x3:f16 ~-0.1,0.1\n"
    "const e 10x24:f16; const f 10:f16\n"
    "c = Conv x w b pads=[1,1,1,1]; r = Relu c; p = MaxPool r kernel_shape=[2,2] strides=[2,2]\n"
    "d = Conv p v - pads=[1,1,1,1]; s = Add d p; t = Relu s; g = GlobalAveragePool t\n"
    "h = Flatten g; m = Gemm h e f transB=1; y = Softmax m; out y";

static void a_small_network(void **state)
{
    (void)state;
    check(residual);
}

static void every_kind_of_node(void **state)
{
    (void)state;
    static const char *const nets[] = {
        "in x 2x17x9x7:f16; const g 17:f16 ~0.5,1.5; const b 17:f16; const v 17:f16 ~0.5,1.5\n"
        "n = BatchNormalization x g b b v; y = LeakyRelu n alpha=0.1; out y",
        "in x 1x32x9x7:f16; const w 32x1x3x3:f16; c = Conv x w - group=32 pads=[1,1,1,1]\n"
        "const lo s:f16 =0; const hi s:f16 =0.5; y = Clip c lo hi; out y",
        "in x 1x20x5x6:f16; const w 20x8x2x2:f16; y = ConvTranspose x w - strides=[2,2]; out y",
        "in x 3x40:f16; in z 40x12:f16; m = MatMul x z; y = Tanh m; out y",
        "in x 1x16x8x8:f16; in z 16x1x1:f16; m = Mul x z; a = Sub m x; y = Sigmoid a; out y m",
        "in x 1x16x8x8:f16; y = AveragePool x kernel_shape=[3,3] strides=[2,2]; out y",
        "in x 1x19x6x6:f16; const g 19:f16; y = InstanceNormalization x g g; out y",
        "in x 1x19x6x6:f16; y = LRN x size=5; out y",
        "in x 2x5x6:f16; y = ReduceMean x axes=[1]; out y",
        "in x 1x16x4x4:f16; const s 4 =1,1,2,2; y = Resize x - s mode=linear; out y",
        "in x 1x3x6x6:f16; const p 8:i64 =0,0,1,1,0,0,1,1; y = Pad x p - mode=reflect; out y",
    };
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) check(nets[i]);
}

/* Convolutions and their pools read and write float16 themselves: two casts less for each. */
static void convolutions_without_casts(void **state)
{
    (void)state;
    static const char *const nets[] = {
        "in x 2x16x11x13:f16; const w 40x16x3x3:f16 ~-0.1,0.1; const b 40:f16\n"
        "c = Conv x w b pads=[1,1,1,1] strides=[2,2]; y = Relu c; out y",
        "in x 1x35x9x10:f16; const w 20x35x1x1:f16 ~-0.1,0.1; y = Conv x w; out y",
        "in x 1x32x9x10:f16; const w 32x32x1x1:f16 ~-0.1,0.1; const s 32x1x1:f16 ~0,0.5\n"
        "c = Conv x w - strides=[2,1]; y = PRelu c s; out y",
        "in x 1x32x12x9:f16; const w 64x16x3x2:f16 ~-0.1,0.1\n"
        "c = Conv x w - group=2 dilations=[2,3] pads=[2,1,2,2]; y = Sigmoid c; out y",
        "in x 1x3x33x35:f16; const w 24x3x7x7:f16 ~-0.1,0.1; c = Conv x w - strides=[2,2] "
        "pads=[3,3,3,3]\n"
        "r = Relu c; y = MaxPool r kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1]; out y",
        "in x 1x16x14x14:f16; const w 16x16x3x3:f16 ~-0.1,0.1; c = Conv x w - pads=[1,1,1,1]\n"
        "r = Clip c lo hi; y = AveragePool r kernel_shape=[2,2] strides=[2,2]; out y",
        "in x 1x16x14x14:f16; in z 1x32x14x14:f16; const w 32x16x3x3:f16 ~-0.1,0.1\n"
        "c = Conv x w - pads=[1,1,1,1]; a = Add c z; y = Relu a; out y",
        "in x 1x16x14x14:f16; in z 1x32x14x14:f16; const w 32x16x3x3:f16 ~-0.1,0.1\n"
        "c = Conv x w - pads=[1,1,1,1]; a = Add c z; s = Tanh a\n"
        "y = MaxPool s kernel_shape=[2,2] strides=[2,2]; out y",
        "in x 2x17x31:f16; const w 20x17x3:f16 ~-0.1,0.1; y = Conv x w - pads=[1,1] strides=[2]\n"
        "out y",
        "in x 2x17x9x8:f16; y = MaxPool x kernel_shape=[3,2] strides=[2,1] pads=[1,0,1,1]; out y",
        "in x 1x35x12x10:f16; const g 35:f16 ~0.5,1.5; const b 35:f16; const v 35:f16 ~0.5,1.5\n"
        "const w 20x35x1x1:f16 ~-0.1,0.1; n = BatchNormalization x g b b v; r = Relu n\n"
        "c = Conv r w; y = AveragePool c kernel_shape=[2,2] strides=[2,2]; out y",
        "in x 1x35x12x10:f16; const w 20x35x1x1:f16 ~-0.1,0.1; const b 20:f16\n"
        "p = AveragePool x kernel_shape=[3,3] pads=[1,1,1,1]; c = Conv p w b; y = Relu c; out y",
        "in x 1x35x7x7:f16; const w 40x35x1x1:f16 ~-0.1,0.1; const b 40:f16\n"
        "c = Conv x w b; r = Relu c; y = GlobalAveragePool r; out y",
    };
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        char text[700];
        snprintf(text, sizeof text, "const lo s:f16 =0; const hi s:f16 =0.5\n%s", nets[i]);
        cvk_model *model = model_text(text);
        test_run run = check_net(model, text, 0);
        if (steps_of(run.session, "Cast"))
            fail_msg("%s\ncasts\n%s", text, cvk_session_describe(run.session));
        run_free(&run);
        cvk_model_free(&model);
    }
}

static size_t activation_bytes(const cvk_model *model)
{
    cvk_session *session = NULL;
    cvk_session_info info;
    expect_ok(cvk_session_create(model, &device, 1, NULL, &session), "session");
    expect_ok(cvk_session_get_info(session, &info), "info");
    cvk_session_free(&session);
    return info.activation_bytes;
}

/* A chain of convolutions with a concatenation holds half of what float32 holds. */
static void activations_take_half(void **state)
{
    (void)state;
    static const char net[] =
        "in x 1x16x32x32%s; const w 64x16x1x1%s; const v 64x16x3x3%s; const u 16x128x1x1%s\n"
        "s = Conv x w; a = Relu s; t = Conv x v - pads=[1,1,1,1]; b = Relu t; c = Concat a b "
        "axis=1\n"
        "d = Conv c u; e = Relu d; f = Conv e w; y = Relu f; out y";
    size_t bytes[2];
    for (int half = 0; half < 2; half++) {
        char text[700];
        const char *type = half ? ":f16" : "";
        snprintf(text, sizeof text, net, type, type, type, type);
        cvk_model *model = model_text(text);
        bytes[half] = activation_bytes(model);
        cvk_model_free(&model);
    }
    assert_true(bytes[1] > 0);
    if (bytes[1] * 2 != bytes[0])
        fail_msg("%zu bytes in float16, %zu in float32", bytes[1], bytes[0]);
}

/* No float32 in between: the elements go as they are. */
static void moves_stay_half(void **state)
{
    (void)state;
    static const char *const nets[] = {
        ("in x 1x6x4x5:f16; const s 2:i64 =20,-1; t = Transpose x perm=[0,2,3,1]\n"
         "y = Reshape t s; out y"),
        "in x 2x6x4x5:f16; in z 2x3x4x5:f16; y = Concat x z axis=1; out y",
        "in x 4x6:f16; const i 3:i64 =2,0,-1; y = Gather x i axis=0; out y",
        "in x 1x16x4x6:f16; a,b = Split x axis=1; d = DepthToSpace b blocksize=2; out a d",
    };
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        cvk_model *model = model_text(nets[i]);
        test_run run = check_net(model, nets[i], 0);
        assert_int_equal(steps_of(run.session, "Cast"), 0);
        assert_true(distance_to_reference(model, &run) == 0);
        run_free(&run);
        cvk_model_free(&model);
    }
}

static void branches_concatenate_as_halves(void **state)
{
    (void)state;
    check("in x 1x16x8x8:f16; const u 16x16x1x1:f16; const v 32x16x3x3:f16 ~-0.1,0.1\n"
          "const w 8x56x1x1:f16; const k 1x8x8x8:f16\n"
          "a = Conv x u; b = Conv x v - pads=[1,1,1,1]; k8 = Relu k; r = Relu a; s = Relu b\n"
          "c = Concat r s k8 axis=1; y = Conv c w; out y c");
}

/* A model's own casts keep their roundings, also those to float16 and back. */
static void casts_of_the_model(void **state)
{
    (void)state;
    static const char *const nets[] = {
        "in x 3x7; h = Cast x to=10; y = Cast h to=1; out y",
        "in x 3x7:f16; f = Cast x to=1; r = Relu f; h = Cast r to=10; g = Sqrt h; out h r g",
        "in x 3x7; h = Cast x to=10; i = Identity h; r = Relu i; out r",
        "in x 2x7:f16; i = Identity x; out i",
        "in x 2x7:f16; const s 2:i64 =7,2; r = Relu x; q = Reshape r s; i = Identity q; out r i",
        "in x 2x7:f16; r = Relu x; i = Cast r to=7; out i",
        "in x 2x9:f16; y = ArgMax x axis=1; out y",
    };
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) check(nets[i]);
    cvk_model *model = model_text(nets[0]);
    test_run run = check_net(model, nets[0], 0);
    assert_true(distance_to_reference(model, &run) == 0);
    run_free(&run);
    cvk_model_free(&model);
}

/* What no device has a kernel for runs by its reference, on float16: a stride that none counts with.
 */
static void references_run_on_halves(void **state)
{
    (void)state;
    static const char text[] = "in x 1x3x5x6x7:f16; const w 4x3x3x3x2:f16; r = Relu x\n"
                               "c = Conv r w - strides=[2000000,1,2]; y = Relu c; out y";
    cvk_model *model = model_text(text);
    test_run run = check_net(model, text, 1);
    const cvk_step_info *step = step_of(run.session, "c");
    assert_non_null(step);
    assert_string_equal(step->shape, "1x4x1x4x3 float16");
    run_free(&run);
    cvk_model_free(&model);
}

/* Every float16 number, and every float32 number half-way between two of them. */
static void every_half_is_converted_exactly(void **state)
{
    (void)state;
    enum { HALVES = 1 << 16 };
    static uint16_t halves[HALVES], back[HALVES];
    static float floats[HALVES], middles[HALVES];
    for (int i = 0; i < HALVES; i++) halves[i] = (uint16_t)i;
    for (int i = 0; i < HALVES; i++) {
        float a = cvk_f16_to_f32((uint16_t)i), b = cvk_f16_to_f32((uint16_t)(i + 1));
        middles[i] = isfinite(a) && isfinite(b) ? (a + b) / 2 : a;
        if (a == 65504) middles[i] = 65520; /* half-way to infinity */
    }
    cvk_model *model =
        model_text("in x 65536:f16; in z 65536; y = Cast x to=1; h = Cast z to=10; out y h");
    const cvk_session_options options = {.allow_nan = true};
    test_run run = run_make(model, &device, 1, &options);
    assert_int_equal(host_steps(run.session), 0);
    memcpy(run.in[0].data, halves, sizeof halves);
    memcpy(run.in[1].data, middles, sizeof middles);
    run_once(&run);
    memcpy(floats, run.out[0].data, sizeof floats);
    memcpy(back, run.out[1].data, sizeof back);
    for (int i = 0; i < HALVES; i++) {
        float a = cvk_f16_to_f32((uint16_t)i);
        uint16_t want = cvk_f32_to_f16(middles[i]);
        if (isnan(a) ? !isnan(floats[i]) : memcmp(&a, &floats[i], sizeof a) != 0)
            fail_msg("half %04x becomes %a", i, (double)floats[i]);
        if (isnan(middles[i]) ? (back[i] & 0x7fff) <= 0x7c00 : back[i] != want)
            fail_msg("%a becomes half %04x, expected %04x", (double)middles[i], back[i], want);
    }
    run_free(&run);
    cvk_model_free(&model);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_network),
        cmocka_unit_test(every_kind_of_node),
        cmocka_unit_test(convolutions_without_casts),
        cmocka_unit_test(activations_take_half),
        cmocka_unit_test(moves_stay_half),
        cmocka_unit_test(branches_concatenate_as_halves),
        cmocka_unit_test(casts_of_the_model),
        cmocka_unit_test(references_run_on_halves),
        cmocka_unit_test(every_half_is_converted_exactly),
    };
    return run_device_tests(argc, argv, &device, tests, sizeof tests / sizeof tests[0]);
}
