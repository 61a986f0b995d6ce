/* SPDX-License-Identifier: Apache-2.0
 *
 * What is left of constants that are added or multiplied once fold.c has run, behind activations
 * mostly: a Binary with a constant number becomes a Unary LINEAR, a x + b, and two of these in a row
 * one, so that fuse.c takes it into the step before. Where nothing before could take it, it stays.
 */
#include <math.h>

#include "schedule/passes.h"
#include "schedule/rewriting.h"

/* a x + b, read off a node; false if it is none, or of another shape than x. */
static bool read_linear(const cvk_graph *graph, const cvk_node *node, int *x, double *a, double *b)
{
    *a = 1;
    *b = 0;
    if (node->op == CVK_OP_Unary) {
        const cvk_act *act = &((const cvk_unary_params *)node->params)->act;
        *x = node->in[0];
        *a = (double)act->a;
        *b = (double)act->b;
        return act->kind == CVK_ACT_LINEAR;
    }
    if (node->op != CVK_OP_Binary || node->n_posts) return false;
    cvk_binary_kind kind = ((const cvk_binary_params *)node->params)->kind;
    int constant = cvk_is_const(graph, node->in[1]) ? 1 : 0;
    double k;
    *x = node->in[1 - constant];
    if (!cvk_const_scalar(graph, node->in[constant], &k) || !isfinite(k)) return false;
    switch (kind) {
    case CVK_BINARY_ADD: *b = k; break;
    case CVK_BINARY_SUB:
        *a = constant ? 1 : -1;
        *b = constant ? -k : k;
        break;
    case CVK_BINARY_MUL: *a = k; break;
    case CVK_BINARY_DIV:
        if (!constant || !isfinite(1 / k)) return false;
        *a = 1 / k;
        break;
    default: return false;
    }
    const cvk_value *in = &graph->values[*x], *out = &graph->values[node->out[0]];
    return !cvk_is_const(graph, *x) && in->dtype == CVK_F32 && out->dtype == CVK_F32 &&
           cvk_shape_equal(&in->shape, &out->shape);
}

/* Whether a node before, through activations that nobody else reads, may take what follows. */
static bool is_behind_leader(const cvk_graph *graph, const int *readers, int value)
{
    while (readers[value] >= 0 && graph->values[value].producer >= 0) {
        const cvk_node *node = &graph->nodes[graph->values[value].producer];
        if (node->op != CVK_OP_Unary) return cvk_can_lead(node);
        value = node->in[0];
    }
    return false;
}

cvk_status cvk_pass_linear(cvk_graph *graph)
{
    int *readers = cvk_graph_readers(graph, graph->arena);
    if (!readers) return CVK_NO_MEMORY;
    for (int i = 0; i < graph->n_nodes; i++) {
        cvk_node *node = &graph->nodes[i];
        int x, from;
        double a, b, a0, b0;
        if (!read_linear(graph, node, &x, &a, &b) || !is_behind_leader(graph, readers, x)) continue;
        const cvk_node *before = &graph->nodes[graph->values[x].producer];
        bool both = before->op == CVK_OP_Unary && read_linear(graph, before, &from, &a0, &b0);
        if (both) {
            x = from;
            b += a * b0;
            a *= a0;
        } else if (node->op == CVK_OP_Unary) {
            continue;
        }
        const cvk_act act = {.kind = CVK_ACT_LINEAR, .a = (float)a, .b = (float)b};
        CVK_TRY(cvk_replace_unary(graph, node, x, act, both ? before : NULL));
    }
    CVK_TRY(cvk_graph_prune(graph));
    return cvk_graph_link(graph);
}
