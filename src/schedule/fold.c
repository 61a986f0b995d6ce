/* SPDX-License-Identifier: Apache-2.0
 *
 * Folds what is linear and constant into weights: a per-channel affine map after a convolution or
 * Gemm (BatchNormalization, a bias added or a scale applied by a node of its own), and zero padding
 * before a convolution.
 */
#include <string.h>

#include "base/hash.h"
#include "schedule/passes.h"
#include "schedule/reuse.h"

/* y = x scale[c] + shift[c], read off an Affine node, or a Binary one with a constant that is one
 * number or one per channel. `x` is the node's data input. */
typedef struct affine {
    int x;
    int64_t c;
    double *scale, *shift;
} affine;

/* The constant's value for channel c; false if it varies over anything else than channels. */
static bool per_channel(const cvk_graph *graph, int id, int64_t c, double *values)
{
    cvk_view view = cvk_graph_view(graph, id);
    int64_t count = cvk_view_count(&view);
    if (view.dtype != CVK_F32 || (count != 1 && count != c)) return false;
    if (count == c && c > 1) {
        int axis = view.shape.rank == 1 ? 0 : 1;
        if (view.shape.rank < 1 || view.shape.dims[axis] != c) return false;
    }
    for (int64_t i = 0; i < c; i++) values[i] = cvk_view_get(&view, count == 1 ? 0 : i);
    return true;
}

static bool read_binary(const cvk_graph *graph, const cvk_node *node, affine *map)
{
    cvk_binary_kind kind = ((const cvk_binary_params *)node->params)->kind;
    int constant = cvk_is_const(graph, node->in[1]) ? 1 : 0;
    if (!cvk_is_const(graph, node->in[constant]) || cvk_is_const(graph, node->in[1 - constant]))
        return false;
    map->x = node->in[1 - constant];
    if (!cvk_shape_equal(&graph->values[map->x].shape, &graph->values[node->out[0]].shape))
        return false;
    if (!per_channel(graph, node->in[constant], map->c, map->shift)) return false;
    for (int64_t i = 0; i < map->c; i++) {
        double k = map->shift[i];
        switch (kind) {
        case CVK_BINARY_ADD: map->scale[i] = 1; break;
        case CVK_BINARY_SUB:
            map->scale[i] = constant ? 1 : -1;
            map->shift[i] = constant ? -k : k;
            break;
        case CVK_BINARY_MUL:
        case CVK_BINARY_DIV:
            if (kind == CVK_BINARY_DIV && (!constant || k == 0)) return false;
            map->scale[i] = kind == CVK_BINARY_MUL ? k : 1 / k;
            map->shift[i] = 0;
            break;
        default: return false;
        }
    }
    return true;
}

static bool read_affine(const cvk_graph *graph, const cvk_node *node, affine *map)
{
    if (node->op == CVK_OP_Binary) return read_binary(graph, node, map);
    map->x = node->in[0];
    return per_channel(graph, node->in[1], map->c, map->scale) &&
           per_channel(graph, node->in[2], map->c, map->shift);
}

/* Output channel of weight element i of the node. */
static int64_t weight_channel(const cvk_node *node, const cvk_shape *w, int64_t i)
{
    if (node->op == CVK_OP_Conv) return i / cvk_shape_span(w, 1, w->rank);
    if (node->op == CVK_OP_Gemm)
        return ((const cvk_gemm_params *)node->params)->trans_b ? i / w->dims[1] : i % w->dims[1];
    int64_t taps = cvk_shape_span(w, 2, w->rank); /* ConvTranspose: (ic, oc / group, k...) */
    int64_t group = ((const cvk_conv_params *)node->params)->group, icg = w->dims[0] / group;
    return i / (taps * w->dims[1]) / icg * w->dims[1] + i / taps % w->dims[1];
}

/* Whether `node` is one whose weights can take the map: constant float32 weights, bias constant or
 * absent, nothing fused behind it. */
static bool can_absorb(const cvk_graph *graph, const cvk_node *node)
{
    if (node->op != CVK_OP_Conv && node->op != CVK_OP_ConvTranspose && node->op != CVK_OP_Gemm)
        return false;
    if (node->n_posts || !cvk_is_const(graph, node->in[1]) ||
        graph->values[node->in[1]].dtype != CVK_F32)
        return false;
    if (node->n_in < 3 || node->in[2] < 0) return true;
    const cvk_value *bias = &graph->values[node->in[2]];
    if (!bias->data || bias->dtype != CVK_F32) return false;
    int64_t c = graph->values[node->out[0]].shape.dims[1];
    if (node->op != CVK_OP_Gemm) return true;
    const cvk_gemm_params *params = node->params;
    return params->beta == 1 && cvk_shape_count(&bias->shape) == c &&
           bias->shape.dims[bias->shape.rank - 1] == c;
}

static void scale_weights(const cvk_node *node, const cvk_value *weights, const affine *map,
                          float *to)
{
    const float *from = weights->data;
    int64_t count = cvk_shape_count(&weights->shape);
    for (int64_t i = 0; i < count; i++)
        to[i] = (float)(from[i] * map->scale[weight_channel(node, &weights->shape, i)]);
}

/* The node's weights times the map; what another plan of this model has made of them, if there is
 * one. NULL: no memory. */
static const float *folded_weights(const cvk_scheduler *s, const cvk_node *node, const affine *map)
{
    cvk_reuse *reuse = s->options->reuse;
    const cvk_value *weights = &s->graph->values[node->in[1]];
    const size_t bytes = cvk_graph_value_bytes(s->graph, node->in[1]);
    const int64_t facts[] = {node->op, map->c,
                             node->op == CVK_OP_Gemm
                                 ? ((const cvk_gemm_params *)node->params)->trans_b
                                 : ((const cvk_conv_params *)node->params)->group};
    uint64_t key[2] = CVK_HASH_START;
    if (s->options->draft) return weights->data; /* of no use to predictions */
    if (!cvk_reuse_knows(reuse, weights->data, bytes)) {
        float *w = cvk_arena_alloc(s->brief, bytes);
        if (w) scale_weights(node, weights, map, w);
        return w;
    }
    cvk_hash_bytes(key, facts, sizeof facts);
    cvk_hash_bytes(key, map->scale, (size_t)map->c * sizeof *map->scale);
    float *w = cvk_reuse_find(reuse, weights->data, key);
    if (w) return w;
    w = cvk_reuse_make(reuse, weights->data, key, bytes);
    if (w) scale_weights(node, weights, map, w);
    return w;
}

static cvk_status absorb(const cvk_scheduler *s, cvk_node *node, const cvk_node *map_node,
                         const affine *map)
{
    cvk_graph *graph = s->graph;
    cvk_arena *arena = graph->arena;
    const cvk_value weights = graph->values[node->in[1]];
    const float *w = folded_weights(s, node, map);
    float *b = cvk_arena_alloc(arena, (size_t)map->c * sizeof *b);
    int *in = cvk_arena_alloc(arena, 3 * sizeof *in);
    if (!w || !b || !in) return CVK_NO_MEMORY;
    const float *old = node->n_in > 2 && node->in[2] >= 0 ? graph->values[node->in[2]].data : NULL;
    for (int64_t i = 0; i < map->c; i++)
        b[i] = (float)((old ? old[i] : 0.0) * map->scale[i] + map->shift[i]);

    cvk_shape bias_shape = cvk_shape_make(1, &map->c);
    in[0] = node->in[0];
    CVK_TRY(cvk_graph_adopt_constant(graph, weights.name, CVK_F32, &weights.shape, w, &in[1]));
    CVK_TRY(cvk_graph_adopt_constant(graph, "bias", CVK_F32, &bias_shape, b, &in[2]));
    if (node->op == CVK_OP_Gemm) ((cvk_gemm_params *)node->params)->beta = 1;
    node->members = cvk_join_members(arena, node, map_node);
    node->in = in;
    node->n_in = 3;
    node->out = cvk_arena_copy(arena, map_node->out, sizeof *node->out);
    return node->members && node->out ? CVK_OK : CVK_NO_MEMORY;
}

/* If `node` is a foldable map behind a convolution or Gemm, folds it and sets *folded. */
static cvk_status fold_affine(const cvk_scheduler *s, cvk_node *node, const int *readers,
                              bool *folded)
{
    if (node->op != CVK_OP_Affine && node->op != CVK_OP_Binary) return CVK_OK;
    cvk_graph *graph = s->graph;
    const cvk_shape *shape = &graph->values[node->out[0]].shape;
    if (node->n_posts || shape->rank < 2 || graph->values[node->out[0]].dtype != CVK_F32)
        return CVK_OK;
    affine map = {.c = shape->dims[1]};
    map.scale = cvk_arena_alloc(graph->arena, (size_t)map.c * sizeof *map.scale);
    map.shift = cvk_arena_alloc(graph->arena, (size_t)map.c * sizeof *map.shift);
    if (!map.scale || !map.shift) return CVK_NO_MEMORY;
    if (!read_affine(graph, node, &map)) return CVK_OK;
    int producer = graph->values[map.x].producer;
    if (producer < 0 || readers[map.x] < 0 || !can_absorb(graph, &graph->nodes[producer]))
        return CVK_OK;
    CVK_TRY(absorb(s, &graph->nodes[producer], node, &map));
    graph->values[node->out[0]].producer = producer;
    *folded = true;
    return CVK_OK;
}

/* Pad with zeros over spatial dimensions only, in front of a convolution. */
static bool is_zero_pad(const cvk_graph *graph, const cvk_node *node)
{
    if (node->op != CVK_OP_Pad || graph->values[node->out[0]].dtype != CVK_F32) return false;
    const cvk_pad_params *pad = node->params;
    if (pad->mode != CVK_PAD_CONSTANT || pad->value != 0 || pad->n < 3) return false;
    for (int d = 0; d < pad->n; d++)
        if (pad->begin[d] < 0 || pad->end[d] < 0 || (d < 2 && (pad->begin[d] || pad->end[d])))
            return false;
    return true;
}

static cvk_status fold_pad(cvk_graph *graph, cvk_node *conv, bool *folded)
{
    if (conv->op != CVK_OP_Conv) return CVK_OK;
    int producer = graph->values[conv->in[0]].producer;
    if (producer < 0 || !is_zero_pad(graph, &graph->nodes[producer])) return CVK_OK;
    const cvk_node *pad_node = &graph->nodes[producer];
    const cvk_pad_params *pad = pad_node->params;
    cvk_conv_params *params = conv->params;
    for (int d = 2; d < pad->n; d++) {
        params->window.pad_begin[d - 2] += pad->begin[d];
        params->window.pad_end[d - 2] += pad->end[d];
    }
    params->window.auto_pad = CVK_PAD_EXPLICIT;
    int *in = cvk_arena_copy(graph->arena, conv->in, (size_t)conv->n_in * sizeof *in);
    if (!in) return CVK_NO_MEMORY;
    in[0] = pad_node->in[0];
    conv->in = in;
    conv->members = cvk_join_members(graph->arena, pad_node, conv);
    *folded = true;
    return conv->members ? CVK_OK : CVK_NO_MEMORY;
}

cvk_status cvk_pass_fold(cvk_scheduler *s)
{
    cvk_graph *graph = s->graph;
    int *readers = cvk_graph_readers(graph, graph->arena);
    if (!readers) return CVK_NO_MEMORY;
    int known = graph->n_values; /* readers ends there: values made here are never maps' inputs */
    int kept = 0;
    char *drop = cvk_arena_alloc(graph->arena, (size_t)graph->n_nodes + 1);
    if (!drop) return CVK_NO_MEMORY;
    for (int i = 0; i < graph->n_nodes; i++) {
        cvk_node *node = &graph->nodes[i];
        bool folded = false;
        if (node->n_in && node->in[0] < known) CVK_TRY(fold_affine(s, node, readers, &folded));
        drop[i] = folded;
        if (!folded) CVK_TRY(fold_pad(graph, node, &folded));
    }
    for (int i = 0; i < graph->n_nodes; i++)
        if (!drop[i]) graph->nodes[kept++] = graph->nodes[i];
    graph->n_nodes = kept;
    CVK_TRY(cvk_graph_prune(graph));
    return cvk_graph_link(graph);
}
