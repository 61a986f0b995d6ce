/* SPDX-License-Identifier: Apache-2.0
 *
 * Failures: the one way to make them (cvk_fail) and the one way to pass them on (CVK_TRY).
 * The sentence is kept per thread and read through cvk_last_error.
 */
#ifndef CVK_BASE_STATUS_H
#define CVK_BASE_STATUS_H

#include <convoke/convoke.h>

/* Records the sentence made from `format` for this thread and returns `status`. */
cvk_status cvk_fail(cvk_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3), cold));

/* Puts "<format>: " before the sentence of the failure in hand and returns `status` unchanged, for
 * a caller who knows where it happened (which file, which node). */
cvk_status cvk_fail_at(cvk_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3), cold));

#define CVK_TRY(call)                                                                              \
    do {                                                                                           \
        cvk_status try_status_ = (call);                                                           \
        if (try_status_) return try_status_;                                                       \
    } while (0)

#endif
