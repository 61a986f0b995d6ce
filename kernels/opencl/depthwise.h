/* SPDX-License-Identifier: Apache-2.0
 *
 * What the launchers of depthwise.cl share: its window and its packed weights.
 */
#ifndef CVK_KERNELS_OPENCL_DEPTHWISE_H
#define CVK_KERNELS_OPENCL_DEPTHWISE_H

#include "kernels/opencl/rows.h"

/* window_args of depthwise.cl. */
typedef struct cvk_cl_window {
    cl_int ih, iw, oh, ow, kh, kw, sh, sw, dh, dw, pt, pl;
    cl_int px;
} cvk_cl_window;

/* With the strip that leaves the least of a row over. */
cvk_cl_window cvk_cl_window_make(const cvk_geom *geom);

/* [block][kh][kw][16], then the bias [block][16] (bias may be NULL: zeros). */
cvk_status cvk_cl_depthwise_pack(cvk_device *device, cvk_step *step, const cvk_geom *geom,
                                 const cvk_view *wgt, const cvk_view *bias, void **packed);

#endif
