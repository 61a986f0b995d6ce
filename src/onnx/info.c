/* SPDX-License-Identifier: Apache-2.0
 *
 * What is told about a model: descriptions of values, and its size in parameters and multiply-adds.
 */
#include "onnx/model.h"
#include "onnx/onnx.h"
#include "ops/op.h"

enum { SHAPE_FOLD_BYTES = 1 << 16 };

void cvk_model_describe(const cvk_model *model, int id, cvk_tensor *tensor, const char **dim_names)
{
    const cvk_value *value = &model->graph->values[id];
    *tensor = (cvk_tensor){.name = value->name,
                           .dtype = value->dtype,
                           .rank = value->has_shape ? value->shape.rank : -1};
    for (int i = 0; i < CVK_MAX_RANK; i++) {
        bool used = i < tensor->rank;
        tensor->dims[i] = used ? value->shape.dims[i] : 0;
        if (dim_names) dim_names[i] = used && value->shape.dims[i] < 0 ? value->dim_names[i] : NULL;
    }
}

/* A constant of the model: an initializer, or what a Constant node gives. */
static const cvk_tensor *constant_of(const cvk_graph *graph, int id, cvk_tensor *made)
{
    const cvk_value *value = &graph->values[id];
    if (value->initializer) {
        *made = cvk_onnx_constant(value);
        return made;
    }
    if (value->producer < 0 || graph->nodes[value->producer].op != CVK_OP_Constant) return NULL;
    const cvk_node *node = &graph->nodes[value->producer];
    return node->n_attrs == 1 && node->attrs[0].kind == CVK_ATTR_TENSOR ? node->attrs[0].tensor
                                                                        : NULL;
}

static bool is_parameter(cvk_op_kind reader, const cvk_tensor *constant)
{
    bool small_int = constant->dtype == CVK_I8 || constant->dtype == CVK_U8;
    if (constant->rank < 1) return false;
    if (reader == CVK_OP_DequantizeLinear) return small_int || constant->dtype == CVK_I32;
    return small_int || cvk_dtype_is_float(constant->dtype);
}

/* Each constant counts once, however many nodes read it. */
static uint64_t count_parameters(const cvk_graph *graph, char *counted)
{
    uint64_t total = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        const cvk_node *node = &graph->nodes[i];
        uint32_t settings = cvk_op_get(node->op)->settings;
        for (int k = 0; k < node->n_in; k++) {
            cvk_tensor made;
            if (settings >> (k < 31 ? k : 31) & 1) continue;
            const cvk_tensor *constant =
                node->in[k] < 0 ? NULL : constant_of(graph, node->in[k], &made);
            if (!constant || counted[node->in[k]] || !is_parameter(node->op, constant)) continue;
            counted[node->in[k]] = 1;
            total += (uint64_t)cvk_tensor_count(constant);
        }
    }
    return total;
}

static uint64_t count_weight_bytes(const cvk_graph *graph)
{
    uint64_t total = 0;
    for (int i = 0; i < graph->n_values; i++) {
        cvk_tensor made;
        const cvk_tensor *constant = constant_of(graph, i, &made);
        if (constant)
            total += (uint64_t)cvk_tensor_count(constant) * cvk_dtype_bytes(constant->dtype);
    }
    return total;
}

/* Gives free batch dimensions the length 1; false if another dimension is free. */
static bool bind_batch(cvk_graph *graph)
{
    for (int i = 0; i < graph->n_inputs; i++) {
        cvk_value *value = &graph->values[graph->inputs[i]];
        if (!value->has_shape) return false;
        if (value->shape.rank && value->shape.dims[0] < 0) value->shape.dims[0] = 1;
        if (!cvk_shape_known(&value->shape)) return false;
    }
    return true;
}

static bool shapes_known(const cvk_graph *graph, const int *ids, int count)
{
    for (int i = 0; i < count; i++) {
        if (ids[i] < 0) continue;
        const cvk_value *value = &graph->values[ids[i]];
        if (!value->has_shape || !cvk_shape_known(&value->shape)) return false;
    }
    return true;
}

static uint64_t count_macs(const cvk_graph *model, cvk_arena *arena)
{
    cvk_graph *graph = cvk_graph_clone(arena, model, true);
    if (!graph || !bind_batch(graph) || cvk_graph_infer(graph, SHAPE_FOLD_BYTES)) return 0;
    uint64_t total = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        const cvk_node *node = &graph->nodes[i];
        if (!cvk_op_get(node->op)->macs) continue;
        if (!shapes_known(graph, node->in, node->n_in) ||
            !shapes_known(graph, node->out, node->n_out))
            return 0;
        total += cvk_node_macs(graph, node);
    }
    return total;
}

cvk_status cvk_model_summarise(const cvk_model *model, cvk_model_info *info)
{
    const cvk_graph *graph = model->graph;
    cvk_arena *arena = cvk_arena_create();
    char *counted = arena ? cvk_arena_alloc(arena, (size_t)graph->n_values) : NULL;
    if (counted)
        *info = (cvk_model_info){.name = graph->name,
                                 .opset = graph->opset,
                                 .inputs = graph->n_inputs,
                                 .outputs = graph->n_outputs,
                                 .nodes = graph->n_nodes,
                                 .parameters = count_parameters(graph, counted),
                                 .macs = count_macs(graph, arena),
                                 .weight_bytes = count_weight_bytes(graph)};
    cvk_arena_free(&arena);
    return counted ? CVK_OK : CVK_NO_MEMORY;
}
