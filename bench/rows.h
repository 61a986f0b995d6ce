/* SPDX-License-Identifier: Apache-2.0
 *
 * One kernel row with memory of its own for one node's problem, ready to run on its device.
 */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include "schedule/trial.h"

typedef struct row_run {
    cvk_device *device;
    cvk_step step;
    void **memory; /* of the device */
    int n_memory;
} row_run;

/* plain: by input of the node, what its values hold (constants' too), in plain layout. */
cvk_status row_open(cvk_scheduler *s, cvk_device *device, const cvk_node *node,
                    const cvk_kernel *row, const cvk_view *plain, row_run *r);
bool row_launch(void *row, int launches); /* waits */
/* Runs once; its first output in plain layout to dst. */
cvk_status row_result(row_run *r, void *dst);
void row_close(row_run *r);

#endif
