/* SPDX-License-Identifier: Apache-2.0
 *
 * Bad models: each gives a status and a sentence that names the node or the tensor.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>
#include <sys/stat.h>

#include <onnx/onnx.pb-c.h>

#include "model_checks.h"

/* ---- A model of two nodes as a message, for each test to spoil ----
 * in x (1x4) -> Relu 'first' -> y -> Add 'second' with weight w (4) -> z */

typedef struct spoilt {
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
    Onnx__OperatorSetIdProto opset, *opsets[3];
    Onnx__NodeProto node[2], *nodes[2];
    Onnx__TensorProto weight, *weights[2];
    Onnx__ValueInfoProto input, output, *inputs[2], *outputs[2];
    Onnx__TypeProto type;
    Onnx__TypeProto__Tensor tensor;
    Onnx__TensorShapeProto shape;
    Onnx__TensorShapeProto__Dimension dim[9], *dims[9];
    Onnx__AttributeProto attr, *attrs[2];
    char *first_in[1], *first_out[1], *second_in[3], *second_out[1];
    int64_t weight_dims[9];
    float elements[4];
} spoilt;

static void make_nodes(spoilt *s)
{
    s->first_in[0] = (char *)"x";
    s->first_out[0] = s->second_in[0] = (char *)"y";
    s->second_in[1] = (char *)"w";
    s->second_out[0] = (char *)"z";
    for (int i = 0; i < 2; i++) {
        onnx__node_proto__init(&s->node[i]);
        s->node[i].n_input = 1 + (size_t)i;
        s->node[i].n_output = 1;
        s->node[i].input = i ? s->second_in : s->first_in;
        s->node[i].output = i ? s->second_out : s->first_out;
        s->node[i].name = (char *)(i ? "second" : "first");
        s->node[i].op_type = (char *)(i ? "Add" : "Relu");
        s->nodes[i] = &s->node[i];
    }
    onnx__attribute_proto__init(&s->attr);
    s->attr.name = (char *)"alpha";
    s->attr.has_type = 1;
    s->attrs[0] = s->attrs[1] = &s->attr;
}

static void make_tensors(spoilt *s)
{
    onnx__tensor_proto__init(&s->weight);
    s->weight_dims[0] = 4;
    s->weight.name = (char *)"w";
    s->weight.n_dims = 1;
    s->weight.dims = s->weight_dims;
    s->weight.has_data_type = s->weight.has_raw_data = 1;
    s->weight.data_type = CVK_F32;
    s->weight.raw_data.data = (uint8_t *)s->elements;
    s->weight.raw_data.len = sizeof s->elements;
    s->weights[0] = s->weights[1] = &s->weight;
    onnx__value_info_proto__init(&s->input);
    onnx__value_info_proto__init(&s->output);
    onnx__type_proto__init(&s->type);
    onnx__type_proto__tensor__init(&s->tensor);
    onnx__tensor_shape_proto__init(&s->shape);
    for (int i = 0; i < 9; i++) {
        onnx__tensor_shape_proto__dimension__init(&s->dim[i]);
        s->dim[i].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        s->dim[i].dim_value = i == 1 ? 4 : 1;
        s->dims[i] = &s->dim[i];
    }
    s->shape.n_dim = 2;
    s->shape.dim = s->dims;
    s->tensor.has_elem_type = 1;
    s->tensor.elem_type = CVK_F32;
    s->tensor.shape = &s->shape;
    s->type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    s->type.tensor_type = &s->tensor;
    s->input.name = (char *)"x";
    s->output.name = (char *)"z";
    s->input.type = s->output.type = &s->type;
    s->inputs[0] = s->inputs[1] = &s->input;
    s->outputs[0] = s->outputs[1] = &s->output;
}

static void make(spoilt *s)
{
    memset(s, 0, sizeof *s);
    make_nodes(s);
    make_tensors(s);
    onnx__graph_proto__init(&s->graph);
    s->graph.name = (char *)"graph";
    s->graph.n_node = 2;
    s->graph.node = s->nodes;
    s->graph.n_initializer = s->graph.n_input = s->graph.n_output = 1;
    s->graph.initializer = s->weights;
    s->graph.input = s->inputs;
    s->graph.output = s->outputs;
    onnx__operator_set_id_proto__init(&s->opset);
    s->opset.has_version = 1;
    s->opset.version = 13;
    s->opsets[0] = &s->opset;
    onnx__model_proto__init(&s->model);
    s->model.has_ir_version = 1;
    s->model.ir_version = 7;
    s->model.n_opset_import = 1;
    s->model.opset_import = s->opsets;
    s->model.graph = &s->graph;
}

static cvk_status parse(const spoilt *s)
{
    size_t bytes = onnx__model_proto__get_packed_size(&s->model);
    unsigned char *data = malloc(bytes);
    assert_non_null(data);
    onnx__model_proto__pack(&s->model, data);
    cvk_status status = parse_bytes(data, bytes);
    free(data);
    return status;
}

#define EXPECT(s, want, words) judge(parse(s), want, words)

static void test_good(void **state)
{
    (void)state;
    spoilt s;
    make(&s);
    assert_int_equal(parse(&s), CVK_OK);
    s.node[1].domain = (char *)"ai.onnx";
    assert_int_equal(parse(&s), CVK_OK);
    s.nodes[0] = &s.node[1], s.nodes[1] = &s.node[0]; /* order in the file does not matter */
    assert_int_equal(parse(&s), CVK_OK);
    s.model.ir_version = 3; /* the weight is an input too */
    Onnx__ValueInfoProto weight = s.input;
    weight.name = (char *)"w";
    s.inputs[1] = &weight, s.graph.n_input = 2;
    assert_int_equal(parse(&s), CVK_OK);
}

static void test_versions(void **state)
{
    (void)state;
    spoilt s;
    make(&s);
    s.opset.version = 0;
    EXPECT(&s, CVK_UNSUPPORTED, "operator set 0,1 to 21");
    s.opset.version = 22;
    EXPECT(&s, CVK_UNSUPPORTED, "operator set 22,1 to 21");
    s.opset.domain = (char *)"com.example";
    EXPECT(&s, CVK_BAD_MODEL, "operator set");
    make(&s);
    s.model.ir_version = 2;
    EXPECT(&s, CVK_UNSUPPORTED, "IR version 2");
    s.model.ir_version = -1;
    EXPECT(&s, CVK_UNSUPPORTED, "IR version");
    s.model.has_ir_version = 0;
    EXPECT(&s, CVK_BAD_MODEL, "not an ONNX file");
    make(&s);
    s.model.graph = NULL;
    EXPECT(&s, CVK_BAD_MODEL, "not an ONNX file");
}

/* What other exporters and newer versions put into a file. */
static void test_domains(void **state)
{
    (void)state;
    spoilt s;
    make(&s);
    s.model.ir_version = 10, s.opset.version = 21;
    s.opset.domain = (char *)"ai.onnx";
    Onnx__OperatorSetIdProto other = s.opset, third = s.opset;
    other.domain = (char *)"com.example", other.version = 99;
    third.domain = (char *)"ai.onnx.ml", third.version = 3;
    s.opsets[0] = &other, s.opsets[1] = &s.opset, s.opsets[2] = &third;
    s.model.n_opset_import = 3;
    assert_int_equal(parse(&s), CVK_OK);
    s.node[0].domain = (char *)"ai.onnx.ml";
    EXPECT(&s, CVK_UNSUPPORTED, "'first','Relu','ai.onnx.ml'");
    make(&s);
    Onnx__FunctionProto function = ONNX__FUNCTION_PROTO__INIT, *functions[] = {&function};
    function.name = (char *)"Block", function.domain = (char *)"com.example";
    s.model.functions = functions, s.model.n_functions = 1; /* unused, it does no harm */
    assert_int_equal(parse(&s), CVK_OK);
    s.node[0].op_type = (char *)"Block", s.node[0].domain = (char *)"com.example";
    EXPECT(&s, CVK_UNSUPPORTED, "'first','Block','com.example'");
    make(&s);
    uint8_t text[] = {3, 'n', 'e', 'w'};
    ProtobufCMessageUnknownField field = {
        .tag = 900, .wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, .len = 4, .data = text};
    ProtobufCMessage *messages[] = {&s.model.base, &s.graph.base, &s.node[1].base, &s.weight.base,
                                    &s.input.base};
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
        messages[i]->n_unknown_fields = 1, messages[i]->unknown_fields = &field;
    assert_int_equal(parse(&s), CVK_OK);
}

static void test_nodes(void **state)
{
    (void)state;
    spoilt s;
    make(&s);
    s.node[1].op_type = (char *)"Foo";
    EXPECT(&s, CVK_UNSUPPORTED, "'second','Foo','ai.onnx'");
    s.node[1].op_type = (char *)"Add", s.node[1].domain = (char *)"com.example";
    EXPECT(&s, CVK_UNSUPPORTED, "'second','Add','com.example'");
    s.node[1].op_type = NULL, s.node[1].domain = NULL;
    EXPECT(&s, CVK_UNSUPPORTED, "'second'");
    s.node[1].op_type = (char *)"Reorder"; /* ours alone, not ONNX's */
    EXPECT(&s, CVK_UNSUPPORTED, "'second','Reorder'");
    make(&s);
    s.first_in[0] = (char *)"z"; /* first reads second's output */
    EXPECT(&s, CVK_BAD_MODEL, "cycle");
    s.first_in[0] = (char *)"y";
    EXPECT(&s, CVK_BAD_MODEL, "'first',cycle");
    s.first_in[0] = (char *)"nowhere";
    EXPECT(&s, CVK_BAD_MODEL, "'first','nowhere'");
    s.first_in[0] = (char *)"";
    EXPECT(&s, CVK_BAD_MODEL, "'first',input");
    make(&s);
    s.second_out[0] = (char *)"y"; /* two producers */
    EXPECT(&s, CVK_BAD_MODEL, "'second','y'");
    s.second_out[0] = (char *)"x"; /* an input's name */
    EXPECT(&s, CVK_BAD_MODEL, "'second','x'");
    s.second_out[0] = (char *)"w"; /* an initializer's name */
    EXPECT(&s, CVK_BAD_MODEL, "'second','w'");
    make(&s);
    s.node[1].n_input = 1;
    EXPECT(&s, CVK_BAD_MODEL, "'second',1 input");
    s.second_in[2] = (char *)"x", s.node[1].n_input = 3;
    EXPECT(&s, CVK_BAD_MODEL, "'second',3 inputs");
    s.node[1].n_input = 2, s.node[1].n_output = 0;
    EXPECT(&s, CVK_BAD_MODEL, "'z'");
}

static void test_attributes(void **state)
{
    (void)state;
    spoilt s;
    make(&s);
    s.node[0].op_type = (char *)"LeakyRelu";
    s.node[0].n_attribute = 1, s.node[0].attribute = s.attrs;
    s.attr.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT, s.attr.has_f = 1, s.attr.f = 0.1f;
    assert_int_equal(parse(&s), CVK_OK);
    s.node[0].n_attribute = 2;
    EXPECT(&s, CVK_BAD_MODEL, "'first','alpha',twice");
    s.node[0].n_attribute = 1;
    s.attr.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
    EXPECT(&s, CVK_BAD_MODEL, "'first','alpha'");
    s.attr.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH;
    EXPECT(&s, CVK_UNSUPPORTED, "'first','alpha',graph");
    s.attr.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS;
    EXPECT(&s, CVK_UNSUPPORTED, "'first','alpha',strings");
    s.attr.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR;
    EXPECT(&s, CVK_BAD_MODEL, "'first','alpha'");
    s.attr.type = (Onnx__AttributeProto__AttributeType)99;
    EXPECT(&s, CVK_BAD_MODEL, "'first','alpha',99");
    s.attr.ref_attr_name = (char *)"slope";
    EXPECT(&s, CVK_BAD_MODEL, "'first','alpha',function");
    s.attr.name = (char *)"";
    EXPECT(&s, CVK_BAD_MODEL, "'first',name");
}

static void test_weights(void **state)
{
    (void)state;
    spoilt s;
    make(&s);
    s.weight.raw_data.len = 12;
    EXPECT(&s, CVK_BAD_MODEL, "'w',16 bytes,12");
    s.weight.raw_data.len = 16, s.weight_dims[0] = 3; /* longer than its shape */
    EXPECT(&s, CVK_BAD_MODEL, "'w',12 bytes,16");
    s.weight_dims[0] = -4;
    EXPECT(&s, CVK_BAD_MODEL, "'w',negative");
    s.weight_dims[0] = s.weight_dims[1] = INT64_MAX / 2, s.weight.n_dims = 2;
    EXPECT(&s, CVK_BAD_MODEL, "'w',overflow");
    s.weight_dims[0] = 0; /* the product is zero, but strides would overflow */
    s.weight_dims[2] = 8, s.weight.n_dims = 3;
    EXPECT(&s, CVK_BAD_MODEL, "'w',overflow");
    s.weight_dims[0] = INT64_MAX / 8, s.weight.n_dims = 1;
    EXPECT(&s, CVK_BAD_MODEL, "'w',16");
    for (int i = 0; i < 9; i++) s.weight_dims[i] = 1;
    s.weight.n_dims = 9;
    EXPECT(&s, CVK_UNSUPPORTED, "'w',9 dimensions");
    make(&s);
    s.weight.has_raw_data = 0;
    EXPECT(&s, CVK_BAD_MODEL, "'w',4 elements,0");
    s.weight.float_data = s.elements, s.weight.n_float_data = 3;
    EXPECT(&s, CVK_BAD_MODEL, "'w',4 elements,3");
    make(&s);
    s.weight.data_type = ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16;
    EXPECT(&s, CVK_UNSUPPORTED, "'w',bfloat16");
    s.weight.data_type = ONNX__TENSOR_PROTO__DATA_TYPE__STRING;
    EXPECT(&s, CVK_UNSUPPORTED, "'w',string");
    s.weight.data_type = 0;
    EXPECT(&s, CVK_BAD_MODEL, "'w',type");
    s.weight.data_type = -7;
    EXPECT(&s, CVK_UNSUPPORTED, "'w',-7");
    make(&s);
    s.graph.n_initializer = 2; /* two of one name */
    EXPECT(&s, CVK_BAD_MODEL, "'w'");
    s.graph.n_initializer = 1, s.weight.name = NULL;
    EXPECT(&s, CVK_BAD_MODEL, "name");
    make(&s);
    Onnx__SparseTensorProto sparse = ONNX__SPARSE_TENSOR_PROTO__INIT, *sparses[] = {&sparse};
    s.graph.n_sparse_initializer = 1, s.graph.sparse_initializer = sparses;
    EXPECT(&s, CVK_UNSUPPORTED, "sparse");
}

static void test_external(void **state)
{
    (void)state;
    static const char *const outside[] = {"../w.bin", "/etc/hostname", "a/../../w.bin", "a/.."};
    Onnx__StringStringEntryProto location = ONNX__STRING_STRING_ENTRY_PROTO__INIT,
                                 offset = location;
    Onnx__StringStringEntryProto *entries[] = {&location, &offset};
    spoilt s;
    make(&s);
    s.weight.has_data_location = 1,
    s.weight.data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    EXPECT(&s, CVK_BAD_MODEL, "'w',location");
    s.weight.n_external_data = 1, s.weight.external_data = entries;
    location.key = (char *)"location", location.value = (char *)"w.bin";
    EXPECT(&s, CVK_IO, "'w',w.bin");
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        location.value = (char *)outside[i];
        EXPECT(&s, CVK_BAD_MODEL, "'w',outside");
    }
    s.weight.n_external_data = 2, offset.key = (char *)"offset", offset.value = (char *)"-1";
    EXPECT(&s, CVK_BAD_MODEL, "'w',offset");
}

static void test_external_files(void **state)
{
    (void)state;
    Onnx__StringStringEntryProto location = ONNX__STRING_STRING_ENTRY_PROTO__INIT,
                                 *entries[] = {&location};
    spoilt s;
    make(&s);
    location.key = (char *)"location", location.value = (char *)"short.tmp";
    s.weight.has_data_location = 1,
    s.weight.data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    s.weight.n_external_data = 1, s.weight.external_data = entries;
    unsigned char data[4096];
    size_t bytes = onnx__model_proto__pack(&s.model, data);
    for (size_t have = 0; have <= 16; have += 8) {
        cvk_model *model = NULL;
        FILE *out = fopen(OUT_DIR "/external.tmp", "wb"),
             *weights = fopen(OUT_DIR "/short.tmp", "wb");
        assert_true(out && weights);
        assert_int_equal(fwrite(data, 1, bytes, out), bytes);
        assert_int_equal(fwrite(data, 1, have, weights), have);
        fclose(out);
        fclose(weights);
        cvk_status status = cvk_model_load(OUT_DIR "/external.tmp", &model);
        if (have < 16) judge(status, CVK_BAD_MODEL, "'w',short.tmp,16 bytes");
        if (have == 16) assert_int_equal(status, CVK_OK);
        cvk_model_free(&model);
    }
    remove(OUT_DIR "/short.tmp");
    cvk_model *model = NULL;
    judge(cvk_model_load(OUT_DIR "/external.tmp", &model), CVK_IO, "'w',short.tmp");
}

static void test_ports(void **state)
{
    (void)state;
    spoilt s;
    make(&s);
    s.output.name = (char *)"nowhere";
    EXPECT(&s, CVK_BAD_MODEL, "'nowhere'");
    s.graph.n_output = 0;
    EXPECT(&s, CVK_BAD_MODEL, "no outputs");
    make(&s);
    s.graph.n_output = 2;
    EXPECT(&s, CVK_BAD_MODEL, "'z',twice");
    make(&s);
    s.graph.n_input = 2;
    EXPECT(&s, CVK_BAD_MODEL, "'x'");
    s.graph.n_input = 0;
    EXPECT(&s, CVK_BAD_MODEL, "'first','x'");
    make(&s);
    s.input.type = NULL;
    EXPECT(&s, CVK_BAD_MODEL, "'x',type");
    make(&s);
    Onnx__TypeProto__Sequence sequence = ONNX__TYPE_PROTO__SEQUENCE__INIT;
    Onnx__TypeProto type = ONNX__TYPE_PROTO__INIT;
    type.value_case = ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE, type.sequence_type = &sequence;
    s.input.type = &type;
    EXPECT(&s, CVK_UNSUPPORTED, "'x',sequence");
    make(&s);
    s.tensor.elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__STRING;
    EXPECT(&s, CVK_UNSUPPORTED, "'x',string");
    make(&s);
    s.shape.n_dim = 9;
    EXPECT(&s, CVK_UNSUPPORTED, "'x',9 dimensions");
    make(&s);
    s.dim[0].dim_value = s.dim[1].dim_value = INT64_MAX / 2;
    EXPECT(&s, CVK_BAD_MODEL, "'x',overflow");
    make(&s);
    s.dim[1].dim_value = 5; /* 1x5 and 4 do not broadcast */
    EXPECT(&s, CVK_SHAPE, "'second'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),       cmocka_unit_test(test_versions),
        cmocka_unit_test(test_domains),    cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_attributes), cmocka_unit_test(test_weights),
        cmocka_unit_test(test_external),   cmocka_unit_test(test_external_files),
        cmocka_unit_test(test_ports),
    };
    mkdir(OUT_DIR, 0777);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
