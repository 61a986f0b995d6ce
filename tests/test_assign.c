/* SPDX-License-Identifier: Apache-2.0
 *
 * Which device a node goes to where there are several: the order of preference, an operator that the
 * first has no kernel for, and what follows it since copies take longer. Kernels are denied and
 * rates are made up, so that this depends on no machine.
 *     test_assign [device]
 */
#include "tests/model_text.h"
#include "tests/store_checks.h"

#include "backend/backend.h"
#include "schedule/denied.h"
#include "schedule/rates.h"

static cvk_device *devices[2]; /* the one to test and the CPU */

static const cvk_device_rates slow = {
    .macs = 1e5, .bytes = {1e9, 1e9, 1e9, 1e9}, .step_ms = 1e-4, .transfer_bytes = 1e9};

static void set_rates(const cvk_device *device, double macs, double transfer_ms)
{
    cvk_device_rates rates = slow;
    cvk_store *store = cvk_store_open();
    rates.macs = macs;
    rates.transfer_ms = transfer_ms;
    assert_true(cvk_rates_write(store, device, &rates));
    cvk_store_close(store);
}

static void deny(cvk_op_kind op)
{
    cvk_store *store = cvk_store_open();
    for (int r = 0; r < devices[0]->n_kernels; r++)
        if (devices[0]->kernels[r].op == op)
            assert_true(cvk_denied_write(store, devices[0], &devices[0]->kernels[r], "a test"));
    cvk_store_close(store);
}

/* The first device has no kernel for Softmax. */
static int set_up_all(void **state)
{
    if (set_up(state)) return -1;
    deny(CVK_OP_Softmax);
    return 0;
}

/* A convolution of 0.6 million multiply-adds before, one of 600 between, and one after. */
static const char net[] =
    "in x 1x16x16x16; const w 16x16x3x3; const v 16x16x1x1\n"
    "big = Conv x w - pads=[1,1,1,1]; s = Softmax big axis=1\n"
    "small = Conv s v; t = Softmax small axis=1; last = Conv t w - pads=[1,1,1,1]; out last";

/* Fails unless each node of net is on that device, and the outputs are the CPU's alone. */
static void expect_devices(const char *big, const char *small, const char *last)
{
    const char *nodes[] = {"big", "s", "small", "t", "last"},
               *want[] = {big, "cpu", small, "cpu", last};
    cvk_model *model = model_text(net);
    test_run run = run_make(model, devices, 2, NULL), alone = run_make(model, devices + 1, 1, NULL);
    cvk_model_free(&model);
    for (int i = 0; i < 5; i++) {
        const cvk_step_info *step = step_of(run.session, nodes[i]);
        assert_non_null(step);
        if (strcmp(step->device, want[i]) != 0)
            fail_msg("'%s' is on %s, not on %s:\n%s", nodes[i], step->device, want[i],
                     cvk_session_describe(run.session));
        const bool moved = strcmp(want[i], "cpu") == 0 && i % 2 == 0;
        assert_int_equal(moved, strstr(step->note, "copies would take longer") != NULL);
    }
    run_once(&run);
    run_once(&alone);
    assert_true(tensor_distance(&run.out[0], &alone.out[0]) < 1e-5);
    run_free(&run);
    run_free(&alone);
}

static void only_what_has_no_kernel_moves(void **state)
{
    (void)state;
    const char *first = devices[0]->info.id;
    set_rates(devices[1], 1e4, 0);
    set_rates(devices[0], 1e6, 1e-3);
    expect_devices(first, first, first);
}

static void an_island_between_copies_moves(void **state)
{
    (void)state;
    const char *first = devices[0]->info.id;
    set_rates(devices[1], 1e4, 0); /* 60 ms for a large convolution, 6 ms for the small one */
    set_rates(devices[0], 1e6, 5);
    expect_devices(first, "cpu", first);
    /* Without a measurement the order is all there is. */
    cvk_store *store = cvk_store_open();
    cvk_rates_write(store, devices[1], &(cvk_device_rates){.macs = 0});
    cvk_store_close(store);
    expect_devices(first, first, first);
    set_rates(devices[1], 1e4, 0);
    set_rates(devices[0], 1e6, 50); /* a copy more takes as long as the arithmetic */
    expect_devices("cpu", "cpu", "cpu");
}

/* However fast the other device is, and however long copies take. */
static void the_order_holds_where_all_has_kernels(void **state)
{
    (void)state;
    cvk_model *model = model_text("in x 1x16x16x16; const w 16x16x3x3\n"
                                  "c = Conv x w - pads=[1,1,1,1]; y = Conv c w; out y");
    set_rates(devices[1], 1e9, 0);
    set_rates(devices[0], 1e3, 50);
    cvk_session *session = NULL;
    expect_ok(cvk_session_create(model, devices, 2, NULL, &session), "session");
    assert_string_equal(step_of(session, "c")->device, devices[0]->info.id);
    assert_string_equal(step_of(session, "y")->device, devices[0]->info.id);
    cvk_session_free(&session);
    /* Nor does a branch follow that has nothing to do with the operator. */
    cvk_model_free(&model);
    model = model_text("in x 1x16x16x16; in z 1x16x16x16; const w 16x16x3x3\n"
                       "s = Softmax z axis=1; y = Conv x w; out y s");
    expect_ok(cvk_session_create(model, devices, 2, NULL, &session), "session");
    assert_string_equal(step_of(session, "s")->device, "cpu");
    assert_string_equal(step_of(session, "y")->device, devices[0]->info.id);
    assert_string_equal(step_of(session, "y")->note, "");
    cvk_session_free(&session);
    cvk_model_free(&model);
}

static void refusals_of_both_devices_are_told(void **state)
{
    (void)state;
    cvk_model *model = model_text(net);
    cvk_session *session = NULL;
    expect_ok(cvk_session_create(model, devices, 2, NULL, &session), "session");
    assert_non_null(strstr(step_of(session, "s")->refused, CVK_DENIED_WHY));
    cvk_session_free(&session);
    cvk_model_free(&model);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_has_no_kernel_moves),
        cmocka_unit_test(an_island_between_copies_moves),
        cmocka_unit_test(the_order_holds_where_all_has_kernels),
        cmocka_unit_test(refusals_of_both_devices_are_told),
    };
    const char *name = argc > 1 ? argv[1] : "opencl";
    if (cvk_device_open(name, NULL, &devices[0]) || devices[0]->backend->host) {
        printf("no device with memory of its own: %s\n", name);
        cvk_device_close(&devices[0]);
        return 77;
    }
    if (cvk_device_open("cpu", NULL, &devices[1])) return 1;
    int failed = cmocka_run_group_tests(tests, set_up_all, tear_down);
    cvk_device_close(&devices[1]);
    cvk_device_close(&devices[0]);
    return failed;
}
