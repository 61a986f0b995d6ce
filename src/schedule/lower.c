/* SPDX-License-Identifier: Apache-2.0
 *
 * ONNX operators into the forms for which kernels are written (the second part of graph/ops.def,
 * and the first-part operators with their attribute-like inputs dropped). An operator on types that
 * have no kernel stays as it is and runs as its reference.
 */
#include <math.h>
#include <string.h>

#include "graph/resample.h"
#include "schedule/lowering.h"

/* A copy of `node` as another kind with zeroed params of `bytes` bytes and its first n_in inputs.
 */
static cvk_status become(cvk_graph *graph, const cvk_node *node, cvk_op_kind op, size_t bytes,
                         int n_in, cvk_node **made)
{
    CVK_TRY(cvk_graph_add_node(graph, op, node->name, node->in, n_in, node->out, node->n_out, bytes,
                               made));
    (*made)->members = node->members ? node->members : node->name;
    return CVK_OK;
}

static cvk_status become_alias(cvk_graph *graph, const cvk_node *node)
{
    cvk_node *made;
    return become(graph, node, CVK_OP_Reshape, sizeof(cvk_reshape_params), 1, &made);
}

static cvk_status lower_unary(cvk_graph *graph, const cvk_node *node, cvk_act act)
{
    cvk_node *made;
    CVK_TRY(become(graph, node, CVK_OP_Unary, sizeof(cvk_unary_params), 1, &made));
    ((cvk_unary_params *)made->params)->act = act;
    return CVK_OK;
}

/* Clip: bounds are attributes or constant scalars; computed bounds stay with the reference. */
static cvk_status lower_clip(cvk_graph *graph, const cvk_node *node)
{
    cvk_act act = ((const cvk_unary_params *)node->params)->act;
    for (int i = 1; i < node->n_in; i++) {
        if (node->in[i] < 0) continue;
        if (!cvk_is_const(graph, node->in[i])) return cvk_nodes_keep(graph, node);
        cvk_view bound = cvk_graph_view(graph, node->in[i]);
        *(i == 1 ? &act.a : &act.b) = (float)cvk_view_get(&bound, 0);
    }
    act.kind = CVK_ACT_CLIP;
    return lower_unary(graph, node, act);
}

/* One Binary of `a` and `b`, both brought to the output's rank. */
static cvk_status emit_binary(cvk_graph *graph, const cvk_node *node, cvk_binary_kind kind, int a,
                              int b, int out)
{
    int in[2] = {a, b};
    int rank = graph->values[out].shape.rank;
    for (int i = 0; i < 2; i++) CVK_TRY(cvk_lower_rank(graph, node, &in[i], rank));
    cvk_node *made;
    CVK_TRY(cvk_graph_add_node(graph, CVK_OP_Binary, node->name, in, 2, &out, 1,
                               sizeof(cvk_binary_params), &made));
    made->members = node->name;
    ((cvk_binary_params *)made->params)->kind = kind;
    return CVK_OK;
}

/* Add, Sub ...: two inputs; Sum, Min, Max: a chain over any number of them. */
static cvk_status lower_binary(cvk_graph *graph, const cvk_node *node, cvk_binary_kind kind)
{
    for (int i = 0; i < node->n_in; i++)
        if (graph->values[node->in[i]].dtype != CVK_F32) return cvk_nodes_keep(graph, node);
    if (node->n_in == 1) return become_alias(graph, node);
    int so_far = node->in[0];
    for (int i = 1; i < node->n_in; i++) {
        int out = node->out[0];
        if (i < node->n_in - 1) {
            CVK_TRY(cvk_graph_add_temp(graph, node->name, &out));
            cvk_value *value = &graph->values[out];
            value->dtype = CVK_F32;
            value->has_shape = true;
            if (!cvk_shape_broadcast(&graph->values[so_far].shape,
                                     &graph->values[node->in[i]].shape, &value->shape))
                return cvk_fail(CVK_SHAPE, "node '%s': shapes do not broadcast", node->name);
        }
        CVK_TRY(emit_binary(graph, node, kind, so_far, node->in[i], out));
        so_far = out;
    }
    return CVK_OK;
}

/* BatchNormalization with constant statistics: y = x scale / sqrt(var + eps) + (B - mean scale /
 * ...). */
static cvk_status lower_batch_norm(cvk_graph *graph, const cvk_node *node)
{
    for (int i = 1; i < 5; i++)
        if (!cvk_is_const(graph, node->in[i]) || graph->values[node->in[i]].dtype != CVK_F32)
            return cvk_nodes_keep(graph, node);
    const cvk_batch_normalization_params *params = node->params;
    cvk_shape shape = graph->values[node->in[1]].shape;
    int64_t c = cvk_shape_count(&shape);
    float *scale = cvk_arena_alloc(graph->arena, (size_t)c * sizeof *scale);
    float *shift = cvk_arena_alloc(graph->arena, (size_t)c * sizeof *shift);
    if (!scale || !shift) return CVK_NO_MEMORY;
    const float *gamma = graph->values[node->in[1]].data, *beta = graph->values[node->in[2]].data;
    const float *mean = graph->values[node->in[3]].data, *var = graph->values[node->in[4]].data;
    for (int64_t i = 0; i < c; i++) {
        double factor = (double)gamma[i] / sqrt((double)var[i] + (double)params->epsilon);
        scale[i] = (float)factor;
        shift[i] = (float)((double)beta[i] - (double)mean[i] * factor);
    }
    int in[3] = {node->in[0]};
    CVK_TRY(cvk_graph_add_constant(graph, node->name, CVK_F32, &shape, scale, &in[1]));
    CVK_TRY(cvk_graph_add_constant(graph, node->name, CVK_F32, &shape, shift, &in[2]));
    cvk_node *made;
    CVK_TRY(cvk_graph_add_node(graph, CVK_OP_Affine, node->name, in, 3, node->out, 1, 0, &made));
    made->members = node->name;
    return CVK_OK;
}

static cvk_status lower_pool(cvk_graph *graph, const cvk_node *node, cvk_pool_kind kind)
{
    if (node->n_out > 1 && node->out[1] >= 0) return cvk_nodes_keep(graph, node); /* indices */
    cvk_node *made;
    CVK_TRY(become(graph, node, CVK_OP_Pool, sizeof(cvk_pool_params), 1, &made));
    memcpy(made->params, node->params, sizeof(cvk_pool_params));
    ((cvk_pool_params *)made->params)->kind = kind;
    made->n_out = 1;
    return CVK_OK;
}

static cvk_status lower_global_pool(cvk_graph *graph, const cvk_node *node, cvk_pool_kind kind)
{
    cvk_node *made;
    CVK_TRY(become(graph, node, CVK_OP_GlobalPool, sizeof(cvk_global_pool_params), 1, &made));
    ((cvk_global_pool_params *)made->params)->kind = kind;
    return CVK_OK;
}

/* A reduction over exactly the spatial dimensions of an image is a global pool. */
static bool is_global_pool(const cvk_graph *graph, const cvk_node *node,
                           const cvk_reduce_params *params)
{
    const cvk_shape *shape = &graph->values[node->in[0]].shape;
    if (params->kind == CVK_REDUCE_SUM || shape->rank != 4 || params->n_axes != 2) return false;
    return (params->axes[0] == 2 && params->axes[1] == 3) ||
           (params->axes[0] == 3 && params->axes[1] == 2);
}

static cvk_status lower_reduce(cvk_graph *graph, const cvk_node *node, cvk_reduce_kind kind)
{
    cvk_reduce_params params = *(const cvk_reduce_params *)node->params;
    params.kind = kind;
    if (params.n_axes == 0) return become_alias(graph, node);
    if (!is_global_pool(graph, node, &params)) {
        cvk_node *made;
        CVK_TRY(become(graph, node, CVK_OP_Reduce, sizeof params, 1, &made));
        memcpy(made->params, &params, sizeof params);
        return CVK_OK;
    }
    cvk_pool_kind pool = kind == CVK_REDUCE_MAX ? CVK_POOL_MAX : CVK_POOL_AVERAGE;
    if (params.keepdims) return lower_global_pool(graph, node, pool);
    int pooled;
    CVK_TRY(cvk_graph_add_temp(graph, node->name, &pooled));
    cvk_value *value = &graph->values[pooled];
    value->dtype = CVK_F32;
    value->has_shape = true;
    value->shape = graph->values[node->in[0]].shape;
    value->shape.dims[2] = value->shape.dims[3] = 1;
    cvk_node first = *node, second = *node;
    first.out = &pooled;
    first.n_out = 1;
    second.in = &pooled;
    CVK_TRY(lower_global_pool(graph, &first, pool));
    return become_alias(graph, &second);
}

/* Keeps the operator with its data inputs only: the rest is in params. */
static cvk_status keep_first(cvk_graph *graph, const cvk_node *node, int n_in)
{
    cvk_node copy = *node;
    copy.n_in = node->n_in < n_in ? node->n_in : n_in;
    return cvk_nodes_keep(graph, &copy);
}

/* A Resize that changes nothing: not the shape alone, since a scale may leave a length as it is. */
static bool resize_is_identity(const cvk_graph *graph, const cvk_node *node)
{
    const cvk_shape *in = &graph->values[node->in[0]].shape;
    const cvk_shape *out = &graph->values[node->out[0]].shape;
    for (int d = 0; d < in->rank; d++)
        if (!cvk_resample_keeps(node->params, d, in->dims[d], out->dims[d])) return false;
    return true;
}

static cvk_status lower_resize(cvk_graph *graph, const cvk_node *node)
{
    if (resize_is_identity(graph, node)) return become_alias(graph, node);
    cvk_node *made;
    CVK_TRY(become(graph, node, CVK_OP_Resize, node->params_bytes, 1, &made));
    memcpy(made->params, node->params, node->params_bytes);
    return CVK_OK;
}

/* Operators whose kernels take float32 only; other types keep the reference. */
static cvk_status lower_f32(cvk_graph *graph, const cvk_node *node)
{
    switch (node->op) {
    case CVK_OP_Clip: return lower_clip(graph, node);
    case CVK_OP_Relu: return lower_unary(graph, node, (cvk_act){.kind = CVK_ACT_RELU});
    case CVK_OP_Sigmoid: return lower_unary(graph, node, (cvk_act){.kind = CVK_ACT_SIGMOID});
    case CVK_OP_Tanh: return lower_unary(graph, node, (cvk_act){.kind = CVK_ACT_TANH});
    case CVK_OP_Sqrt: return lower_unary(graph, node, (cvk_act){.kind = CVK_ACT_SQRT});
    case CVK_OP_Exp: return lower_unary(graph, node, (cvk_act){.kind = CVK_ACT_EXP});
    case CVK_OP_HardSwish: return lower_unary(graph, node, (cvk_act){.kind = CVK_ACT_HARD_SWISH});
    case CVK_OP_LeakyRelu:
    case CVK_OP_Elu:
    case CVK_OP_HardSigmoid:
        return lower_unary(graph, node, ((const cvk_unary_params *)node->params)->act);
    case CVK_OP_Add: return lower_binary(graph, node, CVK_BINARY_ADD);
    case CVK_OP_Sum: return lower_binary(graph, node, CVK_BINARY_ADD);
    case CVK_OP_Sub: return lower_binary(graph, node, CVK_BINARY_SUB);
    case CVK_OP_Mul: return lower_binary(graph, node, CVK_BINARY_MUL);
    case CVK_OP_Div: return lower_binary(graph, node, CVK_BINARY_DIV);
    case CVK_OP_Pow: return lower_binary(graph, node, CVK_BINARY_POW);
    case CVK_OP_Min: return lower_binary(graph, node, CVK_BINARY_MIN);
    case CVK_OP_Max: return lower_binary(graph, node, CVK_BINARY_MAX);
    case CVK_OP_PRelu: return lower_binary(graph, node, CVK_BINARY_PRELU);
    case CVK_OP_BatchNormalization: return lower_batch_norm(graph, node);
    case CVK_OP_MaxPool: return lower_pool(graph, node, CVK_POOL_MAX);
    case CVK_OP_AveragePool: return lower_pool(graph, node, CVK_POOL_AVERAGE);
    case CVK_OP_GlobalAveragePool: return lower_global_pool(graph, node, CVK_POOL_AVERAGE);
    case CVK_OP_GlobalMaxPool: return lower_global_pool(graph, node, CVK_POOL_MAX);
    case CVK_OP_ReduceMean: return lower_reduce(graph, node, CVK_REDUCE_MEAN);
    case CVK_OP_ReduceSum: return lower_reduce(graph, node, CVK_REDUCE_SUM);
    case CVK_OP_ReduceMax: return lower_reduce(graph, node, CVK_REDUCE_MAX);
    case CVK_OP_Pad: /* a computed value stays with the reference */
        if (node->n_in > 2 && node->in[2] >= 0 && !cvk_is_const(graph, node->in[2]))
            return cvk_nodes_keep(graph, node);
        return keep_first(graph, node, 1);
    case CVK_OP_Resize:
    case CVK_OP_Upsample: return lower_resize(graph, node);
    default: return cvk_nodes_keep(graph, node);
    }
}

static cvk_status lower_node(cvk_graph *graph, const cvk_node *node)
{
    const cvk_value *in = node->n_in && node->in[0] >= 0 ? &graph->values[node->in[0]] : NULL;
    if (!in) return cvk_nodes_keep(graph, node);
    switch (node->op) {
    case CVK_OP_Reshape:
    case CVK_OP_Flatten:
    case CVK_OP_Squeeze:
    case CVK_OP_Unsqueeze:
    case CVK_OP_Identity: return become_alias(graph, node);
    case CVK_OP_Dropout:
        if (node->n_in > 2 && node->in[2] >= 0 && !cvk_is_const(graph, node->in[2]))
            return cvk_fail(CVK_UNSUPPORTED,
                            "training_mode is known to a run only; Dropout is done for inference");
        return cvk_is_alias(node) ? become_alias(graph, node) : cvk_nodes_keep(graph, node);
    case CVK_OP_Cast:
        if (graph->values[node->out[0]].dtype == in->dtype) return become_alias(graph, node);
        return cvk_nodes_keep(graph, node);
    case CVK_OP_Slice:
    case CVK_OP_Split:
    case CVK_OP_Transpose:
    case CVK_OP_Expand:
    case CVK_OP_DepthToSpace:
    case CVK_OP_SpaceToDepth: return cvk_lower_copy(graph, node);
    default: break;
    }
    return in->dtype == CVK_F32 ? lower_f32(graph, node) : cvk_nodes_keep(graph, node);
}

/* Nodes that change nothing (Identity, Dropout, a Reshape to the same shape) are read through, so
 * that they neither hide a fusion nor force a layout; one that makes a graph output stays. */
static cvk_status bypass_identities(cvk_graph *graph)
{
    int *same = cvk_arena_alloc(graph->arena, ((size_t)graph->n_values + 1) * sizeof *same);
    if (!same) return CVK_NO_MEMORY;
    for (int i = 0; i < graph->n_values; i++) same[i] = i;
    for (int i = 0; i < graph->n_nodes; i++) {
        cvk_node *node = &graph->nodes[i];
        int *in = cvk_arena_copy(graph->arena, node->in, (size_t)node->n_in * sizeof *in);
        if (!in) return CVK_NO_MEMORY;
        for (int k = 0; k < node->n_in; k++)
            if (in[k] >= 0) in[k] = same[in[k]];
        node->in = in;
        if (!cvk_is_alias(node) || cvk_graph_is_output(graph, node->out[0])) continue;
        if (cvk_shape_equal(&graph->values[in[0]].shape, &graph->values[node->out[0]].shape))
            same[node->out[0]] = in[0];
    }
    return CVK_OK;
}

cvk_status cvk_pass_lower(cvk_graph *graph)
{
    int count;
    cvk_node *nodes = cvk_nodes_take(graph, &count);
    if (!nodes) return CVK_NO_MEMORY;
    for (int i = 0; i < count; i++) {
        if (!nodes[i].members) nodes[i].members = nodes[i].name;
        cvk_status status = lower_node(graph, &nodes[i]);
        if (status) return cvk_fail_at(status, "node '%s'", nodes[i].name);
    }
    CVK_TRY(bypass_identities(graph));
    return cvk_graph_prune(graph);
}
