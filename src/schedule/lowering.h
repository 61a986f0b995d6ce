/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts of the lowering pass that live in files of their own.
 */
#ifndef CVK_SCHEDULE_LOWERING_H
#define CVK_SCHEDULE_LOWERING_H

#include "schedule/passes.h"

/* lower_copy.c: Slice, Split, Transpose, Expand, Tile, DepthToSpace, SpaceToDepth into Copy nodes (or an
 * alias where the elements do not move). */
cvk_status cvk_lower_copy(cvk_graph *graph, const cvk_node *node);

/* Adds Copy (or Reshape, where nothing moves) from in[0] to `out`. */
cvk_status cvk_lower_move(cvk_graph *graph, const cvk_node *node, int out,
                          const cvk_copy_params *params);

/* *value with leading dimensions of 1 until it has `rank`: a constant's shape is changed in a copy
 * that shares its data, anything else gets a Reshape node. */
cvk_status cvk_lower_rank(cvk_graph *graph, const cvk_node *node, int *value, int rank);

/* lower_norm.c: nodes with cvk_row_normalization_params into RowNormalization;
 * MeanVarianceNormalization and LpNormalization into several nodes. */
cvk_status cvk_lower_row_norm(cvk_graph *graph, const cvk_node *node);
cvk_status cvk_lower_mean_var(cvk_graph *graph, const cvk_node *node);
cvk_status cvk_lower_lp_norm(cvk_graph *graph, const cvk_node *node);

/* lower_resize.c: whether a Resize is of the sort that rows are written for; else a chain of
 * Resample, one per dimension that changes. */
bool cvk_is_plain_resize(const cvk_graph *graph, const cvk_node *node);
cvk_status cvk_lower_resample(cvk_graph *graph, const cvk_node *node);

/* lower_quant.c: QLinearConv, ConvInteger, QLinearMatMul, MatMulInteger into QConv and QMatMul; what
 * the pass quantise.c needs of it. */
cvk_status cvk_lower_quant(cvk_graph *graph, const cvk_node *node, const cvk_form_quant *form);

/* The operator's own inputs of QConv and QMatMul. */
enum { CVK_QUANT_INPUTS = 5 };
/* A constant of c multipliers, from the value of one weight scale or c of them. */
cvk_status cvk_quant_multipliers(cvk_graph *graph, const char *name, float x_scale, int w_scale,
                                 float y_scale, int64_t c, int *id);
/* A constant of c zero points from the value of one or c of them; *id = -1 if all are 0. */
cvk_status cvk_quant_zero_points(cvk_graph *graph, const char *name, int zero, int64_t c, int *id);
/* A QConv or QMatMul with CVK_QUANT_INPUTS inputs (-1: absent) in the place of `node`. */
cvk_status cvk_quant_node(cvk_graph *graph, const cvk_node *node, cvk_op_kind op, const int *in,
                          cvk_node **made);

/* lower_einsum.c: an Einsum that is a transposition becomes a Copy, one that is a product of
 * matrices a MatMul between Copies; any other stays. */
cvk_status cvk_lower_einsum(cvk_graph *graph, const cvk_node *node);

#endif
