/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions and threads: runs in flight, and runs on several threads at once.
 *     test_session_threads [device]
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model_text.h"

static cvk_device *device;

static const char small_net[] =
    "in x ?x3x12x10; const w 16x3x3x3; const b 16; const v 16x16x3x3\n"
    "c1 = Conv x w b pads=[1,1,1,1]; r1 = Relu c1; c2 = Conv r1 v - pads=[1,1,1,1]\n"
    "a = Add c2 r1; r2 = Relu a; p = MaxPool r2 kernel_shape=[2,2] strides=[2,2]\n"
    "const f 480x7; fl = Flatten p; y = Gemm fl f; out y";

static void runs_in_flight(void **state)
{
    (void)state;
    cvk_model *model = model_text(small_net);
    test_run run = run_make(model, &device, 1, NULL);
    run_once(&run);
    float y[7];
    cvk_tensor out = run.out[0];
    out.data = y;
    expect_ok(cvk_session_wait(run.session), "nothing to wait for");
    for (int i = 0; i < 5; i++) {
        memset(y, 0, sizeof y);
        expect_ok(cvk_session_run_async(run.session, run.in, 1, &out, 1), "start");
        expect_failure(cvk_session_run_async(run.session, run.in, 1, &out, 1), CVK_BAD_ARGUMENT,
                       "a run is in flight: wait for it first");
        expect_failure(cvk_session_run(run.session, run.in, 1, &out, 1), CVK_BAD_ARGUMENT,
                       "a run is in flight: wait for it first");
        expect_ok(cvk_session_wait(run.session), "wait");
        assert_memory_equal(y, run.out[0].data, sizeof y);
        expect_ok(cvk_session_wait(run.session), "wait again");
    }
    cvk_tensor bad = run.in[0];
    bad.dims[2] = 1;
    expect_ok(cvk_session_run_async(run.session, &bad, 1, &out, 1), "start with a wrong shape");
    expect_failure(cvk_session_wait(run.session), CVK_SHAPE,
                   "input 'x' has shape 1x3x1x10, the session was planned for 1x3x12x10");
    expect_ok(cvk_session_run_async(run.session, run.in, 1, &out, 1), "start");
    cvk_session_free(&run.session); /* waits */
    assert_memory_equal(y, run.out[0].data, sizeof y);
    run_free(&run);
    cvk_model_free(&model);
}

typedef struct thread_job {
    test_run run;
    cvk_status status;
    void *want; /* what a run alone gives */
    size_t bytes;
    int wrong;
} thread_job;

/* With inputs of its own, and run once. */
static thread_job job_make(const cvk_model *model, cvk_device *on, int i)
{
    thread_job job = {.run = run_make(model, &on, 1, NULL)};
    fill_tensor(&job.run.in[0], (uint64_t)i + 77);
    run_once(&job.run);
    job.bytes = (size_t)cvk_tensor_count(&job.run.out[0]) * sizeof(float);
    job.want = malloc(job.bytes);
    assert_non_null(job.want);
    memcpy(job.want, job.run.out[0].data, job.bytes);
    return job;
}

static void job_end(thread_job *job)
{
    assert_int_equal(job->status, CVK_OK);
    assert_int_equal(job->wrong, 0);
    run_free(&job->run);
    free(job->want);
}

static void *run_many_times(void *arg)
{
    thread_job *job = arg;
    for (int i = 0; i < 50 && !job->status; i++) {
        memset(job->run.out[0].data, 0, job->bytes);
        job->status = cvk_session_run(job->run.session, job->run.in, 1, job->run.out, 1);
        job->wrong += memcmp(job->run.out[0].data, job->want, job->bytes) != 0;
    }
    return NULL;
}

static void *make_and_run(void *arg)
{
    thread_job *job = arg;
    cvk_model *const *model = (cvk_model *const *)job->run.session; /* handed over in its place */
    job->run.session = NULL;
    job->status = cvk_session_create(*model, &device, 1, NULL, &job->run.session);
    return job->status ? NULL : run_many_times(arg);
}

static void two_threads_on_one_device(void **state)
{
    (void)state;
    cvk_model *model = model_text(small_net);
    thread_job jobs[2] = {0};
    pthread_t threads[2];
    for (int round = 0; round < 2; round++) { /* sessions made here; then made on the threads */
        for (int i = 0; i < 2; i++) {
            jobs[i] = job_make(model, device, i);
            if (round == 0) continue;
            cvk_session_free(&jobs[i].run.session);
            jobs[i].run.in[0].name = jobs[i].run.out[0].name = NULL; /* those were the session's */
            jobs[i].run.session = (cvk_session *)&model;
        }
        for (int i = 0; i < 2; i++)
            assert_int_equal(
                pthread_create(&threads[i], NULL, round ? make_and_run : run_many_times, &jobs[i]),
                0);
        for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
        for (int i = 0; i < 2; i++) job_end(&jobs[i]);
    }
    cvk_model_free(&model);
}

/* On one device, and on a device each: the bits of a run alone, whatever cores each got. */
static void runs_at_once_share_the_cores(void **state)
{
    enum { MOST = 4 };
    (void)state;
    cvk_model *model =
        model_text("in x 1x3x40x40; const w 16x3x3x3; const b 16; const v 32x16x3x3\n"
                   "c = Conv x w b pads=[1,1,1,1]; r = Relu c\n"
                   "y = Conv r v - pads=[1,1,1,1]; out y");
    cvk_device_info info;
    cvk_device *devices[MOST] = {device};
    expect_ok(cvk_device_get_info(device, &info), "info");
    for (int i = 1; i < MOST; i++)
        expect_ok(cvk_device_open(info.id, &(cvk_device_options){.threads = 2}, &devices[i]),
                  "open");
    for (int round = 0; round < 4; round++) {
        int count = round % 2 ? 4 : 2;
        thread_job jobs[MOST];
        pthread_t threads[MOST];
        for (int i = 0; i < count; i++) jobs[i] = job_make(model, devices[round < 2 ? 0 : i], i);
        for (int i = 0; i < count; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, run_many_times, &jobs[i]), 0);
        for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
        for (int i = 0; i < count; i++) job_end(&jobs[i]);
    }
    for (int i = 1; i < MOST; i++) cvk_device_close(&devices[i]);
    cvk_model_free(&model);
}

/* One thread runs on the device, another on a CPU, a third has two runs in flight on both. */
static void a_thread_for_each_device(void **state)
{
    (void)state;
    cvk_model *model = model_text(small_net);
    cvk_device *cpu = NULL, *other[2];
    expect_ok(cvk_device_open("cpu", &(cvk_device_options){.threads = 2}, &cpu), "cpu");
    other[0] = device;
    other[1] = cpu;
    thread_job jobs[4];
    pthread_t threads[2];
    for (int i = 0; i < 4; i++) jobs[i] = job_make(model, other[i % 2], i);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_many_times, &jobs[i]), 0);
    for (int i = 0; i < 40; i++) {
        thread_job *pair = jobs + 2;
        for (int k = 0; k < 2; k++) {
            memset(pair[k].run.out[0].data, 0, pair[k].bytes);
            expect_ok(
                cvk_session_run_async(pair[k].run.session, pair[k].run.in, 1, pair[k].run.out, 1),
                "start");
        }
        for (int k = 0; k < 2; k++) {
            expect_ok(cvk_session_wait(pair[k].run.session), "wait");
            assert_memory_equal(pair[k].run.out[0].data, pair[k].want, pair[k].bytes);
        }
    }
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < 4; i++) job_end(&jobs[i]);
    cvk_device_close(&cpu);
    cvk_model_free(&model);
}

/* Sessions that time their steps beside one that does not, on one device. */
static void profiled_runs_at_once(void **state)
{
    enum { COUNT = 3 };
    (void)state;
    cvk_model *model = model_text(small_net);
    const cvk_session_options profile = {.profile = true};
    thread_job jobs[COUNT];
    pthread_t threads[COUNT];
    for (int i = 0; i < COUNT; i++) {
        jobs[i] = job_make(model, device, i);
        if (i == 0) continue;
        cvk_session_free(&jobs[i].run.session);
        jobs[i].run.in[0].name = jobs[i].run.out[0].name = NULL; /* those were the session's */
        expect_ok(cvk_session_create(model, &device, 1, &profile, &jobs[i].run.session), "create");
    }
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_many_times, &jobs[i]), 0);
    for (int i = 0; i < COUNT; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < COUNT; i++) job_end(&jobs[i]);
    cvk_model_free(&model);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_in_flight),
        cmocka_unit_test(two_threads_on_one_device),
        cmocka_unit_test(runs_at_once_share_the_cores),
        cmocka_unit_test(a_thread_for_each_device),
        cmocka_unit_test(profiled_runs_at_once),
    };
    return run_device_tests(argc, argv, &device, tests, sizeof tests / sizeof tests[0]);
}
