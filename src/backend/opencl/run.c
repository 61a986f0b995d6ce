/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches, and the walk over a plan's steps.
 */
#include <time.h>

#include "backend/opencl/device.h"

cvk_status cvk_cl_check(cl_int code, const char *call)
{
    return code == CL_SUCCESS
               ? CVK_OK
               : cvk_fail(CVK_DEVICE_FAILED, "%s failed: OpenCL error %d", call, code);
}

cvk_status cvk_cl_enqueue(cvk_device *device, const cvk_cl_launch *launch)
{
    for (cl_uint i = 0; i < launch->dims; i++)
        if (launch->global[i] == 0) return CVK_OK;
    const size_t *local = launch->local[0] ? launch->local : NULL;
    return cvk_cl_check(cvk_cl.EnqueueNDRangeKernel(cvk_cl_queue(device), launch->kernel,
                                                    launch->dims, NULL, launch->global, local, 0,
                                                    NULL, cvk_cl_event()),
                        "clEnqueueNDRangeKernel");
}

double cvk_cl_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

cvk_status cvk_cl_step_run(cvk_device *device, const cvk_step *step)
{
    cvk_status status = step->kernel->run(device, step, 0, 1);
    return status
               ? cvk_fail_at(status, "%s '%s'", cvk_op_kind_name(step->node->op), step->node->name)
               : CVK_OK;
}

cvk_status cvk_cl_execute(cvk_device *device, cvk_step *const *steps, int count, int lanes,
                          const cvk_timing *timing)
{
    (void)lanes; /* one queue */
    if (timing) return cvk_cl_execute_timed(device, steps, count, timing);
    for (int i = 0; i < count; i++) CVK_TRY(cvk_cl_step_run(device, steps[i]));
    CVK_TRY(cvk_cl_check(cvk_cl.Flush(cvk_cl_queue(device)), "clFlush"));
    return cvk_cl_standby_start(device);
}
