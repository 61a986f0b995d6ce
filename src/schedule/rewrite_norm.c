/* SPDX-License-Identifier: Apache-2.0
 *
 * Layer normalisation as exporters write it before operator set 17, into one RowNormalization:
 *
 *     m = ReduceMean(x)     d = x - m     v = ReduceMean(d^2 or d d)
 *     y = d / Sqrt(v + epsilon)     [y gamma]     [+ beta]
 *
 * over the last dimensions. Each step finds what was found before it and takes it over: the nodes
 * that nobody reads any more are pruned.
 */
#include "schedule/rewriting.h"

static bool is_binary(const cvk_node *node, cvk_binary_kind kind)
{
    return node && node->op == CVK_OP_Binary && !node->n_posts &&
           ((const cvk_binary_params *)node->params)->kind == kind;
}

/* The operand of `node` beside `value`. */
static int other_than(const cvk_node *node, int value)
{
    return node->in[0] == value ? node->in[1] : node->in[0];
}

/* A mean of `value` over its last dimensions, at least the last, which stay with length 1; *axis is
 * the first of them. */
static bool is_row_mean(const cvk_graph *graph, int value, int *of, int64_t *axis)
{
    const cvk_node *node = cvk_producer_of(graph, value, CVK_OP_Reduce);
    if (!node) return false;
    const cvk_reduce_params *p = node->params;
    int rank = graph->values[node->in[0]].shape.rank;
    if (p->kind != CVK_REDUCE_MEAN || !p->keepdims || !p->n_axes) return false;
    for (int i = 0; i < p->n_axes; i++)
        if (p->axes[i] != rank - p->n_axes + i) return false;
    *of = node->in[0];
    *axis = rank - p->n_axes;
    return true;
}

/* The value whose square `value` is; -1: none. */
static int square_of(const cvk_graph *graph, int value)
{
    const cvk_node *node = cvk_producer_of(graph, value, CVK_OP_Binary);
    double power;
    if (is_binary(node, CVK_BINARY_MUL)) return node->in[0] == node->in[1] ? node->in[0] : -1;
    if (!is_binary(node, CVK_BINARY_POW)) return -1;
    return cvk_const_scalar(graph, node->in[1], &power) && power == 2 ? node->in[0] : -1;
}

/* v + epsilon, whose square root is value `root`: *v and *epsilon. */
static bool is_deviation(const cvk_graph *graph, int root, int *v, double *epsilon)
{
    const cvk_node *node = cvk_producer_of(graph, root, CVK_OP_Unary);
    if (!node || ((const cvk_unary_params *)node->params)->act.kind != CVK_ACT_SQRT) return false;
    const cvk_node *add = cvk_producer_of(graph, node->in[0], CVK_OP_Binary);
    if (!is_binary(add, CVK_BINARY_ADD)) return false;
    for (int i = 0; i < 2; i++) {
        *v = add->in[1 - i];
        if (cvk_const_scalar(graph, add->in[i], epsilon)) return *epsilon >= 0;
    }
    return false;
}

/* What a division d / sqrt(v + epsilon) normalises, and from which axis on; -1: nothing. */
static int normalised(const cvk_graph *graph, const cvk_node *div, int64_t *axis, double *epsilon)
{
    int v, x, of;
    int64_t again;
    if (!is_binary(div, CVK_BINARY_DIV) || !is_deviation(graph, div->in[1], &v, epsilon)) return -1;
    int centred = div->in[0];
    const cvk_node *sub = cvk_producer_of(graph, centred, CVK_OP_Binary);
    if (!is_binary(sub, CVK_BINARY_SUB)) return -1;
    if (!is_row_mean(graph, sub->in[1], &x, axis) || x != sub->in[0]) return -1;
    if (!is_row_mean(graph, v, &of, &again) || again != *axis) return -1;
    return square_of(graph, of) == centred ? x : -1;
}

/* Makes `node` a RowNormalization of n_in inputs. */
static cvk_status become(cvk_graph *graph, cvk_node *node,
                         const cvk_row_normalization_params *params, const int *in, int n_in,
                         const cvk_node *first)
{
    cvk_node copy = *node;
    copy.params = cvk_arena_copy(graph->arena, params, sizeof *params);
    copy.in = cvk_arena_copy(graph->arena, in, (size_t)n_in * sizeof *in);
    copy.members = cvk_join_members(graph->arena, first, node);
    if (!copy.params || !copy.in || !copy.members) return CVK_NO_MEMORY;
    copy.op = CVK_OP_RowNormalization;
    copy.n_in = n_in;
    copy.params_bytes = sizeof *params;
    *node = copy;
    return CVK_OK;
}

static cvk_status rewrite_division(cvk_graph *graph, cvk_node *node)
{
    double epsilon;
    int64_t axis;
    int x = normalised(graph, node, &axis, &epsilon);
    if (x < 0 || graph->values[x].dtype != CVK_F32) return CVK_OK;
    const cvk_shape *shape = &graph->values[x].shape;
    cvk_row_normalization_params params = {.epsilon = (float)epsilon,
                                           .axis = axis,
                                           .rows = cvk_shape_span(shape, 0, (int)axis),
                                           .length = cvk_shape_span(shape, (int)axis, shape->rank),
                                           .groups = 1,
                                           .inner = 1};
    const cvk_node *mean = &graph->nodes[graph->values[node->in[0]].producer];
    return become(graph, node, &params, &x, 1, mean);
}

/* A constant whose elements are those of a row. */
static bool is_row(const cvk_graph *graph, int value, const cvk_row_normalization_params *params)
{
    if (!cvk_is_const(graph, value) || graph->values[value].dtype != CVK_F32) return false;
    cvk_shape shape = graph->values[value].shape;
    int64_t count = 1;
    int d = shape.rank;
    while (d > 0 && count < params->length) count *= shape.dims[--d];
    return count == params->length && cvk_shape_count(&shape) == count;
}

/* Takes gamma, then beta, into the normalisation that comes before. */
static cvk_status rewrite_affine(cvk_graph *graph, cvk_node *node, const int *readers)
{
    bool mul = is_binary(node, CVK_BINARY_MUL), add = is_binary(node, CVK_BINARY_ADD);
    for (int i = 0; i < 2 && (mul || add); i++) {
        const cvk_node *norm = cvk_producer_of(graph, node->in[i], CVK_OP_RowNormalization);
        if (!norm || readers[node->in[i]] < 0 || norm->n_out != 1) continue;
        const cvk_row_normalization_params params =
            *(const cvk_row_normalization_params *)norm->params;
        int entry = other_than(node, node->in[i]);
        if (norm->n_in != (mul ? 1 : 2) || params.inner != 1 || params.groups != 1) continue;
        if (!is_row(graph, entry, &params)) continue;
        if (!cvk_shape_equal(&graph->values[node->out[0]].shape, &graph->values[norm->in[0]].shape))
            continue;
        int in[3] = {norm->in[0], mul ? entry : norm->in[1], entry};
        return become(graph, node, &params, in, mul ? 2 : 3, norm);
    }
    return CVK_OK;
}

cvk_status cvk_rewrite_norms(cvk_graph *graph)
{
    int *readers = cvk_graph_readers(graph, graph->arena);
    if (!readers) return CVK_NO_MEMORY;
    for (int i = 0; i < graph->n_nodes; i++) {
        CVK_TRY(rewrite_division(graph, &graph->nodes[i]));
        CVK_TRY(rewrite_affine(graph, &graph->nodes[i], readers));
    }
    return CVK_OK;
}
