/* SPDX-License-Identifier: Apache-2.0
 *
 * Who works, and when: a run's steps one after the other, each shared by several workers, with a
 * light barrier between them. The caller is always a worker of its run; the others are helpers,
 * threads that all runs of the process borrow and that sleep when nobody wants them.
 *
 * Runs on several threads share the cores. How many workers a run has is decided anew before each
 * of its steps (cvk_team_grant), so that no run waits for another: one that starts while others
 * hold all cores begins at once on its caller alone, and the others give up a helper each when the
 * step that they are in is done.
 */
#ifndef CVK_BASE_THREADS_H
#define CVK_BASE_THREADS_H

enum { CVK_TEAM_MOST = 1024 }; /* workers */

typedef struct cvk_team cvk_team;
typedef void (*cvk_team_fn)(void *arg, int step, int worker, int workers);
/* The most workers that a step is worth. */
typedef int (*cvk_team_worth_fn)(void *arg, int step);

/* Runs of at most `workers` workers. NULL: out of memory. cores: how many there are to be shared,
 * with all teams that were made with the same number under the same CPU mask; 0: those of the mask
 * of the calling thread, as it should be but in tests. */
cvk_team *cvk_team_create(int workers, int cores);
void cvk_team_free(cvk_team **team); /* no run is under way */
int cvk_team_workers(const cvk_team *team);

/* For each step from 0 to steps - 1: fn(arg, step, worker, workers) for every worker from 0 to
 * workers - 1, on threads of their own, but for helpers that are late: others do their shares after
 * their own. All shares are done before the next step begins. The caller is worker 0. workers is at
 * most `most` (0: the team's) and worth(arg, step) (NULL: any number), and may differ from step to
 * step. Several threads may have runs of one team under way; none waits for another. */
void cvk_team_run(cvk_team *team, int most, int steps, cvk_team_fn fn, cvk_team_worth_fn worth,
                  void *arg);

/* The workers of a run that wants `wanted`, of `runs` under way which want `all` together. Alone it
 * has what it wants, even beyond the cores. Else what the others leave, and at least its equal
 * share of the cores, rounded down, and its caller. The sum over all runs exceeds neither the cores
 * nor the runs, whichever are more. */
int cvk_team_grant(int cores, int runs, int all, int wanted);

/* The share of worker `worker` in `count` items: [*begin, *end). Sizes differ by at most one. */
void cvk_team_share(int count, int worker, int workers, int *begin, int *end);

#endif
