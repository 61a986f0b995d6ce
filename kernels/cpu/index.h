/* SPDX-License-Identifier: Apache-2.0
 *
 * Indices that a run knows: int32 or int64, counted from the end if negative.
 */
#ifndef CVK_KERNELS_CPU_INDEX_H
#define CVK_KERNELS_CPU_INDEX_H

#include <inttypes.h>

#include "kernels/cpu/row.h"

static inline bool index_accepts(const cvk_view *indices, const char **why_not)
{
    if (indices->dtype == CVK_I32 || indices->dtype == CVK_I64) return true;
    return row_refuse(why_not, "indices are int32 or int64");
}

/* Index number i into [0, dim); -1 if it is outside. */
CVK_INLINE int64_t index_get(const cvk_view *indices, int64_t i, int64_t dim)
{
    int64_t index = indices->dtype == CVK_I64 ? ((const int64_t *)indices->data)[i]
                                              : ((const int32_t *)indices->data)[i];
    if (index < 0) index += dim;
    return index < dim && index >= 0 ? index : -1;
}

static inline cvk_status index_fail(const cvk_step *step, int64_t i, int64_t dim)
{
    const cvk_view *indices = &step->in[1];
    int64_t index = indices->dtype == CVK_I64 ? ((const int64_t *)indices->data)[i]
                                              : ((const int32_t *)indices->data)[i];
    return cvk_fail(CVK_BAD_INPUT,
                    "node '%s' (%s): index %" PRId64 " at place %" PRId64
                    " is outside a dimension of %" PRId64,
                    step->node->name, cvk_op_kind_name(step->node->op), index, i, dim);
}

/* Where tuple number i of `n` indices points, in slices; -1 - d if index d of it is outside. */
CVK_INLINE int64_t index_tuple(const cvk_view *indices, int64_t i, int n, const int64_t *dims)
{
    int64_t place = 0;
    for (int d = 0; d < n; d++) {
        int64_t index = index_get(indices, i * n + d, dims[d]);
        if (index < 0) return -1 - d;
        place = place * dims[d] + index;
    }
    return place;
}

/* Elements that have one place along an axis each (GatherElements, ScatterElements): the rows of
 * the indices' last dimension, seen from the tensor that is indexed. */
typedef struct index_rows {
    int rank, axis;
    int64_t dims[CVK_MAX_RANK];    /* of the indices */
    int64_t strides[CVK_MAX_RANK]; /* of the tensor; 0 for the axis */
    int64_t dim, pitch;            /* the axis: its length and stride in the tensor */
    int64_t length, step;          /* of a row; its step in the tensor */
} index_rows;

static inline index_rows index_rows_of(const cvk_shape *tensor, const cvk_shape *indices,
                                       int64_t axis)
{
    index_rows r = {.rank = tensor->rank, .axis = (int)axis};
    cvk_shape_strides(tensor, r.strides);
    for (int d = 0; d < r.rank; d++) r.dims[d] = indices->dims[d];
    r.dim = tensor->dims[axis];
    r.pitch = r.strides[axis];
    r.strides[axis] = 0;
    r.length = r.dims[r.rank - 1];
    r.step = r.strides[r.rank - 1];
    return r;
}

/* Where row `row` begins in the tensor. */
static inline int64_t index_row(const index_rows *r, int64_t row)
{
    int64_t at = 0;
    for (int d = r->rank - 2; d >= 0; d--) {
        at += row % r->dims[d] * r->strides[d];
        row /= r->dims[d];
    }
    return at;
}

#endif
