/* SPDX-License-Identifier: Apache-2.0
 *
 * The door for OpenCL interop on sessions: buffers of the caller's for inputs and outputs. Adopting
 * a context is the backend's (backend/opencl/device.c).
 */
#ifdef CVK_WITH_OPENCL

#include <convoke/opencl.h>
#include <string.h>

#include "backend/opencl/api.h"
#include "session/session.h"

static cvk_status check_buffer(const cvk_device *device, cl_mem buffer, size_t bytes,
                               const char *name)
{
    cl_context context, wanted;
    size_t have;
    CVK_TRY(cvk_opencl_handles(device, &wanted, NULL));
    CVK_TRY(cvk_cl_check(
        cvk_cl.GetMemObjectInfo(buffer, CL_MEM_CONTEXT, sizeof context, &context, NULL),
        "clGetMemObjectInfo"));
    CVK_TRY(cvk_cl_check(cvk_cl.GetMemObjectInfo(buffer, CL_MEM_SIZE, sizeof have, &have, NULL),
                         "clGetMemObjectInfo"));
    if (context != wanted)
        return cvk_fail(CVK_BAD_ARGUMENT, "'%s': the buffer belongs to another context", name);
    if (have < bytes)
        return cvk_fail(CVK_BAD_ARGUMENT, "'%s': the buffer has %zu bytes, %zu are needed", name,
                        have, bytes);
    return CVK_OK;
}

cvk_status cvk_opencl_bind(cvk_session *session, const char *name, cl_mem buffer)
{
    if (!session || !name)
        return cvk_fail(CVK_BAD_ARGUMENT, "cvk_opencl_bind: session or name is NULL");
    cvk_device *device;
    size_t bytes;
    void *previous, *mine;
    CVK_TRY(cvk_session_stand_in(session, name, buffer, &device, &bytes, &previous));
    cvk_status status = buffer ? check_buffer(device, buffer, bytes, name) : CVK_OK;
    if (buffer && !status)
        status = cvk_cl_check(cvk_cl.RetainMemObject(buffer), "clRetainMemObject");
    if (status) { /* as it was */
        cvk_session_stand_in(session, name, previous, &device, &bytes, &mine);
        return status;
    }
    if (previous) cvk_cl.ReleaseMemObject(previous);
    return CVK_OK;
}

cvk_status cvk_opencl_enqueue(cvk_session *session, cl_event *event)
{
    if (!session) return cvk_fail(CVK_BAD_ARGUMENT, "cvk_opencl_enqueue: session is NULL");
    if (session->in_flight)
        return cvk_fail(CVK_BAD_ARGUMENT, "a run is in flight: wait for it first");
    cvk_device *device;
    cl_command_queue queue;
    CVK_TRY(cvk_session_enqueue(session, &device));
    CVK_TRY(cvk_opencl_handles(device, NULL, &queue));
    if (event)
        CVK_TRY(cvk_cl_check(cvk_cl.EnqueueMarkerWithWaitList(queue, 0, NULL, event),
                             "clEnqueueMarkerWithWaitList"));
    return cvk_cl_check(cvk_cl.Flush(queue), "clFlush");
}

#else

/* Without OpenCL the header cannot be used; this keeps the file from being empty. */
typedef int cvk_no_opencl;

#endif
