/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a node's parameters and posts.
 */
#include "bench/problem.h"

#include <math.h>

static bool read_act(const cvk_act *act, against_problem *p)
{
    p->act = AGAINST_CLAMP;
    p->lo = 0;
    p->hi = INFINITY;
    if (act->kind == CVK_ACT_CLIP) {
        p->lo = act->a;
        p->hi = act->b;
    } else if (act->kind == CVK_ACT_SWISH && act->a == 1) {
        p->act = AGAINST_SWISH;
    } else if (act->kind == CVK_ACT_SIGMOID) {
        p->act = AGAINST_SIGMOID;
    } else if (act->kind != CVK_ACT_RELU) {
        return false;
    }
    return true;
}

/* A residual and then an activation, each at most once. */
static bool read_posts(const cvk_node *node, const cvk_view *plain, against_problem *p)
{
    for (int i = 0; i < node->n_posts; i++) {
        const cvk_post *post = &node->posts[i];
        if (p->act) return false;
        if (post->kind == CVK_POST_ADD && !p->residual)
            p->residual = plain[post->input].data;
        else if (post->kind != CVK_POST_ACT || !read_act(&post->act, p))
            return false;
    }
    return true;
}

static bool read_gemm(const cvk_graph *graph, const cvk_node *node, const cvk_view *plain,
                      against_problem *p)
{
    const cvk_gemm_params *params = node->params;
    const cvk_shape *a = &plain[0].shape, *dst = &graph->values[node->out[0]].shape;
    p->gemm = true;
    p->m = (int)dst->dims[0];
    p->n = (int)dst->dims[1];
    p->k = (int)a->dims[params->trans_a ? 0 : 1];
    p->trans_a = params->trans_a;
    p->trans_b = params->trans_b;
    if (params->alpha != 1) return false;
    if (!p->bias) return true;
    return params->beta == 1 && cvk_view_count(&plain[2]) == p->n;
}

bool problem_from_node(const cvk_graph *graph, const cvk_node *node, const cvk_view *plain,
                       against_problem *p, const char **why)
{
    const cvk_value *dst = &graph->values[node->out[0]];
    *p = (against_problem){0};
    *why = "only Conv and Gemm in float32 are compared";
    if ((node->op != CVK_OP_Conv && node->op != CVK_OP_Gemm) || dst->dtype != CVK_F32 ||
        plain[0].dtype != CVK_F32)
        return false;
    p->src = plain[0].data;
    p->wgt = plain[1].data;
    if (node->n_in > 2 && node->in[2] >= 0) {
        bool is_residual = false;
        for (int i = 0; i < node->n_posts; i++)
            is_residual |= cvk_post_has_input(&node->posts[i]) && node->posts[i].input == 2;
        if (!is_residual) p->bias = plain[2].data;
    }
    *why = "what follows has no counterpart there: --bare";
    if (!read_posts(node, plain, p)) return false;
    if (node->op == CVK_OP_Gemm) return read_gemm(graph, node, plain, p);
    *why = "only one or two spatial dimensions are compared";
    return cvk_geom_conv(node, &plain[0].shape, &dst->shape, &p->conv);
}

static double value_bytes(const cvk_graph *graph, int id)
{
    if (id < 0) return 0;
    const cvk_value *value = &graph->values[id];
    return (double)cvk_shape_count(&value->shape) * (double)cvk_dtype_bytes(value->dtype);
}

double problem_bytes(const cvk_graph *graph, const cvk_node *node)
{
    double bytes = 0;
    for (int i = 0; i < node->n_in; i++) bytes += value_bytes(graph, node->in[i]);
    for (int i = 0; i < node->n_out; i++) bytes += value_bytes(graph, node->out[i]);
    return bytes;
}
