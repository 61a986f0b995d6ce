/* SPDX-License-Identifier: Apache-2.0
 *
 * From pictures to the numbers that a network wants, and back.
 *
 *     value = (pixel * scale - mean[channel]) / std[channel]
 *
 * after resizing and cutting to the size of the input; one channel where the input has one.
 */
#ifndef CVK_CLI_PREPROCESS_H
#define CVK_CLI_PREPROCESS_H

#include "cli/image.h"
#include "cli/options.h"

/* Where batch, channels, height and width stand in a tensor of rank 4. */
typedef struct image_axes {
    int channels, height, width;
} image_axes;
image_axes image_axes_of(const shared_options *shared);

/* Whether pictures can be put into `input`: rank 4, 1 or 3 channels; an exit code. */
int image_input_check(const shared_options *shared, const cvk_tensor *input);

/* Gives free height and width a value: --resize, else the size of `first`. */
void image_input_size(const shared_options *shared, const image *first, cvk_tensor *input);

/* Writes picture `slot` of the batch. */
int image_to_tensor(const shared_options *shared, const image *img, cvk_tensor *input, int slot);

/* The first picture of an output (N x 1 or 3 x H x W, or N x H x W), with scale, mean and std
 * undone. */
int tensor_to_image(const shared_options *shared, const cvk_tensor *output, image *img);

#endif
