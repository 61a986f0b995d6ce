/* SPDX-License-Identifier: Apache-2.0
 *
 * exp, log, tanh, sigmoid, expm1, log1p, erf, erfc over the vec of any level: reduction of the
 * argument, then a polynomial (coefficients: Cephes, S. Moshier, expf, logf, tanhf; erf and erfc: a
 * Remez exchange of our own in 40 digits). Included by vec.h alone.
 */
#ifndef CVK_KERNELS_CPU_VEC_MATH_H
#define CVK_KERNELS_CPU_VEC_MATH_H

#if CVK_PICKS_16
/* 2^(i / 16) */
static const float cvk_powers_16[16] = {1.0f,         1.044273782f, 1.090507733f, 1.138788635f,
                                        1.189207115f, 1.241857812f, 1.296839555f, 1.354255547f,
                                        1.414213562f, 1.476826146f, 1.542210825f, 1.610490332f,
                                        1.681792831f, 1.75625216f,  1.834008086f, 1.915206561f};
#endif

/* (exp(r) - 1 - r) / r^2 for |r| <= ln(2) / 2. */
static inline vec vec_exp_tail(vec r)
{
    vec p = vec_set1(1.9875691500e-4f);
    p = vec_fma(p, r, vec_set1(1.3981999507e-3f));
    p = vec_fma(p, r, vec_set1(8.3334519073e-3f));
    p = vec_fma(p, r, vec_set1(4.1665795894e-2f));
    p = vec_fma(p, r, vec_set1(1.6666665459e-1f));
    return vec_fma(p, r, vec_set1(5.0000001201e-1f));
}

/* x = n ln(2) + r; ln(2) in two parts, the first short enough that n times it is exact. The bounds
 * lie where the result is inf or 0 already; the order of arguments lets a NaN through. */
static inline vec vec_exp(vec a)
{
    vec x = vec_max(vec_set1(-104.0f), vec_min(vec_set1(89.0f), a));
#if CVK_PICKS_16
    /* n in 16ths, to which the sum with magic is rounded: 2^n is a power of two and one of 16 in a
     * table, and for |r| <= ln(2) / 32 three terms are exact to 1e-8. */
    const vec magic = vec_set1(786432.0f); /* 1.5 * 2^19 */
    const vec powers = vec_load(cvk_powers_16);
    vec shifted = vec_fma(x, vec_set1(1.44269504088896341f), magic), n = vec_sub(shifted, magic);
    vec power = vec_pick_bits(powers, shifted);
#else
    vec n = vec_round(vec_mul(x, vec_set1(1.44269504088896341f)));
#endif
    vec r = vec_fma(n, vec_set1(-0.693359375f), x);
    r = vec_fma(n, vec_set1(2.12194440e-4f), r);
#if CVK_PICKS_16
    vec tail = vec_fma(r, vec_set1(1.0f / 6), vec_set1(0.5f));
    vec y = vec_fma(vec_mul(power, r), vec_fma(tail, r, vec_set1(1.0f)), power);
#else
    vec y = vec_add(vec_fma(vec_mul(r, r), vec_exp_tail(r), r), vec_set1(1.0f));
#endif
    return vec_ldexp(y, n);
}

/* exp(a) - 1 without cancellation near 0. */
static inline vec vec_expm1(vec a)
{
    vec near = vec_fma(vec_mul(a, a), vec_exp_tail(a), a);
    vec far = vec_sub(vec_exp(a), vec_set1(1.0f));
    return vec_select(vec_lt(vec_abs(a), vec_set1(0.34f)), near, far);
}

/* a = m 2^e with m in [sqrt(1/2), sqrt(2)); log(a) = e ln(2) + log(m). Subnormal numbers are scaled
 * first; 0 gives -inf, negative numbers and NaN give NaN. */
static inline vec vec_log(vec a)
{
    const vec one = vec_set1(1.0f), zero = vec_zero();
    vmask small = vec_lt(a, vec_set1(1.17549435e-38f));
    vec x = vec_select(small, vec_mul(a, vec_set1(8388608.0f)), a);
    vec e = vec_logb(x), m = vec_ldexp(x, vec_sub(zero, e));
    e = vec_sub(e, vec_select(small, vec_set1(23.0f), zero));
    vmask upper = vec_lt(vec_set1(1.41421356f), m);
    m = vec_sub(vec_select(upper, vec_mul(m, vec_set1(0.5f)), m), one);
    e = vec_add(e, vec_select(upper, one, zero));
    vec p = vec_set1(7.0376836292e-2f);
    p = vec_fma(p, m, vec_set1(-1.1514610310e-1f));
    p = vec_fma(p, m, vec_set1(1.1676998740e-1f));
    p = vec_fma(p, m, vec_set1(-1.2420140846e-1f));
    p = vec_fma(p, m, vec_set1(1.4249322787e-1f));
    p = vec_fma(p, m, vec_set1(-1.6668057665e-1f));
    p = vec_fma(p, m, vec_set1(2.0000714765e-1f));
    p = vec_fma(p, m, vec_set1(-2.4999993993e-1f));
    p = vec_fma(p, m, vec_set1(3.3333331174e-1f));
    vec m2 = vec_mul(m, m);
    vec y = vec_mul(vec_mul(m, m2), p);
    y = vec_fma(e, vec_set1(-2.12194440e-4f), y);
    y = vec_add(vec_fma(m2, vec_set1(-0.5f), y), m);
    y = vec_fma(e, vec_set1(0.693359375f), y);
    /* inf - inf and 0 / 0 make the special results; sqrt of a negative number is NaN. */
    const vec inf = vec_set1(INFINITY);
    y = vec_select(vec_lt(a, inf), y, a);
    vec special = vec_select(vec_lt(a, zero), vec_sqrt(a), vec_sub(a, inf));
    return vec_select(vec_lt(zero, a), y, special);
}

static inline vec vec_tanh(vec a)
{
    const vec one = vec_set1(1.0f);
    vec x = vec_abs(a), z = vec_mul(a, a);
    vec p = vec_set1(-5.70498872745e-3f);
    p = vec_fma(p, z, vec_set1(2.06390887954e-2f));
    p = vec_fma(p, z, vec_set1(-5.37397155531e-2f));
    p = vec_fma(p, z, vec_set1(1.33314422036e-1f));
    p = vec_fma(p, z, vec_set1(-3.33332819422e-1f));
    vec near = vec_fma(vec_mul(p, z), a, a);
    vec far = vec_sub(one, vec_div(vec_set1(2.0f), vec_add(vec_exp(vec_add(x, x)), one)));
    far = vec_select(vec_lt(a, vec_zero()), vec_sub(vec_zero(), far), far);
    return vec_select(vec_lt(x, vec_set1(0.625f)), near, far);
}

/* log(u) for u = 1 + a, and what the rounding of u lost. */
static inline vec vec_log1p(vec a)
{
    const vec one = vec_set1(1.0f);
    vec u = vec_add(one, a);
    return vec_add(vec_log(u), vec_div(vec_sub(a, vec_sub(u, one)), u));
}

/* exp(-scale a^2) for a from 0 to 15, scale 1 or less: a^2 = h^2 + (a - h)(a + h), where h has few
 * enough bits for h^2 to be exact. */
static inline vec vec_exp_square(vec a, vec scale)
{
    vec h = vec_mul(vec_round(vec_mul(a, vec_set1(64.0f))), vec_set1(1.0f / 64.0f));
    vec r = vec_mul(vec_mul(vec_sub(h, a), vec_add(h, a)), scale);
    vec tail = vec_add(vec_fma(vec_mul(r, r), vec_exp_tail(r), r), vec_set1(1.0f));
    return vec_mul(vec_exp(vec_mul(vec_mul(h, h), vec_sub(vec_zero(), scale))), tail);
}

/* exp(a^2) erfc(a) = R(t) / (a + 3), t = (a - 3) / (a + 3), for a from 0 to 10.2; R is fitted to
 * 3e-9 of itself. */
static inline vec vec_erfcx(vec a)
{
    vec v = vec_div(vec_set1(1.0f), vec_add(a, vec_set1(3.0f)));
    vec t = vec_fma(v, vec_set1(-6.0f), vec_set1(1.0f));
    vec p = vec_set1(-0.0003253336859f);
    p = vec_fma(p, t, vec_set1(-0.0004831772162f));
    p = vec_fma(p, t, vec_set1(0.003080328408f));
    p = vec_fma(p, t, vec_set1(-0.001226430406f));
    p = vec_fma(p, t, vec_set1(-0.02683982655f));
    p = vec_fma(p, t, vec_set1(0.1195290683f));
    p = vec_fma(p, t, vec_set1(-0.3104660084f));
    p = vec_fma(p, t, vec_set1(0.5902282985f));
    p = vec_fma(p, t, vec_set1(-0.8833944864f));
    p = vec_fma(p, t, vec_set1(1.074006908f));
    return vec_mul(p, v);
}

/* Above 10.2 it is less than any float. */
static inline vec vec_erfc(vec a)
{
    vec x = vec_min(vec_set1(10.5f), a);
    return vec_mul(vec_erfcx(x), vec_exp_square(x, vec_set1(1.0f)));
}

/* Below 1 a polynomial in a^2, fitted to 2e-9 of erf(a) / a. */
static inline vec vec_erf(vec a)
{
    vec x = vec_abs(a), z = vec_mul(a, a);
    vec p = vec_set1(7.853862987e-5f);
    p = vec_fma(p, z, vec_set1(-0.0008010194074f));
    p = vec_fma(p, z, vec_set1(0.005188327731f));
    p = vec_fma(p, z, vec_set1(-0.02685381196f));
    p = vec_fma(p, z, vec_set1(0.1128358515f));
    p = vec_fma(p, z, vec_set1(-0.3761262582f));
    p = vec_fma(p, z, vec_set1(1.128379166f));
    vec far = vec_sub(vec_set1(1.0f), vec_erfc(x));
    far = vec_select(vec_lt(a, vec_zero()), vec_sub(vec_zero(), far), far);
    return vec_select(vec_lt(x, vec_set1(1.0f)), vec_mul(p, a), far);
}

static inline vec vec_sigmoid(vec a)
{
    const vec one = vec_set1(1.0f);
    return vec_div(one, vec_add(one, vec_exp(vec_sub(vec_zero(), a))));
}

#endif
