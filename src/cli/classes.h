/* SPDX-License-Identifier: Apache-2.0
 *
 * Outputs that are scores of classes: their names, the best few of them.
 */
#ifndef CVK_CLI_CLASSES_H
#define CVK_CLI_CLASSES_H

#include "cli/cli.h"

/* Names of classes, one a line. */
typedef struct label_list {
    char *text; /* the file; lines end in NUL */
    const char **names;
    int count;
} label_list;
int labels_load(const char *path, label_list *labels);
const char *label_of(const label_list *labels, int index); /* NULL if there is none */
void labels_free(label_list *labels);

/* Scores per picture if `output` is N x classes (with any dimensions of 1 behind), else 0. */
int class_count(const cvk_tensor *output);

typedef struct ranked {
    int index;
    double score;
} ranked;
/* The best `k` scores of picture `slot`, best first; of equal ones the lower index. Returns how
 * many. */
int best_classes(const cvk_tensor *output, int slot, int k, ranked *best);

#endif
