/* SPDX-License-Identifier: Apache-2.0
 *
 * QuantizeLinear and DequantizeLinear: inputs X, scale, [zero point]; scale and zero point are one
 * number, or one per element of an axis (since opset 13).
 */
#ifndef CVK_OPS_QUANTIZE_H
#define CVK_OPS_QUANTIZE_H

#include "ops/common.h"

/* The attribute axis. */
cvk_status cvk_parse_quantize(const cvk_attrs *attrs, void *params);
/* Checks scale and zero point against X and makes a per-axis axis non-negative. */
cvk_status cvk_check_quantize(cvk_quantize_params *params, const cvk_view *in, int n_in);

/* How X falls into runs of one scale: `outer` times `channels` runs of `inner` elements. */
typedef struct cvk_quantize_runs {
    int64_t outer, channels, inner;
} cvk_quantize_runs;
cvk_quantize_runs cvk_quantize_runs_of(const cvk_quantize_params *params, const cvk_view *in);

#endif
