/* SPDX-License-Identifier: Apache-2.0
 *
 * QuantizeLinear and DequantizeLinear: inputs X, scale, [zero point]; scale and zero point are one
 * number, or one per element of an axis (since opset 13), or one per block along it (since 21).
 */
#ifndef CVK_OPS_QUANTIZE_H
#define CVK_OPS_QUANTIZE_H

#include "ops/common.h"

/* The attributes axis and block_size. */
cvk_status cvk_parse_quantize(const cvk_attrs *attrs, void *params);
/* Checks scale and zero point against X and makes a per-axis axis non-negative. */
cvk_status cvk_check_quantize(cvk_quantize_params *params, const cvk_view *in, int n_in);

/* Whether QuantizeLinear can make it: integers of 8 or 16 bits. */
bool cvk_is_quantized_type(cvk_dtype dtype);

/* How X falls into runs of one scale: `outer` times `channels` runs of `inner` elements. */
typedef struct cvk_quantize_runs {
    int64_t outer, channels, inner;
    int64_t block, length, span; /* block > 0: runs of one element; of the axis: its length, and how
                                    many elements lie behind each of its own */
} cvk_quantize_runs;
cvk_quantize_runs cvk_quantize_runs_of(const cvk_quantize_params *params, const cvk_view *in);
/* Which element of scale and zero point belongs to a run. */
int64_t cvk_quantize_scale_of(const cvk_quantize_runs *runs, int64_t run);

#endif
