/* SPDX-License-Identifier: Apache-2.0
 *
 * The pool fused into a convolution: which conv rows a band of pooled rows needs, which of them are
 * there already, and the pooling itself. Conv rows lie in scratch as
 * [vec][pool_rows][cols][CVK_VLEN].
 */
#ifndef CVK_KERNELS_CPU_CONV_POOL_H
#define CVK_KERNELS_CPU_CONV_POOL_H

#include "kernels/cpu/conv_plan.h"
#include "kernels/cpu/epilogue.h"

typedef struct conv_pool_band {
    int row, rows; /* pooled rows */
    int first, fresh,
        end;  /* conv rows [first, end), those before `fresh` kept from the last band */
    int save; /* conv rows [save, end) are to be kept for the next */
} conv_pool_band;

/* done: end of the band before, -1 if there is none; last: no band follows. */
conv_pool_band CVK_FN(cvk_conv_pool_band)(const conv_plan *plan, int row, int rows, int done,
                                          bool last);

void CVK_FN(cvk_conv_pool_restore)(const conv_plan *plan, const conv_pool_band *band, int vecs,
                                   const float *keep, float *conv);
void CVK_FN(cvk_conv_pool_save)(const conv_plan *plan, const conv_pool_band *band, int vecs,
                                const float *conv, float *keep);

/* One row of pooled vecs, `step` floats apart, from rows of p->iw vecs each, the first of which is
 * row `first`. */
void CVK_FN(cvk_conv_pool_row)(const cvk_geom *p, const cvk_pool_params *params, int row,
                               const float *src, int first, float *dst, int step);

/* Pools the band of one vec of channels (the first is `channel`) into dst, blocked; post:
 * activations. A float16 dst gets each row by way of `line`. */
void CVK_FN(cvk_conv_pool_rows)(const conv_plan *plan, const conv_pool_band *band, const float *src,
                                const chain *post, int image, int channel, float *line, void *dst);

#endif
