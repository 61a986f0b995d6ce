/* SPDX-License-Identifier: Apache-2.0
 *
 * ModelProto -> cvk_graph. The file is walked once: each piece (a node, an initializer, an input)
 * is unpacked alone, copied to the arena and let go, so that weights exist once. Then the pieces
 * are joined. Source: onnx.proto; the ONNX specification, "Open Neural Network Exchange
 * Intermediate Representation".
 */
#include <string.h>

#include "onnx/onnx.h"
#include "ops/op.h"

enum { IR_MIN = 3, IR_MAX = 14, MAX_PORTS = 4096 };

/* Field numbers in onnx.proto. */
enum { MODEL_IR_VERSION = 1, MODEL_GRAPH = 7, MODEL_OPSET = 8 };
enum {
    GRAPH_NODE = 1,
    GRAPH_NAME = 2,
    GRAPH_INITIALIZER = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12,
    GRAPH_SPARSE = 15
};

typedef struct port {
    const char *name;
    cvk_dtype dtype;
    bool has_shape;
    cvk_shape shape;
    const char *dim_names[CVK_MAX_RANK];
} port;

/* Everything read so far, in the order of the file. */
typedef struct importer {
    const cvk_onnx_place *place;
    cvk_wire *wire;
    const char *name;
    uint64_t ir_version;
    int64_t opset;
    bool has_graph, has_opset;
    cvk_tensor *weights;
    cvk_onnx_node *nodes;
    port *inputs;
    const char **outputs;
    int n_weights, n_nodes, n_inputs, n_outputs;
    int weights_capacity, nodes_capacity, inputs_capacity, outputs_capacity;
} importer;

static cvk_status read_weight(importer *im, size_t bytes)
{
    cvk_tensor *grown = cvk_arena_grow(im->place->arena, im->weights, sizeof *grown,
                                       im->n_weights + 1, &im->weights_capacity);
    if (!grown) return CVK_NO_MEMORY;
    im->weights = grown;
    CVK_TRY(cvk_onnx_stream_tensor(im->place, im->wire, bytes, &grown[im->n_weights]));
    if (!*grown[im->n_weights].name) return cvk_fail(CVK_BAD_MODEL, "an initializer has no name");
    im->n_weights++;
    return CVK_OK;
}

static cvk_status copy_names(cvk_arena *arena, char *const *names, size_t count,
                             const char *const **copy)
{
    const char **made = cvk_arena_alloc(arena, count * sizeof *made);
    if (!made) return CVK_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        if (!(made[i] = cvk_arena_string(arena, names[i]))) return CVK_NO_MEMORY;
    *copy = made;
    return CVK_OK;
}

static cvk_status convert_node(importer *im, const Onnx__NodeProto *message, cvk_onnx_node *node)
{
    enum { MAX_VALUES = 1 << 16 };
    cvk_arena *arena = im->place->arena;
    char label[CVK_NODE_LABEL];
    const char *op = message->op_type ? message->op_type : "";
    cvk_onnx_label(op, message->name, message->n_output ? message->output[0] : NULL, label);
    CVK_TRY(cvk_onnx_operator(op, message->domain, label, &node->op));
    if (message->n_input > MAX_VALUES || message->n_output > MAX_VALUES)
        return cvk_fail(CVK_UNSUPPORTED, "node '%s' (%s) has more than %d inputs or outputs", label,
                        op, MAX_VALUES);
    cvk_attr *attrs = NULL;
    cvk_status status = cvk_onnx_attrs(im->place, message, &attrs, &node->n_attrs);
    if (status) return cvk_fail_at(status, "node '%s' (%s)", label, op);
    node->attrs = attrs;
    node->name = message->name && *message->name ? cvk_arena_string(arena, message->name) : "";
    if (!node->name) return CVK_NO_MEMORY;
    node->n_in = (int)message->n_input;
    node->n_out = (int)message->n_output;
    CVK_TRY(copy_names(arena, message->input, message->n_input, &node->in));
    return copy_names(arena, message->output, message->n_output, &node->out);
}

static cvk_status read_node(importer *im, size_t bytes)
{
    cvk_onnx_node *grown = cvk_arena_grow(im->place->arena, im->nodes, sizeof *grown,
                                          im->n_nodes + 1, &im->nodes_capacity);
    if (!grown) return CVK_NO_MEMORY;
    im->nodes = grown;
    ProtobufCMessage *message;
    CVK_TRY(cvk_wire_message(im->wire, &onnx__node_proto__descriptor, bytes, &message));
    cvk_status status = convert_node(im, (const Onnx__NodeProto *)message, &grown[im->n_nodes]);
    protobuf_c_message_free_unpacked(message, NULL);
    if (!status) im->n_nodes++;
    return status;
}

static const char *foreign_type(const Onnx__TypeProto *type)
{
    switch ((int)type->value_case) {
    case ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE: return "a sequence";
    case ONNX__TYPE_PROTO__VALUE_MAP_TYPE: return "a map";
    case ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE: return "an optional";
    case ONNX__TYPE_PROTO__VALUE_SPARSE_TENSOR_TYPE: return "a sparse tensor";
    default: return NULL;
    }
}

/* A dimension that is not a positive number is free. */
static cvk_status convert_dims(cvk_arena *arena, const Onnx__TensorShapeProto *shape, port *made)
{
    int64_t known[CVK_MAX_RANK];
    for (size_t i = 0; i < shape->n_dim && i < CVK_MAX_RANK; i++) {
        const Onnx__TensorShapeProto__Dimension *dim = shape->dim[i];
        bool fixed = dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE &&
                     dim->dim_value > 0;
        made->shape.dims[i] = fixed ? dim->dim_value : -1;
        known[i] = fixed ? dim->dim_value : 1;
        if (dim->value_case != ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM ||
            !*dim->dim_param)
            continue;
        if (!(made->dim_names[i] = cvk_arena_string(arena, dim->dim_param))) return CVK_NO_MEMORY;
    }
    CVK_TRY(cvk_onnx_check_dims("input", made->name, made->dtype, known, shape->n_dim));
    made->shape.rank = (int)shape->n_dim;
    made->has_shape = true;
    return CVK_OK;
}

static cvk_status convert_input(cvk_arena *arena, const Onnx__ValueInfoProto *message, port *made)
{
    const Onnx__TypeProto *type = message->type;
    if (!message->name || !*message->name)
        return cvk_fail(CVK_BAD_MODEL, "a graph input has no name");
    *made = (port){.name = cvk_arena_string(arena, message->name)};
    if (!made->name) return CVK_NO_MEMORY;
    if (type && foreign_type(type))
        return cvk_fail(CVK_UNSUPPORTED, "input '%s' is %s, which is not supported", made->name,
                        foreign_type(type));
    if (!type || type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
        return cvk_fail(CVK_BAD_MODEL, "input '%s' has no type", made->name);
    CVK_TRY(cvk_onnx_dtype(type->tensor_type->elem_type, "input", made->name, &made->dtype));
    return type->tensor_type->shape ? convert_dims(arena, type->tensor_type->shape, made) : CVK_OK;
}

/* A graph input (all of it) or output (its name: a declared shape is not trusted). */
static cvk_status read_port(importer *im, size_t bytes, bool input)
{
    cvk_arena *arena = im->place->arena;
    ProtobufCMessage *base;
    if (im->n_inputs >= MAX_PORTS || im->n_outputs >= MAX_PORTS)
        return cvk_fail(CVK_UNSUPPORTED, "more than %d inputs or outputs", MAX_PORTS);
    CVK_TRY(cvk_wire_message(im->wire, &onnx__value_info_proto__descriptor, bytes, &base));
    const Onnx__ValueInfoProto *message = (const Onnx__ValueInfoProto *)base;
    cvk_status status = CVK_NO_MEMORY;
    if (input) {
        port *grown = cvk_arena_grow(arena, im->inputs, sizeof *grown, im->n_inputs + 1,
                                     &im->inputs_capacity);
        if (grown) status = convert_input(arena, message, &(im->inputs = grown)[im->n_inputs]);
        im->n_inputs += !status;
    } else {
        const char **grown = cvk_arena_grow(arena, im->outputs, sizeof *grown, im->n_outputs + 1,
                                            &im->outputs_capacity);
        const char *name = cvk_arena_string(arena, message->name ? message->name : "");
        if (grown && name) {
            im->outputs = grown;
            grown[im->n_outputs++] = name;
            status = CVK_OK;
        }
    }
    protobuf_c_message_free_unpacked(base, NULL);
    return status;
}

static cvk_status read_name(importer *im, size_t bytes)
{
    char *name = cvk_arena_alloc(im->place->arena, bytes + 1);
    if (!name) return CVK_NO_MEMORY;
    im->name = name;
    return cvk_wire_read(im->wire, name, bytes);
}

static cvk_status read_graph(importer *im, size_t bytes)
{
    size_t end = im->wire->at + bytes;
    if (im->has_graph)
        return cvk_fail(CVK_BAD_MODEL, "not an ONNX file, or damaged: it has two graphs");
    im->has_graph = true;
    while (im->wire->at < end) {
        cvk_wire_field field;
        CVK_TRY(cvk_wire_next(im->wire, end, &field));
        if (field.type != CVK_WIRE_BYTES) continue;
        switch (field.number) {
        case GRAPH_NODE: CVK_TRY(read_node(im, field.length)); break;
        case GRAPH_NAME: CVK_TRY(read_name(im, field.length)); break;
        case GRAPH_INITIALIZER: CVK_TRY(read_weight(im, field.length)); break;
        case GRAPH_INPUT: CVK_TRY(read_port(im, field.length, true)); break;
        case GRAPH_OUTPUT: CVK_TRY(read_port(im, field.length, false)); break;
        case GRAPH_SPARSE:
            return cvk_fail(CVK_UNSUPPORTED, "sparse initializers are not supported");
        default: CVK_TRY(cvk_wire_skip(im->wire, field.length));
        }
    }
    return CVK_OK;
}

static cvk_status read_opset(importer *im, size_t bytes)
{
    ProtobufCMessage *base;
    CVK_TRY(cvk_wire_message(im->wire, &onnx__operator_set_id_proto__descriptor, bytes, &base));
    const Onnx__OperatorSetIdProto *message = (const Onnx__OperatorSetIdProto *)base;
    if (!message->domain || !*message->domain || strcmp(message->domain, "ai.onnx") == 0) {
        im->opset = message->version;
        im->has_opset = true;
    }
    protobuf_c_message_free_unpacked(base, NULL);
    return CVK_OK;
}

static cvk_status read_model(importer *im)
{
    while (im->wire->at < im->wire->end) {
        cvk_wire_field field;
        CVK_TRY(cvk_wire_next(im->wire, im->wire->end, &field));
        if (field.number == MODEL_IR_VERSION && field.type == CVK_WIRE_VARINT)
            im->ir_version = field.value;
        if (field.type != CVK_WIRE_BYTES) continue;
        switch (field.number) {
        case MODEL_GRAPH: CVK_TRY(read_graph(im, field.length)); break;
        case MODEL_OPSET: CVK_TRY(read_opset(im, field.length)); break;
        default: CVK_TRY(cvk_wire_skip(im->wire, field.length));
        }
    }
    return CVK_OK;
}

static cvk_status check_versions(const importer *im)
{
    if (!im->has_graph || !im->ir_version)
        return cvk_fail(CVK_BAD_MODEL, "not an ONNX file: it has no %s",
                        im->has_graph ? "IR version" : "graph");
    if (im->ir_version < IR_MIN || im->ir_version > IR_MAX)
        return cvk_fail(CVK_UNSUPPORTED, "ONNX IR version %llu is not supported; %d to %d are",
                        (unsigned long long)im->ir_version, IR_MIN, IR_MAX);
    if (!im->has_opset)
        return cvk_fail(CVK_BAD_MODEL, "the model names no operator set of ONNX's own domain");
    if (im->opset < 1 || im->opset > CVK_OPSET_MAX)
        return cvk_fail(CVK_UNSUPPORTED, "ONNX operator set %lld is not supported; 1 to %d are",
                        (long long)im->opset, CVK_OPSET_MAX);
    return CVK_OK;
}

static cvk_status add_weights(const importer *im, cvk_graph *graph)
{
    for (int i = 0; i < im->n_weights; i++) {
        const cvk_tensor *tensor = &im->weights[i];
        int id;
        CVK_TRY(cvk_graph_add_value(graph, tensor->name, &id));
        cvk_value *value = &graph->values[id];
        value->dtype = tensor->dtype;
        value->has_shape = true;
        value->shape = cvk_shape_make(tensor->rank, tensor->dims);
        value->data = tensor->data;
        value->initializer = true;
    }
    return CVK_OK;
}

/* Inputs that are also initializers (all of them in IR version 3) are constants. */
static cvk_status add_inputs(const importer *im, cvk_graph *graph)
{
    for (int i = 0; i < im->n_inputs; i++) {
        const port *input = &im->inputs[i];
        int id = cvk_graph_find(graph, input->name);
        if (id >= 0 && graph->values[id].initializer) continue;
        CVK_TRY(cvk_graph_add_value(graph, input->name, &id));
        cvk_value *value = &graph->values[id];
        value->dtype = input->dtype;
        value->has_shape = input->has_shape;
        value->shape = input->shape;
        memcpy(value->dim_names, input->dim_names, sizeof value->dim_names);
        CVK_TRY(cvk_graph_add_input(graph, id));
    }
    return CVK_OK;
}

static cvk_status add_nodes(const importer *im, cvk_graph *graph)
{
    char label[CVK_NODE_LABEL];
    for (int i = 0; i < im->n_nodes; i++)
        for (int k = 0; k < im->nodes[i].n_out; k++) {
            const cvk_onnx_node *node = &im->nodes[i];
            const char *op = cvk_op_kind_name(node->op);
            int id;
            cvk_status status =
                *node->out[k] ? cvk_graph_add_value(graph, node->out[k], &id) : CVK_OK;
            if (status)
                return cvk_fail_at(status, "node '%s' (%s)",
                                   cvk_onnx_label(op, node->name, node->out[0], label), op);
        }
    for (int i = 0; i < im->n_nodes; i++) CVK_TRY(cvk_onnx_add_node(graph, &im->nodes[i]));
    return CVK_OK;
}

static cvk_status add_outputs(const importer *im, cvk_graph *graph)
{
    if (!im->n_outputs) return cvk_fail(CVK_BAD_MODEL, "the model has no outputs");
    for (int i = 0; i < im->n_outputs; i++) {
        int id = cvk_graph_find(graph, im->outputs[i]);
        if (id < 0)
            return cvk_fail(CVK_BAD_MODEL, "nothing produces the output '%s'", im->outputs[i]);
        if (cvk_graph_is_output(graph, id))
            return cvk_fail(CVK_BAD_MODEL, "the output '%s' is given twice", im->outputs[i]);
        CVK_TRY(cvk_graph_add_output(graph, id));
    }
    return CVK_OK;
}

cvk_status cvk_onnx_import(const cvk_onnx_place *place, cvk_wire *wire, cvk_graph **graph)
{
    importer im = {.place = place, .wire = wire};
    CVK_TRY(read_model(&im));
    CVK_TRY(check_versions(&im));
    cvk_graph *made = cvk_graph_create(place->arena, im.name,
                                       im.opset < CVK_OPSET_MIN ? CVK_OPSET_MIN : (int)im.opset);
    if (!made) return CVK_NO_MEMORY;
    CVK_TRY(add_weights(&im, made));
    CVK_TRY(add_inputs(&im, made));
    CVK_TRY(add_nodes(&im, made));
    CVK_TRY(add_outputs(&im, made));
    CVK_TRY(cvk_graph_link(made));
    if (im.opset < CVK_OPSET_MIN) CVK_TRY(cvk_onnx_upgrade(made, (int)im.opset));
    for (int i = 0; i < made->n_nodes; i++) CVK_TRY(cvk_node_parse(made, &made->nodes[i]));
    *graph = made;
    return CVK_OK;
}
