/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies of copies: a Copy reads what the Reshapes and Copies before it read, where the two walks
 * are one, and writes the form that a Reshape after it wants. So the halves of a channel shuffle
 * (Reshape, Transpose, Reshape, Split) are two copies of planes, and a transposition and the one
 * that undoes it are nothing.
 */
#include <string.h>

#include "schedule/passes.h"
#include "schedule/rewriting.h"

/* A dimension of the first copy's walk: `place` elements of its output are between neighbours. */
typedef struct digit {
    int64_t length, stride, place;
    int64_t base, reach; /* where the second copy begins in it, and how far it goes from there */
} digit;

/* Two walks becoming one. */
typedef struct merger {
    int n;
    digit digits[CVK_MAX_RANK]; /* the fastest first */
    cvk_copy_params walk;
} merger;

static void read_digits(merger *m, const cvk_copy_params *first, int64_t offset)
{
    int64_t place = 1;
    for (int d = first->n - 1; d >= 0; d--) {
        if (first->dims[d] == 1) continue;
        m->digits[m->n++] = (digit){.length = first->dims[d],
                                    .stride = first->strides[d],
                                    .place = place,
                                    .base = offset / place % first->dims[d]};
        place *= first->dims[d];
    }
    m->walk.offset = first->offset;
    for (int k = 0; k < m->n; k++) m->walk.offset += m->digits[k].base * m->digits[k].stride;
}

/* The digit that steps of `stride` count in; NULL if they count in none alone. */
static digit *digit_of(merger *m, int64_t stride)
{
    for (int k = m->n - 1; k >= 0; k--)
        if (m->digits[k].place <= stride) return stride % m->digits[k].place ? NULL : &m->digits[k];
    return NULL;
}

/* Puts a dimension before all others of the merged walk, or into the one before which it comes. */
static bool put_first(cvk_copy_params *walk, int64_t length, int64_t stride)
{
    if (walk->n && walk->strides[0] * walk->dims[0] == stride) {
        walk->dims[0] *= length;
        return true;
    }
    if (walk->n == CVK_MAX_RANK) return false;
    memmove(walk->dims + 1, walk->dims, (size_t)walk->n * sizeof *walk->dims);
    memmove(walk->strides + 1, walk->strides, (size_t)walk->n * sizeof *walk->strides);
    walk->dims[0] = length;
    walk->strides[0] = stride;
    walk->n++;
    return true;
}

/* A dimension of the second walk, through one digit after the other, the fastest first. */
static bool merge_dim(merger *m, int64_t length, int64_t stride)
{
    if (stride == 0) return put_first(&m->walk, length, 0);
    while (length > 1) {
        digit *d = stride > 0 ? digit_of(m, stride) : NULL;
        if (!d) return false;
        const int64_t by = stride / d->place;
        int64_t run = length;
        if ((length - 1) * by >= d->length) {
            if (d->length % by || length % (d->length / by)) return false;
            run = d->length / by;
        }
        if (run > 1 && !put_first(&m->walk, run, by * d->stride)) return false;
        d->reach += (run - 1) * by;
        length /= run;
        if (run == 1 && length > 1 && by == d->length) return false; /* beyond the last digit */
        stride = d->place * d->length;
    }
    return true;
}

/* The walk of `second` over what `first` makes, as one over what it reads. */
static bool merge(const cvk_copy_params *first, const cvk_copy_params *second,
                  cvk_copy_params *merged)
{
    merger m = {0};
    if (second->offset < 0) return false;
    read_digits(&m, first, second->offset);
    for (int d = second->n - 1; d >= 0; d--)
        if (second->dims[d] > 1 && !merge_dim(&m, second->dims[d], second->strides[d]))
            return false;
    for (int k = 0; k < m.n; k++)
        if (m.digits[k].base + m.digits[k].reach >= m.digits[k].length) return false;
    *merged = m.walk;
    return true;
}

static bool is_copy(const cvk_node *node)
{
    return node->op == CVK_OP_Copy && !node->n_posts;
}

typedef struct rewriter {
    cvk_graph *graph;
    int *heir; /* by node: the first copy that reads past it, or -1 */
    bool changed;
} rewriter;

/* One node further up, unless the copy must read what it reads. */
static cvk_status climb(rewriter *r, int index, bool *climbed)
{
    cvk_graph *graph = r->graph;
    cvk_node *node = &graph->nodes[index];
    const int producer = graph->values[node->in[0]].producer;
    *climbed = false;
    if (producer < 0) return CVK_OK;
    const cvk_node *before = &graph->nodes[producer];
    cvk_copy_params *params = node->params, merged;
    if (is_copy(before)) {
        if (!merge(before->params, params, &merged)) return CVK_OK;
        *params = merged;
    } else if (!cvk_is_alias(before)) {
        return CVK_OK;
    }
    int *in = cvk_arena_copy(graph->arena, before->in, sizeof *in);
    if (!in) return CVK_NO_MEMORY;
    if (r->heir[producer] < 0) r->heir[producer] = index;
    node->in = in;
    *climbed = r->changed = true;
    return CVK_OK;
}

/* A copy of everything in order is another shape of the same. */
static cvk_status simplify(cvk_graph *graph, cvk_node *node)
{
    const cvk_copy_params *params = node->params;
    const int64_t count = cvk_shape_count(&graph->values[node->in[0]].shape);
    if (!cvk_copy_keeps_order(params, count)) return CVK_OK;
    node->params = cvk_arena_alloc(graph->arena, sizeof(cvk_reshape_params));
    node->params_bytes = sizeof(cvk_reshape_params);
    node->op = CVK_OP_Reshape;
    return node->params ? CVK_OK : CVK_NO_MEMORY;
}

/* Nodes that nobody reads any more leave their names to the first copy that reads past them. */
static cvk_status inherit(const rewriter *r)
{
    cvk_graph *graph = r->graph;
    int *uses = cvk_arena_alloc(graph->arena, (size_t)graph->n_values * sizeof *uses);
    if (!uses) return CVK_NO_MEMORY;
    cvk_graph_count_uses(graph, uses);
    for (int i = graph->n_nodes - 1; i >= 0; i--) {
        const cvk_node *node = &graph->nodes[i];
        if (r->heir[i] < 0 || uses[node->out[0]]) continue;
        for (int k = 0; k < node->n_in; k++)
            if (node->in[k] >= 0) uses[node->in[k]]--;
    }
    for (int i = 0; i < graph->n_nodes; i++) {
        const cvk_node *node = &graph->nodes[i];
        if (r->heir[i] < 0 || uses[node->out[0]]) continue;
        cvk_node *heir = &graph->nodes[r->heir[i]];
        heir->members = cvk_join_members(graph->arena, node, heir);
        if (!heir->members) return CVK_NO_MEMORY;
    }
    return CVK_OK;
}

/* Every Reshape of a copy's result that alone reads it goes: the copy writes that shape. */
static cvk_status drop_aliases(rewriter *r)
{
    cvk_graph *graph = r->graph;
    int count, *readers = cvk_graph_readers(graph, graph->arena);
    cvk_node *nodes = cvk_nodes_take(graph, &count);
    if (!nodes || !readers) return CVK_NO_MEMORY;
    for (int i = 0; i < count; i++) {
        cvk_node *node = &nodes[i];
        for (int reader; is_copy(node) && (reader = readers[node->out[0]]) >= 0;) {
            cvk_node *alias = &nodes[reader];
            if (!cvk_is_alias(alias) || alias->in[0] != node->out[0]) break;
            node->members = cvk_join_members(graph->arena, node, alias);
            node->out = cvk_arena_copy(graph->arena, alias->out, sizeof *node->out);
            if (!node->members || !node->out) return CVK_NO_MEMORY;
            alias->n_out = 0;
            r->changed = true;
        }
        if (node->n_out) CVK_TRY(cvk_nodes_keep(graph, node));
    }
    return CVK_OK;
}

cvk_status cvk_pass_copies(cvk_graph *graph)
{
    rewriter r = {.graph = graph};
    CVK_TRY(drop_aliases(&r));
    if (r.changed) CVK_TRY(cvk_graph_link(graph));
    r.heir = cvk_arena_alloc(graph->arena, ((size_t)graph->n_nodes + 1) * sizeof *r.heir);
    if (!r.heir) return CVK_NO_MEMORY;
    for (int i = 0; i < graph->n_nodes; i++) r.heir[i] = -1;
    for (int i = 0; i < graph->n_nodes; i++) {
        bool climbed = is_copy(&graph->nodes[i]);
        if (!climbed) continue;
        while (climbed) CVK_TRY(climb(&r, i, &climbed));
        CVK_TRY(simplify(graph, &graph->nodes[i]));
    }
    if (!r.changed) return CVK_OK;
    CVK_TRY(inherit(&r));
    CVK_TRY(cvk_graph_prune(graph));
    return cvk_graph_link(graph);
}
