/* SPDX-License-Identifier: Apache-2.0
 *
 * Register tiles for convolutions and products, by what a class of devices can hold in registers. The
 * class is told by capabilities, never by a name:
 *
 *   vectors of 512 bits       32 registers of a float16
 *   of 256, or AArch64's      16 registers of half, or 32 of a quarter of a float16
 *   of 128                    16 registers of a quarter of it
 *   lanes that are items      GPUs, and compilers that spread work-items over vectors: a float16 is
 *                             16 registers of an item, of which it may have 64 to 255
 *
 * Vector registers that clang 14 keeps in memory in `conv` of conv_direct.cl, posts left out: for AVX2
 * 386 times with 4x4, never with 6x1; for SSE 1097 and 27 (2x1); for AVX-512 7 with 4x4. ptxas, for
 * sm_80: 4x4 255 registers and 1412 bytes spilled, 4x1 124 and none.
 */
#ifndef CVK_KERNELS_OPENCL_TILES_H
#define CVK_KERNELS_OPENCL_TILES_H

#include "backend/kernel.h"

/* Pixels and blocks of 16 output channels of a work-item; of a product, rows and float16 columns. */
typedef struct cvk_cl_tile {
    int px, ocb;
} cvk_cl_tile;

/* Of the class, best first: what a slot costs, in hundredths. cvk_cl_tiles ends with cost 0. */
typedef struct cvk_cl_tile_cost {
    cvk_cl_tile tile;
    int cost;
} cvk_cl_tile_cost;

/* Whether the lanes are work-items. */
bool cvk_cl_lanes_are_items(const cvk_caps *caps);

const cvk_cl_tile_cost *cvk_cl_tiles(const cvk_caps *caps);

/* The tile that leaves the least of itself empty over rows of `columns` pixels and `blocks` blocks;
 * *cost: of a row, in hundredths of a slot. */
cvk_cl_tile cvk_cl_tile_pick(const cvk_caps *caps, int columns, int blocks, int64_t *cost);

/* The k-th (from 1 on) of the tiles besides that one whose rows cost at most half as much again; false
 * behind the last. */
bool cvk_cl_tile_other(const cvk_caps *caps, int columns, int blocks, int k, cvk_cl_tile *tile);

/* "8x2", in thread-local storage. */
const char *cvk_cl_tile_name(cvk_cl_tile tile);

#endif
