/* SPDX-License-Identifier: Apache-2.0
 *
 * What rows ask before they accept a problem, how they see a tensor of channels, and how they share
 * elements. Kernels of convolutions have their own geometry (graph/geom.h).
 */
#ifndef CVK_KERNELS_CPU_ROW_H
#define CVK_KERNELS_CPU_ROW_H

#include <limits.h>

#include "backend/kernel.h"
#include "base/threads.h"

#define CVK_INLINE static inline __attribute__((always_inline))

static inline bool row_refuse(const char **why_not, const char *why)
{
    *why_not = why;
    return false;
}

/* Elements in memory, padding of blocks included, fit an int. */
static inline bool row_fits(const cvk_view *view)
{
    int64_t count = cvk_view_count(view);
    return count > 0 && count <= INT_MAX / CVK_BLOCK;
}

static inline bool row_types(const cvk_problem *p, bool f32, const char **why_not)
{
    for (int i = 0; i < p->node->n_in + p->node->n_out; i++) {
        const cvk_view *view = i < p->node->n_in ? &p->in[i] : &p->out[i - p->node->n_in];
        if (view->dtype == CVK_NONE) continue;
        if (f32 && view->dtype != CVK_F32)
            return row_refuse(why_not, "not all tensors are float32");
        if (!row_fits(view)) return row_refuse(why_not, "a tensor has too many elements");
    }
    return true;
}

/* All tensors are float32 and of a size that ints count. */
static inline bool row_f32(const cvk_problem *p, const char **why_not)
{
    return row_types(p, true, why_not);
}

/* All tensors are float32, or all but constants are float16. */
static inline bool row_floats(const cvk_problem *p, const char **why_not)
{
    if (p->in[0].dtype != CVK_F16) return row_f32(p, why_not);
    for (int i = 0; i < p->node->n_in + p->node->n_out; i++) {
        const cvk_view *view = i < p->node->n_in ? &p->in[i] : &p->out[i - p->node->n_in];
        if (view->dtype == CVK_NONE || (view->data && view->dtype == CVK_F32)) continue;
        if (view->dtype != CVK_F16) return row_refuse(why_not, "float32 and float16 are mixed");
    }
    return row_types(p, false, why_not);
}

/* Tensors of any type, of a size that ints count. */
static inline bool row_sized(const cvk_problem *p, const char **why_not)
{
    return row_types(p, false, why_not);
}

static inline bool row_no_posts(const cvk_problem *p, const char **why_not)
{
    return p->node->n_posts ? row_refuse(why_not, "nothing can follow in this kernel") : true;
}

static inline bool row_blockable(const cvk_view *view)
{
    return (view->dtype == CVK_F32 || view->dtype == CVK_F16) &&
           (view->shape.rank == 3 || view->shape.rank == 4);
}

static inline bool row_blocked(const cvk_view *view, const char **why_not)
{
    return row_blockable(view)
               ? true
               : row_refuse(why_not, "only float32 and float16 of rank 3 or 4 are blocked");
}

/* N, C and all that follows; `blocks` of 16 channels. A tensor of rank 1 is (1, C). */
typedef struct row_dims {
    int n, c, blocks, spatial;
} row_dims;

static inline row_dims row_dims_of(const cvk_shape *shape)
{
    int rank = shape->rank;
    row_dims d = {.n = rank > 1 ? (int)shape->dims[0] : 1,
                  .c = rank > 1 ? (int)shape->dims[1]
                       : rank   ? (int)shape->dims[0]
                                : 1,
                  .spatial = rank > 2 ? (int)cvk_shape_span(shape, 2, rank) : 1};
    d.blocks = (d.c + CVK_BLOCK - 1) / CVK_BLOCK;
    return d;
}

/* How many of the 16 channels of block `b` exist. */
static inline int row_lanes(const row_dims *d, int b)
{
    return b + 1 < d->blocks ? CVK_BLOCK : d->c - b * CVK_BLOCK;
}

/* How many of the lanes of vec `v` of a block do; may be 0. */
static inline int row_vec_lanes(int lanes, int v, int vlen)
{
    int left = lanes - v * vlen;
    return left < 0 ? 0 : left < vlen ? left : vlen;
}

/* A worker's share of `count` elements, in whole cache lines of floats. */
static inline void row_share(int count, int worker, int workers, int *begin, int *end)
{
    int lines = (int)(((int64_t)count + CVK_BLOCK - 1) / CVK_BLOCK);
    cvk_team_share(lines, worker, workers, begin, end);
    *begin *= CVK_BLOCK;
    *end = *end == lines ? count : *end * CVK_BLOCK;
}

/* A worker's share of the rows of n pictures of some blocks: rows of all blocks, as convolutions
 * share them, so that it finds in its own cache what it wrote in the step before; where that would
 * leave workers unlike amounts, rows of one block after the other. */
typedef struct row_parts {
    int rows, planes; /* planes (blocks of a picture) taken together */
    int at, end;
} row_parts;

enum { ROW_PARTS_FEW = 7 }; /* rows of a worker: one more or less would matter */

static inline row_parts row_parts_of(int n, int blocks, int rows, int worker, int workers)
{
    row_parts parts = {.rows = rows, .planes = n * rows >= ROW_PARTS_FEW * workers ? blocks : 1};
    cvk_team_share(n * blocks / parts.planes * rows, worker, workers, &parts.at, &parts.end);
    return parts;
}

/* The next rows [*begin, *end) of planes [*plane, *plane + parts->planes); false: none is left. */
static inline bool row_parts_next(row_parts *parts, int *plane, int *begin, int *end)
{
    int left = parts->end - parts->at;
    if (left <= 0) return false;
    *plane = parts->at / parts->rows * parts->planes;
    *begin = parts->at % parts->rows;
    *end = left < parts->rows - *begin ? *begin + left : parts->rows;
    parts->at += *end - *begin;
    return true;
}

#endif
