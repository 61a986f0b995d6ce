/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading attributes of a node: by name, with a default, and with a check of the kind.
 */
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "ops/op.h"

enum { MAX_READ = 64 }; /* no operator has more attributes */

const cvk_attr *cvk_attrs_find(const cvk_attrs *attrs, const char *name)
{
    for (int i = 0; i < attrs->count; i++)
        if (attrs->items[i].name && strcmp(attrs->items[i].name, name) == 0) {
            if (attrs->read && i < MAX_READ) *attrs->read |= UINT64_C(1) << i;
            return &attrs->items[i];
        }
    return NULL;
}

void cvk_attrs_ignore(const cvk_attrs *attrs, const char *name)
{
    cvk_attrs_find(attrs, name);
}

cvk_status cvk_attrs_check_read(const cvk_attrs *attrs)
{
    for (int i = 0; i < attrs->count; i++)
        if (i >= MAX_READ || !(*attrs->read >> i & 1))
            return cvk_fail(CVK_UNSUPPORTED, "attribute '%.40s' is not known in operator set %d",
                            attrs->items[i].name ? attrs->items[i].name : "", attrs->opset);
    return CVK_OK;
}

static cvk_status find(const cvk_attrs *attrs, const char *name, cvk_attr_kind kind,
                       const char *kind_name, const cvk_attr **found)
{
    *found = cvk_attrs_find(attrs, name);
    if (*found && (*found)->kind != kind)
        return cvk_fail(CVK_BAD_MODEL, "attribute '%s' should be %s", name, kind_name);
    return CVK_OK;
}

cvk_status cvk_attrs_int(const cvk_attrs *attrs, const char *name, int64_t def, int64_t *value)
{
    const cvk_attr *attr;
    CVK_TRY(find(attrs, name, CVK_ATTR_INT, "an integer", &attr));
    *value = attr ? attr->i : def;
    return CVK_OK;
}

cvk_status cvk_attrs_float(const cvk_attrs *attrs, const char *name, float def, float *value)
{
    const cvk_attr *attr;
    CVK_TRY(find(attrs, name, CVK_ATTR_FLOAT, "a float", &attr));
    *value = attr ? attr->f : def;
    return CVK_OK;
}

cvk_status cvk_attrs_string(const cvk_attrs *attrs, const char *name, const char *def,
                            const char **value)
{
    const cvk_attr *attr;
    CVK_TRY(find(attrs, name, CVK_ATTR_STRING, "a string", &attr));
    *value = attr && attr->s ? attr->s : def;
    return CVK_OK;
}

cvk_status cvk_attrs_ints(const cvk_attrs *attrs, const char *name, int capacity, int64_t *values,
                          int *count)
{
    const cvk_attr *attr;
    CVK_TRY(find(attrs, name, CVK_ATTR_INTS, "a list of integers", &attr));
    *count = -1;
    if (!attr) return CVK_OK;
    if (attr->count > (size_t)capacity)
        return cvk_fail(CVK_BAD_MODEL, "attribute '%s' has %zu entries, at most %d are expected",
                        name, attr->count, capacity);
    if (attr->count) memcpy(values, attr->ints, attr->count * sizeof *values);
    *count = (int)attr->count;
    return CVK_OK;
}

/* A list with n entries per spatial dimension: not more than there can be dimensions. */
static cvk_status check_spatial(const cvk_attrs *attrs, const char *name, size_t n)
{
    const cvk_attr *attr = cvk_attrs_find(attrs, name);
    if (!attr || attr->kind != CVK_ATTR_INTS || attr->count <= n * CVK_MAX_SPATIAL) return CVK_OK;
    return cvk_fail(CVK_UNSUPPORTED,
                    "attribute '%s' has %zu entries: at most %d spatial dimensions are supported",
                    name, attr->count, CVK_MAX_SPATIAL);
}

/* A list with one entry per spatial dimension: sets window->spatial or must agree with it. */
static cvk_status spatial_list(const cvk_attrs *attrs, const char *name, int64_t *values,
                               cvk_window *window)
{
    int count;
    CVK_TRY(check_spatial(attrs, name, 1));
    CVK_TRY(cvk_attrs_ints(attrs, name, CVK_MAX_SPATIAL, values, &count));
    if (count <= 0) return CVK_OK;
    if (window->spatial && window->spatial != count)
        return cvk_fail(CVK_BAD_MODEL, "attribute '%s' has %d entries, %d are expected", name,
                        count, window->spatial);
    window->spatial = count;
    for (int i = 0; i < count; i++)
        if (values[i] < 1 || values[i] > INT_MAX)
            return cvk_fail(CVK_BAD_MODEL,
                            "attribute '%s' is %" PRId64 " in dimension %d, 1 or more is expected",
                            name, values[i], i);
    return CVK_OK;
}

static cvk_status pads(const cvk_attrs *attrs, cvk_window *window)
{
    int64_t list[2 * CVK_MAX_SPATIAL];
    int count;
    CVK_TRY(check_spatial(attrs, "pads", 2));
    CVK_TRY(cvk_attrs_ints(attrs, "pads", 2 * CVK_MAX_SPATIAL, list, &count));
    if (count <= 0) return CVK_OK;
    if (count % 2 || (window->spatial && window->spatial * 2 != count))
        return cvk_fail(CVK_BAD_MODEL,
                        "attribute 'pads' has %d entries, two per spatial dimension are expected",
                        count);
    window->spatial = count / 2;
    for (int i = 0; i < count; i++)
        if (list[i] < -INT_MAX || list[i] > INT_MAX)
            return cvk_fail(CVK_BAD_MODEL,
                            "attribute 'pads' holds %" PRId64 ", which is out of range", list[i]);
    for (int i = 0; i < window->spatial; i++) {
        window->pad_begin[i] = list[i];
        window->pad_end[i] = list[window->spatial + i];
    }
    return CVK_OK;
}

static cvk_status auto_pad(const cvk_attrs *attrs, cvk_auto_pad *value)
{
    static const struct {
        const char *name;
        cvk_auto_pad value;
    } names[] = {{"NOTSET", CVK_PAD_EXPLICIT},
                 {"", CVK_PAD_EXPLICIT},
                 {"SAME_UPPER", CVK_PAD_SAME_UPPER},
                 {"SAME_LOWER", CVK_PAD_SAME_LOWER},
                 {"VALID", CVK_PAD_VALID}};
    const char *text;
    CVK_TRY(cvk_attrs_string(attrs, "auto_pad", "NOTSET", &text));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i].name) != 0) continue;
        *value = names[i].value;
        return CVK_OK;
    }
    return cvk_fail(CVK_BAD_MODEL, "attribute 'auto_pad' is '%.40s'", text);
}

cvk_status cvk_attrs_window(const cvk_attrs *attrs, cvk_window *window)
{
    *window = (cvk_window){0};
    for (int i = 0; i < CVK_MAX_SPATIAL; i++) window->stride[i] = window->dilation[i] = 1;
    CVK_TRY(spatial_list(attrs, "kernel_shape", window->kernel, window));
    CVK_TRY(spatial_list(attrs, "strides", window->stride, window));
    CVK_TRY(spatial_list(attrs, "dilations", window->dilation, window));
    CVK_TRY(pads(attrs, window));
    return auto_pad(attrs, &window->auto_pad);
}
