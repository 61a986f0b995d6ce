/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalisations into the forms that kernels are written for: LayerNormalization and
 * GroupNormalization into RowNormalization; MeanVarianceNormalization and LpNormalization into
 * reductions and element-wise operations.
 */
#include <float.h>
#include <math.h>

#include "schedule/lowering.h"

/* Adds a node of the given parts for `node`; its params are to be filled in. */
static cvk_status emit(cvk_graph *graph, const cvk_node *node, cvk_op_kind op, const int *in,
                       int n_in, int out, void **params)
{
    cvk_node *made;
    CVK_TRY(cvk_graph_add_node(graph, op, node->name, in, n_in, &out, 1,
                               cvk_op_get(op)->params_bytes, &made));
    made->members = node->members;
    *params = made->params;
    return CVK_OK;
}

/* *out = the reduction of `in` over `axes`, which stay with length 1. */
static cvk_status emit_reduce(cvk_graph *graph, const cvk_node *node, cvk_reduce_kind kind,
                              const cvk_axes_params *axes, int in, int *out)
{
    cvk_shape shape = graph->values[in].shape;
    void *params;
    for (int i = 0; i < axes->n_axes; i++) shape.dims[axes->axes[i]] = 1;
    CVK_TRY(cvk_graph_add_temp_of(graph, node->name, CVK_F32, &shape, out));
    CVK_TRY(emit(graph, node, CVK_OP_Reduce, &in, 1, *out, &params));
    cvk_reduce_params *reduce = params;
    *reduce = (cvk_reduce_params){
        .kind = kind, .n_axes = axes->n_axes, .keepdims = true, .noop_with_empty_axes = true};
    for (int i = 0; i < axes->n_axes; i++) reduce->axes[i] = axes->axes[i];
    return CVK_OK;
}

static cvk_status emit_unary(cvk_graph *graph, const cvk_node *node, cvk_act act, int in, int *out)
{
    cvk_shape shape = graph->values[in].shape;
    void *params;
    CVK_TRY(cvk_graph_add_temp_of(graph, node->name, CVK_F32, &shape, out));
    CVK_TRY(emit(graph, node, CVK_OP_Unary, &in, 1, *out, &params));
    ((cvk_unary_params *)params)->act = act;
    return CVK_OK;
}

static cvk_status emit_binary(cvk_graph *graph, const cvk_node *node, cvk_binary_kind kind, int a,
                              int b, int out)
{
    int in[2] = {a, b};
    void *params;
    CVK_TRY(emit(graph, node, CVK_OP_Binary, in, 2, out, &params));
    ((cvk_binary_params *)params)->kind = kind;
    return CVK_OK;
}

cvk_status cvk_lower_row_norm(cvk_graph *graph, const cvk_node *node)
{
    const cvk_row_normalization_params *params = node->params;
    for (int i = 1; i < node->n_in; i++)
        if (node->in[i] >= 0 && graph->values[node->in[i]].dtype != CVK_F32)
            return cvk_nodes_keep(graph, node);
    if (!params->inner) return cvk_nodes_keep(graph, node);
    cvk_node copy = *node;
    copy.op = CVK_OP_RowNormalization;
    return cvk_nodes_keep(graph, &copy);
}

/* The squares are summed of what is left when the mean is gone, so that no digits are lost. */
cvk_status cvk_lower_mean_var(cvk_graph *graph, const cvk_node *node)
{
    const cvk_axes_params *axes = node->params;
    cvk_shape shape = graph->values[node->in[0]].shape;
    int mean, centred, norm, deviation;
    double size = 1;
    for (int i = 0; i < axes->n_axes; i++) size *= (double)shape.dims[axes->axes[i]];
    cvk_act scale = {.kind = CVK_ACT_LINEAR, .a = (float)(1 / sqrt(size)), .b = 1e-9f};
    CVK_TRY(emit_reduce(graph, node, CVK_REDUCE_MEAN, axes, node->in[0], &mean));
    CVK_TRY(cvk_graph_add_temp_of(graph, node->name, CVK_F32, &shape, &centred));
    CVK_TRY(emit_binary(graph, node, CVK_BINARY_SUB, node->in[0], mean, centred));
    CVK_TRY(emit_reduce(graph, node, CVK_REDUCE_L2, axes, centred, &norm));
    CVK_TRY(emit_unary(graph, node, scale, norm, &deviation));
    return emit_binary(graph, node, CVK_BINARY_DIV, centred, deviation, node->out[0]);
}

/* Where the norm is 0, so is x: any divisor will do. */
cvk_status cvk_lower_lp_norm(cvk_graph *graph, const cvk_node *node)
{
    const cvk_lp_normalization_params *params = node->params;
    const cvk_axes_params axes = {.n_axes = 1, .axes = {params->axis}};
    const cvk_act positive = {.kind = CVK_ACT_CLIP, .a = FLT_MIN, .b = INFINITY};
    int norm, divisor;
    CVK_TRY(emit_reduce(graph, node, params->p == 1 ? CVK_REDUCE_L1 : CVK_REDUCE_L2, &axes,
                        node->in[0], &norm));
    CVK_TRY(emit_unary(graph, node, positive, norm, &divisor));
    return emit_binary(graph, node, CVK_BINARY_DIV, node->in[0], divisor, node->out[0]);
}
