/* SPDX-License-Identifier: Apache-2.0
 *
 * What devices are able to do (cvk_device_rates): measured once for each and kept in the store.
 * Planning reads the record if there is one and never measures by itself; without one it goes by
 * what the capabilities promise (cvk_device.rates).
 */
#ifndef CVK_SCHEDULE_RATES_H
#define CVK_SCHEDULE_RATES_H

#include "backend/backend.h"
#include "base/store.h"

/* False if there is no record, or none that can be believed. */
bool cvk_rates_read(cvk_store *store, const cvk_device *device, cvk_device_rates *rates);
bool cvk_rates_write(cvk_store *store, const cvk_device *device, const cvk_device_rates *rates);

/* Measures the device now, in less than half a second. If there is a store it keeps of each rate the
 * best that was ever measured. */
cvk_status cvk_rates_measure(cvk_device *device, cvk_device_rates *rates);
/* The same unless there is a record. */
cvk_status cvk_rates_ensure(cvk_device *device);

#endif
