/* SPDX-License-Identifier: Apache-2.0
 *
 * GridSample: each output pixel is taken from X where the grid says, between elements if need be.
 * Inputs X (N, C, [D,] H, W) and grid (N, [oD,] oH, oW, 2 or 3).
 */
#include "graph/grid.h"

#include <string.h>

#include "ops/common.h"

static cvk_status choice(const cvk_attrs *attrs, const char *attr, const char *const *names, int n,
                         int *index)
{
    const char *text;
    CVK_TRY(cvk_attrs_string(attrs, attr, names[0], &text));
    for (int i = 0; i < n; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        *index = i;
        return CVK_OK;
    }
    return cvk_fail(CVK_UNSUPPORTED, "%s '%.40s' of GridSample is not supported", attr, text);
}

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    static const char *const old[] = {"bilinear", "nearest", "bicubic"}, *const names[] = {
                                                                             "linear", "nearest",
                                                                             "cubic"};
    static const cvk_resize_mode modes[] = {CVK_RESIZE_LINEAR, CVK_RESIZE_NEAREST,
                                            CVK_RESIZE_CUBIC};
    static const char *const paddings[] = {"zeros", "border", "reflection"};
    cvk_grid_params *p = params;
    int mode, padding;
    int64_t align;
    CVK_TRY(choice(attrs, "mode", attrs->opset < 20 ? old : names, 3, &mode));
    CVK_TRY(choice(attrs, "padding_mode", paddings, 3, &padding));
    CVK_TRY(cvk_attrs_int(attrs, "align_corners", 0, &align));
    p->mode = modes[mode];
    p->padding = (cvk_grid_padding)padding;
    p->align_corners = align != 0;
    return CVK_OK;
}

static cvk_status check_shapes(const cvk_shape *x, const cvk_shape *grid)
{
    char text[CVK_SHAPE_TEXT], other[CVK_SHAPE_TEXT];
    int rank = x->rank;
    if ((rank == 4 || rank == 5) && grid->rank == rank &&
        cvk_dims_agree(x->dims[0], grid->dims[0]) && cvk_dims_agree(grid->dims[rank - 1], rank - 2))
        return CVK_OK;
    return cvk_fail(
        CVK_SHAPE,
        "input has shape %s, grid %s: N x C x [D x] H x W and N x [oD x] oH x oW x 2 or "
        "3 are expected",
        cvk_shape_text(x, text), cvk_shape_text(grid, other));
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)params, (void)n_in, (void)n_out;
    cvk_shape shape = in[0].shape;
    CVK_TRY(cvk_check_float(&in[1], "grid"));
    if (cvk_ranked(&in[0]) && cvk_ranked(&in[1])) {
        CVK_TRY(check_shapes(&in[0].shape, &in[1].shape));
        for (int d = 2; d < shape.rank; d++) shape.dims[d] = in[1].shape.dims[d - 1];
    } else {
        for (int d = 2; d < shape.rank; d++) shape.dims[d] = -1;
    }
    cvk_set_out(&out[0], in[0].dtype, &shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_shape *shape = &in[0].shape;
    int spatial = shape->rank - 2;
    int64_t c = shape->dims[1], points = cvk_shape_span(&out[0].shape, 2, shape->rank);
    int64_t volume = cvk_shape_span(shape, 2, shape->rank);
    for (int64_t i = 0; i < shape->dims[0] * points; i++) {
        double place[CVK_MAX_SPATIAL];
        cvk_grid_taps taps;
        for (int d = 0; d < spatial; d++) place[d] = cvk_view_get(&in[1], i * spatial + d);
        cvk_grid_taps_of(params, spatial, shape->dims + 2, place, &taps);
        for (int64_t k = 0; k < c; k++) {
            int64_t channel = i / points * c + k;
            double sum = 0;
            for (int t = 0; t < taps.count; t++)
                sum += taps.weight[t] * cvk_view_get(&in[0], channel * volume + taps.at[t]);
            cvk_view_set(&out[0], channel * points + i % points, sum);
        }
    }
    return CVK_OK;
}

const cvk_op cvk_op_GridSample = {
    .name = "GridSample",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_grid_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .settings = CVK_ALL_BUT_FIRST,
    .needs_elements = true,
};
