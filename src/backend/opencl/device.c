/* SPDX-License-Identifier: Apache-2.0
 *
 * Opens and closes OpenCL devices: Convoke's own, and those adopted from a caller. The backend's
 * table of functions stands at the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <convoke/opencl.h>

#include "backend/opencl/device.h"
#include "base/log.h"

enum { MAX_DEVICES = 64 };
enum { LEAST_SHARED = 1 << 16 }; /* the copy of fewer bytes takes less than to map them */

static int list(cvk_device_info *infos, int capacity)
{
    cl_device_id ids[MAX_DEVICES];
    int count = cvk_cl_query_devices(ids, MAX_DEVICES);
    if (count > MAX_DEVICES) count = MAX_DEVICES;
    for (int i = 0; i < count && i < capacity; i++)
        if (cvk_cl_query_info(ids[i], i, &infos[i]))
            cvk_log(CVK_LOG_WARN, "opencl:%d does not say all of itself: %s", i, cvk_last_error());
    return count;
}

static void close(cvk_device *device)
{
    cvk_cl_device *cl = cvk_cl_device_of(device);
    if (cl->queue) cvk_cl.Finish(cl->queue);
    cvk_cl_standby_close(cl);
    cvk_device_deinit(device);
    cvk_cl_programs_free(cl);
    if (cl->queue) cvk_cl.ReleaseCommandQueue(cl->queue);
    if (cl->profile_queue) cvk_cl.ReleaseCommandQueue(cl->profile_queue);
    if (cl->context) cvk_cl.ReleaseContext(cl->context);
    free(cl);
}

/* Whether the compiler takes half arithmetic, not just the name of the extension. */
static bool probe_half(cvk_device *device)
{
    cvk_cl_launch launch = {0}, *const all = &launch;
    bool works = cvk_cl_kernel(&launch, "probe_half.cl", "", 0, "probe_half") == CVK_OK &&
                 cvk_cl_build(device, &all, 1) == CVK_OK;
    cvk_cl_kernel_release(&launch);
    return works;
}

static cvk_status create(cl_device_id id, int index, cvk_cl_device **made)
{
    cvk_cl_device *cl = calloc(1, sizeof *cl);
    if (!cl) return cvk_fail(CVK_NO_MEMORY, "no memory for an OpenCL device");
    cvk_device_init(&cl->base, &cvk_backend_opencl);
    cl->id = id;
    cl->base.kernels = cvk_cl_kernels;
    cl->base.n_kernels = cvk_cl_kernel_count;
    cl->base.least_shared = LEAST_SHARED;
    cvk_status status = cvk_cl_query_info(id, index, &cl->base.info);
    if (!status) status = cvk_cl_query_caps(id, &cl->base.caps);
    if (!status) status = cvk_cl_query_rates(id, &cl->base.rates);
    if (!status) status = cvk_cl_query_options(id, cl->options, sizeof cl->options);
    if (status) {
        cvk_fail_at(status, "%s", cl->base.info.id);
        close(&cl->base);
        return status;
    }
    *made = cl;
    return CVK_OK;
}

static cvk_status complete(cvk_cl_device *cl, cvk_device **device)
{
    CVK_TRY(cvk_cl_standby_open(cl));
    cl->base.info.fp16 = cl->base.info.fp16 && probe_half(&cl->base);
    *device = &cl->base;
    return CVK_OK;
}

static cvk_status create_queue(cvk_cl_device *cl)
{
    cl_int code = CL_SUCCESS;
    cl->context = cvk_cl.CreateContext(NULL, 1, &cl->id, NULL, NULL, &code);
    CVK_TRY(cvk_cl_check(code, "clCreateContext"));
    cl->queue = cvk_cl.CreateCommandQueue(cl->context, cl->id, 0, &code);
    return cvk_cl_check(code, "clCreateCommandQueue");
}

static cvk_status create_at(int index, cvk_cl_device **cl)
{
    cl_device_id ids[MAX_DEVICES];
    int count = cvk_cl_query_devices(ids, MAX_DEVICES);
    if (index < 0 || index >= count || index >= MAX_DEVICES)
        return cvk_fail(CVK_NO_DEVICE, "opencl:%d: there are %d OpenCL devices", index, count);
    return create(ids[index], index, cl);
}

/* Without a context, which takes a driver long. */
static cvk_status peek(int index, const cvk_device_options *options, cvk_device **device)
{
    (void)options;
    cvk_cl_device *cl = NULL;
    CVK_TRY(create_at(index, &cl));
    *device = &cl->base;
    return CVK_OK;
}

static cvk_status open(int index, const cvk_device_options *options, cvk_device **device)
{
    (void)options;
    cvk_cl_device *cl = NULL;
    CVK_TRY(create_at(index, &cl));
    cvk_status status = create_queue(cl);
    if (!status) status = complete(cl, device);
    if (status) {
        cvk_fail_at(status, "%s", cl->base.info.id);
        close(&cl->base);
        return status;
    }
    return CVK_OK;
}

static cvk_status check_queue(cl_context context, cl_device_id id, cl_command_queue queue)
{
    cl_context queue_context = NULL;
    cl_device_id queue_device = NULL;
    cl_command_queue_properties properties = 0;
    CVK_TRY(cvk_cl_check(cvk_cl.GetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof queue_context,
                                                    &queue_context, NULL),
                         "clGetCommandQueueInfo"));
    CVK_TRY(cvk_cl_check(cvk_cl.GetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof queue_device,
                                                    &queue_device, NULL),
                         "clGetCommandQueueInfo"));
    CVK_TRY(cvk_cl_check(cvk_cl.GetCommandQueueInfo(queue, CL_QUEUE_PROPERTIES, sizeof properties,
                                                    &properties, NULL),
                         "clGetCommandQueueInfo"));
    if (queue_context != context || queue_device != id)
        return cvk_fail(CVK_BAD_ARGUMENT,
                        "cvk_opencl_adopt: the queue belongs to another context or device");
    if (properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE)
        return cvk_fail(
            CVK_BAD_ARGUMENT,
            "cvk_opencl_adopt: the queue executes out of order; an in-order one is expected");
    return CVK_OK;
}

/* What could not be retained is not the device's to release. */
static cvk_status retain(cvk_cl_device *cl, cl_context context, cl_command_queue queue)
{
    CVK_TRY(cvk_cl_check(cvk_cl.RetainContext(context), "clRetainContext"));
    cl->context = context;
    CVK_TRY(cvk_cl_check(cvk_cl.RetainCommandQueue(queue), "clRetainCommandQueue"));
    cl->queue = queue;
    return CVK_OK;
}

cvk_status cvk_opencl_adopt(cl_context context, cl_device_id device, cl_command_queue queue,
                            cvk_device **opened)
{
    if (!context || !device || !queue || !opened)
        return cvk_fail(CVK_BAD_ARGUMENT,
                        "cvk_opencl_adopt: context, device, queue and opened must not be NULL");
    if (!cvk_cl_load())
        return cvk_fail(CVK_NO_DEVICE, "cvk_opencl_adopt: libOpenCL.so.1 cannot be loaded");
    CVK_TRY(check_queue(context, device, queue));
    cl_device_id ids[MAX_DEVICES];
    int count = cvk_cl_query_devices(ids, MAX_DEVICES), index = -1;
    for (int i = 0; i < count && i < MAX_DEVICES; i++)
        if (ids[i] == device) index = i;
    cvk_cl_device *cl = NULL;
    CVK_TRY(create(device, index, &cl));
    cvk_status status = retain(cl, context, queue);
    if (!status) status = complete(cl, opened);
    if (status) close(&cl->base);
    return status;
}

cvk_status cvk_opencl_handles(const cvk_device *device, cl_context *context,
                              cl_command_queue *queue)
{
    if (!device || device->backend != &cvk_backend_opencl)
        return cvk_fail(CVK_BAD_ARGUMENT, "cvk_opencl_handles: an OpenCL device is expected");
    const cvk_cl_device *cl = (const cvk_cl_device *)device;
    if (context) *context = cl->context;
    if (queue) *queue = cl->queue;
    return CVK_OK;
}

const cvk_backend cvk_backend_opencl = {
    .name = "opencl",
    .host = false,
    .list = list,
    .open = open,
    .peek = peek,
    .close = close,
    .alloc = cvk_cl_alloc,
    .part = cvk_cl_part,
    .release = cvk_cl_free,
    .release_part = cvk_cl_free,
    .write = cvk_cl_write,
    .read = cvk_cl_read,
    .wrap = cvk_cl_wrap,
    .map = cvk_cl_map,
    .unmap = cvk_cl_unmap,
    .fill = cvk_cl_fill,
    .finish = cvk_cl_finish,
    .build = cvk_cl_build_steps,
    .execute = cvk_cl_execute,
    .measure = cvk_cl_measure,
};
