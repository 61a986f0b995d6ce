/* SPDX-License-Identifier: Apache-2.0
 *
 * The CPU device, as the files of this folder see it.
 */
#ifndef CVK_BACKEND_CPU_CPU_H
#define CVK_BACKEND_CPU_CPU_H

#include "backend/backend.h"
#include "base/threads.h"
#include "kernels/cpu/level.h"

typedef struct cpu_device {
    cvk_device device; /* first */
    const cvk_cpu_level *level;
    cvk_team *team;
    cvk_kernel *rows;
} cpu_device;

double cvk_cpu_seconds(void); /* on a clock that only goes forward */

/* The backend's measure. */
cvk_status cvk_cpu_measure(cvk_device *device, cvk_device_rates *rates);

#endif
