/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts of the pass quantise.c that live in files of their own: what it knows of the graph, and how
 * each kind of operator between DequantizeLinear and QuantizeLinear becomes one on integers.
 */
#ifndef CVK_SCHEDULE_QUANTISE_H
#define CVK_SCHEDULE_QUANTISE_H

#include "graph/quant.h"
#include "schedule/lowering.h"

/* The graph as it was; the pass puts its nodes back one by one. */
typedef struct quantiser {
    cvk_graph *graph;
    const cvk_node *nodes;
    int n_values; /* those that maker and uses know */
    int *maker;   /* by value: its node; -1: none */
    int *uses;    /* by value */
} quantiser;

/* An 8-bit tensor and what it stands for: real = (q - zp) scale. */
typedef struct quant_tensor {
    int id;
    float scale;
    int32_t zp;
    const cvk_node *dq; /* the node that says so */
} quant_tensor;

/* A QuantizeLinear, and what stands between the operator in hand and it. */
typedef struct quant_target {
    const cvk_node *quantize;
    float scale;
    cvk_quant_range y;   /* narrowed by activations */
    const char *within;  /* their names, comma separated; NULL: none */
    const char *members; /* of the nodes from the operator on to quantize */
} quant_target;

/* The node that makes `value`, if it is of this kind and nothing else reads the value. */
const cvk_node *cvk_quant_maker(const quantiser *q, int value, cvk_op_kind op);
/* Scale and zero point of one number each, constant, the scale positive. */
bool cvk_quant_single(const cvk_graph *graph, const cvk_node *node, float *scale, int32_t *zp);
/* Whether `value` is an 8-bit tensor behind a DequantizeLinear with such a scale. */
bool cvk_quant_read(const quantiser *q, int value, quant_tensor *tensor);

/* Puts a node on integers in the place of target->quantize; `dq`: the DequantizeLinear nodes that it
 * reads through, n_dq of them, of which those that nobody else needs count as members. */
cvk_status cvk_quant_emit(quantiser *q, const quant_target *target, cvk_op_kind op, const int *in,
                          int n_in, const cvk_node *const *dq, int n_dq, cvk_node **made);

/* quantise_product.c: Conv, Gemm, MatMul. quantise_move.c: what only moves elements. Each leaves
 * *done false where the nodes do not fit the pattern. */
cvk_status cvk_quantise_product(quantiser *q, const cvk_node *core, const quant_target *target,
                                bool *done);
cvk_status cvk_quantise_move(quantiser *q, const quant_target *target, bool *done);

#endif
