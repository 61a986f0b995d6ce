/* SPDX-License-Identifier: Apache-2.0
 *
 * Log messages to the sink set with cvk_log_set; nothing is formatted when nobody listens.
 */
#ifndef CVK_BASE_LOG_H
#define CVK_BASE_LOG_H

#include <convoke/convoke.h>

void cvk_log(cvk_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
