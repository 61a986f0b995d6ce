/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts of the lowering pass that live in files of their own.
 */
#ifndef CVK_SCHEDULE_LOWERING_H
#define CVK_SCHEDULE_LOWERING_H

#include "schedule/passes.h"

/* lower_copy.c: Slice, Split, Transpose, Expand, DepthToSpace, SpaceToDepth into Copy nodes (or an
 * alias where the elements do not move). */
cvk_status cvk_lower_copy(cvk_graph *graph, const cvk_node *node);

/* *value with leading dimensions of 1 until it has `rank`: a constant's shape is changed in a copy
 * that shares its data, anything else gets a Reshape node. */
cvk_status cvk_lower_rank(cvk_graph *graph, const cvk_node *node, int *value, int rank);

#endif
