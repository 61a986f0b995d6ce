/* SPDX-License-Identifier: Apache-2.0
 *
 * GlobalLpPool: the p-norm of each channel; an LpPool whose window is the whole input.
 */
#include "ops/common.h"
#include "ops/window.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    return cvk_pool_parse_p(attrs, &((cvk_pool_params *)params)->p);
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    cvk_window *window = &((cvk_pool_params *)params)->window;
    cvk_shape shape = in[0].shape;
    if (cvk_shaped(&in[0])) {
        CVK_TRY(cvk_window_fit(window, &in[0].shape, "pooling"));
        for (int d = 0; d < window->spatial; d++) {
            window->kernel[d] = in[0].shape.dims[2 + d];
            window->stride[d] = window->dilation[d] = 1;
        }
        return cvk_pool_infer(params, in, n_in, out, n_out);
    }
    CVK_TRY(cvk_check_float(&in[0], "input"));
    for (int d = 2; d < shape.rank; d++) shape.dims[d] = 1;
    cvk_set_out(&out[0], in[0].dtype, &shape);
    return CVK_OK;
}

const cvk_op cvk_op_GlobalLpPool = {
    .name = "GlobalLpPool",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_pool_params),
    .form = {.kind = CVK_FORM_POOL, .pool = CVK_POOL_LP},
    .parse = parse,
    .infer = infer,
    .reference = cvk_pool_reference,
    .work = cvk_pool_work,
    .needs_elements = true,
};
