/* SPDX-License-Identifier: Apache-2.0
 *
 * Cast between any two element types: what cvk_view_get and cvk_view_set mean, with short loops for
 * the types from which pictures and labels become float32.
 */
#include <string.h>

#include "kernels/cpu/row.h"
#include "kernels/cpu/vec.h"

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
    case CVK_F16:
        for (int i = begin; i < end; i++) dst[i] = cvk_f16_to_f32(((const uint16_t *)from)[i]);
        return true;
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
    row_share((int)cvk_view_count(src), worker, workers, &begin, &end);
    if (begin >= end) return CVK_OK;
    if (src->dtype == dst->dtype) {
        memcpy((char *)dst->data + (size_t)begin * size,
               (const char *)src->data + (size_t)begin * size, (size_t)(end - begin) * size);
    } else if (dst->dtype == CVK_F32 && to_f32(src, dst->data, begin, end)) {
        return CVK_OK;
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

const cvk_kernel CVK_FN(cvk_cpu_cast) = {
    .op = CVK_OP_Cast,
    .name = "cast",
    .accepts = accepts,
    .run = run,
};
