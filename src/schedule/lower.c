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

/* The node as another kind, with params of its own and its first input and output. */
static cvk_status become(cvk_graph *graph, const cvk_node *node, cvk_op_kind op, const void *params)
{
    cvk_node *made;
    size_t bytes = cvk_op_get(op)->params_bytes;
    CVK_TRY(cvk_graph_add_node(graph, op, node->name, node->in, 1, node->out, 1, bytes, &made));
    made->members = node->members ? node->members : node->name;
    memcpy(made->params, params, bytes);
    return CVK_OK;
}

static cvk_status become_alias(cvk_graph *graph, const cvk_node *node)
{
    return become(graph, node, CVK_OP_Reshape, &(cvk_reshape_params){0});
}

/* Inputs beyond the first `data` ones are constants, which infer has put into params. */
static bool rest_is_constant(const cvk_graph *graph, const cvk_node *node, int data)
{
    for (int i = data; i < node->n_in; i++)
        if (node->in[i] >= 0 && !cvk_is_const(graph, node->in[i])) return false;
    return true;
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

/* A value for what the chain has so far, broadcast with its next input. */
static cvk_status add_partial(cvk_graph *graph, const cvk_node *node, int so_far, int next, int *id)
{
    cvk_shape shape;
    if (!cvk_shape_broadcast(&graph->values[so_far].shape, &graph->values[next].shape, &shape))
        return cvk_fail(CVK_SHAPE, "node '%s': shapes do not broadcast", node->name);
    return cvk_graph_add_temp_of(graph, node->name, CVK_F32, &shape, id);
}

/* All inputs, from left to right, into `out`. */
static cvk_status emit_chain(cvk_graph *graph, const cvk_node *node, cvk_binary_kind kind, int out)
{
    int so_far = node->in[0];
    for (int i = 1; i < node->n_in; i++) {
        int next = out;
        if (i < node->n_in - 1) CVK_TRY(add_partial(graph, node, so_far, node->in[i], &next));
        CVK_TRY(emit_binary(graph, node, kind, so_far, node->in[i], next));
        so_far = next;
    }
    return CVK_OK;
}

static bool all_f32(const cvk_graph *graph, const cvk_node *node)
{
    for (int i = 0; i < node->n_in; i++)
        if (graph->values[node->in[i]].dtype != CVK_F32) return false;
    return true;
}

/* Two inputs of any type, or more of float32: a chain in another type would round in between. */
static cvk_status lower_binary(cvk_graph *graph, const cvk_node *node)
{
    if (node->n_in == 1) return become_alias(graph, node);
    if (node->n_in > 2 && !all_f32(graph, node)) return cvk_nodes_keep(graph, node);
    return emit_chain(graph, node, ((const cvk_binary_params *)node->params)->kind, node->out[0]);
}

/* Of the input and the number 1. */
static cvk_status lower_with_1(cvk_graph *graph, const cvk_node *node, cvk_binary_kind kind)
{
    uint64_t bits = 0; /* as wide as any element */
    cvk_view one = {.dtype = graph->values[node->in[0]].dtype, .data = &bits};
    int id;
    cvk_view_set(&one, 0, 1);
    CVK_TRY(cvk_graph_add_constant(graph, "one", one.dtype, &one.shape, &bits, &id));
    return emit_binary(graph, node, kind, node->in[0], id, node->out[0]);
}

/* The sum, then a product with 1 / n. */
static cvk_status lower_mean(cvk_graph *graph, const cvk_node *node)
{
    if (node->n_in == 1) return become_alias(graph, node);
    int sum;
    const cvk_shape *shape = &graph->values[node->out[0]].shape;
    CVK_TRY(cvk_graph_add_temp_of(graph, node->name, CVK_F32, shape, &sum));
    CVK_TRY(emit_chain(graph, node, CVK_BINARY_ADD, sum));
    cvk_node scaled = *node;
    scaled.in = &sum;
    cvk_unary_params params = {{.kind = CVK_ACT_LINEAR, .a = 1.0f / (float)node->n_in}};
    return become(graph, &scaled, CVK_OP_Unary, &params);
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

/* Output 1, if it is there, are the indices. */
static cvk_status lower_pool(cvk_graph *graph, const cvk_node *node)
{
    cvk_node *made;
    int n_out = node->n_out > 1 && node->out[1] >= 0 ? 2 : 1;
    CVK_TRY(cvk_graph_add_node(graph, CVK_OP_Pool, node->name, node->in, 1, node->out, n_out,
                               sizeof(cvk_pool_params), &made));
    made->members = node->members;
    memcpy(made->params, node->params, sizeof(cvk_pool_params));
    return CVK_OK;
}

/* A reduction over exactly the spatial dimensions of an image is a global pool. */
static bool is_global_pool(const cvk_graph *graph, const cvk_node *node,
                           const cvk_reduce_params *params)
{
    const cvk_shape *shape = &graph->values[node->in[0]].shape;
    bool pools = params->kind == CVK_REDUCE_MEAN || params->kind == CVK_REDUCE_MAX;
    if (!pools || shape->rank != 4 || params->n_axes != 2) return false;
    return (params->axes[0] == 2 && params->axes[1] == 3) ||
           (params->axes[0] == 3 && params->axes[1] == 2);
}

/* A reduction over no axes whose result for one element is that element. */
static bool reduces_nothing(const cvk_reduce_params *params)
{
    if (params->n_axes) return false;
    return params->kind <= CVK_REDUCE_PROD || params->kind == CVK_REDUCE_LOG_SUM_EXP;
}

static cvk_status lower_reduce(cvk_graph *graph, const cvk_node *node)
{
    const cvk_reduce_params *params = node->params;
    if (reduces_nothing(params)) return become_alias(graph, node);
    if (!is_global_pool(graph, node, params)) return become(graph, node, CVK_OP_Reduce, params);
    cvk_global_pool_params pool = {params->kind == CVK_REDUCE_MAX ? CVK_POOL_MAX
                                                                  : CVK_POOL_AVERAGE};
    if (params->keepdims) return become(graph, node, CVK_OP_GlobalPool, &pool);
    int pooled;
    cvk_shape shape = graph->values[node->in[0]].shape;
    shape.dims[2] = shape.dims[3] = 1;
    CVK_TRY(cvk_graph_add_temp_of(graph, node->name, CVK_F32, &shape, &pooled));
    cvk_node first = *node, second = *node;
    first.out = &pooled;
    second.in = &pooled;
    CVK_TRY(become(graph, &first, CVK_OP_GlobalPool, &pool));
    return become_alias(graph, &second);
}

/* Keeps the operator with its first `data` inputs, if the rest is in params. */
static cvk_status keep_data(cvk_graph *graph, const cvk_node *node, int data)
{
    cvk_node copy = *node;
    if (rest_is_constant(graph, node, data)) copy.n_in = data;
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
    if (!cvk_is_plain_resize(graph, node)) return cvk_lower_resample(graph, node);
    return become(graph, node, CVK_OP_Resize, node->params);
}

/* Keeps the node under the name that has kernels; its params are the same. */
static cvk_status rename_node(cvk_graph *graph, const cvk_node *node, cvk_op_kind op)
{
    cvk_node copy = *node;
    copy.op = op;
    return cvk_nodes_keep(graph, &copy);
}

/* Forms whose kernels take float32 only; other types keep the reference. */
static cvk_status lower_f32(cvk_graph *graph, const cvk_node *node, cvk_form_kind form)
{
    switch (form) {
    case CVK_FORM_UNARY:
        return rest_is_constant(graph, node, 1) ? become(graph, node, CVK_OP_Unary, node->params)
                                                : cvk_nodes_keep(graph, node);
    case CVK_FORM_DATA: return keep_data(graph, node, 1);
    case CVK_FORM_PAIR: return keep_data(graph, node, 2);
    case CVK_FORM_MEAN: return lower_mean(graph, node);
    case CVK_FORM_REDUCE: return lower_reduce(graph, node);
    case CVK_FORM_POOL: return lower_pool(graph, node);
    case CVK_FORM_GLOBAL_POOL: return become(graph, node, CVK_OP_GlobalPool, node->params);
    case CVK_FORM_RESIZE: return lower_resize(graph, node);
    case CVK_FORM_ROW_NORM: return cvk_lower_row_norm(graph, node);
    case CVK_FORM_MEAN_VAR: return cvk_lower_mean_var(graph, node);
    case CVK_FORM_LP_NORM: return cvk_lower_lp_norm(graph, node);
    case CVK_FORM_AFFINE: return lower_batch_norm(graph, node);
    case CVK_FORM_EINSUM: return cvk_lower_einsum(graph, node);
    default: return cvk_nodes_keep(graph, node);
    }
}

static cvk_status lower_node(cvk_graph *graph, const cvk_node *node)
{
    const cvk_value *in = node->n_in && node->in[0] >= 0 ? &graph->values[node->in[0]] : NULL;
    if (!in) return cvk_nodes_keep(graph, node);
    if (node->op == CVK_OP_Dropout && node->n_in > 2 && node->in[2] >= 0 &&
        !cvk_is_const(graph, node->in[2]))
        return cvk_fail(CVK_UNSUPPORTED,
                        "training_mode is known to a run only; Dropout is done for inference");
    if (cvk_is_alias(node)) return become_alias(graph, node);
    const cvk_form *form = &cvk_op_get(node->op)->form;
    if (form->kind == CVK_FORM_COPY) return cvk_lower_copy(graph, node);
    if (form->kind == CVK_FORM_SCATTER) return rename_node(graph, node, CVK_OP_ScatterElements);
    if (form->kind == CVK_FORM_QUANT) return cvk_lower_quant(graph, node, &form->quant);
    bool is_8bit = in->dtype == CVK_U8 || in->dtype == CVK_I8;
    if (form->kind == CVK_FORM_POOL && is_8bit) return lower_pool(graph, node);
    if (form->kind == CVK_FORM_CAST)
        return graph->values[node->out[0]].dtype == in->dtype
                   ? become_alias(graph, node)
                   : become(graph, node, CVK_OP_Cast, node->params);
    if (form->kind == CVK_FORM_WITH_1) return lower_with_1(graph, node, form->binary);
    if (form->kind == CVK_FORM_BINARY) return lower_binary(graph, node);
    return in->dtype == CVK_F32 ? lower_f32(graph, node, form->kind) : cvk_nodes_keep(graph, node);
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

/* Optional outputs behind the others that nobody reads: a Dropout's mask, a pool's indices. */
static void drop_unread(cvk_node *node, const int *uses)
{
    const cvk_op *op = cvk_op_get(node->op);
    if (op->max_out < 0) return; /* how many there are says how to split */
    while (node->n_out > op->min_out &&
           (node->out[node->n_out - 1] < 0 || !uses[node->out[node->n_out - 1]]))
        node->n_out--;
}

cvk_status cvk_pass_lower(cvk_graph *graph)
{
    int count, *uses = cvk_arena_alloc(graph->arena, ((size_t)graph->n_values + 1) * sizeof *uses);
    if (!uses) return CVK_NO_MEMORY;
    cvk_graph_count_uses(graph, uses);
    cvk_node *nodes = cvk_nodes_take(graph, &count);
    if (!nodes) return CVK_NO_MEMORY;
    for (int i = 0; i < count; i++) {
        drop_unread(&nodes[i], uses);
        if (!nodes[i].members) nodes[i].members = nodes[i].name;
        cvk_status status = lower_node(graph, &nodes[i]);
        if (status) return cvk_fail_at(status, "node '%s'", nodes[i].name);
    }
    CVK_TRY(bypass_identities(graph));
    return cvk_graph_prune(graph);
}
