/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions whose shapes depend on data: the plan covers what comes before, each run plans the rest.
 *     test_session_late [device]
 */
#include <stdio.h>
#include <string.h>

#include "tests/model_text.h"

static cvk_device *device;

/* Convolution and ReLU, then a Reshape whose dimensions are an input, then a sum over rows. */
static const char late_net[] = "in x 1x3x8x8; in dims 2:i64; const w 16x3x3x3\n"
                               "c = Conv x w - pads=[1,1,1,1]; r = Relu c; s = Reshape r dims\n"
                               "const axis 1:i64 =1; y = ReduceSum s axis keepdims=0; out y; out r";

typedef struct late_run {
    cvk_session *session;
    cvk_tensor in[2];
    float x[192];
    int64_t dims[2];
} late_run;

static void late_make(late_run *run, const cvk_model *model)
{
    run->in[0] = (cvk_tensor){.dtype = CVK_F32, .rank = 4, .dims = {1, 3, 8, 8}, .data = run->x};
    run->in[1] = (cvk_tensor){.dtype = CVK_I64, .rank = 1, .dims = {2}, .data = run->dims};
    fill_tensor(&run->in[0], 7);
    expect_ok(cvk_session_create(model, &device, 1, NULL, &run->session), "create");
}

/* The sums of `rows` rows over all that r holds. */
static void expect_sums(const float *r, const float *y, int rows)
{
    for (int i = 0; i < rows; i++) {
        double sum = 0, size = 0;
        for (int k = 0; k < 1024 / rows; k++) {
            sum += r[i * (1024 / rows) + k];
            size += r[i * (1024 / rows) + k];
        }
        if (!(y[i] >= sum - 1e-5 * size - 1e-6 && y[i] <= sum + 1e-5 * size + 1e-6))
            fail_msg("row %d of %d: %g, expected %g", i, rows, (double)y[i], sum);
    }
}

static void each_run_has_its_own_shape(void **state)
{
    (void)state;
    cvk_model *model = model_text(late_net);
    static late_run run;
    static float r[1024], y[64];
    late_make(&run, model);
    cvk_tensor told;
    expect_ok(cvk_session_output(run.session, 0, &told), "before a run");
    assert_string_equal(told.name, "y");
    assert_true(told.rank < 0 || cvk_tensor_count(&told) < 0);
    const int rows[] = {4, 64, 1};
    for (int i = 0; i < 3; i++) {
        run.dims[0] = rows[i];
        run.dims[1] = -1;
        cvk_tensor out = {
            .name = "r", .dtype = CVK_F32, .rank = 4, .dims = {1, 16, 8, 8}, .data = r};
        expect_ok(cvk_session_run(run.session, run.in, 2, &out, 1), "run");
        expect_ok(cvk_session_output(run.session, 0, &told), "after a run");
        assert_int_equal(told.rank, 1);
        assert_int_equal(told.dims[0], rows[i]);
        cvk_tensor late = {.data = y};
        expect_ok(cvk_session_read(run.session, "y", &late), "read");
        assert_int_equal(late.rank, 1);
        assert_int_equal(late.dims[0], rows[i]);
        expect_sums(r, y, rows[i]);
    }
    cvk_session_free(&run.session);
    cvk_model_free(&model);
}

/* The plan shows what waits, and that the rest does not. */
static void plan_tells_what_waits(void **state)
{
    (void)state;
    cvk_model *model = model_text(late_net);
    static late_run run;
    late_make(&run, model);
    cvk_session_info info;
    cvk_step_info step;
    expect_ok(cvk_session_get_info(run.session, &info), "info");
    assert_int_equal(info.late_nodes, 2);
    expect_ok(cvk_session_step(run.session, info.steps - 2, &step), "step");
    assert_string_equal(step.op, "Reshape");
    assert_string_equal(step.device, "host");
    assert_string_equal(step.kernel, "late");
    assert_string_equal(step.inputs, "r, dims");
    assert_string_equal(step.note, "planned by each run: its shape depends on data");
    assert_int_equal(cvk_session_step(run.session, info.steps, &step), CVK_BAD_ARGUMENT);
    assert_non_null(strstr(cvk_session_describe(run.session), step.note));
    const cvk_step_info *conv = step_of(run.session, "c");
    assert_non_null(conv);
    assert_string_not_equal(conv->device, "host");
    cvk_session_free(&run.session);
    cvk_model_free(&model);
}

/* A caller who knows the shape may pass the output; a wrong guess names the right one. */
static void the_shape_may_be_guessed(void **state)
{
    (void)state;
    cvk_model *model = model_text(late_net);
    static late_run run;
    static float y[8], r[1024];
    late_make(&run, model);
    run.dims[0] = 8;
    run.dims[1] = 128;
    cvk_tensor out[2] = {{.dtype = CVK_F32, .rank = 1, .dims = {8}, .data = y},
                         {.dtype = CVK_F32, .rank = 4, .dims = {1, 16, 8, 8}, .data = r}};
    expect_ok(cvk_session_run(run.session, run.in, 2, out, 2), "right");
    expect_sums(r, y, 8);
    out[0].dims[0] = 7;
    expect_failure(cvk_session_run(run.session, run.in, 2, out, 2), CVK_SHAPE,
                   "the shape depends on data: leave it out and read it after the run with "
                   "cvk_session_read: output 'y' has shape 7, the session was planned for 8");
    run.dims[1] = 100;
    assert_int_equal(cvk_session_run(run.session, run.in, 2, NULL, 0), CVK_SHAPE);
    run.dims[1] = 128;
    expect_ok(cvk_session_run(run.session, run.in, 2, NULL, 0), "after a failure");
    cvk_session_free(&run.session);
    cvk_model_free(&model);
}

/* What waits may read inputs of the model, constants and values several times; reading before a
 * run, or what the plan keeps to itself, is refused. */
static void what_waits_reads_anything(void **state)
{
    (void)state;
    cvk_model *model =
        model_text("in x 2x3; in n 2:i64; const k 3 =1,2,3; a = Add x k; b = Relu a\n"
                   "e = Expand x n; f = Add e k; g = Add f x; out g; out x; out b");
    float x[6] = {-9, 1, 2, 3, 4, 5}, y[6], b[6];
    int64_t n[2] = {2, 3};
    cvk_tensor in[2] = {{.dtype = CVK_F32, .rank = 2, .dims = {2, 3}, .data = x},
                        {.dtype = CVK_I64, .rank = 1, .dims = {2}, .data = n}};
    cvk_tensor out = {.name = "b", .dtype = CVK_F32, .rank = 2, .dims = {2, 3}, .data = b};
    cvk_session *session = NULL;
    expect_ok(cvk_session_create(model, &device, 1, NULL, &session), "create");
    cvk_model_free(&model);
    cvk_tensor late = {.data = y};
    expect_failure(cvk_session_read(session, "g", &late), CVK_BAD_ARGUMENT,
                   "no run has computed 'g', or the last one failed");
    expect_ok(cvk_session_run(session, in, 2, &out, 1), "run");
    late.data = y;
    expect_ok(cvk_session_read(session, "g", &late), "read");
    for (int i = 0; i < 6; i++) {
        assert_true(y[i] == x[i] + x[i] + (float)(i % 3 + 1));
        assert_true(b[i] == (x[i] + (float)(i % 3 + 1) > 0 ? x[i] + (float)(i % 3 + 1) : 0));
    }
    late.data = y;
    expect_failure(cvk_session_read(session, "a", &late), CVK_BAD_ARGUMENT,
                   "the session does not keep values: set keep_values when it is created");
    cvk_session_free(&session);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_run_has_its_own_shape),
        cmocka_unit_test(plan_tells_what_waits),
        cmocka_unit_test(the_shape_may_be_guessed),
        cmocka_unit_test(what_waits_reads_anything),
    };
    return run_device_tests(argc, argv, &device, tests, sizeof tests / sizeof tests[0]);
}
