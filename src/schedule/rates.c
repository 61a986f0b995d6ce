/* SPDX-License-Identifier: Apache-2.0
 *
 * Rates of devices: measured, and as a line of text in the store. Copies between host and device
 * are measured here, through the backend's own functions.
 */
#include "schedule/rates.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char kind[] = "device rates";
enum { MAX_KEY = 640, MAX_RECORD = 400, FIELDS = 9, ROUNDS = 5, SMALL = 64, LARGE = 8 << 20 };

/* All that the rates depend on. */
static void make_key(const cvk_device *device, char *key)
{
    const cvk_device_info *info = &device->info;
    snprintf(key, MAX_KEY, "Convoke %s\n%s; %s; %s; %s; %d units; %x", cvk_version(), info->backend,
             info->name, info->driver, info->version, info->units, (unsigned)device->caps.bits);
}

/* Whether numbers are such as a measurement gives. */
static bool plausible(const cvk_device_rates *rates)
{
    bool all = isfinite(rates->macs) && rates->macs > 0;
    for (int i = 0; i < CVK_LEVELS; i++)
        all = all && isfinite(rates->bytes[i]) && rates->bytes[i] > 0;
    return all && isfinite(rates->step_ms) && rates->step_ms >= 0 && isfinite(rates->meet_ms) &&
           rates->meet_ms >= 0 && isfinite(rates->transfer_ms) && rates->transfer_ms >= 0 &&
           isfinite(rates->transfer_bytes) && rates->transfer_bytes >= 0;
}

bool cvk_rates_read(cvk_store *store, const cvk_device *device, cvk_device_rates *rates)
{
    char key[MAX_KEY], text[MAX_RECORD] = "";
    void *data = NULL;
    size_t bytes = 0;
    cvk_device_rates r = {0};
    make_key(device, key);
    if (!cvk_store_peek(store, kind, key, strlen(key), &data, &bytes)) return false;
    if (bytes < sizeof text) memcpy(text, data, bytes);
    free(data);
    int found = sscanf(
        text, "macs %lf; bytes %lf %lf %lf %lf; step %lf %lf; transfer %lf %lf; per ms", &r.macs,
        &r.bytes[CVK_LEVEL_L1], &r.bytes[CVK_LEVEL_L2], &r.bytes[CVK_LEVEL_L3],
        &r.bytes[CVK_LEVEL_MEMORY], &r.step_ms, &r.meet_ms, &r.transfer_ms, &r.transfer_bytes);
    if (found != FIELDS || !plausible(&r)) return false;
    *rates = r;
    return true;
}

bool cvk_rates_write(cvk_store *store, const cvk_device *device, const cvk_device_rates *rates)
{
    char key[MAX_KEY], text[MAX_RECORD];
    make_key(device, key);
    snprintf(text, sizeof text,
             "macs %.6g; bytes %.6g %.6g %.6g %.6g; step %.6g %.6g; transfer %.6g %.6g; per ms",
             rates->macs, rates->bytes[CVK_LEVEL_L1], rates->bytes[CVK_LEVEL_L2],
             rates->bytes[CVK_LEVEL_L3], rates->bytes[CVK_LEVEL_MEMORY], rates->step_ms,
             rates->meet_ms, rates->transfer_ms, rates->transfer_bytes);
    return cvk_store_put(store, kind, key, strlen(key), text, strlen(text));
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* The least that a copy to the device takes. */
static cvk_status copy_ms(cvk_device *device, void *dst, const void *src, size_t bytes, double *ms)
{
    *ms = INFINITY;
    for (int i = 0; i < ROUNDS; i++) {
        const double begin = now_ms();
        CVK_TRY(device->backend->write(device, dst, src, bytes));
        CVK_TRY(device->backend->finish(device));
        *ms = fmin(*ms, now_ms() - begin);
    }
    return CVK_OK;
}

static cvk_status measure_copies(cvk_device *device, cvk_device_rates *rates)
{
    void *src = calloc(1, LARGE), *dst = NULL;
    double large = 0;
    if (!src) return cvk_fail(CVK_NO_MEMORY, "out of memory: a tensor to copy");
    cvk_status status = device->backend->alloc(device, LARGE, &dst);
    if (!status) status = copy_ms(device, dst, src, SMALL, &rates->transfer_ms);
    if (!status) status = copy_ms(device, dst, src, LARGE, &large);
    if (dst) device->backend->release(device, dst);
    free(src);
    if (!status) rates->transfer_bytes = LARGE / fmax(large - rates->transfer_ms, large / 2);
    return status;
}

/* What else the machine does only makes a device slower than it is. */
static void keep_best(cvk_device_rates *rates, const cvk_device_rates *before)
{
    rates->macs = fmax(rates->macs, before->macs);
    for (int i = 0; i < CVK_LEVELS; i++) rates->bytes[i] = fmax(rates->bytes[i], before->bytes[i]);
    rates->step_ms = fmin(rates->step_ms, before->step_ms);
    rates->meet_ms = fmin(rates->meet_ms, before->meet_ms);
    rates->transfer_ms = fmin(rates->transfer_ms, before->transfer_ms);
    rates->transfer_bytes = fmax(rates->transfer_bytes, before->transfer_bytes);
}

cvk_status cvk_rates_measure(cvk_device *device, cvk_device_rates *rates)
{
    CVK_TRY(device->backend->measure(device, rates));
    if (!device->backend->host) CVK_TRY(measure_copies(device, rates));
    cvk_device_rates best = *rates, before;
    cvk_store *store = cvk_store_open();
    if (cvk_rates_read(store, device, &before)) keep_best(&best, &before);
    cvk_rates_write(store, device, &best);
    cvk_store_close(store);
    return CVK_OK;
}

cvk_status cvk_rates_ensure(cvk_device *device)
{
    cvk_device_rates rates;
    cvk_store *store = cvk_store_open_present();
    const bool known = cvk_rates_read(store, device, &rates);
    cvk_store_close(store);
    return known ? CVK_OK : cvk_rates_measure(device, &rates);
}
