/* SPDX-License-Identifier: Apache-2.0
 *
 * Inference of operators with a window (convolutions and pools), and what the pools share.
 */
#ifndef CVK_OPS_WINDOW_H
#define CVK_OPS_WINDOW_H

#include "graph/geom.h"
#include "ops/op.h"

/* Settles the window's number of spatial dimensions from an input of known rank (N, C, spatial...).
 * `what` names the operation in sentences: "convolution", "pooling". CVK_UNSUPPORTED above 2-D. */
cvk_status cvk_window_fit(cvk_window *window, const cvk_shape *in, const char *what);

/* Output lengths of a sliding window into out->dims[2..], where the input's are known, else -1. */
cvk_status cvk_window_output(cvk_window *window, const cvk_shape *in, bool ceil_mode,
                             cvk_shape *out);

/* Geometry for a reference. CVK_UNSUPPORTED if the tensors are too large for it. */
cvk_status cvk_window_geom(const cvk_window *window, int64_t group, const cvk_shape *in,
                           const cvk_shape *out, cvk_geom *geom);

/* Pools: MaxPool, AveragePool, Pool and the pool of an epilogue. */
cvk_status cvk_pool_parse(const cvk_attrs *attrs, cvk_pool_kind kind, cvk_pool_params *params);
cvk_status cvk_pool_infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out);
cvk_status cvk_pool_reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                              int n_out);

/* Pools over all of a channel: GlobalMaxPool, GlobalAveragePool, GlobalPool. */
cvk_status cvk_global_pool_infer(void *params, const cvk_view *in, int n_in, cvk_view *out,
                                 int n_out);
cvk_status cvk_global_pool_reference(const void *params, const cvk_view *in, int n_in,
                                     cvk_view *out, int n_out);

#endif
