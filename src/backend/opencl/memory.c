/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory of an OpenCL device: a handle is a cl_mem, a part is a sub-buffer.
 */
#include "backend/opencl/device.h"

#include <string.h>

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

cvk_status cvk_cl_read(cvk_device *device, void *dst, const void *src, size_t bytes)
{
    if (bytes == 0) return cvk_cl_finish(device);
    cl_command_queue queue = cvk_cl_queue(device);
    return cvk_cl_check(
        cvk_cl.EnqueueReadBuffer(queue, (cl_mem)src, CL_TRUE, 0, bytes, dst, 0, NULL, NULL),
        "clEnqueueReadBuffer");
}

cvk_status cvk_cl_finish(cvk_device *device)
{
    return cvk_cl_check(cvk_cl.Finish(cvk_cl_queue(device)), "clFinish");
}
