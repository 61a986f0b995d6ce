/* SPDX-License-Identifier: Apache-2.0
 *
 * Measures a device with measure.cl: multiply-adds, bytes read from memory and, where its size is
 * known, from the last cache, and what a launch takes. The best of several short launches counts.
 */
#include "backend/opencl/device.h"

#include <math.h>

enum { CHAINS = 16, LANES = 16, ROUNDS = 12, EMPTY_LAUNCHES = 100 };
static const double LAUNCH_MS = 5.0;

/* As in measure.cl. */
typedef struct read_args {
    cl_int count, span, step; /* in float16: of an item; between items; between an item's own */
} read_args;

static cvk_status timed(cvk_device *device, const cvk_cl_launch *launch, double *ms)
{
    CVK_TRY(cvk_cl_finish(device));
    double begin = cvk_cl_now_ms();
    CVK_TRY(cvk_cl_enqueue(device, launch));
    CVK_TRY(cvk_cl_finish(device));
    *ms = cvk_cl_now_ms() - begin;
    return CVK_OK;
}

static size_t items_wanted(const cvk_device *device)
{
    size_t units = (size_t)device->caps.units;
    return device->caps.bits & CVK_CAP_CPU ? units * 8 : units * 2048;
}

static void shape(const cvk_device *device, cvk_cl_launch *launch)
{
    launch->dims = 1;
    launch->global[0] = items_wanted(device);
    launch->local[0] = device->caps.bits & CVK_CAP_CPU ? 1 : 0;
}

static cvk_status measure_peak(cvk_device *device, void *dst, cvk_cl_launch *launch, double *gflops)
{
    cl_int steps = 1000;
    double best = 0.0;
    shape(device, launch);
    CVK_TRY(cvk_cl_arg_mem(launch, 0, dst));
    for (int round = 0; round < ROUNDS;) {
        double ms;
        CVK_TRY(cvk_cl_arg_struct(launch, 1, &steps, sizeof steps));
        CVK_TRY(timed(device, launch, &ms));
        if (ms < LAUNCH_MS && steps < 100000000) {
            steps = ms < LAUNCH_MS / 10 ? steps * 8 : steps * 2;
            continue;
        }
        double rate = 2.0 * CHAINS * LANES * (double)steps * (double)launch->global[0] / (ms * 1e6);
        best = rate > best ? rate : best;
        round++;
    }
    *gflops = best;
    return CVK_OK;
}

static cvk_status measure_read(cvk_device *device, void *src, size_t bytes, void *dst,
                               cvk_cl_launch *launch, double *gbytes)
{
    const bool cpu = device->caps.bits & CVK_CAP_CPU;
    double best = 0.0;
    shape(device, launch);
    const cl_int items = (cl_int)launch->global[0];
    read_args args = {.count = (cl_int)(bytes / (LANES * sizeof(float))) / items};
    args.span = cpu ? args.count : 1;
    args.step = cpu ? 1 : items;
    CVK_TRY(cvk_cl_arg_mem(launch, 0, src));
    CVK_TRY(cvk_cl_arg_mem(launch, 1, dst));
    CVK_TRY(cvk_cl_arg_struct(launch, 2, &args, sizeof args));
    for (int round = 0; round < ROUNDS; round++) {
        double ms;
        CVK_TRY(timed(device, launch, &ms));
        double rate = (double)args.count * items * LANES * sizeof(float) / (ms * 1e6);
        best = round && rate > best ? rate : best; /* the first one touches the pages */
    }
    *gbytes = best;
    return CVK_OK;
}

static cvk_status fill(cvk_device *device, cvk_cl_launch *launch, void *src, size_t bytes)
{
    launch->dims = 1;
    launch->global[0] = bytes / (LANES * sizeof(float));
    CVK_TRY(cvk_cl_arg_mem(launch, 0, src));
    CVK_TRY(cvk_cl_enqueue(device, launch));
    return cvk_cl_finish(device);
}

/* Half of what a launch takes that is waited for: a run's launches are queued behind each other, but
 * each of them is told to the threads or units, and waited for by the next. */
static cvk_status measure_launch(cvk_device *device, void *src, cvk_cl_launch *launch,
                                 double *launch_ms)
{
    double best = INFINITY;
    launch->dims = 1;
    launch->global[0] = items_wanted(device);
    launch->local[0] = device->caps.bits & CVK_CAP_CPU ? 1 : 0;
    cvk_status status = cvk_cl_arg_mem(launch, 0, src);
    for (int round = 0; !status && round < ROUNDS; round++) {
        double begin = cvk_cl_now_ms();
        for (int i = 0; !status && i < EMPTY_LAUNCHES; i++) {
            status = cvk_cl_enqueue(device, launch);
            if (!status) status = cvk_cl_finish(device);
        }
        best = fmin(best, (cvk_cl_now_ms() - begin) / EMPTY_LAUNCHES);
    }
    *launch_ms = best / 2;
    return status;
}

static cvk_status measure_all(cvk_device *device, void *src, size_t bytes, void *dst,
                              cvk_device_rates *rates)
{
    enum { PEAK, READ, FILL, KERNELS };
    static const char *const names[KERNELS] = {"peak", "read_all", "fill"};
    cvk_cl_launch own[KERNELS] = {{0}}, *launches[KERNELS];
    const size_t cached = device->caps.l3_bytes / 4;
    double gflops = 0, gbytes = 0, near_gbytes = 0;
    cvk_status status = CVK_OK;
    for (int i = 0; i < KERNELS; i++) {
        launches[i] = &own[i];
        if (!status) status = cvk_cl_kernel(&own[i], "measure.cl", "", 0, names[i]);
    }
    if (!status) status = cvk_cl_build(device, launches, KERNELS);
    if (!status) status = measure_peak(device, dst, &own[PEAK], &gflops);
    if (!status) status = fill(device, &own[FILL], src, bytes);
    if (!status) status = measure_read(device, src, bytes, dst, &own[READ], &gbytes);
    if (!status && cached && cached < bytes)
        status = measure_read(device, src, cached, dst, &own[READ], &near_gbytes);
    if (!status) status = measure_launch(device, src, &own[FILL], &rates->step_ms);
    for (int i = 0; i < KERNELS; i++) cvk_cl_kernel_release(&own[i]);
    rates->macs = gflops * 5e5;
    rates->bytes[CVK_LEVEL_MEMORY] = gbytes * 1e6;
    for (int i = 0; i < CVK_LEVEL_MEMORY; i++) rates->bytes[i] = fmax(gbytes, near_gbytes) * 1e6;
    return status;
}

/* Well beyond the last cache, but no more than a sixteenth of the device's memory. */
static size_t read_bytes(const cvk_device *device)
{
    size_t bytes = (size_t)256 << 20, least = (size_t)16 << 20;
    while (bytes > least &&
           (bytes > device->caps.max_buffer_bytes || bytes > device->info.memory_bytes / 16))
        bytes /= 2;
    return bytes;
}

cvk_status cvk_cl_measure(cvk_device *device, cvk_device_rates *rates)
{
    void *src = NULL, *dst = NULL;
    const size_t bytes = read_bytes(device);
    *rates = (cvk_device_rates){.macs = 0};
    cvk_status status = cvk_cl_alloc(device, bytes, &src);
    if (!status) status = cvk_cl_alloc(device, items_wanted(device) * LANES * sizeof(float), &dst);
    if (!status) status = measure_all(device, src, bytes, dst, rates);
    cvk_cl_free(device, src);
    cvk_cl_free(device, dst);
    return status;
}
