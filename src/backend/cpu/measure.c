/* SPDX-License-Identifier: Apache-2.0
 *
 * The limits of the machine as it is now: multiply-adds of all workers together, bytes read from
 * each level of the memory, and what a step takes to begin. Each is the best of several short
 * passes, for whatever else runs here only takes away.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cpu/cpu.h"

enum {
    PASSES = 8,
    EMPTY_STEPS = 1000,
    MIN_BUFFER = 64 << 20,
    MAX_BUFFER = 256 << 20,
    ALIGN_FLOATS = 64
};
static const double PASS_SECONDS = 2e-3;
/* What a step that does nothing has not: a row's own preparations, and the first lines that a worker
 * fetches of what another has written. */
static const double BEGIN_MS = 2e-4, FETCH_MS = 3e-4;

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

enum { MEET, WORK, STOP, STEPS }; /* a pass as the steps of a run: all begin together */

typedef struct pass {
    cvk_team *team;
    const cvk_cpu_level *level;
    int64_t rounds; /* of multiply-adds, or of reading */
    const float *src;
    size_t length;     /* floats that a worker reads; 0: multiply-adds */
    double seconds;    /* that the work took */
    double operations; /* of one worker */
    int workers;
} pass;

static void run_step(void *arg, int step, int worker, int workers)
{
    pass *p = arg;
    float sink = 0;
    double operations = 0;
    if (step != WORK) {
        if (step == STOP && worker == 0) p->seconds = cvk_cpu_seconds() - p->seconds;
        return;
    }
    if (worker == 0) p->seconds = cvk_cpu_seconds();
    if (p->length) {
        for (int64_t i = 0; i < p->rounds; i++)
            p->level->read(p->src + p->length * (size_t)worker, p->length, &sink);
        operations = (double)p->rounds * (double)p->length * sizeof(float);
    } else {
        operations = p->level->fma(p->rounds, &sink);
    }
    if (worker) return;
    p->operations = operations;
    p->workers = workers;
}

static void run_pass(pass *p)
{
    cvk_team_run(p->team, 0, STEPS, run_step, NULL, p);
}

/* Operations per ms of all workers, in passes of at least `seconds`. */
static double best_rate(pass *p, double seconds)
{
    double best = 0;
    p->seconds = 0;
    for (p->rounds = 1; p->seconds < seconds; p->rounds *= 2) run_pass(p);
    for (int i = 0; i < PASSES; i++) {
        run_pass(p);
        double rate = p->operations * p->workers / p->seconds;
        if (rate > best) best = rate;
    }
    return best * 1e-3;
}

static void no_step(void *arg, int step, int worker, int workers)
{
    (void)arg;
    (void)step;
    (void)worker;
    (void)workers;
}

/* Of a step that does nothing, on at most so many workers; 0: all. */
static double step_ms(cvk_team *team, int workers)
{
    double least = INFINITY;
    for (int i = 0; i < PASSES; i++) {
        double begin = cvk_cpu_seconds();
        cvk_team_run(team, workers, EMPTY_STEPS, no_step, NULL, NULL);
        least = fmin(least, cvk_cpu_seconds() - begin);
    }
    return least * 1e3 / EMPTY_STEPS;
}

/* Bytes of each worker, such that all of them live in that level and in none before it. */
static size_t worker_bytes(const cvk_caps *caps, int level)
{
    const size_t workers = (size_t)caps->units, l2 = caps->l2_bytes;
    switch (level) {
    case CVK_LEVEL_L1: return caps->l1_bytes / 2;
    case CVK_LEVEL_L2: return l2 / 2;
    case CVK_LEVEL_L3: return max_size(caps->l3_bytes / 4 / workers, 2 * l2);
    default: return min_size(max_size(4 * caps->l3_bytes, MIN_BUFFER), MAX_BUFFER) / workers;
    }
}

cvk_status cvk_cpu_measure(cvk_device *device, cvk_device_rates *rates)
{
    cpu_device *cpu = (cpu_device *)device;
    const cvk_caps *caps = &device->caps;
    size_t most = 0;
    for (int i = 0; i < CVK_LEVELS; i++) most = max_size(most, worker_bytes(caps, i));
    void *buffer;
    const size_t bytes = most * (size_t)caps->units;
    CVK_TRY(device->backend->alloc(device, bytes, &buffer));
    memset(buffer, 0, bytes);
    pass p = {.team = cpu->team, .level = cpu->level};
    *rates = (cvk_device_rates){.macs = best_rate(&p, PASS_SECONDS) / 2};
    p.src = buffer;
    for (int i = 0; i < CVK_LEVELS; i++) {
        p.length = worker_bytes(caps, i) / sizeof(float) / ALIGN_FLOATS * ALIGN_FLOATS;
        rates->bytes[i] = best_rate(&p, PASS_SECONDS);
    }
    device->backend->release(device, buffer);
    const double alone = step_ms(cpu->team, 1), together = step_ms(cpu->team, 0);
    rates->step_ms = alone + BEGIN_MS;
    rates->meet_ms = fmax(together - alone, 0) + FETCH_MS;
    return CVK_OK;
}
