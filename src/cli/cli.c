/* SPDX-License-Identifier: Apache-2.0
 *
 * Failures, memory, time and JSON for all sub-commands.
 */
#include "cli/cli.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int fail(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("convoke: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return code;
}

int exit_code_of(cvk_status status)
{
    switch (status) {
    case CVK_OK: return DONE;
    case CVK_BAD_ARGUMENT: return WRONG_USE;
    case CVK_NO_DEVICE:
    case CVK_DEVICE_FAILED: return NO_DEVICE;
    case CVK_NO_MEMORY: return NO_MEMORY;
    case CVK_BAD_MODEL:
    case CVK_BAD_INPUT:
    case CVK_SHAPE:
    case CVK_UNSUPPORTED:
    case CVK_IO: break;
    }
    return BAD_FILE;
}

int fail_status(cvk_status status)
{
    const char *sentence = *cvk_last_error() ? cvk_last_error() : cvk_status_string(status);
    return status ? fail(exit_code_of(status), "%s", sentence) : DONE;
}

static void *or_end(void *memory)
{
    if (!memory) exit(fail(NO_MEMORY, "out of memory"));
    return memory;
}

void *need_tensor(const cvk_tensor *tensor)
{
    enum { PAGE = 4096 };
    const size_t bytes = (size_t)cvk_tensor_count(tensor) * cvk_dtype_bytes(tensor->dtype);
    const size_t whole = (bytes / PAGE + 1) * PAGE;
    return memset(or_end(aligned_alloc(PAGE, whole)), 0, whole);
}

void *need(size_t count, size_t bytes)
{
    return or_end(calloc(count ? count : 1, bytes ? bytes : 1));
}

void *need_more(void *old, size_t count, size_t bytes)
{
    if (bytes && count > SIZE_MAX / bytes) return or_end(NULL);
    size_t size = count * bytes;
    return or_end(realloc(old, size ? size : 1));
}

char *need_text(const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    char *text = need((size_t)length + 1, 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}

double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

json_t *json_text(const char *text)
{
    if (!text) return json_null();
    json_t *value = json_string(text);
    if (value) return value;
    char *plain = need_text("%s", text);
    for (char *p = plain; *p; p++)
        if ((unsigned char)*p >= 0x80) *p = '?';
    value = json_string(plain);
    free(plain);
    return value;
}

json_t *json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *json_shape(const cvk_tensor *tensor)
{
    json_t *dims = json_array();
    for (int i = 0; i < tensor->rank; i++)
        json_array_append_new(dims,
                              tensor->dims[i] < 0 ? json_null() : json_integer(tensor->dims[i]));
    return dims;
}

int json_print(json_t *object)
{
    int wrong = !object || json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(object);
    if (wrong) return fail(NO_MEMORY, "out of memory: the JSON result cannot be written");
    putchar('\n');
    return DONE;
}

void json_print_runs(json_t *runs, bool several)
{
    if (several)
        json_print(json_pack("{s:O}", "runs", runs));
    else if (json_array_size(runs))
        json_print(json_incref(json_array_get(runs, 0)));
}

void shape_text(const cvk_tensor *tensor, const char *const *names, char *text, size_t size)
{
    size_t used = 0;
    snprintf(text, size, "%s", tensor->rank ? "" : "scalar");
    for (int i = 0; i < tensor->rank && used < size; i++) {
        const char *cross = i ? "x" : "";
        int n = tensor->dims[i] >= 0 ? snprintf(text + used, size - used, "%s%lld", cross,
                                                (long long)tensor->dims[i])
                                     : snprintf(text + used, size - used, "%s%s", cross,
                                                names && names[i] ? names[i] : "?");
        used += (size_t)n;
    }
}
