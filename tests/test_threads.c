/* SPDX-License-Identifier: Apache-2.0
 *
 * Workers and how runs share them. What must happen at a time is brought about by waiting for it
 * inside steps, never by the clock; numbers of cores are pretended.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "base/threads.h"

enum { MOST_RUNS = 4, MOST_STEPS = 64 };

static cvk_team *make_team(int workers, int cores)
{
    cvk_team *team = cvk_team_create(workers, cores);
    assert_non_null(team);
    assert_int_equal(cvk_team_workers(team), workers);
    return team;
}

static void wait_for(const atomic_int *what, int least)
{
    while (atomic_load(what) < least) sched_yield();
}

/* --- the rule --- */

static void a_lone_run_has_all_it_wants(void **state)
{
    (void)state;
    assert_int_equal(cvk_team_grant(2, 1, 2, 2), 2);
    assert_int_equal(cvk_team_grant(8, 1, 3, 3), 3);
    assert_int_equal(cvk_team_grant(2, 1, 5, 5), 5); /* asked for beyond the cores */
}

static void runs_have_equal_shares(void **state)
{
    (void)state;
    assert_int_equal(cvk_team_grant(2, 2, 4, 2), 1);
    assert_int_equal(cvk_team_grant(8, 2, 16, 8), 4);
    assert_int_equal(cvk_team_grant(8, 3, 24, 8), 2);
    assert_int_equal(cvk_team_grant(2, 4, 8, 2), 1); /* its caller, whatever the cores */
    assert_int_equal(cvk_team_grant(1, 2, 4, 2), 1);
}

static void what_one_leaves_the_other_has(void **state)
{
    (void)state;
    assert_int_equal(cvk_team_grant(8, 2, 9, 8), 7);
    assert_int_equal(cvk_team_grant(8, 2, 9, 1), 1);
    assert_int_equal(cvk_team_grant(8, 3, 10, 8), 6);
    assert_int_equal(cvk_team_grant(4, 2, 4, 2), 2); /* there is room for all */
}

/* Every combination of up to three runs: no more workers than cores, or than runs. */
static void shares_fit_the_cores(void **state)
{
    (void)state;
    for (int cores = 1; cores <= 9; cores++) {
        for (int code = 0; code < 10 * 10 * 10; code++) {
            const int wanted[3] = {code % 10, code / 10 % 10, code / 100};
            int runs = 0, all = 0, sum = 0;
            for (int i = 0; i < 3; i++) runs += wanted[i] > 0, all += wanted[i];
            for (int i = 0; i < 3; i++) {
                if (!wanted[i]) continue;
                int got = cvk_team_grant(cores, runs, all, wanted[i]);
                assert_in_range(got, 1, wanted[i]);
                sum += got;
            }
            if (runs > 1) assert_true(sum <= (cores > runs ? cores : runs));
        }
    }
}

/* --- a run --- */

typedef struct tally {
    atomic_int done[MOST_STEPS]; /* workers through with each step */
    int workers[MOST_STEPS];     /* as worker 0 sees it */
    atomic_int wrong;
} tally;

static void count_step(void *arg, int step, int worker, int workers)
{
    tally *t = arg;
    if (step && atomic_load(&t->done[step - 1]) != t->workers[step - 1])
        atomic_fetch_add(&t->wrong, 1);
    if (worker < 0 || worker >= workers) atomic_fetch_add(&t->wrong, 1);
    if (worker == 0) t->workers[step] = workers;
    for (volatile int i = 0; i < 50 * worker; i++) continue; /* not all at once */
    atomic_fetch_add(&t->done[step], 1);
}

static void steps_follow_each_other(void **state)
{
    (void)state;
    for (int workers = 1; workers <= 40;
         workers += workers < 5 ? 1 : 35) { /* most of 40 are late */
        cvk_team *team = make_team(workers, 0);
        for (int round = 0; round < 50; round++) {
            tally t = {.wrong = 0};
            int steps = round % MOST_STEPS + 1;
            cvk_team_run(team, 0, steps, count_step, NULL, &t);
            assert_int_equal(t.wrong, 0);
            for (int i = 0; i < MOST_STEPS; i++)
                assert_int_equal(t.done[i], i < steps ? workers : 0);
        }
        cvk_team_free(&team);
        assert_null(team);
    }
}

static void a_run_may_be_limited_or_empty(void **state)
{
    (void)state;
    cvk_team *team = make_team(4, 4);
    for (int most = 0; most <= 6; most++) {
        tally t = {.wrong = 0};
        cvk_team_run(team, most, 3, count_step, NULL, &t);
        for (int i = 0; i < 3; i++)
            assert_int_equal(t.workers[i], most == 0 || most > 4 ? 4 : most);
        assert_int_equal(t.wrong, 0);
    }
    tally none = {.wrong = 0};
    cvk_team_run(team, 0, 0, count_step, NULL, &none);
    assert_int_equal(none.done[0], 0);
    cvk_team_free(&team);
    cvk_team_free(&team);
    cvk_team_free(NULL);
}

/* Every other step for one worker, the rest for two. */
static int one_or_two(void *arg, int step)
{
    (void)arg;
    return 1 + step % 2;
}

static void a_step_may_be_limited(void **state)
{
    (void)state;
    cvk_team *team = make_team(3, 3);
    for (int round = 0; round < 50; round++) {
        tally t = {.wrong = 0};
        cvk_team_run(team, 0, MOST_STEPS, count_step, one_or_two, &t);
        assert_int_equal(t.wrong, 0);
        for (int i = 0; i < MOST_STEPS; i++) assert_int_equal(t.done[i], 1 + i % 2);
    }
    cvk_team_free(&team);
}

/* --- runs at once --- */

/* Runs that meet in their first step and part in their last: between the two, those at work are
 * counted. */
typedef struct party {
    int runs, steps;
    atomic_int arrived, leaving;
    atomic_int at_work, most_at_work;
} party;

typedef struct guest {
    party *party;
    cvk_team *team;
    pthread_t thread;
    int fewest, most; /* workers of a step in between */
} guest;

static void party_step(void *arg, int step, int worker, int workers)
{
    guest *g = arg;
    party *p = g->party;
    if (step == 0 || step == p->steps - 1) {
        atomic_int *meeting = step ? &p->leaving : &p->arrived;
        if (worker) return;
        atomic_fetch_add(meeting, 1);
        wait_for(meeting, p->runs);
        return;
    }
    int at_work = atomic_fetch_add(&p->at_work, 1) + 1, most = atomic_load(&p->most_at_work);
    while (at_work > most && !atomic_compare_exchange_weak(&p->most_at_work, &most, at_work))
        continue;
    if (worker == 0 && (workers < g->fewest || step == 1)) g->fewest = workers;
    if (worker == 0 && workers > g->most) g->most = workers;
    for (volatile int i = 0; i < 200; i++) continue;
    atomic_fetch_sub(&p->at_work, 1);
}

static void *attend(void *arg)
{
    guest *g = arg;
    cvk_team_run(g->team, 0, g->party->steps, party_step, NULL, g);
    return NULL;
}

/* `runs` runs of up to `workers` workers, on one team or on a team each. */
static void hold_party(int cores, int runs, int workers, bool shared)
{
    guest guests[MOST_RUNS] = {0};
    for (int i = 0; i < runs; i++)
        guests[i].team = i && shared ? guests[0].team : make_team(workers, cores);
    for (int round = 0; round < 3; round++) {
        party p = {.runs = runs, .steps = 100};
        for (int i = 0; i < runs; i++) {
            guests[i].party = &p;
            guests[i].fewest = guests[i].most = 0;
            assert_int_equal(pthread_create(&guests[i].thread, NULL, attend, &guests[i]), 0);
        }
        for (int i = 0; i < runs; i++) pthread_join(guests[i].thread, NULL);
        assert_in_range(p.most_at_work, 1, cores > runs ? cores : runs);
        for (int i = 0; i < runs; i++) {
            int share = cvk_team_grant(cores, runs, runs * workers, workers);
            assert_in_range(guests[i].fewest, 1, share);
            assert_in_range(guests[i].most, 1, share);
        }
    }
    for (int i = shared ? runs - 1 : 0; i < runs; i++) cvk_team_free(&guests[i].team);
}

static void runs_at_once_stay_within_the_cores(void **state)
{
    (void)state;
    for (int shared = 0; shared < 2; shared++) {
        hold_party(2, 2, 2, shared);
        hold_party(2, 4, 2, shared);
        hold_party(4, 2, 4, shared);
        hold_party(8, 3, 8, shared);
    }
}

/* The first run holds both cores when the second comes: it gives one up when its step is done, and
 * has it again some time after the second has gone. Neither waits for the other to end, or the test
 * would not. */
typedef struct visit {
    cvk_team *team;
    pthread_t guest;
    atomic_int guest_works, guest_may_go;
    int guest_workers, before, meanwhile, after;
} visit;

static void guest_step(void *arg, int step, int worker, int workers)
{
    visit *v = arg;
    (void)step;
    if (worker) return;
    v->guest_workers = workers;
    atomic_store(&v->guest_works, 1);
    wait_for(&v->guest_may_go, 1);
}

static void *run_guest(void *arg)
{
    cvk_team_run(((visit *)arg)->team, 0, 1, guest_step, NULL, arg);
    return NULL;
}

enum { ALONE, VISITED, SHARING, LEFT, LATER = 5000 }; /* steps of the host */

static void host_step(void *arg, int step, int worker, int workers)
{
    visit *v = arg;
    if (worker) return;
    if (step == ALONE) v->before = workers;
    if (step == VISITED && pthread_create(&v->guest, NULL, run_guest, v) == 0)
        wait_for(&v->guest_works, 1);
    if (step == SHARING) {
        v->meanwhile = workers;
        atomic_store(&v->guest_may_go, 1);
    }
    if (step == LEFT) pthread_join(v->guest, NULL);
    if (step > LEFT && workers < 2) /* one alone waits, for nobody, before it takes a helper */
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    v->after = workers;
}

static void a_run_lets_go_and_takes_again(void **state)
{
    (void)state;
    visit v = {.team = make_team(2, 2)};
    cvk_team_run(v.team, 0, LATER, host_step, NULL, &v);
    assert_int_equal(v.before, 2);
    assert_int_equal(v.guest_workers, 1);
    assert_int_equal(v.meanwhile, 1);
    assert_int_equal(v.after, 2);
    cvk_team_free(&v.team);
}

/* Teams come and go while runs are under way; every item is done once. */
static void *come_and_go(void *arg)
{
    int *wrong = arg;
    for (int round = 0; round < 20; round++) {
        cvk_team *team = cvk_team_create(2 + round % 3, 2);
        for (int k = 0; team && k < 20; k++) {
            tally t = {.wrong = 0};
            cvk_team_run(team, 0, 16, count_step, NULL, &t);
            *wrong += t.wrong;
            for (int i = 0; i < 16; i++) *wrong += t.done[i] != t.workers[i];
        }
        *wrong += !team;
        cvk_team_free(&team);
    }
    return NULL;
}

static void teams_come_and_go(void **state)
{
    (void)state;
    pthread_t threads[MOST_RUNS];
    int wrong[MOST_RUNS] = {0};
    for (int i = 0; i < MOST_RUNS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &wrong[i]), 0);
    for (int i = 0; i < MOST_RUNS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(wrong[i], 0);
    }
}

static void shares_cover_all_items(void **state)
{
    (void)state;
    for (int count = 0; count < 40; count++) {
        for (int workers = 1; workers <= 9; workers++) {
            int next = 0;
            for (int worker = 0; worker < workers; worker++) {
                int begin, end;
                cvk_team_share(count, worker, workers, &begin, &end);
                assert_int_equal(begin, next);
                assert_in_range(end - begin, count / workers, (count + workers - 1) / workers);
                next = end;
            }
            assert_int_equal(next, count);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lone_run_has_all_it_wants),
        cmocka_unit_test(runs_have_equal_shares),
        cmocka_unit_test(what_one_leaves_the_other_has),
        cmocka_unit_test(shares_fit_the_cores),
        cmocka_unit_test(steps_follow_each_other),
        cmocka_unit_test(a_run_may_be_limited_or_empty),
        cmocka_unit_test(a_step_may_be_limited),
        cmocka_unit_test(runs_at_once_stay_within_the_cores),
        cmocka_unit_test(a_run_lets_go_and_takes_again),
        cmocka_unit_test(teams_come_and_go),
        cmocka_unit_test(shares_cover_all_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
