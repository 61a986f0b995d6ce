/* SPDX-License-Identifier: Apache-2.0
 *
 * A fused node's problem as one line: operator, inputs, parameters, what is fused, outputs. The
 * grammar is that of src/selftest/case.h where it has words for it.
 *     Conv | 1x64x56x56 c:64x64x3x3 c:64 1x64x56x56 | pads=[1,1,1,1] | Add:3 Relu | 1x64x56x56
 */
#include "ops/tell.h"
#include "schedule/tuned.h"

enum { TEXT = 2048 };

static void tell_value(const cvk_graph *graph, int id, char *text)
{
    char dims[CVK_SHAPE_TEXT];
    if (id < 0) {
        cvk_tell(text, TEXT, " -");
        return;
    }
    const cvk_value *value = &graph->values[id];
    cvk_tell(text, TEXT, " %s%s", value->data ? "c:" : "", cvk_shape_text(&value->shape, dims));
    if (value->dtype != CVK_F32) cvk_tell(text, TEXT, ":%s", cvk_dtype_name(value->dtype));
}

/* What stands before the operator in the same kernel. */
static void tell_pre(const cvk_pre *pre, char *text)
{
    if (!pre->on) return;
    if (pre->gate)
        cvk_tell(text, TEXT, " Mul:%d", pre->gate);
    else
        cvk_tell(text, TEXT, " Affine:%d:%d", pre->scale, pre->shift);
    if (pre->act.kind != CVK_ACT_NONE) cvk_tell_act(&pre->act, text, TEXT);
    cvk_tell(text, TEXT, " >");
}

static void tell_post(const cvk_post *post, char *text)
{
    const cvk_qbinary_params *qadd = &post->qadd;
    switch (post->kind) {
    case CVK_POST_ADD: cvk_tell(text, TEXT, " Add:%d", post->input); break;
    case CVK_POST_PRELU: cvk_tell(text, TEXT, " PRelu:%d", post->input); break;
    case CVK_POST_ACT: cvk_tell_act(&post->act, text, TEXT); break;
    case CVK_POST_POOL: cvk_tell_pool(&post->pool, text, TEXT); break;
    case CVK_POST_QADD:
        cvk_tell(text, TEXT, " QAdd:%d:%s:%.9g:%d:%.9g:%d:%.9g", post->input,
                 cvk_binary_name(qadd->kind), (double)qadd->a_scale, (int)qadd->a_zp,
                 (double)qadd->b_scale, (int)qadd->b_zp, (double)qadd->y_scale);
        cvk_tell_range(&qadd->y, text, TEXT);
        break;
    }
}

const char *cvk_problem_text(const cvk_graph *graph, const cvk_node *node)
{
    const cvk_op *op = cvk_op_get(node->op);
    char text[TEXT] = "";
    if (node->params && !op->tell) return NULL;
    cvk_tell(text, TEXT, "%s |", cvk_op_kind_name(node->op));
    for (int i = 0; i < node->n_in; i++) tell_value(graph, node->in[i], text);
    cvk_tell(text, TEXT, " |");
    if (node->params) op->tell(node->params, text, TEXT);
    cvk_tell(text, TEXT, " |");
    tell_pre(&node->pre, text);
    for (int p = 0; p < node->n_posts; p++) tell_post(&node->posts[p], text);
    cvk_tell(text, TEXT, " |");
    for (int i = 0; i < node->n_out; i++) tell_value(graph, node->out[i], text);
    return cvk_arena_string(graph->arena, text);
}
