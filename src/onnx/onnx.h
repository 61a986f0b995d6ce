/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside this room: ONNX messages (protobuf-c, from onnx.proto) to and from plain data.
 * What other rooms may use is in model.h and tensor_file.h.
 */
#ifndef CVK_ONNX_ONNX_H
#define CVK_ONNX_ONNX_H

#include <onnx/onnx.pb-c.h>

#include "graph/graph.h"
#include "onnx/wire.h"

/* Operator sets of a graph; older ones are upgraded when read. */
enum { CVK_OPSET_MIN = 7, CVK_OPSET_MAX = 21, CVK_OPSET_DEFAULT = 13 };

/* Where the elements of tensors go, and where external data files are. */
typedef struct cvk_onnx_place {
    cvk_arena *arena;
    const char *folder; /* of the model, "" for the current one; NULL: the model has no file */
    size_t
        outline; /* 0: everything is read; else: initializers of more bytes stay where they are */
} cvk_onnx_place;

/* Element type of an ONNX number; CVK_UNSUPPORTED names the type. `what`, `name`: for the sentence.
 */
cvk_status cvk_onnx_dtype(int32_t type, const char *what, const char *name, cvk_dtype *dtype);

/* Checks that the known dimensions are not negative, and that their product in bytes fits. */
cvk_status cvk_onnx_check_dims(const char *what, const char *name, cvk_dtype dtype,
                               const int64_t *dims, size_t rank);

/* A tensor whose elements are in the message or beside the model; copies them to the arena. */
cvk_status cvk_onnx_tensor(const cvk_onnx_place *place, const Onnx__TensorProto *message,
                           cvk_tensor *tensor);
/* The next `bytes` bytes of a wire are a TensorProto: raw elements are read straight to the arena.
 * With place->outline, data may stay NULL where there are elements. */
cvk_status cvk_onnx_stream_tensor(const cvk_onnx_place *place, cvk_wire *wire, size_t bytes,
                                  cvk_tensor *tensor);
/* A message that points to the tensor's name and elements, which must outlive it. */
void cvk_onnx_tensor_message(const cvk_tensor *tensor, Onnx__TensorProto *message);

/* Attributes to and from messages. CVK_UNSUPPORTED for graphs, strings and other kinds. */
cvk_status cvk_onnx_attrs(const cvk_onnx_place *place, const Onnx__NodeProto *message,
                          cvk_attr **attrs, int *count);
cvk_status cvk_onnx_attr_messages(cvk_arena *arena, const cvk_node *node, Onnx__NodeProto *message);

/* The elements of a graph's constant as a tensor; data belongs to the graph. */
cvk_tensor cvk_onnx_constant(const cvk_value *value);

/* A node by the names of its values, as files and callers have it. An absent input or output is
 * NULL or "". */
typedef struct cvk_onnx_node {
    cvk_op_kind op;
    const char *name; /* may be NULL */
    const char *const *in, *const *out;
    int n_in, n_out;
    const cvk_attr *attrs; /* in the graph's arena */
    int n_attrs;
} cvk_onnx_node;

/* How sentences call a node: its name, else one made from its operator and first output. */
enum { CVK_NODE_LABEL = 128 };
const char *cvk_onnx_label(const char *op, const char *name, const char *output,
                           char label[CVK_NODE_LABEL]);

/* Operator `op` of `domain` ("" or "ai.onnx": ONNX's own), else CVK_UNSUPPORTED with both names. */
cvk_status cvk_onnx_operator(const char *op, const char *domain, const char *label,
                             cvk_op_kind *kind);

/* Adds a node whose values all exist. How many it may have, cvk_node_infer checks. */
cvk_status cvk_onnx_add_node(cvk_graph *graph, const cvk_onnx_node *node);

/* A whole model into a graph whose memory all comes from the arena. Nodes are sorted and their
 * attributes parsed; shapes are not inferred. */
cvk_status cvk_onnx_import(const cvk_onnx_place *place, cvk_wire *wire, cvk_graph **graph);

/* Rewrites a linked graph whose nodes are of operator set `opset` (1 to 6) for set 7. */
cvk_status cvk_onnx_upgrade(cvk_graph *graph, int opset);

/* Writes a graph of ONNX operators as a model. */
cvk_status cvk_onnx_export(const cvk_graph *graph, FILE *file);

#endif
