/* SPDX-License-Identifier: Apache-2.0
 *
 * What Softmax and LogSoftmax share; lives in softmax.c.
 */
#ifndef CVK_OPS_SOFTMAX_H
#define CVK_OPS_SOFTMAX_H

#include "ops/op.h"

cvk_status cvk_softmax_parse(const cvk_attrs *attrs, bool log, cvk_softmax_params *params);
cvk_status cvk_softmax_infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out);
cvk_status cvk_softmax_reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                                 int n_out);

#endif
