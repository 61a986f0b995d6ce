/* SPDX-License-Identifier: Apache-2.0
 *
 * Interleaved timing: everybody who can run a problem takes a turn in every round. For the tuner
 * and for bench_kernels.
 */
#ifndef CVK_SESSION_CONTEST_H
#define CVK_SESSION_CONTEST_H

#include <stdbool.h>

/* Somebody who runs the problem, and how that went. */
typedef struct cvk_contestant {
    const char *name, *detail;             /* detail: what a library chose; NULL: nothing to say */
    bool (*run)(void *self, int launches); /* waits; false: failed */
    void *self;
    const char *refused;      /* it does not take part, because ...; NULL: it does */
    double error;             /* relative L2 from the first row's result; -1: not compared */
    double *ms;               /* per launch, by round; sorted afterwards. Its owner's to free */
    double median, low, high; /* the middle and the quartiles */
} cvk_contestant;

typedef struct cvk_contest_rules {
    int rounds;
    bool pause;      /* wait before each turn until threads that others left spinning sleep */
    double until_ms; /* of cvk_session_clock: no round begins later; 0: no limit */
    double most_ms;  /* of a launch by any but the first, who takes longer does not take part; 0: no
                        limit */
} cvk_contest_rules;

/* Measures all that have not refused. One that fails refuses from then on. *rounds (may be NULL):
 * how many there were; with none there are no times. False: out of memory. */
bool cvk_contest_measure(cvk_contestant *all, int count, const cvk_contest_rules *rules,
                         int *rounds);

#endif
