/* SPDX-License-Identifier: Apache-2.0
 *
 * Which of the devices present a model runs on, where the caller leaves that to the library.
 */
#ifndef CVK_SESSION_AUTO_H
#define CVK_SESSION_AUTO_H

#include "backend/backend.h"
#include "graph/graph.h"

/* Opens at most `capacity` devices, in order of preference; *count: how many. */
cvk_status cvk_devices_choose(const cvk_graph *model, const cvk_session_options *session_options,
                              const cvk_device_options *options, cvk_device **devices,
                              int capacity, int *count);

#endif
