/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions through the public functions: tensors in and out, mistakes of the caller's, lives.
 *     test_session [device]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "tests/model_reference.h"

static cvk_device *device;

static const char small_net[] =
    "in x ?x3x12x10; const w 16x3x3x3; const b 16; const v 16x16x3x3\n"
    "c1 = Conv x w b pads=[1,1,1,1]; r1 = Relu c1; c2 = Conv r1 v - pads=[1,1,1,1]\n"
    "a = Add c2 r1; r2 = Relu a; p = MaxPool r2 kernel_shape=[2,2] strides=[2,2]\n"
    "const f 480x7; fl = Flatten p; y = Gemm fl f; out y";

static void check_text(const char *text, const cvk_session_options *options)
{
    cvk_model *model = model_text(text);
    test_run run = run_make(model, &device, 1, options);
    run_once(&run);
    expect_reference(model, &run);
    run_free(&run);
    cvk_model_free(&model);
}

/* --- tensors --- */

static void runs_by_position_and_by_name(void **state)
{
    (void)state;
    cvk_model *model = model_text("in p 1x8; in q 1x8; s = Sub p q; d = Div p q; out s d");
    test_run run = run_make(model, &device, 1, NULL);
    for (int i = 0; i < 2; i++) run.in[i].name = run.out[i].name = NULL;
    run_once(&run);
    expect_reference(model, &run);
    float s[8], d[8];
    const cvk_tensor in[] = {
        {.name = "q", .dtype = CVK_F32, .rank = 2, .dims = {1, 8}, .data = run.in[1].data},
        {.name = "p", .dtype = CVK_F32, .rank = 2, .dims = {1, 8}, .data = run.in[0].data}};
    const cvk_tensor out[] = {
        {.name = "d", .dtype = CVK_F32, .rank = 2, .dims = {1, 8}, .data = d},
        {.name = "s", .dtype = CVK_F32, .rank = 2, .dims = {1, 8}, .data = s}};
    expect_ok(cvk_session_run(run.session, in, 2, out, 2), "by name");
    assert_memory_equal(s, run.out[0].data, sizeof s);
    assert_memory_equal(d, run.out[1].data, sizeof d);
    run_free(&run);
    cvk_model_free(&model);
}

static void outputs_may_be_left_out(void **state)
{
    (void)state;
    cvk_model *model = model_text("in x 1x16x6x5; const w 16x16x3x3; c = Conv x w; r = Relu c\n"
                                  "g = GlobalAveragePool r; out c r g");
    test_run run = run_make(model, &device, 1, NULL);
    run_once(&run);
    expect_reference(model, &run);
    for (int mask = 0; mask < 8; mask++) {
        cvk_tensor out[3];
        int n = 0;
        for (int i = 0; i < 3; i++) {
            if (!(mask >> i & 1)) continue;
            out[n] = run.out[i];
            out[n++].data = calloc((size_t)cvk_tensor_count(&run.out[i]), sizeof(float));
        }
        expect_ok(cvk_session_run(run.session, run.in, 1, out, n), "subset");
        for (int i = 0, k = 0; i < 3; i++)
            if (mask >> i & 1) assert_true(tensor_distance(&out[k++], &run.out[i]) == 0);
        for (int i = 0; i < n; i++) free(out[i].data);
    }
    expect_ok(cvk_session_run(run.session, run.in, 1, run.out, 2), "the first two");
    run_free(&run);
    cvk_model_free(&model);
}

static void unusual_outputs(void **state)
{
    (void)state;
    check_text("in x 1x2x3; r = Relu x; out x r", NULL); /* an input */
    check_text("in x 2x3; i = Identity x; out i", NULL); /* an input's other name */
    check_text("in x 1x2x3; const s 2:i64 =3,2; r = Reshape x s; out r",
               NULL); /* an input's other shape */
    check_text("in x 1x2x3; const s 2:i64 =3,2; r = Reshape x s; q = Relu x; out r x q", NULL);
    check_text("in x 2x2; const c 2x3; i = Identity c; r = Relu x; out c i r",
               NULL); /* constants */
    check_text("in x 2x2; r = Relu x; i = Identity r; j = Identity r; out r i j",
               NULL); /* one value three times */
    check_text("in x 1x16x4x4; const w 32x16x1x1; c = Conv x w; i = Identity c; out i c", NULL);
    check_text(
        "in x 1x16x4x4; const w 20x16x1x1; c = Conv x w; f = Flatten c; r = Relu f; out f c r",
        NULL);
    check_text("in x 1x4; const s 2:i64 =0,1; r = Relu x; sh = Shape r; out sh", NULL);
}

static void other_types(void **state)
{
    (void)state;
    check_text("in x 1x4x3x3:u8; c = Cast x to=1; const w 8x4x2x2; y = Conv c w; i = ArgMax y "
               "axis=1; out i y",
               NULL);
    check_text("in x 2x3:i64; in y 2x3:i64; s = Add x y; m = Mul s y; out m", NULL);
    check_text("in x 3x4:f64; y = Relu x; out y", NULL);
    check_text("in x 6; in i 4:i32; const k 4:i64 =3,0,5,5; y = Gather x k; out y", NULL);
    check_text("in x s; const c s =2.5; y = Mul x c; out y", NULL);
}

/* One pixel, channels that do not fill a block: no kernel may reach beyond the caller's tensor. */
static void tensors_of_exact_size(void **state)
{
    (void)state;
    check_text("in x 1x10x1x1; const w 5x10x1x1; y = Conv x w; out y", NULL);
    check_text("in x 1x10x1x1; r = Relu x; const w 16x10x1x1; y = Conv x w; out y r", NULL);
    check_text("in x 1x24x1x1; const w 7x24x1x1; y = Conv x w; s = Sigmoid y; out s", NULL);
    check_text(
        "in x 2x24x1x1; const w 7x24x1x1; y = Conv x w; g = GlobalMaxPool y; f = Flatten g; out f",
        NULL);
    check_text("in x 1x17x5x3; g = GlobalAveragePool x; const w 17x17x1x1; y = Conv g w; out y",
               NULL);
    check_text("in x 1x1x1x1; const w 1x1x1x1; y = Conv x w; out y", NULL);
    check_text("in x 1x33x7; const w 19x33x3; y = Conv x w; r = Relu y; out r", NULL);
}

/* The caller's memory need only be aligned to its elements. */
static void tensors_need_no_alignment(void **state)
{
    (void)state;
    cvk_model *model = model_text(small_net);
    test_run run = run_make(model, &device, 1, NULL);
    run_once(&run);
    for (size_t shift = 1; shift < 4; shift++) {
        size_t n = (size_t)cvk_tensor_count(&run.in[0]);
        float *moved = malloc((n + shift) * sizeof *moved), y[7 + 4];
        memcpy(moved + shift, run.in[0].data, n * sizeof *moved);
        cvk_tensor in = run.in[0], out = run.out[0];
        in.data = moved + shift;
        out.data = y + shift;
        expect_ok(cvk_session_run(run.session, &in, 1, &out, 1), "shifted");
        assert_memory_equal(y + shift, run.out[0].data, 7 * sizeof *y);
        free(moved);
    }
    run_free(&run);
    cvk_model_free(&model);
}

static void free_dimensions_are_given_when_planning(void **state)
{
    (void)state;
    cvk_model *model =
        model_text("in image ?x3x?x?; const w 8x3x3x3; c = Conv image w pads=[1,1,1,1]\n"
                   "p = AveragePool c kernel_shape=[2,2] strides=[2,2]; r = Relu p; out r");
    static const int64_t sizes[][3] = {{1, 8, 8}, {2, 9, 17}, {3, 30, 5}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        cvk_tensor shape = {.name = i % 2 ? "image" : NULL,
                            .rank = 4,
                            .dims = {sizes[i][0], 3, sizes[i][1], sizes[i][2]}};
        cvk_session_options options = {.inputs = &shape, .n_inputs = 1};
        test_run run = run_make(model, &device, 1, &options);
        assert_int_equal(run.out[0].dims[0], sizes[i][0]);
        assert_int_equal(run.out[0].dims[2], sizes[i][1] / 2);
        run_once(&run);
        expect_reference(model, &run);
        run_free(&run);
    }
    cvk_session *session = NULL;
    cvk_session_options none = {0};
    expect_failure(cvk_session_create(model, &device, 1, &none, &session), CVK_SHAPE,
                   "input 'image': dimension 2 of 1x3x?x? is free: give the input's shape");
    cvk_tensor shape = {.name = "picture", .rank = 4, .dims = {1, 3, 8, 8}};
    cvk_session_options options = {.inputs = &shape, .n_inputs = 1};
    expect_failure(cvk_session_create(model, &device, 1, &options, &session), CVK_BAD_ARGUMENT,
                   "the model has no input called 'picture'");
    shape.name = "image";
    shape.dims[1] = 4;
    expect_failure(cvk_session_create(model, &device, 1, &options, &session), CVK_SHAPE,
                   "input 'image': the shape given is 1x4x8x8, the model wants ?x3x?x?");
    shape.dims[1] = 3;
    shape.dims[2] = 1; /* the pool has nothing left */
    assert_int_equal(cvk_session_create(model, &device, 1, &options, &session), CVK_SHAPE);
    assert_non_null(strstr(cvk_last_error(), "'p'"));
    assert_null(session);
    cvk_model_free(&model);
}

static void free_batch_is_one_by_default(void **state)
{
    (void)state;
    check_text(small_net, NULL);
    cvk_tensor shape = {.rank = 4, .dims = {5, 3, 12, 10}};
    cvk_session_options options = {.inputs = &shape, .n_inputs = 1};
    check_text(small_net, &options);
}

static void nothing_cannot_be_computed_with(void **state)
{
    (void)state;
    cvk_tensor shape = {.rank = 4, .dims = {0, 3, 12, 10}};
    cvk_session_options options = {.inputs = &shape, .n_inputs = 1};
    cvk_session *session = NULL;
    cvk_model *model = model_text(small_net);
    expect_failure(cvk_session_create(model, &device, 1, &options, &session), CVK_SHAPE,
                   "node 'c1' (Conv): input 'x' has no elements: its shape is 0x3x12x10");
    assert_null(session);
    cvk_model_free(&model);
}

/* An input that the plan must know is given with the options and stays for the session's life. */
static void inputs_that_are_constant(void **state)
{
    (void)state;
    int64_t dims[] = {4, 6, 1}, wrong[] = {5, 5, 5};
    cvk_model *model =
        model_text("in x 2x12; in dims 2:i64; y = Reshape x dims; z = Relu y; out z");
    cvk_session *session = NULL;
    cvk_tensor constant = {.name = "dims", .dtype = CVK_I64, .rank = 1, .dims = {2}, .data = dims};
    cvk_session_options options = {.constants = &constant, .n_constants = 1};
    test_run run = run_make(model, &device, 1, &options);
    assert_int_equal(run.out[0].dims[1], 6);
    dims[0] = dims[1] = 99; /* it was copied */
    expect_ok(cvk_session_run(run.session, run.in, 1, run.out, 1), "without the constant");
    const float *x = run.in[0].data, *z = run.out[0].data;
    for (int i = 0; i < 24; i++) assert_true(z[i] == (x[i] > 0 ? x[i] : 0));
    run_once(&run);
    run_free(&run);
    constant.data = wrong;
    assert_int_equal(cvk_session_create(model, &device, 1, &options, &session), CVK_SHAPE);
    constant.dims[0] = -1;
    expect_failure(cvk_session_create(model, &device, 1, &options, &session), CVK_SHAPE,
                   "the constant for input 'dims' has no definite shape");
    constant.dims[0] = 3;
    assert_int_equal(cvk_session_create(model, &device, 1, &options, &session), CVK_SHAPE);
    constant.dims[0] = 2;
    constant.data = NULL;
    expect_failure(cvk_session_create(model, &device, 1, &options, &session), CVK_BAD_ARGUMENT,
                   "the constant for input 'dims' has no data");
    constant.data = dims;
    constant.dtype = CVK_F64;
    expect_failure(cvk_session_create(model, &device, 1, &options, &session), CVK_BAD_INPUT,
                   "input 'dims' has type int64, its constant has float64");
    constant.name = "sizes";
    expect_failure(cvk_session_create(model, &device, 1, &options, &session), CVK_BAD_ARGUMENT,
                   "a constant is given for 'sizes', but the model has no such input");
    constant.name = NULL;
    assert_int_equal(cvk_session_create(model, &device, 1, &options, &session), CVK_BAD_ARGUMENT);
    options = (cvk_session_options){.n_constants = 1};
    assert_int_equal(cvk_session_create(model, &device, 1, &options, &session), CVK_BAD_ARGUMENT);
    assert_null(session);
    cvk_model_free(&model);
}

/* --- mistakes --- */

static void mistakes_in_a_run_are_named(void **state)
{
    (void)state;
    cvk_model *model = model_text(
        "in x 1x3x4x4; in z 1x3x4x4; const w 5x3x1x1; a = Add x z; conv = Conv a w; out conv");
    test_run run = run_make(model, &device, 1, NULL);
    cvk_tensor in[] = {run.in[0], run.in[1]}, out = run.out[0];
    cvk_session *s = run.session;
    expect_failure(cvk_session_run(s, in, 1, &out, 1), CVK_BAD_ARGUMENT, "input 'z' is missing");
    in[1].name = "nothing";
    expect_failure(cvk_session_run(s, in, 2, &out, 1), CVK_BAD_ARGUMENT,
                   "the model has no input called 'nothing'");
    in[1] = run.in[1];
    in[1].dims[3] = 5;
    expect_failure(cvk_session_run(s, in, 2, &out, 1), CVK_SHAPE,
                   "input 'z' has shape 1x3x4x5, the session was planned for 1x3x4x4");
    in[1].dims[3] = 0;
    expect_failure(cvk_session_run(s, in, 2, &out, 1), CVK_SHAPE,
                   "input 'z' has shape 1x3x4x0, the session was planned for 1x3x4x4");
    in[1] = run.in[1];
    in[1].rank = 9;
    expect_failure(cvk_session_run(s, in, 2, &out, 1), CVK_BAD_ARGUMENT,
                   "input 'z': rank 9 is outside 0 to 8");
    in[1] = run.in[1];
    in[1].dtype = CVK_F64;
    expect_failure(cvk_session_run(s, in, 2, &out, 1), CVK_BAD_INPUT,
                   "input 'z' has type float64, the session was planned for float32");
    in[1] = run.in[1];
    in[1].data = NULL;
    expect_failure(cvk_session_run(s, in, 2, &out, 1), CVK_BAD_ARGUMENT, "input 'z' has no data");
    in[1] = run.in[1];
    out.dims[1] = 4;
    expect_failure(cvk_session_run(s, in, 2, &out, 1), CVK_SHAPE,
                   "output 'conv' has shape 1x4x4x4, the session was planned for 1x5x4x4");
    out = run.out[0];
    out.name = "y";
    expect_failure(cvk_session_run(s, in, 2, &out, 1), CVK_BAD_ARGUMENT,
                   "the model has no output called 'y'");
    out = run.out[0];
    out.data = NULL;
    expect_failure(cvk_session_run(s, in, 2, &out, 1), CVK_BAD_ARGUMENT,
                   "output 'conv' has no data");
    cvk_tensor three[] = {run.in[0], run.in[1], run.in[1]};
    three[2].name = NULL;
    expect_failure(cvk_session_run(s, three, 3, &run.out[0], 1), CVK_BAD_ARGUMENT,
                   "3 inputs given, the model has 2");
    run_once(&run); /* and the session is none the worse */
    expect_reference(model, &run);
    run_free(&run);
    cvk_model_free(&model);
}

static void nan_in_an_input_is_refused(void **state)
{
    (void)state;
    cvk_model *model = model_text("in x 1x3x4x4; const w 5x3x1x1; conv = Conv x w; out conv");
    test_run run = run_make(model, &device, 1, NULL);
    float *x = run.in[0].data;
    x[9] = NAN;
    x[8] = INFINITY;
    expect_failure(cvk_session_run(run.session, run.in, 1, run.out, 1), CVK_BAD_INPUT,
                   "input 'x', read by node 'conv': element 9 is not a number (NaN)");
    x[9] = -INFINITY;
    run_once(&run);
    run_free(&run);
    cvk_session_options options = {.allow_nan = true};
    run = run_make(model, &device, 1, &options);
    ((float *)run.in[0].data)[9] = NAN;
    run_once(&run);
    const float *y = run.out[0].data;
    for (int i = 0; i < 80; i++) assert_int_equal(isnan(y[i]) != 0, i % 16 == 9);
    run_free(&run);
    cvk_model_free(&model);
}

/* Inside and behind the pieces that are looked at as one; of either sign. */
static void nan_is_found_wherever_it_stands(void **state)
{
    (void)state;
    cvk_model *model = model_text("in x 243; y = Relu x; out y");
    test_run run = run_make(model, &device, 1, NULL);
    float *x = run.in[0].data;
    x[2] = 3e38f;
    for (int i = 0; i < 243; i += i % 64 == 63 ? 1 : 7) {
        char sentence[80];
        float was = x[i];
        x[i] = i % 2 ? NAN : -NAN;
        snprintf(sentence, sizeof sentence,
                 "input 'x', read by node 'y': element %d is not a number (NaN)", i);
        expect_failure(cvk_session_run(run.session, run.in, 1, run.out, 1), CVK_BAD_INPUT, sentence);
        x[i] = was;
    }
    run_once(&run);
    run_free(&run);
    cvk_model_free(&model);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    cvk_model *model = model_text("in x 2; y = Relu x; out y");
    cvk_session *session = NULL;
    cvk_device *none = NULL;
    cvk_tensor t;
    cvk_step_info step;
    assert_int_equal(cvk_session_create(NULL, &device, 1, NULL, &session), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_session_create(model, NULL, 1, NULL, &session), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_session_create(model, &device, 0, NULL, &session), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_session_create(model, &none, 1, NULL, &session), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_session_create(model, &device, 1, NULL, NULL), CVK_BAD_ARGUMENT);
    cvk_session_options no_array = {.n_inputs = 1};
    assert_int_equal(cvk_session_create(model, &device, 1, &no_array, &session), CVK_BAD_ARGUMENT);
    assert_null(session);
    test_run run = run_make(model, &device, 1, NULL);
    assert_int_equal(cvk_session_run(NULL, run.in, 1, run.out, 1), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_session_run(run.session, NULL, 1, run.out, 1), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_session_run(run.session, run.in, 1, NULL, 1), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_session_run(run.session, run.in, -1, run.out, 1), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_session_input(run.session, 1, &t), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_session_output(run.session, -1, &t), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_session_step(run.session, 100, &step), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_session_wait(NULL), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_session_get_info(run.session, NULL), CVK_BAD_ARGUMENT);
    cvk_session_free(NULL);
    cvk_session_free(&session);
    run_free(&run);
    cvk_model_free(&model);
}

/* --- lives --- */

static void model_may_go_before_the_run(void **state)
{
    (void)state;
    cvk_model *model = model_text(small_net);
    test_run kept = run_make(model, &device, 1, NULL);
    run_once(&kept);
    test_run run = run_make(model, &device, 1, NULL);
    cvk_session_options options = {.no_fuse = true, .keep_values = true};
    test_run plain = run_make(model, &device, 1, &options);
    cvk_model_free(&model);
    run_once(&run);
    run_once(&plain);
    assert_true(tensor_distance(&run.out[0], &kept.out[0]) == 0);
    assert_true(tensor_distance(&plain.out[0], &kept.out[0]) < 1e-5);
    assert_non_null(strstr(cvk_session_describe(run.session), "c1"));
    assert_non_null(step_of(run.session, "r2"));
    cvk_tensor t;
    expect_ok(cvk_session_input(run.session, 0, &t), "input");
    assert_string_equal(t.name, "x");
    expect_ok(cvk_session_output(run.session, 0, &t), "output");
    assert_string_equal(t.name, "y");
    run_free(&run);
    run_free(&plain);
    run_free(&kept);
}

/* New weights stand first in the device's list: with none, it begins as it did. */
static void sessions_share_weights(void **state)
{
    (void)state;
    cvk_model *model = model_text(small_net);
    assert_null(device->packs);
    test_run first = run_make(model, &device, 1, NULL);
    const void *packs = device->packs;
    assert_non_null(packs);
    test_run second = run_make(model, &device, 1, NULL);
    assert_ptr_equal(device->packs, packs);
    assert_int_equal(device->sessions, 2);
    run_free(&first);
    assert_ptr_equal(device->packs, packs);
    run_free(&second);
    assert_null(device->packs);
    assert_int_equal(device->sessions, 0);
    cvk_model_free(&model);
}

static void sessions_outlive_each_other(void **state)
{
    (void)state;
    cvk_model *model = model_text(small_net);
    test_run first = run_make(model, &device, 1, NULL), second = run_make(model, &device, 1, NULL);
    run_once(&first);
    run_free(&first); /* the weights they share stay */
    run_once(&second);
    expect_reference(model, &second);
    run_free(&second);
    cvk_model_free(&model);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_by_position_and_by_name),
        cmocka_unit_test(outputs_may_be_left_out),
        cmocka_unit_test(unusual_outputs),
        cmocka_unit_test(other_types),
        cmocka_unit_test(tensors_of_exact_size),
        cmocka_unit_test(tensors_need_no_alignment),
        cmocka_unit_test(free_dimensions_are_given_when_planning),
        cmocka_unit_test(free_batch_is_one_by_default),
        cmocka_unit_test(nothing_cannot_be_computed_with),
        cmocka_unit_test(inputs_that_are_constant),
        cmocka_unit_test(mistakes_in_a_run_are_named),
        cmocka_unit_test(nan_in_an_input_is_refused),
        cmocka_unit_test(nan_is_found_wherever_it_stands),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(model_may_go_before_the_run),
        cmocka_unit_test(sessions_share_weights),
        cmocka_unit_test(sessions_outlive_each_other),
    };
    return run_device_tests(argc, argv, &device, tests, sizeof tests / sizeof tests[0]);
}
