/* SPDX-License-Identifier: Apache-2.0
 *
 * Which device a model is given to: by what was measured of each, and not at all by what a CPU's
 * OpenCL driver promises.
 *     test_auto
 */
#include "tests/model_text.h"
#include "tests/store_checks.h"

#include "backend/backend.h"
#include "schedule/rates.h"

static const char small_net[] = "in x 1x8; const w 8x4; y = MatMul x w; out y";
/* 38 million multiply-adds: 2 ms and more on two cores. */
static const char large_net[] =
    "in x 1x64x64x64; const w 64x64x3x3; c = Conv x w - pads=[1,1,1,1]; r = Relu c\n"
    "d = Conv r w - pads=[1,1,1,1]; y = Relu d; out y";
static const cvk_device_rates slow = {
    .macs = 1e6, .bytes = {1e6, 1e6, 1e6, 1e6}, .step_ms = 1e-3, .transfer_bytes = 1e6};
static const cvk_device_rates fast = {
    .macs = 1e9, .bytes = {1e9, 1e9, 1e9, 1e9}, .step_ms = 1e-3, .transfer_bytes = 1e9};

/* What was measured of a device, as far as the store knows. */
static void measured(const char *spec, const cvk_device_rates *rates)
{
    cvk_device *device;
    cvk_store *store = cvk_store_open();
    expect_ok(cvk_device_open(spec, NULL, &device), spec);
    assert_true(cvk_rates_write(store, device, rates));
    cvk_device_close(&device);
    cvk_store_close(store);
}

/* Fails unless the model is given to `ids` ("opencl:0,cpu") for reasons in which `why` stands, and
 * runs there as on the CPU. */
static void expect_choice(const char *net, int capacity, const char *ids, const char *why)
{
    cvk_model *model = model_text(net);
    cvk_device *devices[2] = {NULL};
    int count = 0;
    char got[128] = "";
    expect_ok(cvk_device_open_for(model, NULL, NULL, devices, capacity, &count), "choose");
    for (int i = 0; i < count; i++) {
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", i ? "," : "",
                 devices[i]->info.id);
    }
    cvk_session *session = NULL;
    cvk_session_info info;
    expect_ok(cvk_session_create(model, devices, count, NULL, &session), "session");
    expect_ok(cvk_session_get_info(session, &info), "info");
    if (strcmp(got, ids) != 0) fail_msg("%s was taken, not %s: %s", got, ids, info.choice);
    if (!strstr(info.choice, why)) fail_msg("'%s' is not in '%s'", why, info.choice);
    assert_non_null(strstr(cvk_session_describe(session), info.choice));
    cvk_session_free(&session);
    for (int i = 0; i < count; i++) cvk_device_close(&devices[i]);
    cvk_model_free(&model);
}

static bool first_is(cvk_device_kind kind)
{
    cvk_device_info infos[2];
    int count = 0;
    expect_ok(cvk_device_list(infos, 2, &count), "list");
    return count > 1 && infos[1].kind == kind;
}

static void small_networks_stay_on_the_cpu(void **state)
{
    (void)state;
    if (!cvk_backends[1]) skip(); /* the only one needs no reason */
    expect_choice(small_net, 2, "cpu", "less than copies and launches take on other devices");
}

static void the_cpu_itself_is_taken_before_its_driver(void **state)
{
    (void)state;
    if (!first_is(CVK_DEVICE_CPU)) skip();
    expect_choice(large_net, 2, "cpu", "opencl:0 left out (a CPU as well, not measured)");
    measured("cpu", &slow);
    expect_choice(large_net, 2, "cpu", "opencl:0 left out (a CPU as well, not measured)");
}

static void what_was_measured_decides(void **state)
{
    (void)state;
    if (!first_is(CVK_DEVICE_CPU)) skip();
    measured("cpu", &slow);
    measured("opencl", &fast);
    expect_choice(large_net, 1, "opencl:0", "opencl:0 predicted ");
    expect_choice(large_net, 2, "opencl:0", ", cpu predicted ");
    measured("cpu", &fast);
    measured("opencl", &slow);
    expect_choice(large_net, 2, "cpu", "cpu predicted ");
    expect_choice(large_net, 2, "cpu", ", opencl:0 predicted ");
    /* A little faster is not enough on the same cores. */
    cvk_device_rates little = fast;
    for (int i = 0; i < CVK_LEVELS; i++) little.bytes[i] *= 1.1;
    little.macs *= 1.1;
    measured("opencl", &little);
    expect_choice(large_net, 2, "cpu", ", opencl:0 predicted ");
}

/* With the layer of opencl_fault_layer.h, which calls a device a GPU. */
static void a_gpu_is_taken_at_its_word(void **state)
{
    (void)state;
    if (!first_is(CVK_DEVICE_GPU)) skip();
    measured("cpu", &slow);
    expect_choice(large_net, 2, "opencl:0", "opencl:0 predicted ");
    expect_choice(large_net, 2, "opencl:0", " (not measured), cpu predicted ");
    expect_choice(small_net, 2, "cpu", "less than copies and launches take on other devices");
    measured("cpu", &fast);
    expect_choice(large_net, 2, "cpu", ", opencl:0 predicted ");
}

static void a_model_that_cannot_be_planned_says_so(void **state)
{
    (void)state;
    if (!cvk_backends[1]) skip(); /* nothing is planned where there is no choice */
    cvk_model *model = model_text("in x ?x?; y = Relu x; out y");
    cvk_device *devices[2] = {NULL};
    int count = -1;
    assert_int_not_equal(cvk_device_open_for(model, NULL, NULL, devices, 2, &count), CVK_OK);
    assert_null(devices[0]);
    assert_int_equal(count, -1);
    assert_int_equal(cvk_device_open_for(model, NULL, NULL, devices, 0, &count), CVK_BAD_ARGUMENT);
    cvk_model_free(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(small_networks_stay_on_the_cpu, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_cpu_itself_is_taken_before_its_driver, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_was_measured_decides, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_gpu_is_taken_at_its_word, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_model_that_cannot_be_planned_says_so, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
