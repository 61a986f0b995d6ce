/* SPDX-License-Identifier: Apache-2.0
 *
 * What a network is, as plain data: values (tensors, by number) and nodes in topological order. All
 * memory comes from one arena. The importer fills a graph; schedule rewrites a clone of it.
 */
#ifndef CVK_GRAPH_GRAPH_H
#define CVK_GRAPH_GRAPH_H

#include "base/arena.h"
#include "base/status.h"
#include "graph/params.h"
#include "graph/shape.h"

typedef enum cvk_op_kind {
#define X(Name) CVK_OP_##Name,
#define XI(Name) CVK_OP_##Name,
#include "graph/ops.def"
#undef X
#undef XI
    CVK_OP_COUNT
} cvk_op_kind;

/* A value. Ids are indices into graph->values and stay valid for the life of the graph. */
typedef struct cvk_value {
    const char *name; /* unique, never NULL */
    cvk_dtype dtype;  /* CVK_NONE until known */
    bool has_shape;   /* the rank is known; single dims may still be -1 */
    cvk_shape shape;
    const char *dim_names[CVK_MAX_RANK]; /* of free dimensions; may be NULL */
    const void *data; /* a constant's elements, plain layout; NULL: computed or an input */
    bool
        initializer; /* data came with the model (a weight), not from folding; with data NULL it was
                         declared only */
    int producer;    /* node index; -1: input or constant. Kept by cvk_graph_link */
    cvk_layout layout;
    int device; /* schedule: memory space, see schedule/plan.h */
} cvk_value;

/* What follows in the same kernel, in order. A pool stands last and at most once. */
typedef enum cvk_post_kind {
    CVK_POST_ADD = 1,
    CVK_POST_ACT,
    CVK_POST_PRELU,
    CVK_POST_POOL,
    CVK_POST_QADD
} cvk_post_kind;
typedef struct cvk_post {
    cvk_post_kind kind;
    int input;            /* ADD: index into node->in of the residual, same shape and layout as the
                             result so far; PRELU: of the slope, one per channel (C elements) or 1;
                             QADD: of the residual, same shape, uint8 or int8 */
    cvk_act act;          /* ACT */
    cvk_pool_params pool; /* POOL */
    cvk_qbinary_params qadd; /* QADD, of QConv and QMatMul: cvk_qbinary(result so far, residual) */
    const char *name;        /* of the model's node, for describe */
    cvk_op_kind op;          /* as the model had it */
} cvk_post;
enum { CVK_MAX_POSTS = 4 };

/* Whether the post reads node->in[post->input]. */
static inline bool cvk_post_has_input(const cvk_post *post)
{
    return post->kind == CVK_POST_ADD || post->kind == CVK_POST_PRELU ||
           post->kind == CVK_POST_QADD;
}

/* What happens to the node's first input on its way in: x scale[c] + shift[c], then act; or, with a
 * gate, x gate[n][c]. Zeros that pad the input are added behind it. */
typedef struct cvk_pre {
    bool on;
    int scale, shift; /* indices into node->in: constants, one number per channel of in[0] */
    int gate;         /* index into node->in: computed, of shape (N, C, 1, 1); 0: none */
    cvk_act act;
    const char *name; /* for describe */
} cvk_pre;

/* Whether the prologue reads node->in[i]. */
static inline bool cvk_pre_reads(const cvk_pre *pre, int i)
{
    return pre->on && (pre->gate ? i == pre->gate : i == pre->scale || i == pre->shift);
}

typedef struct cvk_node {
    cvk_op_kind op;
    const char *name; /* never NULL; made up from op and output if the model has none */
    int n_in, n_out;
    int *in, *out; /* value ids; in[i] = -1: absent optional input */
    void *params;  /* the struct of graph/params.h for op; NULL if it has none */
    size_t params_bytes;
    const cvk_attr *attrs; /* as the model gave them, for export; arena-owned */
    int n_attrs;
    cvk_pre pre;
    int n_posts;
    cvk_post posts[CVK_MAX_POSTS];
    cvk_shape conv_shape;  /* with a POOL post: shape of the result before the pool */
    const char *members;   /* names of the model's nodes in this one, comma separated; NULL: name */
    const char *within;    /* what else its parameters do, for describe: "Relu"; NULL: nothing */
    const char *note;      /* what schedule has to say about it: why a fusion was declined */
    double weights_rel_l2; /* schedule/precision: the constant weights' distance from the model's */
    int device;            /* schedule/place: index of the device; -1: host */
    int variant;           /* place: which of its row's ways, see cvk_kernel */
    double tuned_ms;       /* place: of its row, where the tuner has measured it; else 0 */
    double tolerance;      /* relative L2 error that the caller allows it; 0: what float32 needs */
} cvk_node;

typedef struct cvk_graph {
    cvk_arena *arena; /* not owned */
    const char *name;
    int opset;
    cvk_value *values;
    int n_values, values_capacity;
    cvk_node *nodes;
    int n_nodes, nodes_capacity;
    int *inputs, n_inputs, inputs_capacity;
    int *outputs, n_outputs, outputs_capacity;
    int *table, table_size; /* hash of names -> value id */
} cvk_graph;

cvk_graph *cvk_graph_create(cvk_arena *arena, const char *name,
                            int opset); /* NULL: out of memory */

/* A copy in another arena; constants' data and strings are shared with the original when
 * share_data, else copied too. */
cvk_graph *cvk_graph_clone(cvk_arena *arena, const cvk_graph *graph, bool share_data);

/* A deep copy of attributes in `arena`; NULL: out of memory. */
cvk_attr *cvk_attrs_clone(cvk_arena *arena, const cvk_attr *attrs, int count);

/* Adds a value called `name` (copied); CVK_BAD_MODEL if the name is taken. */
cvk_status cvk_graph_add_value(cvk_graph *graph, const char *name, int *id);
/* Adds a value with a name of the graph's own making that begins with `stem`. */
cvk_status cvk_graph_add_temp(cvk_graph *graph, const char *stem, int *id);
/* The same with a type and a shape, which may be that of another value of the graph. */
cvk_status cvk_graph_add_temp_of(cvk_graph *graph, const char *stem, cvk_dtype dtype,
                                 const cvk_shape *shape, int *id);
int cvk_graph_find(const cvk_graph *graph, const char *name); /* -1 if there is none */

/* Adds a node at the end; in and out are copied, *node is valid until the next add. params starts
 * zeroed with params_bytes bytes. */
cvk_status cvk_graph_add_node(cvk_graph *graph, cvk_op_kind op, const char *name, const int *in,
                              int n_in, const int *out, int n_out, size_t params_bytes,
                              cvk_node **node);
cvk_status cvk_graph_add_input(cvk_graph *graph, int value);
cvk_status cvk_graph_add_output(cvk_graph *graph, int value);

/* Sorts nodes topologically and sets producers. CVK_BAD_MODEL names a node on a cycle, or one with
 * an input that nothing produces, or a value with two producers. */
cvk_status cvk_graph_link(cvk_graph *graph);

/* How many nodes read each value (graph outputs count once more); uses must hold n_values. */
void cvk_graph_count_uses(const cvk_graph *graph, int *uses);

/* Drops nodes whose outputs nobody uses, and renumbers producers. */
cvk_status cvk_graph_prune(cvk_graph *graph);

/* CVK_BAD_MODEL names a constant that was declared without data, if there is one. */
cvk_status cvk_graph_require_data(const cvk_graph *graph);

bool cvk_graph_is_output(const cvk_graph *graph, int value);

/* A view of a value: data is NULL unless constant. id -1 gives the absent view. */
cvk_view cvk_graph_view(const cvk_graph *graph, int id);
/* Bytes of a value in memory, block padding included. */
size_t cvk_graph_value_bytes(const cvk_graph *graph, int id);

const char *cvk_op_kind_name(cvk_op_kind op); /* "Conv" */
const char *cvk_act_name(cvk_act_kind kind);
const char *cvk_binary_name(cvk_binary_kind kind);

#endif
