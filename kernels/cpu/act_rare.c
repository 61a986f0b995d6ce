/* SPDX-License-Identifier: Apache-2.0
 *
 * The activations beyond SWISH (cvk_act, graph/params.h) on a vec. What is seldom met goes lane by
 * lane through the C library.
 */
#include <math.h>

#include "kernels/cpu/act.h"

static __attribute__((noinline)) vec lanes(float (*f)(float), vec x)
{
    float lane[CVK_VLEN];
    vec_store(lane, x);
    for (int i = 0; i < CVK_VLEN; i++) lane[i] = f(lane[i]);
    return vec_load(lane);
}

static inline vec negative(vec x)
{
    return vec_mul(x, vec_set1(-1.0f));
}

static inline vec sign(vec x)
{
    const vec one = vec_set1(1.0f), zero = vec_zero();
    return vec_select(vec_lt(zero, x), one, vec_select(vec_lt(x, zero), negative(one), x));
}

static inline vec shrink(vec x, vec lambda, vec bias)
{
    vec upper = vec_select(vec_lt(lambda, x), vec_sub(x, bias), vec_zero());
    return vec_select(vec_lt(x, negative(lambda)), vec_add(x, bias), upper);
}

/* x times half of erfc(-x / sqrt 2): the small half is computed, lest it drown. */
static inline vec gelu(vec x)
{
    vec y = vec_min(vec_set1(14.8f), vec_abs(x));
    vec half = vec_mul(vec_erfcx(vec_mul(y, vec_set1(0.70710678118f))), vec_set1(0.5f));
    half = vec_mul(half, vec_exp_square(y, vec_set1(0.5f)));
    vec other = vec_sub(vec_set1(1.0f), half);
    return vec_mul(x, vec_select(vec_lt(x, vec_zero()), half, other));
}

/* (1 + tanh(t)) / 2 = sigmoid(2 t) */
static inline vec gelu_tanh(vec x)
{
    vec cubic = vec_fma(vec_mul(x, x), vec_set1(0.044715f), vec_set1(1.0f));
    vec t = vec_mul(vec_mul(x, vec_set1(1.59576912161f)), cubic);
    return vec_mul(x, vec_sigmoid(t));
}

static inline vec softplus(vec x)
{
    return vec_add(vec_max(vec_zero(), x), vec_log1p(vec_exp(negative(vec_abs(x)))));
}

/* tanh(log(1 + e)) = n / (n + 2) with n = e (e + 2), e = exp(x); 1 in float32 above 20. */
static inline vec mish(vec x)
{
    const vec two = vec_set1(2.0f);
    vec e = vec_exp(vec_min(vec_set1(20.0f), x)), n = vec_mul(e, vec_add(e, two));
    return vec_mul(x, vec_div(n, vec_add(n, two)));
}

vec CVK_FN(cvk_act_rare)(const cvk_act *act, vec x)
{
    const vec a = vec_set1(act->a), b = vec_set1(act->b), one = vec_set1(1.0f), zero = vec_zero();
    switch (act->kind) {
    case CVK_ACT_ABS: return vec_abs(x);
    case CVK_ACT_NEG: return negative(x);
    case CVK_ACT_FLOOR: return vec_floor(x);
    case CVK_ACT_CEIL: return negative(vec_floor(negative(x)));
    case CVK_ACT_ROUND: return vec_round(x);
    case CVK_ACT_SIGN: return sign(x);
    case CVK_ACT_RECIPROCAL: return vec_div(one, x);
    case CVK_ACT_SOFTSIGN: return vec_div(x, vec_add(one, vec_abs(x)));
    case CVK_ACT_THRESHOLDED_RELU: return vec_select(vec_lt(a, x), x, zero);
    case CVK_ACT_SHRINK: return shrink(x, a, b);
    case CVK_ACT_SELU: return vec_mul(b, vec_select(vec_lt(zero, x), x, vec_mul(a, vec_expm1(x))));
    case CVK_ACT_CELU: return vec_select(vec_lt(x, zero), vec_mul(a, vec_expm1(vec_div(x, a))), x);
    case CVK_ACT_LOG: return vec_log(x);
    case CVK_ACT_ERF: return vec_erf(x);
    case CVK_ACT_GELU: return gelu(x);
    case CVK_ACT_GELU_TANH: return gelu_tanh(x);
    case CVK_ACT_SOFTPLUS: return softplus(x);
    case CVK_ACT_MISH: return mish(x);
    case CVK_ACT_SIN: return lanes(sinf, x);
    case CVK_ACT_COS: return lanes(cosf, x);
    case CVK_ACT_TAN: return lanes(tanf, x);
    case CVK_ACT_ASIN: return lanes(asinf, x);
    case CVK_ACT_ACOS: return lanes(acosf, x);
    case CVK_ACT_ATAN: return lanes(atanf, x);
    case CVK_ACT_SINH: return lanes(sinhf, x);
    case CVK_ACT_COSH: return lanes(coshf, x);
    case CVK_ACT_ASINH: return lanes(asinhf, x);
    case CVK_ACT_ACOSH: return lanes(acoshf, x);
    case CVK_ACT_ATANH: return lanes(atanhf, x);
    default: return x;
    }
}
