/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of denied rows: one per row, found by the library's version, the backend, the device's
 * name and driver, and the row with its operator.
 */
#include "schedule/denied.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char kind[] = "denied row";
enum { KEY = 1024 };

static size_t make_key(const cvk_device *device, const cvk_kernel *row, char key[KEY])
{
    const cvk_device_info *info = &device->info;
    int length =
        snprintf(key, KEY, "Convoke %s\n%s; %s; %s; %s\n%s %s", cvk_version(), info->backend,
                 info->name, info->driver, info->version, cvk_op_kind_name(row->op), row->name);
    return length > 0 && length < KEY ? (size_t)length : 0;
}

bool cvk_denied_read(cvk_store *store, const cvk_device *device, const cvk_kernel *row,
                     char reason[CVK_DENIED_REASON])
{
    char key[KEY];
    void *data = NULL;
    size_t bytes = 0;
    if (!cvk_store_peek(store, kind, key, make_key(device, row, key), &data, &bytes)) return false;
    if (bytes >= CVK_DENIED_REASON) bytes = CVK_DENIED_REASON - 1;
    memcpy(reason, data, bytes);
    reason[bytes] = 0;
    free(data);
    return true;
}

bool cvk_denied_write(cvk_store *store, const cvk_device *device, const cvk_kernel *row,
                      const char *reason)
{
    char key[KEY];
    return cvk_store_put(store, kind, key, make_key(device, row, key), reason, strlen(reason));
}

bool cvk_denied_drop(cvk_store *store, const cvk_device *device, const cvk_kernel *row)
{
    char key[KEY];
    return cvk_store_drop(store, kind, key, make_key(device, row, key));
}

static cvk_status check_preferred(const cvk_scheduler *s, const cvk_device *device,
                                  const cvk_kernel *row, const char *reason)
{
    const char *prefer = s->options->prefer_kernel;
    if (!prefer || strcmp(prefer, row->name) != 0) return CVK_OK;
    return cvk_fail(CVK_BAD_ARGUMENT,
                    "row '%s' of %s cannot be preferred: it is " CVK_DENIED_WHY " (%s)", prefer,
                    device->info.id, reason);
}

static cvk_status load_device(cvk_scheduler *s, const cvk_device *device, bool *denied)
{
    char reason[CVK_DENIED_REASON];
    for (int r = 0; r < device->n_kernels; r++) {
        denied[r] = cvk_denied_read(s->store, device, &device->kernels[r], reason);
        if (denied[r]) CVK_TRY(check_preferred(s, device, &device->kernels[r], reason));
    }
    return CVK_OK;
}

cvk_status cvk_denied_load(cvk_scheduler *s)
{
    cvk_arena *arena = s->graph->arena;
    s->denied = NULL;
    if (!cvk_store_any(s->store, kind)) return CVK_OK;
    bool **lists = cvk_arena_alloc(arena, (size_t)s->n_devices * sizeof *lists);
    if (!lists) return CVK_NO_MEMORY;
    for (int d = 0; d < s->n_devices; d++) {
        lists[d] = cvk_arena_alloc(arena, (size_t)s->devices[d]->n_kernels * sizeof *lists[d]);
        if (!lists[d]) return CVK_NO_MEMORY;
        CVK_TRY(load_device(s, s->devices[d], lists[d]));
    }
    s->denied = lists;
    return CVK_OK;
}

bool cvk_denied(const cvk_scheduler *s, const cvk_device *device, const cvk_kernel *row)
{
    for (int d = 0; s->denied && d < s->n_devices; d++)
        if (s->devices[d] == device) return s->denied[d][row - device->kernels];
    return false;
}
