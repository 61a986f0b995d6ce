/* SPDX-License-Identifier: Apache-2.0
 *
 * Workers from pthreadpool; the barrier is a counter that is spun on for a while. A worker whose
 * core is taken by another process keeps the rest waiting for a time slice: they sleep then, which
 * also leaves the core to it.
 */
#define _GNU_SOURCE
#include "base/threads.h"

#include <pthread.h>
#include <pthreadpool.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "base/status.h"

enum { SPINS_BEFORE_SLEEP = 2000 }; /* about 30 to 100 us */

struct cvk_team {
    pthreadpool_t pool; /* NULL for one worker */
    int workers;
    cvk_team_fn fn;
    void *arg;
    pthread_mutex_t turn;
    /* Each counter on a cache line of its own: one is written by all, one is spun on by all. */
    _Alignas(64) atomic_int arrived;
    _Alignas(64) atomic_uint phase;
    atomic_int sleepers;
    /* pthreadpool orders what happens before and after a run by itself; these say it once more in a
     * form that thread sanitizers see, for a library that they do not see into. */
    atomic_int started, finished;
};

cvk_team *cvk_team_create(int workers)
{
    cvk_team *team = aligned_alloc(64, sizeof *team);
    if (!team) {
        cvk_fail(CVK_NO_MEMORY, "out of memory: no team of %d workers", workers);
        return NULL;
    }
    *team = (cvk_team){.workers = workers > 1 ? workers : 1};
    pthread_mutex_init(&team->turn, NULL);
    if (workers > 1) {
        team->pool = pthreadpool_create((size_t)workers);
        if (!team->pool) {
            cvk_fail(CVK_NO_MEMORY, "cannot start %d workers", workers);
            cvk_team_free(&team);
            return NULL;
        }
        team->workers = (int)pthreadpool_get_threads_count(team->pool);
    }
    return team;
}

void cvk_team_free(cvk_team **team)
{
    if (!team || !*team) return;
    if ((*team)->pool) pthreadpool_destroy((*team)->pool);
    pthread_mutex_destroy(&(*team)->turn);
    free(*team);
    *team = NULL;
}

int cvk_team_workers(const cvk_team *team)
{
    return team->workers;
}

static void work(void *context, size_t worker)
{
    cvk_team *team = context;
    (void)atomic_load_explicit(&team->started, memory_order_acquire);
    team->fn(team->arg, (int)worker, team->workers);
    atomic_fetch_add_explicit(&team->finished, 1, memory_order_release);
}

void cvk_team_run(cvk_team *team, cvk_team_fn fn, void *arg)
{
    pthread_mutex_lock(&team->turn);
    team->fn = fn;
    team->arg = arg;
    /* As many items as threads: a thread takes its own first and can only reach for another's once
     * it is through, which is after the last barrier. So no two workers share a thread. */
    if (team->pool) {
        atomic_fetch_add_explicit(&team->started, 1, memory_order_release);
        pthreadpool_parallelize_1d(team->pool, work, team, (size_t)team->workers, 0);
        (void)atomic_load_explicit(&team->finished, memory_order_acquire);
    } else {
        fn(arg, 0, 1);
    }
    pthread_mutex_unlock(&team->turn);
}

static inline void pause_cpu(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Sleeps until the phase is no longer `phase`, or a moment; the caller looks again. */
static void sleep_on(atomic_uint *phase, unsigned value)
{
#if defined(__linux__)
    syscall(SYS_futex, phase, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
#else
    (void)phase;
    (void)value;
    sched_yield();
#endif
}

static void wake_all(atomic_uint *phase)
{
#if defined(__linux__)
    syscall(SYS_futex, phase, FUTEX_WAKE_PRIVATE, 1 << 30, NULL, NULL, 0);
#else
    (void)phase;
#endif
}

void cvk_team_barrier(cvk_team *team)
{
    if (team->workers == 1) return;
    unsigned phase = atomic_load_explicit(&team->phase, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&team->arrived, 1, memory_order_acq_rel) == team->workers - 1) {
        atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
        /* Sequentially consistent with the sleepers' count: either they see the new phase or we see
         * them. */
        atomic_store(&team->phase, phase + 1);
        if (atomic_load(&team->sleepers)) wake_all(&team->phase);
        return;
    }
    for (int spins = 0; atomic_load_explicit(&team->phase, memory_order_acquire) == phase;) {
        if (++spins < SPINS_BEFORE_SLEEP) {
            pause_cpu();
            continue;
        }
        atomic_fetch_add(&team->sleepers, 1);
        if (atomic_load(&team->phase) == phase) sleep_on(&team->phase, phase);
        atomic_fetch_sub(&team->sleepers, 1);
    }
}

void cvk_team_share(int count, int worker, int workers, int *begin, int *end)
{
    *begin = (int)((long long)count * worker / workers);
    *end = (int)((long long)count * (worker + 1) / workers);
}
