/* SPDX-License-Identifier: Apache-2.0
 *
 * A batch in parts: where memory does not hold all of it, and shared by two devices; which networks
 * have pictures that can be computed apart. Results are those of the whole batch.
 *     test_parts [device]
 */
#include "tests/model_text.h"
#include "tests/store_checks.h"

#include "backend/backend.h"
#include "schedule/rates.h"

static cvk_device *devices[2]; /* the one to test and a CPU */

/* What keeps pictures apart, of many kinds. */
static const char net[] =
    "in x ?x8x12x12; const w 16x8x3x3; const s 16; const b 16; const m 16; const v 16 0.5 2\n"
    "const u 16x16x1x1; const f 256x10; const k 1x16x1x1; const h 10x6\n"
    "c = Conv x w; n = BatchNormalization c s b m v; r = Relu n; d = Conv r u; a = Add d r\n"
    "g = Mul a k; p = MaxPool g kernel_shape=[3,3] strides=[2,2]; q = AveragePool a "
    "kernel_shape=[3,3] strides=[2,2]\n"
    "j = Concat p q axis=1; t = Transpose j perm=[0,2,3,1]; e = Transpose t perm=[0,3,1,2]\n"
    "i = GlobalAveragePool e; l = Flatten i; o = Softmax l axis=1\n"
    "y = Flatten p; z = Gemm y f; mm = MatMul z h; out o mm\n";

static cvk_tensor batch_of(int64_t count)
{
    return (cvk_tensor){.name = "x", .dtype = CVK_F32, .rank = 4, .dims = {count, 8, 12, 12}};
}

static void expect_same(const test_run *got, const test_run *want)
{
    for (int i = 0; i < want->n_out; i++) {
        const double distance = tensor_distance(&got->out[i], &want->out[i]);
        if (!(distance <= 1e-6)) fail_msg("'%s': distance %g", want->out[i].name, distance);
    }
}

static size_t bytes_of(const cvk_session *session)
{
    cvk_session_info info;
    expect_ok(cvk_session_get_info(session, &info), "info");
    return info.activation_bytes + info.workspace_bytes + info.weight_bytes;
}

static void memory_that_holds_a_part(void **state)
{
    (void)state;
    cvk_model *model = model_text(net);
    const cvk_tensor x = batch_of(7), one = batch_of(1);
    cvk_session_options options = {.inputs = &x, .n_inputs = 1};
    test_run whole = run_make(model, devices, 1, &options);
    run_once(&whole);
    cvk_session *single = NULL;
    cvk_session_info info;
    options.inputs = &one;
    expect_ok(cvk_session_create(model, devices, 1, &options, &single), "one picture");
    const size_t least = bytes_of(single), most = bytes_of(whole.session);
    cvk_session_free(&single);
    options.inputs = &x;
    assert_true(least < most);
    for (int k = 0; k < 3; k++) {
        options.memory_bytes = least + (most - least) * (size_t)k / 3;
        test_run parts = run_make(model, devices, 1, &options);
        expect_ok(cvk_session_get_info(parts.session, &info), "info");
        assert_true(info.batch_runs > 1 && info.batch_runs <= 7);
        assert_non_null(strstr(info.batch, "batch of 7: 7 on "));
        assert_non_null(strstr(cvk_session_describe(parts.session), info.batch));
        for (int i = 0; i < info.steps; i++) {
            cvk_step_info step;
            expect_ok(cvk_session_step(parts.session, i, &step), "step");
        }
        assert_int_equal(parts.in[0].dims[0], 7);
        assert_int_equal(parts.out[0].dims[0], 7);
        run_once(&parts);
        expect_same(&parts, &whole);
        for (int i = 0; i < parts.n_out; i++) memset(parts.out[i].data, 0, 7 * sizeof(float));
        expect_ok(cvk_session_run_async(parts.session, parts.in, 1, parts.out, parts.n_out), "go");
        expect_ok(cvk_session_wait(parts.session), "wait");
        expect_same(&parts, &whole);
        cvk_tensor bad = parts.in[0];
        bad.dims[0] = 3;
        expect_failure(cvk_session_run(parts.session, &bad, 1, NULL, 0), CVK_SHAPE,
                       "input 'x' has a batch of 3, the session was planned for 7");
        bad = parts.in[0];
        expect_failure(cvk_session_read(parts.session, "c", &bad), CVK_BAD_ARGUMENT,
                       "'c' cannot be read: the batch is in parts, which keep no values");
        run_free(&parts);
    }
    options.memory_bytes = 1000;
    cvk_session *none = NULL;
    assert_int_equal(cvk_session_create(model, devices, 1, &options, &none), CVK_NO_MEMORY);
    assert_non_null(strstr(cvk_last_error(), "a batch of 1 takes "));
    options.memory_bytes = least;
    options.keep_values = true;
    assert_int_equal(cvk_session_create(model, devices, 1, &options, &none), CVK_NO_MEMORY);
    assert_non_null(
        strstr(cvk_last_error(), "the batch cannot be split: options.keep_values is set"));
    run_free(&whole);
    cvk_model_free(&model);
}

static void networks_that_mix_pictures(void **state)
{
    (void)state;
    static const struct {
        const char *net, *why;
    } all[] = {
        {"y = Softmax x axis=0; out y", "(Softmax) may mix pictures"},
        {"y = Transpose x perm=[1,0,2,3]; out y", "may mix pictures"},
        {"m = ReduceMean x axes=[0] keepdims=1; y = Sub x m; out y", "has no batch first"},
        {"y = Concat x x axis=0; out y", "has no batch first"},
        {"a = ReduceMean x axes=[1,2,3] keepdims=0; b = ReduceMean x axes=[1,2,3] keepdims=1\n"
         "f = Flatten b; y = Sub f a; out y",
         "has no batch first"},
        {"f = Flatten x; t = Transpose f perm=[1,0]; y = MatMul f t; out y", "may mix pictures"},
        {"y = NonZero x; out y", "depends on data"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char text[512];
        snprintf(text, sizeof text, "in x ?x8x12x12; %s", all[i].net);
        cvk_model *model = model_text(text);
        cvk_session *session = NULL;
        const cvk_tensor x = batch_of(4);
        const cvk_session_options options = {.inputs = &x, .n_inputs = 1, .split_batch = true};
        if (cvk_session_create(model, devices, 2, &options, &session) != CVK_UNSUPPORTED)
            fail_msg("%s: it was split", all[i].net);
        if (!strstr(cvk_last_error(), all[i].why))
            fail_msg("%s: '%s', not '%s'", all[i].net, cvk_last_error(), all[i].why);
        cvk_model_free(&model);
    }
    cvk_model *model = model_text("in x 4x8x12x12; y = Relu x; out y");
    const cvk_session_options options = {.split_batch = true};
    cvk_session *session = NULL;
    expect_failure(cvk_session_create(model, devices, 2, &options, &session), CVK_UNSUPPORTED,
                   "the batch cannot be split: no input of the model has a free first dimension");
    cvk_model_free(&model);
    model = model_text("in x ?x8x12x12; y = Relu x; out y");
    expect_failure(cvk_session_create(model, devices, 2, &options, &session), CVK_UNSUPPORTED,
                   "the batch cannot be split: the batch is one picture");
    cvk_model_free(&model);
}

/* Rates at which the batch takes a device so many times as long. */
static void set_speed(const cvk_device *device, double speed)
{
    const cvk_device_rates rates = {
        .macs = 1e4 * speed, .bytes = {1e9, 1e9, 1e9, 1e9}, .step_ms = 1e-6, .transfer_bytes = 1e9};
    cvk_store *store = cvk_store_open();
    assert_true(cvk_rates_write(store, device, &rates));
    cvk_store_close(store);
}

/* Pictures of 8 that the first device has; the results are those of the whole batch. */
static int first_share(const cvk_model *model, const test_run *whole)
{
    const cvk_tensor x = batch_of(8);
    const cvk_session_options options = {.inputs = &x, .n_inputs = 1, .split_batch = true};
    cvk_session_info info;
    char want[64];
    int first = 0;
    test_run run = run_make(model, devices, 2, &options);
    expect_ok(cvk_session_get_info(run.session, &info), "info");
    sscanf(info.batch, "batch of 8: %d on ", &first); /* or "none on" */
    snprintf(want, sizeof want, ", %d on cpu in 1 run", 8 - first);
    assert_non_null(strstr(info.batch, first < 8 ? want : ", none on cpu"));
    assert_int_equal(info.batch_runs, first % 8 ? 2 : 1);
    for (int again = 0; again < 3; again++) {
        run_once(&run);
        expect_same(&run, whole);
    }
    run_free(&run);
    return first;
}

/* Two kinds of device, as far as the plan knows, and then two on the same cores. */
static void a_batch_is_shared_by_speed(void **state)
{
    (void)state;
    cvk_model *model = model_text(net);
    const cvk_tensor x = batch_of(8);
    const cvk_session_options options = {.inputs = &x, .n_inputs = 1};
    const cvk_device_kind kind = devices[0]->info.kind;
    test_run whole = run_make(model, devices + 1, 1, &options);
    run_once(&whole);
    devices[0]->info.kind = CVK_DEVICE_GPU;
    set_speed(devices[1], 1);
    if (devices[0]->backend->host) { /* they have one record in common */
        assert_int_equal(first_share(model, &whole), 4);
    } else {
        int before = -1, mixed = 0;
        for (double speed = 1e-3; speed < 1e4; speed *= 10) {
            set_speed(devices[0], speed);
            const int first = first_share(model, &whole);
            assert_true(first >= before);
            mixed += first % 8 != 0;
            if (before < 0) assert_int_equal(first, 0);
            before = first;
        }
        assert_int_equal(before, 8);
        assert_true(mixed > 0);
    }
    devices[0]->info.kind = CVK_DEVICE_CPU;
    set_speed(devices[0], 1);
    assert_int_equal(first_share(model, &whole) % 8, 0);
    devices[0]->info.kind = kind;
    run_free(&whole);
    cvk_model_free(&model);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_that_holds_a_part),
        cmocka_unit_test(networks_that_mix_pictures),
        cmocka_unit_test(a_batch_is_shared_by_speed),
    };
    const char *name = argc > 1 ? argv[1] : "cpu";
    if (cvk_device_open(name, NULL, &devices[0])) {
        printf("no device %s\n", name);
        return 77;
    }
    if (cvk_device_open("cpu", NULL, &devices[1])) return 1;
    int failed = cmocka_run_group_tests(tests, set_up, tear_down);
    cvk_device_close(&devices[1]);
    cvk_device_close(&devices[0]);
    return failed;
}
