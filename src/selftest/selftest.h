/* SPDX-License-Identifier: Apache-2.0
 *
 * Behind cvk_selftest: every kernel row of a device against the references, and the deny list.
 */
#ifndef CVK_SELFTEST_SELFTEST_H
#define CVK_SELFTEST_SELFTEST_H

#include "backend/backend.h"

cvk_status cvk_selftest_device(cvk_device *device, const cvk_selftest_options *options,
                               cvk_selftest_result *result);

#endif
