/* SPDX-License-Identifier: Apache-2.0
 *
 * One kernel row with memory of its own for one node's problem, ready to run on its device: for the
 * tuner and for bench_kernels.
 */
#ifndef CVK_SESSION_ROWS_H
#define CVK_SESSION_ROWS_H

#include "schedule/trial.h"

typedef struct cvk_row_run {
    cvk_device *device;
    cvk_step *steps; /* reorders of inputs, then the row's own */
    int n_steps;
    void **memory; /* of the device */
    int n_memory;
} cvk_row_run;

/* plain: by input of the node, what its values hold (constants' too), in plain layout. like: the
 * inputs lie as this row wants them, and what `row` wants otherwise is reordered in every run;
 * NULL: they lie as it wants them. To be closed even after a failure. */
cvk_status cvk_row_open(cvk_scheduler *s, cvk_device *device, const cvk_node *node,
                        const cvk_kernel *row, const cvk_kernel *like, const cvk_view *plain,
                        cvk_row_run *r);
bool cvk_row_launch(void *row, int launches); /* waits */
/* Runs once; output i in plain layout to dst[i], unless that is NULL. */
cvk_status cvk_row_result(cvk_row_run *r, void *const *dst);
void cvk_row_close(cvk_row_run *r);

#endif
