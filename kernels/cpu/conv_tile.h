/* SPDX-License-Identifier: Apache-2.0
 *
 * The register tile of blocked-output convolutions: ocv vecs of output channels x px pixels of one
 * output row stay in registers over a whole stretch of the reduction (channel blocks x taps x
 * channels). Source pixels of neighbouring outputs lie `unit` floats apart (16: blocked, 1: plain);
 * strides, dilation and padding are gone: conv_band.h has laid the source out so.
 */
#ifndef CVK_KERNELS_CPU_CONV_TILE_H
#define CVK_KERNELS_CPU_CONV_TILE_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/cpu/vec.h"

enum {
    CONV_TILE_STEP = CVK_TILE_OCV > 4 ? CVK_TILE_OCV : 1, /* ocv is a multiple of it */
    CONV_PLANES_OC = 4, /* plain output: channels of a tile, and pixels of one */
    CONV_PLANES_PX = (CVK_VLEN == 16 ? 6 : 2) * CVK_VLEN,
    CONV_TILE_MAX = CVK_TILE_OCV > 4 ? CVK_TILE_OCV : 4
};

typedef struct conv_tile {
    int ocv;                          /* vecs, at most CONV_TILE_MAX */
    const float *src;                 /* pixel 0, block 0 */
    ptrdiff_t block_step;             /* floats between channel blocks of the source */
    const int *off;                   /* per tap, floats from src */
    int taps, blocks, last;           /* last: channels in the last block */
    const float *wgt;                 /* [block][tap][channel][ocv][CVK_VLEN] */
    const float *bias;                /* [ocv][CVK_VLEN]; NULL: dst holds the sum so far */
    float *dst;                       /* pixel 0 */
    ptrdiff_t px_step;                /* floats between pixels of dst and of res */
    ptrdiff_t vec_off[CONV_TILE_MAX]; /* floats from dst (and res) to each vec */
    const float *res;                 /* residual to add, or NULL */
    bool clamp;                       /* then min(max(x, lo), hi) */
    float lo, hi;
} conv_tile;

/* All `cols` pixels of the row, in tiles of nearly equal width, at most px_max. */
void CVK_FN(cvk_conv_tile_blocked)(const conv_tile *tile, int cols, int px_max);
void CVK_FN(cvk_conv_tile_plain)(const conv_tile *tile, int cols, int px_max);

/* Plain to plain: ocv single channels, vecs of pixels; wgt [block][tap][ocv], bias [ocv]. */
void CVK_FN(cvk_conv_tile_planes)(const conv_tile *tile, int cols, int px_max);

/* By Winograd's algorithm along a row whose pixels are vecs of CVK_VLEN pictures, for `wide` taps in
 * a row, 3 or 5. A row is `six` tiles of 6 pixels, which have `wide` + 5 points, and then `four` of
 * 4, which have `wide` + 3; those beyond the row's last pixel are not stored. */
enum {
    CONV_LINE = CVK_VREGS >= 32 && CVK_VLEN > 1, /* whether a level has it */
    CONV_LINE_OC = 3,
    CONV_LINE_POINTS = CVK_VLEN == 16 ? 10 : 8 /* of a tile: more only with a broadcast operand */
};
typedef struct conv_line {
    int wide, six, four;
    const float *wgt6, *wgt4; /* [block][tap][point][ocv] of either size */
} conv_line;

static inline int conv_line_points(const conv_line *line)
{
    return line->six * (line->wide + 5) + line->four * (line->wide + 3);
}

/* src: the points of a row, vec by vec; a tap of `off` is a row of the filter. */
void CVK_FN(cvk_conv_tile_line)(const conv_tile *tile, const conv_line *line, int cols);

/* The points of a row from its vecs: 6 six + 4 four + wide - 1 of them. */
void CVK_FN(cvk_conv_line_source)(const float *src, const conv_line *line, float *dst);

#endif
