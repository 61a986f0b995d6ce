/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line of bench_kernels.
 */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>

enum { MOST_LISTS = 32, MOST_ROUNDS = 1000 };

typedef struct bench_options {
    const char *device;
    const char *layers[MOST_LISTS]; /* files */
    int n_layers;
    bool cases, bare, ways;
    const char *only, *rows, *against, *isa, *json; /* NULL: not given */
    int rounds, threads;
} bench_options;

/* Exit code 0 and options, or 2 after a sentence on stderr, or -1 after the help. */
int bench_options_read(int argc, char **argv, bench_options *options);

/* Whether `word` is one of those in `list`, which commas separate; an empty list holds all. */
bool bench_listed(const char *list, const char *word);

#endif
