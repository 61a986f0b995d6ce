/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether pictures of a batch can be computed apart.
 */
#ifndef CVK_SCHEDULE_BATCH_H
#define CVK_SCHEDULE_BATCH_H

#include "schedule/plan.h"

typedef struct cvk_batch {
    int64_t count;      /* pictures */
    const char *why;    /* they cannot be told apart, as half a sentence; NULL: they can */
    cvk_tensor *inputs; /* every input of the model that is no constant: name, type and shape */
    char *has_batch;    /* by these: its first dimension is the batch */
    int n_inputs;
} cvk_batch;

/* The batch of a model that is planned with these options: what an input's free first dimension is.
 * Its pictures can be computed apart if every value that depends on such an input has the batch first,
 * whatever the batch is, all outputs do, and each node is of a kind that keeps pictures apart. Arena
 * memory. A failure is that of the model. */
cvk_status cvk_batch_find(cvk_arena *arena, const cvk_graph *model,
                          const cvk_schedule_options *options, cvk_batch *batch);

#endif
