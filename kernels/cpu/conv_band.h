/* SPDX-License-Identifier: Apache-2.0
 *
 * A band of source rows in a worker's scratch: padded, and with columns and rows sorted into slots
 * (see conv_plan.h) so that a tile reads neighbouring pixels whatever the stride.
 *
 *     source row   a b c d e f g     pad 1, stride 2, 3 taps:  slot 0  |0 b d f|   taps 0 and 2
 *                                                              slot 1  |a c e g|   tap 1
 *
 * A float16 source becomes float32 on the way, and a prologue is applied, behind which the zeros of the
 * padding stand.
 */
#ifndef CVK_KERNELS_CPU_CONV_BAND_H
#define CVK_KERNELS_CPU_CONV_BAND_H

#include "kernels/cpu/conv_plan.h"

/* The node's prologue: act(x scale[c] + shift[c]), c from the group's first channel on. */
typedef struct conv_map {
    const float *scale, *shift; /* icg of each; shift NULL: zeros */
    const cvk_act *act;
} conv_map;

/* The rows that output rows [row, row + rows) read, all channels of a group. src: the group's first
 * plane or block in an image; map: NULL if there is no prologue. */
void CVK_FN(cvk_conv_band_copy)(const conv_plan *plan, const void *src, int row, int rows,
                                const conv_map *map, float *band);

#endif
