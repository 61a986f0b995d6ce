/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures: JPEG and PNG files in, PNG files out, resizing, cutting. Eight bits per channel, gray
 * or red-green-blue; what a network wants of them is made in preprocess.c.
 */
#ifndef CVK_CLI_IMAGE_H
#define CVK_CLI_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct image {
    int width, height, channels; /* 1 or 3 */
    uint8_t *pixels;             /* row-major, channels last, no gaps */
} image;

image image_make(int width, int height, int channels); /* zeroed */
void image_free(image *img);

/* Loads a JPEG or PNG file (its first bytes tell): palette, 16 bits and gray are converted, alpha
 * is laid over black. Returns an exit code; a failure is reported. */
int image_load(const char *path, image *img);
int image_save_png(const char *path, const image *img);

/* The part of `src` of the given size at (left, top), which must lie inside it. */
image image_cut(const image *src, int left, int top, int width, int height);
/* Bilinear; where it shrinks the triangle filter is as wide as the step, so that every pixel
 * counts. */
image image_resize(const image *src, int width, int height);
/* One channel: 0.299 R + 0.587 G + 0.114 B; or three equal ones. */
image image_with_channels(const image *src, int channels);

#endif
