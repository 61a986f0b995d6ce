/* SPDX-License-Identifier: Apache-2.0
 *
 * Cast between any two element types: what cvk_view_get and cvk_view_set mean, with short loops for
 * the types from which pictures and labels become float32, and vectors between float32 and float16,
 * in whose blocked layout the lanes beyond C are converted as well.
 */
#include <string.h>

#include "kernels/cpu/row.h"
#include "kernels/cpu/vec.h"

static void widen(const uint16_t *src, float *dst, int begin, int end)
{
    int i = begin;
    for (; i + CVK_VLEN <= end; i += CVK_VLEN) vec_store(dst + i, vec_load_half(src + i));
    for (; i < end; i++) dst[i] = cvk_f16_to_f32(src[i]);
}

static void narrow(const float *src, uint16_t *dst, int begin, int end)
{
    int i = begin;
    for (; i + CVK_VLEN <= end; i += CVK_VLEN) vec_store_half(dst + i, vec_load(src + i));
    for (; i < end; i++) dst[i] = cvk_f32_to_f16(src[i]);
}

static bool to_f32(const cvk_view *src, float *dst, int begin, int end)
{
    const void *from = src->data;
    switch (src->dtype) {
    case CVK_U8:
        for (int i = begin; i < end; i++) dst[i] = ((const uint8_t *)from)[i];
        return true;
    case CVK_I8:
        for (int i = begin; i < end; i++) dst[i] = ((const int8_t *)from)[i];
        return true;
    case CVK_I32:
        for (int i = begin; i < end; i++) dst[i] = (float)((const int32_t *)from)[i];
        return true;
    case CVK_I64:
        for (int i = begin; i < end; i++) dst[i] = (float)((const int64_t *)from)[i];
        return true;
    case CVK_F16: widen(from, dst, begin, end); return true;
    case CVK_F64:
        for (int i = begin; i < end; i++) dst[i] = (float)((const double *)from)[i];
        return true;
    default: return false;
    }
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const cvk_view *src = &step->in[0];
    cvk_view *dst = &step->out[0];
    const size_t size = cvk_dtype_bytes(src->dtype);
    int begin, end;
    row_share((int)(cvk_view_bytes(src) / size), worker, workers, &begin, &end);
    if (begin >= end) return CVK_OK;
    if (src->dtype == dst->dtype) {
        memcpy((char *)dst->data + (size_t)begin * size,
               (const char *)src->data + (size_t)begin * size, (size_t)(end - begin) * size);
    } else if (dst->dtype == CVK_F32 && to_f32(src, dst->data, begin, end)) {
        return CVK_OK;
    } else if (src->dtype == CVK_F32 && dst->dtype == CVK_F16) {
        narrow(src->data, dst->data, begin, end);
    } else if (cvk_dtype_is_float(src->dtype) || cvk_dtype_is_float(dst->dtype)) {
        for (int i = begin; i < end; i++) cvk_view_set(dst, i, cvk_view_get(src, i));
    } else {
        for (int i = begin; i < end; i++) cvk_view_set_int(dst, i, cvk_view_get_int(src, i));
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    /* Two roundings, by way of float32, would differ from one. */
    if (p->in[0].dtype == CVK_F64 && p->out[0].dtype == CVK_F16)
        return row_refuse(why_not, "float64 to float16");
    return row_sized(p, why_not) && row_no_posts(p, why_not);
}

static bool is_half_pair(cvk_dtype a, cvk_dtype b)
{
    return (a == CVK_F16 && b == CVK_F32) || (a == CVK_F32 && b == CVK_F16);
}

static bool accepts_blocked(const cvk_problem *p, const char **why_not)
{
    if (!is_half_pair(p->in[0].dtype, p->out[0].dtype))
        return row_refuse(why_not, "not between float32 and float16");
    return accepts(p, why_not) && row_blocked(&p->in[0], why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_cast_blocked) = {
    .op = CVK_OP_Cast,
    .name = "cast_blocked",
    .in_layout = CVK_LAYOUT_BLOCKED,
    .out_layout = CVK_LAYOUT_BLOCKED,
    .accepts = accepts_blocked,
    .run = run,
};

const cvk_kernel CVK_FN(cvk_cpu_cast) = {
    .op = CVK_OP_Cast,
    .name = "cast",
    .accepts = accepts,
    .run = run,
};
