/* SPDX-License-Identifier: Apache-2.0
 *
 * What follows an element-wise kernel or a pool in registers: residual additions and activations.
 * The richer epilogue of convolutions is epilogue.h.
 */
#ifndef CVK_KERNELS_CPU_POSTS_H
#define CVK_KERNELS_CPU_POSTS_H

#include "kernels/cpu/act.h"
#include "kernels/cpu/row.h"

typedef struct posts {
    int n;
    struct posts_item {
        const float *add; /* NULL: an activation */
        const cvk_act *act;
    } item[CVK_MAX_POSTS];
} posts;

static inline bool posts_accept(const cvk_problem *p, bool add, const char **why_not)
{
    for (int i = 0; i < p->node->n_posts; i++) {
        cvk_post_kind kind = p->node->posts[i].kind;
        if (kind == CVK_POST_ACT || (kind == CVK_POST_ADD && add)) continue;
        return row_refuse(why_not, "only simple activations follow in this kernel");
    }
    return true;
}

static inline posts posts_make(const cvk_step *step)
{
    posts p = {.n = step->node->n_posts};
    for (int i = 0; i < p.n; i++) {
        const cvk_post *post = &step->node->posts[i];
        p.item[i].act = &post->act;
        if (post->kind == CVK_POST_ADD) p.item[i].add = step->in[post->input].data;
    }
    return p;
}

/* x lies at `at` in the output, and so does what is added; `lanes` of it count. */
static inline vec posts_apply(const posts *p, vec x, int64_t at, int lanes)
{
    for (int i = 0; i < p->n; i++) {
        const float *add = p->item[i].add;
        if (!add)
            x = act_apply(p->item[i].act, x);
        else
            x = vec_add(x, lanes == CVK_VLEN ? vec_load(add + at) : vec_load_n(add + at, lanes));
    }
    return x;
}

#endif
