/* SPDX-License-Identifier: Apache-2.0
 *
 * What the launchers of conv_direct.cl share: its arguments, the register tile, and packed weights.
 */
#ifndef CVK_KERNELS_OPENCL_CONV_H
#define CVK_KERNELS_OPENCL_CONV_H

#include "kernels/opencl/rows.h"
#include "kernels/opencl/tiles.h"

/* conv_args of conv_direct.cl, where the members are explained. */
typedef struct cvk_cl_conv {
    cl_int ic, ih, iw;
    cl_int group_ic, last_lanes;
    cl_int oc, oc_blocks, oh, ow;
    cl_int group_oc_blocks, group_tiles;
    cl_int kh, kw, sh, sw, dh, dw, pt, pl;
    cl_int has_bias;
    cl_int pool_count_pad, pool_kh, pool_kw, pool_sh, pool_sw, pool_pt, pool_pl;
    cl_int pool_eh, pool_ew;
    cl_int pool_oh, pool_ow;
    cl_int span, band, depth;
    cl_int map_ic, gated;
    cvk_cl_posts posts, before;
} cvk_cl_conv;

/* How a launch of conv_direct.cl differs from the blocked convolution. */
typedef struct cvk_cl_conv_form {
    bool plain_src, transposed;
} cvk_cl_conv_form;

/* For cost models: bytes of weights that a core reads per cycle from far away. */
enum { CVK_CL_WEIGHT_RATE = 8 };

/* Cycles of all cores that the convolution without a pool is thought to take in conv_direct.cl, a
 * multiply-add of a float16 being one. */
double cvk_cl_conv_direct_cycles(const cvk_caps *caps, const cvk_geom *geom);

/* cost of the rows that run it: what it is thought to reach of the peak is in there. */
void cvk_cl_conv_cost(const cvk_problem *problem, cvk_work *work);

/* The questions common to all forms: types (float16 for input, residual and output unless
 * transposed), sizes, constant weights, groups of whole blocks, posts. Fills *geom. */
bool cvk_cl_conv_accepts(const cvk_problem *problem, bool pool, cvk_geom *geom,
                         const char **why_not);

/* Whether the lanes of a result's blocks are full enough: on a CPU, those that a few output channels
 * leave empty may cost more than a plain result (conv_plain.cl), whose lanes are pixels, and the
 * reorder of a blocked source. */
bool cvk_cl_conv_fills(const cvk_problem *problem, const cvk_geom *geom, cvk_cl_conv_form form,
                       const char **why_not);

/* Arguments from the geometry and the node's posts; the pool's stay zero. */
void cvk_cl_conv_make(const cvk_step *step, const cvk_geom *geom, cvk_cl_tile tile,
                      cvk_cl_conv_form form, cvk_cl_conv *args);

/* Weights as conv_direct.cl reads them. */
cvk_status cvk_cl_conv_pack(cvk_device *device, cvk_step *step, const cvk_geom *geom,
                            cvk_cl_tile tile, cvk_cl_conv_form form, void **wgt);

/* Arguments 0 to 6 of each of its kernels; 7 and 8, the map, are the caller's where there is one. */
cvk_status cvk_cl_conv_bind(cvk_cl_stage *stage, const cvk_step *step, const void *wgt,
                            const cvk_cl_conv *args);

#endif
