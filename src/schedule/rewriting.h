/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts of the rewriting pass that live in files of their own, and what they share.
 */
#ifndef CVK_SCHEDULE_REWRITING_H
#define CVK_SCHEDULE_REWRITING_H

#include "schedule/passes.h"

/* rewrite_act.c: if node `index` ends an activation that the model spells out, it becomes that
 * Unary; unless `whole`, a multiple of one becomes that Unary and a LINEAR one. */
cvk_status cvk_rewrite_act(cvk_graph *graph, int index, bool whole);

/* rewriting.c */
/* The node that makes `value` if it is an `op`, else NULL. */
const cvk_node *cvk_producer_of(const cvk_graph *graph, int value, cvk_op_kind op);
/* A constant of one number. */
bool cvk_const_scalar(const cvk_graph *graph, int value, double *number);
/* Whether a copy of a tensor of `count` elements takes all of them in order: another shape of it. */
bool cvk_copy_keeps_order(const cvk_copy_params *copy, int64_t count);
/* Whether each output pixel is made of the one input pixel at its place. */
bool cvk_window_is_pointwise(const cvk_window *window);
/* `node` becomes Unary `act` of x; it contains the members of `first`, unless NULL, from then on. */
cvk_status cvk_replace_unary(cvk_graph *graph, cvk_node *node, int x, cvk_act act,
                             const cvk_node *first);

#endif
