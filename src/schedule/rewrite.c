/* SPDX-License-Identifier: Apache-2.0
 *
 * Small patterns, each into one node that says the same:
 *   QuantizeLinear, DequantizeLinear with one scale and zero point  ->  Unary QDQ
 *   x * Sigmoid(x) and the like (rewrite_act.c)                     ->  Unary SWISH ...
 *   MatMul by a constant matrix, + bias                             ->  Gemm on rows
 *   Conv whose one window is the whole picture, with many weights   ->  Gemm (a pass of its own)
 */
#include <string.h>

#include "schedule/rewriting.h"

static cvk_status rewrite_qdq(cvk_graph *graph, cvk_node *node)
{
    const cvk_node *quantize = cvk_producer_of(graph, node->in[0], CVK_OP_QuantizeLinear);
    if (node->op != CVK_OP_DequantizeLinear || !quantize) return CVK_OK;
    double scale, zero = 0, scale2, zero2 = 0;
    if (!cvk_const_scalar(graph, quantize->in[1], &scale) ||
        !cvk_const_scalar(graph, node->in[1], &scale2))
        return CVK_OK;
    bool zero_in = quantize->n_in > 2 && quantize->in[2] >= 0,
         zero_out = node->n_in > 2 && node->in[2] >= 0;
    if (zero_in && !cvk_const_scalar(graph, quantize->in[2], &zero)) return CVK_OK;
    if (zero_out && !cvk_const_scalar(graph, node->in[2], &zero2)) return CVK_OK;
    cvk_dtype type = graph->values[node->in[0]].dtype;
    if (scale != scale2 || zero != zero2 || (type != CVK_U8 && type != CVK_I8)) return CVK_OK;
    if (graph->values[quantize->in[0]].dtype != CVK_F32) return CVK_OK;
    cvk_act act = {.kind = CVK_ACT_QDQ, .a = (float)scale, .b = (float)zero};
    act.c = type == CVK_U8 ? 0.0f : -128.0f;
    act.d = type == CVK_U8 ? 255.0f : 127.0f;
    return cvk_replace_unary(graph, node, quantize->in[0], act, quantize);
}

static cvk_status new_value(cvk_graph *graph, const char *stem, int rank, const int64_t *dims,
                            int *id)
{
    const cvk_shape shape = cvk_shape_make(rank, dims);
    return cvk_graph_add_temp_of(graph, stem, CVK_F32, &shape, id);
}

static cvk_status add_alias(cvk_graph *graph, const cvk_node *node, int from, int to)
{
    cvk_node *alias;
    CVK_TRY(cvk_graph_add_node(graph, CVK_OP_Reshape, NULL, &from, 1, &to, 1,
                               sizeof(cvk_reshape_params), &alias));
    alias->members = node->members;
    return CVK_OK;
}

/* The Add of a constant row vector that alone reads MatMul's result; NULL if there is none. */
static const cvk_node *bias_after(const cvk_graph *graph, const cvk_node *nodes,
                                  const cvk_node *matmul, const int *readers, int *bias)
{
    int reader = readers[matmul->out[0]];
    if (reader < 0 || nodes[reader].op != CVK_OP_Binary) return NULL;
    const cvk_node *add = &nodes[reader];
    if (((const cvk_binary_params *)add->params)->kind != CVK_BINARY_ADD) return NULL;
    for (int i = 0; i < 2; i++) {
        if (!cvk_is_const(graph, add->in[i]) || add->in[1 - i] != matmul->out[0]) continue;
        const cvk_shape *shape = &graph->values[add->in[i]].shape,
                        *out = &graph->values[matmul->out[0]].shape;
        int64_t n = out->dims[out->rank - 1];
        if (cvk_shape_count(shape) != n || shape->dims[shape->rank - 1] != n) continue;
        if (!cvk_shape_equal(&graph->values[add->out[0]].shape, out)) continue;
        *bias = add->in[i];
        return add;
    }
    return NULL;
}

static bool is_row_matmul(const cvk_graph *graph, const cvk_node *node)
{
    if (node->op != CVK_OP_MatMul || !cvk_is_const(graph, node->in[1])) return false;
    const cvk_value *a = &graph->values[node->in[0]], *b = &graph->values[node->in[1]];
    return a->dtype == CVK_F32 && a->shape.rank >= 2 && b->shape.rank == 2 &&
           cvk_shape_count(&a->shape) > 0;
}

/* (.., m, k) x (k, n) + bias as Reshape, Gemm, Reshape: the reshapes move nothing. */
static cvk_status emit_row_gemm(cvk_graph *graph, const cvk_node *node, const cvk_node *add,
                                int bias)
{
    const cvk_shape a = graph->values[node->in[0]].shape, b = graph->values[node->in[1]].shape;
    int64_t rows = cvk_shape_span(&a, 0, a.rank - 1), in_dims[] = {rows, b.dims[0]},
            out_dims[] = {rows, b.dims[1]};
    int in[3] = {node->in[0], node->in[1]}, out = add ? add->out[0] : node->out[0], last = out,
        n_in = 2;
    if (a.rank > 2) {
        CVK_TRY(new_value(graph, node->name, 2, in_dims, &in[0]));
        CVK_TRY(add_alias(graph, node, node->in[0], in[0]));
        CVK_TRY(new_value(graph, node->name, 2, out_dims, &out));
    }
    if (add) {
        const float *data = graph->values[bias].data;
        cvk_shape shape = cvk_shape_make(1, &b.dims[1]);
        CVK_TRY(cvk_graph_add_constant(graph, "bias", CVK_F32, &shape, data, &in[n_in++]));
    }
    cvk_node *gemm;
    CVK_TRY(cvk_graph_add_node(graph, CVK_OP_Gemm, node->name, in, n_in, &out, 1,
                               sizeof(cvk_gemm_params), &gemm));
    gemm->members = add ? cvk_join_members(graph->arena, node, add) : node->members;
    *(cvk_gemm_params *)gemm->params = (cvk_gemm_params){.alpha = 1, .beta = 1};
    return a.rank > 2 ? add_alias(graph, node, out, last) : CVK_OK;
}

/* Below that, weights come from a cache, and a step less between layouts is worth more. */
enum { PICTURE_WEIGHTS = 256 * 1024 };

/* A convolution of one window without padding, which covers the picture: its weights, read once, are
 * all that counts, and a Gemm streams them. */
static bool is_picture_conv(const cvk_graph *graph, const cvk_node *node)
{
    if (node->op != CVK_OP_Conv || !cvk_is_const(graph, node->in[1])) return false;
    if (node->n_in > 2 && node->in[2] >= 0 && !cvk_is_const(graph, node->in[2])) return false;
    const cvk_value *x = &graph->values[node->in[0]], *w = &graph->values[node->in[1]];
    const cvk_conv_params *params = node->params;
    if (x->dtype != CVK_F32 || w->dtype != CVK_F32 || params->group != 1 ||
        cvk_shape_count(&w->shape) < PICTURE_WEIGHTS)
        return false;
    for (int d = 0; d < params->window.spatial; d++)
        if (params->window.kernel[d] != x->shape.dims[2 + d] || params->window.pad_begin[d] ||
            params->window.pad_end[d] || params->window.dilation[d] != 1)
            return false;
    return true;
}

/* (n, c, h, w) as (n, c h w), times the weights as rows, as (n, oc, 1, 1). */
static cvk_status emit_picture_gemm(cvk_graph *graph, const cvk_node *node)
{
    const cvk_shape x = graph->values[node->in[0]].shape, w = graph->values[node->in[1]].shape;
    const int64_t depth = cvk_shape_span(&w, 1, w.rank), in_dims[] = {x.dims[0], depth},
                  w_dims[] = {w.dims[0], depth}, out_dims[] = {x.dims[0], w.dims[0]};
    const bool bias = node->n_in > 2 && node->in[2] >= 0;
    int in[3] = {-1, -1, bias ? node->in[2] : -1}, out;
    CVK_TRY(new_value(graph, node->name, 2, in_dims, &in[0]));
    CVK_TRY(add_alias(graph, node, node->in[0], in[0]));
    CVK_TRY(new_value(graph, node->name, 2, w_dims, &in[1]));
    graph->values[in[1]].data = graph->values[node->in[1]].data;
    CVK_TRY(new_value(graph, node->name, 2, out_dims, &out));
    cvk_node *gemm;
    CVK_TRY(cvk_graph_add_node(graph, CVK_OP_Gemm, node->name, in, bias ? 3 : 2, &out, 1,
                               sizeof(cvk_gemm_params), &gemm));
    gemm->members = node->members;
    *(cvk_gemm_params *)gemm->params = (cvk_gemm_params){.alpha = 1, .beta = 1, .trans_b = true};
    return add_alias(graph, node, out, node->out[0]);
}

static cvk_status rewrite_matmuls(cvk_graph *graph)
{
    int count, *readers = cvk_graph_readers(graph, graph->arena);
    cvk_node *nodes = cvk_nodes_take(graph, &count);
    if (!nodes || !readers) return CVK_NO_MEMORY;
    char *done = cvk_arena_alloc(graph->arena, (size_t)count + 1);
    if (!done) return CVK_NO_MEMORY;
    for (int i = 0; i < count; i++) {
        int bias = -1;
        if (done[i]) continue;
        if (!is_row_matmul(graph, &nodes[i])) {
            CVK_TRY(cvk_nodes_keep(graph, &nodes[i]));
            continue;
        }
        const cvk_node *add = bias_after(graph, nodes, &nodes[i], readers, &bias);
        if (add) done[add - nodes] = 1;
        CVK_TRY(emit_row_gemm(graph, &nodes[i], add, bias));
    }
    return CVK_OK;
}

cvk_status cvk_pass_rewrite(cvk_graph *graph)
{
    const int count = graph->n_nodes;
    for (int i = 0; i < count; i++) {
        CVK_TRY(rewrite_qdq(graph, &graph->nodes[i]));
        CVK_TRY(cvk_rewrite_act(graph, i, true));
    }
    CVK_TRY(cvk_graph_prune(graph)); /* of a whole one, parts could pass for a multiple */
    const int left = graph->n_nodes;
    for (int i = 0; i < left; i++) CVK_TRY(cvk_rewrite_act(graph, i, false));
    CVK_TRY(cvk_graph_link(graph));
    CVK_TRY(cvk_rewrite_norms(graph));
    CVK_TRY(cvk_graph_prune(graph));
    CVK_TRY(rewrite_matmuls(graph));
    return cvk_graph_link(graph);
}

cvk_status cvk_pass_pictures(cvk_graph *graph)
{
    int count;
    cvk_node *nodes = cvk_nodes_take(graph, &count);
    if (!nodes) return CVK_NO_MEMORY;
    for (int i = 0; i < count; i++)
        CVK_TRY(is_picture_conv(graph, &nodes[i]) ? emit_picture_gemm(graph, &nodes[i])
                                                  : cvk_nodes_keep(graph, &nodes[i]));
    return cvk_graph_link(graph);
}
