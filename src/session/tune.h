/* SPDX-License-Identifier: Apache-2.0
 *
 * Behind cvk_tune: measures the kernel rows of a plan's problems and keeps the best in the store.
 */
#ifndef CVK_SESSION_TUNE_H
#define CVK_SESSION_TUNE_H

#include "schedule/plan.h"

cvk_status cvk_tune_plan(const cvk_graph *model, cvk_device *const *devices, int n_devices,
                         const cvk_session_options *session_options,
                         const cvk_tune_options *options, cvk_tune_result *result);

#endif
