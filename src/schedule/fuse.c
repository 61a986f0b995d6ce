/* SPDX-License-Identifier: Apache-2.0
 *
 * What follows a node becomes part of it: residual add, activation, PRelu, and last a pool, and
 * what stands before a convolution or a pool, a per-channel map and an activation; as far as the
 * kernel row that computes it accepts the longer node. The fused node stands where its last member
 * stood, so that a residual computed in between is there. A refusal is kept in the node's note.
 */
#include <string.h>

#include "schedule/passes.h"

typedef struct fuser {
    cvk_scheduler *s;
    int device;            /* of the node in hand, and the row that computes it: what follows */
    const cvk_kernel *row; /* must not cost it that row */
    int *readers;          /* by value: index of the only reader */
    char *gone;            /* by node: became part of another */
} fuser;

bool cvk_can_lead(const cvk_node *node)
{
    switch (node->op) {
    case CVK_OP_Conv:
    case CVK_OP_ConvTranspose:
    case CVK_OP_Gemm:
    case CVK_OP_MatMul:
    case CVK_OP_Binary:
    case CVK_OP_Affine:
    case CVK_OP_Pool:
    case CVK_OP_QConv:
    case CVK_OP_QMatMul:
    case CVK_OP_InstanceNormalization: return true;
    default: return false;
    }
}

/* A post's value as one more input, behind the operator's own: an absent bias keeps its slot. */
static cvk_status add_input(cvk_graph *graph, cvk_node *node, int value)
{
    int slots = cvk_op_get(node->op)->max_in;
    int own = node->n_in < slots ? slots : node->n_in;
    int *in = cvk_arena_alloc(graph->arena, ((size_t)own + 1) * sizeof *in);
    if (!in) return CVK_NO_MEMORY;
    for (int i = 0; i < own; i++) in[i] = i < node->n_in ? node->in[i] : -1;
    in[own] = value;
    node->in = in;
    node->n_in = own + 1;
    return CVK_OK;
}

/* A slope of one number, or one per channel of `shape`. */
static bool is_slope(const cvk_graph *graph, int value, const cvk_shape *shape)
{
    if (!cvk_is_const(graph, value) || graph->values[value].dtype != CVK_F32) return false;
    const cvk_shape *slope = &graph->values[value].shape;
    int64_t count = cvk_shape_count(slope);
    if (count == 1) return true;
    return shape->rank >= 2 && slope->rank == shape->rank && count == shape->dims[1] &&
           slope->dims[1] == count;
}

static void swap_terms(cvk_qbinary_params *qadd)
{
    cvk_qbinary_params p = *qadd;
    qadd->a_scale = p.b_scale;
    qadd->a_zp = p.b_zp;
    qadd->b_scale = p.a_scale;
    qadd->b_zp = p.a_zp;
}

/* A pool over a whole picture as a window of its size. */
static cvk_pool_params global_window(const cvk_global_pool_params *global, const cvk_shape *in)
{
    cvk_pool_params pool = {.kind = global->kind, .window.spatial = in->rank - 2};
    for (int d = 0; d < in->rank - 2; d++) {
        pool.window.kernel[d] = pool.window.stride[d] = in->dims[2 + d];
        pool.window.dilation[d] = 1;
    }
    return pool;
}

/* What `next`, the only reader of value `out`, would be as a post of `node`. kind 0: nothing. An
 * extra input that it needs comes in *input (else -1). */
static cvk_post post_of(const cvk_graph *graph, const cvk_node *next, int out, int *input)
{
    cvk_post post = {.name = next->name, .op = next->op, .input = -1};
    const cvk_shape *shape = &graph->values[out].shape;
    *input = -1;
    if (next->n_posts) return post;
    if (next->op == CVK_OP_Unary) {
        post.kind = CVK_POST_ACT;
        post.act = ((const cvk_unary_params *)next->params)->act;
    } else if (next->op == CVK_OP_Pool && next->n_out == 1 &&
               ((const cvk_pool_params *)next->params)->kind != CVK_POOL_LP) {
        post.kind = CVK_POST_POOL;
        post.pool = *(const cvk_pool_params *)next->params;
    } else if (next->op == CVK_OP_GlobalPool && shape->rank > 2 &&
               shape->rank - 2 <= CVK_MAX_SPATIAL) {
        post.kind = CVK_POST_POOL;
        post.pool = global_window(next->params, shape);
    } else if (next->op == CVK_OP_Binary) {
        cvk_binary_kind kind = ((const cvk_binary_params *)next->params)->kind;
        int other = next->in[0] == out ? next->in[1] : next->in[0];
        if (kind == CVK_BINARY_ADD && !cvk_is_const(graph, other) && other != out &&
            cvk_shape_equal(&graph->values[other].shape, shape)) {
            post.kind = CVK_POST_ADD;
            *input = other;
        } else if (kind == CVK_BINARY_PRELU && next->in[0] == out &&
                   is_slope(graph, other, shape)) {
            post.kind = CVK_POST_PRELU;
            *input = other;
        }
    } else if (next->op == CVK_OP_QBinary) {
        post.qadd = *(const cvk_qbinary_params *)next->params;
        int other = next->in[0] == out ? next->in[1] : next->in[0];
        bool is_add = post.qadd.kind == CVK_BINARY_ADD && other != out;
        if (is_add && !cvk_is_const(graph, other) &&
            cvk_shape_equal(&graph->values[other].shape, shape)) {
            post.kind = CVK_POST_QADD;
            *input = other;
        }
        if (next->in[1] == out) swap_terms(&post.qadd);
    }
    return post;
}

/* How people call what the post was in the model. */
static const char *post_label(cvk_arena *arena, const cvk_post *post)
{
    switch (post->kind) {
    case CVK_POST_ADD:
    case CVK_POST_QADD: return "Add";
    case CVK_POST_PRELU: return "PRelu";
    case CVK_POST_ACT: return cvk_act_name(post->act.kind);
    case CVK_POST_POOL: break;
    }
    const cvk_window *w = &post->pool.window;
    if (post->op == CVK_OP_GlobalPool)
        return post->pool.kind == CVK_POOL_MAX ? "GlobalMaxPool" : "GlobalAveragePool";
    if (w->spatial == 1)
        return cvk_arena_printf(arena, "%sPool %d/%d",
                                post->pool.kind == CVK_POOL_MAX ? "Max" : "Average",
                                (int)w->kernel[0], (int)w->stride[0]);
    return cvk_arena_printf(arena, "%sPool %dx%d/%d",
                            post->pool.kind == CVK_POOL_MAX ? "Max" : "Average", (int)w->kernel[0],
                            (int)w->kernel[1], (int)w->stride[0]);
}

/* Whether a pool that gives as much as it gets is better off in a step of its own, with the
 * activation that alone reads it: in the step before, which ends with the pool, it would save one
 * tensor's way out and back, and cost the activation's. */
static bool pools_with_act(const fuser *f, const cvk_node *pool)
{
    const cvk_graph *graph = f->s->graph;
    const int reader = f->readers[pool->out[0]];
    return pool->op == CVK_OP_Pool && reader >= 0 && graph->nodes[reader].op == CVK_OP_Unary &&
           cvk_shape_count(&graph->values[pool->in[0]].shape) <=
               cvk_shape_count(&graph->values[pool->out[0]].shape);
}

static unsigned fusion_of(cvk_post_kind kind)
{
    switch (kind) {
    case CVK_POST_ADD:
    case CVK_POST_QADD: return CVK_FUSE_ADD;
    case CVK_POST_PRELU:
    case CVK_POST_ACT: return CVK_FUSE_ACT;
    case CVK_POST_POOL: break;
    }
    return CVK_FUSE_POOL;
}

/* Tries to take the next node into `node` (a copy in hand); *took says whether, *at is its index.
 */
static cvk_status take_next(fuser *f, cvk_node *node, int *at, bool *took)
{
    cvk_graph *graph = f->s->graph;
    int out = node->out[0], reader = f->readers[out];
    *took = false;
    if (reader < 0 || f->gone[reader]) return CVK_OK;
    if (node->n_posts && node->posts[node->n_posts - 1].kind == CVK_POST_POOL) return CVK_OK;
    const cvk_node *next = &graph->nodes[reader];
    int input;
    cvk_post post = post_of(graph, next, out, &input);
    if (!post.kind || !(f->s->fusions & fusion_of(post.kind))) return CVK_OK;
    post.name = post_label(graph->arena, &post);
    if (!post.name) return CVK_NO_MEMORY;
    if (pools_with_act(f, next)) {
        node->note =
            cvk_arena_printf(graph->arena, "%s not fused: an activation follows it", post.name);
        return node->note ? CVK_OK : CVK_NO_MEMORY;
    }
    if (node->n_posts == CVK_MAX_POSTS) {
        node->note = cvk_arena_printf(graph->arena, "%s not fused: %d posts already", post.name,
                                      CVK_MAX_POSTS);
        return node->note ? CVK_OK : CVK_NO_MEMORY;
    }
    cvk_node longer = *node;
    if (input >= 0) {
        CVK_TRY(add_input(graph, &longer, input));
        post.input = longer.n_in - 1;
    }
    if (post.kind == CVK_POST_POOL) longer.conv_shape = graph->values[out].shape;
    longer.posts[longer.n_posts++] = post;
    longer.out = next->out;
    longer.n_out = 1;
    const char *why = NULL;
    if (!cvk_place_accepts(f->s, &longer, f->device, f->row, &why)) {
        node->note =
            cvk_arena_printf(graph->arena, "%s not fused: %s", post.name, why ? why : "no kernel");
        return node->note ? CVK_OK : CVK_NO_MEMORY;
    }
    longer.members = cvk_join_members(graph->arena, node, next);
    if (!longer.members) return CVK_NO_MEMORY;
    *node = longer;
    *at = reader;
    *took = true;
    return CVK_OK;
}

/* A map per channel that only node `index` reads, with at most an activation behind it; NULL if its
 * input is not made so, or it is of a kind that takes none. */
static cvk_node *map_before(const fuser *f, const cvk_node *node, int index)
{
    const cvk_graph *graph = f->s->graph;
    int producer = graph->values[node->in[0]].producer;
    if ((node->op != CVK_OP_Conv && node->op != CVK_OP_Pool) || producer < 0) return NULL;
    /* A fused node stands at its last member's place. */
    cvk_node *map = &graph->nodes[producer];
    if (f->gone[producer] || map->op != CVK_OP_Affine || f->readers[node->in[0]] != index)
        return NULL;
    if (map->n_posts > 1 || (map->n_posts && map->posts[0].kind != CVK_POST_ACT)) return NULL;
    for (int i = 1; i <= 2; i++) {
        const cvk_value *value = &graph->values[map->in[i]];
        if (!value->data || value->dtype != CVK_F32 || value->shape.rank != 1) return NULL;
    }
    return map;
}

/* Tries to take the map before the node (a copy in hand) into it. */
static cvk_status take_map(fuser *f, cvk_node *node, int index)
{
    cvk_graph *graph = f->s->graph;
    cvk_node *map = map_before(f, node, index);
    if (!map) return CVK_OK;
    cvk_node longer = *node;
    CVK_TRY(add_input(graph, &longer, map->in[1]));
    longer.pre.scale = longer.n_in - 1;
    CVK_TRY(add_input(graph, &longer, map->in[2]));
    longer.pre.shift = longer.n_in - 1;
    longer.pre.on = true;
    longer.in[0] = map->in[0];
    if (map->n_posts) longer.pre.act = map->posts[0].act;
    longer.pre.name = cvk_arena_printf(graph->arena, "Affine%s%s before", map->n_posts ? " + " : "",
                                       map->n_posts ? map->posts[0].name : "");
    longer.members = cvk_join_members(graph->arena, map, node);
    if (!longer.pre.name || !longer.members) return CVK_NO_MEMORY;
    const char *why = NULL;
    if (!cvk_place_accepts(f->s, &longer, f->device, f->row, &why)) {
        node->note = cvk_arena_printf(graph->arena, "%s not fused: %s", longer.pre.name, why);
        return node->note ? CVK_OK : CVK_NO_MEMORY;
    }
    f->gone[map - graph->nodes] = 1;
    *node = longer;
    return CVK_OK;
}

/* A product with one number per channel and picture (the gate of a squeeze-and-excite block) that only
 * node `index` reads; NULL if its input is not made so. *x and *gate are the factors' values. */
static cvk_node *gate_before(const fuser *f, const cvk_node *node, int index, int *x, int *gate)
{
    const cvk_graph *graph = f->s->graph;
    const int product = node->in[0], producer = graph->values[product].producer;
    if (node->op != CVK_OP_Conv || producer < 0 || f->readers[product] != index) return NULL;
    cvk_node *mul = &graph->nodes[producer];
    if (f->gone[producer] || mul->op != CVK_OP_Binary || mul->n_posts ||
        ((const cvk_binary_params *)mul->params)->kind != CVK_BINARY_MUL)
        return NULL;
    const cvk_shape *shape = &graph->values[product].shape;
    const int first = cvk_shape_equal(&graph->values[mul->in[0]].shape, shape) ? 0 : 1;
    *x = mul->in[first];
    *gate = mul->in[1 - first];
    if (cvk_is_const(graph, *x) || cvk_is_const(graph, *gate) || shape->rank != 4 ||
        graph->values[*x].dtype != CVK_F32 || !cvk_shape_equal(&graph->values[*x].shape, shape))
        return NULL;
    const cvk_shape each = {.rank = 4, .dims = {shape->dims[0], shape->dims[1], 1, 1}};
    return cvk_shape_equal(&graph->values[*gate].shape, &each) && !cvk_shape_equal(&each, shape)
               ? mul
               : NULL;
}

/* Tries to take the gate before the node (a copy in hand) into it. */
static cvk_status take_gate(fuser *f, cvk_node *node, int index)
{
    cvk_graph *graph = f->s->graph;
    int x, gate;
    cvk_node *mul = gate_before(f, node, index, &x, &gate);
    if (!mul) return CVK_OK;
    cvk_node longer = *node;
    CVK_TRY(add_input(graph, &longer, gate));
    longer.pre = (cvk_pre){.on = true, .gate = longer.n_in - 1, .name = "Mul before"};
    longer.in[0] = x;
    longer.members = cvk_join_members(graph->arena, mul, node);
    if (!longer.members) return CVK_NO_MEMORY;
    const char *why = NULL;
    if (!cvk_place_accepts(f->s, &longer, f->device, f->row, &why)) {
        node->note = cvk_arena_printf(graph->arena, "%s not fused: %s", longer.pre.name, why);
        return node->note ? CVK_OK : CVK_NO_MEMORY;
    }
    f->gone[mul - graph->nodes] = 1;
    *node = longer;
    return CVK_OK;
}

static bool can_follow(cvk_dtype dtype)
{
    return dtype == CVK_F32 || dtype == CVK_U8 || dtype == CVK_I8;
}

static cvk_status fuse_from(fuser *f, int index)
{
    cvk_graph *graph = f->s->graph;
    cvk_node node = graph->nodes[index];
    int at = index;
    CVK_TRY(cvk_place_node(f->s, &node, &f->device, &f->row, NULL));
    if (f->device == CVK_HOST) return CVK_OK;
    if (f->s->fusions & CVK_FUSE_MAP) CVK_TRY(take_map(f, &node, index));
    if (!node.pre.on && f->s->fusions & CVK_FUSE_GATE) CVK_TRY(take_gate(f, &node, index));
    for (bool took = true; took;) {
        int before = at;
        CVK_TRY(take_next(f, &node, &at, &took));
        if (took) f->gone[before] = 1;
    }
    f->gone[at] = 0;
    graph->nodes[at] = node; /* the last member's place */
    return CVK_OK;
}

cvk_status cvk_pass_fuse(cvk_scheduler *s)
{
    cvk_graph *graph = s->graph;
    fuser f = {.s = s, .readers = cvk_graph_readers(graph, graph->arena)};
    f.gone = cvk_arena_alloc(graph->arena, (size_t)graph->n_nodes + 1);
    if (!f.readers || !f.gone) return CVK_NO_MEMORY;
    for (int i = 0; i < graph->n_nodes; i++)
        if (!f.gone[i] && !graph->nodes[i].n_posts && cvk_can_lead(&graph->nodes[i]) &&
            graph->nodes[i].n_out == 1 && can_follow(graph->values[graph->nodes[i].out[0]].dtype))
            CVK_TRY(fuse_from(&f, i));
    int kept = 0;
    for (int i = 0; i < graph->n_nodes; i++)
        if (!f.gone[i]) graph->nodes[kept++] = graph->nodes[i];
    graph->n_nodes = kept;
    CVK_TRY(cvk_graph_prune(graph));
    return cvk_graph_link(graph);
}
