/* SPDX-License-Identifier: Apache-2.0
 *
 * Operators that only move elements become strided copies.
 */
#include <string.h>

#include "ops/move.h"
#include "schedule/lowering.h"
#include "schedule/rewriting.h"

cvk_status cvk_lower_rank(cvk_graph *graph, const cvk_node *node, int *value, int rank)
{
    cvk_value old = graph->values[*value];
    if (old.shape.rank >= rank) return CVK_OK;
    cvk_shape shape = {.rank = rank};
    int lead = rank - old.shape.rank;
    for (int d = 0; d < rank; d++) shape.dims[d] = d < lead ? 1 : old.shape.dims[d - lead];
    int id;
    CVK_TRY(cvk_graph_add_temp_of(graph, old.name, old.dtype, &shape, &id));
    graph->values[id].data = old.data;
    if (!old.data) {
        cvk_node *alias;
        CVK_TRY(cvk_graph_add_node(graph, CVK_OP_Reshape, NULL, value, 1, &id, 1,
                                   sizeof(cvk_reshape_params), &alias));
        alias->members = node->name;
    }
    *value = id;
    return CVK_OK;
}

cvk_status cvk_lower_move(cvk_graph *graph, const cvk_node *node, int out,
                          const cvk_copy_params *params)
{
    const int64_t count = cvk_shape_count(&graph->values[node->in[0]].shape);
    const bool alias = cvk_copy_keeps_order(params, count);
    cvk_node *made;
    CVK_TRY(cvk_graph_add_node(graph, alias ? CVK_OP_Reshape : CVK_OP_Copy, node->name, node->in, 1,
                               &out, 1, alias ? sizeof(cvk_reshape_params) : sizeof *params,
                               &made));
    made->members = node->members ? node->members : node->name;
    if (!alias) memcpy(made->params, params, sizeof *params);
    return CVK_OK;
}

static cvk_status lower_slice(cvk_graph *graph, const cvk_node *node)
{
    const cvk_slice_params *slice = node->params;
    const cvk_shape *in = &graph->values[node->in[0]].shape;
    int64_t strides[CVK_MAX_RANK];
    cvk_shape_strides(in, strides);
    cvk_copy_params params = {.n = in->rank};
    for (int d = 0; d < in->rank; d++) {
        params.dims[d] = slice->length[d];
        params.strides[d] = strides[d] * slice->step[d];
        params.offset += strides[d] * slice->begin[d];
    }
    return cvk_lower_move(graph, node, node->out[0], &params);
}

static cvk_status lower_split(cvk_graph *graph, const cvk_node *node)
{
    const cvk_split_params *split = node->params;
    const cvk_shape in = graph->values[node->in[0]].shape;
    cvk_copy_params params = {.n = in.rank};
    memcpy(params.dims, in.dims, sizeof in.dims);
    cvk_shape_strides(&in, params.strides);
    for (int i = 0; i < node->n_out; i++) {
        params.dims[split->axis] = split->sizes[i];
        if (node->out[i] >= 0 && split->sizes[i] > 0)
            CVK_TRY(cvk_lower_move(graph, node, node->out[i], &params));
        params.offset += params.strides[split->axis] * split->sizes[i];
    }
    return CVK_OK;
}

static cvk_status lower_transpose(cvk_graph *graph, const cvk_node *node)
{
    const cvk_transpose_params *transpose = node->params;
    const cvk_shape *in = &graph->values[node->in[0]].shape;
    int64_t strides[CVK_MAX_RANK];
    cvk_shape_strides(in, strides);
    cvk_copy_params params = {.n = in->rank};
    for (int d = 0; d < in->rank; d++) {
        params.dims[d] = in->dims[transpose->perm[d]];
        params.strides[d] = strides[transpose->perm[d]];
    }
    return cvk_lower_move(graph, node, node->out[0], &params);
}

static cvk_status lower_expand(cvk_graph *graph, const cvk_node *node)
{
    const cvk_shape *in = &graph->values[node->in[0]].shape,
                    *out = &graph->values[node->out[0]].shape;
    cvk_copy_params params = {.n = out->rank};
    memcpy(params.dims, out->dims, sizeof out->dims);
    cvk_shape_broadcast_strides(in, out, params.strides);
    return cvk_lower_move(graph, node, node->out[0], &params);
}

/* A Tile of more repeated dimensions than a walk has stays as it is. */
static cvk_status lower_tile(cvk_graph *graph, const cvk_node *node)
{
    cvk_copy_params params;
    if (!cvk_walk_tiled(&graph->values[node->in[0]].shape, &graph->values[node->out[0]].shape,
                        &params))
        return cvk_nodes_keep(graph, node);
    return cvk_lower_move(graph, node, node->out[0], &params);
}

/* A view of the input as dims[n], walked in the order perm. */
static cvk_status emit_permuted(cvk_graph *graph, const cvk_node *node, int n, const int64_t *dims,
                                const int *perm)
{
    cvk_shape view = cvk_shape_make(n, dims);
    int64_t strides[CVK_MAX_RANK];
    cvk_shape_strides(&view, strides);
    cvk_copy_params params = {.n = n};
    for (int d = 0; d < n; d++) {
        params.dims[d] = dims[perm[d]];
        params.strides[d] = strides[perm[d]];
    }
    return cvk_lower_move(graph, node, node->out[0], &params);
}

/* DCR: (n, b, b, c / b^2, h, w) -> (n, c / b^2, h, b, w, b); CRD has the blocks after the channels.
 * SpaceToDepth is DCR backwards. Source: ONNX operators, DepthToSpace. */
static cvk_status lower_depth_space(cvk_graph *graph, const cvk_node *node)
{
    static const int dcr[] = {0, 3, 4, 1, 5, 2}, crd[] = {0, 1, 4, 2, 5, 3},
                     space[] = {0, 3, 5, 1, 2, 4};
    const cvk_depth_space_params *params = node->params;
    const int64_t *in = graph->values[node->in[0]].shape.dims, b = params->block;
    int64_t c = in[1] / (b * b);
    if (node->op == CVK_OP_SpaceToDepth) {
        int64_t dims[] = {in[0], in[1], in[2] / b, b, in[3] / b, b};
        return emit_permuted(graph, node, 6, dims, space);
    }
    int64_t dims_dcr[] = {in[0], b, b, c, in[2], in[3]},
            dims_crd[] = {in[0], c, b, b, in[2], in[3]};
    return emit_permuted(graph, node, 6, params->crd ? dims_crd : dims_dcr,
                         params->crd ? crd : dcr);
}

cvk_status cvk_lower_copy(cvk_graph *graph, const cvk_node *node)
{
    for (int i = 0; i < node->n_out; i++)
        if (node->out[i] >= 0 && cvk_shape_count(&graph->values[node->out[i]].shape) == 0)
            return cvk_nodes_keep(graph, node);
    switch (node->op) {
    case CVK_OP_Slice: return lower_slice(graph, node);
    case CVK_OP_Split: return lower_split(graph, node);
    case CVK_OP_Transpose: return lower_transpose(graph, node);
    case CVK_OP_Expand: return lower_expand(graph, node);
    case CVK_OP_Tile: return lower_tile(graph, node);
    default: return lower_depth_space(graph, node);
    }
}
