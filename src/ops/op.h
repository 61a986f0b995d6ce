/* SPDX-License-Identifier: Apache-2.0
 *
 * What an operator means, on no device. One exported descriptor per file in this folder.
 */
#ifndef CVK_OPS_OP_H
#define CVK_OPS_OP_H

#include "graph/graph.h"

/* What parse sees: the attributes as the model gives them, and the operator set. */
typedef struct cvk_attrs {
    const cvk_attr *items;
    int count;
    int opset;
    cvk_arena *arena; /* for what params point to */
    uint64_t *read;   /* bit i: item i was looked up (NULL: nobody asks) */
} cvk_attrs;

/* Each returns the attribute or the default; CVK_BAD_MODEL if it has another kind. */
cvk_status cvk_attrs_int(const cvk_attrs *attrs, const char *name, int64_t def, int64_t *value);
cvk_status cvk_attrs_float(const cvk_attrs *attrs, const char *name, float def, float *value);
cvk_status cvk_attrs_string(const cvk_attrs *attrs, const char *name, const char *def,
                            const char **value);
/* At most `capacity` ints; *count = -1 if the attribute is absent. */
cvk_status cvk_attrs_ints(const cvk_attrs *attrs, const char *name, int capacity, int64_t *values,
                          int *count);
const cvk_attr *cvk_attrs_find(const cvk_attrs *attrs, const char *name); /* NULL if absent */
/* A legal attribute without meaning here (of training, say): parse must look up or ignore every
 * attribute of its operator set, for a node with any other is refused. */
void cvk_attrs_ignore(const cvk_attrs *attrs, const char *name);
/* CVK_UNSUPPORTED with the name of the first attribute that was not looked up. */
cvk_status cvk_attrs_check_read(const cvk_attrs *attrs);
/* kernel_shape, strides, dilations, pads, auto_pad into a window (spatial stays 0 if none is
 * given). */
cvk_status cvk_attrs_window(const cvk_attrs *attrs, cvk_window *window);

#define CVK_ALL_BUT_FIRST (~UINT32_C(1)) /* for cvk_op.settings */

/* What schedule/lower.c makes of an operator, so that it need not name operators. What the kind
 * knows of params (params.h), such as act.kind, is in them before parse sees them. */
typedef enum cvk_form_kind {
    CVK_FORM_OWN, /* stays as it is */
    /* of tensors of any type */
    CVK_FORM_COPY,    /* Copy: elements only move (schedule/lower_copy.c) */
    CVK_FORM_CAST,    /* Cast to params->to */
    CVK_FORM_QUANT,   /* QConv or QMatMul (schedule/lower_quant.c) */
    CVK_FORM_SCATTER, /* ScatterElements of params */
    CVK_FORM_WITH_1,  /* Binary of the input and the number 1 of its type */
    CVK_FORM_BINARY,  /* Binary of params->kind; more than two inputs, of float32 only: a chain */
    /* of float32 tensors; other types stay as they are, but for a pool of 8-bit integers */
    CVK_FORM_DATA,        /* stays, with input 0 only, where infer had all others as constants */
    CVK_FORM_PAIR,        /* the same with inputs 0 and 1 */
    CVK_FORM_UNARY,       /* Unary of params->act, likewise */
    CVK_FORM_MEAN,        /* a chain of Binary ADD, then Unary LINEAR */
    CVK_FORM_REDUCE,      /* Reduce of params, or GlobalPool where it is one */
    CVK_FORM_POOL,        /* Pool of params; also of uint8 and int8 tensors */
    CVK_FORM_GLOBAL_POOL, /* GlobalPool of params */
    CVK_FORM_RESIZE,      /* Resize of params, with input 0 only */
    CVK_FORM_ROW_NORM,    /* RowNormalization of params */
    CVK_FORM_MEAN_VAR,    /* reductions and binary operations (schedule/lower_norm.c) */
    CVK_FORM_LP_NORM,     /* likewise */
    CVK_FORM_AFFINE,      /* Affine of scale, B, mean and var */
    CVK_FORM_EINSUM       /* MatMul, Copy or itself (schedule/lower_einsum.c) */
} cvk_form_kind;

/* QUANT: QConv of params (a cvk_conv_params) or QMatMul, and which inputs are what; x is input 0,
 * 0 says that the operator has no such input. */
typedef struct cvk_form_quant {
    cvk_op_kind to;
    int x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias;
} cvk_form_quant;

typedef struct cvk_form {
    cvk_form_kind kind;
    union {
        cvk_act_kind act;       /* UNARY */
        cvk_binary_kind binary; /* BINARY, WITH_1 */
        cvk_reduce_kind reduce; /* REDUCE */
        cvk_pool_kind pool;     /* POOL, GLOBAL_POOL */
        cvk_form_quant quant;   /* QUANT */
    };
} cvk_form;

typedef struct cvk_op {
    const char *name;                     /* ONNX name */
    int min_in, max_in, min_out, max_out; /* max -1: any number */
    size_t params_bytes;
    cvk_form form;

    /* Attributes into params (zeroed, but for what form knows). NULL: no attributes matter.
     * CVK_UNSUPPORTED for a legal value that Convoke does not do. Failures name the attribute; the
     * caller adds the node. */
    cvk_status (*parse)(const cvk_attrs *attrs, void *params);

    /* Output types and shapes from the inputs', and normalised params. in[i].data is NULL unless
     * the input is a constant; in[i].dtype is CVK_NONE for an absent optional input only. Where an
     * input's dims (-1) or rank (shape.rank = -1) are unknown, outputs stay as unknown as they
     * must. When all input shapes are known and the values that shapes depend on are constant,
     * outputs must be known, else CVK_SHAPE. Must be idempotent: it runs again on normalised params
     * with the same inputs. */
    cvk_status (*infer)(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out);

    /* The meaning, naively, on plain tensors of any type that ONNX allows here, accumulating in
     * double. Shapes are known, params normalised, out[i].data allocated; out[i].dtype CVK_NONE:
     * not wanted. */
    cvk_status (*reference)(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out);

    /* Multiply-adds, all shapes known. NULL: none. */
    uint64_t (*macs)(const void *params, const cvk_view *in, int n_in, const cvk_view *out);

    /* Elements that reference visits, all shapes known, where that grows faster than its tensors
     * and is no number of multiply-adds. NULL: it does not. in: the first 8 inputs at most. */
    uint64_t (*work)(const void *params, const cvk_view *in, int n_in, const cvk_view *out);

    /* Normalised params as words (ops/tell.h), complete: two nodes with the same words, shapes and
     * posts cost the same under a kernel row. Appends to text. NULL with params: of such a node no
     * row is tuned, see schedule/problem.c. */
    void (*tell)(const void *params, char *text, size_t size);

    uint32_t settings; /* bit i: input i (capped at 31) says how the operator works (sizes, limits,
                            scales), instead of being multiplied or added: no parameter of a model */
    bool needs_elements; /* looks at pixels or channels: nothing to say of an input 0 without any */
    bool shape_only;     /* nothing but the shape of input 0 matters: known as soon as that is */
    bool type_only;      /* of the inputs behind the first nothing but the type matters */
    bool alias;          /* the output is the first input's elements under another shape */
    bool internal;       /* not an ONNX operator: never imported */
} cvk_op;

const cvk_op *cvk_op_get(cvk_op_kind kind);            /* never NULL */
bool cvk_op_find(const char *name, cvk_op_kind *kind); /* ONNX operators only */

/* Wraps of the above for a node of a graph. Failures name the node. */
cvk_status cvk_node_parse(cvk_graph *graph, cvk_node *node); /* node->attrs -> node->params */
cvk_status cvk_node_infer(cvk_graph *graph,
                          cvk_node *node); /* sets dtype and shape of its outputs */
/* Runs the reference on views, then node->posts in double precision as well; the meaning of a fused
 * node, for tests and the host fallback. in: plain views, n_in of them. */
cvk_status cvk_node_reference(const cvk_node *node, const cvk_view *in, cvk_view *out);
uint64_t cvk_node_macs(const cvk_graph *graph, const cvk_node *node);
/* What the reference of a node without posts costs beyond a pass over its tensors; 0: nothing. */
uint64_t cvk_node_work(const cvk_graph *graph, const cvk_node *node);

/* y = f(x) for one element, in double. */
double cvk_act_apply(const cvk_act *act, double x);
double cvk_binary_apply(cvk_binary_kind kind, double a, double b);

/* Whole-graph inference: every node in order, folding nodes whose inputs are all constant (results
 * in the graph's arena, at most fold_limit_bytes each; 0: no folding). Nodes whose references would
 * take more than about a second in all (cvk_node_work, and elements made beyond those read) stay. */
cvk_status cvk_graph_infer(cvk_graph *graph, size_t fold_limit_bytes);
/* The same, but a constant behind DequantizeLinear stays the integers that it is. */
cvk_status cvk_graph_infer_quantised(cvk_graph *graph, size_t fold_limit_bytes);

/* The same without limits on bytes or time: computes a graph whose inputs all have data. Afterwards
 * each output has data and its shape; CVK_UNSUPPORTED names one that has not. */
cvk_status cvk_graph_evaluate(cvk_graph *graph);

#define X(Name) extern const cvk_op cvk_op_##Name;
#define XI(Name) extern const cvk_op cvk_op_##Name;
#include "graph/ops.def"
#undef X
#undef XI

#endif
