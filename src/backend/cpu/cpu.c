/* SPDX-License-Identifier: Apache-2.0
 *
 * The CPU as a device: memory is host memory, a team of workers does the steps together, and the
 * instruction-set level is the best that this processor and the caller's mask allow. Measurements
 * of the machine are in measure.c.
 */
#define _DEFAULT_SOURCE
#include "backend/cpu/cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { ALIGN = 64, HUGE_PAGE = 2 << 20, SENTENCE = 512 };

static const cvk_cpu_level *const levels[CVK_ISA_COUNT] = {
#define LEVEL(name, isa) [CVK_ISA_##isa] = &cvk_cpu_level_##name,
    CVK_CPU_LEVEL_LIST(LEVEL)
#undef LEVEL
};

/* The best level up to `top` that is compiled and that the processor has. */
static cvk_isa best_level(cvk_isa top)
{
    int isa = top;
    while (isa > 0 && !(levels[isa] && cvk_cpu_has((cvk_isa)isa))) isa--;
    return (cvk_isa)isa;
}

static void describe(cvk_device_info *info, cvk_isa isa, int units)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    *info = (cvk_device_info){.kind = CVK_DEVICE_CPU,
                              .units = units,
                              .fp64 = true,
                              .unified_memory = true,
                              .memory_bytes =
                                  pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0,
                              .buffer_alignment = ALIGN};
    snprintf(info->id, sizeof info->id, "cpu");
    snprintf(info->backend, sizeof info->backend, "cpu");
    snprintf(info->name, sizeof info->name, "%s", cvk_cpu_name());
    snprintf(info->driver, sizeof info->driver, "%s", cvk_isa_name(isa));
    snprintf(info->version, sizeof info->version, "%s", CONVOKE_VERSION);
}

static int list(cvk_device_info *infos, int capacity)
{
    if (capacity > 0) describe(&infos[0], best_level(CVK_ISA_COUNT - 1), cvk_cpu_cores());
    return 1;
}

static cvk_status choose_level(const cvk_device_options *options, cvk_isa *isa)
{
    *isa = best_level(CVK_ISA_COUNT - 1);
    if (!options || !options->isa) return CVK_OK;
    cvk_isa top;
    if (!cvk_isa_parse(options->isa, &top))
        return cvk_fail(CVK_BAD_ARGUMENT, "device cpu: no instruction set is called '%s'",
                        options->isa);
    if (!levels[top])
        return cvk_fail(CVK_UNSUPPORTED, "device cpu: this build has no kernels for '%s'",
                        options->isa);
    *isa = best_level(top);
    return CVK_OK;
}

/* The table as the device wants it: one array. */
static cvk_status copy_rows(cpu_device *cpu)
{
    int n = cpu->level->n_rows;
    cvk_kernel *rows = malloc((size_t)n * sizeof *rows);
    if (!rows) return cvk_fail(CVK_NO_MEMORY, "out of memory: device cpu");
    for (int i = 0; i < n; i++) rows[i] = *cpu->level->rows[i];
    cpu->rows = rows;
    cpu->device.kernels = rows;
    cpu->device.n_kernels = n;
    return CVK_OK;
}

static void close_cpu(cvk_device *device)
{
    cpu_device *cpu = (cpu_device *)device;
    cvk_device_deinit(device);
    cvk_team_free(&cpu->team);
    free(cpu->rows);
    free(cpu);
}

static void fill_caps(cvk_caps *caps, cvk_isa isa, int workers)
{
    *caps = (cvk_caps){.units = workers,
                       .isa = isa,
                       .l1_bytes = cvk_cpu_cache_bytes(1),
                       .l2_bytes = cvk_cpu_cache_bytes(2),
                       .l3_bytes = cvk_cpu_cache_bytes(3),
                       .max_buffer_bytes = PTRDIFF_MAX,
                       .buffer_alignment = ALIGN};
}

/* What a core of a server does: multiply-adds of one wide unit or two narrow ones at 3 GHz, a few
 * vectors from L1, and its share of a memory that has several channels. */
static void fill_rates(cvk_device_rates *rates, cvk_isa isa, int workers)
{
    static const double lanes[CVK_ISA_COUNT] = {
        [CVK_ISA_SCALAR] = 4, [CVK_ISA_AVX2] = 16, [CVK_ISA_AVX512] = 16, [CVK_ISA_NEON] = 8};
    const double cycles = 3e6 * workers;
    *rates = (cvk_device_rates){.macs = lanes[isa] * cycles,
                                .bytes = {64 * cycles, 32 * cycles, 10 * cycles, 5 * cycles},
                                .step_ms = 1e-4,
                                .meet_ms = 5e-4};
}

static cvk_status open_cpu(int index, const cvk_device_options *options, cvk_device **device)
{
    int threads = options ? options->threads : 0;
    cvk_isa isa;
    if (index != 0) return cvk_fail(CVK_NO_DEVICE, "device cpu:%d: there is only one", index);
    if (threads < 0 || threads > CVK_TEAM_MOST)
        return cvk_fail(CVK_BAD_ARGUMENT, "device cpu: %d threads asked for, expected 0 to %d",
                        threads, CVK_TEAM_MOST);
    CVK_TRY(choose_level(options, &isa));
    cpu_device *cpu = calloc(1, sizeof *cpu);
    if (!cpu) return cvk_fail(CVK_NO_MEMORY, "out of memory: device cpu");
    cvk_device_init(&cpu->device, &cvk_backend_cpu);
    cpu->level = levels[isa];
    cpu->team = cvk_team_create(threads ? threads : cvk_cpu_cores(), 0);
    cvk_status status = cpu->team ? copy_rows(cpu) : CVK_NO_MEMORY;
    if (status) {
        close_cpu(&cpu->device);
        return status;
    }
    int workers = cvk_team_workers(cpu->team);
    describe(&cpu->device.info, isa, workers);
    fill_caps(&cpu->device.caps, isa, workers);
    fill_rates(&cpu->device.rates, isa, workers);
    cpu->device.lanes = workers;
    *device = &cpu->device;
    return CVK_OK;
}

/* Large pieces start on a huge page and ask for such: fewer misses of address translation. */
static cvk_status alloc(cvk_device *device, size_t bytes, void **data)
{
    (void)device;
    size_t align = bytes >= HUGE_PAGE ? HUGE_PAGE : ALIGN,
           rounded = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (rounded < bytes || posix_memalign(data, align, rounded ? rounded : ALIGN))
        return cvk_fail(CVK_NO_MEMORY, "out of memory: device cpu, %zu bytes", bytes);
    if (align == HUGE_PAGE) madvise(*data, rounded / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
    return CVK_OK;
}

static cvk_status part(cvk_device *device, void *data, size_t offset, size_t bytes, void **piece)
{
    (void)device;
    (void)bytes;
    *piece = (char *)data + offset;
    return CVK_OK;
}

static void release(cvk_device *device, void *data)
{
    (void)device;
    free(data);
}

static void release_part(cvk_device *device, void *piece)
{
    (void)device;
    (void)piece;
}

static cvk_status copy(cvk_device *device, void *dst, const void *src, size_t bytes)
{
    (void)device;
    memcpy(dst, src, bytes);
    return CVK_OK;
}

static cvk_status copy_back(cvk_device *device, void *dst, const void *src, size_t bytes, bool wait)
{
    (void)wait;
    return copy(device, dst, src, bytes);
}

static cvk_status fill(cvk_device *device, void *data, size_t bytes,
                       void (*write)(void *dst, const void *arg), const void *arg)
{
    (void)device;
    memset(data, 0, bytes);
    write(data, arg);
    return CVK_OK;
}

static cvk_status finish(cvk_device *device)
{
    (void)device;
    return CVK_OK;
}

typedef struct walk {
    cvk_device *device;
    cvk_step *const *steps;
    const cvk_timing *timing;
    double begin_ms;      /* of the step under way */
    pthread_mutex_t lock; /* guards the first failure */
    cvk_status status;
    char sentence[SENTENCE];
} walk;

static void note_failure(walk *w, cvk_status status)
{
    pthread_mutex_lock(&w->lock);
    if (!w->status) {
        w->status = status;
        snprintf(w->sentence, sizeof w->sentence, "%s", cvk_last_error());
    }
    pthread_mutex_unlock(&w->lock);
}

double cvk_cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Worker 0 ends the step before and tells what workers that take no part do in this one. */
static void note_begin(walk *w, int i, int workers, double now_ms)
{
    int lanes = w->device->lanes;
    if (i) w->timing->ms[i - 1] = now_ms - w->begin_ms;
    w->begin_ms = now_ms;
    for (int k = workers; k < lanes; k++)
        w->timing->slices[(size_t)i * (size_t)lanes + (size_t)k] = (cvk_slice){now_ms, 0};
}

/* One worker's share of a step. The steps after one that fails are run too: kernels are safe on
 * whatever it left behind. */
static void do_step(void *arg, int i, int worker, int workers)
{
    walk *w = arg;
    const cvk_step *step = w->steps[i];
    double begin_ms = w->timing ? cvk_cpu_seconds() * 1e3 : 0;
    if (w->timing && worker == 0) note_begin(w, i, workers, begin_ms);
    cvk_status status = step->kernel->run(w->device, step, worker, workers);
    if (status) note_failure(w, status);
    if (w->timing)
        w->timing->slices[(size_t)i * (size_t)w->device->lanes + (size_t)worker] =
            (cvk_slice){begin_ms, cvk_cpu_seconds() * 1e3 - begin_ms};
}

/* Whether a run is worth another worker, in ns on one core of a server; measured with small
 * networks, where it matters, and they need not be exact: near the border both take as long.
 *   mac_ns      a multiply-add, by level: half the peak; small maps fill neither tiles nor lanes
 *   BYTE_NS     a byte of data or weights, from L2 or the last cache
 *   STEP_NS     beginning a step
 *   HELPER_NS   having one more worker: telling it, and bringing its cache what it needs. A helper
 *               that sleeps takes 30000 to wake, but runs that follow each other find it awake
 *   BARRIER_NS  meeting at the end of a step, where cores share the last cache
 * So a network of less than about 10 us runs on its caller alone. */
static const double mac_ns[CVK_ISA_COUNT] = {
    [CVK_ISA_SCALAR] = 0.3, [CVK_ISA_AVX2] = 0.025, [CVK_ISA_AVX512] = 0.02, [CVK_ISA_NEON] = 0.06};
static const double BYTE_NS = 0.01, STEP_NS = 200, HELPER_NS = 2000, BARRIER_NS = 500;

static double alone_ns(const cvk_device *device, const cvk_load *load)
{
    return mac_ns[device->caps.isa] * (double)load->macs + BYTE_NS * (double)load->bytes +
           STEP_NS * load->steps;
}

static int lanes(const cvk_device *device, const cvk_load *load)
{
    double alone = alone_ns(device, load);
    double meetings = BARRIER_NS * load->steps; /* which one worker does not have */
    int n = 1;
    while (n < device->lanes && alone / n - alone / (n + 1) > HELPER_NS + (n == 1 ? meetings : 0))
        n++;
    return n;
}

/* A step that others would finish no sooner than the meeting takes is its caller's alone. */
static int step_lanes(const cvk_device *device, const cvk_load *load)
{
    return alone_ns(device, load) / 2 > BARRIER_NS ? device->lanes : 1;
}

static int worth(void *arg, int i)
{
    const walk *w = arg;
    return w->steps[i]->lanes ? w->steps[i]->lanes : w->device->lanes;
}

static cvk_status execute(cvk_device *device, cvk_step *const *steps, int count, int lanes,
                          const cvk_timing *timing)
{
    walk w = {
        .device = device, .steps = steps, .timing = timing, .lock = PTHREAD_MUTEX_INITIALIZER};
    cvk_team_run(((cpu_device *)device)->team, lanes, count, do_step, worth, &w);
    if (timing && count) timing->ms[count - 1] = cvk_cpu_seconds() * 1e3 - w.begin_ms;
    pthread_mutex_destroy(&w.lock);
    return w.status ? cvk_fail(w.status, "%s", w.sentence) : CVK_OK;
}

const cvk_backend cvk_backend_cpu = {
    .name = "cpu",
    .host = true,
    .list = list,
    .open = open_cpu,
    .close = close_cpu,
    .alloc = alloc,
    .part = part,
    .release = release,
    .release_part = release_part,
    .write = copy,
    .read = copy_back,
    .fill = fill,
    .finish = finish,
    .lanes = lanes,
    .step_lanes = step_lanes,
    .execute = execute,
    .measure = cvk_cpu_measure,
};
