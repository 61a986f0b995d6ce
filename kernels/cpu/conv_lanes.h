/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolutions of few channels with pictures in the lanes, plain to plain: lane l of a vec is the
 * same pixel of the l-th picture of a group. Where there are fewer pictures than lanes, or one is
 * large, each is cut into bands of rows, and a lane has a band:
 *
 *     picture 0   rows 0 1 2 | 3 4 5 | 6 7 8      lanes 0 1 2      scratch [ic][row][column][lane]
 *     picture 1   rows 0 1 2 | 3 4 5 | 6 7 8      lanes 3 4 5
 *
 *   for a group of CVK_VLEN bands           turn their source rows into scratch
 *     for a tile of output channels
 *       for a stretch of rows               conv_tile, or by Winograd's algorithm along the row;
 *                                           pool; turn the result back into dst
 *
 * A row of vecs is a plain row of CVK_VLEN times as many pixels, so the tile is that of plain
 * results (conv_tile_planes.c); columns are sorted into slots as in conv_band.h. Planned and packed
 * in conv_lanes.c, run in conv_lanes_run.c.
 */
#ifndef CVK_KERNELS_CPU_CONV_LANES_H
#define CVK_KERNELS_CPU_CONV_LANES_H

#include "backend/kernel.h"
#include "kernels/cpu/conv_tile.h"
#include "kernels/cpu/vec.h"

typedef struct lanes_plan {
    cvk_geom g;
    bool pooled;
    cvk_geom pool;
    cvk_pool_params pool_params;
    int pre, post;  /* posts [0, pre) before the pool, [pre, post) after it */
    int rows, cols; /* of the result */

    bool by_line;                   /* by Winograd's algorithm along the rows, whose */
    conv_line line;                 /* tiles are these */
    int tile_oc, tiles;             /* most output channels of a tile, tiles */
    int slots, pitch;               /* column slots, columns of each */
    int band, bands;                /* result rows of a lane, lanes of a picture */
    int items, groups;              /* lanes in use, vecs of them */
    int conv_rows;                  /* rows before the pool that a band needs */
    int src_rows;                   /* and rows of the source */
    int conv_lines;                 /* rows before the pool that are held */
    int stretch;                    /* result rows */
    int oc_parts;                   /* parts = groups * oc_parts */
    double cost;                    /* cycles of the busiest worker */
    ptrdiff_t row_step, block_step; /* floats, in scratch */
    size_t zero_floats, turned_floats, src_floats, conv_floats, out_floats, worker_floats;

    const int *off; /* per tap (by_line: per row of the filter), floats */
    int taps;
    size_t wgt_at[2], bias_at; /* by_line: for tiles of 6 pixels, for tiles of 4 */
    const float *wgt;          /* [tile][ic][tap or point][oc] */
} lanes_plan;

/* First output channel of a tile. */
static inline int lanes_tile_first(const lanes_plan *plan, int tile)
{
    return (int)((long long)plan->g.oc * tile / plan->tiles);
}

/* Lines from a window's first tap to its last. */
static inline int lanes_reach(int kernel, int dilation)
{
    return (kernel - 1) * dilation + 1;
}

cvk_status CVK_FN(cvk_conv_lanes_run)(cvk_device *device, const cvk_step *step, int worker,
                                      int workers);

/* For the rows with channels in the lanes: whether so many would be empty that pictures, or bands of
 * one, fill them better. Estimated for the convolution alone, so that what follows it in the same
 * kernel changes nothing. */
bool CVK_FN(cvk_conv_lanes_pay)(const cvk_problem *problem);
#define CONV_LANES_PAY "few channels: pictures in the lanes are estimated to be faster"

/* Cycles that conv_winograd.c estimates; false if it does not take the problem. */
bool CVK_FN(cvk_conv_winograd_cost)(const cvk_problem *problem, double *cost);

#endif
