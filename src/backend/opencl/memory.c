/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory of an OpenCL device: a handle is a cl_mem, a part is a sub-buffer.
 */
#include "backend/opencl/device.h"

#include <string.h>

enum { CACHE_LINE = 64 }; /* bytes */

cvk_status cvk_cl_alloc(cvk_device *device, size_t bytes, void **data)
{
    cvk_cl_device *cl = cvk_cl_device_of(device);
    cl_int code;
    if (bytes > device->caps.max_buffer_bytes)
        return cvk_fail(CVK_NO_MEMORY, "%s: a buffer of %zu bytes is wanted, the device allows %zu",
                        device->info.id, bytes, device->caps.max_buffer_bytes);
    cl_mem made =
        cvk_cl.CreateBuffer(cl->context, CL_MEM_READ_WRITE, bytes ? bytes : 1, NULL, &code);
    if (code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_HOST_MEMORY)
        return cvk_fail(CVK_NO_MEMORY, "%s: no room for a buffer of %zu bytes", device->info.id,
                        bytes);
    CVK_TRY(cvk_cl_check(code, "clCreateBuffer"));
    *data = made;
    return CVK_OK;
}

cvk_status cvk_cl_part(cvk_device *device, void *data, size_t offset, size_t bytes, void **part)
{
    (void)device;
    cl_int code;
    const cl_buffer_region region = {.origin = offset, .size = bytes ? bytes : 1};
    cl_mem made = cvk_cl.CreateSubBuffer(data, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION,
                                         &region, &code);
    CVK_TRY(cvk_cl_check(code, "clCreateSubBuffer"));
    *part = made;
    return CVK_OK;
}

void cvk_cl_free(cvk_device *device, void *data)
{
    (void)device;
    if (data) cvk_cl.ReleaseMemObject(data);
}

cvk_status cvk_cl_write(cvk_device *device, void *dst, const void *src, size_t bytes)
{
    if (bytes == 0) return CVK_OK;
    cl_command_queue queue = cvk_cl_queue(device);
    return cvk_cl_check(
        cvk_cl.EnqueueWriteBuffer(queue, dst, CL_FALSE, 0, bytes, src, 0, NULL, NULL),
        "clEnqueueWriteBuffer");
}

/* Where host and device share memory, the weights are packed where they stay. */
cvk_status cvk_cl_fill(cvk_device *device, void *data, size_t bytes,
                       void (*write)(void *dst, const void *arg), const void *arg)
{
    cl_command_queue queue = cvk_cl_queue(device);
    cl_int code;
    if (bytes == 0) return CVK_OK;
    void *host = cvk_cl.EnqueueMapBuffer(queue, data, CL_TRUE, CL_MAP_WRITE_INVALIDATE_REGION, 0,
                                         bytes, 0, NULL, NULL, &code);
    CVK_TRY(cvk_cl_check(code, "clEnqueueMapBuffer"));
    memset(host, 0, bytes);
    write(host, arg);
    CVK_TRY(cvk_cl_check(cvk_cl.EnqueueUnmapMemObject(queue, data, host, 0, NULL, NULL),
                         "clEnqueueUnmapMemObject"));
    return cvk_cl_finish(device);
}

cvk_status cvk_cl_read(cvk_device *device, void *dst, const void *src, size_t bytes, bool wait)
{
    if (bytes == 0) return wait ? cvk_cl_finish(device) : CVK_OK;
    cl_command_queue queue = cvk_cl_queue(device);
    return cvk_cl_check(
        cvk_cl.EnqueueReadBuffer(queue, (cl_mem)src, wait, 0, bytes, dst, 0, NULL, NULL),
        "clEnqueueReadBuffer");
}

/* Whether the device can work on host memory where it lies: at an address that kernels may expect,
 * and sharing no cache line with other data but where the device is the host's own processor. */
static bool in_reach(const cvk_device *device, const void *host, size_t bytes)
{
    const cvk_caps *caps = &device->caps;
    return caps->bits & CVK_CAP_UNIFIED && (uintptr_t)host % caps->buffer_alignment == 0 &&
           (caps->bits & CVK_CAP_CPU || bytes % CACHE_LINE == 0) && bytes &&
           bytes >= device->least_shared && bytes <= caps->max_buffer_bytes;
}

cvk_status cvk_cl_wrap(cvk_device *device, void *host, size_t bytes, bool written, void **data)
{
    cl_int code;
    *data = NULL;
    if (!in_reach(device, host, bytes)) return CVK_OK;
    cl_mem made = cvk_cl.CreateBuffer(
        cvk_cl_device_of(device)->context,
        (written ? CL_MEM_READ_WRITE : CL_MEM_READ_ONLY) | CL_MEM_USE_HOST_PTR, bytes, host, &code);
    CVK_TRY(cvk_cl_check(code, "clCreateBuffer for the caller's memory"));
    *data = made;
    return CVK_OK;
}

cvk_status cvk_cl_map(cvk_device *device, void *data, size_t bytes, bool write, void **mapped)
{
    cl_int code;
    *mapped = cvk_cl.EnqueueMapBuffer(cvk_cl_queue(device), data, CL_FALSE,
                                      write ? CL_MAP_WRITE_INVALIDATE_REGION : CL_MAP_READ, 0,
                                      bytes, 0, NULL, NULL, &code);
    return cvk_cl_check(code, "clEnqueueMapBuffer");
}

cvk_status cvk_cl_unmap(cvk_device *device, void *data, void *mapped)
{
    return cvk_cl_check(
        cvk_cl.EnqueueUnmapMemObject(cvk_cl_queue(device), data, mapped, 0, NULL, NULL),
        "clEnqueueUnmapMemObject");
}

/* Drivers may wait in clFinish for what other threads have put into the queue since. */
static cvk_status finish_own(cvk_device *device)
{
    cl_event event = NULL;
    CVK_TRY(cvk_cl_check(cvk_cl.EnqueueMarkerWithWaitList(cvk_cl_queue(device), 0, NULL, &event),
                         "clEnqueueMarkerWithWaitList"));
    cvk_status status = cvk_cl_check(cvk_cl.WaitForEvents(1, &event), "clWaitForEvents");
    cvk_cl.ReleaseEvent(event);
    return status;
}

cvk_status cvk_cl_finish(cvk_device *device)
{
    if (device->sessions > 1) return finish_own(device);
    return cvk_cl_check(cvk_cl.Finish(cvk_cl_queue(device)), "clFinish");
}
