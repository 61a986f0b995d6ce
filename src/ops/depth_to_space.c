/* SPDX-License-Identifier: Apache-2.0
 *
 * DepthToSpace: blocks of b x b channels become b x b pixels. DCR: the input is (n, b, b, c, h, w);
 * CRD: (n, c, b, b, h, w); the output is (n, c, h, b, w, b).
 */
#include <string.h>

#include "ops/depth_space.h"

cvk_status cvk_parse_block_size(const cvk_attrs *attrs, cvk_depth_space_params *params)
{
    CVK_TRY(cvk_attrs_int(attrs, "blocksize", 0, &params->block));
    if (params->block >= 1 && params->block <= 1 << 15) return CVK_OK;
    return cvk_fail(CVK_BAD_MODEL, "blocksize is %lld, expected at least 1",
                    (long long)params->block);
}

void cvk_move_permuted(const int64_t dims[6], const int perm[6], const cvk_view *src, cvk_view *dst)
{
    cvk_shape shape = cvk_shape_make(6, dims);
    int64_t strides[CVK_MAX_RANK];
    cvk_shape_strides(&shape, strides);
    cvk_copy_params walk = {.n = 6};
    for (int d = 0; d < 6; d++) {
        walk.dims[d] = dims[perm[d]];
        walk.strides[d] = strides[perm[d]];
    }
    cvk_move_strided(&walk, src, dst);
}

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_depth_space_params *p = params;
    const char *mode;
    CVK_TRY(cvk_attrs_string(attrs, "mode", "DCR", &mode));
    p->crd = strcmp(mode, "CRD") == 0;
    if (!p->crd && strcmp(mode, "DCR") != 0)
        return cvk_fail(CVK_BAD_MODEL, "mode is '%s', expected DCR or CRD", mode);
    return cvk_parse_block_size(attrs, p);
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
        if (dims[1] >= 0 && dims[1] % (block * block))
            return cvk_fail(CVK_SHAPE, "%lld channels do not divide into blocks of %lld x %lld",
                            (long long)dims[1], (long long)block, (long long)block);
        shape.dims[0] = dims[0];
        shape.dims[1] = dims[1] < 0 ? -1 : dims[1] / (block * block);
        for (int d = 2; d < 4; d++)
            if (dims[d] >= 0 && __builtin_mul_overflow(dims[d], block, &shape.dims[d]))
                return cvk_fail(CVK_SHAPE, "dimension %d is too large", d);
    }
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    static const int dcr_order[] = {0, 3, 4, 1, 5, 2}, crd_order[] = {0, 1, 4, 2, 5, 3};
    const cvk_depth_space_params *p = params;
    const int64_t *d = in->shape.dims, b = p->block, c = d[1] / (b * b);
    int64_t dcr[] = {d[0], b, b, c, d[2], d[3]}, crd[] = {d[0], c, b, b, d[2], d[3]};
    cvk_move_permuted(p->crd ? crd : dcr, p->crd ? crd_order : dcr_order, in, out);
    return CVK_OK;
}

const cvk_op cvk_op_DepthToSpace = {
    .name = "DepthToSpace",
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
