/* SPDX-License-Identifier: Apache-2.0
 *
 * The deny list: kernel rows that selftest found wrong on a driver, as records in the store, made
 * by src/selftest and heeded by everybody who chooses rows.
 */
#ifndef CVK_SCHEDULE_DENIED_H
#define CVK_SCHEDULE_DENIED_H

#include "schedule/passes.h"

enum { CVK_DENIED_REASON = 512 };

/* What a plan says of such a row. */
#define CVK_DENIED_WHY "denied by selftest on this driver"

/* Whether the row is on the list of the device's driver; if so, `reason` is what was wrong. */
bool cvk_denied_read(cvk_store *store, const cvk_device *device, const cvk_kernel *row,
                     char reason[CVK_DENIED_REASON]);
/* Both: false if the store does not take it. */
bool cvk_denied_write(cvk_store *store, const cvk_device *device, const cvk_kernel *row,
                      const char *reason);
bool cvk_denied_drop(cvk_store *store, const cvk_device *device, const cvk_kernel *row);

/* From s->store into s->denied. CVK_BAD_ARGUMENT if options->prefer_kernel is on the list. */
cvk_status cvk_denied_load(cvk_scheduler *s);
/* Whether the row, of one of s->devices, is on the list that was loaded. */
bool cvk_denied(const cvk_scheduler *s, const cvk_device *device, const cvk_kernel *row);

#endif
