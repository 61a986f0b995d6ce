/* SPDX-License-Identifier: Apache-2.0
 *
 * A walk over the rows of N-D tensors: dimensions outermost first, each with a stride in up to three
 * operands. Neighbouring dimensions that lie in memory as one become one, dimensions of length 1
 * vanish.
 */
#ifndef CVK_KERNELS_CPU_WALK_H
#define CVK_KERNELS_CPU_WALK_H

#include <stdint.h>

#include "graph/shape.h"

enum { WALK_MAX = CVK_MAX_RANK + 1, WALK_OPERANDS = 3 };

typedef struct walk_dim {
    int64_t length, stride[WALK_OPERANDS];
} walk_dim;

typedef struct walk {
    int n;
    walk_dim dim[WALK_MAX];
} walk;

typedef struct walk_at {
    int64_t index[WALK_MAX], offset[WALK_OPERANDS];
} walk_at;

/* Adds a dimension inside the others. */
static inline void walk_add3(walk *w, int64_t length, int64_t stride0, int64_t stride1,
                             int64_t stride2)
{
    walk_dim *last = w->n ? &w->dim[w->n - 1] : NULL;
    walk_dim dim = {length, {stride0, stride1, stride2}};
    if (length == 1) return;
    bool joined = last != NULL;
    for (int k = 0; k < WALK_OPERANDS; k++)
        joined = joined && last->stride[k] == length * dim.stride[k];
    if (joined) {
        dim.length *= last->length;
        *last = dim;
    } else {
        w->dim[w->n++] = dim;
    }
}

static inline void walk_add(walk *w, int64_t length, int64_t stride0, int64_t stride1)
{
    walk_add3(w, length, stride0, stride1, 0);
}

/* Takes dimension i out; one of length 1 and strides 0 if there is none. */
static inline walk_dim walk_take(walk *w, int i)
{
    if (i < 0 || i >= w->n) return (walk_dim){1, {0}};
    walk_dim taken = w->dim[i];
    for (w->n--; i < w->n; i++) w->dim[i] = w->dim[i + 1];
    return taken;
}

static inline int64_t walk_count(const walk *w)
{
    int64_t count = 1;
    for (int i = 0; i < w->n; i++) count *= w->dim[i].length;
    return count;
}

/* To row number `row`. */
static inline walk_at walk_seek(const walk *w, int64_t row)
{
    walk_at at = {.offset = {0}};
    for (int i = w->n - 1; i >= 0; i--) {
        at.index[i] = row % w->dim[i].length;
        row /= w->dim[i].length;
        for (int k = 0; k < WALK_OPERANDS; k++) at.offset[k] += at.index[i] * w->dim[i].stride[k];
    }
    return at;
}

/* Over `rows` rows that differ in the innermost dimension only. */
static inline void walk_skip(const walk *w, walk_at *at, int64_t rows)
{
    at->index[w->n - 1] += rows;
    for (int k = 0; k < WALK_OPERANDS; k++) at->offset[k] += rows * w->dim[w->n - 1].stride[k];
}

/* To the next row; after the last, to the first. */
static inline void walk_next(const walk *w, walk_at *at)
{
    for (int i = w->n - 1; i >= 0; i--) {
        const walk_dim *d = &w->dim[i];
        bool wrap = ++at->index[i] == d->length;
        int64_t by = wrap ? 1 - d->length : 1;
        for (int k = 0; k < WALK_OPERANDS; k++) at->offset[k] += by * d->stride[k];
        if (!wrap) return;
        at->index[i] = 0;
    }
}

#endif
