/* SPDX-License-Identifier: Apache-2.0
 *
 * Profiled runs: their commands go to a queue of their own that tells when each began and ended, so
 * that steps are timed without a wait between them. Other runs do not pay for it.
 */
#include <math.h>
#include <stdlib.h>

#include "backend/opencl/device.h"

/* The events of a profiled execute; its thread's while it runs. */
typedef struct recording {
    cl_command_queue queue;
    cl_event *events;
    int count, capacity;
    bool full; /* out of memory: events are missing */
} recording;

static _Thread_local recording *recorded;

cl_command_queue cvk_cl_queue(cvk_device *device)
{
    return recorded ? recorded->queue : cvk_cl_device_of(device)->queue;
}

cl_event *cvk_cl_event(void)
{
    if (!recorded) return NULL;
    if (recorded->count == recorded->capacity) {
        const int capacity = recorded->capacity * 2 + 64;
        cl_event *grown = realloc(recorded->events, (size_t)capacity * sizeof(cl_event));
        if (!grown) {
            recorded->full = true;
            return NULL;
        }
        recorded->events = grown;
        recorded->capacity = capacity;
    }
    recorded->events[recorded->count] = NULL;
    return &recorded->events[recorded->count++];
}

/* NULL: the device has no such queue. */
static cl_command_queue profile_queue(cvk_cl_device *cl)
{
    cl_int code;
    pthread_mutex_lock(&cl->base.lock);
    if (!cl->profile_queue) {
        cl_command_queue made =
            cvk_cl.CreateCommandQueue(cl->context, cl->id, CL_QUEUE_PROFILING_ENABLE, &code);
        cl->profile_queue = code == CL_SUCCESS ? made : NULL;
    }
    cl_command_queue queue = cl->profile_queue;
    pthread_mutex_unlock(&cl->base.lock);
    return queue;
}

static cvk_status event_time(cl_event event, cl_profiling_info what, double *ms)
{
    cl_ulong ns = 0;
    cl_int code = cvk_cl.GetEventProfilingInfo(event, what, sizeof ns, &ns, NULL);
    *ms = (double)ns * 1e-6;
    return cvk_cl_check(code, "clGetEventProfilingInfo");
}

/* Device times of steps whose events end at ends[i]; shift: from the device's clock to ours. A step
 * without a command takes no time. */
static cvk_status read_events(const recording *r, const int *ends, int count, double shift,
                              const cvk_timing *timing)
{
    double before = 0, begin, end;
    for (int i = 0, first = 0; i < count; first = ends[i++]) {
        begin = end = before;
        if (ends[i] > first) {
            CVK_TRY(event_time(r->events[first], CL_PROFILING_COMMAND_START, &begin));
            CVK_TRY(event_time(r->events[ends[i] - 1], CL_PROFILING_COMMAND_END, &end));
        }
        timing->slices[i] = (cvk_slice){begin + shift, fmax(end - begin, 0)};
        timing->ms[i] = fmax(end - (before > 0 ? before : begin), 0);
        before = end;
    }
    return CVK_OK;
}

static cvk_status execute(cvk_device *device, cvk_step *const *steps, int count, int *ends,
                          recording *r, const cvk_timing *timing)
{
    double queued = 0;
    CVK_TRY(cvk_cl_finish(device));
    const double now = cvk_cl_now_ms();
    recorded = r;
    cvk_status status = CVK_OK;
    for (int i = 0; i < count && !status; i++) {
        status = cvk_cl_step_run(device, steps[i]);
        ends[i] = r->count;
    }
    if (!status) status = cvk_cl_standby_start(device);
    recorded = NULL;
    cvk_status finished = cvk_cl_check(cvk_cl.Finish(r->queue), "clFinish");
    if (status || finished) return status ? status : finished;
    if (r->full) return cvk_fail(CVK_NO_MEMORY, "out of memory: events of a profiled run");
    if (r->count) CVK_TRY(event_time(r->events[0], CL_PROFILING_COMMAND_QUEUED, &queued));
    return read_events(r, ends, count, now - queued, timing);
}

static cvk_status execute_recorded(cvk_device *device, cvk_step *const *steps, int count,
                                   cl_command_queue queue, const cvk_timing *timing)
{
    recording r = {.queue = queue};
    int *ends = calloc((size_t)count + 1, sizeof *ends);
    cvk_status status = ends ? execute(device, steps, count, ends, &r, timing)
                             : cvk_fail(CVK_NO_MEMORY, "out of memory: a profiled run");
    for (int i = 0; i < r.count; i++)
        if (r.events[i]) cvk_cl.ReleaseEvent(r.events[i]);
    free(r.events);
    free(ends);
    return status;
}

/* By the host's clock, with a wait behind each step. */
static cvk_status execute_waiting(cvk_device *device, cvk_step *const *steps, int count,
                                  const cvk_timing *timing)
{
    for (int i = 0; i < count; i++) {
        CVK_TRY(cvk_cl_finish(device));
        const double begin = cvk_cl_now_ms();
        CVK_TRY(cvk_cl_step_run(device, steps[i]));
        CVK_TRY(cvk_cl_finish(device));
        timing->slices[i] = (cvk_slice){begin, cvk_cl_now_ms() - begin};
        timing->ms[i] = timing->slices[i].ms;
    }
    return CVK_OK;
}

cvk_status cvk_cl_execute_timed(cvk_device *device, cvk_step *const *steps, int count,
                                const cvk_timing *timing)
{
    cl_command_queue queue = profile_queue(cvk_cl_device_of(device));
    return queue ? execute_recorded(device, steps, count, queue, timing)
                 : execute_waiting(device, steps, count, timing);
}
