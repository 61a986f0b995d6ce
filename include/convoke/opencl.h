/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenCL interop: let Convoke work in the caller's context and queue, on the caller's buffers. These
 * functions are in a library built with OpenCL only (CONVOKE_OPENCL, the default).
 */
#ifndef CONVOKE_OPENCL_H
#define CONVOKE_OPENCL_H

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 120
#endif
#include <CL/cl.h>
#include <convoke/convoke.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Opens a device on the caller's context, device and in-order queue. The three are retained until
 * cvk_device_close. On a CPU device that runs native kernels, a second queue of Convoke's own keeps a
 * worker of the driver's awake during runs. CVK_BAD_ARGUMENT if the queue executes out of order or
 * does not belong to both. */
CVK_API cvk_status cvk_opencl_adopt(cl_context context, cl_device_id device, cl_command_queue queue,
                                    cvk_device **opened);

/* The context and queue of an opened OpenCL device, not retained for the caller. Either may be NULL. */
CVK_API cvk_status cvk_opencl_handles(const cvk_device *device, cl_context *context,
                                      cl_command_queue *queue);

/* Binds `buffer` (of the session's context, large enough, plain row-major layout) as the input or
 * output `name` for all later runs; NULL unbinds. A bound input is left out of the inputs passed to
 * cvk_session_run; a bound output is written there without a host copy. Retained while bound. */
CVK_API cvk_status cvk_opencl_bind(cvk_session *session, const char *name, cl_mem buffer);

/* Like cvk_session_run with every input and output bound, but returns when the work is enqueued.
 * *event (may be NULL) completes with the last step and is the caller's to release.
 * CVK_UNSUPPORTED if the plan has a step outside this OpenCL device. */
CVK_API cvk_status cvk_opencl_enqueue(cvk_session *session, cl_event *event);

#ifdef __cplusplus
}
#endif
#endif
