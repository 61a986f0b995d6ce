/* SPDX-License-Identifier: Apache-2.0
 *
 * The process-wide log sink.
 */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static cvk_log_fn sink;
static void *sink_user;
static cvk_log_level sink_level;

void cvk_log_set(cvk_log_fn fn, void *user, cvk_log_level level)
{
    pthread_mutex_lock(&lock);
    sink = fn;
    sink_user = user;
    sink_level = level;
    pthread_mutex_unlock(&lock);
}

void cvk_log(cvk_log_level level, const char *format, ...)
{
    pthread_mutex_lock(&lock);
    cvk_log_fn fn = level <= sink_level ? sink : NULL;
    void *user = sink_user;
    pthread_mutex_unlock(&lock);
    if (!fn) return;
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    fn(user, level, message);
}
