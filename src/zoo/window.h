/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the layers: a window with explicit pads, and rounding of expected variances.
 */
#ifndef CVK_ZOO_WINDOW_H
#define CVK_ZOO_WINDOW_H

#include "zoo/net.h"

/* Height first; pads top, left, bottom, right: ONNX's order. */
typedef struct net_window {
    int64_t kernel[2], stride[2], dilation[2], pads[4];
} net_window;

/* Of a layer that reads n->at. */
net_window net_window_of(const net *n, const net_spec *spec);
/* Of a transposed convolution; same: the output is stride times as large. */
net_window net_window_of_transposed(const net_spec *spec);

/* kernel_shape, strides, dilations, pads: the attributes point into the window. Returns how many.
 */
enum { NET_WINDOW_ATTRS = 4 };
int net_window_attrs(const net_window *window, cvk_attr attrs[NET_WINDOW_ATTRS]);

/* The part of the taps along dimension `dim` that meet the input, not the padding. */
double net_window_share(const net_window *window, int dim, int64_t size);

/* 12 significant bits: libraries' functions may differ in their last, seeded numbers must not. */
double net_coarse(double value);

#endif
