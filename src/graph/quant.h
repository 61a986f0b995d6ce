/* SPDX-License-Identifier: Apache-2.0
 *
 * The arithmetic of quantised operators, bit for bit: what the references, the kernels of every
 * backend and the passes that make constants for them compute in float32, each operation rounded.
 * A product that is then added to something stands in a statement of its own, so that no compiler
 * contracts the two into one rounding.
 */
#ifndef CVK_GRAPH_QUANT_H
#define CVK_GRAPH_QUANT_H

#include <math.h>

#include "graph/params.h"

/* All values of an 8-bit type with this zero point. */
static inline cvk_quant_range cvk_quant_full(cvk_dtype dtype, int32_t zp)
{
    bool is_signed = dtype == CVK_I8;
    return (cvk_quant_range){
        .zp = zp, .lo = is_signed ? -128 : 0, .hi = is_signed ? 127 : 255, .dtype = dtype};
}

/* A value in units of the scale, rounded half to even, plus zp, clamped; NaN gives lo. */
static inline int32_t cvk_quant_round(float value, const cvk_quant_range *y)
{
    const float lo = (float)(y->lo - y->zp), hi = (float)(y->hi - y->zp);
    float q = rintf(value);
    q = q > lo ? q : lo;
    q = q < hi ? q : hi;
    return (int32_t)q + y->zp;
}

/* What M is made of: the scale of a product over that of the result. */
static inline float cvk_requant_scale(float x_scale, float w_scale, float y_scale)
{
    float product = x_scale * w_scale;
    return product / y_scale;
}

static inline int32_t cvk_requantise(int32_t acc, float m, const cvk_quant_range *y)
{
    return cvk_quant_round((float)acc * m, y);
}

static inline int32_t cvk_qbinary(const cvk_qbinary_params *p, int32_t a, int32_t b)
{
    float x = (float)(a - p->a_zp) * p->a_scale;
    float z = (float)(b - p->b_zp) * p->b_scale;
    float r = p->kind == CVK_BINARY_ADD ? x + z : x * z;
    return cvk_quant_round(r / p->y_scale, &p->y);
}

/* QPool's M for a window whose divisor is n. */
static inline float cvk_qpool_scale(const cvk_qpool_params *p, int32_t n)
{
    float whole = (float)n * p->y_scale;
    return p->x_scale / whole;
}

#endif
