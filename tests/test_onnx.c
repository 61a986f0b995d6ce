/* SPDX-License-Identifier: Apache-2.0
 *
 * Models: built, saved, loaded, described; every form in which a file may hold a tensor. Arguments:
 * none. Exported models stay in OUT_DIR for onnx.checker.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model_checks.h"
#include "onnx/model.h"
#include "onnx/onnx.h"
#include "onnx_net.h"

static const char *value_name(const cvk_graph *graph, int id)
{
    return id < 0 ? "" : graph->values[id].name;
}

static void same_attr(const cvk_attr *a, const cvk_attr *b)
{
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->i, b->i);
    assert_memory_equal(&a->f, &b->f, sizeof a->f);
    if (a->kind == CVK_ATTR_STRING) assert_string_equal(a->s, b->s);
    assert_int_equal(a->count, b->count);
    if (a->kind == CVK_ATTR_INTS && a->count)
        assert_memory_equal(a->ints, b->ints, a->count * sizeof *a->ints);
    if (a->kind == CVK_ATTR_FLOATS && a->count)
        assert_memory_equal(a->floats, b->floats, a->count * sizeof *a->floats);
    if (a->kind == CVK_ATTR_TENSOR) same_tensor(a->tensor, b->tensor);
}

static void same_names(const cvk_graph *a, const int *ids, const cvk_graph *b, const int *others,
                       int count)
{
    for (int i = 0; i < count; i++)
        assert_string_equal(value_name(a, ids[i]), value_name(b, others[i]));
}

static void same_value(const cvk_value *a, const cvk_value *b)
{
    assert_int_equal(a->dtype, b->dtype);
    assert_int_equal(a->has_shape, b->has_shape);
    assert_int_equal(a->initializer, b->initializer);
    if (a->has_shape) assert_true(cvk_shape_equal(&a->shape, &b->shape));
    if (a->initializer) {
        cvk_tensor left = cvk_onnx_constant(a), right = cvk_onnx_constant(b);
        same_tensor(&left, &right);
    }
}

static void same_graph(const cvk_graph *a, const cvk_graph *b)
{
    assert_int_equal(a->opset, b->opset);
    assert_int_equal(a->n_nodes, b->n_nodes);
    assert_int_equal(a->n_values, b->n_values);
    assert_int_equal(a->n_inputs, b->n_inputs);
    assert_int_equal(a->n_outputs, b->n_outputs);
    same_names(a, a->inputs, b, b->inputs, a->n_inputs);
    same_names(a, a->outputs, b, b->outputs, a->n_outputs);
    for (int i = 0; i < a->n_values; i++) {
        int other = cvk_graph_find(b, a->values[i].name);
        assert_true(other >= 0);
        same_value(&a->values[i], &b->values[other]);
    }
    for (int i = 0; i < a->n_inputs; i++)
        for (int d = 0; d < CVK_MAX_RANK; d++) {
            const char *name = a->values[a->inputs[i]].dim_names[d],
                       *other = b->values[b->inputs[i]].dim_names[d];
            assert_string_equal(name ? name : "", other ? other : "");
        }
    for (int i = 0; i < a->n_nodes; i++) {
        const cvk_node *left = &a->nodes[i], *right = &b->nodes[i];
        assert_int_equal(left->op, right->op);
        assert_string_equal(left->name, right->name);
        assert_int_equal(left->n_in, right->n_in);
        assert_int_equal(left->n_out, right->n_out);
        same_names(a, left->in, b, right->in, left->n_in);
        same_names(a, left->out, b, right->out, left->n_out);
        assert_int_equal(left->n_attrs, right->n_attrs);
        for (int k = 0; k < left->n_attrs; k++) same_attr(&left->attrs[k], &right->attrs[k]);
    }
}

/* Saves, loads again and compares; the file stays. */
static void round_trip(const cvk_model *model, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, OUT_DIR "/%s", name);
    OK(cvk_model_save(model, path));
    cvk_model *again = NULL;
    OK(cvk_model_load(path, &again));
    same_graph(cvk_model_graph(model), cvk_model_graph(again));
    cvk_model_free(&again);
    assert_null(again);
}

static void test_build_and_describe(void **state)
{
    (void)state;
    cvk_model *model = NULL;
    OK(net_build(&model));
    cvk_model_info info;
    OK(cvk_model_get_info(model, &info));
    assert_string_equal(info.name, "small");
    assert_int_equal(info.opset, 13);
    assert_int_equal(info.nodes, 6);
    assert_int_equal(info.parameters, 4 * 27 + 4 + 5 * 64 + 5);
    assert_int_equal(info.weight_bytes, 4 * info.parameters);
    assert_int_equal(info.macs, 64 * 4 * 27 + 5 * 64);

    cvk_tensor tensor;
    OK(cvk_model_input(model, 0, &tensor, NULL));
    assert_string_equal(tensor.name, "image");
    assert_int_equal(tensor.dims[0], -1);
    OK(cvk_model_output(model, 0, &tensor, NULL));
    assert_int_equal(tensor.rank, 2);
    assert_int_equal(tensor.dims[1], 5);
    OK(cvk_model_value(model, "pool", &tensor));
    assert_int_equal(tensor.dims[1], 4);
    assert_int_equal(tensor.dims[3], 4);
    const char *op = NULL, *name = NULL;
    OK(cvk_model_node(model, 4, &op, &name));
    assert_string_equal(op, "Gemm");
    assert_string_equal(name, "fc");
    assert_int_equal(cvk_model_input(model, 1, &tensor, NULL), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_model_value(model, "nothing", &tensor), CVK_BAD_ARGUMENT);
    round_trip(model, "small.onnx");
    cvk_model_free(&model);
    cvk_model_free(&model);
    cvk_model_free(NULL);
}

/* The outline of a file says what the whole says. */
static void same_info(const char *path)
{
    cvk_model *whole = NULL, *outline = NULL;
    cvk_model_info a, b;
    OK(cvk_model_load(path, &whole));
    OK(cvk_model_load_outline(path, &outline));
    OK(cvk_model_get_info(whole, &a));
    OK(cvk_model_get_info(outline, &b));
    assert_string_equal(a.name, b.name);
    assert_int_equal(a.nodes, b.nodes);
    assert_int_equal(a.parameters, b.parameters);
    assert_int_equal(a.macs, b.macs);
    assert_int_equal(a.weight_bytes, b.weight_bytes);
    for (int i = 0; i < a.outputs; i++) {
        cvk_tensor x, y;
        OK(cvk_model_output(whole, i, &x, NULL));
        OK(cvk_model_output(outline, i, &y, NULL));
        assert_string_equal(x.name, y.name);
        assert_int_equal(x.rank, y.rank);
        for (int d = 0; d < x.rank; d++) assert_int_equal(x.dims[d], y.dims[d]);
    }
    cvk_model_free(&whole);
    cvk_model_free(&outline);
}

/* Weights above 4 KiB stay in the file. */
static void test_outline(void **state)
{
    (void)state;
    static float weights[64 * 1 * 5 * 5];
    cvk_model *model = NULL;
    cvk_device *device = NULL;
    cvk_session *session = NULL;
    cvk_tensor x = {.name = "x", .dtype = CVK_F32, .rank = 4, .dims = {1, 1, 8, 8}};
    cvk_tensor w = {
        .name = "w", .dtype = CVK_F32, .rank = 4, .dims = {64, 1, 5, 5}, .data = weights};
    const char *in[] = {"x", "w"}, *out[] = {"y"};
    OK(cvk_model_create("outline", 13, &model));
    OK(cvk_model_add_input(model, &x));
    OK(cvk_model_add_constant(model, &w));
    OK(cvk_model_add_node(model, "Conv", "conv", in, 2, out, 1, NULL, 0));
    OK(cvk_model_set_output(model, "y"));
    OK(cvk_model_save(model, OUT_DIR "/outline.onnx"));
    cvk_model_free(&model);
    same_info(OUT_DIR "/outline.onnx");
    OK(cvk_model_load_outline(OUT_DIR "/outline.onnx", &model));
    assert_int_equal(cvk_model_save(model, OUT_DIR "/never.onnx"), CVK_BAD_MODEL);
    OK(cvk_device_open("cpu", NULL, &device));
    assert_int_equal(cvk_session_create(model, &device, 1, NULL, &session), CVK_BAD_MODEL);
    assert_non_null(strstr(cvk_last_error(), "'w'"));
    assert_null(session);
    cvk_device_close(&device);
    cvk_model_free(&model);
    assert_int_equal(cvk_model_load_outline(OUT_DIR "/absent.onnx", &model), CVK_IO);
    assert_int_equal(cvk_model_load_outline(NULL, &model), CVK_BAD_ARGUMENT);
}

static void test_parse_equals_load(void **state)
{
    (void)state;
    size_t bytes = 0;
    cvk_model *model = NULL, *parsed = NULL;
    OK(net_build(&model));
    OK(cvk_model_save(model, OUT_DIR "/small.onnx"));
    unsigned char *data = net_slurp(OUT_DIR "/small.onnx", &bytes);
    assert_non_null(data);
    OK(cvk_model_parse(data, bytes, &parsed));
    free(data); /* nothing of it is kept */
    same_graph(cvk_model_graph(model), cvk_model_graph(parsed));
    cvk_model_free(&model);
    cvk_model_free(&parsed);
}

/* A call that fails says where and leaves the model as it was. */
static void test_build_mistakes(void **state)
{
    (void)state;
    cvk_model *model = NULL;
    OK(net_build(&model));
    const cvk_graph *graph = cvk_model_graph(model);
    int nodes = graph->n_nodes, values = graph->n_values;
    const char *missing = "nowhere", *taken = "relu", *fresh = "fresh";
    const char *conv_in[] = {"image", "fc_w"}, *add_in[] = {"image", "conv"};
    const cvk_attr kernel = {.name = "kernel_shape", .kind = CVK_ATTR_FLOAT, .f = 3};
    cvk_tensor zero = {.name = "zero", .dtype = CVK_F32, .rank = 2, .dims = {0, 4}};
    cvk_tensor huge = {.name = "huge", .dtype = CVK_F32, .rank = 2, .dims = {INT64_MAX, 4}};

    assert_int_equal(cvk_model_add_node(model, "Relu", "bad", &missing, 1, &fresh, 1, NULL, 0),
                     CVK_BAD_ARGUMENT);
    assert_non_null(strstr(cvk_last_error(), "nowhere"));
    assert_non_null(strstr(cvk_last_error(), "bad"));
    assert_int_equal(cvk_model_add_node(model, "Relu", "bad", &taken, 1, &taken, 1, NULL, 0),
                     CVK_BAD_ARGUMENT);
    assert_non_null(strstr(cvk_last_error(), "relu"));
    assert_int_equal(cvk_model_add_node(model, "Frobnicate", "bad", &taken, 1, &fresh, 1, NULL, 0),
                     CVK_UNSUPPORTED);
    assert_non_null(strstr(cvk_last_error(), "Frobnicate"));
    assert_int_equal(cvk_model_add_node(model, "Conv", "bad", &taken, 1, &fresh, 1, NULL, 0),
                     CVK_BAD_MODEL);
    assert_int_not_equal(cvk_model_add_node(model, "Conv", "bad", conv_in, 2, &fresh, 1, NULL, 0),
                         CVK_OK);
    assert_non_null(strstr(cvk_last_error(), "bad"));
    assert_int_equal(cvk_model_add_node(model, "Add", "bad", add_in, 2, &fresh, 1, NULL, 0),
                     CVK_SHAPE);
    assert_int_not_equal(
        cvk_model_add_node(model, "MaxPool", "bad", &taken, 1, &fresh, 1, &kernel, 1), CVK_OK);
    assert_int_equal(cvk_model_add_input(model, &zero), CVK_SHAPE);
    assert_int_equal(cvk_model_add_input(model, &huge), CVK_BAD_MODEL);
    assert_int_equal(cvk_model_declare_constant(model, &huge), CVK_BAD_MODEL);
    huge.name = taken;
    assert_int_equal(cvk_model_declare_constant(model, &huge), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_model_set_output(model, "nowhere"), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_model_set_output(model, "prob"), CVK_BAD_ARGUMENT);
    assert_int_equal(graph->n_nodes, nodes);
    assert_int_equal(graph->n_values, values);
    cvk_model_free(&model);
    assert_int_equal(cvk_model_create("old", 6, &model), CVK_BAD_ARGUMENT);
    assert_null(model);
}

static void test_null_arguments(void **state)
{
    (void)state;
    cvk_model *model = NULL;
    cvk_model_info info;
    assert_int_equal(cvk_model_load(NULL, &model), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_model_load("x", NULL), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_model_parse(NULL, 0, &model), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_model_get_info(NULL, &info), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_model_save(NULL, "x"), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_model_load(OUT_DIR "/absent.onnx", &model), CVK_IO);
    assert_non_null(strstr(cvk_last_error(), "absent.onnx"));
    assert_int_equal(cvk_model_load(OUT_DIR, &model), CVK_IO);
    assert_null(model);
}

/* ---- Forms of tensors: messages made by hand, loaded as initializers ---- */

static int save_graph(Onnx__GraphProto *graph, int version, const char *path)
{
    Onnx__ModelProto file = ONNX__MODEL_PROTO__INIT;
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets[] = {&opset};
    opset.has_version = 1;
    opset.version = version;
    file.has_ir_version = 1;
    file.ir_version = 7;
    file.n_opset_import = 1;
    file.opset_import = opsets;
    file.graph = graph;
    size_t bytes = onnx__model_proto__get_packed_size(&file);
    unsigned char *data = malloc(bytes);
    FILE *out = fopen(path, "wb");
    assert_true(data && out);
    onnx__model_proto__pack(&file, data);
    assert_int_equal(fwrite(data, 1, bytes, out), bytes);
    free(data);
    return fclose(out);
}

static void load_graph(Onnx__GraphProto *graph, int version, const char *path, cvk_model **model)
{
    assert_int_equal(save_graph(graph, version, path), 0);
    OK(cvk_model_load(path, model));
}

static void load_tensor(Onnx__TensorProto *tensor, const char *path, cvk_model **model)
{
    Onnx__TensorProto *tensors[] = {tensor};
    Onnx__GraphProto graph = ONNX__GRAPH_PROTO__INIT;
    Onnx__ValueInfoProto output = ONNX__VALUE_INFO_PROTO__INIT, *outputs[] = {&output};
    tensor->name = output.name = (char *)"t";
    tensor->has_data_type = 1;
    graph.n_initializer = graph.n_output = 1;
    graph.initializer = tensors;
    graph.output = outputs;
    load_graph(&graph, 13, path, model);
}

static void expect_tensor(Onnx__TensorProto *tensor, const void *want, size_t bytes)
{
    int64_t dims[] = {2, 2};
    cvk_model *model = NULL;
    tensor->n_dims = 2;
    tensor->dims = dims;
    load_tensor(tensor, OUT_DIR "/form.tmp", &model);
    const cvk_graph *graph = cvk_model_graph(model);
    const cvk_value *value = &graph->values[cvk_graph_find(graph, "t")];
    assert_int_equal(value->dtype, tensor->data_type);
    assert_memory_equal(value->data, want, bytes);
    cvk_model_free(&model);
}

static void test_typed_data(void **state)
{
    (void)state;
    float f[] = {1, -2, 3.5f, 0};
    double d[] = {1, -2, 3.5, 0};
    int64_t i64[] = {1, -2, INT64_MAX, INT64_MIN};
    uint64_t u64[] = {1, 2, UINT64_MAX, 0};
    int32_t small[] = {1, -2, 127, -128}, unsigned_small[] = {1, 2, 255, 0}, bools[] = {1, 0, 2, 0};
    int32_t halves[] = {0x3c00, 0xc000, 0x7bff, 0};
    int8_t want_i8[] = {1, -2, 127, -128};
    uint8_t want_u8[] = {1, 2, 255, 0}, want_bool[] = {1, 0, 1, 0};
    int16_t want_i16[] = {1, -2, 127, -128};
    uint16_t want_f16[] = {0x3c00, 0xc000, 0x7bff, 0};
    uint32_t want_u32[] = {1, 2, UINT32_MAX, 0};
    Onnx__TensorProto t = ONNX__TENSOR_PROTO__INIT;

    t.data_type = CVK_F32, t.n_float_data = 4, t.float_data = f;
    expect_tensor(&t, f, sizeof f);
    t = (Onnx__TensorProto)ONNX__TENSOR_PROTO__INIT, t.data_type = CVK_F64, t.n_double_data = 4,
    t.double_data = d;
    expect_tensor(&t, d, sizeof d);
    t = (Onnx__TensorProto)ONNX__TENSOR_PROTO__INIT, t.data_type = CVK_I64, t.n_int64_data = 4,
    t.int64_data = i64;
    expect_tensor(&t, i64, sizeof i64);
    t = (Onnx__TensorProto)ONNX__TENSOR_PROTO__INIT, t.data_type = CVK_U64, t.n_uint64_data = 4,
    t.uint64_data = u64;
    expect_tensor(&t, u64, sizeof u64);
    t.data_type = CVK_U32;
    expect_tensor(&t, want_u32, sizeof want_u32);
    t = (Onnx__TensorProto)ONNX__TENSOR_PROTO__INIT, t.data_type = CVK_I32, t.n_int32_data = 4,
    t.int32_data = small;
    expect_tensor(&t, small, sizeof small);
    t.data_type = CVK_I8;
    expect_tensor(&t, want_i8, sizeof want_i8);
    t.data_type = CVK_I16;
    expect_tensor(&t, want_i16, sizeof want_i16);
    t.data_type = CVK_U8, t.int32_data = unsigned_small;
    expect_tensor(&t, want_u8, sizeof want_u8);
    t.data_type = CVK_BOOL, t.int32_data = bools;
    expect_tensor(&t, want_bool, sizeof want_bool);
    t.data_type = CVK_F16, t.int32_data = halves;
    expect_tensor(&t, want_f16, sizeof want_f16);
}

static void test_external_data(void **state)
{
    (void)state;
    float f[] = {9, 9, 1, -2, 3.5f, 0};
    FILE *out = fopen(OUT_DIR "/weights.tmp", "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(f, sizeof *f, 6, out), 6);
    fclose(out);
    Onnx__StringStringEntryProto location = ONNX__STRING_STRING_ENTRY_PROTO__INIT,
                                 offset = location, length = location;
    Onnx__StringStringEntryProto *entries[] = {&location, &offset, &length};
    location.key = (char *)"location", location.value = (char *)"weights.tmp";
    offset.key = (char *)"offset", offset.value = (char *)"8";
    length.key = (char *)"length", length.value = (char *)"16";
    Onnx__TensorProto t = ONNX__TENSOR_PROTO__INIT;
    t.data_type = CVK_F32;
    t.has_data_location = 1;
    t.data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    t.external_data = entries;
    t.n_external_data = 3;
    expect_tensor(&t, f + 2, 16);
    t.n_external_data = 2; /* the length follows from the shape */
    expect_tensor(&t, f + 2, 16);
}

/* ---- Operator sets before 7 ---- */

/* x (2x3x4x5) -> Add b (3) from axis 1 -> PRelu slope (3) -> BatchNormalization, in operator set 6.
 */
static void test_old_operator_set(void **state)
{
    (void)state;
    static const char *const names[] = {"b", "slope", "scale", "shift", "mean", "var"};
    static const char *const ops[] = {"Add", "PRelu", "BatchNormalization"};
    float three[] = {1, 2, 3};
    int64_t dims[] = {3};
    Onnx__TensorProto weights[6], *weight[6];
    for (int i = 0; i < 6; i++) {
        onnx__tensor_proto__init(&weights[i]);
        weights[i].name = (char *)names[i];
        weights[i].has_data_type = 1, weights[i].data_type = CVK_F32;
        weights[i].n_dims = 1, weights[i].dims = dims;
        weights[i].n_float_data = 3, weights[i].float_data = three;
        weight[i] = &weights[i];
    }
    Onnx__AttributeProto axis = ONNX__ATTRIBUTE_PROTO__INIT, broadcast, is_test,
                         *add[] = {&axis, &broadcast};
    Onnx__AttributeProto *normalise[] = {&is_test};
    axis.has_type = axis.has_i = 1, axis.i = 1;
    axis.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
    broadcast = is_test = axis;
    axis.name = (char *)"axis", broadcast.name = (char *)"broadcast",
    is_test.name = (char *)"is_test";
    char *in[3][5] = {
        {(char *)"x", (char *)"b"},
        {(char *)"y0", (char *)"slope"},
        {(char *)"y1", (char *)"scale", (char *)"shift", (char *)"mean", (char *)"var"}};
    char *out[3][1] = {{(char *)"y0"}, {(char *)"y1"}, {(char *)"y2"}};
    Onnx__NodeProto nodes[3], *node[3];
    for (int i = 0; i < 3; i++) {
        onnx__node_proto__init(&nodes[i]);
        nodes[i].op_type = (char *)ops[i];
        nodes[i].n_input = i == 2 ? 5 : 2, nodes[i].input = in[i];
        nodes[i].n_output = 1, nodes[i].output = out[i];
        node[i] = &nodes[i];
    }
    nodes[0].n_attribute = 2, nodes[0].attribute = add;
    nodes[2].n_attribute = 1, nodes[2].attribute = normalise;
    Onnx__TensorShapeProto shape = ONNX__TENSOR_SHAPE_PROTO__INIT;
    Onnx__TensorShapeProto__Dimension dim[4], *dim_list[4];
    for (int i = 0; i < 4; i++) {
        onnx__tensor_shape_proto__dimension__init(&dim[i]);
        dim[i].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE,
        dim[i].dim_value = 2 + i;
        dim_list[i] = &dim[i];
    }
    shape.n_dim = 4, shape.dim = dim_list;
    Onnx__TypeProto__Tensor tensor = ONNX__TYPE_PROTO__TENSOR__INIT;
    tensor.has_elem_type = 1, tensor.elem_type = CVK_F32, tensor.shape = &shape;
    Onnx__TypeProto type = ONNX__TYPE_PROTO__INIT;
    type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE, type.tensor_type = &tensor;
    Onnx__ValueInfoProto input = ONNX__VALUE_INFO_PROTO__INIT, output = input, *inputs[] = {&input},
                         *outputs[] = {&output};
    input.name = (char *)"x", input.type = &type, output.name = (char *)"y2";
    Onnx__GraphProto graph = ONNX__GRAPH_PROTO__INIT;
    graph.n_node = 3, graph.node = node;
    graph.n_initializer = 6, graph.initializer = weight;
    graph.n_input = graph.n_output = 1, graph.input = inputs, graph.output = outputs;
    cvk_model *model = NULL;
    load_graph(&graph, 6, OUT_DIR "/old.tmp", &model);
    assert_int_equal(cvk_model_graph(model)->opset, 7);
    assert_int_equal(cvk_model_graph(model)->n_nodes, 5); /* two Unsqueeze nodes came in */
    cvk_tensor result;
    OK(cvk_model_output(model, 0, &result, NULL));
    assert_int_equal(result.rank, 4);
    assert_int_equal(result.dims[1], 3);
    assert_int_equal(cvk_model_graph(model)->nodes[4].n_attrs, 0);
    round_trip(model, "old.onnx");
    cvk_model_free(&model);
    axis.i = 2; /* 3 does not fit 4 */
    assert_int_equal(save_graph(&graph, 6, OUT_DIR "/old.tmp"), 0);
    assert_int_equal(cvk_model_load(OUT_DIR "/old.tmp", &model), CVK_SHAPE);
    axis.i = 4;
    assert_int_equal(save_graph(&graph, 6, OUT_DIR "/old.tmp"), 0);
    assert_int_equal(cvk_model_load(OUT_DIR "/old.tmp", &model), CVK_SHAPE);
    assert_non_null(strstr(cvk_last_error(), "Add_y0"));
}

/* ---- Files of trained networks, where they are present ---- */

static void test_shared_models(void **state)
{
    (void)state;
    DIR *folder = *SHARED_DIR ? opendir(SHARED_DIR "/models") : NULL;
    if (!folder) {
        print_message("skipped: no folder of trained models beside the repository\n");
        skip();
        return;
    }
    for (struct dirent *entry; (entry = readdir(folder));) {
        size_t length = strlen(entry->d_name);
        if (length < 5 || strcmp(entry->d_name + length - 5, ".onnx") != 0) continue;
        char path[1024];
        snprintf(path, sizeof path, SHARED_DIR "/models/%s", entry->d_name);
        cvk_model *model = NULL;
        cvk_status status = cvk_model_load(path, &model);
        if (status == CVK_UNSUPPORTED && strstr(cvk_last_error(), "operator 'QLinearConv'"))
            continue;
        if (status) fail_msg("%s", cvk_last_error());
        cvk_model_info info;
        OK(cvk_model_get_info(model, &info));
        print_message("%s: %d nodes, %llu parameters, %llu macs\n", entry->d_name, info.nodes,
                      (unsigned long long)info.parameters, (unsigned long long)info.macs);
        round_trip(model, entry->d_name);
        cvk_model_free(&model);
        same_info(path);
    }
    closedir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_build_and_describe),
        cmocka_unit_test(test_parse_equals_load),
        cmocka_unit_test(test_outline),
        cmocka_unit_test(test_build_mistakes),
        cmocka_unit_test(test_null_arguments),
        cmocka_unit_test(test_typed_data),
        cmocka_unit_test(test_external_data),
        cmocka_unit_test(test_old_operator_set),
        cmocka_unit_test(test_shared_models),
    };
    mkdir(OUT_DIR, 0777);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
