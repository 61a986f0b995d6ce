/* SPDX-License-Identifier: Apache-2.0
 *
 * What bench_kernels says: a line per contestant, sums per library, JSON.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <jansson.h>

#include "backend/backend.h"
#include "session/contest.h"

enum { MOST_LIBRARIES = 4 };

/* A problem as its list has it. */
typedef struct bench_problem {
    const char *name, *op, *inputs, *attrs, *posts, *list;
    int count; /* how often the network has it */
} bench_problem;

/* The problems that a library and Convoke both ran, each as often as its network has it. */
typedef struct library_sum {
    const char *name;
    int ran, asked;
    double theirs_ms, ours_ms, log_ratio; /* ratios: ours / theirs */
} library_sum;

typedef struct report {
    double peak, bandwidth; /* GFLOP/s, GB/s */
    library_sum sums[MOST_LIBRARIES];
    int n_sums;
    json_t *root, *libraries, *problems;
} report;

bool report_start(report *r, const cvk_device *device, int rounds, bool bare);
/* found: it was there when this program was configured; works: it also starts. */
void report_library(report *r, const char *name, bool found, bool works, const char *about);
/* The first n_rows contestants are Convoke's, those behind them libraries in the order told. */
void report_problem(report *r, const bench_problem *p, const cvk_contestant *all, int count,
                    int n_rows, double macs, double bytes);
/* Prints the sums; writes the JSON (path may be NULL). False: it cannot be written. */
bool report_end(report *r, const char *path);

#endif
