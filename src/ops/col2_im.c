/* SPDX-License-Identifier: Apache-2.0
 *
 * Col2Im: an image from its blocks as columns (N, C x block, blocks): where blocks overlap, their
 * sum.
 */
#include <stdlib.h>

#include "graph/geom.h"
#include "ops/move.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    return cvk_attrs_window(attrs, params);
}

/* Both shapes, at most three dimensions each; the window's kernel becomes the block. */
static cvk_status read_shapes(cvk_window *w, const cvk_view *in, int64_t *image)
{
    int n, blocks;
    CVK_TRY(cvk_const_ints(&in[1], "image_shape", CVK_MAX_SPATIAL, image, &n));
    CVK_TRY(cvk_const_ints(&in[2], "block_shape", CVK_MAX_SPATIAL, w->kernel, &blocks));
    if (n < 1 || n != blocks || (w->spatial && w->spatial != n))
        return cvk_fail(CVK_SHAPE, "image_shape has %d elements, block_shape %d, the attributes %d",
                        n, blocks, w->spatial ? w->spatial : n);
    w->spatial = n;
    for (int d = 0; d < n; d++)
        if (image[d] < 1 || image[d] > INT32_MAX || w->kernel[d] < 1 || w->kernel[d] > INT32_MAX)
            return cvk_fail(CVK_SHAPE, "image_shape or block_shape lists %lld and %lld at place %d",
                            (long long)image[d], (long long)w->kernel[d], d);
    return CVK_OK;
}

/* Columns along each dimension. */
static cvk_status count_blocks(cvk_window *w, const int64_t *image, int64_t *blocks)
{
    for (int d = 0; d < w->spatial; d++) {
        blocks[d] = cvk_window_resolve(w, d, image[d], false);
        if (blocks[d] < 1)
            return cvk_fail(CVK_SHAPE, "no block of %lld fits into dimension %d of the image, %lld",
                            (long long)w->kernel[d], d, (long long)image[d]);
    }
    return CVK_OK;
}

static cvk_status check_columns(const cvk_shape *in, const cvk_window *w, const int64_t *blocks,
                                int64_t *channels)
{
    char text[CVK_SHAPE_TEXT];
    int64_t block = 1, all = 1;
    bool fits = true;
    for (int d = 0; d < w->spatial; d++)
        fits = fits && !__builtin_mul_overflow(block, w->kernel[d], &block) &&
               !__builtin_mul_overflow(all, blocks[d], &all);
    fits = fits && in->rank == 3 && in->dims[1] % block == 0 && cvk_dims_agree(in->dims[2], all);
    if (!fits)
        return cvk_fail(CVK_SHAPE,
                        "input has shape %s, expected %lld columns of a multiple of %lld",
                        cvk_shape_text(in, text), (long long)all, (long long)block);
    *channels = in->dims[1] < 0 ? -1 : in->dims[1] / block;
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    int64_t image[CVK_MAX_SPATIAL], blocks[CVK_MAX_SPATIAL];
    cvk_shape shape = cvk_shape_unknown();
    CVK_TRY(cvk_check_float(in, "input"));
    if (cvk_input_constant(in, n_in, 1) && cvk_input_constant(in, n_in, 2)) {
        CVK_TRY(read_shapes(params, in, image));
        CVK_TRY(count_blocks(params, image, blocks));
        shape = (cvk_shape){.rank = 2 + ((cvk_window *)params)->spatial, .dims = {-1, -1}};
        for (int d = 2; d < shape.rank; d++) shape.dims[d] = image[d - 2];
        if (cvk_ranked(in)) {
            CVK_TRY(check_columns(&in->shape, params, blocks, &shape.dims[1]));
            shape.dims[0] = in->shape.dims[0];
        }
    } else if (cvk_input_length(&in[1]) >= 0) {
        CVK_TRY(cvk_shape_of_rank(2 + cvk_input_length(&in[1]), &shape));
    }
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

/* All blocks of one channel into its image. */
static void add_blocks(const cvk_window *w, const cvk_shape *image, const cvk_shape *grid,
                       const cvk_view *in, int64_t from, double *to)
{
    cvk_shape block = cvk_shape_make(w->spatial, w->kernel);
    int64_t k[CVK_MAX_RANK] = {0}, strides[CVK_MAX_RANK];
    cvk_shape_strides(image, strides);
    do {
        int64_t at[CVK_MAX_RANK] = {0};
        do {
            int64_t place = 0;
            bool inside = true;
            for (int d = 0; d < w->spatial; d++) {
                int64_t x = at[d] * w->stride[d] + k[d] * w->dilation[d] - w->pad_begin[d];
                inside = inside && x >= 0 && x < image->dims[d];
                if (inside) place += x * strides[d];
            }
            if (inside) to[place] += cvk_view_get(in, from);
            from++;
        } while (cvk_index_next(grid, at));
    } while (cvk_index_next(&block, k));
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    cvk_window w = *(const cvk_window *)params;
    cvk_shape image = {.rank = w.spatial}, grid = {.rank = w.spatial};
    cvk_view sums;
    CVK_TRY(read_shapes(&w, in, image.dims));
    CVK_TRY(count_blocks(&w, image.dims, grid.dims));
    CVK_TRY(cvk_view_temp(&out->shape, &sums));
    int64_t planes = out->shape.dims[0] * out->shape.dims[1], pixels = cvk_shape_count(&image),
            columns = planes ? cvk_view_count(in) / planes : 0;
    for (int64_t p = 0; p < planes; p++)
        add_blocks(&w, &image, &grid, in, p * columns, (double *)sums.data + p * pixels);
    cvk_view_convert(&sums, out);
    free(sums.data);
    return CVK_OK;
}

const cvk_op cvk_op_Col2Im = {
    .name = "Col2Im",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_window),
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .settings = CVK_ALL_BUT_FIRST,
};
