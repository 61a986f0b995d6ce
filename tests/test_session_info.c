/* SPDX-License-Identifier: Apache-2.0
 *
 * What a session tells of its plan and its runs, and the options that bear on the plan.
 *     test_session_info [device]
 */
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

/* What a worker did in a step lies behind what it did in the step before. */
static void expect_in_order(int index, int worker, const cvk_step_info *step,
                            const cvk_step_info *before)
{
    const cvk_slice *slice = &step->slices[worker];
    if (!(slice->begin_ms >= 0 && slice->ms >= 0))
        fail_msg("step %d, worker %d: %g ms at %g", index, worker, slice->ms, slice->begin_ms);
    if (!before || strcmp(before->executor, step->executor) != 0) return;
    const cvk_slice *last = &before->slices[worker];
    if (slice->begin_ms < last->begin_ms + last->ms - 1e-3)
        fail_msg("step %d, worker %d begins before the step before it ended", index, worker);
}

static void profile_times_every_step(void **state)
{
    (void)state;
    cvk_model *model = model_text(small_net);
    cvk_session_options options = {.profile = true};
    test_run run = run_make(model, &device, 1, &options);
    cvk_session_info info;
    cvk_step_info step, before;
    expect_ok(cvk_session_get_info(run.session, &info), "info");
    double total = 0;
    run_once(&run);
    for (int i = 0; i < info.steps; i++) {
        expect_ok(cvk_session_step(run.session, i, &step), "step");
        if (strcmp(step.device, "host") != 0 && !(step.ms > 0))
            fail_msg("step %d (%s): %g ms", i, step.kernel, step.ms);
        total += step.ms;
        assert_true(step.n_slices >= 1);
        for (int k = 0; k < step.n_slices; k++)
            expect_in_order(i, k, &step, i > 0 ? &before : NULL);
        before = step;
    }
    assert_true(total > 0 && total < 10000);
    assert_true(info.build_ms > 0);
    expect_reference(model, &run);
    run_free(&run);
    run = run_make(model, &device, 1, NULL);
    run_once(&run);
    expect_ok(cvk_session_step(run.session, 0, &step), "step");
    assert_true(step.ms == 0 && step.n_slices == 0);
    run_free(&run);
    cvk_model_free(&model);
}

static void info_counts(void **state)
{
    (void)state;
    cvk_model *model = model_text(small_net);
    test_run run = run_make(model, &device, 1, NULL);
    cvk_session_info info;
    cvk_step_info step;
    uint64_t macs = 0;
    expect_ok(cvk_session_get_info(run.session, &info), "info");
    assert_int_equal(info.nodes, 8);
    assert_true(info.fused > 0 && info.steps > 0);
    assert_true(info.weight_bytes >= (16 * 27 + 16 + 16 * 144 + 480 * 7) * sizeof(float));
    for (int i = 0; i < info.steps; i++) {
        expect_ok(cvk_session_step(run.session, i, &step), "step");
        assert_true(step.op && step.nodes && step.device && step.kernel && step.fused &&
                    step.refused && step.note);
        assert_true(step.output && step.shape && step.inputs && step.bytes > 0);
        assert_non_null(strstr(cvk_session_describe(run.session), step.kernel));
        macs += step.macs;
    }
    cvk_model_info model_info;
    expect_ok(cvk_model_get_info(model, &model_info), "model");
    assert_int_equal(macs, model_info.macs);
    run_free(&run);
    cvk_model_free(&model);
}

static void kept_values_can_be_read(void **state)
{
    (void)state;
    cvk_model *model =
        model_text("in x 2x3x9x7; const w 20x3x3x3; const v 16x20x1x1; c = Conv x w; r = Relu c\n"
                   "d = Conv r v; s = Sigmoid d; j = Concat s d axis=1; f = Flatten j; m = "
                   "ReduceMean f axes=[1] keepdims=0\n"
                   "out c r d s j f m");
    cvk_model *inner =
        model_text("in x 2x3x9x7; const w 20x3x3x3; const v 16x20x1x1; c = Conv x w; r = Relu c\n"
                   "d = Conv r v; s = Sigmoid d; j = Concat s d axis=1; f = Flatten j; m = "
                   "ReduceMean f axes=[1] keepdims=0\n"
                   "out m");
    cvk_session_options options = {.no_fuse = true, .keep_values = true};
    test_run run = run_make(inner, &device, 1, &options);
    cvk_tensor want[MAX_TENSORS];
    static const char *const names[] = {"c", "r", "d", "s", "j", "f", "m"};
    model_reference(model, run.in, 1, want, 7);
    cvk_tensor value = {.data = run.out[0].data};
    expect_failure(cvk_session_read(run.session, "m", &value), CVK_BAD_ARGUMENT,
                   "no run has computed 'm', or the last one failed");
    run_once(&run);
    for (int i = 0; i < 7; i++) {
        value = (cvk_tensor){0};
        expect_ok(cvk_session_read(run.session, names[i], &value), names[i]);
        assert_string_equal(value.name, names[i]);
        assert_int_equal(value.rank, want[i].rank);
        assert_memory_equal(value.dims, want[i].dims, (size_t)value.rank * sizeof *value.dims);
        value.data = malloc((size_t)cvk_tensor_count(&value) * sizeof(float));
        expect_ok(cvk_session_read(run.session, names[i], &value), names[i]);
        assert_true(tensor_distance(&value, &want[i]) < 1e-5);
        free(value.data);
        free(want[i].data);
    }
    assert_int_equal(cvk_session_read(run.session, "none", &value), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_session_read(run.session, "w", &value), CVK_BAD_ARGUMENT);
    run_free(&run);
    run = run_make(inner, &device, 1, NULL);
    run_once(&run);
    value.data = run.out[0].data;
    expect_failure(cvk_session_read(run.session, "m", &value), CVK_BAD_ARGUMENT,
                   "the session does not keep values: set keep_values when it is created");
    run_free(&run);
    cvk_model_free(&inner);
    cvk_model_free(&model);
}

static void workspace_stays_within_its_budget(void **state)
{
    (void)state;
    cvk_model *model =
        model_text("in x 1x32x28x28; const w 48x32x5x5; const v 16x48x3x3; const u 16x8x3x3\n"
                   "c = Conv x w pads=[2,2,2,2] strides=[2,2]; d = Conv c v pads=[1,1,1,1]\n"
                   "t = ConvTranspose d u strides=[2,2]; out t");
    static const size_t budgets[] = {1, 4096, 65536, 1 << 20, 64 << 20};
    for (size_t i = 0; i < sizeof budgets / sizeof *budgets; i++) {
        cvk_session_options options = {.workspace_bytes = budgets[i]};
        cvk_session_info info;
        test_run run = run_make(model, &device, 1, &options);
        expect_ok(cvk_session_get_info(run.session, &info), "info");
        if (info.workspace_bytes > budgets[i])
            fail_msg("%zu bytes, %zu allowed", info.workspace_bytes, budgets[i]);
        run_once(&run);
        expect_reference(model, &run);
        run_free(&run);
    }
    cvk_model_free(&model);
}

/* The kernel is used where it accepts, and nothing changes but rounding. */
static void a_kernel_can_be_preferred(void **state)
{
    (void)state;
    cvk_model *model = model_text(small_net);
    const char *name = "conv_plain";
    for (int fused = 0; fused < 2; fused++) {
        cvk_session_options options = {.prefer_kernel = name, .no_fuse = !fused};
        test_run run = run_make(model, &device, 1, &options);
        const cvk_step_info *step = step_of(run.session, "c1");
        assert_non_null(step);
        assert_string_equal(step->kernel, name);
        run_once(&run);
        expect_reference(model, &run);
        run_free(&run);
    }
    cvk_model_free(&model);
}

/* --- how many workers a run is worth --- */

static int workers_for(const cvk_device *cpu, uint64_t macs, size_t bytes, int steps)
{
    const cvk_load load = {.macs = macs, .bytes = bytes, .steps = steps};
    int workers = cpu->backend->lanes(cpu, &load);
    assert_in_range(workers, 1, cpu->lanes);
    return workers;
}

static int session_workers(const cvk_model *model, cvk_device *on, test_run *run)
{
    cvk_session_info info;
    *run = run_make(model, &on, 1, NULL);
    run_once(run);
    expect_ok(cvk_session_get_info(run->session, &info), "info");
    return info.workers;
}

static void small_runs_have_few_workers(void **state)
{
    (void)state;
    cvk_device *cpu;
    expect_ok(cvk_device_open("cpu", &(cvk_device_options){.threads = 8}, &cpu), "cpu");
    assert_int_equal(workers_for(cpu, 0, 0, 1), 1);
    assert_int_equal(workers_for(cpu, 40000, 30000, 8), 1);
    assert_int_equal(workers_for(cpu, 0, 5 << 20, 4), 5); /* 53 us: the 5th gains 2.7, a 6th 1.8 */
    assert_int_equal(workers_for(cpu, 1000000000, 0, 50), 8);
    /* Meeting after each of many steps without work costs more than a helper gains. */
    assert_int_equal(workers_for(cpu, 0, 0, 1000), 1);
    for (uint64_t macs = 1; macs < 1ull << 40; macs *= 2)
        assert_true(workers_for(cpu, macs, 1000, 10) <= workers_for(cpu, 2 * macs, 1000, 10));
    cvk_device_close(&cpu);
}

/* The output is the same however many there are. */
static void a_session_tells_its_workers(void **state)
{
    (void)state;
    cvk_model *model = model_text("in x 1x3x9x9; const w 4x3x3x3; c = Conv x w; y = Relu c; out y");
    cvk_device *cpu;
    test_run all, few;
    bool host = device->backend->host;
    assert_int_equal(session_workers(model, device, &all), host ? 2 : 0);
    expect_ok(cvk_device_open("cpu", &(cvk_device_options){.threads = 2}, &cpu), "cpu");
    assert_int_equal(session_workers(model, cpu, &few), 1);
    if (host) assert_true(tensor_distance(&all.out[0], &few.out[0]) == 0);
    run_free(&few);
    run_free(&all);
    cvk_device_close(&cpu);
    cvk_model_free(&model);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profile_times_every_step),
        cmocka_unit_test(info_counts),
        cmocka_unit_test(kept_values_can_be_read),
        cmocka_unit_test(workspace_stays_within_its_budget),
        cmocka_unit_test(a_kernel_can_be_preferred),
        cmocka_unit_test(small_runs_have_few_workers),
        cmocka_unit_test(a_session_tells_its_workers),
    };
    return run_device_tests(argc, argv, &device, tests, sizeof tests / sizeof tests[0]);
}
