/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps in the making: views and constants of a node under a row, for prepare and for asking a row
 * how much scratch it would want.
 */
#ifndef CVK_SCHEDULE_TRIAL_H
#define CVK_SCHEDULE_TRIAL_H

#include "schedule/passes.h"

/* Fills step for `node` under `row` on device (NULL: host): views in the row's layouts, constants
 * in place, row->prepare called. */
cvk_status cvk_step_make(cvk_scheduler *s, const cvk_node *node, cvk_device *device,
                         const cvk_kernel *row, cvk_step *step);
void cvk_step_unmake(cvk_device *device, cvk_step *step);

/* Whether the row's scratch stays within the caller's workspace budget. */
cvk_status cvk_trial_budget(cvk_scheduler *s, const cvk_node *node, const cvk_device *device,
                            const cvk_kernel *row, bool *fits, const char **why);

#endif
