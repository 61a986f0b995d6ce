/* SPDX-License-Identifier: Apache-2.0
 *
 * A row of a depthwise convolution, blocked to blocked: one filter per channel, so every lane has its
 * own weights and reads its own channel. No copy of the source: pixels go in tiles that keep a vec
 * each in a register. Windows of 3 and 5 columns go through whole rows, where columns beyond the
 * picture are read as zeros from elsewhere, and with stride 1 through two rows at a time:
 *
 *     source rows  0 1 2 3        each is read once and multiplied for both:
 *     upper        w0 w1 w2
 *     lower           w0 w1 w2
 *
 * Of other windows, those that leave the picture take a slow path.
 *
 * The source's rows may lie in a ring that holds only the last of them:
 *
 *     row 4 | row 5 | row 2 | row 3        ring 4: row y is its row y % 4
 */
#ifndef CVK_KERNELS_CPU_DEPTHWISE_ROW_H
#define CVK_KERNELS_CPU_DEPTHWISE_ROW_H

#include <stdbool.h>

#include "backend/kernel.h"
#include "kernels/cpu/vec.h"

/* What all rows of one vec of channels share; src, wgt, bias: from the vec's first lane on. */
typedef struct depthwise_row {
    const cvk_geom *g;
    int inside_begin, inside_end; /* output columns whose window lies within the source's width */
    const float *src;             /* the ring's first row */
    int ring;                     /* rows of it, at least those that a window reaches; ih: all */
    const float *wgt, *bias;      /* [kh][kw][16], [16] */
    float *dst;                   /* of the row */
    const float *res;             /* residual to add, or NULL */
    bool clamp;                   /* then min(max(x, lo), hi) */
    float lo, hi;
} depthwise_row;

/* Output row y of CVK_VLEN channels or, where `two` allows it, that and the next, which lies behind
 * it in dst and res and whose source rows are in the ring as well. How many it was. */
int CVK_FN(cvk_depthwise_row)(const depthwise_row *r, int y, bool two);

/* inside_begin and inside_end. */
void CVK_FN(cvk_depthwise_inside)(const cvk_geom *g, int *begin, int *end);

/* [block][kh][kw][16], then the bias [block][16] (bias may be NULL: zeros). */
cvk_status CVK_FN(cvk_depthwise_pack)(cvk_device *device, cvk_step *step, const cvk_geom *g,
                                      const cvk_view *wgt, const cvk_view *bias,
                                      const float **packed);

#endif
