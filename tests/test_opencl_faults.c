/* SPDX-License-Identifier: Apache-2.0
 *
 * Every OpenCL call of a session's life fails in turn, by the layer of opencl_fault_layer.h: the
 * library returns a status with a sentence or does without, answers are right or there are none,
 * nothing stays behind, and what failed works when it is tried again. Then the device is lost at
 * every call; and sessions that continue on the CPU.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <convoke/opencl.h>

#include "backend/backend.h"
#include "tests/model_text.h"
#include "tests/opencl_fault_layer.h"

typedef struct trial trial;

/* A part of a life, which can be tried again after it failed. */
typedef struct part {
    const char *name;
    cvk_status (*live)(trial *t);
} part;

enum { MOST_PARTS = 8 };

/* From opening a device to closing it. */
typedef struct life {
    const char *name, *net;
    part parts[MOST_PARTS];
    const char *device; /* what is opened; NULL: the test's own context is adopted */
    bool keep, profile, cpu_too;
    bool gpu;   /* the device says that it is one: then built programs are kept in the store */
    bool empty; /* the store is, before */
    int each;   /* of the calls of a kind fail as many as this one by one, and ever fewer of those
                   behind; 1: the first only; 0: all */
} life;

struct trial {
    const life *l;
    cvk_model *model;
    test_run right; /* on the CPU */
    cvk_tensor out[MAX_TENSORS];
    cvk_device *devices[2];
    cvk_session *session;
    int failures; /* parts that returned a status */
};

static const char *const kinds[] = {
#define X(name) #name,
#include "backend/opencl/functions.def"
#undef X
    "any"};
static const char *const objects[] = {"context", "queue", "mem", "program", "kernel", "event"};

static fault_layer *layer;
static cvk_device *cpu;
static cl_device_id cl_device;
static cl_context context; /* the test's own, with a queue and the buffers of the trial in hand */
static cl_command_queue queue;
static cl_mem buffers[2];
static char store[96];
static int warnings;
static long tried[FAULT_KINDS + 1], refused[FAULT_KINDS + 1];

static void sink(void *user, cvk_log_level level, const char *message)
{
    (void)user, (void)message;
    warnings += level <= CVK_LOG_WARN;
}

static size_t bytes_of(const cvk_tensor *t)
{
    return (size_t)cvk_tensor_count(t) * cvk_dtype_bytes(t->dtype);
}

static cvk_session_options options_of(const life *l)
{
    return (cvk_session_options){.keep_values = l->keep, .profile = l->profile};
}

static void expect_right(const cvk_tensor *got, const cvk_tensor *want, const char *what)
{
    double distance = tensor_distance(got, want);
    if (!(distance < 2e-5)) fail_msg("%s '%s': distance %g", what, want->name, distance);
}

/* Parts of lives. */

static cvk_status open_device(trial *t)
{
    const life *l = t->l;
    t->devices[1] = cpu;
    cvk_status status = l->device ? cvk_device_open(l->device, NULL, &t->devices[0])
                                  : cvk_opencl_adopt(context, cl_device, queue, &t->devices[0]);
    if (status) return status;
    t->devices[0]->caps.bits &= ~(uint32_t)CVK_CAP_CLBLAST; /* keeps what it makes */
    t->devices[0]->least_shared = 1;
    return status;
}

static cvk_status create(trial *t)
{
    const cvk_session_options options = options_of(t->l);
    return cvk_session_create(t->model, t->devices, t->l->cpu_too ? 2 : 1, &options, &t->session);
}

static void forget_outputs(trial *t)
{
    for (int i = 0; i < t->right.n_out; i++) memset(t->out[i].data, 0xff, bytes_of(&t->out[i]));
}

static void check_failure(const trial *t, const char *part, cvk_status status)
{
    const char *sentence = cvk_last_error();
    if (!*sentence || strstr(sentence, "(null)") ||
        (status != CVK_DEVICE_FAILED && status != CVK_NO_MEMORY && status != CVK_NO_DEVICE))
        fail_msg("%s: %s %ld: %s: '%s' (%s)", t->l->name, kinds[layer->kind], layer->at, part,
                 cvk_status_string(status), sentence);
}

/* What a run that failed has left behind is nobody's to read. */
static void expect_no_values(const trial *t)
{
    cvk_tensor value = {.data = NULL};
    expect_ok(cvk_session_read(t->session, "c", &value), "describe");
    value.data = calloc(1, bytes_of(&value));
    expect_failure(cvk_session_read(t->session, "c", &value), CVK_BAD_ARGUMENT,
                   "no run has computed 'c', or the last one failed");
    free(value.data);
}

static cvk_status check_run(trial *t, cvk_status status)
{
    if (status) check_failure(t, "run", status);
    if (status && t->l->keep) expect_no_values(t);
    for (int i = 0; !status && i < t->right.n_out; i++)
        expect_right(&t->out[i], &t->right.out[i], t->l->name);
    return status;
}

static cvk_status run(trial *t)
{
    forget_outputs(t);
    return check_run(
        t, cvk_session_run(t->session, t->right.in, t->right.n_in, t->out, t->right.n_out));
}

static cvk_status run_async(trial *t)
{
    forget_outputs(t);
    expect_ok(cvk_session_run_async(t->session, t->right.in, t->right.n_in, t->out, t->right.n_out),
              "run_async");
    return check_run(t, cvk_session_wait(t->session));
}

/* A value in the midst of the network. */
static cvk_status read_value(trial *t)
{
    cvk_tensor got = {.data = NULL}, want;
    expect_ok(cvk_session_read(t->session, "c", &got), "describe");
    want = got;
    got.data = calloc(1, bytes_of(&got));
    want.data = calloc(1, bytes_of(&got));
    cvk_status status = cvk_session_read(t->session, "c", &got);
    if (!status) {
        expect_ok(cvk_session_read(t->right.session, "c", &want), "read");
        expect_right(&got, &want, "value");
    }
    free(got.data);
    free(want.data);
    return status;
}

static cvk_status tune(trial *t)
{
    return cvk_tune(t->model, t->devices, 1, NULL, NULL, NULL);
}

static cvk_status measure(trial *t)
{
    double gflops, gbytes;
    t->devices[0]->caps.max_buffer_bytes = (size_t)16 << 20; /* takes less time */
    return cvk_device_measure(t->devices[0], &gflops, &gbytes);
}

static cvk_status bind_buffers(trial *t)
{
    cvk_status status = cvk_opencl_bind(t->session, t->right.in[0].name, buffers[0]);
    return status ? status : cvk_opencl_bind(t->session, t->right.out[0].name, buffers[1]);
}

static cvk_status enqueue(trial *t)
{
    cl_event event = NULL;
    cvk_tensor *out = &t->out[0];
    forget_outputs(t);
    cvk_status status = cvk_opencl_enqueue(t->session, &event);
    layer->off = true;
    clFinish(queue);
    clEnqueueReadBuffer(queue, buffers[1], CL_TRUE, 0, bytes_of(out), out->data, 0, NULL, NULL);
    layer->off = false;
    if (event) clReleaseEvent(event);
    if (!status) expect_right(out, &t->right.out[0], t->l->name);
    return status;
}

static const char small_net[] =
    "in x 1x3x10x9; const w 16x3x3x3; const b 16; c = Conv x w b pads=[1,1,1,1]; r = Relu c; "
    "p = MaxPool r kernel_shape=[2,2] strides=[2,2]; q = Transpose p perm=[0,2,3,1]; "
    "g = GlobalAveragePool p; f = Flatten g; const m 16x10; const n 10; h = Gemm f m n; "
    "z = Softmax h; out z; out q";
static const char tiny_net[] =
    "in x 1x16x8x8; const w 16x16x3x3; const b 16; c = Conv x w b pads=[1,1,1,1]; out c";
/* The resize has a row on neither device: the host, and with it the CPU device, computes it. */
static const char split_net[] =
    "in x 1x3x6x6; const w 16x3x3x3; c = Conv x w - pads=[1,1,1,1]; r = Relu c; const s 4 "
    "=1,1,1.5,1.5; z = Resize r - s mode=cubic; const v 16x16x3x3; y = Conv z v; out y";

/* With their programs from the store, but for the fourth and those with an empty one: PoCL takes a
 * while for each text. */
static const life lives[] = {
    {.name = "runs",
     .net = small_net,
     .parts = {{"open", open_device}, {"create", create}, {"run", run}, {"run", run}},
     .device = "opencl",
     .gpu = true},
    {.name = "values kept and steps timed",
     .net = tiny_net,
     .parts = {{"open", open_device}, {"create", create}, {"run", run}, {"read", read_value}},
     .device = "opencl",
     .keep = true,
     .profile = true,
     .gpu = true},
    {.name = "two devices, asynchronously",
     .net = split_net,
     .parts = {{"open", open_device}, {"create", create}, {"run", run_async}, {"run", run_async}},
     .device = "opencl",
     .cpu_too = true,
     .gpu = true},
    {.name = "a CPU device, which builds from text",
     .net = tiny_net,
     .parts = {{"open", open_device}, {"create", create}, {"run", run}, {"run", run}},
     .device = "opencl"},
    {.name = "programs into the store",
     .net = tiny_net,
     .parts = {{"open", open_device}, {"create", create}, {"run", run}},
     .device = "opencl",
     .gpu = true,
     .empty = true,
     .each = 8},
    {.name = "auto",
     .net = tiny_net,
     .parts = {{"open", open_device}, {"create", create}, {"run", run}},
     .device = "auto",
     .gpu = true},
    {.name = "buffers of the caller's",
     .net = tiny_net,
     .parts = {{"adopt", open_device},
               {"create", create},
               {"bind", bind_buffers},
               {"enqueue", enqueue},
               {"enqueue", enqueue}},
     .gpu = true},
    {.name = "tuning",
     .net = tiny_net,
     .parts = {{"open", open_device}, {"tune", tune}, {"create", create}, {"run", run}},
     .device = "opencl",
     .empty = true,
     .each = 3},
    {.name = "measuring",
     .net = tiny_net,
     .parts = {{"open", open_device}, {"measure", measure}},
     .device = "opencl",
     .each = 1},
};
enum { RUNS, KEPT, SPLIT, FROM_TEXT, INTO_STORE, AUTO, BUFFERS, TUNING, MEASURING };

/* What is to fail from now on. */
static void arm(int kind, long at, bool lost)
{
    layer->kind = kind;
    layer->at = at;
    layer->lost = lost;
    layer->all = layer->failed = 0;
    layer->gone = false;
    for (int k = 0; k < FAULT_KINDS; k++) layer->calls[k] = 0;
}

/* One part, and again if it failed: now it must not, unless the device is lost. */
static bool live_part(trial *t, const part *p)
{
    cvk_status status = p->live(t);
    if (!status) return true;
    t->failures++;
    if (p->live != run && p->live != run_async) check_failure(t, p->name, status);
    status = p->live(t);
    if (!layer->gone && status)
        fail_msg("%s: after %s %ld: %s again: %s", t->l->name, kinds[layer->kind], layer->at,
                 p->name, cvk_last_error());
    if (layer->gone && !status) fail_msg("%s: %s without a device", t->l->name, p->name);
    return !status;
}

static void live(trial *t)
{
    const part *p = t->l->parts;
    if (t->l->empty) expect_ok(cvk_cache_clear(NULL), "clear");
    for (t->failures = 0; p->live && live_part(t, p);) p++;
    cvk_session_free(&t->session);
    cvk_device_close(&t->devices[0]);
}

/* A life with a fault in it, after which no object is left. */
static void live_through(trial *t, int kind, long at, bool lost)
{
    long before[FAULT_OBJECTS];
    for (int o = 0; o < FAULT_OBJECTS; o++) before[o] = layer->alive[o];
    arm(kind, at, lost);
    live(t);
    layer->at = 0;
    layer->gone = false;
    for (int o = 0; o < FAULT_OBJECTS; o++)
        if (layer->alive[o] != before[o])
            fail_msg("%s: %s %ld%s: %ld of kind %s are left", t->l->name, kinds[kind], at,
                     lost ? " and all behind it" : "", layer->alive[o] - before[o], objects[o]);
    if (!layer->failed) return;
    tried[kind]++;
    refused[kind] += t->failures > 0;
}

static void begin(trial *t, const life *l)
{
    const cvk_session_options options = options_of(l);
    *t = (trial){.l = l, .model = model_text(l->net)};
    t->right = run_make(t->model, &cpu, 1, &options);
    run_once(&t->right);
    for (int i = 0; i < t->right.n_out; i++) {
        t->out[i] = t->right.out[i];
        /* used where it lies */
        assert_int_equal(posix_memalign(&t->out[i].data, 4096, bytes_of(&t->out[i])), 0);
    }
    layer->gpu = l->gpu;
    layer->off = true;
    for (int i = 0; i < 2 && !l->device; i++) {
        const cvk_tensor *tensor = i ? &t->right.out[0] : &t->right.in[0];
        cl_int code;
        buffers[i] = clCreateBuffer(context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                                    bytes_of(tensor), tensor->data, &code);
        assert_int_equal(code, CL_SUCCESS);
    }
    layer->off = false;
    live_through(t, FAULT_ANY, 0, false); /* programs are built */
    assert_int_equal(t->failures, 0);
}

static void end(trial *t)
{
    layer->gpu = false;
    layer->off = true;
    for (int i = 0; i < 2 && !t->l->device; i++) clReleaseMemObject(buffers[i]);
    layer->off = false;
    for (int i = 0; i < t->right.n_out; i++) free(t->out[i].data);
    run_free(&t->right);
    cvk_model_free(&t->model);
}

/* The call to fail behind the `at`-th of `count`. */
static long next_call(const life *l, long at, long count)
{
    long step = at < l->each || !l->each ? 1 : at * 2;
    if (step < FAULT_STRIDE) step = FAULT_STRIDE;
    if (l->each == 1) return count + 1;
    return at < count && at + step > count && l->each ? count : at + step;
}

/* On a device that is opened once and outlives all faults. */
static void expect_new_session(trial *t, cvk_device *standing)
{
    trial fresh = *t;
    fresh.devices[0] = standing;
    layer->off = true;
    expect_ok(create(&fresh), "a new session");
    expect_ok(run(&fresh), "a new session's run");
    cvk_session_free(&fresh.session);
    layer->off = false;
}

static void every_call_fails(void **state)
{
    trial t;
    long count[FAULT_KINDS], made = 0, status = 0, all = 0;
    begin(&t, *state);
    live_through(&t, FAULT_ANY, 0, false);
    for (int k = 0; k < FAULT_KINDS; k++) all += count[k] = layer->calls[k];
    layer->off = true;
    cvk_device *standing = NULL;
    expect_ok(cvk_device_open("opencl", NULL, &standing), "open");
    layer->off = false;
    for (int k = 0; k < FAULT_KINDS; k++) {
        const long before = tried[k], before_refused = refused[k];
        for (long at = 1; at <= count[k]; at = next_call(t.l, at, count[k])) {
            live_through(&t, k, at, false);
            expect_new_session(&t, standing);
        }
        made += tried[k] - before;
        status += refused[k] - before_refused;
    }
    layer->off = true;
    cvk_device_close(&standing);
    layer->off = false;
    printf("%s: %ld calls in a life, %ld made to fail and survived: %ld a status, %ld done "
           "without\n",
           t.l->name, all, made, status, made - status);
    assert_true(made > 0 && status > 0);
    end(&t);
}

/* Lost at a call of any kind and for the rest of the life; then it is there again. */
static void lost_at_every_call(void **state)
{
    trial t;
    const long before = tried[FAULT_ANY];
    begin(&t, *state);
    live_through(&t, FAULT_ANY, 0, false);
    const long count = layer->all;
    for (long at = 1; at <= count; at += FAULT_STRIDE) {
        live_through(&t, FAULT_ANY, at, true);
        if (at % 4 != 1) continue; /* a new device takes a while */
        live_through(&t, FAULT_ANY, 0, false);
        assert_int_equal(t.failures, 0);
    }
    printf("%s: device lost at %ld of %ld calls and survived\n", t.l->name,
           tried[FAULT_ANY] - before, count);
    end(&t);
}

/* After a fault: all of the plan is on the CPU, and says why. */
static void expect_continued(const cvk_session *session)
{
    cvk_session_info info;
    cvk_step_info step;
    expect_ok(cvk_session_get_info(session, &info), "info");
    if (!*info.continued) fail_msg("%s %ld: not continued", kinds[layer->kind], layer->at);
    assert_non_null(strstr(cvk_session_describe(session), "continued on cpu"));
    assert_non_null(strstr(cvk_session_describe(session), info.continued));
    assert_true(warnings > 0);
    for (int i = 0; i < info.steps; i++) {
        expect_ok(cvk_session_step(session, i, &step), "step");
        assert_null(strstr(step.device, "opencl"));
    }
}

/* From the creation of the session on: every call fails, then the device is lost at it. Returns
 * whether there was such a call before the session was freed. */
static bool continue_after(trial *t, long at, bool lost, bool async)
{
    cvk_session_options options = options_of(t->l);
    options.continue_on = cpu;
    cvk_tensor input = t->right.in[0];
    options.inputs = &input;
    options.n_inputs = 1;
    expect_ok(open_device(t), "open");
    arm(FAULT_ANY, at, lost);
    warnings = 0;
    expect_ok(cvk_session_create(t->model, t->devices, 1, &options, &t->session), "create");
    input = (cvk_tensor){.name = "gone"}; /* the session has copied what it needs */
    const char *text = cvk_session_describe(t->session);
    char *copy = strdup(text);
    for (int i = 0; i < 2; i++) expect_ok((async ? run_async : run)(t), "run");
    assert_string_equal(text, copy); /* lent for as long as the session lives */
    free(copy);
    const bool failed = layer->failed > 0;
    if (lost && failed) expect_continued(t->session);
    cvk_session_free(&t->session);
    cvk_device_close(&t->devices[0]);
    arm(FAULT_ANY, 0, false);
    return failed;
}

static void continued_on_the_cpu(void **state)
{
    trial t;
    begin(&t, *state);
    for (int way = 0; way < 3; way++) { /* a fault, device lost, and that while asynchronous */
        long at = 1, times = 0;
        for (; continue_after(&t, at, way > 0, way > 1); at += FAULT_STRIDE) times++;
        for (int o = 0; o < FAULT_OBJECTS; o++) assert_int_equal(layer->alive[o], 0);
        printf("%s%s: %s %ld times, answered\n", t.l->name, way > 1 ? ", async" : "",
               way > 0 ? "device lost" : "a fault", times);
        assert_true(times > 0);
    }
    end(&t);
}

/* Data on the device that failed is not to be had. */
static void bound_buffers_cannot_continue(void **state)
{
    trial t;
    begin(&t, *state);
    const cvk_session_options options = {.continue_on = cpu};
    expect_ok(open_device(&t), "open");
    expect_ok(cvk_session_create(t.model, t.devices, 1, &options, &t.session), "create");
    expect_ok(bind_buffers(&t), "bind");
    arm(FAULT_EnqueueNDRangeKernel, 1, true);
    assert_int_equal(cvk_session_run(t.session, NULL, 0, NULL, 0), CVK_DEVICE_FAILED);
    if (!strstr(cvk_last_error(), "clEnqueueNDRangeKernel failed: OpenCL error -5; the run cannot "
                                  "continue on cpu: 'x' is bound to a buffer"))
        fail_msg("said '%s'", cvk_last_error());
    arm(FAULT_ANY, 0, false);
    expect_ok(enqueue(&t), "enqueue");
    cvk_session_free(&t.session);
    cvk_device_close(&t.devices[0]);
    end(&t);
}

static void report(void)
{
    long made = 0;
    printf("%-24s made to fail and survived\n", "function");
    for (int k = 0; k < FAULT_KINDS; k++) {
        if (tried[k])
            printf("%-24s %5ld: %ld a status, %ld done without\n", kinds[k], tried[k], refused[k],
                   tried[k] - refused[k]);
        made += tried[k];
    }
    printf("%ld calls made to fail and survived; device lost %ld times and survived\n", made,
           tried[FAULT_ANY]);
}

/* The loader takes the layer with its first call. NULL: it does not, or there is no device. */
static const char *why_not(void)
{
    cl_platform_id platform;
    cl_uint n = 0;
    cl_int code = 0;
    setenv("OPENCL_LAYERS", FAULT_LAYER_PATH, 1);
    if (clGetPlatformIDs(1, &platform, &n) != CL_SUCCESS || !n) return "no OpenCL platform";
    void *library = dlopen(FAULT_LAYER_PATH, RTLD_NOW | RTLD_NOLOAD);
    layer = library ? dlsym(library, "cvk_fault_layer") : NULL;
    if (!layer) return "the OpenCL loader does not load layers";
    if (!layer->calls[FAULT_GetPlatformIDs]) return "the OpenCL loader calls no layer";
    layer->off = true;
    if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &cl_device, &n) || !n) return "no device";
    context = clCreateContext(NULL, 1, &cl_device, NULL, NULL, &code);
    if (!code) queue = clCreateCommandQueue(context, cl_device, 0, &code);
    layer->off = false;
    return code ? "no context or queue" : NULL;
}

int main(void)
{
    const cvk_device_options threads = {.threads = 2};
    const char *why = why_not();
    if (!why && cvk_device_open("cpu", &threads, &cpu)) why = cvk_last_error();
    snprintf(store, sizeof store, P_tmpdir "/convoke-faults-XXXXXX");
    if (!why && !mkdtemp(store)) why = "no folder for the store";
    if (why) {
        printf("skipped: %s\n", why);
        return 77;
    }
    setenv("CONVOKE_CACHE_DIR", store, 1);
    cvk_log_set(sink, NULL, CVK_LOG_WARN);
#define LIFE(test, i)                                                                              \
    {                                                                                              \
#test, test, NULL, NULL, (void *)&lives[i]                                                 \
    }
    const struct CMUnitTest tests[] = {
        LIFE(every_call_fails, RUNS),
        LIFE(every_call_fails, KEPT),
        LIFE(every_call_fails, SPLIT),
        LIFE(every_call_fails, FROM_TEXT),
        LIFE(every_call_fails, INTO_STORE),
        LIFE(every_call_fails, AUTO),
        LIFE(every_call_fails, BUFFERS),
        LIFE(every_call_fails, TUNING),
        LIFE(every_call_fails, MEASURING),
        LIFE(lost_at_every_call, RUNS),
        LIFE(lost_at_every_call, SPLIT),
        LIFE(lost_at_every_call, FROM_TEXT),
        LIFE(lost_at_every_call, BUFFERS),
        LIFE(continued_on_the_cpu, RUNS),
        LIFE(bound_buffers_cannot_continue, BUFFERS),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    report();
    cvk_device_close(&cpu);
    layer->off = true;
    clReleaseCommandQueue(queue);
    clReleaseContext(context);
    char path[128];
    snprintf(path, sizeof path, "%s/convoke.sqlite", store);
    unlink(path);
    rmdir(store);
    return failed;
}
