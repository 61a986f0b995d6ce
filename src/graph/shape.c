/* SPDX-License-Identifier: Apache-2.0
 *
 * Shapes, strides, broadcasting, and views.
 */
#include "graph/shape.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

cvk_shape cvk_shape_make(int rank, const int64_t *dims)
{
    cvk_shape shape = {.rank = rank};
    for (int i = 0; i < rank; i++) shape.dims[i] = dims[i];
    return shape;
}

bool cvk_shape_equal(const cvk_shape *a, const cvk_shape *b)
{
    if (a->rank != b->rank) return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i]) return false;
    return true;
}

bool cvk_shape_known(const cvk_shape *shape)
{
    if (shape->rank < 0) return false;
    for (int i = 0; i < shape->rank; i++)
        if (shape->dims[i] < 0) return false;
    return true;
}

int64_t cvk_shape_span(const cvk_shape *shape, int begin, int end)
{
    int64_t count = 1;
    for (int i = begin; i < end; i++) {
        if (shape->dims[i] < 0) return -1;
        if (__builtin_mul_overflow(count, shape->dims[i], &count)) return -1;
    }
    return count;
}

int64_t cvk_shape_count(const cvk_shape *shape)
{
    return shape->rank < 0 ? -1 : cvk_shape_span(shape, 0, shape->rank);
}

void cvk_shape_strides(const cvk_shape *shape, int64_t *strides)
{
    int64_t stride = 1;
    for (int i = shape->rank - 1; i >= 0; i--) {
        strides[i] = stride;
        stride *= shape->dims[i];
    }
}

const char *cvk_shape_text(const cvk_shape *shape, char text[CVK_SHAPE_TEXT])
{
    if (shape->rank <= 0) {
        snprintf(text, CVK_SHAPE_TEXT, "%s", shape->rank ? "?" : "scalar");
        return text;
    }
    size_t at = 0;
    text[0] = 0;
    for (int i = 0; i < shape->rank && at < CVK_SHAPE_TEXT - 1; i++) {
        int wrote = shape->dims[i] < 0
                        ? snprintf(text + at, CVK_SHAPE_TEXT - at, "%s?", i ? "x" : "")
                        : snprintf(text + at, CVK_SHAPE_TEXT - at, "%s%lld", i ? "x" : "",
                                   (long long)shape->dims[i]);
        at += wrote > 0 ? (size_t)wrote : 0;
    }
    return text;
}

bool cvk_shape_broadcast(const cvk_shape *a, const cvk_shape *b, cvk_shape *out)
{
    cvk_shape result = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int i = 0; i < result.rank; i++) {
        int ia = i - (result.rank - a->rank), ib = i - (result.rank - b->rank);
        int64_t da = ia < 0 ? 1 : a->dims[ia], db = ib < 0 ? 1 : b->dims[ib];
        if (da == db || db == 1)
            result.dims[i] = da;
        else if (da == 1)
            result.dims[i] = db;
        else if (da < 0 || db < 0) /* one is unknown, the other above 1: it must be that */
            result.dims[i] = da < 0 ? db : da;
        else
            return false;
    }
    *out = result;
    return true;
}

void cvk_shape_broadcast_strides(const cvk_shape *shape, const cvk_shape *as, int64_t *strides)
{
    int64_t own[CVK_MAX_RANK];
    cvk_shape_strides(shape, own);
    for (int i = 0; i < as->rank; i++) {
        int j = i - (as->rank - shape->rank);
        strides[i] = j < 0 || shape->dims[j] == 1 ? 0 : own[j];
    }
}

bool cvk_axis_normalise(int64_t axis, int rank, int *normal)
{
    if (axis < 0) axis += rank;
    if (axis < 0 || axis >= rank) return false;
    *normal = (int)axis;
    return true;
}

int64_t cvk_tensor_count(const cvk_tensor *tensor)
{
    cvk_shape shape = {.rank = tensor->rank};
    for (int i = 0; i < tensor->rank && i < CVK_MAX_RANK; i++) shape.dims[i] = tensor->dims[i];
    return tensor->rank < 0 || tensor->rank > CVK_MAX_RANK ? -1 : cvk_shape_count(&shape);
}

int64_t cvk_view_count(const cvk_view *view)
{
    return cvk_shape_count(&view->shape);
}

size_t cvk_view_bytes(const cvk_view *view)
{
    int64_t count = cvk_view_count(view);
    if (count < 0) return 0;
    if (view->layout == CVK_LAYOUT_BLOCKED) {
        int64_t c = view->shape.dims[1];
        count = c ? count / c * ((c + CVK_BLOCK - 1) / CVK_BLOCK * CVK_BLOCK) : 0;
    }
    return (size_t)count * cvk_dtype_bytes(view->dtype);
}

bool cvk_dtype_is_float(cvk_dtype dtype)
{
    return dtype == CVK_F16 || dtype == CVK_F32 || dtype == CVK_F64;
}

uint16_t cvk_f32_to_f16(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    bits &= 0x7fffffffu;
    if (bits > 0x7f800000u) return sign | 0x7e00;  /* NaN */
    if (bits >= 0x477ff000u) return sign | 0x7c00; /* rounds to infinity */
    if (bits < 0x38800000u) { /* subnormal: a multiple of 2^-24, exact in float */
        float magnitude;
        memcpy(&magnitude, &bits, sizeof magnitude);
        return sign | (uint16_t)lrintf(magnitude * 0x1p24f);
    }
    uint32_t rounded = bits + 0xfff + (bits >> 13 & 1); /* to nearest even */
    return sign | (uint16_t)((rounded - 0x38000000u) >> 13);
}

double cvk_view_get(const cvk_view *view, int64_t i)
{
    const void *data = view->data;
    switch (view->dtype) {
    case CVK_F32: return ((const float *)data)[i];
    case CVK_F64: return ((const double *)data)[i];
    case CVK_F16: return cvk_f16_to_f32(((const uint16_t *)data)[i]);
    case CVK_U64: return (double)((const uint64_t *)data)[i];
    default: return (double)cvk_view_get_int(view, i);
    }
}

/* A double as an integer of [low, high]: truncated, saturated, NaN to 0. */
static int64_t saturate(double value, double low, double high)
{
    if (isnan(value)) return 0;
    if (value <= low) return low <= -0x1p63 ? INT64_MIN : (int64_t)low;
    if (value >= high) return high >= 0x1p63 ? INT64_MAX : (int64_t)high;
    return (int64_t)value;
}

void cvk_view_set(cvk_view *view, int64_t i, double value)
{
    switch (view->dtype) {
    case CVK_F32: ((float *)view->data)[i] = (float)value; return;
    case CVK_F64: ((double *)view->data)[i] = value; return;
    case CVK_F16: ((uint16_t *)view->data)[i] = cvk_f32_to_f16((float)value); return;
    case CVK_BOOL: ((uint8_t *)view->data)[i] = value != 0; return;
    case CVK_U64:
        ((uint64_t *)view->data)[i] = !(value > 0)      ? 0
                                      : value >= 0x1p64 ? UINT64_MAX
                                                        : (uint64_t)value;
        return;
    case CVK_U8: cvk_view_set_int(view, i, saturate(value, 0, UINT8_MAX)); return;
    case CVK_I8: cvk_view_set_int(view, i, saturate(value, INT8_MIN, INT8_MAX)); return;
    case CVK_U16: cvk_view_set_int(view, i, saturate(value, 0, UINT16_MAX)); return;
    case CVK_I16: cvk_view_set_int(view, i, saturate(value, INT16_MIN, INT16_MAX)); return;
    case CVK_U32: cvk_view_set_int(view, i, saturate(value, 0, UINT32_MAX)); return;
    case CVK_I32: cvk_view_set_int(view, i, saturate(value, INT32_MIN, INT32_MAX)); return;
    default: cvk_view_set_int(view, i, saturate(value, -0x1p63, 0x1p63)); return;
    }
}

int64_t cvk_view_get_int(const cvk_view *view, int64_t i)
{
    const void *data = view->data;
    switch (view->dtype) {
    case CVK_U8: return ((const uint8_t *)data)[i];
    case CVK_BOOL: return ((const uint8_t *)data)[i];
    case CVK_I8: return ((const int8_t *)data)[i];
    case CVK_U16: return ((const uint16_t *)data)[i];
    case CVK_I16: return ((const int16_t *)data)[i];
    case CVK_U32: return ((const uint32_t *)data)[i];
    case CVK_I32: return ((const int32_t *)data)[i];
    case CVK_I64: return ((const int64_t *)data)[i];
    case CVK_U64: return (int64_t)((const uint64_t *)data)[i];
    case CVK_F16:
    case CVK_F32:
    case CVK_F64: return saturate(cvk_view_get(view, i), -0x1p63, 0x1p63);
    case CVK_NONE: break;
    }
    return 0;
}

void cvk_view_set_int(cvk_view *view, int64_t i, int64_t value)
{
    void *data = view->data;
    switch (view->dtype) {
    case CVK_U8: ((uint8_t *)data)[i] = (uint8_t)value; return;
    case CVK_BOOL: ((uint8_t *)data)[i] = value != 0; return;
    case CVK_I8: ((int8_t *)data)[i] = (int8_t)value; return;
    case CVK_U16: ((uint16_t *)data)[i] = (uint16_t)value; return;
    case CVK_I16: ((int16_t *)data)[i] = (int16_t)value; return;
    case CVK_U32: ((uint32_t *)data)[i] = (uint32_t)value; return;
    case CVK_I32: ((int32_t *)data)[i] = (int32_t)value; return;
    case CVK_I64: ((int64_t *)data)[i] = value; return;
    case CVK_U64: ((uint64_t *)data)[i] = (uint64_t)value; return;
    case CVK_F16: ((uint16_t *)data)[i] = cvk_f32_to_f16((float)value); return;
    case CVK_F32: ((float *)data)[i] = (float)value; return;
    case CVK_F64: ((double *)data)[i] = (double)value; return;
    case CVK_NONE: return;
    }
}

/* `size`, of an element, is a literal. */
static inline __attribute__((always_inline)) void block_elements(const char *plain, char *blocked,
                                                                 int64_t n, int64_t c,
                                                                 int64_t spatial, const size_t size)
{
    int64_t blocks = (c + CVK_BLOCK - 1) / CVK_BLOCK, bytes = (int64_t)size;
    for (int64_t b = 0; b < n * blocks; b++) {
        int64_t image = b / blocks, c0 = b % blocks * CVK_BLOCK;
        for (int64_t s = 0; s < spatial; s++)
            for (int64_t k = 0; k < CVK_BLOCK; k++) {
                char *dst = blocked + ((b * spatial + s) * CVK_BLOCK + k) * bytes;
                if (c0 + k < c)
                    memcpy(dst, plain + ((image * c + c0 + k) * spatial + s) * bytes, size);
                else
                    memset(dst, 0, size);
            }
    }
}

static inline __attribute__((always_inline)) void unblock_elements(const char *blocked, char *plain,
                                                                   int64_t n, int64_t c,
                                                                   int64_t spatial,
                                                                   const size_t size)
{
    int64_t blocks = (c + CVK_BLOCK - 1) / CVK_BLOCK, bytes = (int64_t)size;
    for (int64_t p = 0; p < n * c; p++) {
        int64_t image = p / c, channel = p % c;
        const char *src = blocked + ((image * blocks + channel / CVK_BLOCK) * spatial * CVK_BLOCK +
                                     channel % CVK_BLOCK) *
                                        bytes;
        for (int64_t s = 0; s < spatial; s++)
            memcpy(plain + (p * spatial + s) * bytes, src + s * CVK_BLOCK * bytes, size);
    }
}

void cvk_layout_block(cvk_dtype dtype, const void *plain, void *blocked, int64_t n, int64_t c,
                      int64_t spatial)
{
    if (dtype == CVK_F16)
        block_elements(plain, blocked, n, c, spatial, sizeof(uint16_t));
    else
        block_elements(plain, blocked, n, c, spatial, sizeof(float));
}

void cvk_layout_unblock(cvk_dtype dtype, const void *blocked, void *plain, int64_t n, int64_t c,
                        int64_t spatial)
{
    if (dtype == CVK_F16)
        unblock_elements(blocked, plain, n, c, spatial, sizeof(uint16_t));
    else
        unblock_elements(blocked, plain, n, c, spatial, sizeof(float));
}
