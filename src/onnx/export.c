/* SPDX-License-Identifier: Apache-2.0
 *
 * cvk_graph -> ModelProto, written piece by piece: messages point into the graph, so that no copy
 * of the weights is made.
 */
#include "onnx/onnx.h"

enum { LARGEST_BYTES = INT32_MAX }; /* what readers of protocol buffers accept */

cvk_tensor cvk_onnx_constant(const cvk_value *value)
{
    cvk_tensor tensor = {.name = value->name,
                         .dtype = value->dtype,
                         .rank = value->shape.rank,
                         .data = (void *)value->data};
    for (int i = 0; i < tensor.rank; i++) tensor.dims[i] = value->shape.dims[i];
    return tensor;
}

static cvk_status make_names(cvk_arena *arena, const cvk_graph *graph, const int *ids, int count,
                             char ***names)
{
    *names = cvk_arena_alloc(arena, (size_t)count * sizeof **names);
    if (!*names) return CVK_NO_MEMORY;
    for (int i = 0; i < count; i++)
        (*names)[i] = ids[i] < 0 ? (char *)"" : (char *)graph->values[ids[i]].name;
    return CVK_OK;
}

static cvk_status make_nodes(cvk_arena *arena, const cvk_graph *graph, Onnx__GraphProto *message)
{
    size_t count = (size_t)graph->n_nodes;
    Onnx__NodeProto *items = cvk_arena_alloc(arena, count * sizeof *items);
    message->node = cvk_arena_alloc(arena, count * sizeof *message->node);
    if (!items || !message->node) return CVK_NO_MEMORY;
    message->n_node = count;
    for (size_t i = 0; i < count; i++) {
        const cvk_node *node = &graph->nodes[i];
        onnx__node_proto__init(&items[i]);
        items[i].name = (char *)node->name;
        items[i].op_type = (char *)cvk_op_kind_name(node->op);
        items[i].n_input = (size_t)node->n_in;
        items[i].n_output = (size_t)node->n_out;
        CVK_TRY(make_names(arena, graph, node->in, node->n_in, &items[i].input));
        CVK_TRY(make_names(arena, graph, node->out, node->n_out, &items[i].output));
        CVK_TRY(cvk_onnx_attr_messages(arena, node, &items[i]));
        message->node[i] = &items[i];
    }
    return CVK_OK;
}

static cvk_status make_weights(cvk_arena *arena, const cvk_graph *graph, Onnx__GraphProto *message)
{
    size_t count = 0;
    for (int i = 0; i < graph->n_values; i++) count += graph->values[i].initializer;
    Onnx__TensorProto *items = cvk_arena_alloc(arena, count * sizeof *items);
    cvk_tensor *tensors = cvk_arena_alloc(arena, count * sizeof *tensors);
    message->initializer = cvk_arena_alloc(arena, count * sizeof *message->initializer);
    if (!items || !tensors || !message->initializer) return CVK_NO_MEMORY;
    for (int i = 0; i < graph->n_values; i++) {
        if (!graph->values[i].initializer) continue;
        size_t at = message->n_initializer++;
        tensors[at] = cvk_onnx_constant(&graph->values[i]);
        cvk_onnx_tensor_message(&tensors[at], &items[at]);
        message->initializer[at] = &items[at];
    }
    return CVK_OK;
}

static cvk_status make_shape(cvk_arena *arena, const cvk_value *value,
                             Onnx__TensorShapeProto **shape)
{
    size_t rank = (size_t)value->shape.rank;
    Onnx__TensorShapeProto__Dimension *dims = cvk_arena_alloc(arena, rank * sizeof *dims);
    *shape = cvk_arena_alloc(arena, sizeof **shape);
    if (!dims || !*shape) return CVK_NO_MEMORY;
    onnx__tensor_shape_proto__init(*shape);
    (*shape)->dim = cvk_arena_alloc(arena, rank * sizeof *(*shape)->dim);
    if (!(*shape)->dim) return CVK_NO_MEMORY;
    (*shape)->n_dim = rank;
    for (size_t i = 0; i < rank; i++) {
        onnx__tensor_shape_proto__dimension__init(&dims[i]);
        if (value->shape.dims[i] >= 0) {
            dims[i].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
            dims[i].dim_value = value->shape.dims[i];
        } else if (value->dim_names[i]) {
            dims[i].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
            dims[i].dim_param = (char *)value->dim_names[i];
        }
        (*shape)->dim[i] = &dims[i];
    }
    return CVK_OK;
}

static cvk_status make_ports(cvk_arena *arena, const cvk_graph *graph, const int *ids, int count,
                             Onnx__ValueInfoProto ***ports)
{
    *ports = cvk_arena_alloc(arena, (size_t)count * sizeof **ports);
    if (!*ports) return CVK_NO_MEMORY;
    for (int i = 0; i < count; i++) {
        const cvk_value *value = &graph->values[ids[i]];
        Onnx__ValueInfoProto *port = cvk_arena_alloc(arena, sizeof *port);
        Onnx__TypeProto *type = cvk_arena_alloc(arena, sizeof *type);
        Onnx__TypeProto__Tensor *tensor = cvk_arena_alloc(arena, sizeof *tensor);
        if (!port || !type || !tensor) return CVK_NO_MEMORY;
        onnx__value_info_proto__init(port);
        onnx__type_proto__init(type);
        onnx__type_proto__tensor__init(tensor);
        port->name = (char *)value->name;
        port->type = type;
        type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
        type->tensor_type = tensor;
        tensor->has_elem_type = true;
        tensor->elem_type = value->dtype;
        if (value->has_shape) CVK_TRY(make_shape(arena, value, &tensor->shape));
        (*ports)[i] = port;
    }
    return CVK_OK;
}

static cvk_status make_graph(cvk_arena *arena, const cvk_graph *graph, Onnx__GraphProto *message)
{
    onnx__graph_proto__init(message);
    message->name =
        *graph->name ? (char *)graph->name : (char *)"network"; /* onnx.checker wants one */
    CVK_TRY(make_nodes(arena, graph, message));
    CVK_TRY(make_weights(arena, graph, message));
    CVK_TRY(make_ports(arena, graph, graph->inputs, graph->n_inputs, &message->input));
    CVK_TRY(make_ports(arena, graph, graph->outputs, graph->n_outputs, &message->output));
    message->n_input = (size_t)graph->n_inputs;
    message->n_output = (size_t)graph->n_outputs;
    return CVK_OK;
}

typedef struct file_buffer {
    ProtobufCBuffer base;
    FILE *file;
    size_t written;
} file_buffer;

static void append_to_file(ProtobufCBuffer *buffer, size_t bytes, const uint8_t *data)
{
    file_buffer *out = (file_buffer *)buffer;
    if (bytes) out->written += fwrite(data, 1, bytes, out->file);
}

/* The IR version that came with an operator set. */
static int64_t ir_version(int opset)
{
    if (opset >= 21) return 10;
    if (opset >= 19) return 9;
    return opset >= 15 ? 8 : 7;
}

static cvk_status write_model(cvk_arena *arena, const cvk_graph *graph, FILE *file)
{
    Onnx__GraphProto body;
    CVK_TRY(cvk_graph_require_data(graph));
    CVK_TRY(make_graph(arena, graph, &body));
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets[] = {&opset};
    opset.domain = (char *)"";
    opset.has_version = true;
    opset.version = graph->opset;
    Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
    model.has_ir_version = true;
    model.ir_version = ir_version(graph->opset);
    model.producer_name = (char *)"convoke";
    model.producer_version = (char *)CONVOKE_VERSION;
    model.n_opset_import = 1;
    model.opset_import = opsets;
    model.graph = &body;
    size_t bytes = protobuf_c_message_get_packed_size(&model.base);
    if (bytes > LARGEST_BYTES)
        return cvk_fail(CVK_UNSUPPORTED,
                        "an ONNX file holds at most %d bytes, this model takes %zu",
                        (int)LARGEST_BYTES, bytes);
    file_buffer out = {.base = {append_to_file}, .file = file};
    protobuf_c_message_pack_to_buffer(&model.base, &out.base);
    if (out.written != bytes) return cvk_fail(CVK_IO, "wrote %zu of %zu bytes", out.written, bytes);
    return CVK_OK;
}

cvk_status cvk_onnx_export(const cvk_graph *graph, FILE *file)
{
    cvk_arena *arena = cvk_arena_create();
    if (!arena) return CVK_NO_MEMORY;
    cvk_status status = write_model(arena, graph, file);
    cvk_arena_free(&arena);
    return status;
}
