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

/* Element i of src to place k of dst, which has its type. */
void cvk_move_one(const cvk_view *src, int64_t i, cvk_view *dst, int64_t k);
/* The walk over `in` that repeats it until it has the shape of `out`, dimension by dimension; false
 * if that takes more dimensions than a walk has. */
bool cvk_walk_tiled(const cvk_shape *in, const cvk_shape *out, cvk_copy_params *walk);

/* Indices (ops/index.c). An index of a dimension of `dim` elements as ONNX counts it into [0, dim);
 * outside, a failure with that status which names `place`, its number among the indices. */
cvk_status cvk_index_normalise(int64_t *index, int64_t dim, int64_t place, cvk_status status);
/* int32 or int64; where they are constant, each inside: index i of dimension dims[i % n] (-1: not
 * known). */
cvk_status cvk_check_indices(const cvk_view *indices, const int64_t *dims, int n);
/* Indices of the data's rank, of no more elements than the data have in dims other than axis. */
cvk_status cvk_check_within(const cvk_view *indices, const cvk_view *data, int axis);
/* Two inputs of one shape. */
cvk_status cvk_check_same_dims(const cvk_view *a, const char *a_name, const cvk_view *b,
                               const char *b_name);
/* Indices whose last dimension is a tuple that picks a place in the data behind `batch` common
 * dims; *tuple: its length, -1 while shapes are unknown. */
cvk_status cvk_check_tuples(const cvk_view *data, const cvk_view *indices, int64_t batch,
                            int64_t *tuple);
/* Where tuple number i points in a block of those dims, in slices. CVK_BAD_INPUT if outside. */
cvk_status cvk_tuple_place(const cvk_view *indices, int64_t i, int tuple, const int64_t *dims,
                           int64_t *place);

/* An integer input of one element (rank 0 or 1): a fixed number such as k or an axis. Only where
 * its data is there. */
cvk_status cvk_input_number(const cvk_view *view, const char *what, int64_t *number);

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
