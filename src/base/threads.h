/* SPDX-License-Identifier: Apache-2.0
 *
 * A team of workers (pthreadpool) and a light barrier between them. One fork per run of a network:
 * all workers walk the plan together and meet at the barrier after each step.
 */
#ifndef CVK_BASE_THREADS_H
#define CVK_BASE_THREADS_H

typedef struct cvk_team cvk_team;
typedef void (*cvk_team_fn)(void *arg, int worker, int workers);

cvk_team *cvk_team_create(int workers); /* NULL: out of memory */
void cvk_team_free(cvk_team **team);
int cvk_team_workers(const cvk_team *team);

/* for (worker = 0; worker < workers; worker++) fn(arg, worker, workers), all at the same time; the
 * caller is worker 0. Calls from several threads take turns. */
void cvk_team_run(cvk_team *team, cvk_team_fn fn, void *arg);

/* Inside fn: returns when every worker has come here. */
void cvk_team_barrier(cvk_team *team);

/* The share of worker `worker` in `count` items: [*begin, *end). Sizes differ by at most one. */
void cvk_team_share(int count, int worker, int workers, int *begin, int *end);

#endif
