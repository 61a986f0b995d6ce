/* SPDX-License-Identifier: Apache-2.0
 *
 * What the normalisations share: mean and variance of neighbours, and rows of them.
 */
#ifndef CVK_OPS_NORMALISE_H
#define CVK_OPS_NORMALISE_H

#include "ops/common.h"

typedef struct cvk_moments {
    double mean, variance;
} cvk_moments;
/* Of elements [begin, begin + length). */
cvk_moments cvk_moments_of(const cvk_view *src, int64_t begin, int64_t length);

/* infer, in part: types of X, scale and shift (in[1], in[2]), shape and type of Y. */
cvk_status cvk_row_norm_infer(const cvk_view *in, int n_in, cvk_view *out);
/* reference of whatever has cvk_row_normalization_params with inner != 0. */
cvk_status cvk_row_norm_reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                                  int n_out);

#endif
