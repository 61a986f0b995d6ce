/* SPDX-License-Identifier: Apache-2.0
 *
 * What the operators that only move elements share: copies of any element type by size, lists of
 * axes, and integer inputs that may not be constant yet. Their kernels are elsewhere.
 */
#ifndef CVK_OPS_MOVE_H
#define CVK_OPS_MOVE_H

#include "ops/common.h"

/* dst, walked in order as walk->dims, from the elements of src at offset + index . strides. */
void cvk_move_strided(const cvk_copy_params *walk, const cvk_view *src, cvk_view *dst);
/* All elements of src, in order, into dst of the same type and count. */
void cvk_move_all(const cvk_view *src, cvk_view *dst);
/* reference of every operator whose output 0 is its input 0 under another shape. */
cvk_status cvk_reference_alias(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                               int n_out);

/* Axes as ONNX counts them into [0, rank), ascending; CVK_BAD_MODEL if one is outside or comes
 * twice. */
cvk_status cvk_axes_normalise(int n, int64_t *axes, int rank);

/* Whether input i is there and its elements are known. */
bool cvk_input_constant(const cvk_view *in, int n_in, int i);
/* How many elements an input of rank 0 or 1 has; -1 if that is unknown. */
int64_t cvk_input_length(const cvk_view *view);
/* Input i as a list of axes into params: untouched if it is absent or computed, then *known says
 * whether params hold (absent: what the attribute said). */
cvk_status cvk_input_axes(const cvk_view *in, int n_in, int i, cvk_axes_params *params,
                          bool *known);

/* The attribute `axes` into params. */
cvk_status cvk_parse_axes(const cvk_attrs *attrs, void *params);

/* A shape of known or unknown rank with no dim known. CVK_UNSUPPORTED above CVK_MAX_RANK. */
cvk_status cvk_shape_of_rank(int64_t rank, cvk_shape *shape);

#endif
