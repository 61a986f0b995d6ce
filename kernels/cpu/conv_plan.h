/* SPDX-License-Identifier: Apache-2.0
 *
 * How the tiled convolutions (conv_direct.c, conv_plain.c, conv_transpose.c) go through one
 * problem: tiles of output channels, bands of rows, phases, how workers share them, what scratch
 * they need. Made once by accepts (sizes only) and by prepare (with tables and packed weights).
 *
 * A source row is seen in slots: columns congruent modulo the stride lie side by side, so that
 * neighbouring outputs always read neighbouring pixels; the same for rows. A transposed convolution
 * is stride_h x stride_w ordinary ones with stride 1 ("phases"), each with the taps that reach it
 * and each writing every stride-th output pixel. An ordinary one has one phase.
 *
 *   for a band of rows                     copy its source rows into scratch (or read them in
 * place) for a tile of output channels for a phase, for a stretch of source channels (its weights
 * stay in L2) for a row of the band            conv_tile: a row of register tiles epilogue; or,
 * with a pool: pool the band's rows, which are still in L2, into dst
 */
#ifndef CVK_KERNELS_CPU_CONV_PLAN_H
#define CVK_KERNELS_CPU_CONV_PLAN_H

#include "backend/kernel.h"
#include "kernels/cpu/vec.h"

typedef struct conv_phase {
    int taps;
    const int *off; /* per tap: floats from a row's first pixel in the source */
    const int *tap; /* per tap: kh KW + kw */
    int rows, cols; /* of its outputs */
    int y0, x0;     /* its first output */
    size_t wgt;     /* where its weights begin, in floats */
} conv_phase;

/* One dimension of the source. */
typedef struct conv_axis {
    int stride, dilation,
        slots;  /* slots in use; tap k: slot k % slots, k * dilation / stride further on */
    int origin; /* source index of line 0, slot 0: -origin */
    int extra;  /* lines beyond the outputs that taps reach */
} conv_axis;

typedef enum conv_form {
    CONV_BLOCKED,
    CONV_FIRST,
    CONV_PLAIN
} conv_form; /* blocked; plain to blocked; plain */

typedef struct conv_plan {
    conv_form form;
    bool transposed;
    bool half; /* source, residual and result are float16: rows go through scratch on both sides */
    cvk_geom g;
    int unit;     /* floats per source pixel: 16 or 1 */
    int icg, ocg; /* channels of a group */
    int blocks,
        last;  /* source channel blocks of a group (of `unit` channels), channels in the last */
    int lanes; /* output channels per vec: CVK_VLEN, or 1 if dst is plain */
    int vecs, tile_vecs; /* vecs of a group; most vecs of a tile */
    int tiles;           /* tiles of a group */
    int px;              /* most pixels of a tile */
    int chunk;           /* blocks per stretch of the reduction */

    int n_phases;
    conv_phase *phases; /* tables: NULL until conv_plan_finish */
    int ystep, xstep;   /* between output rows and columns of a phase */
    int rows, cols;     /* the most of any phase */
    int line;           /* > 0: rows are pieces of one line of so many pixels (1-D, 1x1) */

    bool mapped; /* on their way the node's prologue is applied */
    bool gated;  /* it has factors of its own for each image, a blocked tensor */
    bool copy;   /* source rows go through scratch */
    conv_axis y, x;
    int band;                                  /* output rows (pooled rows with a pool) at a time */
    int lines, pitch;                          /* scratch: rows per slot, pixels per column slot */
    ptrdiff_t row_step, slot_step, block_step; /* floats, in scratch or in the source */

    bool pooled;
    cvk_geom pool;
    cvk_pool_params pool_params;
    int pool_rows; /* conv rows that a band of pooled rows needs at most */
    int keep;      /* of them, rows that the next band needs again, at most */

    int units;                /* rows (pooled rows) of the whole batch that workers share */
    int row_parts, oc_parts;  /* parts = their product */
    bool listed;              /* parts are stretches of the list of (tile, unit), unit innermost */
    const int *cuts;          /* where they begin and end, one more than parts */
    double cost, split_waste; /* cycles of the busiest part; of these, recomputed at part borders */

    size_t src_floats, conv_floats, keep_floats, line_floats,
        worker_floats; /* a worker's scratch */
    size_t wgt_floats, bias_at, pack_floats;
    const float *wgt; /* packed weights, then bias (bias_at) */
    int pre, post;    /* posts [0, pre) before the pool, [pre, post) after it */
} conv_plan;

/* Sizes of everything. False, with a reason, if the problem is not one for this form. */
bool CVK_FN(cvk_conv_plan_make)(const cvk_problem *problem, conv_form form, bool transposed,
                                conv_plan *plan, const char **why_not);

/* Whether the lanes that a few output channels leave empty in a blocked result cost more than a
 * plain one, whose vecs are pixels, and the reorder of a blocked source. */
bool CVK_FN(cvk_conv_lanes_idle)(const cvk_problem *problem, const conv_plan *plan);
#define CONV_LANES_IDLE "few output channels: a plain result is estimated to be faster"

/* How a list of (tile, unit) is cut evenly: fills cuts, unless it is NULL, with parts + 1 places;
 * returns the vecs times columns of the largest part. */
double CVK_FN(cvk_conv_plan_cuts)(const conv_plan *plan, int parts, int *cuts);

/* Tables, packed weights; sets the step's scratch. */
cvk_status CVK_FN(cvk_conv_plan_finish)(cvk_device *device, cvk_step *step, conv_plan *plan);

/* cost of the rows. */
void CVK_FN(cvk_conv_plan_cost)(const cvk_problem *problem, conv_form form, bool transposed,
                                cvk_work *work);

/* prepare of every row: make and finish, the plan becomes the step's state. */
cvk_status CVK_FN(cvk_conv_prepare)(cvk_device *device, cvk_step *step, conv_form form,
                                    bool transposed);

/* run of every row (conv_run.c). */
cvk_status CVK_FN(cvk_conv_run)(cvk_device *device, const cvk_step *step, int worker, int workers);

/* The source line that tap k of the outputs first, first + stride, ... reads for the first of them;
 * false if it falls between lines. */
static inline bool conv_transposed_line(int first, int k, int stride, int dilation, int pad,
                                        int *line)
{
    int at = first + pad - k * dilation;
    if (at % stride) return false;
    *line = at / stride;
    return true;
}

/* First vec of tile `tile`. */
static inline int conv_tile_first(const conv_plan *plan, int tile)
{
    return (int)((long long)plan->vecs * tile / plan->tiles);
}

/* Where share `part` of the tiles of all groups begins. */
static inline int conv_oc_share(const conv_plan *plan, int part, int oc_parts)
{
    return (int)((long long)plan->tiles * plan->g.group * part / oc_parts);
}

/* Output rows of a phase: the last piece of a line is shorter. */
static inline int conv_row_cols(const conv_plan *plan, const conv_phase *phase, int row)
{
    if (!plan->line) return phase->cols;
    int left = plan->line - row * phase->cols;
    return left < phase->cols ? left : phase->cols;
}

#endif
