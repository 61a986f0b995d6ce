/* SPDX-License-Identifier: Apache-2.0
 *
 * Parameters as words, named like ONNX's attributes.
 */
#include "ops/tell.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void cvk_tell(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, size - used, format, args);
    va_end(args);
}

/* " name=[begin..., end...]", unless all of them are the usual number. end may be NULL. */
static void tell_list(const char *name, const int64_t *begin, const int64_t *end, int count,
                      int64_t usual, char *text, size_t size)
{
    bool all_usual = true;
    for (int i = 0; i < count; i++)
        all_usual = all_usual && begin[i] == usual && (!end || end[i] == usual);
    if (all_usual) return;
    cvk_tell(text, size, " %s=[", name);
    for (int i = 0; i < count; i++) cvk_tell(text, size, "%s%" PRId64, i ? "," : "", begin[i]);
    for (int i = 0; end && i < count; i++) cvk_tell(text, size, ",%" PRId64, end[i]);
    cvk_tell(text, size, "]");
}

void cvk_tell_window(const cvk_window *window, char *text, size_t size)
{
    int n = window->spatial;
    tell_list("strides", window->stride, NULL, n, 1, text, size);
    tell_list("dilations", window->dilation, NULL, n, 1, text, size);
    tell_list("pads", window->pad_begin, window->pad_end, n, 0, text, size);
}

void cvk_tell_pool(const cvk_pool_params *pool, char *text, size_t size)
{
    static const char *const names[] = {"Max", "Avg", "Lp"};
    cvk_tell(text, size, " %s", names[pool->kind]);
    tell_list("kernel_shape", pool->window.kernel, NULL, pool->window.spatial, 0, text, size);
    cvk_tell_window(&pool->window, text, size);
    if (pool->ceil_mode) cvk_tell(text, size, " ceil_mode=1");
    if (pool->count_include_pad) cvk_tell(text, size, " count_include_pad=1");
    if (pool->column_major) cvk_tell(text, size, " storage_order=1");
    if (pool->kind == CVK_POOL_LP) cvk_tell(text, size, " p=%" PRId64, pool->p);
}

void cvk_tell_act(const cvk_act *act, char *text, size_t size)
{
    const float values[] = {act->a, act->b, act->c, act->d};
    int count = 4;
    while (count && values[count - 1] == 0) count--;
    cvk_tell(text, size, " %s", cvk_act_name(act->kind));
    for (int i = 0; i < count; i++) cvk_tell(text, size, ":%.9g", (double)values[i]);
}

void cvk_tell_range(const cvk_quant_range *range, char *text, size_t size)
{
    cvk_tell(text, size, " y=%" PRId32 ":%" PRId32 ":%" PRId32 ":%s", range->zp, range->lo,
             range->hi, cvk_dtype_name(range->dtype));
}

void cvk_tell_conv(const void *params, char *text, size_t size)
{
    const cvk_conv_params *conv = params;
    int n = conv->window.spatial;
    if (conv->group != 1) cvk_tell(text, size, " group=%" PRId64, conv->group);
    cvk_tell_window(&conv->window, text, size);
    tell_list("output_padding", conv->output_padding, NULL, n, 0, text, size);
}
