/* SPDX-License-Identifier: Apache-2.0
 *
 * The general epilogue: reads raw results, a vec or a group of vecs at a time, sends them through
 * the chain, writes them back.
 */
#include "kernels/cpu/epilogue.h"

#include <math.h>

#include "kernels/cpu/act.h"

void CVK_FN(cvk_chain_make)(const cvk_node *node, const cvk_view *in, int begin, int end,
                            int channels, chain *c)
{
    *c = (chain){.channels = channels};
    for (int i = begin; i < end; i++) {
        const cvk_post *post = &node->posts[i];
        struct chain_item *item = &c->item[c->n++];
        item->kind = post->kind;
        item->act = &post->act;
        if (post->kind != CVK_POST_ADD && post->kind != CVK_POST_PRELU) continue;
        item->data = in[post->input].data;
        item->half = in[post->input].dtype == CVK_F16;
        item->each = post->kind == CVK_POST_PRELU && cvk_view_count(&in[post->input]) > 1;
    }
}

bool CVK_FN(cvk_chain_simplify)(const chain *c, chain_simple *simple)
{
    *simple = (chain_simple){.lo = -INFINITY, .hi = INFINITY};
    int at = 0;
    if (at < c->n && c->item[at].kind == CVK_POST_ADD) {
        if (c->item[at].half) return false;
        simple->res = c->item[at++].data;
    }
    if (at < c->n && c->item[at].kind == CVK_POST_ACT) {
        const cvk_act *act = c->item[at].act;
        if (act->kind != CVK_ACT_RELU && act->kind != CVK_ACT_CLIP) return false;
        simple->clamp = true;
        simple->lo = act->kind == CVK_ACT_RELU ? 0.0f : act->a;
        simple->hi = act->kind == CVK_ACT_RELU ? INFINITY : act->b;
        at++;
    }
    return at == c->n;
}

const cvk_view *CVK_FN(cvk_third_input)(const cvk_node *node, const cvk_view *in)
{
    if (node->n_in < 3 || in[2].dtype == CVK_NONE) return NULL;
    for (int i = 0; i < node->n_posts; i++) {
        cvk_post_kind kind = node->posts[i].kind;
        if ((kind == CVK_POST_ADD || kind == CVK_POST_PRELU) && node->posts[i].input == 2)
            return NULL;
    }
    return &in[2];
}

bool CVK_FN(cvk_act_monotone)(const cvk_act *act)
{
    switch (act->kind) {
    case CVK_ACT_NONE:
    case CVK_ACT_RELU:
    case CVK_ACT_SIGMOID:
    case CVK_ACT_TANH:
    case CVK_ACT_CLIP:
    case CVK_ACT_EXP: return true;
    case CVK_ACT_LEAKY_RELU:
    case CVK_ACT_ELU:
    case CVK_ACT_HARD_SIGMOID:
    case CVK_ACT_LINEAR: return act->a >= 0;
    default: return false;
    }
}

/* Lanes of a residual; `lanes` of them may be read, `step` apart. */
static vec load_lanes(const float *src, ptrdiff_t step, int lanes)
{
    if (step == 1) return lanes == CVK_VLEN ? vec_load(src) : vec_load_n(src, lanes);
    float buffer[CVK_VLEN] = {0};
    for (int i = 0; i < lanes; i++) buffer[i] = src[i * step];
    return vec_load(buffer);
}

static vec load_residual(const struct chain_item *item, size_t at, ptrdiff_t step, int lanes)
{
    if (!item->half) return load_lanes((const float *)item->data + at, step, lanes);
    const uint16_t *src = (const uint16_t *)item->data + at;
    if (step == 1 && lanes == CVK_VLEN) return vec_load_half(src);
    float buffer[CVK_VLEN] = {0};
    for (int i = 0; i < lanes; i++) buffer[i] = cvk_f16_to_f32(src[i * step]);
    return vec_load(buffer);
}

/* slopes: how many lanes have a channel of their own from `channel` on; 0: all lanes are `channel`.
 */
static inline vec slope_of(const struct chain_item *item, int channel, int slopes)
{
    const float *data = item->data;
    if (!item->each) return vec_set1(data[0]);
    return slopes ? vec_load_n(data + channel, slopes) : vec_set1(data[channel]);
}

static inline vec prelu(vec x, vec slope)
{
    return vec_select(vec_lt(x, vec_zero()), vec_mul(slope, x), x);
}

static inline vec through(const chain *c, vec x, size_t at, ptrdiff_t step, int lanes, int channel,
                          int slopes)
{
    for (int i = 0; i < c->n; i++) {
        const struct chain_item *item = &c->item[i];
        if (item->kind == CVK_POST_ADD) {
            x = vec_add(x, load_residual(item, at, step, lanes));
        } else if (item->kind == CVK_POST_ACT) {
            x = act_apply(item->act, x);
        } else {
            x = prelu(x, slope_of(item, channel, slopes));
        }
    }
    return x;
}

/* ACT_GROUP pixels of CVK_VLEN channels. */
static inline void group_through(const chain *c, float *dst, ptrdiff_t step, size_t at,
                                 ptrdiff_t res_step, int channel, int slopes)
{
    vec x[ACT_GROUP];
    CVK_UNROLL for (int p = 0; p < ACT_GROUP; p++) x[p] = vec_load(dst + p * step);
    for (int i = 0; i < c->n; i++) {
        const struct chain_item *item = &c->item[i];
        if (item->kind == CVK_POST_ADD) {
            CVK_UNROLL for (int p = 0; p < ACT_GROUP; p++) x[p] =
                vec_add(x[p], load_residual(item, at + (size_t)(p * res_step), 1, CVK_VLEN));
        } else if (item->kind == CVK_POST_ACT) {
            act_group(item->act, x);
        } else {
            const vec slope = slope_of(item, channel, slopes);
            CVK_UNROLL for (int p = 0; p < ACT_GROUP; p++) x[p] = prelu(x[p], slope);
        }
    }
    CVK_UNROLL for (int p = 0; p < ACT_GROUP; p++) vec_store(dst + p * step, x[p]);
}

void CVK_FN(cvk_chain_lanes)(const chain *c, float *dst, ptrdiff_t step, size_t at,
                             ptrdiff_t res_step, int cols, int channel)
{
    int slopes = c->channels - channel < CVK_VLEN ? c->channels - channel : CVK_VLEN, p = 0;
    if (slopes <= 0) return; /* lanes beyond the last channel */
    for (; p + ACT_GROUP <= cols; p += ACT_GROUP)
        group_through(c, dst + p * step, step, at + (size_t)(p * res_step), res_step, channel,
                      slopes);
    for (; p < cols; p++) {
        float *pixel = dst + p * step;
        vec_store(pixel, through(c, vec_load(pixel), at + (size_t)(p * res_step), 1, CVK_VLEN,
                                 channel, slopes));
    }
}

void CVK_FN(cvk_chain_plane)(const chain *c, float *dst, ptrdiff_t step, size_t at, int cols,
                             int channel)
{
    for (int p = 0; p < cols; p += CVK_VLEN) {
        int lanes = cols - p < CVK_VLEN ? cols - p : CVK_VLEN;
        float *pixel = dst + p * step, buffer[CVK_VLEN];
        vec x = through(c, load_lanes(pixel, step, lanes), at + (size_t)(p * step), step, lanes,
                        channel, 0);
        vec_store(buffer, x);
        for (int i = 0; i < lanes; i++) pixel[i * step] = buffer[i];
    }
}

void CVK_FN(cvk_chain_row)(const chain *c, float *dst, size_t at, int n, int channel)
{
    for (int i = 0; i < n; i += CVK_VLEN) {
        int lanes = n - i < CVK_VLEN ? n - i : CVK_VLEN;
        vec x =
            through(c, load_lanes(dst + i, 1, lanes), at + (size_t)i, 1, lanes, channel + i, lanes);
        vec_store_n(dst + i, x, lanes);
    }
}
