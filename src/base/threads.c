/* SPDX-License-Identifier: Apache-2.0
 *
 * Every worker has a seat, on which it finds the step to do next, and which it watches for a while
 * and then sleeps on. The last worker to be through with a step decides who does the next one, and
 * tells them; a helper that is not told is free for other runs from then on, whether it has noticed
 * or not. A worker that is through also does the shares that helpers have not begun, because they
 * still wake up or their core is taken. So nobody waits for a helper but for one that is at work.
 *
 * pthreadpool is not used: its pools run one job at a time, each has threads of its own, and these
 * spin for milliseconds after a job on the cores that other runs want.
 */
#define _GNU_SOURCE
#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "base/cpu.h"
#include "base/status.h"

/* SPINS_IN_RUN  before a worker sleeps that waits for the others, 30 to 100 us: it may be that
 *               another process has their core, and this one is left to it then
 * SPINS_IDLE    before a helper sleeps that its run has let go, if no other run wants its core: a
 *               program that runs a network again and again is back soon
 * QUIET_NS      so long a run that has ended still counts, if others were under way: most programs
 *               do little between two runs, and waking a helper that is to sleep again at once
 *               takes 20 to 50 us
 * LINE          bytes: what one worker writes and another spins on has a line alone */
enum { SPINS_IN_RUN = 2000, SPINS_IDLE = 20000, QUIET_NS = 200000, LINE = 64 };

/* The word of a seat: its state, and whether its owner sleeps.
 *   IDLE    a helper without a run; the run that makes it TAKEN has it
 *   TAKEN   ... but no share for it yet, or another worker does its share
 *   GO      there is a share: the owner makes it BUSY and begins, or another worker takes it back
 *   BUSY    at work on the share, or through with it and waiting for the next
 *   QUIT    the helper's thread ends */
enum { IDLE, TAKEN, GO, BUSY, QUIT, STATE = 7, ASLEEP = 8 };

typedef struct seat {
    _Alignas(LINE) atomic_uint word;
    int step, worker, workers; /* what to do at GO */
    struct run *run;
} seat;

typedef struct helper {
    seat seat;
    struct helper *before; /* in the run that has it */
    int worker;
    struct crew *crew;
    pthread_t thread;
} helper;

/* The helpers for one CPU mask, and the runs that share its cores. */
typedef struct crew {
    struct crew *next;
    cpu_set_t mask;
    int cores;
    bool pretended;                         /* the number of cores is a test's */
    int users;                              /* teams */
    _Alignas(LINE) _Atomic uint64_t demand; /* runs under way << 32 | workers that they want */
    _Atomic uint64_t crowd; /* the demand when a run last ended beside others, itself included */
    _Atomic int64_t crowd_ns;
    atomic_int n_helpers;
    helper *helpers[CVK_TEAM_MOST];
} crew;

struct cvk_team {
    crew *crew;
    int workers;
};

typedef struct run {
    crew *crew;
    cvk_team_fn fn;
    cvk_team_worth_fn worth;
    void *arg;
    int steps, wanted;
    int workers;  /* of the step under way */
    helper *last; /* of them, before which stand the others */
    seat caller;
    _Alignas(LINE) atomic_int arrived;
} run;

/* --- waiting --- */

static inline void pause_cpu(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Sleeps while the word is `word`, or shorter; the caller looks again. */
static void sleep_on(seat *s, unsigned word)
{
    if (!(word & ASLEEP)) {
        if (!atomic_compare_exchange_strong(&s->word, &word, word | ASLEEP)) return;
        word |= ASLEEP;
    }
#if defined(__linux__)
    syscall(SYS_futex, &s->word, FUTEX_WAIT_PRIVATE, word, NULL, NULL, 0);
#else
    sched_yield();
#endif
}

static void wake(atomic_uint *word)
{
#if defined(__linux__)
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
#else
    (void)word;
#endif
}

static int runs_of(uint64_t demand)
{
    return (int)(demand >> 32);
}

/* Returns with a share to do; false: QUIT. */
static bool await(seat *s, const crew *c)
{
    for (int spins = 0;; spins++) {
        unsigned word = atomic_load_explicit(&s->word, memory_order_acquire);
        if (word == QUIT) return false;
        if (word == GO && atomic_compare_exchange_strong(&s->word, &word, BUSY)) return true;
        bool wanted = (word & STATE) != IDLE || /* the core, by this run or by others */
                      runs_of(atomic_load_explicit(&c->demand, memory_order_relaxed)) > 1;
        if (spins < (wanted ? SPINS_IN_RUN : SPINS_IDLE))
            pause_cpu();
        else
            sleep_on(s, word);
    }
}

/* The seat may be gone with its run once its owner has seen the new word: only its address is used
 * then, and whoever sleeps there by now looks again. */
static void tell(seat *s, run *r, int step, int worker)
{
    s->run = r;
    s->step = step;
    s->worker = worker;
    s->workers = r->workers;
    if (atomic_exchange(&s->word, GO) & ASLEEP) wake(&s->word);
}

/* --- who takes part --- */

int cvk_team_grant(int cores, int runs, int all, int wanted)
{
    if (runs <= 1) return wanted;
    int share = cores / runs, left = cores - (all - wanted);
    int most = share > left ? share : left;
    return most < 1 ? 1 : most < wanted ? most : wanted;
}

static int grant(const run *r, uint64_t demand)
{
    return cvk_team_grant(r->crew->cores, runs_of(demand), (int)(uint32_t)demand, r->wanted);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* How many workers the next step shall have. */
static int decide(const run *r)
{
    const crew *c = r->crew;
    uint64_t demand = atomic_load_explicit(&c->demand, memory_order_relaxed);
    int workers = grant(r, demand);
    if (workers <= r->workers) return workers;
    uint64_t crowd = atomic_load_explicit(&c->crowd, memory_order_relaxed);
    if (crowd <= demand ||
        now_ns() - atomic_load_explicit(&c->crowd_ns, memory_order_relaxed) >= QUIET_NS)
        return workers;
    int beside = grant(r, crowd);
    return beside < workers ? beside : workers;
}

/* One more helper for the run, awake if possible; whether there was one. */
static bool recruit(run *r)
{
    crew *c = r->crew;
    int count = atomic_load_explicit(&c->n_helpers, memory_order_acquire);
    for (int k = 0; k < 2 * count; k++) {
        helper *h = c->helpers[k % count];
        unsigned word = atomic_load_explicit(&h->seat.word, memory_order_relaxed);
        if ((word & STATE) != IDLE || (k < count && word & ASLEEP)) continue;
        if (!atomic_compare_exchange_strong(&h->seat.word, &word, word | TAKEN)) continue;
        h->before = r->last;
        h->worker = r->workers++;
        r->last = h;
        return true;
    }
    return false;
}

/* It may be this thread's own seat, and another run may have it at once. */
static void dismiss(run *r)
{
    helper *h = r->last;
    r->last = h->before;
    r->workers--;
    atomic_fetch_and(&h->seat.word, ~(unsigned)STATE); /* IDLE; asleep or not as it was */
}

/* By the one worker that is left of the step before. The caller is told last: until it is through
 * with its share, the run and its list of helpers stay. */
static void begin_step(run *r, int step)
{
    int workers = step < r->steps ? decide(r) : 1;
    if (workers > 1 && r->worth) {
        const int worth = r->worth(r->arg, step);
        if (workers > worth) workers = worth;
    }
    while (r->workers > workers) dismiss(r);
    while (r->workers < workers && recruit(r)) continue;
    atomic_store_explicit(&r->arrived, 0, memory_order_relaxed);
    for (helper *h = r->last; h; h = h->before) tell(&h->seat, r, step, h->worker);
    tell(&r->caller, r, step, 0);
}

/* Does the shares of helpers that have not begun; how many. The list of helpers stays while this
 * thread has not arrived; one that is not told yet is left to itself. */
static int do_others(run *r, int step, int workers)
{
    int done = 0;
    for (helper *h = r->last; h; h = h->before) {
        unsigned word = GO;
        if (atomic_load_explicit(&h->seat.word, memory_order_relaxed) != GO ||
            !atomic_compare_exchange_strong(&h->seat.word, &word, TAKEN))
            continue;
        r->fn(r->arg, step, h->worker, workers);
        done++;
    }
    return done;
}

static void do_step(const seat *s)
{
    run *r = s->run;
    int step = s->step, workers = s->workers;
    r->fn(r->arg, step, s->worker, workers);
    if (workers == 1) {
        begin_step(r, step + 1);
        return;
    }
    int shares = 1 + do_others(r, step, workers);
    if (atomic_fetch_add_explicit(&r->arrived, shares, memory_order_acq_rel) == workers - shares)
        begin_step(r, step + 1);
}

static void *help(void *arg)
{
    helper *h = arg;
    while (await(&h->seat, h->crew)) do_step(&h->seat);
    return NULL;
}

void cvk_team_run(cvk_team *team, int most, int steps, cvk_team_fn fn, cvk_team_worth_fn worth,
                  void *arg)
{
    crew *c = team->crew;
    run r = {
        .crew = c, .fn = fn, .worth = worth, .arg = arg, .steps = steps, .wanted = team->workers};
    if (most > 0 && most < r.wanted) r.wanted = most;
    r.workers = 1;
    const uint64_t demand = (uint64_t)1 << 32 | (uint32_t)r.wanted;
    atomic_fetch_add(&c->demand, demand);
    begin_step(&r, 0);
    while (await(&r.caller, c) && r.caller.step < steps) do_step(&r.caller);
    uint64_t crowd = atomic_load_explicit(&c->demand, memory_order_relaxed);
    if (runs_of(crowd) > 1) {
        atomic_store_explicit(&c->crowd_ns, now_ns(), memory_order_relaxed);
        atomic_store_explicit(&c->crowd, crowd, memory_order_relaxed);
    }
    atomic_fetch_sub(&c->demand, demand);
}

/* --- crews --- */

static pthread_mutex_t crews_lock = PTHREAD_MUTEX_INITIALIZER; /* the list and numbers of helpers */
static crew *crews;

static crew *find_crew(const cpu_set_t *mask, int cores)
{
    for (crew *c = crews; c; c = c->next)
        if (CPU_EQUAL(&c->mask, mask) && c->pretended == (cores > 0) &&
            (!cores || c->cores == cores))
            return c;
    crew *made = aligned_alloc(LINE, sizeof *made);
    if (!made) return NULL;
    memset(made, 0, sizeof *made);
    made->mask = *mask;
    made->cores = cores ? cores : cvk_cpu_cores();
    made->pretended = cores > 0;
    made->next = crews;
    return crews = made;
}

/* Helpers have the mask of the thread that makes them, which is the crew's. */
static bool add_helpers(crew *c, int wanted)
{
    for (int i = atomic_load(&c->n_helpers); i < wanted; i++) {
        helper *h = aligned_alloc(LINE, sizeof *h);
        if (!h) return false;
        memset(h, 0, sizeof *h);
        h->crew = c;
        c->helpers[i] = h;
        if (pthread_create(&h->thread, NULL, help, h)) {
            free(h);
            return false;
        }
        atomic_store_explicit(&c->n_helpers, i + 1, memory_order_release);
    }
    return true;
}

static void free_crew(crew *c)
{
    for (int i = 0; i < atomic_load(&c->n_helpers); i++) {
        helper *h = c->helpers[i];
        if (atomic_exchange(&h->seat.word, QUIT) & ASLEEP) wake(&h->seat.word);
        pthread_join(h->thread, NULL);
        free(h);
    }
    for (crew **at = &crews; *at; at = &(*at)->next) {
        if (*at != c) continue;
        *at = c->next;
        break;
    }
    free(c);
}

cvk_team *cvk_team_create(int workers, int cores)
{
    cvk_team *team = malloc(sizeof *team);
    cpu_set_t mask;
    if (sched_getaffinity(0, sizeof mask, &mask)) CPU_ZERO(&mask);
    pthread_mutex_lock(&crews_lock);
    crew *c = team ? find_crew(&mask, cores) : NULL;
    bool ready = c && add_helpers(c, workers - 1);
    if (ready) c->users++;
    if (c && !c->users) free_crew(c);
    pthread_mutex_unlock(&crews_lock);
    if (!ready) {
        free(team);
        cvk_fail(CVK_NO_MEMORY, "cannot start %d workers", workers);
        return NULL;
    }
    *team = (cvk_team){.crew = c, .workers = workers};
    return team;
}

void cvk_team_free(cvk_team **team)
{
    if (!team || !*team) return;
    pthread_mutex_lock(&crews_lock);
    if (--(*team)->crew->users == 0) free_crew((*team)->crew);
    pthread_mutex_unlock(&crews_lock);
    free(*team);
    *team = NULL;
}

int cvk_team_workers(const cvk_team *team)
{
    return team->workers;
}

void cvk_team_share(int count, int worker, int workers, int *begin, int *end)
{
    *begin = (int)((long long)count * worker / workers);
    *end = (int)((long long)count * (worker + 1) / workers);
}
