/* SPDX-License-Identifier: Apache-2.0
 *
 * Activations that a model spells out become one Unary each. All are products of x, a gate that is
 * a function of x, and constants, in any order, whether multiplied or divided:
 *   x sigmoid(a x)                                         ->  SWISH
 *   x hard_sigmoid(x; 1/6, 1/2),  x clip(x + 3, 0, 6) / 6  ->  HARD_SWISH
 *   x tanh(softplus(x))                                    ->  MISH
 *   x (1 + erf(x / sqrt 2)) / 2                            ->  GELU
 *   x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2      ->  GELU_TANH
 * A product with another constant is the activation and then a Unary LINEAR.
 */
#include <math.h>

#include "schedule/rewriting.h"

enum { MAX_SEEN = 16, MAX_DEPTH = 4 };

/* Constants are float32: as near as they come. */
static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-6 * fabs(b);
}

/* value is f(x), and act(x) = scale x f(x). */
typedef struct gate {
    int value, x;
    cvk_act act;
    double scale;
} gate;

/* The graph, and the nodes of the pattern in hand. */
typedef struct match {
    const cvk_graph *graph;
    const cvk_node *seen[MAX_SEEN];
    int n_seen;
} match;

static void see(match *m, const cvk_node *node)
{
    for (int i = 0; i < m->n_seen; i++)
        if (m->seen[i] == node) return;
    if (m->n_seen < MAX_SEEN) m->seen[m->n_seen++] = node;
}

static const cvk_node *binary_of(const cvk_graph *graph, int value, cvk_binary_kind kind)
{
    const cvk_node *node = cvk_producer_of(graph, value, CVK_OP_Binary);
    return node && ((const cvk_binary_params *)node->params)->kind == kind ? node : NULL;
}

static const cvk_act *act_of(const cvk_graph *graph, int value, const cvk_node **made)
{
    *made = cvk_producer_of(graph, value, CVK_OP_Unary);
    return *made ? &((const cvk_unary_params *)(*made)->params)->act : NULL;
}

/* The operand besides a constant number *c; -1 if `value` is not made so. */
static int with_constant(match *m, int value, cvk_binary_kind kind, double *c)
{
    const cvk_node *node = binary_of(m->graph, value, kind);
    for (int i = kind == CVK_BINARY_DIV || kind == CVK_BINARY_POW; node && i < 2; i++) {
        if (!cvk_const_scalar(m->graph, node->in[i], c)) continue;
        see(m, node);
        return node->in[1 - i];
    }
    return -1;
}

/* What `value` is a multiple of, and how much of it. */
static int scaled(match *m, int value, double *k)
{
    int x = with_constant(m, value, CVK_BINARY_MUL, k);
    if (x >= 0) return x;
    x = with_constant(m, value, CVK_BINARY_DIV, k);
    *k = x >= 0 ? 1 / *k : 1;
    return x >= 0 ? x : value;
}

/* How often x and the gate come in a product, and what it is times those. */
typedef struct product {
    int xs, gates;
    double k;
    bool other;
} product;

static void multiply(match *m, int value, int depth, const gate *g, product *p)
{
    double c;
    const cvk_node *node = NULL;
    if (value == g->value) {
        p->gates++;
    } else if (value == g->x) {
        p->xs++;
    } else if (cvk_const_scalar(m->graph, value, &c)) {
        p->k *= c;
    } else if (depth < MAX_DEPTH && (node = binary_of(m->graph, value, CVK_BINARY_MUL))) {
        multiply(m, node->in[0], depth + 1, g, p);
        multiply(m, node->in[1], depth + 1, g, p);
    } else if (depth < MAX_DEPTH && (node = binary_of(m->graph, value, CVK_BINARY_DIV)) &&
               cvk_const_scalar(m->graph, node->in[1], &c)) {
        multiply(m, node->in[0], depth + 1, g, p);
        p->k /= c;
    } else if (with_constant(m, value, CVK_BINARY_POW, &c) == g->x && (c == 2 || c == 3)) {
        p->xs += (int)c;
    } else {
        p->other = true;
    }
    if (node) see(m, node);
}

/* Whether `value` is x + 0.044715 x^3; x comes in *x. */
static bool is_cubic(match *m, int value, int *x)
{
    const cvk_node *sum = binary_of(m->graph, value, CVK_BINARY_ADD);
    for (int i = 0; sum && i < 2; i++) {
        product p = {.k = 1};
        multiply(m, sum->in[1 - i], 0, &(gate){.value = -1, .x = sum->in[i]}, &p);
        if (p.other || p.xs != 3 || !near(p.k, (double)0.044715f)) continue;
        see(m, sum);
        *x = sum->in[i];
        return true;
    }
    return false;
}

/* `value` is 1 + erf(..) or 1 + tanh(..) of the right multiple of x. */
static bool read_gelu(match *m, int value, gate *g)
{
    const cvk_node *inner;
    double one, k;
    int value_of = with_constant(m, value, CVK_BINARY_ADD, &one);
    const cvk_act *act = value_of >= 0 ? act_of(m->graph, value_of, &inner) : NULL;
    if (!act || one != 1) return false;
    see(m, inner);
    g->scale = 0.5;
    g->x = scaled(m, inner->in[0], &k);
    if (act->kind == CVK_ACT_ERF && near(k, 0.70710678118654752)) {
        g->act.kind = CVK_ACT_GELU;
        return true;
    }
    g->act.kind = CVK_ACT_GELU_TANH;
    return act->kind == CVK_ACT_TANH && near(k, 0.79788456080286536) && is_cubic(m, g->x, &g->x);
}

/* deep: x is what the gate's input is a multiple of. */
static bool read_gate(match *m, int value, bool deep, gate *g)
{
    const cvk_node *node, *inner;
    const cvk_act *act = act_of(m->graph, value, &node);
    double k = 1, three;
    m->n_seen = 0;
    *g = (gate){.value = value, .scale = 1};
    if (!act) return !deep && read_gelu(m, value, g);
    see(m, node);
    g->x = deep ? scaled(m, node->in[0], &k) : node->in[0];
    switch (act->kind) {
    case CVK_ACT_SIGMOID: g->act = (cvk_act){.kind = CVK_ACT_SWISH, .a = (float)k}; return true;
    case CVK_ACT_HARD_SIGMOID:
        g->act.kind = CVK_ACT_HARD_SWISH;
        return !deep && near(act->a, 1.0 / 6) && act->b == 0.5f;
    case CVK_ACT_CLIP:
        g->act.kind = CVK_ACT_HARD_SWISH;
        g->scale = 1.0 / 6;
        g->x = with_constant(m, node->in[0], CVK_BINARY_ADD, &three);
        return !deep && act->a == 0 && act->b == 6 && g->x >= 0 && three == 3;
    case CVK_ACT_TANH:
        act = act_of(m->graph, node->in[0], &inner);
        if (deep || !act || act->kind != CVK_ACT_SOFTPLUS) return false;
        see(m, inner);
        g->act.kind = CVK_ACT_MISH;
        g->x = inner->in[0];
        return true;
    default: return false;
    }
}

/* Whether `node` is x times the gate times its scale, and of x's type and shape; *times is what it
 * is beside that. */
static bool completes(match *m, const cvk_node *node, const gate *g, double *times)
{
    const cvk_value *x = &m->graph->values[g->x], *y = &m->graph->values[node->out[0]];
    product p = {.k = 1};
    multiply(m, node->out[0], 0, g, &p);
    *times = near(p.k, g->scale) ? 1 : p.k / g->scale;
    return !p.other && p.xs == 1 && p.gates == 1 && isfinite(*times) && *times != 0 &&
           x->dtype == CVK_F32 && !cvk_is_const(m->graph, g->x) &&
           cvk_shape_equal(&x->shape, &y->shape);
}

/* Looks for a gate among the factors of `value`; whole: *times is to be 1. */
static bool find(match *m, const cvk_node *root, int value, int depth, bool whole, gate *g,
                 double *times)
{
    for (int deep = 0; deep < 2; deep++)
        if (read_gate(m, value, deep, g) && completes(m, root, g, times) && (!whole || *times == 1))
            return true;
    if (depth == MAX_DEPTH) return false;
    const cvk_node *node = binary_of(m->graph, value, CVK_BINARY_MUL);
    if (node)
        return find(m, root, node->in[0], depth + 1, whole, g, times) ||
               find(m, root, node->in[1], depth + 1, whole, g, times);
    node = binary_of(m->graph, value, CVK_BINARY_DIV);
    return node && find(m, root, node->in[0], depth + 1, whole, g, times);
}

/* Node `index` is `times` act(x). The activation becomes a node of its own, at the end until the
 * graph is linked again. */
static cvk_status replace_multiple(cvk_graph *graph, int index, const gate *g, double times,
                                   const cvk_node *first)
{
    const cvk_value *x = &graph->values[g->x];
    const cvk_shape shape = x->shape;
    const char *name = graph->nodes[index].name;
    const cvk_act scale = {.kind = CVK_ACT_LINEAR, .a = (float)times};
    int value;
    CVK_TRY(cvk_graph_add_temp_of(graph, name, CVK_F32, &shape, &value));
    cvk_node *act;
    CVK_TRY(cvk_graph_add_node(graph, CVK_OP_Unary, name, &g->x, 1, &value, 1,
                               sizeof(cvk_unary_params), &act));
    ((cvk_unary_params *)act->params)->act = g->act;
    act->members = first->members;
    graph->values[value].producer = graph->n_nodes - 1;
    return cvk_replace_unary(graph, &graph->nodes[index], value, scale, NULL);
}

cvk_status cvk_rewrite_act(cvk_graph *graph, int index, bool whole)
{
    cvk_node *node = &graph->nodes[index];
    match m = {.graph = graph};
    gate g;
    double times;
    if (node->op != CVK_OP_Binary || graph->values[node->out[0]].dtype != CVK_F32) return CVK_OK;
    cvk_binary_kind kind = ((const cvk_binary_params *)node->params)->kind;
    if (kind != CVK_BINARY_MUL && kind != CVK_BINARY_DIV) return CVK_OK;
    if (!find(&m, node, node->out[0], 0, whole, &g, &times)) return CVK_OK;
    cvk_node first = {0};
    for (const cvk_node *next = graph->nodes; next < node; next++) { /* in the model's order */
        for (int i = 0; i < m.n_seen; i++) {
            if (m.seen[i] != next) continue;
            first.members = first.members   ? cvk_join_members(graph->arena, &first, next)
                            : next->members ? next->members
                                            : next->name;
            if (!first.members) return CVK_NO_MEMORY;
        }
    }
    if (times != 1) return replace_multiple(graph, index, &g, times, &first);
    return cvk_replace_unary(graph, node, g.x, g.act, &first);
}
