/* SPDX-License-Identifier: Apache-2.0
 *
 * Models of operator sets before 7, brought to 7: the attributes that said how to broadcast become
 * Unsqueeze nodes, those that told training from inference go. Source: the ONNX operators' change
 * log.
 */
#include <string.h>

#include "onnx/onnx.h"
#include "ops/op.h"

/* Operators whose meaning changed in a set from 2 to 6 in a way that is not translated: `since` is
 * the first set that is read. */
static cvk_status check_readable(const cvk_node *node, int opset)
{
    static const struct {
        cvk_op_kind op;
        int since;
    } changed[] = {{CVK_OP_Cast, 6},
                   {CVK_OP_Concat, 4},
                   {CVK_OP_Pad, 2},
                   {CVK_OP_Reshape, 5},
                   {CVK_OP_Split, 2}};
    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++)
        if (node->op == changed[i].op && opset < changed[i].since)
            return cvk_fail(CVK_UNSUPPORTED,
                            "operator '%s' of operator set %d is not supported; %d to %d are",
                            cvk_op_kind_name(node->op), opset, changed[i].since, CVK_OPSET_MAX);
    return CVK_OK;
}

static bool takes_axis(cvk_op_kind op)
{
    return op == CVK_OP_Add || op == CVK_OP_Sub || op == CVK_OP_Mul || op == CVK_OP_Div ||
           op == CVK_OP_Pow;
}

static bool is_dropped(cvk_op_kind op, const char *name)
{
    if (strcmp(name, "consumed_inputs") == 0) return true;
    if (strcmp(name, "broadcast") == 0) return takes_axis(op) || op == CVK_OP_Gemm;
    if (strcmp(name, "axis") == 0) return takes_axis(op);
    return strcmp(name, "is_test") == 0 &&
           (op == CVK_OP_BatchNormalization || op == CVK_OP_Dropout);
}

static cvk_status drop_attrs(cvk_arena *arena, cvk_node *node)
{
    cvk_attr *kept = cvk_arena_copy(arena, node->attrs, (size_t)node->n_attrs * sizeof *kept);
    int count = 0;
    if (!kept) return CVK_NO_MEMORY;
    for (int i = 0; i < node->n_attrs; i++)
        if (!is_dropped(node->op, node->attrs[i].name)) kept[count++] = node->attrs[i];
    node->attrs = kept;
    node->n_attrs = count;
    return CVK_OK;
}

/* Where the second input's first dimension stands in the first input's; -1: at the end, as in
 * set 7. */
static cvk_status legacy_axis(const cvk_graph *graph, const cvk_node *node, int64_t *axis)
{
    cvk_attrs attrs = {
        .items = node->attrs, .count = node->n_attrs, .opset = graph->opset, .arena = graph->arena};
    *axis = -1;
    if (node->op == CVK_OP_PRelu) *axis = 1; /* one slope per channel */
    return takes_axis(node->op) ? cvk_attrs_int(&attrs, "axis", -1, axis) : CVK_OK;
}

/* Gives value `id` the dimensions 1 at its end that bring its first one to `axis` of `rank`. */
static cvk_status add_unsqueeze(cvk_graph *graph, int id, int64_t axis, int rank, int *made)
{
    cvk_arena *arena = graph->arena;
    int own = graph->values[id].shape.rank, n = rank - own - (int)axis;
    int64_t *axes = cvk_arena_alloc(arena, (size_t)n * sizeof *axes);
    cvk_attr *attr = cvk_arena_alloc(arena, sizeof *attr);
    if (!axes || !attr) return CVK_NO_MEMORY;
    for (int i = 0; i < n; i++) axes[i] = own + i;
    *attr = (cvk_attr){.name = "axes", .kind = CVK_ATTR_INTS, .count = (size_t)n, .ints = axes};
    CVK_TRY(cvk_graph_add_temp(graph, graph->values[id].name, made));
    cvk_node *node;
    CVK_TRY(cvk_graph_add_node(graph, CVK_OP_Unsqueeze, NULL, &id, 1, made, 1,
                               cvk_op_get(CVK_OP_Unsqueeze)->params_bytes, &node));
    node->attrs = attr;
    node->n_attrs = 1;
    CVK_TRY(cvk_node_parse(graph, node));
    return cvk_node_infer(graph, node);
}

static cvk_status align_second(cvk_graph *graph, int at)
{
    const cvk_node *node = &graph->nodes[at];
    int64_t axis;
    CVK_TRY(legacy_axis(graph, node, &axis));
    if (axis == -1 || node->n_in < 2 || node->in[0] < 0 || node->in[1] < 0) return CVK_OK;
    const cvk_value *a = &graph->values[node->in[0]], *b = &graph->values[node->in[1]];
    if (!a->has_shape || !b->has_shape)
        return cvk_fail(CVK_UNSUPPORTED,
                        "broadcasting along an axis needs known ranks in an operator set before 7");
    int rank = a->shape.rank;
    if (axis < 0) axis += rank;
    if (node->op == CVK_OP_PRelu && (b->shape.rank != 1 || b->shape.dims[0] == 1)) return CVK_OK;
    if (axis < 0 || axis + b->shape.rank > rank)
        return cvk_fail(
            CVK_SHAPE,
            "the second input has %d dimensions, which do not fit from axis %lld of the first's %d",
            b->shape.rank, (long long)axis, rank);
    if (axis + b->shape.rank == rank) return CVK_OK;
    int made;
    CVK_TRY(add_unsqueeze(graph, node->in[1], axis, rank, &made));
    graph->nodes[at].in[1] = made; /* `node` may have moved */
    return CVK_OK;
}

static cvk_status upgrade_node(cvk_graph *graph, int at, int opset)
{
    CVK_TRY(check_readable(&graph->nodes[at], opset));
    CVK_TRY(align_second(graph, at));
    return drop_attrs(graph->arena, &graph->nodes[at]);
}

cvk_status cvk_onnx_upgrade(cvk_graph *graph, int opset)
{
    int count = graph->n_nodes; /* those added stand behind */
    for (int i = 0; i < count; i++) {
        const char *name = graph->nodes[i].name, *op = cvk_op_kind_name(graph->nodes[i].op);
        cvk_status status = upgrade_node(graph, i, opset);
        if (status) return cvk_fail_at(status, "node '%s' (%s)", name, op);
        CVK_TRY(cvk_node_parse(graph, &graph->nodes[i]));
        CVK_TRY(cvk_node_infer(graph, &graph->nodes[i]));
    }
    return cvk_graph_link(graph);
}
