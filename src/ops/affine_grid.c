/* SPDX-License-Identifier: Apache-2.0
 *
 * AffineGrid: for each pixel of the size wanted, the place in [-1, 1] x ... that theta maps it to:
 * (N, H, W, 2) as x, y from theta (N, 2, 3), or (N, D, H, W, 3) from (N, 3, 4).
 */
#include "ops/move.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    int64_t align;
    CVK_TRY(cvk_attrs_int(attrs, "align_corners", 0, &align));
    ((cvk_affine_grid_params *)params)->align_corners = align != 0;
    return CVK_OK;
}

/* size: N, C, then the spatial dimensions. */
static cvk_status read_size(const cvk_view *in, cvk_shape *shape)
{
    int64_t size[CVK_MAX_RANK];
    int n;
    CVK_TRY(cvk_const_ints(&in[1], "size", CVK_MAX_RANK, size, &n));
    if (n != 4 && n != 5) return cvk_fail(CVK_SHAPE, "size has %d elements, expected 4 or 5", n);
    for (int i = 0; i < n; i++)
        if (size[i] < 1)
            return cvk_fail(CVK_SHAPE, "size lists %lld at place %d", (long long)size[i], i);
    *shape = (cvk_shape){.rank = n, .dims = {size[0]}};
    for (int d = 1; d < n - 1; d++) shape->dims[d] = size[d + 1];
    shape->dims[n - 1] = n - 2;
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)params, (void)n_out;
    char text[CVK_SHAPE_TEXT];
    const cvk_shape *theta = &in->shape;
    cvk_shape shape = cvk_shape_unknown();
    CVK_TRY(cvk_check_float(in, "theta"));
    if (cvk_input_constant(in, n_in, 1)) {
        CVK_TRY(read_size(in, &shape));
        int spatial = shape.rank - 2;
        if (cvk_ranked(in) && (theta->rank != 3 || !cvk_dims_agree(theta->dims[0], shape.dims[0]) ||
                               !cvk_dims_agree(theta->dims[1], spatial) ||
                               !cvk_dims_agree(theta->dims[2], spatial + 1)))
            return cvk_fail(CVK_SHAPE, "theta has shape %s, expected %lldx%dx%d",
                            cvk_shape_text(theta, text), (long long)shape.dims[0], spatial,
                            spatial + 1);
    } else {
        CVK_TRY(cvk_shape_of_rank(cvk_input_length(&in[1]), &shape));
    }
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

/* Where pixel i of n is in [-1, 1]: its middle, or its end with aligned corners. */
static double coordinate(int64_t i, int64_t n, bool align_corners)
{
    if (!align_corners) return (double)(2 * i + 1) / (double)n - 1;
    return n > 1 ? 2 * (double)i / (double)(n - 1) - 1 : 0;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    bool align = ((const cvk_affine_grid_params *)params)->align_corners;
    const cvk_shape *shape = &out->shape;
    int spatial = shape->rank - 2;
    int64_t at[CVK_MAX_RANK] = {0}, count = cvk_view_count(out);
    for (int64_t i = 0; i < count; i++, cvk_index_next(shape, at)) {
        int64_t row = (at[0] * spatial + at[spatial + 1]) * (spatial + 1);
        double sum = cvk_view_get(in, row + spatial);
        for (int d = 0; d < spatial; d++) /* x is the innermost dimension */
            sum += cvk_view_get(in, row + d) *
                   coordinate(at[spatial - d], shape->dims[spatial - d], align);
        cvk_view_set(out, i, sum);
    }
    return CVK_OK;
}

const cvk_op cvk_op_AffineGrid = {
    .name = "AffineGrid",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_affine_grid_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .settings = CVK_ALL_BUT_FIRST,
};
