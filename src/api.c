/* SPDX-License-Identifier: Apache-2.0
 *
 * The door for tensors and models: checks arguments, forwards; no other logic. Devices and sessions
 * are in api_session.c.
 */
#include <convoke/convoke.h>
#include <stdlib.h>

#include "base/status.h"
#include "onnx/model.h"
#include "onnx/tensor_file.h"

#define CHECK(condition, what)                                                                     \
    do {                                                                                           \
        if (!(condition)) return cvk_fail(CVK_BAD_ARGUMENT, "%s: %s", __func__, what);             \
    } while (0)

const char *cvk_version(void)
{
    return CONVOKE_VERSION;
}

cvk_status cvk_tensor_load(const char *path, cvk_tensor *tensor)
{
    CHECK(path && tensor, "path and tensor must not be NULL");
    return cvk_tensor_read_file(path, tensor);
}

void cvk_tensor_free_data(cvk_tensor *tensor)
{
    if (!tensor) return;
    free(tensor->data);
    tensor->data = NULL;
}

cvk_status cvk_tensor_save_npy(const char *path, const cvk_tensor *tensor)
{
    CHECK(path && tensor, "path and tensor must not be NULL");
    CHECK(tensor->rank >= 0 && tensor->rank <= CVK_MAX_RANK, "the tensor's rank is out of range");
    CHECK(cvk_tensor_count(tensor) >= 0, "the tensor's shape is not known");
    CHECK(tensor->data || cvk_tensor_count(tensor) == 0, "the tensor has no data");
    return cvk_tensor_write_npy(path, tensor);
}

cvk_status cvk_model_load(const char *path, cvk_model **model)
{
    CHECK(path && model, "path and model must not be NULL");
    return cvk_model_read_file(path, model);
}

cvk_status cvk_model_load_outline(const char *path, cvk_model **model)
{
    CHECK(path && model, "path and model must not be NULL");
    return cvk_model_read_outline(path, model);
}

cvk_status cvk_model_parse(const void *data, size_t bytes, cvk_model **model)
{
    CHECK(data && model, "data and model must not be NULL");
    return cvk_model_read_bytes(data, bytes, model);
}

cvk_status cvk_model_save(const cvk_model *model, const char *path)
{
    CHECK(model && path, "model and path must not be NULL");
    return cvk_model_write_file(model, path);
}

void cvk_model_free(cvk_model **model)
{
    if (!model) return;
    cvk_model_release(*model);
    *model = NULL;
}

cvk_status cvk_model_get_info(const cvk_model *model, cvk_model_info *info)
{
    CHECK(model && info, "model and info must not be NULL");
    return cvk_model_summarise(model, info);
}

cvk_status cvk_model_input(const cvk_model *model, int index, cvk_tensor *tensor,
                           const char **dim_names)
{
    CHECK(model && tensor, "model and tensor must not be NULL");
    const cvk_graph *graph = cvk_model_graph(model);
    CHECK(index >= 0 && index < graph->n_inputs, "the model has no input of that index");
    cvk_model_describe(model, graph->inputs[index], tensor, dim_names);
    return CVK_OK;
}

cvk_status cvk_model_output(const cvk_model *model, int index, cvk_tensor *tensor,
                            const char **dim_names)
{
    CHECK(model && tensor, "model and tensor must not be NULL");
    const cvk_graph *graph = cvk_model_graph(model);
    CHECK(index >= 0 && index < graph->n_outputs, "the model has no output of that index");
    cvk_model_describe(model, graph->outputs[index], tensor, dim_names);
    return CVK_OK;
}

cvk_status cvk_model_node(const cvk_model *model, int index, const char **op, const char **name)
{
    CHECK(model, "model must not be NULL");
    const cvk_graph *graph = cvk_model_graph(model);
    CHECK(index >= 0 && index < graph->n_nodes, "the model has no node of that index");
    if (op) *op = cvk_op_kind_name(graph->nodes[index].op);
    if (name) *name = graph->nodes[index].name;
    return CVK_OK;
}

cvk_status cvk_model_create(const char *name, int opset, cvk_model **model)
{
    CHECK(model, "model must not be NULL");
    return cvk_model_make(name, opset, model);
}

cvk_status cvk_model_add_input(cvk_model *model, const cvk_tensor *tensor)
{
    CHECK(model && tensor, "model and tensor must not be NULL");
    return cvk_model_build_input(model, tensor);
}

cvk_status cvk_model_add_constant(cvk_model *model, const cvk_tensor *tensor)
{
    CHECK(model && tensor, "model and tensor must not be NULL");
    return cvk_model_build_constant(model, tensor);
}

cvk_status cvk_model_declare_constant(cvk_model *model, const cvk_tensor *tensor)
{
    CHECK(model && tensor, "model and tensor must not be NULL");
    return cvk_model_build_declared(model, tensor);
}

cvk_status cvk_model_add_node(cvk_model *model, const char *op, const char *name,
                              const char *const *inputs, int n_inputs, const char *const *outputs,
                              int n_outputs, const cvk_attr *attrs, int n_attrs)
{
    CHECK(model && op, "model and op must not be NULL");
    CHECK(n_inputs >= 0 && n_outputs >= 0 && n_attrs >= 0, "counts must not be negative");
    CHECK((inputs || !n_inputs) && (outputs || !n_outputs) && (attrs || !n_attrs),
          "an array is NULL but has a count");
    return cvk_model_build_node(model, op, name, inputs, n_inputs, outputs, n_outputs, attrs,
                                n_attrs);
}

cvk_status cvk_model_set_output(cvk_model *model, const char *value)
{
    CHECK(model && value, "model and value must not be NULL");
    return cvk_model_build_output(model, value);
}

cvk_status cvk_model_value(const cvk_model *model, const char *name, cvk_tensor *tensor)
{
    CHECK(model && name && tensor, "model, name and tensor must not be NULL");
    int id = cvk_graph_find(cvk_model_graph(model), name);
    if (id < 0)
        return cvk_fail(CVK_BAD_ARGUMENT, "%s: the model has no tensor '%s'", __func__, name);
    cvk_model_describe(model, id, tensor, NULL);
    return CVK_OK;
}
