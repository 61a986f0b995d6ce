/* SPDX-License-Identifier: Apache-2.0
 *
 * Element-wise operations with numpy broadcasting: rows of the output along which each operand
 * moves or stays, and the pieces of rows in a worker's share of them.
 */
#ifndef CVK_KERNELS_CPU_BROADCAST_H
#define CVK_KERNELS_CPU_BROADCAST_H

#include "kernels/cpu/row.h"
#include "kernels/cpu/walk.h"

typedef struct broadcast {
    walk outer;                  /* over rows */
    int rows, length;            /* of a row: elements (or pixels) */
    int64_t step[WALK_OPERANDS]; /* along a row; 0: the operand stays */
} broadcast;

/* n elements of one row, from element `begin` of the output; offset: those of the operands. */
typedef struct broadcast_at {
    walk_at row;
    int begin, end, n;
    int64_t offset[WALK_OPERANDS];
} broadcast_at;

/* The innermost dimension that has been added to `outer` becomes the row. */
static inline void broadcast_rows(broadcast *b)
{
    walk_dim inner = walk_take(&b->outer, b->outer.n - 1);
    b->rows = (int)walk_count(&b->outer);
    b->length = (int)inner.length;
    for (int k = 0; k < WALK_OPERANDS; k++) b->step[k] = inner.stride[k];
}

/* The first `operands` inputs over output 0. */
static inline void broadcast_make(broadcast *b, const cvk_step *step, int operands)
{
    const cvk_shape *out = &step->out[0].shape;
    int64_t stride[WALK_OPERANDS][CVK_MAX_RANK] = {{0}};
    for (int k = 0; k < operands; k++)
        cvk_shape_broadcast_strides(&step->in[k].shape, out, stride[k]);
    for (int d = 0; d < out->rank; d++)
        walk_add3(&b->outer, out->dims[d], stride[0][d], stride[1][d], stride[2][d]);
    broadcast_rows(b);
}

static inline void broadcast_place(const broadcast *b, broadcast_at *at, int first)
{
    int row = b->length - first, left = at->end - at->begin;
    at->n = row < left ? row : left;
    for (int k = 0; k < WALK_OPERANDS; k++) at->offset[k] = at->row.offset[k] + first * b->step[k];
}

/* The first piece of elements [begin, end); n <= 0 if there is none. */
static inline broadcast_at broadcast_seek(const broadcast *b, int begin, int end)
{
    broadcast_at at = {.row = walk_seek(&b->outer, begin / b->length), .begin = begin, .end = end};
    broadcast_place(b, &at, begin % b->length);
    return at;
}

static inline void broadcast_next(const broadcast *b, broadcast_at *at)
{
    at->begin += at->n;
    walk_next(&b->outer, &at->row);
    broadcast_place(b, at, 0);
}

#endif
