/* SPDX-License-Identifier: Apache-2.0
 *
 * How the caller's tensors reach a device and come back: in place where they lie as it wants, copied
 * elsewhere, with the same results.
 *     test_exchange [device]
 */
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "session/session.h"
#include "tests/model_reference.h"

enum { PAGE = 4096, ELEMENTS = 3 * 40 * 24 };

static cvk_device *device;

static const char net[] =
    "in x 1x3x40x24; const w 16x3x3x3; c = Conv x w - pads=[1,1,1,1]; r = Relu "
    "c; const v 3x16x1x1; y = Conv r v; z = Sigmoid y; out y; out z";

static bool in_reach(void)
{
    return !device->backend->host && device->caps.bits & CVK_CAP_UNIFIED;
}

/* How many of the session's tensors were used where they lay. */
static int in_place(const cvk_session *session)
{
    int count = 0;
    for (const cvk_exchange *e = session->exchanges; e->copy; e++) count += e->data != NULL;
    return count;
}

static float *page(void)
{
    float *data = aligned_alloc(PAGE, (size_t)4 * PAGE);
    assert_non_null(data);
    memset(data, 0xff, (size_t)4 * PAGE);
    return data;
}

/* A run of `net` with x at `in`, filled as `seed` says, must give what the reference gives. */
static void expect_run(const cvk_model *model, test_run *run, float *in, float *y, float *z,
                       uint64_t seed)
{
    test_run with = *run;
    with.in[0].data = in;
    with.out[0].data = y;
    with.out[1].data = z;
    fill_tensor(&with.in[0], seed);
    run_once(&with);
    expect_reference(model, &with);
}

static void tensors_on_pages(void **state)
{
    (void)state;
    cvk_model *model = model_text(net);
    test_run run = run_make(model, &device, 1, NULL);
    float *a[3], *y = page(), *z = page();
    for (int i = 0; i < 3; i++) a[i] = page();
    for (int i = 0; i < 10; i++) { /* the same, then in turns, so that they are forgotten */
        expect_run(model, &run, a[i < 4 ? 0 : i % 3], y, z, (uint64_t)i);
        assert_int_equal(in_place(run.session), in_reach() ? 3 : 0);
    }
    free(a[2]);
    a[2] = page();
    expect_run(model, &run, a[2], z, y, 20);
    expect_run(model, &run, a[1], y, z, 21);
    expect_run(model, &run, a[1] + 1, y + 1, z, 22);
    assert_int_equal(in_place(run.session), in_reach() ? 1 : 0);
    expect_run(model, &run, a[1], y + 2, z + 3, 23);
    assert_int_equal(in_place(run.session), in_reach() ? 1 : 0);
    float *last = page();
    expect_run(model, &run, last, y, z, 24);
    free(last); /* before the session that has seen it */
    run_free(&run);
    for (int i = 0; i < 3; i++) free(a[i]);
    free(y);
    free(z);
    cvk_model_free(&model);
}

/* What one run hands out goes into the next, and back. */
static void results_go_in_again(void **state)
{
    (void)state;
    cvk_model *model = model_text("in x 1x3x40x24; y = Sigmoid x; out y");
    test_run run = run_make(model, &device, 1, NULL);
    float *data[2] = {page(), page()};
    test_run with = run;
    with.in[0].data = data[0];
    fill_tensor(&with.in[0], 5);
    for (int i = 0; i < 6; i++) {
        with.in[0].data = data[i % 2];
        with.out[0].data = data[(i + 1) % 2];
        run_once(&with);
        expect_reference(model, &with);
        assert_int_equal(in_place(run.session), in_reach() ? 2 : 0);
    }
    run_free(&run);
    free(data[0]);
    free(data[1]);
    cvk_model_free(&model);
}

/* A tensor that is input twice, or input and output of a device that copies. */
static void tensors_that_overlap(void **state)
{
    (void)state;
    cvk_model *model = model_text("in a 1x3x40x24; in b 1x3x40x24; y = Add a b; out y");
    test_run run = run_make(model, &device, 1, NULL);
    float *data = page(), *y = page();
    test_run with = run;
    with.in[0].data = with.in[1].data = data;
    with.out[0].data = y;
    fill_tensor(&with.in[0], 6);
    run_once(&with);
    expect_reference(model, &with);
    assert_int_equal(in_place(run.session), in_reach() ? 1 : 0);
    if (!device->backend->host) {
        float want[ELEMENTS];
        for (int i = 0; i < ELEMENTS; i++) want[i] = 2 * data[i];
        with.out[0].data = data;
        run_once(&with);
        assert_int_equal(in_place(run.session), 0);
        assert_memory_equal(data, want, sizeof want);
    }
    run_free(&run);
    free(data);
    free(y);
    cvk_model_free(&model);
}

/* Nothing but another name of an input; an input that nobody changes though a step might. */
static void outputs_that_are_inputs(void **state)
{
    static const char *const nets[] = {
        "in x 1x3x40x24; const s 2:i64 =1,2880; y = Reshape x s; out y",
        "in x 1x3x40x24; y = Relu x; z = Add y x; out z; out y",
        "in x 1x3x40x24; const s 2:i64 =3,960; r = Reshape x s; y = Sigmoid r; out y; out r",
    };
    (void)state;
    for (size_t n = 0; n < sizeof nets / sizeof *nets; n++) {
        cvk_model *model = model_text(nets[n]);
        test_run run = run_make(model, &device, 1, NULL);
        float *data[3] = {page(), page(), page()}, before[ELEMENTS];
        test_run with = run;
        with.in[0].data = data[0];
        for (int i = 0; i < run.n_out; i++) with.out[i].data = data[1 + i];
        for (int i = 0; i < 3; i++) {
            fill_tensor(&with.in[0], 7 + (uint64_t)i);
            memcpy(before, data[0], sizeof before);
            run_once(&with);
            assert_memory_equal(before, data[0], sizeof before);
            expect_reference(model, &with);
        }
        run_free(&run);
        for (int i = 0; i < 3; i++) free(data[i]);
        cvk_model_free(&model);
    }
}

static void what_is_always_copied(void **state)
{
    (void)state;
    cvk_model *model = model_text(net);
    float *x = page(), *y = page(), *z = page();
    const cvk_session_options keep = {.keep_values = true}, profile = {.profile = true};
    test_run run = run_make(model, &device, 1, &keep);
    for (uint64_t i = 0; i < 2; i++) expect_run(model, &run, x, y, z, 30 + i);
    assert_int_equal(in_place(run.session), 0);
    run_free(&run);
    run = run_make(model, &device, 1, &profile);
    for (uint64_t i = 0; i < 2; i++) expect_run(model, &run, x, y, z, 40 + i);
    run_free(&run);
    const uint32_t bits = device->caps.bits;
    device->caps.bits &= ~(uint32_t)CVK_CAP_UNIFIED; /* as a device with memory of its own */
    run = run_make(model, &device, 1, NULL);
    for (uint64_t i = 0; i < 3; i++) {
        expect_run(model, &run, x, y, z, 50 + i);
        assert_int_equal(in_place(run.session), 0);
    }
    run_free(&run);
    device->caps.bits = bits;
    free(x);
    free(y);
    free(z);
    cvk_model_free(&model);
}

/* An output that is left out goes to memory of the session's. */
static void outputs_that_are_left_out(void **state)
{
    (void)state;
    cvk_model *model = model_text(net);
    test_run run = run_make(model, &device, 1, NULL);
    float *x = page(), *y = page(), *z = page();
    expect_run(model, &run, x, y, z, 60);
    test_run one = run;
    one.in[0].data = x;
    one.out[1].data = z;
    for (int i = 0; i < 3; i++) {
        float want[ELEMENTS];
        memcpy(want, z, sizeof want);
        memset(z, 0, sizeof want);
        expect_ok(cvk_session_run(run.session, one.in, 1, &one.out[1], 1), "run");
        assert_memory_equal(want, z, sizeof want);
    }
    run_free(&run);
    free(x);
    free(y);
    free(z);
    cvk_model_free(&model);
}

/* Where a copy takes less time. */
static void small_tensors(void **state)
{
    (void)state;
    cvk_model *model = model_text(net);
    test_run run = run_make(model, &device, 1, NULL);
    float *x = page(), *y = page(), *z = page();
    device->least_shared = ELEMENTS * sizeof(float) + 1;
    for (uint64_t i = 0; i < 2; i++) expect_run(model, &run, x, y, z, 70 + i);
    assert_int_equal(in_place(run.session), 0);
    run_free(&run);
    free(x);
    free(y);
    free(z);
    cvk_model_free(&model);
}

static int share_all(void **state)
{
    (void)state;
    device->least_shared = 1;
    return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, share_all)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(tensors_on_pages),        TEST(results_go_in_again),   TEST(tensors_that_overlap),
        TEST(outputs_that_are_inputs), TEST(what_is_always_copied), TEST(outputs_that_are_left_out),
        TEST(small_tensors),
    };
    return run_device_tests(argc, argv, &device, tests, sizeof tests / sizeof tests[0]);
}
