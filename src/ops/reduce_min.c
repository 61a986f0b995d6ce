/* SPDX-License-Identifier: Apache-2.0
 *
 * ReduceMin: the smallest element over some axes.
 */
#include "ops/reduce.h"

const cvk_op cvk_op_ReduceMin = {
    .name = "ReduceMin",
    .min_in = 1,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_reduce_params),
    .form = {.kind = CVK_FORM_REDUCE, .reduce = CVK_REDUCE_MIN},
    .parse = cvk_parse_reduce,
    .infer = cvk_infer_reduce,
    .reference = cvk_reference_reduce,
    .settings = CVK_ALL_BUT_FIRST,
};
