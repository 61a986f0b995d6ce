/* SPDX-License-Identifier: Apache-2.0
 *
 * How fast the machine is at this moment: for each line on stdin, every thread multiplies and adds
 * for some milliseconds, then they pass a token around; the rate of the slowest and the passes per
 * second go to stdout. Only changes of these mean something. The cores of a virtual machine may be
 * halves of one for seconds, or lie under different caches, where what one has written reaches the
 * other late; a bench that knows leaves such seconds out. Nothing of Convoke is used, so that no
 * library judges itself.
 *     bench_speed THREADS MILLISECONDS
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { MAX_THREADS = 256, SUMS = 12, STEPS = 2000, LAPS = 10000 };

typedef float four __attribute__((vector_size(16)));

typedef struct worker {
    pthread_t thread;
    int index, count, core;
    double seconds; /* to work */
    double rate;    /* steps in a second */
    double passes;  /* of the token, in a second */
    float sink;
} worker;

static _Alignas(64) atomic_int token;
static _Alignas(64) atomic_int ready;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Sums that do not wait for each other, enough of them to fill the units of a core. */
static float steps(float seed)
{
    four sum[SUMS];
    const four a = {0.999f, 0.998f, 0.997f, 0.996f}, b = {seed, seed, seed, seed};
#pragma GCC unroll 12
    for (int i = 0; i < SUMS; i++) sum[i] = b * (float)i;
    for (int s = 0; s < STEPS; s++) {
#pragma GCC unroll 12
        for (int i = 0; i < SUMS; i++) sum[i] = sum[i] * a + b;
    }
    float total = 0;
    for (int i = 0; i < SUMS; i++) total += sum[i][0] + sum[i][1] + sum[i][2] + sum[i][3];
    return total;
}

/* Each on a core of its own at once: the system would need some of the time to see to that. */
static void *work(void *argument)
{
    worker *w = argument;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(w->core, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    double start = now(), time = start;
    long done = 0;
    for (; time < start + w->seconds; done++) {
        w->sink += steps(1e-6f * (float)(done % 7));
        time = now();
    }
    w->rate = (double)done / (time - start);
    atomic_fetch_add(&ready, 1);
    while (atomic_load(&ready) < w->count) continue;
    start = now();
    for (int lap = 0; lap < LAPS; lap++) {
        while (atomic_load_explicit(&token, memory_order_acquire) != lap * w->count + w->index)
            continue;
        atomic_store_explicit(&token, lap * w->count + w->index + 1, memory_order_release);
    }
    w->passes = LAPS * (double)w->count / (now() - start);
    return NULL;
}

int main(int argc, char **argv)
{
    static worker workers[MAX_THREADS];
    int threads = argc == 3 ? atoi(argv[1]) : 0;
    double ms = argc == 3 ? atof(argv[2]) : 0;
    char line[64];
    int cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (threads < 1 || threads > MAX_THREADS || !(ms > 0)) {
        fprintf(stderr, "usage: bench_speed THREADS MILLISECONDS\n");
        return 2;
    }
    while (fgets(line, sizeof line, stdin)) {
        double slowest = 0;
        atomic_store(&token, 0);
        atomic_store(&ready, 0);
        for (int i = 0; i < threads; i++) {
            workers[i] =
                (worker){.index = i, .count = threads, .core = i % cores, .seconds = ms * 1e-3};
            if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) {
                fprintf(stderr, "bench_speed: thread %d of %d cannot be started\n", i, threads);
                return 1;
            }
        }
        for (int i = 0; i < threads; i++) {
            pthread_join(workers[i].thread, NULL);
            if (i == 0 || workers[i].rate < slowest) slowest = workers[i].rate;
        }
        printf("%.1f %.1f\n", slowest, workers[0].passes);
        fflush(stdout);
    }
    return 0;
}
