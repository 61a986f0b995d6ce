/* SPDX-License-Identifier: Apache-2.0
 *
 * A turn is as many launches as fit into a few milliseconds, so that the clock's grain and the
 * wait at the end do not count, behind one that is not timed.
 */
#include "session/contest.h"

#include <stdlib.h>
#include <time.h>

#include "session/session.h"

enum { MOST_LAUNCHES = 64 };
static const double turn_ms = 5;

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Milliseconds per launch. */
static double turn(cvk_contestant *c, int launches)
{
    double start = cvk_session_clock();
    if (!c->run(c->self, launches)) c->refused = "it failed while it ran";
    return (cvk_session_clock() - start) / launches;
}

/* The first run may build programs, the second tells how long one takes. */
static int count_launches(cvk_contestant *c, double most_ms)
{
    turn(c, 1);
    double once = turn(c, 1);
    if (most_ms > 0 && once > most_ms && !c->refused)
        c->refused = "a launch of it takes longer than a watchdog may allow";
    if (once * MOST_LAUNCHES < turn_ms) return MOST_LAUNCHES;
    return once < turn_ms ? (int)(turn_ms / once) : 1;
}

static void summarise(cvk_contestant *c, int rounds)
{
    qsort(c->ms, (size_t)rounds, sizeof *c->ms, by_value);
    c->low = c->ms[rounds / 4];
    c->median = c->ms[rounds / 2];
    c->high = c->ms[rounds * 3 / 4];
}

static void play_round(cvk_contestant *all, int count, bool pause, const int *launches, int round)
{
    for (int i = 0; i < count; i++) {
        if (all[i].refused) continue;
        if (pause) nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
        turn(&all[i], 1);
        all[i].ms[round] = turn(&all[i], launches[i]);
    }
}

bool cvk_contest_measure(cvk_contestant *all, int count, const cvk_contest_rules *rules,
                         int *rounds)
{
    int *launches = calloc((size_t)count + 1, sizeof *launches);
    bool ok = launches;
    int done = 0;
    for (int i = 0; ok && i < count; i++) {
        if (all[i].refused) continue;
        ok = (all[i].ms = calloc((size_t)rules->rounds, sizeof *all[i].ms));
        if (ok) launches[i] = count_launches(&all[i], i ? rules->most_ms : 0);
    }
    for (; ok && done < rules->rounds; done++) {
        if (rules->until_ms > 0 && cvk_session_clock() >= rules->until_ms) break;
        play_round(all, count, rules->pause, launches, done);
    }
    for (int i = 0; ok && done && i < count; i++)
        if (!all[i].refused) summarise(&all[i], done);
    free(launches);
    if (rounds) *rounds = done;
    return ok;
}
