/* SPDX-License-Identifier: Apache-2.0
 *
 * All devices of all backends: listing, and opening by a word of the caller's.
 */
#ifndef CVK_BACKEND_DEVICES_H
#define CVK_BACKEND_DEVICES_H

#include "backend/backend.h"

/* Writes at most `capacity` infos; returns how many devices there are. */
int cvk_devices_list(cvk_device_info *infos, int capacity);

/* "auto", "cpu", "opencl", "opencl:N", "opencl:part of the name". */
cvk_status cvk_devices_open(const char *spec, const cvk_device_options *options,
                            cvk_device **device);

#endif
