/* SPDX-License-Identifier: Apache-2.0
 *
 * Quantised models in the form DequantizeLinear -> operator -> [Relu | Clip] -> QuantizeLinear: each
 * such group becomes one operator on integers. A value that float nodes read as well keeps its
 * DequantizeLinear for them; what does not fit stays as it is written. Runs on ONNX operators,
 * before constants behind DequantizeLinear are folded to floats, which happens at its end.
 *
 *     x8 -> DQ \
 *     w8 -> DQ -> Conv -> Relu -> Q -> y8        x8, w8, b32 -> QConv, lo = zero point of y -> y8
 *     b32 -> DQ /
 */
#include "schedule/quantise.h"

#include "ops/quant.h"
#include "schedule/passes.h"

const cvk_node *cvk_quant_maker(const quantiser *q, int value, cvk_op_kind op)
{
    if (value < 0 || value >= q->n_values || q->maker[value] < 0 || q->uses[value] != 1)
        return NULL;
    const cvk_node *node = &q->nodes[q->maker[value]];
    return node->op == op ? node : NULL;
}

bool cvk_quant_single(const cvk_graph *graph, const cvk_node *node, float *scale, int32_t *zp)
{
    int zero = node->n_in > 2 ? node->in[2] : -1;
    if (!cvk_is_const(graph, node->in[1]) || (zero >= 0 && !cvk_is_const(graph, zero)))
        return false;
    const cvk_view s = cvk_graph_view(graph, node->in[1]), z = cvk_graph_view(graph, zero);
    if (s.dtype != CVK_F32 || !cvk_is_single(&s) || (zero >= 0 && !cvk_is_single(&z))) return false;
    *scale = (float)cvk_view_get(&s, 0);
    *zp = zero >= 0 ? (int32_t)cvk_view_get_int(&z, 0) : 0;
    return isnormal(*scale) && *scale > 0;
}

static bool is_8bit(const cvk_graph *graph, int id)
{
    return graph->values[id].dtype == CVK_U8 || graph->values[id].dtype == CVK_I8;
}

bool cvk_quant_read(const quantiser *q, int value, quant_tensor *tensor)
{
    if (value < 0 || value >= q->n_values || q->maker[value] < 0) return false;
    const cvk_node *dq = &q->nodes[q->maker[value]];
    if (dq->op != CVK_OP_DequantizeLinear || !is_8bit(q->graph, dq->in[0])) return false;
    *tensor = (quant_tensor){.id = dq->in[0], .dq = dq};
    return cvk_quant_single(q->graph, dq, &tensor->scale, &tensor->zp);
}

static const char *members_of(const cvk_node *node)
{
    return node->members ? node->members : node->name;
}

cvk_status cvk_quant_emit(quantiser *q, const quant_target *target, cvk_op_kind op, const int *in,
                          int n_in, const cvk_node *const *dq, int n_dq, cvk_node **made)
{
    cvk_arena *arena = q->graph->arena;
    const char *members = target->members;
    for (int i = n_dq - 1; i >= 0 && members; i--)
        if (dq[i] && q->uses[dq[i]->out[0]] == 1)
            members = cvk_arena_printf(arena, "%s,%s", members_of(dq[i]), members);
    if (!members) return CVK_NO_MEMORY;
    CVK_TRY(cvk_graph_add_node(q->graph, op, target->quantize->name, in, n_in,
                               target->quantize->out, 1, cvk_op_get(op)->params_bytes, made));
    (*made)->members = members;
    (*made)->within = target->within;
    return CVK_OK;
}

/* Quantised bounds of an activation. */
static void narrow(quant_target *t, const cvk_act *act)
{
    cvk_quant_range full = t->y;
    int32_t lo = act->kind == CVK_ACT_RELU ? t->y.zp : cvk_quant_round(act->a / t->scale, &full);
    int32_t hi = act->kind == CVK_ACT_RELU ? t->y.hi : cvk_quant_round(act->b / t->scale, &full);
    if (lo > t->y.lo) t->y.lo = lo;
    if (hi < t->y.hi) t->y.hi = hi;
    if (t->y.lo > t->y.hi) t->y.lo = t->y.hi;
}

/* Relu, or Clip with known bounds. */
static bool is_bound(const cvk_graph *graph, const cvk_node *node)
{
    if (node->op != CVK_OP_Relu && node->op != CVK_OP_Clip) return false;
    for (int i = 1; i < node->n_in; i++)
        if (node->in[i] >= 0 && !cvk_is_const(graph, node->in[i])) return false;
    return true;
}

static cvk_status add_member(cvk_arena *arena, quant_target *t, const cvk_node *node)
{
    t->members = cvk_arena_printf(arena, "%s,%s", members_of(node), t->members);
    return t->members ? CVK_OK : CVK_NO_MEMORY;
}

/* The target of a QuantizeLinear, back through activations to the node in front; *core = NULL if
 * there is none to look at. */
static cvk_status find_core(const quantiser *q, const cvk_node *quantize, quant_target *t,
                            const cvk_node **core)
{
    cvk_arena *arena = q->graph->arena;
    int value = quantize->in[0], bounds = 0;
    *core = NULL;
    *t = (quant_target){.quantize = quantize, .members = members_of(quantize)};
    int32_t zp;
    if (!is_8bit(q->graph, quantize->out[0]) ||
        !cvk_quant_single(q->graph, quantize, &t->scale, &zp))
        return CVK_OK;
    t->y = cvk_quant_full(q->graph->values[quantize->out[0]].dtype, zp);
    for (;;) {
        if (value >= q->n_values || q->maker[value] < 0 || q->uses[value] != 1) return CVK_OK;
        const cvk_node *node = &q->nodes[q->maker[value]];
        if (!is_bound(q->graph, node) || bounds++ > CVK_MAX_POSTS) {
            *core = node;
            return CVK_OK;
        }
        narrow(t, &((const cvk_unary_params *)node->params)->act);
        const char *name = cvk_op_kind_name(node->op);
        t->within = t->within ? cvk_arena_printf(arena, "%s, %s", name, t->within) : name;
        if (!t->within) return CVK_NO_MEMORY;
        CVK_TRY(add_member(arena, t, node));
        value = node->in[0];
    }
}

static cvk_status quantise_binary(quantiser *q, const cvk_node *core, const quant_target *t,
                                  bool *done)
{
    quant_tensor a, b;
    if (!cvk_quant_read(q, core->in[0], &a) || !cvk_quant_read(q, core->in[1], &b)) return CVK_OK;
    const cvk_node *dq[] = {a.dq, b.dq};
    const int in[] = {a.id, b.id};
    cvk_node *made;
    CVK_TRY(cvk_quant_emit(q, t, CVK_OP_QBinary, in, 2, dq, 2, &made));
    *(cvk_qbinary_params *)made->params =
        (cvk_qbinary_params){.kind = core->op == CVK_OP_Add ? CVK_BINARY_ADD : CVK_BINARY_MUL,
                             .a_scale = a.scale,
                             .b_scale = b.scale,
                             .y_scale = t->scale,
                             .a_zp = a.zp,
                             .b_zp = b.zp,
                             .y = t->y};
    *done = true;
    return CVK_OK;
}

/* The window of a global average: all of the image. False above three dimensions. */
static bool global_window(const cvk_shape *shape, cvk_pool_params *pool)
{
    *pool = (cvk_pool_params){.kind = CVK_POOL_AVERAGE, .window.spatial = shape->rank - 2};
    if (shape->rank < 3 || shape->rank - 2 > CVK_MAX_SPATIAL) return false;
    for (int d = 0; d < pool->window.spatial; d++) {
        pool->window.kernel[d] = shape->dims[2 + d];
        pool->window.stride[d] = pool->window.dilation[d] = 1;
    }
    return cvk_shape_span(shape, 2, shape->rank) > 0;
}

static cvk_status quantise_pool(quantiser *q, const cvk_node *core, const quant_target *t,
                                bool *done)
{
    quant_tensor x;
    cvk_pool_params pool;
    if (!cvk_quant_read(q, core->in[0], &x)) return CVK_OK;
    if (core->op == CVK_OP_AveragePool)
        pool = *(const cvk_pool_params *)core->params;
    else if (!global_window(&q->graph->values[core->in[0]].shape, &pool))
        return CVK_OK;
    cvk_node *made;
    CVK_TRY(cvk_quant_emit(q, t, CVK_OP_QPool, &x.id, 1, &x.dq, 1, &made));
    *(cvk_qpool_params *)made->params = (cvk_qpool_params){
        .pool = pool, .x_scale = x.scale, .y_scale = t->scale, .x_zp = x.zp, .y = t->y};
    *done = true;
    return CVK_OK;
}

static cvk_status quantise_node(quantiser *q, const cvk_node *quantize, bool *done)
{
    const cvk_node *core;
    quant_target target, moved;
    CVK_TRY(find_core(q, quantize, &target, &core));
    if (!target.y.dtype) return CVK_OK;
    moved = target;
    if (core) CVK_TRY(add_member(q->graph->arena, &target, core));
    switch (core ? core->op : CVK_OP_COUNT) {
    case CVK_OP_Conv:
    case CVK_OP_Gemm:
    case CVK_OP_MatMul: return cvk_quantise_product(q, core, &target, done);
    case CVK_OP_Add:
    case CVK_OP_Mul: return quantise_binary(q, core, &target, done);
    case CVK_OP_AveragePool:
    case CVK_OP_GlobalAveragePool: return quantise_pool(q, core, &target, done);
    default: return moved.within ? CVK_OK : cvk_quantise_move(q, &moved, done);
    }
}

static cvk_status open_quantiser(quantiser *q, cvk_graph *graph, int *count)
{
    size_t n = (size_t)graph->n_values + 1;
    *q = (quantiser){.graph = graph, .n_values = graph->n_values};
    q->maker = cvk_arena_alloc(graph->arena, n * sizeof *q->maker);
    q->uses = cvk_arena_alloc(graph->arena, n * sizeof *q->uses);
    if (!q->maker || !q->uses) return CVK_NO_MEMORY;
    cvk_graph_count_uses(graph, q->uses);
    for (int i = 0; i < graph->n_values; i++) q->maker[i] = -1;
    for (int i = 0; i < graph->n_nodes; i++)
        for (int k = 0; k < graph->nodes[i].n_out; k++)
            if (graph->nodes[i].out[k] >= 0) q->maker[graph->nodes[i].out[k]] = i;
    q->nodes = cvk_nodes_take(graph, count);
    return q->nodes ? CVK_OK : CVK_NO_MEMORY;
}

cvk_status cvk_pass_quantise(cvk_graph *graph)
{
    quantiser q;
    int count;
    CVK_TRY(open_quantiser(&q, graph, &count));
    for (int i = 0; i < count; i++) {
        bool done = false;
        if (q.nodes[i].op == CVK_OP_QuantizeLinear) CVK_TRY(quantise_node(&q, &q.nodes[i], &done));
        if (!done) CVK_TRY(cvk_nodes_keep(graph, &q.nodes[i]));
    }
    CVK_TRY(cvk_graph_link(graph));
    CVK_TRY(cvk_graph_prune(graph));
    return cvk_graph_infer(graph, SIZE_MAX);
}
