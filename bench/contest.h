/* SPDX-License-Identifier: Apache-2.0
 *
 * Interleaved timing: everybody who can run a problem takes a turn in every round.
 */
#ifndef BENCH_CONTEST_H
#define BENCH_CONTEST_H

#include <stdbool.h>

enum { CONTEST_ROUNDS = 1000 };

/* Somebody who runs the problem, and how that went. */
typedef struct contestant {
    const char *name, *detail;             /* detail: what a library chose; NULL: nothing to say */
    bool (*run)(void *self, int launches); /* waits; false: failed */
    void *self;
    const char *refused;      /* it does not take part, because ...; NULL: it does */
    double error;             /* relative L2 from the first row's result; -1: not compared */
    double *ms;               /* per launch, by round; sorted afterwards. Its owner's to free */
    double median, low, high; /* the middle and the quartiles */
} contestant;

/* Measures all that have not refused. pause: wait before each turn until threads that others left
 * spinning sleep. One that fails refuses from then on. False: out of memory. */
bool contest_measure(contestant *all, int count, int rounds, bool pause);

double contest_now_ms(void);

#endif
