/* SPDX-License-Identifier: Apache-2.0
 *
 * Adding a node to a graph by the names of its values: the importer's and the builder's common
 * door.
 */
#include <stdlib.h>
#include <string.h>

#include "onnx/onnx.h"
#include "ops/op.h"

const char *cvk_onnx_label(const char *op, const char *name, const char *output,
                           char label[CVK_NODE_LABEL])
{
    if (name && *name)
        snprintf(label, CVK_NODE_LABEL, "%s", name);
    else
        snprintf(label, CVK_NODE_LABEL, "%s_%s", op, output ? output : "none");
    return label;
}

cvk_status cvk_onnx_operator(const char *op, const char *domain, const char *label,
                             cvk_op_kind *kind)
{
    bool own = !domain || !*domain || strcmp(domain, "ai.onnx") == 0;
    if (own && cvk_op_find(op, kind)) return CVK_OK;
    return cvk_fail(CVK_UNSUPPORTED, "node '%s': operator '%s' (domain '%s') is not supported",
                    label, op, own ? "ai.onnx" : domain);
}

static bool absent(const char *name)
{
    return !name || !*name;
}

static int trimmed(const char *const *names, int count)
{
    while (count && absent(names[count - 1])) count--;
    return count;
}

static cvk_status resolve(const cvk_graph *graph, const char *const *names, int count, int *ids)
{
    for (int i = 0; i < count; i++) {
        ids[i] = absent(names[i]) ? -1 : cvk_graph_find(graph, names[i]);
        if (ids[i] < 0 && !absent(names[i]))
            return cvk_fail(CVK_BAD_MODEL, "tensor '%s' does not exist", names[i]);
    }
    return CVK_OK;
}

static cvk_status add(cvk_graph *graph, const cvk_onnx_node *node, int *ids)
{
    int n_in = trimmed(node->in, node->n_in), n_out = trimmed(node->out, node->n_out);
    CVK_TRY(resolve(graph, node->in, n_in, ids));
    CVK_TRY(resolve(graph, node->out, n_out, ids + n_in));
    cvk_node *made;
    CVK_TRY(cvk_graph_add_node(graph, node->op, node->name, ids, n_in, ids + n_in, n_out,
                               cvk_op_get(node->op)->params_bytes, &made));
    made->attrs = node->attrs;
    made->n_attrs = node->n_attrs;
    return CVK_OK;
}

cvk_status cvk_onnx_add_node(cvk_graph *graph, const cvk_onnx_node *node)
{
    char label[CVK_NODE_LABEL];
    const char *op = cvk_op_kind_name(node->op);
    int *ids = malloc(((size_t)node->n_in + (size_t)node->n_out + 1) * sizeof *ids);
    if (!ids) return cvk_fail(CVK_NO_MEMORY, "out of memory: a node");
    cvk_status status = add(graph, node, ids);
    free(ids);
    if (!status) return CVK_OK;
    cvk_onnx_label(op, node->name, node->n_out ? node->out[0] : NULL, label);
    return cvk_fail_at(status, "node '%s' (%s)", label, op);
}
