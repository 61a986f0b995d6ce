/* SPDX-License-Identifier: Apache-2.0
 *
 * SpaceToDepth: blocks of b x b pixels become b x b channels: (n, c, h, b, w, b) -> (n, b, b, c, h,
 * w).
 */
#include "ops/depth_space.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    return cvk_parse_block_size(attrs, params);
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_in, (void)n_out;
    int64_t block = ((const cvk_depth_space_params *)params)->block;
    cvk_shape shape = {.rank = 4, .dims = {-1, -1, -1, -1}};
    if (cvk_ranked(in)) {
        const int64_t *dims = in->shape.dims;
        if (in->shape.rank != 4)
            return cvk_fail(CVK_SHAPE, "input has rank %d, expected 4", in->shape.rank);
        for (int d = 2; d < 4; d++) {
            if (dims[d] >= 0 && dims[d] % block)
                return cvk_fail(CVK_SHAPE,
                                "dimension %d is %lld and does not divide into blocks of %lld", d,
                                (long long)dims[d], (long long)block);
            shape.dims[d] = dims[d] < 0 ? -1 : dims[d] / block;
        }
        shape.dims[0] = dims[0];
        if (dims[1] >= 0 && __builtin_mul_overflow(dims[1], block * block, &shape.dims[1]))
            return cvk_fail(CVK_SHAPE, "there are too many channels");
    }
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    static const int order[] = {0, 3, 5, 1, 2, 4};
    const int64_t *d = in->shape.dims, b = ((const cvk_depth_space_params *)params)->block;
    int64_t dims[] = {d[0], d[1], d[2] / b, b, d[3] / b, b};
    cvk_move_permuted(dims, order, in, out);
    return CVK_OK;
}

const cvk_op cvk_op_SpaceToDepth = {
    .name = "SpaceToDepth",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_depth_space_params),
    .form = {.kind = CVK_FORM_COPY},
    .parse = parse,
    .infer = infer,
    .reference = reference,
};
