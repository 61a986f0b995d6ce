/* SPDX-License-Identifier: Apache-2.0
 *
 * Weights of fully connected layers in float16: what becomes of each layer, how far the outputs are
 * from those of float32 weights, what is refused.
 *     test_precision [device]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "base/cpu.h"
#include "graph/shape.h"
#include "tests/model_reference.h"

static cvk_device *device;

static const cvk_session_options f16 = {.precision = CVK_F16};

/* Rounding moves each weight by at most 2^-11 of it. */
static const double bound = 0x1p-11;

static const char two_layers[] =
    "in x ?x3x8x8; const w 16x3x3x3; const b 16; const v 40x256; const d 40; const u 40x9\n"
    "c = Conv x w b pads=[1,1,1,1]; r = Relu c; p = MaxPool r kernel_shape=[2,2] strides=[2,2]\n"
    "f = Flatten p; g = Gemm f v d transB=1; h = Relu g; m = MatMul h u; y = Tanh m; out y";

static test_run run_of(const cvk_model *model, const cvk_session_options *options)
{
    test_run run = run_make(model, &device, 1, options);
    run_once(&run);
    return run;
}

static size_t weight_bytes(const test_run *run)
{
    cvk_session_info info;
    expect_ok(cvk_session_get_info(run->session, &info), "info");
    return info.weight_bytes;
}

/* The step of `node` has weights of this type; its note begins with `note`. */
static const cvk_step_info *expect_weights(const test_run *run, const char *node, cvk_dtype type,
                                           const char *note)
{
    const cvk_step_info *step = step_of(run->session, node);
    assert_non_null(step);
    if (step->weights != type || strncmp(step->note, note, strlen(note)) != 0)
        fail_msg("%s has %s weights, noted '%s'; expected %s, '%s'", node,
                 cvk_dtype_name(step->weights), step->note, cvk_dtype_name(type), note);
    return step;
}

static void layers_are_rounded(const cvk_session_options *options)
{
    cvk_model *model = model_text(two_layers);
    cvk_session_options plain = *options;
    plain.precision = CVK_F32;
    test_run wide = run_of(model, &plain), half = run_of(model, options);
    expect_reference(model, &wide);
    expect_weights(&wide, "g", CVK_F32, "");
    expect_weights(&wide, "c", CVK_NONE, "");
    for (int i = 0; i < 2; i++) {
        const cvk_step_info *step =
            expect_weights(&half, i ? "m" : "g", CVK_F16, "weights float16, relative L2 ");
        assert_true(step->weights_rel_l2 > bound / 20 && step->weights_rel_l2 <= bound);
        assert_string_not_equal(step->device, "host");
        assert_non_null(strstr(cvk_session_describe(half.session), step->note));
    }
    double distance = distance_to_reference(model, &half);
    assert_true(distance > bound / 100 && distance <= 2 * bound);
    assert_true(weight_bytes(&wide) - weight_bytes(&half) >= 2 * (40 * 256 + 40 * 9));
    run_free(&half);
    run_free(&wide);
    cvk_model_free(&model);
}

static void fully_connected_layers_are_rounded(void **state)
{
    (void)state;
    layers_are_rounded(&f16);
    layers_are_rounded(&(cvk_session_options){.precision = CVK_F16, .no_fuse = true});
    layers_are_rounded(
        &(cvk_session_options){.precision = CVK_F16, .workspace_bytes = (size_t)16 << 20});
}

static void batches_of_every_size(void **state)
{
    (void)state;
    cvk_model *model = model_text(two_layers);
    for (int batch = 1; batch <= 20; batch++) {
        const cvk_tensor shape = {
            .name = "x", .dtype = CVK_F32, .rank = 4, .dims = {batch, 3, 8, 8}};
        const cvk_session_options options = {
            .precision = CVK_F16, .inputs = &shape, .n_inputs = 1};
        test_run run = run_of(model, &options);
        double distance = distance_to_reference(model, &run);
        if (!(distance <= 2 * bound)) fail_msg("batch %d: %g away", batch, distance);
        run_free(&run);
    }
    cvk_model_free(&model);
}

/* Weights that float16 has are not rounded at all, down to its least subnormal number. */
static void what_float16_has_stays_exact(void **state)
{
    (void)state;
    cvk_model *model = model_text("in x 1x4; const w 4x3 =1,-0.5,65504,0.25,0.09997558594,3,-2048,"
                                  "5.9604644775390625e-8,0,-6.097555160522461e-05,7,0.125\n"
                                  "y = MatMul x w; out y");
    test_run run = run_of(model, &f16);
    const cvk_step_info *step = expect_weights(&run, "y", CVK_F16, "weights float16");
    assert_string_equal(step->note, "weights float16");
    assert_true(step->weights_rel_l2 == 0);
    expect_reference(model, &run);
    run_free(&run);
    cvk_model_free(&model);
}

/* x w with x of ones, and w one row of every finite float16 number. */
static void every_number(int rows)
{
    enum { COUNT = 2 * 0x7c00 };
    static float numbers[COUNT];
    for (int i = 0; i < COUNT; i++)
        numbers[i] = cvk_f16_to_f32((uint16_t)(i % 2 << 15 | i / 2));
    cvk_model *model = model_text("in x ?x1");
    expect_ok(cvk_model_add_constant(model, &(cvk_tensor){.name = "w",
                                                          .dtype = CVK_F32,
                                                          .rank = 2,
                                                          .dims = {1, COUNT},
                                                          .data = numbers}),
              "w");
    model_append(model, "y = MatMul x w; out y");
    const cvk_tensor shape = {.name = "x", .dtype = CVK_F32, .rank = 2, .dims = {rows, 1}};
    const cvk_session_options options = {.precision = CVK_F16, .inputs = &shape, .n_inputs = 1};
    test_run run = run_make(model, &device, 1, &options);
    expect_weights(&run, "y", CVK_F16, "weights float16");
    for (int i = 0; i < rows; i++) ((float *)run.in[0].data)[i] = 1;
    run_once(&run);
    for (int i = 0; i < rows * COUNT; i++)
        if (((const float *)run.out[0].data)[i] != numbers[i % COUNT])
            fail_msg("row %d of %d: %a becomes %a", i / COUNT, rows, (double)numbers[i % COUNT],
                     (double)((const float *)run.out[0].data)[i]);
    run_free(&run);
    cvk_model_free(&model);
}

static void every_number_is_converted_exactly(void **state)
{
    (void)state;
    every_number(1);
    every_number(5);
    every_number(40);
}

/* A layer that float16 cannot hold stays as it is, the others do not; 65519 is rounded to 65504. */
static void a_layer_may_stay_float32(void **state)
{
    (void)state;
    static const struct {
        const char *weights, *note;
        cvk_dtype type;
    } layers[] = {
        {"=1,2,65520,4,5,6", "weights float32: 65520 is no finite float16", CVK_F32},
        {"=1,2,-1e30,4,5,6", "weights float32: -1e+30 is no finite float16", CVK_F32},
        {"=1,2,65519,4,5,6", "weights float16, relative L2 ", CVK_F16},
        {"~-1e-7,1e-7", "weights float32: relative L2 ", CVK_F32},
        {"=0,0,0,0,0,0", "weights float16", CVK_F16},
        {"=1e-8,-1e-9,1,2,3,4", "weights float16, relative L2 ", CVK_F16},
    };
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        char text[300];
        snprintf(text, sizeof text,
                 "in x 2x3; const w 3x2 %s; const v 2x33; a = MatMul x w; y = MatMul a v; out a y",
                 layers[i].weights);
        cvk_model *model = model_text(text);
        test_run run = run_of(model, &f16);
        const cvk_step_info *step = expect_weights(&run, "a", layers[i].type, layers[i].note);
        if (layers[i].type == CVK_F32) assert_true(step->weights_rel_l2 == 0);
        expect_weights(&run, "y", CVK_F16, "weights float16, relative L2 ");
        assert_true(distance_to_reference(model, &run) <= 2 * bound);
        run_free(&run);
        cvk_model_free(&model);
    }
}

/* Weights that two layers read, and that a third node reads as float32. */
static void weights_are_read_twice(void **state)
{
    (void)state;
    cvk_model *model = model_text("in x 1x24; const w 24x24; a = MatMul x w; b = Relu a\n"
                                  "c = MatMul b w; d = Add c w; out c d");
    test_run run = run_of(model, &f16);
    expect_weights(&run, "a", CVK_F16, "weights float16, relative L2 ");
    expect_weights(&run, "c", CVK_F16, "weights float16, relative L2 ");
    assert_true(distance_to_reference(model, &run) <= 3 * bound);
    run_free(&run);
    cvk_model_free(&model);
}

/* Products of other things than an activation and constant weights are none of it. */
static void other_products_stay(void **state)
{
    (void)state;
    cvk_model *model =
        model_text("in x 5x6; in z 6x7; const w 4x5; const i 6x2:i32\n"
                   "k = Cast x to=6; a = MatMul x z; b = MatMul w x; c = MatMul k i; out a b c");
    test_run run = run_of(model, &f16);
    static const char *const nodes[] = {"a", "b"};
    for (int i = 0; i < 2; i++) expect_weights(&run, nodes[i], CVK_NONE, "");
    expect_weights(&run, "c", CVK_I32, "");
    expect_reference(model, &run);
    run_free(&run);
    cvk_model_free(&model);
}

/* Sessions of both precisions side by side hold their own weights, and share with their like. */
static void precisions_do_not_share(void **state)
{
    (void)state;
    static const char net[] = "in x 1x64; const w 64x100; y = MatMul x w; out y";
    cvk_model *model = model_text(net);
    test_run wide = run_of(model, NULL);
    const void *wide_pack = device->packs;
    test_run half = run_of(model, &f16);
    const void *half_pack = device->packs;
    assert_non_null(wide_pack);
    assert_ptr_not_equal(half_pack, wide_pack);
    test_run more[2] = {run_of(model, NULL), run_of(model, &f16)};
    assert_ptr_equal(device->packs, half_pack);
    run_once(&wide);
    run_once(&half);
    expect_reference(model, &wide);
    expect_reference(model, &more[0]);
    assert_true(distance_to_reference(model, &half) > bound / 100);
    assert_true(tensor_distance(&half.out[0], &more[1].out[0]) == 0);
    assert_true(weight_bytes(&half) * 2 == weight_bytes(&wide));
    for (int i = 0; i < 2; i++) run_free(&more[i]);
    run_free(&wide);
    run_free(&half);
    assert_null(device->packs);
    cvk_model_free(&model);
}

/* A float16 model's own weights stay 16 bits wide without being asked for, and exact. */
static void float16_models_keep_their_weights(void **state)
{
    (void)state;
    static const char net[] = "in x 1x64%s; const w 100x64%s; const b 100%s; const v 100x20%s\n"
                              "g = Gemm x w b transB=1; r = Relu g; y = MatMul r v; out y";
    size_t bytes[2];
    for (int half = 0; half < 2; half++) {
        const char *t = half ? ":f16" : "";
        char text[400];
        snprintf(text, sizeof text, net, t, t, t, t);
        cvk_model *model = model_text(text);
        test_run run = run_of(model, NULL);
        bytes[half] = weight_bytes(&run);
        const cvk_dtype type = half ? CVK_F16 : CVK_F32;
        const cvk_step_info *step = expect_weights(&run, "g", type, half ? "weights float16" : "");
        assert_true(step->weights_rel_l2 == 0);
        expect_weights(&run, "y", type, half ? "weights float16" : "");
        /* results between steps are rounded */
        assert_true(distance_to_reference(model, &run) <= (half ? 2 * bound : 1e-5));
        run_free(&run);
        cvk_model_free(&model);
    }
    assert_true(bytes[0] - bytes[1] >= 2 * (100 * 64 + 100 * 20));
}

static void other_precisions_are_refused(void **state)
{
    (void)state;
    cvk_model *model = model_text(two_layers);
    cvk_session *session = NULL;
    cvk_session_options options = {.precision = CVK_I8};
    expect_failure(cvk_session_create(model, &device, 1, &options, &session), CVK_UNSUPPORTED,
                   "cvk_session_create: precision int8: weights are kept as float32 or float16; a "
                   "quantised model computes in 8 bits by itself");
    options.precision = CVK_F64;
    expect_failure(cvk_session_create(model, &device, 1, &options, &session), CVK_BAD_ARGUMENT,
                   "cvk_session_create: options.precision is neither 0, CVK_F32 nor CVK_F16");
    assert_null(session);
    cvk_model_free(&model);
}

/* The CPU's lower levels, on a device of their own. */
static void every_level_of_the_cpu(void **state)
{
    static const char *const levels[] = {"scalar", "avx2", "avx512", "neon"};
    cvk_device *const given = device;
    int tried = 0;
    if (strcmp(given->backend->name, "cpu") != 0) skip();
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        cvk_isa isa;
        const cvk_device_options options = {.threads = 2, .isa = levels[i]};
        if (!cvk_isa_parse(levels[i], &isa) || !cvk_cpu_has(isa)) continue;
        expect_ok(cvk_device_open("cpu", &options, &device), levels[i]);
        layers_are_rounded(&f16);
        every_number_is_converted_exactly(state);
        cvk_device_close(&device);
        tried++;
    }
    device = given;
    assert_true(tried > 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fully_connected_layers_are_rounded),
        cmocka_unit_test(batches_of_every_size),
        cmocka_unit_test(what_float16_has_stays_exact),
        cmocka_unit_test(every_number_is_converted_exactly),
        cmocka_unit_test(a_layer_may_stay_float32),
        cmocka_unit_test(weights_are_read_twice),
        cmocka_unit_test(other_products_stay),
        cmocka_unit_test(precisions_do_not_share),
        cmocka_unit_test(float16_models_keep_their_weights),
        cmocka_unit_test(other_precisions_are_refused),
        cmocka_unit_test(every_level_of_the_cpu),
    };
    return run_device_tests(argc, argv, &device, tests, sizeof tests / sizeof tests[0]);
}
