/* SPDX-License-Identifier: Apache-2.0
 *
 * Geometry and colours of pictures; the file formats are in image_file.c.
 */
#include "cli/image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

image image_make(int width, int height, int channels)
{
    image img = {width, height, channels, NULL};
    img.pixels = need((size_t)width * (size_t)height, (size_t)channels);
    return img;
}

void image_free(image *img)
{
    free(img->pixels);
    *img = (image){0};
}

image image_cut(const image *src, int left, int top, int width, int height)
{
    image dst = image_make(width, height, src->channels);
    size_t pixel = (size_t)src->channels, row = (size_t)width * pixel;
    for (int y = 0; y < height; y++)
        memcpy(dst.pixels + (size_t)y * row,
               src->pixels + ((size_t)(top + y) * (size_t)src->width + (size_t)left) * pixel, row);
    return dst;
}

/* The source pixels that one destination pixel takes, and their weights, which sum to 1. */
typedef struct taps {
    int first, count;
    double *weights;
} taps;

/* Taps of every pixel of one axis; weights are in one block, the first's. */
static taps *make_taps(int src, int dst)
{
    double step = (double)src / dst, reach = step > 1 ? step : 1;
    int most = (int)ceil(reach) * 2 + 1;
    taps *all = need((size_t)dst, sizeof *all);
    double *weights = need((size_t)dst * (size_t)most, sizeof *weights);
    for (int i = 0; i < dst; i++) {
        double centre = (i + 0.5) * step, sum = 0;
        int first = (int)fmax(0, floor(centre - reach + 0.5));
        int last = (int)fmin(src, floor(centre + reach + 0.5));
        all[i] = (taps){first, last - first, weights + (size_t)i * (size_t)most};
        for (int k = 0; k < all[i].count; k++) {
            double away = fabs((first + k + 0.5 - centre) / reach);
            all[i].weights[k] = away < 1 ? 1 - away : 0;
            sum += all[i].weights[k];
        }
        for (int k = 0; k < all[i].count; k++) all[i].weights[k] /= sum;
    }
    return all;
}

static void free_taps(taps *all)
{
    free(all[0].weights);
    free(all);
}

/* One destination pixel channel: `stride` bytes between source pixels of the axis. */
static uint8_t blend(const uint8_t *src, size_t stride, const taps *t)
{
    double sum = 0.5;
    for (int k = 0; k < t->count; k++) sum += t->weights[k] * src[(size_t)(t->first + k) * stride];
    return sum < 0 ? 0 : sum > 255 ? 255 : (uint8_t)sum;
}

static image resize_rows(const image *src, int width)
{
    image dst = image_make(width, src->height, src->channels);
    taps *all = make_taps(src->width, width);
    size_t nc = (size_t)src->channels;
    for (int y = 0; y < src->height; y++)
        for (int x = 0; x < width; x++)
            for (size_t c = 0; c < nc; c++)
                dst.pixels[((size_t)y * (size_t)width + (size_t)x) * nc + c] =
                    blend(src->pixels + (size_t)y * (size_t)src->width * nc + c, nc, &all[x]);
    free_taps(all);
    return dst;
}

static image resize_columns(const image *src, int height)
{
    image dst = image_make(src->width, height, src->channels);
    taps *all = make_taps(src->height, height);
    size_t row = (size_t)src->width * (size_t)src->channels;
    for (int y = 0; y < height; y++)
        for (size_t x = 0; x < row; x++)
            dst.pixels[(size_t)y * row + x] = blend(src->pixels + x, row, &all[y]);
    free_taps(all);
    return dst;
}

image image_resize(const image *src, int width, int height)
{
    image wide = src->width == width ? image_cut(src, 0, 0, src->width, src->height)
                                     : resize_rows(src, width);
    if (src->height == height) return wide;
    image dst = resize_columns(&wide, height);
    image_free(&wide);
    return dst;
}

image image_with_channels(const image *src, int channels)
{
    if (src->channels == channels) return image_cut(src, 0, 0, src->width, src->height);
    image dst = image_make(src->width, src->height, channels);
    size_t n = (size_t)src->width * (size_t)src->height;
    for (size_t i = 0; i < n; i++)
        if (channels == 1) {
            const uint8_t *p = src->pixels + 3 * i;
            dst.pixels[i] =
                (uint8_t)((p[0] * 19595u + p[1] * 38470u + p[2] * 7471u + 0x8000u) >> 16);
        } else {
            memset(dst.pixels + 3 * i, src->pixels[i], 3);
        }
    return dst;
}
