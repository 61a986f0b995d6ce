/* SPDX-License-Identifier: Apache-2.0
 *
 * Inference of operators with a window (convolutions and pools), their geometry as references walk
 * it, and what the pools share.
 */
#ifndef CVK_OPS_WINDOW_H
#define CVK_OPS_WINDOW_H

#include "ops/op.h"

/* Settles the window's number of spatial dimensions from an input of known rank (N, C, spatial...).
 * `what` names the operation in sentences: "convolution", "pooling". CVK_UNSUPPORTED above 3-D.
 */
cvk_status cvk_window_fit(cvk_window *window, const cvk_shape *in, const char *what);

/* Output lengths of a sliding window into out->dims[2..], where the input's are known, else -1. */
cvk_status cvk_window_output(cvk_window *window, const cvk_shape *in, bool ceil_mode,
                             cvk_shape *out);

/* The same with one to three spatial dimensions and of any size, for references: always three axes,
 * D, H and W; what the tensors lack has length 1. A pitch is the number of elements from one
 * position along the axis to the next. */
typedef struct cvk_sweep_axis {
    int64_t in, out, kernel, stride, dilation, pad_begin, pad_end;
    int64_t in_pitch, out_pitch, kernel_pitch;
} cvk_sweep_axis;
typedef struct cvk_sweep {
    int64_t n, ic, oc, group;
    int64_t in_count, out_count, kernel_count; /* elements of one channel's volume */
    cvk_sweep_axis axis[CVK_MAX_SPATIAL];
} cvk_sweep;
cvk_sweep cvk_sweep_make(const cvk_window *window, int64_t group, const cvk_shape *in,
                         const cvk_shape *out);

/* Pools: MaxPool, AveragePool, LpPool, Pool and the pool of an epilogue. */
cvk_status cvk_pool_parse(const cvk_attrs *attrs, void *values);
cvk_status cvk_pool_infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out);
cvk_status cvk_pool_reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                              int n_out);
/* The sum over the window at element i of an output of shape `out`, and what an average divides it
 * by. */
double cvk_pool_sum(const cvk_pool_params *pool, const cvk_view *in, const cvk_shape *out,
                    int64_t i, int64_t *divisor);
uint64_t cvk_pool_work(const void *params, const cvk_view *in, int n_in, const cvk_view *out);

/* Attribute p of the Lp pools. */
cvk_status cvk_pool_parse_p(const cvk_attrs *attrs, int64_t *p);

/* Pools over all of a channel: GlobalMaxPool, GlobalAveragePool, GlobalPool. */
cvk_status cvk_global_pool_infer(void *params, const cvk_view *in, int n_in, cvk_view *out,
                                 int n_out);
cvk_status cvk_global_pool_reference(const void *params, const cvk_view *in, int n_in,
                                     cvk_view *out, int n_out);

#endif
