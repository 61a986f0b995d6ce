/* SPDX-License-Identifier: Apache-2.0
 *
 * Building a model call by call. A node is tried first in a small graph of its own, so that a call
 * that fails leaves the model as it was.
 */
#include <string.h>

#include "onnx/model.h"
#include "onnx/onnx.h"
#include "ops/op.h"

static cvk_status check_new(const cvk_model *model, const char *what, const char *name)
{
    if (!name || !*name) return cvk_fail(CVK_BAD_ARGUMENT, "%s without a name", what);
    if (cvk_graph_find(model->graph, name) < 0) return CVK_OK;
    return cvk_fail(CVK_BAD_ARGUMENT, "%s '%s': there is a tensor of that name already", what,
                    name);
}

static cvk_status check_tensor(const char *what, const cvk_tensor *tensor)
{
    if (!cvk_dtype_bytes(tensor->dtype))
        return cvk_fail(CVK_BAD_ARGUMENT, "%s '%s': %d is not an element type", what, tensor->name,
                        (int)tensor->dtype);
    if (tensor->rank < 0 || tensor->rank > CVK_MAX_RANK)
        return cvk_fail(CVK_BAD_ARGUMENT, "%s '%s': rank %d, expected 0 to %d", what, tensor->name,
                        tensor->rank, CVK_MAX_RANK);
    return CVK_OK;
}

static cvk_status add_value(cvk_graph *graph, const cvk_tensor *tensor, int *id)
{
    CVK_TRY(cvk_graph_add_value(graph, tensor->name, id));
    cvk_value *value = &graph->values[*id];
    value->dtype = tensor->dtype;
    value->has_shape = true;
    value->shape = cvk_shape_make(tensor->rank, tensor->dims);
    return CVK_OK;
}

cvk_status cvk_model_build_input(cvk_model *model, const cvk_tensor *tensor)
{
    int64_t known[CVK_MAX_RANK] = {0};
    int id;
    CVK_TRY(check_new(model, "input", tensor->name));
    CVK_TRY(check_tensor("input", tensor));
    for (int i = 0; i < tensor->rank; i++) {
        known[i] = tensor->dims[i] == -1 ? 1 : tensor->dims[i];
        if (known[i] < 1)
            return cvk_fail(
                CVK_SHAPE,
                "input '%s': dimension %d is %lld, expected at least 1, or -1 for a free one",
                tensor->name, i, (long long)known[i]);
    }
    CVK_TRY(cvk_onnx_check_dims("input", tensor->name, tensor->dtype, known, (size_t)tensor->rank));
    CVK_TRY(add_value(model->graph, tensor, &id));
    return cvk_graph_add_input(model->graph, id);
}

/* Everything about a constant but its data. */
static cvk_status check_constant(const cvk_model *model, const cvk_tensor *tensor)
{
    CVK_TRY(check_new(model, "constant", tensor->name));
    CVK_TRY(check_tensor("constant", tensor));
    return cvk_onnx_check_dims("constant", tensor->name, tensor->dtype, tensor->dims,
                               (size_t)tensor->rank);
}

static cvk_status add_constant(cvk_model *model, const cvk_tensor *tensor, const void *data)
{
    int id;
    CVK_TRY(add_value(model->graph, tensor, &id));
    model->graph->values[id].data = data;
    model->graph->values[id].initializer = true;
    return CVK_OK;
}

cvk_status cvk_model_build_constant(cvk_model *model, const cvk_tensor *tensor)
{
    CVK_TRY(check_constant(model, tensor));
    size_t bytes = (size_t)cvk_tensor_count(tensor) * cvk_dtype_bytes(tensor->dtype);
    if (bytes && !tensor->data)
        return cvk_fail(CVK_BAD_ARGUMENT, "constant '%s' has no data", tensor->name);
    void *data = cvk_arena_copy(model->arena, tensor->data, bytes);
    return data ? add_constant(model, tensor, data) : CVK_NO_MEMORY;
}

cvk_status cvk_model_build_declared(cvk_model *model, const cvk_tensor *tensor)
{
    CVK_TRY(check_constant(model, tensor));
    return add_constant(model, tensor, NULL);
}

cvk_status cvk_model_build_output(cvk_model *model, const char *value)
{
    int id = cvk_graph_find(model->graph, value);
    if (id < 0)
        return cvk_fail(CVK_BAD_ARGUMENT, "output '%s': there is no tensor of that name", value);
    if (cvk_graph_is_output(model->graph, id))
        return cvk_fail(CVK_BAD_ARGUMENT, "'%s' is an output already", value);
    return cvk_graph_add_output(model->graph, id);
}

static cvk_status check_attrs(const cvk_attr *attrs, int count)
{
    for (int i = 0; i < count; i++) {
        const cvk_attr *a = &attrs[i];
        if (!a->name || !*a->name) return cvk_fail(CVK_BAD_ARGUMENT, "attribute %d has no name", i);
        for (int k = 0; k < i; k++)
            if (strcmp(a->name, attrs[k].name) == 0)
                return cvk_fail(CVK_BAD_ARGUMENT, "attribute '%s' is given twice", a->name);
        bool missing = (a->kind == CVK_ATTR_STRING && !a->s) ||
                       (a->kind == CVK_ATTR_TENSOR && !a->tensor) ||
                       (a->kind == CVK_ATTR_INTS && a->count && !a->ints) ||
                       (a->kind == CVK_ATTR_FLOATS && a->count && !a->floats);
        if (missing || a->kind < CVK_ATTR_INT || a->kind > CVK_ATTR_TENSOR)
            return cvk_fail(CVK_BAD_ARGUMENT, "attribute '%s' has no value of its kind (%d)",
                            a->name, (int)a->kind);
        if (a->kind != CVK_ATTR_TENSOR) continue;
        CVK_TRY(check_tensor(
            "attribute",
            &(cvk_tensor){.name = a->name, .dtype = a->tensor->dtype, .rank = a->tensor->rank}));
        CVK_TRY(cvk_onnx_check_dims("attribute", a->name, a->tensor->dtype, a->tensor->dims,
                                    (size_t)a->tensor->rank));
        if (!a->tensor->data && cvk_tensor_count(a->tensor))
            return cvk_fail(CVK_BAD_ARGUMENT, "attribute '%s': its tensor has no data", a->name);
    }
    return CVK_OK;
}

/* What the small graph needs to know of a value of the model's. */
static cvk_status borrow_input(const cvk_graph *graph, const char *name, cvk_graph *small)
{
    int from = cvk_graph_find(graph, name), to;
    if (from < 0) return cvk_fail(CVK_BAD_ARGUMENT, "there is no tensor '%s'", name);
    if (cvk_graph_find(small, name) >= 0) return CVK_OK;
    CVK_TRY(cvk_graph_add_value(small, name, &to));
    const char *own = small->values[to].name;
    small->values[to] = graph->values[from];
    small->values[to].name = own;
    small->values[to].producer = -1;
    return CVK_OK;
}

static cvk_status rehearse(cvk_model *model, const cvk_onnx_node *node, cvk_graph *small)
{
    int id;
    CVK_TRY(check_attrs(node->attrs, node->n_attrs));
    for (int i = 0; i < node->n_in; i++)
        if (node->in[i] && *node->in[i]) CVK_TRY(borrow_input(model->graph, node->in[i], small));
    for (int i = 0; i < node->n_out; i++) {
        if (!node->out[i] || !*node->out[i]) continue;
        CVK_TRY(check_new(model, "output", node->out[i]));
        CVK_TRY(cvk_graph_add_value(small, node->out[i], &id));
    }
    CVK_TRY(cvk_onnx_add_node(small, node));
    CVK_TRY(cvk_node_parse(small, &small->nodes[0]));
    return cvk_node_infer(small, &small->nodes[0]);
}

/* The same for good, with the shapes that the rehearsal found. */
static cvk_status commit(cvk_graph *graph, const cvk_onnx_node *node, const cvk_graph *small)
{
    for (int i = 0; i < node->n_out; i++) {
        if (!node->out[i] || !*node->out[i]) continue;
        const cvk_value *found = &small->values[cvk_graph_find(small, node->out[i])];
        int id;
        CVK_TRY(cvk_graph_add_value(graph, node->out[i], &id));
        graph->values[id].dtype = found->dtype;
        graph->values[id].has_shape = found->has_shape;
        graph->values[id].shape = found->shape;
    }
    CVK_TRY(cvk_onnx_add_node(graph, node));
    return cvk_node_parse(graph, &graph->nodes[graph->n_nodes - 1]);
}

cvk_status cvk_model_build_node(cvk_model *model, const char *op, const char *name,
                                const char *const *inputs, int n_inputs, const char *const *outputs,
                                int n_outputs, const cvk_attr *attrs, int n_attrs)
{
    char label[CVK_NODE_LABEL];
    cvk_onnx_node node = {.name = name,
                          .in = inputs,
                          .n_in = n_inputs,
                          .out = outputs,
                          .n_out = n_outputs,
                          .attrs = attrs,
                          .n_attrs = n_attrs};
    cvk_onnx_label(op, name, n_outputs ? outputs[0] : NULL, label);
    CVK_TRY(cvk_onnx_operator(op, NULL, label, &node.op));
    cvk_arena *arena = cvk_arena_create();
    cvk_graph *small = arena ? cvk_graph_create(arena, "", model->graph->opset) : NULL;
    cvk_status status = small ? rehearse(model, &node, small) : CVK_NO_MEMORY;
    if (status == CVK_BAD_ARGUMENT) status = cvk_fail_at(status, "node '%s' (%s)", label, op);
    if (!status) {
        node.attrs = cvk_attrs_clone(model->arena, attrs, n_attrs);
        status = node.attrs ? commit(model->graph, &node, small) : CVK_NO_MEMORY;
    }
    cvk_arena_free(&arena);
    return status;
}
