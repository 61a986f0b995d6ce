/* SPDX-License-Identifier: Apache-2.0
 *
 * The geometry of a windowed operator as kernels want it: plain ints, always two spatial dimensions
 * (a 1-D problem has ih = oh = kh = 1), or always three.
 */
#ifndef CVK_GRAPH_GEOM_H
#define CVK_GRAPH_GEOM_H

#include "graph/graph.h"

typedef struct cvk_geom {
    int n, ic, ih, iw, oc, oh,
        ow; /* of the whole batch; oh, ow of this operator, before a fused pool */
    int kh, kw, sh, sw, dh, dw, pt, pl, pb, pr;
    int group;
} cvk_geom;

/* From a window, an input shape (N, C, [H,] W) and an output shape. False if the rank is neither 3
 * nor 4 or a number does not fit an int (or 2^31 elements). */
bool cvk_geom_make(const cvk_window *window, int64_t group, const cvk_shape *in,
                   const cvk_shape *out, cvk_geom *geom);

/* The same with one to three spatial dimensions, always as D, H and W: what the tensors lack has
 * length 1. */
typedef struct cvk_axis_geom {
    int in, out, kernel, stride, dilation, pad_begin, pad_end;
} cvk_axis_geom;
typedef struct cvk_geom3 {
    int n, ic, oc, group;
    cvk_axis_geom axis[CVK_MAX_SPATIAL];
} cvk_geom3;
bool cvk_geom3_make(const cvk_window *window, int64_t group, const cvk_shape *in,
                    const cvk_shape *out, cvk_geom3 *geom);

/* Of a Conv or ConvTranspose node, given its first input's shape and its (final) output's: with a
 * POOL post, oh and ow come from node->conv_shape. */
bool cvk_geom_conv(const cvk_node *node, const cvk_shape *in, const cvk_shape *out, cvk_geom *geom);

/* Of the POOL post: its input is node->conv_shape. */
bool cvk_geom_post_pool(const cvk_node *node, const cvk_post *post, const cvk_shape *out,
                        cvk_geom *geom);

/* Output length of a window along one dimension. Conv: floor; pools with ceil_mode: ceil, less a
 * last window that would start beyond the input and its begin pad. Source: ONNX operators, MaxPool.
 * Resolves auto_pad into pad_begin and pad_end first. -1 if the window does not fit. */
int64_t cvk_window_resolve(cvk_window *window, int dim, int64_t in, bool ceil_mode);

#endif
