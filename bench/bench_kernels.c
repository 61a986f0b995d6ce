/* SPDX-License-Identifier: Apache-2.0
 *
 * Times every kernel row that accepts a problem: GFLOP/s, the fraction of the f32 peak measured in
 * the same run, and the time relative to the fastest row. Rows take turns; the median of the rounds
 * counts.
 *
 *     bench_kernels DEVICE [FILE] [PART OF A NAME]      FILE: a list like bench/layers/common.txt
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backend/devices.h"
#include "schedule/trial.h"
#include "tests/op_case.h"

enum { ROUNDS = 15, MOST_ROWS = 8, LINE = 512, MOST_VALUES = 16 };

typedef struct runner {
    const cvk_kernel *row;
    cvk_step step;
    void *memory[MOST_VALUES];
    int n_memory;
    double ms[ROUNDS];
} runner;

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Memory for a view, filled with small numbers. */
static cvk_status fill(cvk_device *device, runner *r, cvk_view *view)
{
    size_t bytes = cvk_view_bytes(view);
    if (r->n_memory == MOST_VALUES) return cvk_fail(CVK_UNSUPPORTED, "too many tensors");
    CVK_TRY(device->backend->alloc(device, bytes, &view->data));
    r->memory[r->n_memory++] = view->data;
    void *image = calloc(1, bytes + 8);
    if (!image) return cvk_fail(CVK_NO_MEMORY, "out of memory");
    cvk_view flat = {.dtype = view->dtype,
                     .shape = {1, {(int64_t)(bytes / cvk_dtype_bytes(view->dtype))}},
                     .data = image};
    op_case_fill(&flat, 1, 0, 0);
    cvk_status status = device->backend->write(device, view->data, image, bytes);
    if (!status) status = device->backend->finish(device);
    free(image);
    return status;
}

static cvk_status prepare(cvk_scheduler *s, cvk_device *device, const cvk_node *node, runner *r)
{
    CVK_TRY(cvk_step_make(s, node, device, r->row, &r->step));
    for (int i = 0; i < node->n_in; i++)
        if (node->in[i] >= 0 && !cvk_is_const(s->graph, node->in[i]))
            CVK_TRY(fill(device, r, &r->step.in[i]));
    for (int i = 0; i < node->n_out; i++)
        if (node->out[i] >= 0) CVK_TRY(fill(device, r, &r->step.out[i]));
    if (!r->step.scratch_bytes) return CVK_OK;
    cvk_view scratch = {.dtype = CVK_U8, .shape = {1, {(int64_t)r->step.scratch_bytes}}};
    CVK_TRY(fill(device, r, &scratch));
    r->step.scratch = scratch.data;
    return CVK_OK;
}

/* One timing: so many launches that the clock's grain and the wait at the end do not count. */
static cvk_status time_once(cvk_device *device, runner *r, int launches, double *ms)
{
    cvk_step *steps[64];
    for (int i = 0; i < launches; i++) steps[i] = &r->step;
    double start = now_ms();
    CVK_TRY(device->backend->execute(device, steps, launches, NULL));
    CVK_TRY(device->backend->finish(device));
    *ms = (now_ms() - start) / launches;
    return CVK_OK;
}

static cvk_status measure(cvk_device *device, runner *runners, int count)
{
    int launches[MOST_ROWS];
    for (int i = 0; i < count; i++) {
        double once;
        CVK_TRY(time_once(device, &runners[i], 1, &once));
        CVK_TRY(time_once(device, &runners[i], 1, &once));
        launches[i] = once > 5 ? 1 : once < 0.1 ? 50 : (int)(5 / once);
    }
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < count; i++)
            CVK_TRY(time_once(device, &runners[i], launches[i], &runners[i].ms[round]));
    for (int i = 0; i < count; i++) qsort(runners[i].ms, ROUNDS, sizeof(double), by_value);
    return CVK_OK;
}

static cvk_status bench_node(cvk_scheduler *s, cvk_device *device, const cvk_node *node,
                             const char *name, double peak)
{
    runner *runners = calloc(MOST_ROWS, sizeof *runners);
    cvk_view views[MOST_VALUES];
    int count = 0;
    if (!runners || node->n_in + node->n_out > MOST_VALUES)
        return cvk_fail(CVK_NO_MEMORY, "%s: too large", name);
    for (int i = 0; i < node->n_in; i++) views[i] = cvk_graph_view(s->graph, node->in[i]);
    for (int i = 0; i < node->n_out; i++)
        views[node->n_in + i] = cvk_graph_view(s->graph, node->out[i]);
    cvk_problem problem = {
        .node = node, .in = views, .out = views + node->n_in, .caps = &device->caps};
    cvk_status status = CVK_OK;
    for (int r = 0; !status && r < device->n_kernels && count < MOST_ROWS; r++) {
        const cvk_kernel *row = &device->kernels[r];
        const char *why;
        if (row->op != node->op || (row->needs & ~device->caps.bits) ||
            !row->accepts(&problem, &why))
            continue;
        runners[count].row = row;
        status = prepare(s, device, node, &runners[count++]);
    }
    if (!status) status = measure(device, runners, count);
    double best = 0;
    for (int i = 0; !status && i < count; i++)
        if (i == 0 || runners[i].ms[ROUNDS / 2] < best) best = runners[i].ms[ROUNDS / 2];
    for (int i = 0; !status && i < count; i++) {
        double ms = runners[i].ms[ROUNDS / 2],
               gflops = 2e-6 * (double)cvk_node_macs(s->graph, node) / ms;
        printf("%-24s %-18s %9.4f ms (min %9.4f)  %8.1f GFLOP/s  %6.3f of peak  %5.2f x the best "
               "row\n",
               name, runners[i].row->name, ms, runners[i].ms[0], gflops, gflops / peak, ms / best);
    }
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < runners[i].n_memory; k++)
            device->backend->release(device, runners[i].memory[k]);
        cvk_step_unmake(device, &runners[i].step);
    }
    free(runners);
    return status;
}

static cvk_status bench_case(cvk_device *device, const op_case *c, const char *name, double peak)
{
    cvk_arena *arena = cvk_arena_create();
    cvk_graph *graph;
    if (!arena) return CVK_NO_MEMORY;
    cvk_status status = op_case_graph(arena, c, &graph);
    cvk_plan plan = {.arena = arena, .devices = &device, .n_devices = 1};
    cvk_schedule_options options = {0};
    cvk_scheduler s = {.plan = &plan, .devices = &device, .n_devices = 1, .options = &options};
    if (!status) plan.graph = s.graph = graph;
    for (int i = 0; !status && i < graph->n_nodes; i++)
        if (!cvk_is_alias(&graph->nodes[i]))
            status = bench_node(&s, device, &graph->nodes[i], name, peak);
    cvk_arena_free(&arena);
    return status;
}

static char *trim(char *text)
{
    while (*text == ' ') text++;
    for (size_t n = strlen(text); n && (text[n - 1] == ' ' || text[n - 1] == '\n'); n--)
        text[n - 1] = 0;
    return text;
}

/* "name | op | inputs | attributes | posts" into fields; false for a comment or a short line. */
static bool read_line(char *line, char *fields[5])
{
    if (*line == '#') return false;
    for (int i = 0; i < 5; i++) {
        char *bar = strchr(line, '|');
        if (bar) *bar = 0;
        if (!bar && i < 4) return false;
        fields[i] = trim(line);
        line = bar ? bar + 1 : line;
    }
    return true;
}

int main(int argc, char **argv)
{
    cvk_device *device;
    const char *path = argc > 2 ? argv[2] : BENCH_DIR "/layers/common.txt";
    double peak, bandwidth;
    if (cvk_devices_open(argc > 1 ? argv[1] : "cpu", &(cvk_device_options){0}, &device) ||
        device->backend->measure(device, &peak, &bandwidth)) {
        fprintf(stderr, "%s\n", cvk_last_error());
        return 4;
    }
    FILE *file = fopen(path, "r");
    if (!file) {
        fprintf(stderr, "cannot read %s\n", path);
        return 2;
    }
    printf("%s (%s): f32 peak %.1f GFLOP/s, memory %.1f GB/s\n", device->info.id, device->info.name,
           peak, bandwidth);
    char line[LINE], *field[5];
    int failed = 0;
    while (fgets(line, sizeof line, file)) {
        if (!read_line(line, field) || (argc > 3 && !strstr(field[0], argv[3]))) continue;
        op_case c = {field[1], field[2], field[3], field[4]};
        if (bench_case(device, &c, field[0], peak)) {
            fprintf(stderr, "%s: %s\n", field[0], cvk_last_error());
            failed = 1;
        }
    }
    fclose(file);
    device->backend->close(device);
    return failed;
}
