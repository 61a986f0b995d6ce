/* SPDX-License-Identifier: Apache-2.0
 *
 * Every activation (cvk_act, graph/params.h) on a vec. vec_act takes the kind apart from its
 * numbers: a literal kind leaves one case of the switch; act_apply leaves the switch to the branch
 * predictor, which sees one kind for a whole step. The kinds beyond SWISH are a call (act_rare.c),
 * lest every kernel hold them all. NaN goes through.
 */
#ifndef CVK_KERNELS_CPU_ACT_H
#define CVK_KERNELS_CPU_ACT_H

#include "graph/params.h"
#include "kernels/cpu/unroll.h"
#include "kernels/cpu/vec.h"

/* min(max(x, lo), hi) */
static inline vec vec_clamp(vec x, vec lo, vec hi)
{
    return vec_min(hi, vec_max(lo, x));
}

static inline vec vec_clamp01(vec x)
{
    return vec_clamp(x, vec_zero(), vec_set1(1.0f));
}

static inline vec vec_qdq(const cvk_act *act, vec x)
{
    vec scale = vec_set1(act->a), zero = vec_set1(act->b);
    vec q = vec_add(vec_round(vec_div(x, scale)), zero);
    return vec_mul(vec_sub(vec_clamp(q, vec_set1(act->c), vec_set1(act->d)), zero), scale);
}

/* The kinds beyond SWISH. */
vec CVK_FN(cvk_act_rare)(const cvk_act *act, vec x);

static inline __attribute__((always_inline)) vec vec_act(cvk_act_kind kind, const cvk_act *act,
                                                         vec x)
{
    const vec a = vec_set1(act->a), b = vec_set1(act->b);
    switch (kind) {
    case CVK_ACT_RELU: return vec_max(vec_zero(), x);
    case CVK_ACT_LEAKY_RELU: return vec_select(vec_lt(x, vec_zero()), vec_mul(x, a), x);
    case CVK_ACT_ELU: return vec_select(vec_lt(x, vec_zero()), vec_mul(a, vec_expm1(x)), x);
    case CVK_ACT_SIGMOID: return vec_sigmoid(x);
    case CVK_ACT_HARD_SIGMOID: return vec_clamp01(vec_fma(a, x, b));
    case CVK_ACT_HARD_SWISH:
        return vec_mul(x, vec_clamp01(vec_fma(x, vec_set1(1.0f / 6.0f), vec_set1(0.5f))));
    case CVK_ACT_TANH: return vec_tanh(x);
    case CVK_ACT_CLIP: return vec_clamp(x, a, b);
    case CVK_ACT_SQRT: return vec_sqrt(x);
    case CVK_ACT_EXP: return vec_exp(x);
    case CVK_ACT_LINEAR: return vec_fma(a, x, b);
    case CVK_ACT_QDQ: return vec_qdq(act, x);
    case CVK_ACT_SWISH:
        return vec_div(x, vec_add(vec_set1(1.0f), vec_exp(vec_mul(vec_set1(-act->a), x))));
    case CVK_ACT_NONE: return x;
    default: return CVK_FN(cvk_act_rare)(act, x);
    }
}

static inline vec act_apply(const cvk_act *act, vec x)
{
    return vec_act(act->kind, act, x);
}

/* ACT_GROUP vecs at a time: the frequent kinds beyond a clamp are a dozen operations that wait for
 * each other, and side by side they fill the gaps. */
enum { ACT_GROUP = 4 };

CVK_INLINE void act_group_as(cvk_act_kind kind, const cvk_act *act, vec *x)
{
    CVK_UNROLL for (int i = 0; i < ACT_GROUP; i++) x[i] = vec_act(kind, act, x[i]);
}

CVK_INLINE void act_group(const cvk_act *act, vec *x)
{
    switch (act->kind) {
    case CVK_ACT_RELU: act_group_as(CVK_ACT_RELU, act, x); break;
    case CVK_ACT_LEAKY_RELU: act_group_as(CVK_ACT_LEAKY_RELU, act, x); break;
    case CVK_ACT_SIGMOID: act_group_as(CVK_ACT_SIGMOID, act, x); break;
    case CVK_ACT_HARD_SIGMOID: act_group_as(CVK_ACT_HARD_SIGMOID, act, x); break;
    case CVK_ACT_HARD_SWISH: act_group_as(CVK_ACT_HARD_SWISH, act, x); break;
    case CVK_ACT_CLIP: act_group_as(CVK_ACT_CLIP, act, x); break;
    case CVK_ACT_LINEAR: act_group_as(CVK_ACT_LINEAR, act, x); break;
    case CVK_ACT_SWISH: act_group_as(CVK_ACT_SWISH, act, x); break;
    default: act_group_as(act->kind, act, x); break;
    }
}

#endif
