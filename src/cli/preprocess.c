/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures into tensors and back.
 */
#include "cli/preprocess.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/numbers.h"

image_axes image_axes_of(const shared_options *shared)
{
    return shared->nhwc ? (image_axes){3, 1, 2} : (image_axes){1, 2, 3};
}

int image_input_check(const shared_options *shared, const cvk_tensor *input)
{
    char shape[128];
    shape_text(input, NULL, shape, sizeof shape);
    if (input->rank != 4)
        return fail(BAD_FILE, "input '%s' is %s: pictures need rank 4; use --input", input->name,
                    shape);
    int64_t channels = input->dims[image_axes_of(shared).channels];
    if (channels == 1 || channels == 3) return DONE;
    return fail(BAD_FILE, "input '%s' is %s: pictures have 1 or 3 channels%s", input->name, shape,
                shared->nhwc ? "" : " (is it --nhwc?)");
}

void image_input_size(const shared_options *shared, const image *first, cvk_tensor *input)
{
    image_axes axes = image_axes_of(shared);
    bool resized = shared->resize[0] > 0;
    int64_t *width = &input->dims[axes.width], *height = &input->dims[axes.height];
    if (*width < 0) *width = resized ? shared->resize[0] : first->width;
    if (*height < 0) *height = resized ? shared->resize[1] : first->height;
    if (input->dims[0] < 0) input->dims[0] = 1;
}

/* The middle of `src` of at most the given size. */
static image cut_middle(const image *src, int width, int height)
{
    return image_cut(src, (src->width - width) / 2, (src->height - height) / 2, width, height);
}

/* The largest middle part with the proportions width : height. */
static image cut_proportions(const image *src, int width, int height)
{
    int64_t w = src->width, h = src->height;
    if (w * height > h * width)
        w = h * width / height;
    else
        h = w * height / width;
    return cut_middle(src, w > 0 ? (int)w : 1, h > 0 ? (int)h : 1);
}

/* Resized and cut to width x height as the options say. */
static int fit(const shared_options *shared, const image *src, int width, int height, image *dst)
{
    if (!shared->resize[0]) {
        image part = shared->crop ? cut_proportions(src, width, height)
                                  : image_cut(src, 0, 0, src->width, src->height);
        *dst = image_resize(&part, width, height);
        image_free(&part);
        return DONE;
    }
    int w = shared->resize[0], h = shared->resize[1];
    if (w < width || h < height || (!shared->crop && (w != width || h != height)))
        return fail(BAD_FILE, "--resize %dx%d does not give the input's %dx%d%s", w, h, width,
                    height,
                    shared->crop || w < width || h < height ? "" : ": --crop center would cut it");
    image whole = image_resize(src, w, h);
    *dst = cut_middle(&whole, width, height);
    image_free(&whole);
    return DONE;
}

/* Index of channel c, row y, column x of picture `slot`. */
static size_t element(const cvk_tensor *t, image_axes axes, int slot, int64_t c, int64_t y,
                      int64_t x)
{
    int64_t at[4] = {slot, 0, 0, 0};
    at[axes.channels] = c;
    at[axes.height] = y;
    at[axes.width] = x;
    return (size_t)(((at[0] * t->dims[1] + at[1]) * t->dims[2] + at[2]) * t->dims[3] + at[3]);
}

int image_to_tensor(const shared_options *shared, const image *img, cvk_tensor *input, int slot)
{
    image_axes axes = image_axes_of(shared);
    int nc = (int)input->dims[axes.channels];
    int width = (int)input->dims[axes.width], height = (int)input->dims[axes.height];
    image sized, fitted;
    int code = fit(shared, img, width, height, &sized);
    if (code) return code;
    fitted = image_with_channels(&sized, nc);
    image_free(&sized);
    for (int c = 0; c < nc; c++) {
        int from = shared->bgr ? nc - 1 - c : c;
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) {
                double pixel = fitted.pixels[((size_t)y * (size_t)width + (size_t)x) * (size_t)nc +
                                             (size_t)from];
                double value = (pixel * shared->scale - shared->mean[from]) / shared->std[from];
                number_set(input, element(input, axes, slot, c, y, x), value);
            }
    }
    image_free(&fitted);
    return DONE;
}

int tensor_to_image(const shared_options *shared, const cvk_tensor *output, image *img)
{
    char shape[128];
    shape_text(output, NULL, shape, sizeof shape);
    image_axes axes = image_axes_of(shared);
    cvk_tensor t = *output;
    if (t.rank == 3) {
        axes = (image_axes){1, 2, 3};
        t = (cvk_tensor){.dtype = output->dtype,
                         .rank = 4,
                         .data = output->data,
                         .dims = {output->dims[0], 1, output->dims[1], output->dims[2]}};
    }
    int64_t nc = t.dims[axes.channels], width = t.dims[axes.width], height = t.dims[axes.height];
    if (t.rank != 4 || (nc != 1 && nc != 3) || width > 65536 || height > 65536)
        return fail(BAD_FILE, "--save-image: output '%s' is %s, which is no picture", output->name,
                    shape);
    *img = image_make((int)width, (int)height, (int)nc);
    for (int c = 0; c < nc; c++) {
        int to = shared->bgr ? (int)nc - 1 - c : c;
        for (int64_t y = 0; y < height; y++)
            for (int64_t x = 0; x < width; x++) {
                double value = number_get(&t, element(&t, axes, 0, c, y, x));
                double pixel = (value * shared->std[to] + shared->mean[to]) / shared->scale;
                img->pixels[(y * width + x) * nc + to] =
                    (uint8_t)nearbyint(fmin(fmax(pixel, 0), 255));
            }
    }
    return DONE;
}
