/* SPDX-License-Identifier: Apache-2.0
 *
 * Which OpenCL devices there are and what they say of themselves. Capabilities come from what a
 * device reports, never from its name.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "backend/opencl/device.h"
#include "base/log.h"

enum { MAX_PLATFORMS = 16, MAX_PER_PLATFORM = 32, MIN_ALIGNMENT = 64 };
enum {
    NO_PLATFORM = -1001
}; /* CL_PLATFORM_NOT_FOUND_KHR: the loader's, where there is no driver */

/* A device that is asked, and the first error of its answers. */
typedef struct query {
    cl_device_id id;
    cl_int code;
} query;

/* A driver of an older version does not know every question: no error, but no answer either. */
static bool note(query *q, cl_int code)
{
    if (code != CL_SUCCESS && code != CL_INVALID_VALUE && !q->code) q->code = code;
    return code == CL_SUCCESS;
}

static bool ask(query *q, cl_device_info what, size_t size, void *value)
{
    return note(q, cvk_cl.GetDeviceInfo(q->id, what, size, value, NULL));
}

static cl_uint get_uint(query *q, cl_device_info what)
{
    cl_uint value = 0;
    return ask(q, what, sizeof value, &value) ? value : 0;
}

static cl_ulong get_ulong(query *q, cl_device_info what)
{
    cl_ulong value = 0;
    return ask(q, what, sizeof value, &value) ? value : 0;
}

static size_t get_size(query *q, cl_device_info what)
{
    size_t value = 0;
    return ask(q, what, sizeof value, &value) ? value : 0;
}

static void get_text(query *q, cl_device_info what, char *text, size_t size)
{
    char whole[4096] = "";
    if (!ask(q, what, sizeof whole - 1, whole)) whole[0] = 0;
    snprintf(text, size, "%s", whole);
}

static bool has_extension(query *q, const char *name)
{
    char list[4096];
    get_text(q, CL_DEVICE_EXTENSIONS, list, sizeof list);
    const size_t length = strlen(name);
    for (const char *at = list; (at = strstr(at, name)); at += length)
        if ((at == list || at[-1] == ' ') && (at[length] == ' ' || at[length] == 0)) return true;
    return false;
}

static bool usable(cl_device_id id)
{
    query q = {.id = id};
    bool is = get_uint(&q, CL_DEVICE_AVAILABLE) && get_uint(&q, CL_DEVICE_COMPILER_AVAILABLE);
    if (q.code)
        cvk_log(CVK_LOG_WARN,
                "an OpenCL device is not used: clGetDeviceInfo failed: OpenCL error %d", q.code);
    return is;
}

static void warn_platform(cl_int code, cl_int none, const char *call)
{
    if (code != CL_SUCCESS && code != none)
        cvk_log(CVK_LOG_WARN, "OpenCL devices are left out: %s failed: OpenCL error %d", call,
                code);
}

int cvk_cl_query_devices(cl_device_id *ids, int capacity)
{
    cl_platform_id platforms[MAX_PLATFORMS];
    cl_uint n_platforms = 0;
    int count = 0;
    if (!cvk_cl_load()) return 0;
    cl_int code = cvk_cl.GetPlatformIDs(MAX_PLATFORMS, platforms, &n_platforms);
    warn_platform(code, NO_PLATFORM, "clGetPlatformIDs");
    if (code != CL_SUCCESS) return 0;
    for (cl_uint p = 0; p < n_platforms && p < MAX_PLATFORMS; p++) {
        cl_device_id found[MAX_PER_PLATFORM];
        cl_uint n = 0;
        code = cvk_cl.GetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, MAX_PER_PLATFORM, found, &n);
        warn_platform(code, CL_DEVICE_NOT_FOUND, "clGetDeviceIDs");
        if (code != CL_SUCCESS) continue;
        for (cl_uint i = 0; i < n && i < MAX_PER_PLATFORM; i++) {
            if (!usable(found[i])) continue;
            if (count < capacity) ids[count] = found[i];
            count++;
        }
    }
    return count;
}

static cvk_device_kind kind_of(query *q)
{
    cl_ulong type = get_ulong(q, CL_DEVICE_TYPE);
    if (type & CL_DEVICE_TYPE_CPU) return CVK_DEVICE_CPU;
    return type & CL_DEVICE_TYPE_GPU ? CVK_DEVICE_GPU : CVK_DEVICE_ACCELERATOR;
}

static void driver_text(query *q, char *text, size_t size)
{
    cl_platform_id platform = NULL;
    char name[64] = "", version[64];
    if (ask(q, CL_DEVICE_PLATFORM, sizeof platform, &platform))
        note(q, cvk_cl.GetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof name - 1, name, NULL));
    get_text(q, CL_DRIVER_VERSION, version, sizeof version);
    snprintf(text, size, "%s %s", name, version);
}

static size_t alignment(query *q)
{
    size_t bytes = get_uint(q, CL_DEVICE_MEM_BASE_ADDR_ALIGN) / 8;
    return bytes > MIN_ALIGNMENT ? bytes : MIN_ALIGNMENT;
}

cvk_status cvk_cl_query_info(cl_device_id id, int index, cvk_device_info *info)
{
    query q = {.id = id};
    memset(info, 0, sizeof *info);
    if (index >= 0)
        snprintf(info->id, sizeof info->id, "opencl:%d", index);
    else
        snprintf(info->id, sizeof info->id, "opencl");
    snprintf(info->backend, sizeof info->backend, "opencl");
    get_text(&q, CL_DEVICE_NAME, info->name, sizeof info->name);
    driver_text(&q, info->driver, sizeof info->driver);
    get_text(&q, CL_DEVICE_VERSION, info->version, sizeof info->version);
    info->kind = kind_of(&q);
    info->units = (int)get_uint(&q, CL_DEVICE_MAX_COMPUTE_UNITS);
    info->memory_bytes = get_ulong(&q, CL_DEVICE_GLOBAL_MEM_SIZE);
    info->fp16 = has_extension(&q, "cl_khr_fp16");
    info->fp64 = has_extension(&q, "cl_khr_fp64");
    info->subgroups =
        has_extension(&q, "cl_khr_subgroups") || has_extension(&q, "cl_intel_subgroups");
    info->unified_memory = get_uint(&q, CL_DEVICE_HOST_UNIFIED_MEMORY);
    info->buffer_alignment = alignment(&q);
    return cvk_cl_check(q.code, "clGetDeviceInfo");
}

static bool has_clblast(void)
{
    void *library = dlopen("libclblast.so.1", RTLD_LAZY | RTLD_LOCAL);
    if (library) dlclose(library);
    return library != NULL;
}

cvk_status cvk_cl_query_caps(cl_device_id id, cvk_caps *caps)
{
    query q = {.id = id};
    memset(caps, 0, sizeof *caps);
    if (has_clblast()) caps->bits |= CVK_CAP_CLBLAST;
    if (get_uint(&q, CL_DEVICE_HOST_UNIFIED_MEMORY)) caps->bits |= CVK_CAP_UNIFIED;
    if (kind_of(&q) == CVK_DEVICE_CPU) {
        caps->bits |= CVK_CAP_CPU;
        caps->l1_bytes = cvk_cpu_cache_bytes(1);
        caps->l2_bytes = cvk_cpu_cache_bytes(2);
        caps->l3_bytes = cvk_cpu_cache_bytes(3);
    }
    caps->units = (int)get_uint(&q, CL_DEVICE_MAX_COMPUTE_UNITS);
    if (caps->units < 1) caps->units = 1;
    caps->vector_floats = (int)get_uint(&q, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT);
    caps->local_bytes = (size_t)get_ulong(&q, CL_DEVICE_LOCAL_MEM_SIZE);
    caps->max_group = get_size(&q, CL_DEVICE_MAX_WORK_GROUP_SIZE);
    caps->max_buffer_bytes = (size_t)get_ulong(&q, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
    caps->buffer_alignment = alignment(&q);
    return cvk_cl_check(q.code, "clGetDeviceInfo");
}

/* Multiply-adds per cycle of a unit, bytes per cycle of a unit from caches and from memory. */
cvk_status cvk_cl_query_rates(cl_device_id id, cvk_device_rates *rates)
{
    query q = {.id = id};
    const bool cpu = kind_of(&q) == CVK_DEVICE_CPU;
    const bool unified = get_uint(&q, CL_DEVICE_HOST_UNIFIED_MEMORY);
    const cl_uint units = get_uint(&q, CL_DEVICE_MAX_COMPUTE_UNITS),
                  mhz = get_uint(&q, CL_DEVICE_MAX_CLOCK_FREQUENCY);
    const double cycles = (units ? units : 1) * 1e3 * (mhz ? mhz : 1000);
    const double cache = cpu ? 10 * cycles : 32 * cycles, memory = cpu ? 5 * cycles : 12 * cycles;
    *rates = (cvk_device_rates){.macs = (cpu ? 16 : 128) * cycles,
                                .bytes = {cache, cache, cache, memory},
                                .step_ms = 0.01,
                                .transfer_ms = 0.02,
                                .transfer_bytes = unified ? 1e7 : 5e6};
    return cvk_cl_check(q.code, "clGetDeviceInfo");
}

/* The language version is asked for only of devices that have it; fma() is used only where it is in
 * the hardware, and divisions are asked to be exact where they can be. */
cvk_status cvk_cl_query_options(cl_device_id id, char *options, size_t size)
{
    query q = {.id = id};
    char text[128];
    int major = 0, minor = 0;
    get_text(&q, CL_DEVICE_OPENCL_C_VERSION, text, sizeof text);
    bool has_12 = sscanf(text, "OpenCL C %d.%d", &major, &minor) == 2 && (major > 1 || minor >= 2);
    cl_ulong config = get_ulong(&q, CL_DEVICE_SINGLE_FP_CONFIG);
    bool fma = (config & CL_FP_FMA) && !(config & CL_FP_SOFT_FLOAT);
    bool divides = has_12 && (config & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT);
    snprintf(options, size, "%s%s%s", has_12 ? "-cl-std=CL1.2 " : "", fma ? "-DCVK_FMA=1 " : "",
             divides ? "-cl-fp32-correctly-rounded-divide-sqrt -DCVK_EXACT_DIVIDE=1 " : "");
    return cvk_cl_check(q.code, "clGetDeviceInfo");
}
