/* SPDX-License-Identifier: Apache-2.0
 *
 * A model: a graph as loaded or built, in ONNX's operators, and its memory. Attributes are parsed
 * and shapes inferred as far as they are known, but node->params stay as parsed: whoever plans a
 * model clones the graph and infers the clone for the shapes at hand.
 */
#ifndef CVK_ONNX_MODEL_H
#define CVK_ONNX_MODEL_H

#include "graph/graph.h"

struct cvk_model {
    cvk_arena *arena; /* of the graph and everything in it, weights too */
    cvk_graph *graph;
};

const cvk_graph *cvk_model_graph(const cvk_model *model);

/* Frees it; NULL is fine. Plans keep nothing of a model: its weights are packed, its names copied. */
void cvk_model_release(cvk_model *model);

/* Behind the public functions of the same purpose (arguments are checked there). */
cvk_status cvk_model_make(const char *name, int opset, cvk_model **model);
cvk_status cvk_model_read_file(const char *path, cvk_model **model);
cvk_status cvk_model_read_bytes(const void *data, size_t bytes, cvk_model **model);
/* Without the data of large constants: see cvk_graph_require_data. */
cvk_status cvk_model_read_outline(const char *path, cvk_model **model);
cvk_status cvk_model_write_file(const cvk_model *model, const char *path);

cvk_status cvk_model_build_input(cvk_model *model, const cvk_tensor *tensor);
cvk_status cvk_model_build_constant(cvk_model *model, const cvk_tensor *tensor);
/* A constant without data: see cvk_graph_require_data. */
cvk_status cvk_model_build_declared(cvk_model *model, const cvk_tensor *tensor);
cvk_status cvk_model_build_output(cvk_model *model, const char *value);
cvk_status cvk_model_build_node(cvk_model *model, const char *op, const char *name,
                                const char *const *inputs, int n_inputs, const char *const *outputs,
                                int n_outputs, const cvk_attr *attrs, int n_attrs);

cvk_status cvk_model_summarise(const cvk_model *model, cvk_model_info *info);
/* dim_names may be NULL. */
void cvk_model_describe(const cvk_model *model, int value, cvk_tensor *tensor,
                        const char **dim_names);

#endif
