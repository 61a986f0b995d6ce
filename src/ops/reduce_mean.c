/* SPDX-License-Identifier: Apache-2.0
 *
 * ReduceMean: the mean over some axes.
 */
#include "ops/reduce.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    return cvk_parse_reduce(attrs, CVK_REDUCE_MEAN, params);
}

const cvk_op cvk_op_ReduceMean = {
    .name = "ReduceMean",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_reduce_params),
    .parse = parse,
    .infer = cvk_infer_reduce,
    .reference = cvk_reference_reduce,
};
