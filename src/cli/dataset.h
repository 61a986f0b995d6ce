/* SPDX-License-Identifier: Apache-2.0
 *
 * Labelled pictures: IDX files as MNIST has them, or one folder of pictures per class.
 */
#ifndef CVK_CLI_DATASET_H
#define CVK_CLI_DATASET_H

#include "cli/image.h"

typedef struct dataset {
    int count;
    int *labels;
    char **paths;         /* picture files; NULL for IDX */
    unsigned char *bytes; /* the IDX file of pictures, header included */
    int width, height;    /* IDX */
} dataset;

/* `path`: a folder with PREFIX-images-idx3-ubyte[.gz] and PREFIX-labels-idx1-ubyte[.gz] (PREFIX
 * t10k if there are several), such a file of pictures, the path up to PREFIX, or a folder of
 * folders: the classes in order of their names, or the numbers that are their names. */
int dataset_open(const char *path, dataset *set);
/* Picture `index`; the caller's to free. */
int dataset_image(const dataset *set, int index, image *img);
void dataset_close(dataset *set);

#endif
