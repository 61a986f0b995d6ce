/* SPDX-License-Identifier: Apache-2.0
 *
 * Predictions: what work takes at given rates; rates in the store, which plans go by; a record that
 * cannot be believed is one that is not there; a tuned problem takes what was measured.
 *     test_cost [device]
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schedule/cost.h"
#include "schedule/rates.h"
#include "tests/model_text.h"
#include "tests/store_checks.h"

static const char *device_name = "cpu";
static cvk_device *device;

static const cvk_device_rates round_rates = {.macs = 1000,
                                             .bytes = {800, 400, 200, 100},
                                             .step_ms = 0.5,
                                             .meet_ms = 0.25,
                                             .transfer_ms = 2,
                                             .transfer_bytes = 10};

static double ms_of(cvk_work work, double lanes, double resident)
{
    static const cvk_caps caps = {
        .units = 2, .l1_bytes = 1000, .l2_bytes = 10000, .l3_bytes = 200000};
    const cvk_cost_place place = {
        .caps = &caps, .rates = &round_rates, .lanes = lanes, .resident = resident};
    work.passes = work.passes ? work.passes : 1;
    return cvk_cost_ms(&work, &place);
}

static void expect_ms(double got, double want)
{
    if (!(fabs(got - want) <= 1e-9 * fabs(want))) fail_msg("predicted %.12g, not %.12g", got, want);
}

static void work_takes_its_time(void **state)
{
    (void)state;
    expect_ms(ms_of((cvk_work){.macs = 3000}, 1, 0), 3 + 0.75);
    expect_ms(ms_of((cvk_work){.macs = 3000, .passes = 2}, 1, 0), 3 + 1.5);
    /* On one lane of two: no meeting. */
    expect_ms(ms_of((cvk_work){.macs = 3000}, 0.5, 0), 6 + 0.5);
    /* Tensors come from the smallest level that holds them; what several lanes share, from the
     * last cache or from memory. */
    expect_ms(ms_of((cvk_work){.bytes = 1000}, 0.5, 0), 2 * 1000 / 800. + 0.5);
    expect_ms(ms_of((cvk_work){.bytes = 1001}, 0.5, 0), 2 * 1001 / 400. + 0.5);
    expect_ms(ms_of((cvk_work){.bytes = 10001}, 0.5, 0), 2 * 10001 / 200. + 0.5);
    expect_ms(ms_of((cvk_work){.bytes = 1000}, 1, 0), 1000 / 200. + 0.75);
    expect_ms(ms_of((cvk_work){.bytes = 100001}, 1, 0), 100001 / 100. + 0.75);
    /* Constants from where those of the whole plan lie. */
    expect_ms(ms_of((cvk_work){.weight_bytes = 800}, 1, 800), 1 + 0.75);
    expect_ms(ms_of((cvk_work){.weight_bytes = 800}, 1, 1e6), 8 + 0.75);
    expect_ms(ms_of((cvk_work){.macs = 1000, .bytes = 800, .weight_bytes = 800}, 1, 1e6),
              1 + 4 + 8 + 0.75);
}

static bool same(const cvk_device_rates *a, const cvk_device_rates *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static void rates_are_kept(void **state)
{
    (void)state;
    cvk_device_rates read = {0};
    cvk_store *store = cvk_store_open();
    assert_non_null(store);
    assert_false(cvk_rates_read(store, device, &read));
    assert_true(cvk_rates_write(store, device, &round_rates));
    assert_true(cvk_rates_read(store, device, &read));
    assert_true(same(&read, &round_rates));
    if (device->backend->host) { /* another number of workers is another device */
        cvk_device *one;
        expect_ok(cvk_device_open("cpu", &(cvk_device_options){.threads = 1}, &one), "cpu");
        assert_false(cvk_rates_read(store, one, &read));
        cvk_device_close(&one);
    }
    cvk_store_close(store);
}

/* The whole record, whatever its key. */
static cvk_status keep_key(void *user, const cvk_store_entry *entry)
{
    if (strcmp(entry->kind, "device rates") == 0 && entry->key_bytes < 1024)
        memcpy(user, entry->key, entry->key_bytes);
    return CVK_OK;
}

static void unbelievable_rates_are_measured_anew(void **state)
{
    (void)state;
    static const char *const records[] = {"nonsense",
                                          "macs 0; bytes 1 1 1 1; step 0 0; transfer 0 0; per ms",
                                          "macs 1; bytes 1 1 1 -1; step 0 0; transfer 0 0; per ms",
                                          "macs inf; bytes 1 1 1 1; step 0 0; transfer 0 0; per ms",
                                          "macs 1; bytes 1 1 nan 1; step 0 0; transfer 0 0; per ms",
                                          "macs 1; bytes 1 1 1 1; step -1 0; transfer 0 0; per ms"};
    cvk_device_rates read = {0};
    double gflops, gbytes;
    cvk_store *store = cvk_store_open();
    cvk_rates_write(store, device, &round_rates);
    char key[1024] = "";
    assert_int_equal(cvk_store_walk(file, keep_key, key), CVK_OK);
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        cvk_store_put(store, "device rates", key, strlen(key), records[i], strlen(records[i]));
        if (cvk_rates_read(store, device, &read)) fail_msg("'%s' was believed", records[i]);
    }
    expect_ok(cvk_rates_ensure(device), "ensure");
    assert_true(cvk_rates_read(store, device, &read));
    assert_true(read.macs > 0 && read.bytes[CVK_LEVEL_MEMORY] > 0);
    assert_false(same(&read, &round_rates));
    /* What is there is not measured again, unless it is asked for. */
    cvk_rates_write(store, device, &round_rates);
    expect_ok(cvk_rates_ensure(device), "ensure");
    assert_true(cvk_rates_read(store, device, &read) && same(&read, &round_rates));
    expect_ok(cvk_device_measure(device, &gflops, &gbytes), "measure");
    assert_true(cvk_rates_read(store, device, &read) && !same(&read, &round_rates));
    cvk_store_close(store);
}

static cvk_session *session_of(const char *net)
{
    cvk_model *model = model_text(net);
    cvk_session *session = NULL;
    expect_ok(cvk_session_create(model, &device, 1, NULL, &session), "session");
    cvk_model_free(&model);
    return session;
}

static void plans_go_by_the_record(void **state)
{
    (void)state;
    /* So fast a memory that arithmetic is all: 1 ms for 1000 multiply-adds. */
    static const cvk_device_rates arithmetic = {
        .macs = 1000, .bytes = {1e30, 1e30, 1e30, 1e30}, .transfer_bytes = 1e30};
    static const char net[] = "in x 64x100; const w 100x50; y = MatMul x w; out y";
    cvk_session *session = session_of(net);
    cvk_session_info info;
    expect_ok(cvk_session_get_info(session, &info), "info");
    assert_false(info.calibrated);
    assert_true(info.predicted_ms > 0);
    cvk_session_free(&session);

    cvk_store *store = cvk_store_open();
    cvk_rates_write(store, device, &arithmetic);
    session = session_of(net);
    expect_ok(cvk_session_get_info(session, &info), "info");
    assert_true(info.calibrated);
    cvk_step_info step;
    double sum = 0;
    for (int i = 0; i < info.steps; i++) {
        expect_ok(cvk_session_step(session, i, &step), "step");
        sum += step.predicted_ms;
        if (strcmp(step.output, "y") == 0 && step.macs) {
            assert_int_equal(step.macs, 64 * 100 * 50);
            assert_true(step.predicted_ms >= 320); /* what the peak allows */
        }
    }
    expect_ms(info.predicted_ms, sum);
    cvk_session_free(&session);

    /* A hundredfold device takes a hundredth. */
    cvk_device_rates faster = arithmetic;
    faster.macs *= 100;
    cvk_rates_write(store, device, &faster);
    session = session_of(net);
    expect_ok(cvk_session_get_info(session, &info), "info");
    expect_ms(info.predicted_ms, sum / 100);
    assert_non_null(strstr(cvk_session_describe(session), "by measured rates"));
    cvk_session_free(&session);
    cvk_store_close(store);
}

typedef struct tuned {
    char kernel[64]; /* the row, without its variant */
    double ms;
} tuned;

static void keep_layer(void *user, const cvk_tune_layer *layer)
{
    tuned *t = user;
    snprintf(t->kernel, sizeof t->kernel, "%.*s", (int)strcspn(layer->kernel, ":"), layer->kernel);
    t->ms = layer->ms;
}

static void tuned_problems_take_what_was_measured(void **state)
{
    (void)state;
    static const char net[] = "in x 64x100; const w 100x50; y = MatMul x w; out y";
    tuned t = {.ms = 0};
    const cvk_tune_options options = {.layer = keep_layer, .user = &t};
    cvk_tune_result result;
    cvk_model *model = model_text(net);
    expect_ok(cvk_tune(model, &device, 1, NULL, &options, &result), "tune");
    cvk_model_free(&model);
    assert_int_equal(result.measured, 1);
    cvk_session *session = session_of(net);
    cvk_session_info info;
    expect_ok(cvk_session_get_info(session, &info), "info");
    assert_true(info.calibrated); /* tuning measures the device, too */
    for (int i = 0; i < info.steps; i++) {
        cvk_step_info step;
        expect_ok(cvk_session_step(session, i, &step), "step");
        if (!step.macs) continue;
        assert_string_equal(step.kernel, t.kernel);
        assert_true(fabs(step.predicted_ms - t.ms) <= 1e-5 * t.ms);
    }
    cvk_session_free(&session);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_takes_its_time),
        cmocka_unit_test_setup_teardown(rates_are_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unbelievable_rates_are_measured_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(plans_go_by_the_record, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tuned_problems_take_what_was_measured, set_up, tear_down),
    };
    if (argc > 1) device_name = argv[1];
    if (cvk_device_open(device_name, NULL, &device)) {
        printf("no device %s\n", device_name);
        return 77;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cvk_device_close(&device);
    return failed;
}
