/* SPDX-License-Identifier: Apache-2.0
 *
 * Elements of tensors of any type, random fills and distances.
 */
#include "cli/numbers.h"

#include <math.h>
#include <string.h>

bool is_float(cvk_dtype dtype)
{
    return dtype == CVK_F32 || dtype == CVK_F16 || dtype == CVK_F64;
}

static double half_to_double(uint16_t half)
{
    int exponent = half >> 10 & 31, mantissa = half & 1023;
    double value = exponent == 31  ? (mantissa ? (double)NAN : (double)INFINITY)
                   : exponent == 0 ? ldexp(mantissa, -24)
                                   : ldexp(mantissa + 1024, exponent - 25);
    return half & 0x8000 ? -value : value;
}

/* Rounds to the nearest half, ties to even. */
static uint16_t double_to_half(double value)
{
    uint16_t sign = signbit(value) ? 0x8000 : 0;
    double size = fabs(value);
    if (isnan(value)) return sign | 0x7e00;
    if (size >= 65520) return sign | 0x7c00;
    int exponent;
    frexp(size, &exponent); /* size = f * 2^exponent, f in [0.5, 1) */
    if (size < ldexp(1, -14)) return sign | (uint16_t)nearbyint(ldexp(size, 24));
    int biased = exponent + 14;
    return (uint16_t)(sign | (uint16_t)((biased << 10) +
                                        (int)nearbyint(ldexp(size, 11 - exponent)) - 1024));
}

double number_get(const cvk_tensor *tensor, size_t i)
{
    const void *data = tensor->data;
    switch (tensor->dtype) {
    case CVK_F32: return ((const float *)data)[i];
    case CVK_F64: return ((const double *)data)[i];
    case CVK_F16: return half_to_double(((const uint16_t *)data)[i]);
    case CVK_BOOL:
    case CVK_U8: return ((const uint8_t *)data)[i];
    case CVK_I8: return ((const int8_t *)data)[i];
    case CVK_U16: return ((const uint16_t *)data)[i];
    case CVK_I16: return ((const int16_t *)data)[i];
    case CVK_U32: return ((const uint32_t *)data)[i];
    case CVK_I32: return ((const int32_t *)data)[i];
    case CVK_U64: return (double)((const uint64_t *)data)[i];
    case CVK_I64: return (double)((const int64_t *)data)[i];
    case CVK_NONE: break;
    }
    return 0;
}

static double limited(double value, double low, double high)
{
    double whole = nearbyint(value);
    return !(whole > low) ? low : whole > high ? high : whole;
}

void number_set(cvk_tensor *tensor, size_t i, double value)
{
    void *data = tensor->data;
    switch (tensor->dtype) {
    case CVK_F32: ((float *)data)[i] = (float)value; break;
    case CVK_F64: ((double *)data)[i] = value; break;
    case CVK_F16: ((uint16_t *)data)[i] = double_to_half(value); break;
    case CVK_BOOL: ((uint8_t *)data)[i] = value != 0; break;
    case CVK_U8: ((uint8_t *)data)[i] = (uint8_t)limited(value, 0, UINT8_MAX); break;
    case CVK_I8: ((int8_t *)data)[i] = (int8_t)limited(value, INT8_MIN, INT8_MAX); break;
    case CVK_U16: ((uint16_t *)data)[i] = (uint16_t)limited(value, 0, UINT16_MAX); break;
    case CVK_I16: ((int16_t *)data)[i] = (int16_t)limited(value, INT16_MIN, INT16_MAX); break;
    case CVK_U32: ((uint32_t *)data)[i] = (uint32_t)limited(value, 0, UINT32_MAX); break;
    case CVK_I32: ((int32_t *)data)[i] = (int32_t)limited(value, INT32_MIN, INT32_MAX); break;
    case CVK_U64: ((uint64_t *)data)[i] = (uint64_t)limited(value, 0, 9e15); break;
    case CVK_I64: ((int64_t *)data)[i] = (int64_t)limited(value, -9e15, 9e15); break;
    case CVK_NONE: break;
    }
}

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void fill_random(cvk_tensor *tensor, uint64_t seed)
{
    int64_t count = cvk_tensor_count(tensor);
    bool floats = is_float(tensor->dtype),
         bytes = tensor->dtype == CVK_U8 || tensor->dtype == CVK_I8;
    if (!floats && !bytes) {
        memset(tensor->data, 0, (size_t)count * cvk_dtype_bytes(tensor->dtype));
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        double unit = (double)(splitmix(&seed) >> 11) * 0x1p-53;
        number_set(tensor, (size_t)i,
                   floats ? unit : floor(unit * 256) - (tensor->dtype == CVK_I8 ? 128 : 0));
    }
}

distance tensor_distance(const cvk_tensor *a, const cvk_tensor *b, double rtol, double atol)
{
    distance d = {0};
    double square = 0, square_b = 0;
    size_t count = (size_t)cvk_tensor_count(b);
    for (size_t i = 0; i < count; i++) {
        double x = number_get(a, i), y = number_get(b, i);
        if (x == y || (isnan(x) && isnan(y))) {
            square_b += isfinite(y) ? y * y : 0;
            continue;
        }
        double away = isfinite(x) && isfinite(y) ? fabs(x - y) : (double)INFINITY;
        if (away > d.max_abs) {
            d.max_abs = away;
            d.worst = i;
        }
        if (y != 0) d.max_rel = fmax(d.max_rel, away / fabs(y));
        d.outside += !(away <= atol + rtol * fabs(y));
        square += away * away;
        square_b += isfinite(y) ? y * y : 0;
    }
    d.rel_l2 = square == 0 ? 0 : square_b > 0 ? sqrt(square / square_b) : (double)INFINITY;
    return d;
}
