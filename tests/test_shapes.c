/* SPDX-License-Identifier: Apache-2.0
 *
 * cvk_session_options.plans: one session runs inputs of several shapes, as sessions of their own
 * would; plans that are not kept are made again; without it another shape is an error.
 *     test_shapes [device]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model_text.h"

static cvk_device *device;

static const char net[] =
    "in x ?x16x?x?; const w 32x16x3x3; const s 32 ~0.5,1.5; const t 32; const m 32\n"
    "const v 32 ~0.5,1.5; const w2 24x32x1x1; const wd 24x1x3x3\n"
    "a = Conv x w - pads=[1,1,1,1]; n = BatchNormalization a s t m v; r = Relu n\n"
    "p = MaxPool r kernel_shape=[2,2] strides=[2,2]; c = Conv p w2\n"
    "d = Conv c wd - group=24 pads=[1,1,1,1]; y = Relu d; g = GlobalAveragePool y; out y; out g";

enum { SHAPES = 5 };
static const int64_t shapes[SHAPES][4] = {
    {1, 16, 12, 12}, {2, 16, 20, 12}, {1, 16, 33, 17}, {3, 16, 8, 8}, {1, 16, 12, 20}};

static cvk_tensor tensor_of(const char *name, const int64_t dims[4])
{
    cvk_tensor t = {.name = name, .dtype = CVK_F32, .rank = 4};
    for (int d = 0; d < 4; d++) t.dims[d] = dims[d];
    t.data = calloc((size_t)cvk_tensor_count(&t), sizeof(float));
    assert_non_null(t.data);
    return t;
}

/* Input and both outputs of a shape. */
typedef struct run {
    cvk_tensor in, out[2];
} run;

static run run_of(int shape)
{
    const int64_t *dims = shapes[shape];
    const int64_t pooled[4] = {dims[0], 24, dims[2] / 2, dims[3] / 2},
                  mean[4] = {dims[0], 24, 1, 1};
    run made = {tensor_of("x", dims), {tensor_of("y", pooled), tensor_of("g", mean)}};
    fill_tensor(&made.in, 7 + (uint64_t)shape);
    return made;
}

static void free_run(run *r)
{
    free(r->in.data);
    free(r->out[0].data);
    free(r->out[1].data);
}

/* What a session for this shape alone computes. */
static void alone(const cvk_model *model, run *r)
{
    cvk_session *session = NULL;
    const cvk_session_options options = {.inputs = &r->in, .n_inputs = 1};
    expect_ok(cvk_session_create(model, &device, 1, &options, &session), "session");
    expect_ok(cvk_session_run(session, &r->in, 1, r->out, 2), "run");
    cvk_session_free(&session);
}

static void check(cvk_session *session, const cvk_model *model, int shape)
{
    run want = run_of(shape), got = run_of(shape);
    cvk_tensor described = {0};
    alone(model, &want);
    expect_ok(cvk_session_run(session, &got.in, 1, got.out, 2), "run of another shape");
    for (int i = 0; i < 2; i++) assert_true(tensor_distance(&got.out[i], &want.out[i]) <= 1e-6);
    expect_ok(cvk_session_output(session, 0, &described), "output");
    assert_int_equal(described.dims[2], want.out[0].dims[2]);
    assert_int_equal(described.dims[3], want.out[0].dims[3]);
    free_run(&want);
    free_run(&got);
}

static void one_session_runs_many_shapes(void **state)
{
    (void)state;
    static const int order[] = {0, 1, 0, 2, 1, 3, 4, 0, 2, 2, 4, 1};
    for (int plans = 2; plans <= SHAPES; plans++) {
        cvk_model *model = model_text(net);
        run first = run_of(0);
        const cvk_session_options options = {.inputs = &first.in, .n_inputs = 1, .plans = plans};
        cvk_session *session = NULL;
        expect_ok(cvk_session_create(model, &device, 1, &options, &session), "session");
        for (size_t i = 0; i < sizeof order / sizeof *order; i++) check(session, model, order[i]);
        free_run(&first);
        cvk_session_free(&session);
        cvk_model_free(&model);
    }
}

static void runs_in_the_background_too(void **state)
{
    (void)state;
    cvk_model *model = model_text(net);
    run first = run_of(0), got = run_of(1), want = run_of(1);
    const cvk_session_options options = {.inputs = &first.in, .n_inputs = 1, .plans = 2};
    cvk_session *session = NULL;
    expect_ok(cvk_session_create(model, &device, 1, &options, &session), "session");
    expect_ok(cvk_session_run_async(session, &got.in, 1, got.out, 2), "run_async");
    expect_ok(cvk_session_wait(session), "wait");
    alone(model, &want);
    assert_true(tensor_distance(&got.out[0], &want.out[0]) <= 1e-6);
    cvk_session_free(&session);
    free_run(&first);
    free_run(&got);
    free_run(&want);
    cvk_model_free(&model);
}

static void what_does_not_fit_is_an_error(void **state)
{
    (void)state;
    const int64_t wrong[4] = {1, 15, 12, 12};
    cvk_model *model = model_text(net);
    run first = run_of(0), other = run_of(1);
    cvk_tensor bad = tensor_of("x", wrong);
    cvk_session_options options = {.inputs = &first.in, .n_inputs = 1};
    cvk_session *session = NULL;
    expect_ok(cvk_session_create(model, &device, 1, &options, &session), "session");
    assert_int_equal(cvk_session_run(session, &other.in, 1, other.out, 2), CVK_SHAPE);
    cvk_session_free(&session);
    options.plans = 3;
    expect_ok(cvk_session_create(model, &device, 1, &options, &session), "session");
    assert_int_equal(cvk_session_run(session, &bad, 1, NULL, 0), CVK_SHAPE);
    expect_ok(cvk_session_run(session, &first.in, 1, first.out, 2), "run after a refused one");
    cvk_session_free(&session);
    options.plans = -1;
    expect_failure(cvk_session_create(model, &device, 1, &options, &session), CVK_BAD_ARGUMENT,
                   "cvk_session_create: options.plans is -1, not 0 or more");
    free(bad.data);
    free_run(&first);
    free_run(&other);
    cvk_model_free(&model);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_session_runs_many_shapes),
                                       cmocka_unit_test(runs_in_the_background_too),
                                       cmocka_unit_test(what_does_not_fit_is_an_error)};
    return run_device_tests(argc, argv, &device, tests, sizeof tests / sizeof *tests);
}
