/* SPDX-License-Identifier: Apache-2.0
 *
 * What rows tell the scheduler of their work (cvk_work), from the cycles of their own cost models.
 */
#ifndef CVK_KERNELS_CPU_WORK_H
#define CVK_KERNELS_CPU_WORK_H

#include "backend/kernel.h"
#include "kernels/cpu/vec.h"

/* Multiply-adds that all workers do at the peak in the cycles of the busiest one. */
static inline double work_macs(const cvk_caps *caps, double cycles)
{
    const double per_cycle = CVK_VLEN == 16 || CVK_VLEN == 1 ? CVK_VLEN : 2.0 * CVK_VLEN;
    return cycles * per_cycle * (caps->units > 0 ? caps->units : 1);
}

/* The same of cycles that all workers share evenly. */
static inline double work_shared_macs(const cvk_caps *caps, double cycles)
{
    return work_macs(caps, cycles / (caps->units > 0 ? caps->units : 1));
}

#endif
