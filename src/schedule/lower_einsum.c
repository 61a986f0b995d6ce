/* SPDX-License-Identifier: Apache-2.0
 *
 * Einsum in terms of what has kernels. Two inputs: labels are of four sorts, by where they stand,
 *
 *     batch  both inputs and the output     rows     the first input and the output
 *     inner  both inputs only               columns  the second input and the output
 *
 * and (batch, rows, inner) x (batch, inner, columns) is a MatMul whose result is permuted into the
 * order of the output.
 */
#include <string.h>

#include "ops/move.h"
#include "schedule/lowering.h"

enum { BATCH, ROWS, COLUMNS, INNER, SORTS };

/* Labels in the order of the output, inner ones as they come. */
typedef struct sorted {
    int n[SORTS], label[SORTS][CVK_MAX_RANK];
    int64_t size[SORTS]; /* elements of all labels of a sort */
} sorted;

/* The dimension of input i that has the label; -1 if none has. */
static int dim_of(const cvk_einsum_params *p, int i, int label)
{
    for (int d = 0; d < p->n_dims[i]; d++)
        if (p->label[i][d] == label) return d;
    return -1;
}

/* Each input has each label once and in its whole length. */
static bool is_plain(const cvk_graph *graph, const cvk_node *node, const cvk_einsum_params *p)
{
    for (int i = 0; i < p->n_in; i++) {
        const cvk_shape *shape = &graph->values[node->in[i]].shape;
        for (int d = 0; d < p->n_dims[i]; d++)
            if (dim_of(p, i, p->label[i][d]) != d || shape->dims[d] != p->length[p->label[i][d]] ||
                shape->dims[d] == 0)
                return false;
    }
    return true;
}

/* False if a label is summed within one input. */
static bool sort_labels(const cvk_einsum_params *p, sorted *s)
{
    *s = (sorted){.size = {1, 1, 1, 1}};
    for (int k = 0; k < p->n_labels; k++) {
        bool first = dim_of(p, 0, k) >= 0, second = dim_of(p, 1, k) >= 0, kept = k < p->rank;
        int sort = first && second ? (kept ? BATCH : INNER) : first ? ROWS : COLUMNS;
        if ((!kept && sort != INNER) || s->n[sort] == CVK_MAX_RANK) return false;
        s->label[sort][s->n[sort]++] = k;
        s->size[sort] *= p->length[k];
    }
    return true;
}

/* A Copy of `in` to `out` as `walk` says; of a constant, at once. */
static cvk_status emit(cvk_graph *graph, const cvk_node *node, int in, int out,
                       const cvk_copy_params *walk)
{
    if (cvk_is_const(graph, in)) {
        cvk_view src = cvk_graph_view(graph, in), dst = cvk_graph_view(graph, out);
        dst.data = cvk_arena_alloc(graph->arena, cvk_view_bytes(&dst));
        if (!dst.data) return CVK_NO_MEMORY;
        cvk_move_strided(walk, &src, &dst);
        graph->values[out].data = dst.data;
        return CVK_OK;
    }
    cvk_node part = *node;
    part.in = &in;
    part.n_in = 1;
    return cvk_lower_move(graph, &part, out, walk);
}

/* Adds the dims of a sort of labels to the walk over a tensor with these strides by label. */
static void add_dims(const cvk_einsum_params *p, const sorted *s, int sort, const int64_t *strides,
                     cvk_copy_params *walk)
{
    for (int i = 0; i < s->n[sort]; i++) {
        walk->dims[walk->n] = p->length[s->label[sort][i]];
        walk->strides[walk->n++] = strides[s->label[sort][i]];
    }
}

/* Of two sorts as a matrix, or a batch of them. */
static cvk_shape matrix_shape(const sorted *s, int rows, int columns)
{
    if (!s->n[BATCH]) return (cvk_shape){.rank = 2, .dims = {s->size[rows], s->size[columns]}};
    return (cvk_shape){.rank = 3, .dims = {s->size[BATCH], s->size[rows], s->size[columns]}};
}

/* Input i as a matrix, or a batch of them; *made is its value. */
static cvk_status emit_matrix(cvk_graph *graph, const cvk_node *node, const sorted *s, int i,
                              int *made)
{
    const cvk_einsum_params *p = node->params;
    int64_t own[CVK_MAX_RANK], strides[CVK_EINSUM_LABELS] = {0};
    int rows = i == 0 ? ROWS : INNER, columns = i == 0 ? INNER : COLUMNS;
    cvk_shape_strides(&graph->values[node->in[i]].shape, own);
    for (int d = 0; d < p->n_dims[i]; d++) strides[p->label[i][d]] = own[d];
    cvk_copy_params walk = {0};
    add_dims(p, s, BATCH, strides, &walk);
    add_dims(p, s, rows, strides, &walk);
    add_dims(p, s, columns, strides, &walk);
    cvk_shape shape = matrix_shape(s, rows, columns);
    CVK_TRY(cvk_graph_add_temp_of(graph, node->name, CVK_F32, &shape, made));
    return emit(graph, node, node->in[i], *made, &walk);
}

/* The product, (batch, rows, columns) in memory, in the order of the output. */
static cvk_copy_params walk_product(const cvk_einsum_params *p, const sorted *s)
{
    static const int order[] = {COLUMNS, ROWS, BATCH}; /* innermost first */
    int64_t strides[CVK_EINSUM_LABELS] = {0}, pitch = 1;
    for (int k = 0; k < 3; k++)
        for (int i = s->n[order[k]] - 1; i >= 0; i--) {
            strides[s->label[order[k]][i]] = pitch;
            pitch *= p->length[s->label[order[k]][i]];
        }
    cvk_copy_params walk = {.n = p->rank};
    memcpy(walk.dims, p->length, (size_t)p->rank * sizeof *walk.dims);
    memcpy(walk.strides, strides, (size_t)p->rank * sizeof *walk.strides);
    return walk;
}

static cvk_status emit_product(cvk_graph *graph, const cvk_node *node, const sorted *s)
{
    int matrix[2], product = node->out[0];
    for (int i = 0; i < 2; i++) CVK_TRY(emit_matrix(graph, node, s, i, &matrix[i]));
    cvk_copy_params walk = walk_product(node->params, s);
    cvk_shape shape = matrix_shape(s, ROWS, COLUMNS), out = graph->values[product].shape;
    int64_t strides[CVK_MAX_RANK];
    cvk_shape_strides(&out, strides);
    bool as_is = cvk_shape_equal(&shape, &out) &&
                 memcmp(strides, walk.strides, (size_t)out.rank * sizeof *strides) == 0;
    if (!as_is) CVK_TRY(cvk_graph_add_temp_of(graph, node->name, CVK_F32, &shape, &product));
    cvk_node *made;
    CVK_TRY(cvk_graph_add_node(graph, CVK_OP_MatMul, node->name, matrix, 2, &product, 1, 0, &made));
    made->members = node->members ? node->members : node->name;
    return as_is ? CVK_OK : emit(graph, node, product, node->out[0], &walk);
}

/* All labels of the one input are the output's. */
static cvk_status emit_transposed(cvk_graph *graph, const cvk_node *node)
{
    const cvk_einsum_params *p = node->params;
    int64_t own[CVK_MAX_RANK];
    cvk_shape_strides(&graph->values[node->in[0]].shape, own);
    cvk_copy_params walk = {.n = p->rank};
    for (int k = 0; k < p->rank; k++) {
        walk.dims[k] = p->length[k];
        walk.strides[k] = own[dim_of(p, 0, k)];
    }
    return emit(graph, node, node->in[0], node->out[0], &walk);
}

cvk_status cvk_lower_einsum(cvk_graph *graph, const cvk_node *node)
{
    const cvk_einsum_params *p = node->params;
    sorted s;
    if (p->n_in > 2 || !is_plain(graph, node, p)) return cvk_nodes_keep(graph, node);
    if (p->n_in == 1)
        return p->n_labels == p->rank ? emit_transposed(graph, node) : cvk_nodes_keep(graph, node);
    if (!sort_labels(p, &s)) return cvk_nodes_keep(graph, node);
    return emit_product(graph, node, &s);
}
