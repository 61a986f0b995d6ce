/* SPDX-License-Identifier: Apache-2.0
 *
 * An average pool and a 1x1 convolution, nothing between them, change places where that is less
 * work: the one is linear along the picture, the other along the channels.
 *
 *     Conv -> AveragePool 2x2/2   becomes   AveragePool -> Conv: a quarter of the pixels convolved
 *     Conv -> GlobalAveragePool   becomes   GlobalAveragePool -> Conv: one pixel convolved
 *     AveragePool 3x3/1 -> Conv   becomes   Conv -> AveragePool: fewer channels pooled
 *
 * A bias comes through an average unharmed where the weights of every window sum to 1. They do not
 * where padding counts in the divisor, or a window has no pixel at all. There a convolution with a
 * bias stays in front of its pool, and one behind moves in front without its bias, which an Affine
 * adds behind the pool.
 *
 * What an order costs is the sum of
 *   - its multiply-adds: those of the convolution, and one for each tap of the pool;
 *   - its traffic: MACS_PER_BYTE for each byte that a step reads or writes.
 * The order of the model is thought to get all the fusing that there may be (a pool in the step of
 * the convolution before it), the other none, but that a pool takes an activation: the new one must
 * be cheaper even so, and no pair can be turned twice.
 */
#include "schedule/rewriting.h"

/* In the cycle in which it does 16 to 32 multiply-adds, a core moves about 12 bytes of a tensor
 * that goes out to the shared cache and comes back: the rates of kernels/cpu/conv_plan.c. */
enum { MACS_PER_BYTE = 2 };

/* Two nodes, the second of which alone reads the first. */
typedef struct pair {
    int first, second; /* indices */
    const cvk_node *conv, *pool;
    bool pool_first;        /* in the model */
    cvk_shape x, middle, y; /* what the first reads and makes, and what the second makes */
    cvk_shape other;        /* what stands between them in the other order */
    int bias;               /* the convolution's; -1: none, or zeros */
    bool apart;             /* the bias needs a node of its own behind the pool */
} pair;

typedef struct rewriter {
    cvk_graph *graph;
    int *readers, known; /* cvk_graph_readers; values from `known` on are this pass's own */
    bool changed;
} rewriter;

static bool is_bare_f32(const cvk_graph *graph, const cvk_node *node)
{
    return !node->n_posts && !node->pre.on && node->n_out == 1 &&
           graph->values[node->in[0]].dtype == CVK_F32;
}

/* 1x1, stride 1, no padding, constant weights. */
static bool is_pointwise(const cvk_graph *graph, const cvk_node *node)
{
    if (node->op != CVK_OP_Conv || !is_bare_f32(graph, node)) return false;
    if (!cvk_window_is_pointwise(&((const cvk_conv_params *)node->params)->window)) return false;
    for (int i = 1; i < node->n_in; i++)
        if (node->in[i] >= 0 &&
            (!cvk_is_const(graph, node->in[i]) || graph->values[node->in[i]].dtype != CVK_F32))
            return false;
    return true;
}

static bool is_average(const cvk_graph *graph, const cvk_node *node)
{
    if (node->op == CVK_OP_Pool)
        return ((const cvk_pool_params *)node->params)->kind == CVK_POOL_AVERAGE &&
               is_bare_f32(graph, node);
    return node->op == CVK_OP_GlobalPool &&
           ((const cvk_global_pool_params *)node->params)->kind == CVK_POOL_AVERAGE &&
           is_bare_f32(graph, node);
}

/* --- what a bias allows --- */

static int bias_of(const cvk_graph *graph, const cvk_node *conv)
{
    if (conv->n_in < 3 || conv->in[2] < 0) return -1;
    const cvk_view view = cvk_graph_view(graph, conv->in[2]);
    for (int64_t i = 0; i < cvk_view_count(&view); i++)
        if (((const float *)view.data)[i] != 0) return conv->in[2];
    return -1;
}

/* How many of a window's taps, the first of which is at `start`, lie below `end`. */
static int64_t taps_below(int64_t start, int64_t end, int64_t kernel, int64_t dilation)
{
    const int64_t count = end > start ? (end - start + dilation - 1) / dilation : 0;
    return count < kernel ? count : kernel;
}

/* Whether the weights of every window sum to 1. */
static bool keeps_constants(const cvk_node *pool, const cvk_shape *in, const cvk_shape *out)
{
    if (pool->op == CVK_OP_GlobalPool) return true;
    const cvk_pool_params *params = pool->params;
    const cvk_window *w = &params->window;
    for (int d = 0; d < w->spatial; d++) {
        const int64_t length = in->dims[2 + d], kernel = w->kernel[d], dilation = w->dilation[d];
        for (int64_t o = 0; o < out->dims[2 + d]; o++) {
            const int64_t start = o * w->stride[d] - w->pad_begin[d];
            const int64_t inside = taps_below(start, length, kernel, dilation) -
                                   taps_below(start, 0, kernel, dilation);
            const int64_t counted = taps_below(start, length + w->pad_end[d], kernel, dilation);
            if (inside < 1 || (params->count_include_pad && counted != inside)) return false;
        }
    }
    return true;
}

/* --- what the two orders cost --- */

static double count(const cvk_shape *shape)
{
    return (double)cvk_shape_count(shape);
}

static double conv_macs(const pair *p, const cvk_shape *out)
{
    const cvk_conv_params *params = p->conv->params;
    return count(out) * (double)p->x.dims[1] / (double)params->group;
}

static double pool_macs(const pair *p, const cvk_shape *in, const cvk_shape *out)
{
    if (p->pool->op == CVK_OP_GlobalPool) return count(in);
    const cvk_window *w = &((const cvk_pool_params *)p->pool->params)->window;
    double taps = 1;
    for (int d = 0; d < w->spatial; d++) taps *= (double)w->kernel[d];
    return count(out) * taps;
}

static double order_macs(const pair *p, bool pool_first, const cvk_shape *middle)
{
    return pool_first ? pool_macs(p, &p->x, middle) + conv_macs(p, &p->y)
                      : conv_macs(p, middle) + pool_macs(p, middle, &p->y);
}

/* The node that alone reads `value`; NULL if there is none. */
static const cvk_node *reader_of(const rewriter *r, int value)
{
    const int reader = value < r->known ? r->readers[value] : -1;
    return reader < 0 ? NULL : &r->graph->nodes[reader];
}

/* Whether a pool of `value` may be part of the step that makes it: it is a convolution's, or may be
 * part of one itself. What this pass made has one reader. */
static bool pools_in_step(const rewriter *r, int value)
{
    static const cvk_op_kind makers[] = {CVK_OP_Conv, CVK_OP_Unary, CVK_OP_Binary};
    if (value < r->known && !reader_of(r, value)) return false;
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++)
        if (cvk_producer_of(r->graph, value, makers[i])) return true;
    return false;
}

static bool is_cheaper(const rewriter *r, const pair *p)
{
    const int from = r->graph->nodes[p->first].in[0], to = r->graph->nodes[p->second].out[0];
    const cvk_node *next = reader_of(r, to);
    double model = count(&p->y), other = count(&p->x) + 2 * count(&p->other) + count(&p->y);
    if (p->pool_first && pools_in_step(r, from))
        other += count(&p->x); /* which would not have been written */
    else
        model += count(&p->x);
    if (p->pool_first) {
        model += 2 * count(&p->middle);
        if (p->apart || (next && next->op == CVK_OP_Binary)) other += 2 * count(&p->y);
    }
    const double rate = MACS_PER_BYTE * (double)sizeof(float);
    return order_macs(p, !p->pool_first, &p->other) + rate * other <
           order_macs(p, p->pool_first, &p->middle) + rate * model;
}

/* --- changing places --- */

/* Adds the bias between `from` and `to`. */
static cvk_status add_bias(cvk_graph *graph, const cvk_node *conv, int bias, int from, int to)
{
    const cvk_shape shape = graph->values[bias].shape;
    const int64_t n = cvk_shape_count(&shape);
    float *ones = cvk_arena_alloc(graph->arena, (size_t)n * sizeof *ones);
    int in[3] = {from, -1, bias};
    cvk_node *added;
    if (!ones) return CVK_NO_MEMORY;
    for (int64_t i = 0; i < n; i++) ones[i] = 1;
    CVK_TRY(cvk_graph_add_constant(graph, "ones", CVK_F32, &shape, ones, &in[1]));
    CVK_TRY(cvk_graph_add_node(graph, CVK_OP_Affine, conv->name, in, 3, &to, 1, 0, &added));
    added->members = conv->members;
    graph->values[to].producer = graph->n_nodes - 1;
    return CVK_OK;
}

/* `node` at `index`, reading and writing other values. */
static cvk_status put(cvk_graph *graph, int index, const cvk_node *node, int from, int to)
{
    cvk_node copy = *node;
    copy.in = cvk_arena_copy(graph->arena, node->in, (size_t)node->n_in * sizeof *copy.in);
    copy.out = cvk_arena_copy(graph->arena, &to, sizeof to);
    if (!copy.in || !copy.out) return CVK_NO_MEMORY;
    copy.in[0] = from;
    graph->nodes[index] = copy;
    graph->values[to].producer = index;
    return CVK_OK;
}

static cvk_status change_places(cvk_graph *graph, const pair *p)
{
    cvk_node conv = *p->conv, pool = *p->pool;
    const int from = graph->nodes[p->first].in[0], to = graph->nodes[p->second].out[0];
    int middle, pooled = to;
    CVK_TRY(
        cvk_graph_add_temp_of(graph, graph->nodes[p->second].name, CVK_F32, &p->other, &middle));
    if (p->apart) {
        CVK_TRY(cvk_graph_add_temp_of(graph, pool.name, CVK_F32, &p->y, &pooled));
        conv.n_in = 2;
    }
    pool.note = p->pool_first ? "moved behind the Conv: fewer channels"
                              : "moved before the Conv: fewer pixels to convolve";
    CVK_TRY(put(graph, p->first, p->pool_first ? &conv : &pool, from, middle));
    CVK_TRY(put(graph, p->second, p->pool_first ? &pool : &conv, middle, pooled));
    return p->apart ? add_bias(graph, &conv, p->bias, pooled, to) : CVK_OK;
}

/* The node at `index` and the one that makes its input, if they are such a pair. */
static bool find_pair(const rewriter *r, int index, pair *p)
{
    const cvk_graph *graph = r->graph;
    const cvk_node *second = &graph->nodes[index];
    if (!second->n_in || second->in[0] < 0 || reader_of(r, second->in[0]) != second) return false;
    const int first = graph->values[second->in[0]].producer;
    if (first < 0) return false;
    const bool pool_first = second->op == CVK_OP_Conv;
    *p = (pair){.first = first,
                .second = index,
                .conv = pool_first ? second : &graph->nodes[first],
                .pool = pool_first ? &graph->nodes[first] : second,
                .pool_first = pool_first};
    if (!is_pointwise(graph, p->conv) || !is_average(graph, p->pool)) return false;
    p->x = graph->values[graph->nodes[first].in[0]].shape;
    p->middle = graph->values[second->in[0]].shape;
    p->y = graph->values[second->out[0]].shape;
    p->other = pool_first ? p->x : p->y;
    p->other.dims[1] = pool_first ? p->y.dims[1] : p->x.dims[1];
    p->bias = bias_of(graph, p->conv);
    return true;
}

static cvk_status visit(rewriter *r, int index)
{
    pair p;
    if (!find_pair(r, index, &p)) return CVK_OK;
    if (p.bias >= 0)
        p.apart = p.pool_first ? !keeps_constants(p.pool, &p.x, &p.middle)
                               : !keeps_constants(p.pool, &p.middle, &p.y);
    if ((p.apart && !p.pool_first) || !is_cheaper(r, &p)) return CVK_OK;
    r->changed = true;
    return change_places(r->graph, &p);
}

cvk_status cvk_pass_commute(cvk_graph *graph)
{
    rewriter r = {.graph = graph,
                  .readers = cvk_graph_readers(graph, graph->arena),
                  .known = graph->n_values};
    if (!r.readers) return CVK_NO_MEMORY;
    const int count_before = graph->n_nodes;
    for (int i = 0; i < count_before; i++) CVK_TRY(visit(&r, i));
    return r.changed ? cvk_graph_link(graph) : CVK_OK;
}
