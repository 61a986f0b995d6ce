/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of devices, and which of them a caller means.
 */
#include "backend/devices.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"

int cvk_devices_list(cvk_device_info *infos, int capacity)
{
    int total = 0;
    for (int b = 0; cvk_backends[b]; b++) {
        int room = capacity > total ? capacity - total : 0;
        total += cvk_backends[b]->list(room ? infos + total : NULL, room);
    }
    return total;
}

/* What is present, for the sentence of a failure: "cpu, opencl:0 (name)". */
static const char *present(char *text, size_t bytes)
{
    enum { MOST = 16 };
    cvk_device_info infos[MOST];
    int count = cvk_devices_list(infos, MOST);
    text[0] = 0;
    for (int i = 0; i < count && i < MOST; i++) {
        size_t at = strlen(text);
        strncat(text + at, i ? ", " : "", bytes - at - 1);
        strncat(text, infos[i].id, bytes - strlen(text) - 1);
        if (strcmp(infos[i].backend, "cpu") == 0) continue;
        strncat(text, " (", bytes - strlen(text) - 1);
        strncat(text, infos[i].name, bytes - strlen(text) - 1);
        strncat(text, ")", bytes - strlen(text) - 1);
    }
    return text;
}

static cvk_status no_device(const char *spec)
{
    char text[512];
    return cvk_fail(CVK_NO_DEVICE, "no device '%s'; present: %s", spec, present(text, sizeof text));
}

/* Whether `name` contains `part`, letters of either case. */
static bool contains(const char *name, const char *part)
{
    size_t length = strlen(part);
    for (; *name; name++)
        if (strncasecmp(name, part, length) == 0) return true;
    return false;
}

/* Index, among the backend's devices, of the one that `which` (after "name:") means; -1: none. */
static int match(const cvk_backend *backend, const char *which)
{
    int count = backend->list(NULL, 0), found = -1;
    if (!*which) return count ? 0 : -1;
    char *end;
    long number = strtol(which, &end, 10);
    if (!*end) return number >= 0 && number < count ? (int)number : -1;
    cvk_device_info *infos = calloc((size_t)count + 1, sizeof *infos);
    if (!infos) return -1;
    count = backend->list(infos, count);
    for (int i = 0; i < count && found < 0; i++)
        if (contains(infos[i].name, which)) found = i;
    free(infos);
    return found;
}

/* A GPU if there is one: anything else runs on the CPU backend, which no OpenCL CPU device outruns.
 */
static cvk_status open_auto(const cvk_device_options *options, cvk_device **device)
{
    for (int b = 0; cvk_backends[b]; b++) {
        enum { MOST = 16 };
        cvk_device_info infos[MOST];
        int count = cvk_backends[b]->list(infos, MOST);
        for (int i = 0; i < count && i < MOST; i++) {
            if (infos[i].kind != CVK_DEVICE_GPU) continue;
            if (cvk_backends[b]->open(i, options, device) == CVK_OK) return CVK_OK;
            cvk_log(CVK_LOG_WARN, "auto: the next device is taken: %s", cvk_last_error());
        }
    }
    return cvk_backends[0]->open(0, options, device);
}

cvk_status cvk_devices_open(const char *spec, const cvk_device_options *options,
                            cvk_device **device)
{
    if (strcmp(spec, "auto") == 0) return open_auto(options, device);
    for (int b = 0; cvk_backends[b]; b++) {
        size_t length = strlen(cvk_backends[b]->name);
        if (strncmp(spec, cvk_backends[b]->name, length) != 0 ||
            (spec[length] && spec[length] != ':'))
            continue;
        int index = match(cvk_backends[b], spec[length] ? spec + length + 1 : "");
        return index < 0 ? no_device(spec) : cvk_backends[b]->open(index, options, device);
    }
    return no_device(spec);
}
