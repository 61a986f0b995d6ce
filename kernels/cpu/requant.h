/* SPDX-License-Identifier: Apache-2.0
 *
 * graph/quant.h for a vec of values: how integer sums become 8-bit integers, and how a residual is
 * added to those. The same operations in the same order, so that results are equal.
 */
#ifndef CVK_KERNELS_CPU_REQUANT_H
#define CVK_KERNELS_CPU_REQUANT_H

#include "graph/quant.h"
#include "kernels/cpu/ivec.h"
#include "kernels/cpu/row.h"

typedef struct requant {
    vec lo, hi; /* less the zero point */
    ivec zp;
} requant;

static inline requant requant_make(const cvk_quant_range *y)
{
    return (requant){vec_set1((float)(y->lo - y->zp)), vec_set1((float)(y->hi - y->zp)),
                     ivec_set1(y->zp)};
}

/* cvk_quant_round. */
static inline ivec requant_round(const requant *y, vec value)
{
    vec q = vec_min(vec_max(vec_round(value), y->lo), y->hi);
    return ivec_add(ivec_from_vec(q), y->zp);
}

/* cvk_qbinary. */
typedef struct requant_binary {
    vec a_scale, b_scale, y_scale;
    ivec a_zp, b_zp;
    requant y;
    bool is_add;
} requant_binary;

static inline requant_binary requant_binary_make(const cvk_qbinary_params *p)
{
    return (requant_binary){.a_scale = vec_set1(p->a_scale),
                            .b_scale = vec_set1(p->b_scale),
                            .y_scale = vec_set1(p->y_scale),
                            .a_zp = ivec_set1(p->a_zp),
                            .b_zp = ivec_set1(p->b_zp),
                            .y = requant_make(&p->y),
                            .is_add = p->kind == CVK_BINARY_ADD};
}

static inline ivec requant_binary_apply(const requant_binary *p, ivec a, ivec b)
{
    vec x = vec_mul(ivec_to_vec(ivec_sub(a, p->a_zp)), p->a_scale);
    vec z = vec_mul(ivec_to_vec(ivec_sub(b, p->b_zp)), p->b_scale);
    vec r = p->is_add ? vec_add(x, z) : vec_mul(x, z);
    return requant_round(&p->y, vec_div(r, p->y_scale));
}

/* What follows the sums of QConv and QMatMul. */
typedef struct requant_posts {
    bool requantised; /* else the sums are the result */
    requant y;
    const uint8_t *residual; /* NULL: none */
    bool residual_signed;
    requant_binary add;
} requant_posts;

static inline requant_posts requant_posts_make(const cvk_step *step, const cvk_quant_range *y)
{
    const cvk_node *node = step->node;
    requant_posts p = {.requantised = y->dtype != CVK_I32};
    if (p.requantised) p.y = requant_make(y);
    if (!node->n_posts) return p;
    const cvk_view *residual = &step->in[node->posts[0].input];
    p.residual = residual->data;
    p.residual_signed = residual->dtype == CVK_I8;
    p.add = requant_binary_make(&node->posts[0].qadd);
    return p;
}

/* n sums, multiplied by m, into elements [at, at + n) of the output. */
static inline void requant_store(const requant_posts *p, ivec sum, vec m, void *dst, int64_t at,
                                 int n)
{
    if (!p->requantised) {
        ivec_store_n((int32_t *)dst + at, sum, n);
        return;
    }
    ivec q = requant_round(&p->y, vec_mul(ivec_to_vec(sum), m));
    if (p->residual)
        q = requant_binary_apply(&p->add, q, ivec_load_8n(p->residual + at, p->residual_signed, n));
    ivec_store_8n((uint8_t *)dst + at, q, n);
}

static inline bool requant_is_8bit(const cvk_view *view)
{
    return view->dtype == CVK_U8 || view->dtype == CVK_I8;
}

/* At most one post, an addition; M, zero points and a bias are constants, as prepare reads them. */
static inline bool requant_accepts(const cvk_problem *p, const char **why_not)
{
    const cvk_node *node = p->node;
    for (int i = 2; i < node->n_in && i < 5; i++)
        if (p->in[i].dtype != CVK_NONE && !p->in[i].data)
            return row_refuse(why_not, "bias, scales or zero points are computed");
    if (node->n_posts > 1 || (node->n_posts && node->posts[0].kind != CVK_POST_QADD))
        return row_refuse(why_not, "nothing but one addition can follow");
    if (node->n_posts && node->n_in > 3 && p->in[3].dtype == CVK_NONE)
        return row_refuse(why_not, "int32 results take no addition");
    if (!requant_is_8bit(&p->in[0]) || !requant_is_8bit(&p->in[1]))
        return row_refuse(why_not, "not an 8-bit type");
    return row_sized(p, why_not);
}

/* Constant input i of QConv or QMatMul; NULL if absent. */
static inline const void *requant_constant(const cvk_step *step, int i)
{
    return i < step->node->n_in && step->in[i].dtype != CVK_NONE ? step->in[i].data : NULL;
}

/* Element i as an integer. */
static inline int32_t requant_get(const void *data, bool is_signed, int64_t i)
{
    return is_signed ? ((const int8_t *)data)[i] : ((const uint8_t *)data)[i];
}

static inline int32_t requant_pack(int32_t low, int32_t high)
{
    return (int32_t)(((uint32_t)low & 0xffff) | (uint32_t)high << 16);
}

#endif
