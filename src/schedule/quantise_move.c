/* SPDX-License-Identifier: Apache-2.0
 *
 * Operators that only move elements, or pick the largest, between DequantizeLinear and
 * QuantizeLinear with one scale and zero point: they do the same to the integers. Any number of them
 * in a row, and over all inputs of a Concat. Pad and Resize stay in float32, for which there are
 * kernels.
 */
#include <string.h>

#include "ops/quant.h"
#include "schedule/passes.h"
#include "schedule/quantise.h"

enum { MAX_DEPTH = 16 }; /* operators in a row */

/* How the operator says what it does, so that it need not be named; what differs from it is named. */
static bool moves(const cvk_node *node)
{
    const cvk_form *form = &cvk_op_get(node->op)->form;
    if (cvk_is_alias(node) || form->kind == CVK_FORM_COPY || node->op == CVK_OP_Concat) return true;
    return node->op == CVK_OP_MaxPool && (node->n_out == 1 || node->out[1] < 0);
}

/* The inputs that hold data: one, but of a Concat. */
static int data_inputs(const cvk_node *node)
{
    return node->op == CVK_OP_Concat ? node->n_in : 1;
}

/* Whether `value` is made of integers with the target's scale and zero point by nothing but moves. */
static bool can_move(const quantiser *q, const quant_target *t, int value, int depth)
{
    quant_tensor x;
    if (cvk_quant_read(q, value, &x))
        return x.scale == t->scale && x.zp == t->y.zp && q->graph->values[x.id].dtype == t->y.dtype;
    if (value < 0 || value >= q->n_values || q->maker[value] < 0 || depth == MAX_DEPTH)
        return false;
    const cvk_node *node = &q->nodes[q->maker[value]];
    if (q->uses[value] != 1 || !moves(node)) return false;
    for (int i = 1; i < node->n_in; i++)
        if (node->op != CVK_OP_Concat && node->in[i] >= 0 && !cvk_is_const(q->graph, node->in[i]))
            return false;
    for (int i = 0; i < data_inputs(node); i++)
        if (!can_move(q, t, node->in[i], depth + 1)) return false;
    return true;
}

/* A value of the target's type for what was the float `like`. */
static cvk_status new_value(const quantiser *q, const quant_target *t, int like, int *id)
{
    const cvk_value *value = &q->graph->values[like];
    return cvk_graph_add_temp_of(q->graph, value->name, t->y.dtype, &value->shape, id);
}

/* The part of a Split that makes `value` as a Slice. */
static cvk_status slice_of(quantiser *q, const cvk_node *split, int value, int from, int to,
                           cvk_node **made)
{
    const cvk_split_params *params = split->params;
    int64_t start = 0;
    int k = 0;
    for (; split->out[k] != value; k++) start += params->sizes[k];
    CVK_TRY(cvk_graph_add_node(q->graph, CVK_OP_Slice, split->name, &from, 1, &to, 1,
                               sizeof(cvk_slice_params), made));
    *(cvk_slice_params *)(*made)->params = (cvk_slice_params){.from_attributes = true,
                                                              .n = 1,
                                                              .starts = {start},
                                                              .ends = {start + params->sizes[k]},
                                                              .axes = {params->axis},
                                                              .has_axes = true};
    return CVK_OK;
}

static cvk_status copy_of(quantiser *q, const cvk_node *node, const int *data, int to,
                          cvk_node **made)
{
    CVK_TRY(cvk_graph_add_node(q->graph, node->op, node->name, node->in, node->n_in, &to, 1,
                               node->params_bytes, made));
    if (node->params_bytes) memcpy((*made)->params, node->params, node->params_bytes);
    for (int i = 0; i < data_inputs(node); i++) (*made)->in[i] = data[i];
    return CVK_OK;
}

static cvk_status move_one(quantiser *q, const quant_target *t, const cvk_node *node, int value,
                           const int *data, int to)
{
    cvk_node *made;
    CVK_TRY(node->op == CVK_OP_Split ? slice_of(q, node, value, data[0], to, &made)
                                     : copy_of(q, node, data, to, &made));
    if (value != t->quantize->in[0]) return CVK_OK;
    made->members = cvk_arena_printf(q->graph->arena, "%s,%s", node->name, t->members);
    return made->members ? CVK_OK : CVK_NO_MEMORY;
}

/* Puts `value` into the integer value `to` (-1: one that is made or found, into *to). Depth is
 * bounded by can_move. */
static cvk_status move(quantiser *q, const quant_target *t, int value, int *to)
{
    quant_tensor x;
    cvk_node *alias;
    if (cvk_quant_read(q, value, &x)) {
        if (*to >= 0)
            return cvk_graph_add_node(q->graph, CVK_OP_Identity, t->quantize->name, &x.id, 1, to, 1,
                                      0, &alias);
        *to = x.id;
        return CVK_OK;
    }
    const cvk_node *node = &q->nodes[q->maker[value]];
    int count = data_inputs(node);
    int *data = cvk_arena_alloc(q->graph->arena, ((size_t)count + 1) * sizeof *data);
    if (!data) return CVK_NO_MEMORY;
    for (int i = 0; i < count; i++) {
        data[i] = -1;
        CVK_TRY(move(q, t, node->in[i], &data[i]));
    }
    if (*to < 0) CVK_TRY(new_value(q, t, value, to));
    return move_one(q, t, node, value, data, *to);
}

cvk_status cvk_quantise_move(quantiser *q, const quant_target *target, bool *done)
{
    int to = target->quantize->out[0];
    if (!can_move(q, target, target->quantize->in[0], 0)) return CVK_OK;
    *done = true;
    return move(q, target, target->quantize->in[0], &to);
}
