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

typedef struct pass {
    cvk_team *team;
    const cvk_cpu_level *level;
    int64_t rounds;   /* multiply-adds: > 0 */
    const float *src; /* reading */
    size_t count;
    double seconds;    /* from the first barrier to the second */
    double operations; /* of one worker */
} pass;

static void run_pass(void *arg, int worker, int workers)
{
    pass *p = arg;
    float sink = 0;
    size_t begin = p->count / (size_t)workers * (size_t)worker, length = p->count / (size_t)workers;
    double operations = 0;
    cvk_team_barrier(p->team);
    double start = cvk_cpu_seconds();
    if (p->src)
        p->level->read(p->src + begin, length, &sink);
    else
        operations = p->level->fma(p->rounds, &sink);
    cvk_team_barrier(p->team);
    if (worker) return;
    p->seconds = cvk_cpu_seconds() - start;
    p->operations = operations;
}

static double peak(pass p)
{
    double best = 0;
    for (p.rounds = 1000; p.seconds < 5e-3; p.rounds *= 2) cvk_team_run(p.team, run_pass, &p);
    for (int i = 0; i < PASSES; i++) {
        cvk_team_run(p.team, run_pass, &p);
        double rate = p.operations * cvk_team_workers(p.team) / p.seconds;
        if (rate > best) best = rate;
    }
    return best * 1e-9;
}

static double bandwidth(pass p, size_t bytes)
{
    double best = 0;
    for (int i = 0; i < PASSES; i++) {
        cvk_team_run(p.team, run_pass, &p);
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
