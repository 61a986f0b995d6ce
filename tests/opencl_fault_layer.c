/* SPDX-License-Identifier: Apache-2.0
 *
 * The layer of opencl_fault_layer.h. A call that fails does not reach the driver and leaves its
 * results alone; but a release does reach it, since drivers free what they can even then.
 */
#include "tests/opencl_fault_layer.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl_layer.h>

fault_layer cvk_fault_layer;

static const cl_icd_dispatch *next; /* the driver's side */
static cl_icd_dispatch table;

/* One that each function may return; where nothing is said CL_OUT_OF_RESOURCES. */
static const cl_int errors[FAULT_KINDS] = {
    [FAULT_GetPlatformIDs] = CL_OUT_OF_HOST_MEMORY,
    [FAULT_GetPlatformInfo] = CL_OUT_OF_HOST_MEMORY,
    [FAULT_CreateContext] = CL_DEVICE_NOT_AVAILABLE,
    [FAULT_RetainContext] = CL_OUT_OF_HOST_MEMORY,
    [FAULT_RetainCommandQueue] = CL_OUT_OF_HOST_MEMORY,
    [FAULT_CreateCommandQueue] = CL_OUT_OF_HOST_MEMORY,
    [FAULT_CreateBuffer] = CL_MEM_OBJECT_ALLOCATION_FAILURE,
    [FAULT_CreateSubBuffer] = CL_MEM_OBJECT_ALLOCATION_FAILURE,
    [FAULT_CreateProgramWithSource] = CL_OUT_OF_HOST_MEMORY,
    [FAULT_CreateProgramWithBinary] = CL_INVALID_BINARY,
    [FAULT_BuildProgram] = CL_BUILD_PROGRAM_FAILURE,
    [FAULT_CreateKernel] = CL_OUT_OF_HOST_MEMORY,
    [FAULT_EnqueueReadBuffer] = CL_MEM_OBJECT_ALLOCATION_FAILURE,
    [FAULT_EnqueueMapBuffer] = CL_MAP_FAILURE,
    [FAULT_Flush] = CL_OUT_OF_HOST_MEMORY,
};

/* Queues that are alive, and how often they are held through this layer. */
enum { MOST_QUEUES = 16 };
static struct {
    cl_command_queue queue;
    int holders; /* 0: none */
} queues[MOST_QUEUES];

static cl_command_queue hold_queue(cl_command_queue queue, int more)
{
    int at = -1;
    for (int i = 0; queue && more > 0 && i < MOST_QUEUES; i++)
        if (!queues[i].holders && at < 0) at = i;
    for (int i = 0; queue && i < MOST_QUEUES; i++)
        if (queues[i].holders && queues[i].queue == queue) at = i;
    if (at < 0) return queue;
    queues[at].queue = queue;
    queues[at].holders += more;
    return queue;
}

/* A lost device works no more: what ours has begun is waited for, since the caller may free what it
 * reads, or end the process, as soon as he is told. */
static void lose(void)
{
    for (int i = 0; i < MOST_QUEUES; i++)
        if (queues[i].holders) next->clFinish(queues[i].queue);
    cvk_fault_layer.gone = true;
}

/* Within a native kernel: on a driver's thread, at no time that could be told beforehand, so that
 * its calls neither count nor fail. What it releases is whose who enqueued it. */
static _Thread_local bool in_native, native_off;

static bool tests_own(void)
{
    return in_native ? native_off : cvk_fault_layer.off;
}

/* Counts a call; the error with which it is to fail, or CL_SUCCESS. */
static cl_int count(fault_kind kind)
{
    fault_layer *f = &cvk_fault_layer;
    if (f->off || in_native) return CL_SUCCESS;
    long own = atomic_fetch_add(&f->calls[kind], 1) + 1, all = atomic_fetch_add(&f->all, 1) + 1;
    bool hit =
        f->at && (f->kind == FAULT_ANY ? all == f->at : f->kind == (int)kind && own == f->at);
    if (hit && f->lost) lose();
    if (!hit && !f->gone) return CL_SUCCESS;
    atomic_fetch_add(&f->failed, 1);
    return errors[kind] ? errors[kind] : CL_OUT_OF_RESOURCES;
}

static void *refuse(cl_int error, cl_int *code)
{
    if (code) *code = error;
    return NULL;
}

static void *made(fault_object what, void *object)
{
    if (object && !tests_own()) atomic_fetch_add(&cvk_fault_layer.alive[what], 1);
    return object;
}

static cl_int retained(fault_object what, cl_int code)
{
    if (code == CL_SUCCESS && !tests_own()) atomic_fetch_add(&cvk_fault_layer.alive[what], 1);
    return code;
}

/* error: the call's, though the object is released all the same. */
static cl_int released(fault_object what, cl_int code, cl_int error)
{
    if (code == CL_SUCCESS && !tests_own()) atomic_fetch_sub(&cvk_fault_layer.alive[what], 1);
    return error ? error : code;
}

static cl_int with_event(cl_int code, cl_event *event)
{
    return event ? retained(FAULT_EVENT, code) : code;
}

static cl_int get_platform_ids(cl_uint capacity, cl_platform_id *ids, cl_uint *n)
{
    cl_int error = count(FAULT_GetPlatformIDs);
    return error ? error : next->clGetPlatformIDs(capacity, ids, n);
}

static cl_int get_platform_info(cl_platform_id id, cl_platform_info what, size_t size, void *value,
                                size_t *bytes)
{
    cl_int error = count(FAULT_GetPlatformInfo);
    return error ? error : next->clGetPlatformInfo(id, what, size, value, bytes);
}

static cl_int get_device_ids(cl_platform_id platform, cl_device_type type, cl_uint capacity,
                             cl_device_id *ids, cl_uint *n)
{
    cl_int error = count(FAULT_GetDeviceIDs);
    return error ? error : next->clGetDeviceIDs(platform, type, capacity, ids, n);
}

static cl_int get_device_info(cl_device_id id, cl_device_info what, size_t size, void *value,
                              size_t *bytes)
{
    const cl_device_type gpu = CL_DEVICE_TYPE_GPU;
    cl_int error = count(FAULT_GetDeviceInfo);
    if (error) return error;
    cl_int code = next->clGetDeviceInfo(id, what, size, value, bytes);
    if (code == CL_SUCCESS && cvk_fault_layer.gpu && what == CL_DEVICE_TYPE && value)
        memcpy(value, &gpu, sizeof gpu);
    return code;
}

static cl_context
create_context(const cl_context_properties *properties, cl_uint n, const cl_device_id *devices,
               void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *user,
               cl_int *code)
{
    cl_int error = count(FAULT_CreateContext);
    if (error) return refuse(error, code);
    return made(FAULT_CONTEXT, next->clCreateContext(properties, n, devices, notify, user, code));
}

static cl_int retain_context(cl_context context)
{
    cl_int error = count(FAULT_RetainContext);
    return error ? error : retained(FAULT_CONTEXT, next->clRetainContext(context));
}

static cl_int release_context(cl_context context)
{
    cl_int error = count(FAULT_ReleaseContext);
    return released(FAULT_CONTEXT, next->clReleaseContext(context), error);
}

static cl_int get_context_info(cl_context context, cl_context_info what, size_t size, void *value,
                               size_t *bytes)
{
    cl_int error = count(FAULT_GetContextInfo);
    return error ? error : next->clGetContextInfo(context, what, size, value, bytes);
}

static cl_command_queue create_command_queue(cl_context context, cl_device_id device,
                                             cl_command_queue_properties properties, cl_int *code)
{
    cl_int error = count(FAULT_CreateCommandQueue);
    if (error) return refuse(error, code);
    return made(FAULT_QUEUE,
                hold_queue(next->clCreateCommandQueue(context, device, properties, code), 1));
}

static cl_int retain_command_queue(cl_command_queue queue)
{
    cl_int error = count(FAULT_RetainCommandQueue);
    if (error) return error;
    hold_queue(queue, 1);
    return retained(FAULT_QUEUE, next->clRetainCommandQueue(queue));
}

static cl_int release_command_queue(cl_command_queue queue)
{
    cl_int error = count(FAULT_ReleaseCommandQueue);
    hold_queue(queue, -1);
    return released(FAULT_QUEUE, next->clReleaseCommandQueue(queue), error);
}

static cl_int get_command_queue_info(cl_command_queue queue, cl_command_queue_info what,
                                     size_t size, void *value, size_t *bytes)
{
    cl_int error = count(FAULT_GetCommandQueueInfo);
    return error ? error : next->clGetCommandQueueInfo(queue, what, size, value, bytes);
}

static cl_mem create_buffer(cl_context context, cl_mem_flags flags, size_t size, void *host,
                            cl_int *code)
{
    cl_int error = count(FAULT_CreateBuffer);
    if (error) return refuse(error, code);
    return made(FAULT_MEM, next->clCreateBuffer(context, flags, size, host, code));
}

static cl_mem create_sub_buffer(cl_mem buffer, cl_mem_flags flags, cl_buffer_create_type type,
                                const void *info, cl_int *code)
{
    cl_int error = count(FAULT_CreateSubBuffer);
    if (error) return refuse(error, code);
    return made(FAULT_MEM, next->clCreateSubBuffer(buffer, flags, type, info, code));
}

static cl_int retain_mem_object(cl_mem mem)
{
    cl_int error = count(FAULT_RetainMemObject);
    return error ? error : retained(FAULT_MEM, next->clRetainMemObject(mem));
}

static cl_int release_mem_object(cl_mem mem)
{
    cl_int error = count(FAULT_ReleaseMemObject);
    return released(FAULT_MEM, next->clReleaseMemObject(mem), error);
}

static cl_int get_mem_object_info(cl_mem mem, cl_mem_info what, size_t size, void *value,
                                  size_t *bytes)
{
    cl_int error = count(FAULT_GetMemObjectInfo);
    return error ? error : next->clGetMemObjectInfo(mem, what, size, value, bytes);
}

static cl_program create_program_with_source(cl_context context, cl_uint n, const char **texts,
                                             const size_t *lengths, cl_int *code)
{
    cl_int error = count(FAULT_CreateProgramWithSource);
    if (error) return refuse(error, code);
    return made(FAULT_PROGRAM, next->clCreateProgramWithSource(context, n, texts, lengths, code));
}

static cl_program create_program_with_binary(cl_context context, cl_uint n,
                                             const cl_device_id *devices, const size_t *lengths,
                                             const unsigned char **binaries, cl_int *taken,
                                             cl_int *code)
{
    cl_int error = count(FAULT_CreateProgramWithBinary);
    if (error) return refuse(error, code);
    return made(FAULT_PROGRAM, next->clCreateProgramWithBinary(context, n, devices, lengths,
                                                               binaries, taken, code));
}

static cl_int build_program(cl_program program, cl_uint n, const cl_device_id *devices,
                            const char *options, void(CL_CALLBACK *notify)(cl_program, void *),
                            void *user)
{
    cl_int error = count(FAULT_BuildProgram);
    return error ? error : next->clBuildProgram(program, n, devices, options, notify, user);
}

static cl_int get_program_info(cl_program program, cl_program_info what, size_t size, void *value,
                               size_t *bytes)
{
    cl_int error = count(FAULT_GetProgramInfo);
    return error ? error : next->clGetProgramInfo(program, what, size, value, bytes);
}

static cl_int get_program_build_info(cl_program program, cl_device_id device,
                                     cl_program_build_info what, size_t size, void *value,
                                     size_t *bytes)
{
    cl_int error = count(FAULT_GetProgramBuildInfo);
    return error ? error : next->clGetProgramBuildInfo(program, device, what, size, value, bytes);
}

static cl_int release_program(cl_program program)
{
    cl_int error = count(FAULT_ReleaseProgram);
    return released(FAULT_PROGRAM, next->clReleaseProgram(program), error);
}

static cl_kernel create_kernel(cl_program program, const char *name, cl_int *code)
{
    cl_int error = count(FAULT_CreateKernel);
    if (error) return refuse(error, code);
    return made(FAULT_KERNEL, next->clCreateKernel(program, name, code));
}

static cl_int release_kernel(cl_kernel kernel)
{
    cl_int error = count(FAULT_ReleaseKernel);
    return released(FAULT_KERNEL, next->clReleaseKernel(kernel), error);
}

static cl_int set_kernel_arg(cl_kernel kernel, cl_uint index, size_t size, const void *value)
{
    cl_int error = count(FAULT_SetKernelArg);
    return error ? error : next->clSetKernelArg(kernel, index, size, value);
}

static cl_int enqueue_nd_range_kernel(cl_command_queue queue, cl_kernel kernel, cl_uint dims,
                                      const size_t *offset, const size_t *global,
                                      const size_t *local, cl_uint n, const cl_event *wait,
                                      cl_event *event)
{
    cl_int error = count(FAULT_EnqueueNDRangeKernel);
    if (error) return error;
    return with_event(
        next->clEnqueueNDRangeKernel(queue, kernel, dims, offset, global, local, n, wait, event),
        event);
}

typedef struct native {
    void(CL_CALLBACK *run)(void *);
    bool off;
    max_align_t args[8];
} native;

static void CL_CALLBACK run_native(void *arg)
{
    native *n = arg;
    in_native = true;
    native_off = n->off;
    n->run(n->args);
    in_native = false;
}

static cl_int enqueue_native_kernel(cl_command_queue queue, void(CL_CALLBACK *run)(void *),
                                    void *args, size_t bytes, cl_uint n_mem, const cl_mem *mem,
                                    const void **at, cl_uint n, const cl_event *wait,
                                    cl_event *event)
{
    native held = {.run = run, .off = tests_own()};
    cl_int error = count(FAULT_EnqueueNativeKernel);
    if (error) return error;
    if (n_mem || bytes > sizeof held.args) return CL_INVALID_VALUE;
    memcpy(held.args, args, bytes);
    return with_event(next->clEnqueueNativeKernel(queue, run_native, &held, sizeof held, n_mem, mem,
                                                  at, n, wait, event),
                      event);
}

static cl_int enqueue_read_buffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking,
                                  size_t offset, size_t size, void *dst, cl_uint n,
                                  const cl_event *wait, cl_event *event)
{
    cl_int error = count(FAULT_EnqueueReadBuffer);
    if (error) return error;
    return with_event(
        next->clEnqueueReadBuffer(queue, buffer, blocking, offset, size, dst, n, wait, event),
        event);
}

static void *enqueue_map_buffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking,
                                cl_map_flags flags, size_t offset, size_t size, cl_uint n,
                                const cl_event *wait, cl_event *event, cl_int *code)
{
    cl_int error = count(FAULT_EnqueueMapBuffer);
    if (error) return refuse(error, code);
    void *host = next->clEnqueueMapBuffer(queue, buffer, blocking, flags, offset, size, n, wait,
                                          event, code);
    if (event) with_event(host ? CL_SUCCESS : CL_MAP_FAILURE, event);
    return host;
}

static cl_int enqueue_unmap_mem_object(cl_command_queue queue, cl_mem mem, void *host, cl_uint n,
                                       const cl_event *wait, cl_event *event)
{
    cl_int error = count(FAULT_EnqueueUnmapMemObject);
    if (error) return error;
    return with_event(next->clEnqueueUnmapMemObject(queue, mem, host, n, wait, event), event);
}

static cl_int enqueue_write_buffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking,
                                   size_t offset, size_t size, const void *src, cl_uint n,
                                   const cl_event *wait, cl_event *event)
{
    cl_int error = count(FAULT_EnqueueWriteBuffer);
    if (error) return error;
    return with_event(
        next->clEnqueueWriteBuffer(queue, buffer, blocking, offset, size, src, n, wait, event),
        event);
}

static cl_int enqueue_copy_buffer(cl_command_queue queue, cl_mem src, cl_mem dst, size_t from,
                                  size_t to, size_t size, cl_uint n, const cl_event *wait,
                                  cl_event *event)
{
    cl_int error = count(FAULT_EnqueueCopyBuffer);
    if (error) return error;
    return with_event(next->clEnqueueCopyBuffer(queue, src, dst, from, to, size, n, wait, event),
                      event);
}

static cl_int enqueue_marker_with_wait_list(cl_command_queue queue, cl_uint n, const cl_event *wait,
                                            cl_event *event)
{
    cl_int error = count(FAULT_EnqueueMarkerWithWaitList);
    if (error) return error;
    return with_event(next->clEnqueueMarkerWithWaitList(queue, n, wait, event), event);
}

static cl_int wait_for_events(cl_uint n, const cl_event *events)
{
    cl_int error = count(FAULT_WaitForEvents);
    return error ? error : next->clWaitForEvents(n, events);
}

static cl_int get_event_info(cl_event event, cl_event_info what, size_t size, void *value,
                             size_t *bytes)
{
    cl_int error = count(FAULT_GetEventInfo);
    return error ? error : next->clGetEventInfo(event, what, size, value, bytes);
}

static cl_int get_event_profiling_info(cl_event event, cl_profiling_info what, size_t size,
                                       void *value, size_t *bytes)
{
    cl_int error = count(FAULT_GetEventProfilingInfo);
    return error ? error : next->clGetEventProfilingInfo(event, what, size, value, bytes);
}

static cl_int release_event(cl_event event)
{
    cl_int error = count(FAULT_ReleaseEvent);
    return released(FAULT_EVENT, next->clReleaseEvent(event), error);
}

static cl_int flush(cl_command_queue queue)
{
    cl_int error = count(FAULT_Flush);
    return error ? error : next->clFlush(queue);
}

static cl_int finish(cl_command_queue queue)
{
    cl_int error = count(FAULT_Finish);
    return error ? error : next->clFinish(queue);
}

static void fill_table(void)
{
    table.clGetPlatformIDs = get_platform_ids;
    table.clGetPlatformInfo = get_platform_info;
    table.clGetDeviceIDs = get_device_ids;
    table.clGetDeviceInfo = get_device_info;
    table.clCreateContext = create_context;
    table.clRetainContext = retain_context;
    table.clReleaseContext = release_context;
    table.clGetContextInfo = get_context_info;
    table.clCreateCommandQueue = create_command_queue;
    table.clRetainCommandQueue = retain_command_queue;
    table.clReleaseCommandQueue = release_command_queue;
    table.clGetCommandQueueInfo = get_command_queue_info;
    table.clCreateBuffer = create_buffer;
    table.clCreateSubBuffer = create_sub_buffer;
    table.clRetainMemObject = retain_mem_object;
    table.clReleaseMemObject = release_mem_object;
    table.clGetMemObjectInfo = get_mem_object_info;
    table.clCreateProgramWithSource = create_program_with_source;
    table.clCreateProgramWithBinary = create_program_with_binary;
    table.clBuildProgram = build_program;
    table.clGetProgramInfo = get_program_info;
    table.clGetProgramBuildInfo = get_program_build_info;
    table.clReleaseProgram = release_program;
    table.clCreateKernel = create_kernel;
    table.clReleaseKernel = release_kernel;
    table.clSetKernelArg = set_kernel_arg;
    table.clEnqueueNDRangeKernel = enqueue_nd_range_kernel;
    table.clEnqueueNativeKernel = enqueue_native_kernel;
    table.clEnqueueReadBuffer = enqueue_read_buffer;
    table.clEnqueueMapBuffer = enqueue_map_buffer;
    table.clEnqueueUnmapMemObject = enqueue_unmap_mem_object;
    table.clEnqueueWriteBuffer = enqueue_write_buffer;
    table.clEnqueueCopyBuffer = enqueue_copy_buffer;
    table.clEnqueueMarkerWithWaitList = enqueue_marker_with_wait_list;
    table.clWaitForEvents = wait_for_events;
    table.clGetEventInfo = get_event_info;
    table.clGetEventProfilingInfo = get_event_profiling_info;
    table.clReleaseEvent = release_event;
    table.clFlush = flush;
    table.clFinish = finish;
}

/* One word of FAULT_LAYER; false if it means nothing. */
static bool take_word(const char *word)
{
    static const char *const names[] = {
#define X(name) #name,
#include "backend/opencl/functions.def"
#undef X
        "any"};
    const char *equals = strchr(word, '=');
    if (strcmp(word, "lost") == 0) return cvk_fault_layer.lost = true;
    if (strcmp(word, "gpu") == 0) return cvk_fault_layer.gpu = true;
    for (int k = 0; equals && k <= FAULT_ANY; k++) {
        size_t length = strlen(names[k]);
        if (length != (size_t)(equals - word) || strncmp(word, names[k], length) != 0) continue;
        cvk_fault_layer.kind = k;
        return (cvk_fault_layer.at = strtol(equals + 1, NULL, 10)) > 0;
    }
    return false;
}

static bool take_words(const char *text)
{
    char word[64];
    for (int length; sscanf(text, "%63s%n", word, &length) == 1; text += length)
        if (!take_word(word)) return false;
    return true;
}

cl_int clGetLayerInfo(cl_layer_info what, size_t size, void *value, size_t *bytes)
{
    const cl_layer_api_version version = CL_LAYER_API_VERSION_100;
    if (what != CL_LAYER_API_VERSION || (value && size < sizeof version)) return CL_INVALID_VALUE;
    if (value) memcpy(value, &version, sizeof version);
    if (bytes) *bytes = sizeof version;
    return CL_SUCCESS;
}

/* The loader's table may be shorter than the header's, but has all of OpenCL 1.2. */
cl_int clInitLayer(cl_uint n, const cl_icd_dispatch *target, cl_uint *n_ret,
                   const cl_icd_dispatch **layer)
{
    enum { ENTRY = sizeof(void (*)(void)) };
    const size_t least = offsetof(cl_icd_dispatch, clEnqueueMarkerWithWaitList) + ENTRY;
    const size_t bytes = n < sizeof table / ENTRY ? n * ENTRY : sizeof table;
    const char *words = getenv("FAULT_LAYER");
    if (!target || !n_ret || !layer || bytes < least || (words && !take_words(words)))
        return CL_INVALID_VALUE;
    next = target;
    memcpy(&table, target, bytes);
    fill_table();
    *n_ret = (cl_uint)(bytes / ENTRY);
    *layer = &table;
    return CL_SUCCESS;
}
