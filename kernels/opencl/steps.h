/* SPDX-License-Identifier: Apache-2.0
 *
 * What the twins of the kernels beside convolution share, over launch.h: a launch described by its
 * buffers and one struct of sizes, how its work is cut into items, and the questions that every
 * accepts asks. Sizes go into the struct, never into the program text.
 */
#ifndef CVK_KERNELS_OPENCL_STEPS_H
#define CVK_KERNELS_OPENCL_STEPS_H

#include "kernels/opencl/rows.h"

enum { CVK_CL_MAX_BUFFERS = 6 };

/* A buffer argument: found at run time in the step's views (absent: null), held by the step since
 * prepare, or its scratch. */
typedef enum cvk_cl_place { CVK_CL_IN = 1, CVK_CL_OUT, CVK_CL_HELD, CVK_CL_SCRATCH } cvk_cl_place;
typedef struct cvk_cl_buffer {
    cvk_cl_place place;
    int index;  /* IN, OUT */
    void *held; /* HELD: from cvk_step_pack */
} cvk_cl_buffer;

/* A launch over `units` pieces of work of about `floats` elements each. Work-item i does units
 * [i span, (i + 1) span) of them: a CPU device gets few items of many units each, others one unit
 * per item. `span` points into `args`. The kernel's arguments are the buffers, then args. */
typedef struct cvk_cl_spec {
    const char *file, *kernel;
    const char *defines; /* NULL: none */
    cvk_cl_buffer buffers[CVK_CL_MAX_BUFFERS];
    const void *args;
    size_t args_bytes;
    int64_t units, floats;
    cl_int *span;
} cvk_cl_spec;

/* Adds the launch to the step; the rows' run is cvk_cl_run (kernels/opencl/launch.h). */
cvk_status cvk_cl_steps_add(cvk_device *device, cvk_step *step, const cvk_cl_spec *spec);

/* move.c: adds a copy of all elements of an input, of any type, to output 0. */
cvk_status cvk_cl_steps_copy(cvk_device *device, cvk_step *step, int input);

/* Rows of pixels are cut into chunks, one per unit: `wanted` elements on a CPU device (at most the
 * row), `small` on others. Returns the chunk's length and writes their number per row. */
cl_int cvk_cl_chunk(const cvk_device *device, int64_t row, int wanted, int small, cl_int *chunks);

/* What the args of kernels that walk rows of elements begin with; a unit is a chunk of a row. */
typedef struct cvk_cl_cut {
    cl_int span, rows, length, chunk, chunks;
} cvk_cl_cut;
/* Adds a launch of such a kernel: rows and length of `cut`, which lies in the spec's args, are
 * given, and the rest of it and units, floats and span of the spec follow from them. An element of a
 * row is `lanes` floats. */
cvk_status cvk_cl_steps_add_rows(cvk_device *device, cvk_step *step, cvk_cl_spec *spec,
                                 cvk_cl_cut *cut, int wanted, int small, int lanes);

/* Nested loops over two tensors, outermost first, strides in elements. merge drops dimensions of
 * one element and joins neighbours that are one run in both; at least one dimension is left. */
typedef struct cvk_cl_walk {
    int n;
    int64_t dims[CVK_MAX_RANK], a[CVK_MAX_RANK], b[CVK_MAX_RANK];
} cvk_cl_walk;
void cvk_cl_walk_merge(cvk_cl_walk *walk);
/* Over output 0, with the strides of inputs 0 and 1 that are broadcast to it; merged. */
cvk_cl_walk cvk_cl_walk_broadcast(const cvk_step *step);
/* The same as the kernels take it: all but the innermost dimension, which they walk themselves. */
typedef struct cvk_cl_rows {
    cl_int n, dims[CVK_MAX_RANK], a[CVK_MAX_RANK], b[CVK_MAX_RANK];
} cvk_cl_rows;
cvk_cl_rows cvk_cl_walk_rows(const cvk_cl_walk *walk, cl_int *count);

/* For accepts: false with a reason. */
bool cvk_cl_refuse(const char **why_not, const char *reason);
/* Every input and output has fewer than 2^30 elements, block padding included. */
bool cvk_cl_counts_fit(const cvk_problem *problem, const char **why_not);
/* The same, and input 0 and output 0 are float32. */
bool cvk_cl_floats_fit(const cvk_problem *problem, const char **why_not);
/* The same, and input 0 and output 0 have rank 3 or 4: what a row with a blocked layout can take.
 */
bool cvk_cl_blocked_fit(const cvk_problem *problem, const char **why_not);
/* The same for either of float32 and float16. */
bool cvk_cl_blocks_fit(const cvk_problem *problem, const char **why_not);
bool cvk_cl_no_posts(const cvk_problem *problem, const char **why_not);

/* N, C, H, W of a view of rank 3 or 4 (rank 3: h = 1), and its channel blocks. */
typedef struct cvk_cl_nchw {
    cl_int n, c, h, w, blocks;
} cvk_cl_nchw;
cvk_cl_nchw cvk_cl_nchw_of(const cvk_shape *shape);

#endif
