/* SPDX-License-Identifier: Apache-2.0
 *
 * A 1x1 convolution as one of several in a step, blocked to blocked: tiles of output channels, over
 * any run of neighbouring pixels (register tile: conv_tile.h).
 */
#ifndef CVK_KERNELS_CPU_POINTWISE_H
#define CVK_KERNELS_CPU_POINTWISE_H

#include "backend/kernel.h"
#include "kernels/cpu/epilogue.h"

typedef struct pointwise {
    int ic, oc;
    int blocks, last;    /* source channel blocks, channels in the last */
    int vecs, tile_vecs; /* of output channels; the most of a tile */
    int tiles, px;       /* px: most pixels of a register tile */
    const float *wgt;    /* [tile][source channel][vec][CVK_VLEN] */
    const float *bias;   /* [vec][CVK_VLEN] */
} pointwise;

/* What follows a convolution: of it, the part that the register tile does by itself. */
typedef struct finish {
    chain all;
    chain_simple simple;
    bool is_simple;
} finish;

/* Pixels in a row, all blocks of them. */
typedef struct pixel_run {
    const float *src;
    float *dst;
    ptrdiff_t src_step, dst_step; /* floats between blocks */
    size_t at;                    /* from a residual's first float to the pixels in its block 0 */
    int count;
} pixel_run;

pointwise CVK_FN(cvk_pointwise_make)(int ic, int oc);

/* wgt and bias; the bias may be absent (NULL). */
cvk_status CVK_FN(cvk_pointwise_pack)(cvk_device *device, cvk_step *step, const cvk_view *wgt,
                                      const cvk_view *bias, pointwise *p);

/* One tile's channels of the pixels. */
void CVK_FN(cvk_pointwise_run)(const pointwise *p, int tile, const pixel_run *run,
                               const finish *after);

/* First vec of tile `tile`. */
static inline int pointwise_first(const pointwise *p, int tile)
{
    return (int)((long long)p->vecs * tile / p->tiles);
}

#endif
