/* SPDX-License-Identifier: Apache-2.0
 *
 * The limits of the machine as it is now: multiply-adds per second of all workers together, and
 * bytes read per second from memory beyond the last cache. Each is the best of several short
 * passes.
 */
#include <stdlib.h>
#include <string.h>

#include "backend/cpu/cpu.h"

enum { PASSES = 6, MIN_BUFFER = 64 << 20, MAX_BUFFER = 256 << 20 };

enum { MEET, WORK, STOP, STEPS }; /* a pass as the steps of a run: all begin together */

typedef struct pass {
    cvk_team *team;
    const cvk_cpu_level *level;
    int64_t rounds;   /* multiply-adds: > 0 */
    const float *src; /* reading */
    size_t count;
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
    if (p->src) {
        size_t length = p->count / (size_t)workers;
        p->level->read(p->src + length * (size_t)worker, length, &sink);
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

static double peak(pass p)
{
    double best = 0;
    for (p.rounds = 1000; p.seconds < 5e-3; p.rounds *= 2) run_pass(&p);
    for (int i = 0; i < PASSES; i++) {
        run_pass(&p);
        double rate = p.operations * p.workers / p.seconds;
        if (rate > best) best = rate;
    }
    return best * 1e-9;
}

static double bandwidth(pass p, size_t bytes)
{
    double best = 0;
    for (int i = 0; i < PASSES; i++) {
        run_pass(&p);
        double rate = (double)bytes / p.seconds;
        if (rate > best) best = rate;
    }
    return best * 1e-9;
}

cvk_status cvk_cpu_measure(cvk_device *device, double *peak_gflops, double *gbytes_per_s)
{
    cpu_device *cpu = (cpu_device *)device;
    size_t bytes = 4 * device->caps.l3_bytes;
    if (bytes < MIN_BUFFER) bytes = MIN_BUFFER;
    if (bytes > MAX_BUFFER) bytes = MAX_BUFFER;
    void *buffer;
    CVK_TRY(device->backend->alloc(device, bytes, &buffer));
    memset(buffer, 0, bytes);
    pass p = {.team = cpu->team, .level = cpu->level};
    *peak_gflops = peak(p);
    p.src = buffer;
    p.count = bytes / sizeof(float);
    *gbytes_per_s = bandwidth(p, bytes);
    device->backend->release(device, buffer);
    return CVK_OK;
}
