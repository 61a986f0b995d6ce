/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests of src/ops: a graph built in a few calls, one node inferred and computed by its
 * reference. Every call checks; a test that goes wrong stops there.
 */
#ifndef CVK_TESTS_OPS_GRAPH_H
#define CVK_TESTS_OPS_GRAPH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "graph/graph.h"
#include "ops/op.h"

typedef struct ops_graph {
    cvk_arena *arena;
    cvk_graph *graph;
} ops_graph;

ops_graph ops_graph_make(int opset);
void ops_graph_drop(ops_graph *g);

/* Dims for the functions below: DIMS(1, 3, 8, 8), SCALAR, or UNRANKED. */
#define DIMS(...)                                                                                  \
    cvk_shape_make((int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),                      \
                   (int64_t[]){__VA_ARGS__})
#define SCALAR ((cvk_shape){0})
#define UNRANKED ((cvk_shape){.rank = -1})

/* An input value, whose elements are not known (id). */
int ops_input(ops_graph *g, cvk_dtype dtype, cvk_shape shape);
/* A constant with elements of its type (copied). */
int ops_constant(ops_graph *g, cvk_dtype dtype, cvk_shape shape, const void *data);
/* A constant float32 with a short list of elements. */
#define ops_floats(g, shape, ...) ops_constant(g, CVK_F32, shape, (float[]){__VA_ARGS__})
/* A constant float32 filled with ((i * 7) % 11 - 5) / 4. */
int ops_pattern(ops_graph *g, cvk_shape shape);

/* Attributes. */
#define ATTR_INT(n, value)                                                                         \
    {                                                                                              \
        .name = n, .kind = CVK_ATTR_INT, .i = value                                                \
    }
#define ATTR_FLOAT(n, value)                                                                       \
    {                                                                                              \
        .name = n, .kind = CVK_ATTR_FLOAT, .f = value                                              \
    }
#define ATTR_STRING(n, value)                                                                      \
    {                                                                                              \
        .name = n, .kind = CVK_ATTR_STRING, .s = value                                             \
    }
#define ATTR_INTS(n, ...)                                                                          \
    {                                                                                              \
        .name = n, .kind = CVK_ATTR_INTS,                                                          \
        .count = sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), .ints = (int64_t[])           \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define ATTRS(...)                                                                                 \
    (cvk_attr[]){__VA_ARGS__}, (int)(sizeof((cvk_attr[]){__VA_ARGS__}) / sizeof(cvk_attr))
#define NO_ATTRS NULL, 0
#define IN(...) (int[]){__VA_ARGS__}, (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int))

/* A node with n_out fresh outputs, attributes parsed unless the operator is internal; neither
 * inferred nor checked further. The pointer holds until the next node is added. */
cvk_node *ops_node(ops_graph *g, cvk_op_kind op, const int *in, int n_in, int n_out,
                   const cvk_attr *attrs, int n_attrs);
/* The same; parse's status is returned instead of checked. */
cvk_status ops_try_node(ops_graph *g, cvk_op_kind op, const int *in, int n_in, int n_out,
                        const cvk_attr *attrs, int n_attrs, cvk_node **node);

/* Infers, and computes with the reference, all of whose inputs are constant; the outputs become
 * constants of the graph. */
void ops_compute(ops_graph *g, cvk_node *node);

/* Node of one output: made, inferred, computed; the output's id. */
int ops_run(ops_graph *g, cvk_op_kind op, const int *in, int n_in, const cvk_attr *attrs,
            int n_attrs);
/* Node of one output: made and inferred; the output's id. */
int ops_infer(ops_graph *g, cvk_op_kind op, const int *in, int n_in, const cvk_attr *attrs,
              int n_attrs);

/* Parse and infer: one of them must fail with this status and sentence (without the node's part).
 */
void ops_refuse(ops_graph *g, cvk_op_kind op, const int *in, int n_in, const cvk_attr *attrs,
                int n_attrs, cvk_status status, const char *sentence);

void ops_expect_shape(const ops_graph *g, int value, cvk_shape shape);
void ops_expect_values(const ops_graph *g, int value, const double *expected, int count,
                       double tolerance);
#define ops_expect(g, value, tolerance, ...)                                                       \
    ops_expect_values(g, value, (double[]){__VA_ARGS__},                                           \
                      (int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), tolerance)

#endif
