/* SPDX-License-Identifier: Apache-2.0
 *
 * A turn is as many launches as fit into a few milliseconds, so that the clock's grain and the
 * wait at the end do not count, behind one that is not timed.
 */
#include "bench/contest.h"

#include <stdlib.h>
#include <time.h>

enum { MOST_LAUNCHES = 64 };
static const double turn_ms = 5;

double contest_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Milliseconds per launch. */
static double turn(contestant *c, int launches)
{
    double start = contest_now_ms();
    if (!c->run(c->self, launches)) c->refused = "it failed while it ran";
    return (contest_now_ms() - start) / launches;
}

/* The first run may build programs, the second tells how long one takes. */
static int count_launches(contestant *c)
{
    turn(c, 1);
    double once = turn(c, 1);
    if (once * MOST_LAUNCHES < turn_ms) return MOST_LAUNCHES;
    return once < turn_ms ? (int)(turn_ms / once) : 1;
}

static void summarise(contestant *c, int rounds)
{
    qsort(c->ms, (size_t)rounds, sizeof *c->ms, by_value);
    c->low = c->ms[rounds / 4];
    c->median = c->ms[rounds / 2];
    c->high = c->ms[rounds * 3 / 4];
}

bool contest_measure(contestant *all, int count, int rounds, bool pause)
{
    int *launches = calloc((size_t)count + 1, sizeof *launches);
    bool ok = launches;
    for (int i = 0; ok && i < count; i++) {
        if (all[i].refused) continue;
        ok = (all[i].ms = calloc((size_t)rounds, sizeof *all[i].ms));
        if (ok) launches[i] = count_launches(&all[i]);
    }
    for (int round = 0; ok && round < rounds; round++)
        for (int i = 0; i < count; i++) {
            if (all[i].refused) continue;
            if (pause) nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
            turn(&all[i], 1);
            all[i].ms[round] = turn(&all[i], launches[i]);
        }
    for (int i = 0; ok && i < count; i++)
        if (!all[i].refused) summarise(&all[i], rounds);
    free(launches);
    return ok;
}
