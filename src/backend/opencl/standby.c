/* SPDX-License-Identifier: Apache-2.0
 *
 * Stand-by on CPU devices. A driver's workers sleep between launches, and one is awake again after
 * 20 to 50 us: it comes too late for launches that take no longer. So a second queue holds a native
 * kernel that waits a few microseconds and enqueues itself again until the run is over: a worker
 * without work-groups to compute goes round there and sees the next launch at once. It yields, so
 * that nobody waits for it, and it is always one command, so that a single worker gets to the run's.
 */
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "backend/opencl/device.h"

struct cvk_cl_standby {
    cl_command_queue queue;
    atomic_int runs; /* that are stood by */
    atomic_bool closing;
};

/* Copied by the driver with each turn. */
typedef struct watch {
    cvk_cl_standby *standby;
    cl_event last; /* of the run */
    double until;
} watch;

static const double turn_ms = 0.003;
static const double most_ms = 1000;  /* longer runs, and lost devices, are left to themselves */
static const double close_ms = 1000; /* a lost device may hold a turn for ever */

static void CL_CALLBACK turn(void *arg);

static cl_int enqueue(watch *w)
{
    return cvk_cl.EnqueueNativeKernel(w->standby->queue, turn, w, sizeof *w, 0, NULL, NULL, 0, NULL,
                                      NULL);
}

static void leave(const watch *w)
{
    cvk_cl.ReleaseEvent(w->last);
    atomic_fetch_sub(&w->standby->runs, 1);
}

static bool over(const watch *w, double now)
{
    cl_int state = CL_COMPLETE;
    return atomic_load(&w->standby->closing) || now > w->until ||
           cvk_cl.GetEventInfo(w->last, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state,
                               NULL) != CL_SUCCESS ||
           state <= CL_COMPLETE;
}

static void CL_CALLBACK turn(void *arg)
{
    watch w = *(const watch *)arg;
    double now = cvk_cl_now_ms();
    for (const double end = now + turn_ms; now < end; now = cvk_cl_now_ms()) sched_yield();
    if (over(&w, now) || enqueue(&w) != CL_SUCCESS)
        leave(&w);
    else
        cvk_cl.Flush(w.standby->queue);
}

cvk_status cvk_cl_standby_open(cvk_cl_device *cl)
{
    cl_device_exec_capabilities can = 0;
    cl_int code = CL_SUCCESS;
    if (!(cl->base.caps.bits & CVK_CAP_CPU) || cl->base.caps.units < 2) return CVK_OK;
    CVK_TRY(cvk_cl_check(
        cvk_cl.GetDeviceInfo(cl->id, CL_DEVICE_EXECUTION_CAPABILITIES, sizeof can, &can, NULL),
        "clGetDeviceInfo"));
    if (!(can & CL_EXEC_NATIVE_KERNEL)) return CVK_OK;
    cl->standby = calloc(1, sizeof *cl->standby);
    if (!cl->standby) return cvk_fail(CVK_NO_MEMORY, "no memory for an OpenCL device");
    cl->standby->queue = cvk_cl.CreateCommandQueue(cl->context, cl->id, 0, &code);
    return cvk_cl_check(code, "clCreateCommandQueue");
}

cvk_status cvk_cl_standby_start(cvk_device *device)
{
    cvk_cl_standby *standby = cvk_cl_device_of(device)->standby;
    if (!standby) return CVK_OK;
    watch w = {.standby = standby, .until = cvk_cl_now_ms() + most_ms};
    CVK_TRY(cvk_cl_check(cvk_cl.EnqueueMarkerWithWaitList(cvk_cl_queue(device), 0, NULL, &w.last),
                         "clEnqueueMarkerWithWaitList"));
    atomic_fetch_add(&standby->runs, 1);
    const cl_int code = enqueue(&w);
    if (code != CL_SUCCESS) leave(&w);
    CVK_TRY(cvk_cl_check(code, "clEnqueueNativeKernel"));
    return cvk_cl_check(cvk_cl.Flush(standby->queue), "clFlush");
}

void cvk_cl_standby_close(cvk_cl_device *cl)
{
    cvk_cl_standby *standby = cl->standby;
    if (!standby) return;
    atomic_store(&standby->closing, true);
    const double end = cvk_cl_now_ms() + close_ms;
    while (atomic_load(&standby->runs) && cvk_cl_now_ms() < end) sched_yield();
    if (standby->queue) {
        cvk_cl.Finish(standby->queue);
        cvk_cl.ReleaseCommandQueue(standby->queue);
    }
    if (!atomic_load(&standby->runs)) free(standby); /* else the turn that is held reads it */
    cl->standby = NULL;
}
