/* SPDX-License-Identifier: Apache-2.0
 *
 * The texts of the statuses and each thread's last sentence.
 */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char sentence[1024];

cvk_status cvk_fail(cvk_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    return status;
}

cvk_status cvk_fail_at(cvk_status status, const char *format, ...)
{
    char rest[sizeof sentence];
    memcpy(rest, sentence, sizeof rest);
    va_list args;
    va_start(args, format);
    int length = vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    if (length >= 0 && (size_t)length < sizeof sentence)
        snprintf(sentence + length, sizeof sentence - (size_t)length, ": %.900s", rest);
    return status;
}

const char *cvk_last_error(void)
{
    return sentence;
}

const char *cvk_status_string(cvk_status status)
{
    switch (status) {
#define STATUS_CASE(name, value, text)                                                             \
    case name: return text;
        CVK_STATUS_LIST(STATUS_CASE)
#undef STATUS_CASE
    }
    return "unknown status";
}
