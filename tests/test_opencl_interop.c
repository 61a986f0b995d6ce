/* SPDX-License-Identifier: Apache-2.0
 *
 * Convoke in a caller's context and queue, on a caller's buffers. Uses OpenCL directly, as such a
 * caller would.
 */
#include <convoke/opencl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "tests/model_reference.h"

static cl_device_id cl_device;
static cl_context context, other_context;
static cl_command_queue queue;
static cvk_device *device;

static void expect_cl(cl_int code, const char *what)
{
    if (code != CL_SUCCESS) fail_msg("%s: OpenCL error %d", what, code);
}

static cl_mem make_buffer(cl_context where, size_t bytes)
{
    cl_int code;
    cl_mem buffer = clCreateBuffer(where, CL_MEM_READ_WRITE, bytes, NULL, &code);
    expect_cl(code, "clCreateBuffer");
    return buffer;
}

static size_t tensor_bytes(const cvk_tensor *tensor)
{
    return (size_t)cvk_tensor_count(tensor) * cvk_dtype_bytes(tensor->dtype);
}

static void write_buffer(cl_mem buffer, const cvk_tensor *tensor)
{
    expect_cl(clEnqueueWriteBuffer(queue, buffer, CL_TRUE, 0, tensor_bytes(tensor), tensor->data, 0,
                                   NULL, NULL),
              "write");
}

static void read_buffer(cl_mem buffer, const cvk_tensor *tensor)
{
    expect_cl(clEnqueueReadBuffer(queue, buffer, CL_TRUE, 0, tensor_bytes(tensor), tensor->data, 0,
                                  NULL, NULL),
              "read");
}

static cl_uint holders(cl_mem buffer)
{
    cl_uint count = 0;
    expect_cl(clGetMemObjectInfo(buffer, CL_MEM_REFERENCE_COUNT, sizeof count, &count, NULL),
              "clGetMemObjectInfo");
    return count;
}

static const char *const nets[] = {
    "in x 1x3x10x9; const w 20x3x3x3; const b 20; c = Conv x w b pads=[1,1,1,1]; y = Relu c; out y",
    "in x 1x16x8x8; const w 16x16x3x3; c = Conv x w - pads=[1,1,1,1]; a = Add c x; r = Relu a; g = "
    "GlobalAveragePool r\n"
    "f = Flatten g; const u 16x10; m = Gemm f u; y = Softmax m; out y",
    "in x 1x10x1x1; const w 20x10x1x1; y = Conv x w; out y", /* one pixel, no whole block */
    "in x 1x24x1x1; const w 18x24x1x1; c = Conv x w; y = Flatten c; out y",
    "in x 1x64; const w 64x32; a = Gemm x w; b = Gemm x w; r = Relu b; y = Concat a r axis=1; out "
    "y",
    "in x 1x64; const w 64x32; a = Gemm x w; b = Relu a; j = Concat a b axis=1; const s 3:i64 "
    "=1,8,8; y = Reshape j s; out y",
    "in x 1x5x6x7; const s 2:i64 =5,42; r = Reshape x s; y = Sigmoid r; out y",
    "in x 2x16x4x4; y = Relu x; z = Sigmoid y; w = Tanh z; out w",
};
enum { NETS = sizeof nets / sizeof *nets };

static void the_adopted_device_is_the_callers(void **state)
{
    (void)state;
    cl_context c = NULL;
    cl_command_queue q = NULL;
    cvk_device_info info;
    expect_ok(cvk_opencl_handles(device, &c, &q), "handles");
    assert_ptr_equal(c, context);
    assert_ptr_equal(q, queue);
    expect_ok(cvk_opencl_handles(device, NULL, NULL), "no handles");
    expect_ok(cvk_device_get_info(device, &info), "info");
    assert_string_equal(info.backend, "opencl");
    cvk_device *cpu = NULL;
    expect_ok(cvk_device_open("cpu", NULL, &cpu), "cpu");
    expect_failure(cvk_opencl_handles(cpu, &c, &q), CVK_BAD_ARGUMENT,
                   "cvk_opencl_handles: an OpenCL device is expected");
    cvk_device_close(&cpu);
}

static void what_cannot_be_adopted(void **state)
{
    (void)state;
    cl_int code;
    cvk_device *opened = NULL;
    assert_int_equal(cvk_opencl_adopt(NULL, cl_device, queue, &opened), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_opencl_adopt(context, cl_device, NULL, &opened), CVK_BAD_ARGUMENT);
    expect_failure(cvk_opencl_adopt(other_context, cl_device, queue, &opened), CVK_BAD_ARGUMENT,
                   "cvk_opencl_adopt: the queue belongs to another context or device");
    cl_command_queue unordered =
        clCreateCommandQueue(context, cl_device, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &code);
    if (code == CL_SUCCESS) {
        expect_failure(
            cvk_opencl_adopt(context, cl_device, unordered, &opened), CVK_BAD_ARGUMENT,
            "cvk_opencl_adopt: the queue executes out of order; an in-order one is expected");
        clReleaseCommandQueue(unordered);
    }
    assert_null(opened);
}

/* Inputs and outputs bound in every combination give what the run on host memory gave, exactly. */
static void bound_buffers(void **state)
{
    (void)state;
    for (int i = 0; i < NETS; i++) {
        cvk_model *model = model_text(nets[i]);
        test_run run = run_make(model, &device, 1, NULL);
        run_once(&run);
        cvk_tensor *in = &run.in[0], *out = &run.out[0];
        size_t bytes = tensor_bytes(out);
        void *want = malloc(bytes);
        memcpy(want, out->data, bytes);
        cl_mem x = make_buffer(context, tensor_bytes(in)), y = make_buffer(context, bytes);
        write_buffer(x, in);
        for (int mask = 0; mask < 4; mask++) {
            expect_ok(cvk_opencl_bind(run.session, in->name, mask & 1 ? x : NULL), "bind");
            expect_ok(cvk_opencl_bind(run.session, out->name, mask & 2 ? y : NULL), "bind");
            assert_int_equal(holders(x), mask & 1 ? 2 : 1);
            memset(out->data, 0, bytes);
            if (mask & 2) write_buffer(y, out);
            expect_ok(cvk_session_run(run.session, in, mask & 1 ? 0 : 1, out, mask & 2 ? 0 : 1),
                      nets[i]);
            if (mask & 2) read_buffer(y, out);
            if (memcmp(out->data, want, bytes) != 0) fail_msg("%s: bound %d", nets[i], mask);
        }
        cvk_session_free(&run.session); /* lets the buffers go */
        assert_int_equal(holders(x), 1);
        assert_int_equal(holders(y), 1);
        clReleaseMemObject(x);
        clReleaseMemObject(y);
        free(want);
        run_free(&run);
        cvk_model_free(&model);
    }
}

static void binding_again_replaces(void **state)
{
    (void)state;
    cvk_model *model = model_text(nets[1]);
    test_run run = run_make(model, &device, 1, NULL);
    run_once(&run);
    float y[2][10];
    cl_mem buffers[2];
    for (int i = 0; i < 2; i++) {
        buffers[i] = make_buffer(context, sizeof y[i]);
        expect_ok(cvk_opencl_bind(run.session, "y", buffers[i]), "bind");
        expect_ok(cvk_session_run(run.session, run.in, 1, NULL, 0), "run");
    }
    assert_int_equal(holders(buffers[0]), 1);
    for (int i = 0; i < 2; i++) {
        cvk_tensor t = run.out[0];
        t.data = y[i];
        read_buffer(buffers[i], &t);
        assert_memory_equal(y[i], run.out[0].data, sizeof y[i]);
        clReleaseMemObject(buffers[i]);
    }
    expect_failure(cvk_session_run(run.session, run.in, 1, run.out, 1), CVK_BAD_ARGUMENT,
                   "output 'y' has a device buffer bound: unbind it first");
    run_free(&run);
    cvk_model_free(&model);
}

static void enqueue_returns_an_event(void **state)
{
    (void)state;
    for (int i = 0; i < NETS; i++) {
        cvk_model *model = model_text(nets[i]);
        test_run run = run_make(model, &device, 1, NULL);
        cvk_tensor *in = &run.in[0], *out = &run.out[0];
        run_once(&run);
        size_t bytes = tensor_bytes(out);
        void *want = malloc(bytes);
        memcpy(want, out->data, bytes);
        cl_mem x = make_buffer(context, tensor_bytes(in)), y = make_buffer(context, bytes);
        expect_ok(cvk_opencl_bind(run.session, in->name, x), "bind");
        expect_ok(cvk_opencl_bind(run.session, out->name, y), "bind");
        for (int again = 0; again < 2; again++) {
            cl_event event = NULL;
            /* In queue order: the input is written behind no one's back. */
            expect_cl(clEnqueueWriteBuffer(queue, x, CL_FALSE, 0, tensor_bytes(in), in->data, 0,
                                           NULL, NULL),
                      "write");
            expect_ok(cvk_opencl_enqueue(run.session, again ? NULL : &event), "enqueue");
            if (event) {
                cl_int done;
                expect_cl(clWaitForEvents(1, &event), "clWaitForEvents");
                expect_cl(clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof done,
                                         &done, NULL),
                          "event");
                assert_int_equal(done, CL_COMPLETE);
                clReleaseEvent(event);
            }
            memset(out->data, 0, bytes);
            read_buffer(y, out);
            if (memcmp(out->data, want, bytes) != 0) fail_msg("%s: enqueued", nets[i]);
        }
        clReleaseMemObject(x);
        clReleaseMemObject(y);
        free(want);
        run_free(&run);
        cvk_model_free(&model);
    }
}

/* A profiled run has a queue of its own, and is timed by the device; the caller's queue goes on. */
static void profiled_runs(void **state)
{
    (void)state;
    cvk_model *model = model_text(nets[1]);
    const cvk_session_options options = {.profile = true};
    test_run run = run_make(model, &device, 1, &options);
    cl_mem buffer = make_buffer(context, tensor_bytes(&run.in[0]));
    for (int i = 0; i < 3; i++) {
        expect_cl(clEnqueueWriteBuffer(queue, buffer, CL_FALSE, 0, tensor_bytes(&run.in[0]),
                                       run.in[0].data, 0, NULL, NULL),
                  "write");
        expect_ok(cvk_session_run_async(run.session, run.in, 1, run.out, 1), "start");
        expect_ok(cvk_session_wait(run.session), "wait");
        expect_reference(model, &run);
    }
    cvk_session_info info;
    cvk_step_info step;
    double end = 0;
    expect_ok(cvk_session_get_info(run.session, &info), "info");
    for (int i = 0; i < info.steps; i++) {
        expect_ok(cvk_session_step(run.session, i, &step), "step");
        assert_int_equal(step.n_slices, 1);
        assert_true(step.slices[0].ms > 0 && step.ms > 0);
        if (step.slices[0].begin_ms < end - 1e-3)
            fail_msg("step %d begins at %g ms, before %g", i, step.slices[0].begin_ms, end);
        end = step.slices[0].begin_ms + step.slices[0].ms;
    }
    clReleaseMemObject(buffer);
    run_free(&run);
    cvk_model_free(&model);
}

/* Buffers and tensors on pages, which the device uses where they lie, take turns. */
static void buffers_and_tensors_take_turns(void **state)
{
    enum { PAGE = 4096 };
    (void)state;
    cvk_model *model = model_text(nets[7]);
    device->least_shared = 1;
    test_run run = run_make(model, &device, 1, NULL), with = run;
    const char *names[] = {run.in[0].name, run.out[0].name};
    cl_mem buffers[2];
    with.in[0].data = aligned_alloc(PAGE, PAGE);
    with.out[0].data = aligned_alloc(PAGE, PAGE);
    for (int i = 0; i < 2; i++) buffers[i] = make_buffer(context, tensor_bytes(&run.in[0]));
    for (int i = 0; i < 8; i++) {
        const bool in = i & 1, out = i & 2;
        fill_tensor(&with.in[0], (uint64_t)i);
        write_buffer(buffers[0], &with.in[0]);
        for (int k = 0; k < 2; k++)
            expect_ok(cvk_opencl_bind(run.session, names[k], (k ? out : in) ? buffers[k] : NULL),
                      "bind");
        expect_ok(cvk_session_run(run.session, with.in, !in, with.out, !out), "run");
        if (out) read_buffer(buffers[1], &with.out[0]);
        expect_reference(model, &with);
    }
    for (int i = 0; i < 2; i++) clReleaseMemObject(buffers[i]);
    free(with.in[0].data);
    free(with.out[0].data);
    run_free(&run);
    cvk_model_free(&model);
}

static void mistakes(void **state)
{
    (void)state;
    cvk_model *model = model_text(nets[0]);
    test_run run = run_make(model, &device, 1, NULL);
    cl_mem small = make_buffer(context, 100), foreign = make_buffer(other_context, 1 << 16),
           good = make_buffer(context, 1 << 16);
    expect_failure(cvk_opencl_bind(run.session, "x", small), CVK_BAD_ARGUMENT,
                   "'x': the buffer has 100 bytes, 1080 are needed");
    expect_failure(cvk_opencl_bind(run.session, "x", foreign), CVK_BAD_ARGUMENT,
                   "'x': the buffer belongs to another context");
    expect_failure(cvk_opencl_bind(run.session, "z", good), CVK_BAD_ARGUMENT,
                   "the model has no input or output called 'z'");
    assert_int_equal(cvk_opencl_bind(NULL, "x", good), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_opencl_bind(run.session, NULL, good), CVK_BAD_ARGUMENT);
    run_once(&run); /* a failed bind changes nothing */
    expect_failure(cvk_opencl_enqueue(run.session, NULL), CVK_BAD_ARGUMENT,
                   "input 'x' has no buffer bound");
    expect_ok(cvk_opencl_bind(run.session, "x", good), "bind");
    expect_failure(cvk_opencl_enqueue(run.session, NULL), CVK_BAD_ARGUMENT,
                   "output 'y' has no buffer bound");
    expect_failure(cvk_session_run(run.session, run.in, 1, run.out, 1), CVK_BAD_ARGUMENT,
                   "input 'x' has a device buffer bound: unbind it first");
    expect_failure(cvk_opencl_bind(run.session, "x", small), CVK_BAD_ARGUMENT,
                   "'x': the buffer has 100 bytes, 1080 are needed");
    write_buffer(good, &run.in[0]); /* still bound */
    expect_ok(cvk_session_run(run.session, NULL, 0, run.out, 1), "run");
    expect_ok(cvk_opencl_bind(run.session, "x", NULL), "unbind");
    expect_ok(cvk_opencl_bind(run.session, "x", NULL), "unbind twice");
    run_once(&run);
    run_free(&run);
    cvk_model_free(&model);
    clReleaseMemObject(small);
    clReleaseMemObject(foreign);
    clReleaseMemObject(good);
}

static void plans_that_leave_the_device(void **state)
{
    (void)state;
    cvk_device *cpu = NULL;
    expect_ok(cvk_device_open("cpu", NULL, &cpu), "cpu");
    cl_mem good = make_buffer(context, 1 << 16);
    cvk_model *model = model_text(nets[0]);
    test_run run = run_make(model, &cpu, 1, NULL);
    expect_failure(cvk_opencl_bind(run.session, "x", good), CVK_UNSUPPORTED,
                   "'x' never lies in the memory of an OpenCL device in this plan");
    assert_int_equal(cvk_opencl_enqueue(run.session, NULL), CVK_BAD_ARGUMENT);
    run_free(&run);
    cvk_model_free(&model);
    model = model_text("in x 1x3x8x8; a = Relu x; b = Trilu a; y = Relu b; out y");
    run = run_make(model, &device, 1, NULL);
    expect_ok(cvk_opencl_bind(run.session, "x", good), "bind");
    expect_ok(cvk_opencl_bind(run.session, "y", good), "bind");
    expect_failure(cvk_opencl_enqueue(run.session, NULL), CVK_UNSUPPORTED,
                   "node 'b' does not run on the OpenCL device");
    run_free(&run);
    cvk_model_free(&model);
    clReleaseMemObject(good);
    cvk_device_close(&cpu);
}

/* A buffer stands for all that is known of an input or output, or not at all. */
static void values_that_are_needed_elsewhere(void **state)
{
    (void)state;
    cl_mem x = make_buffer(context, 1 << 16), y = make_buffer(context, 1 << 16);
    cvk_model *model = model_text("in x 1x3x8x8; a = Relu x; b = Trilu x; c = Relu b; out a c");
    test_run run = run_make(model, &device, 1, NULL);
    expect_failure(cvk_opencl_bind(run.session, "x", x), CVK_UNSUPPORTED,
                   "'x' is also read outside this OpenCL device in this plan");
    run_free(&run);
    cvk_model_free(&model);
    model = model_text("in x 1x3x8x8; a = Relu x; b = Trilu a; c = Relu b; out a c");
    run = run_make(model, &device, 1, NULL);
    expect_failure(cvk_opencl_bind(run.session, "a", x), CVK_UNSUPPORTED,
                   "'a' is also read outside this OpenCL device in this plan");
    run_free(&run);
    cvk_model_free(&model);
    model = model_text("in x 1x3x8x8; a = Relu x; const s 2:i64 =3,64; b = Reshape a s; out a b");
    run = run_make(model, &device, 1, NULL);
    run_once(&run);
    float want[192];
    memcpy(want, run.out[0].data, sizeof want);
    expect_ok(cvk_opencl_bind(run.session, "a", x), "bind");
    expect_failure(cvk_opencl_bind(run.session, "b", y), CVK_UNSUPPORTED,
                   "'b' is the same as an output that has a buffer already");
    memset(run.out[1].data, 0, sizeof want);
    run.out[1].name = "b";
    expect_ok(cvk_session_run(run.session, run.in, 1, &run.out[1], 1), "the other by host memory");
    assert_memory_equal(run.out[1].data, want, sizeof want);
    read_buffer(x, &run.out[0]);
    assert_memory_equal(run.out[0].data, want, sizeof want);
    run_free(&run);
    cvk_model_free(&model);
    clReleaseMemObject(x);
    clReleaseMemObject(y);
}

/* The device keeps what it was given. */
static void the_caller_may_let_go_first(void **state)
{
    (void)state;
    cl_int code;
    cl_context c = clCreateContext(NULL, 1, &cl_device, NULL, NULL, &code);
    expect_cl(code, "clCreateContext");
    cl_command_queue q = clCreateCommandQueue(c, cl_device, 0, &code);
    expect_cl(code, "clCreateCommandQueue");
    cvk_device *own = NULL;
    expect_ok(cvk_opencl_adopt(c, cl_device, q, &own), "adopt");
    clReleaseCommandQueue(q);
    clReleaseContext(c);
    cvk_model *model = model_text(nets[1]);
    test_run run = run_make(model, &own, 1, NULL);
    run_once(&run);
    run_free(&run);
    cvk_model_free(&model);
    cvk_device_close(&own);
}

static bool set_up(void)
{
    cl_platform_id platforms[16];
    cl_uint n_platforms = 0, n_devices = 0;
    cl_int code;
    if (clGetPlatformIDs(16, platforms, &n_platforms) != CL_SUCCESS) return false;
    for (cl_uint i = 0; i < n_platforms && !n_devices; i++)
        if (clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, 1, &cl_device, &n_devices) !=
            CL_SUCCESS)
            n_devices = 0;
    if (!n_devices) return false;
    context = clCreateContext(NULL, 1, &cl_device, NULL, NULL, &code);
    other_context = clCreateContext(NULL, 1, &cl_device, NULL, NULL, &code);
    queue = context ? clCreateCommandQueue(context, cl_device, 0, &code) : NULL;
    return other_context && queue && cvk_opencl_adopt(context, cl_device, queue, &device) == CVK_OK;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_adopted_device_is_the_callers),
        cmocka_unit_test(what_cannot_be_adopted),
        cmocka_unit_test(bound_buffers),
        cmocka_unit_test(binding_again_replaces),
        cmocka_unit_test(enqueue_returns_an_event),
        cmocka_unit_test(profiled_runs),
        cmocka_unit_test(buffers_and_tensors_take_turns),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(plans_that_leave_the_device),
        cmocka_unit_test(values_that_are_needed_elsewhere),
        cmocka_unit_test(the_caller_may_let_go_first),
    };
    if (!set_up()) {
        printf("skipped: no OpenCL device: %s\n", cvk_last_error());
        return 77;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cvk_device_close(&device);
    clReleaseCommandQueue(queue);
    clReleaseContext(context);
    clReleaseContext(other_context);
    return failed;
}
