/* SPDX-License-Identifier: Apache-2.0
 *
 * Events of the trace: "M" names a process and its rows, "X" is a slice with its begin (ts) and
 * length (dur) in microseconds. Row 0 is the run as a whole.
 */
#include "cli/trace.h"

#include <stdlib.h>
#include <string.h>

#include "cli/setup.h"

/* The rows of one device: tids first to first + count - 1. */
typedef struct row_group {
    const char *device;
    int first, count;
} row_group;

typedef struct rows {
    row_group items[MAX_DEVICES + 1];
    int count;
} rows;

static json_t *named(const char *what, int pid, int tid, const char *name)
{
    return json_pack("{s:s,s:s,s:i,s:i,s:i,s:{s:o}}", "name", what, "ph", "M", "ts", 0, "pid", pid,
                     "tid", tid, "args", "name", json_text(name));
}

static json_t *slice(const char *name, int pid, int tid, double begin_ms, double ms, json_t *args)
{
    return json_pack("{s:o,s:s,s:s,s:o,s:o,s:i,s:i,s:o}", "name", json_text(name), "cat", "step",
                     "ph", "X", "ts", json_number(begin_ms * 1e3), "dur", json_number(ms * 1e3),
                     "pid", pid, "tid", tid, "args", args);
}

/* The tid of worker 0, or the queue, of a step's executor. */
static int first_row(rows *all, const cvk_step_info *step)
{
    int next = 1;
    for (int i = 0; i < all->count; i++) {
        if (strcmp(all->items[i].device, step->executor) == 0) return all->items[i].first;
        next = all->items[i].first + all->items[i].count;
    }
    if (all->count == MAX_DEVICES + 1) return next;
    all->items[all->count++] = (row_group){step->executor, next, step->n_slices};
    return next;
}

static void name_rows(json_t *events, const rows *all, int pid)
{
    json_array_append_new(events, named("thread_name", pid, 0, "run"));
    for (int i = 0; i < all->count; i++) {
        const row_group *group = &all->items[i];
        for (int k = 0; k < group->count; k++) {
            char *name = group->count > 1 || strcmp(group->device, "cpu") == 0
                             ? need_text("%s worker %d", group->device, k)
                         : strcmp(group->device, "host") == 0
                             ? need_text("host")
                             : need_text("%s queue", group->device);
            json_array_append_new(events, named("thread_name", pid, group->first + k, name));
            free(name);
        }
    }
}

static json_t *step_args(int index, const cvk_step_info *step)
{
    double gflops = step->ms > 0 ? 2e-6 * (double)step->macs / step->ms : 0;
    return json_pack("{s:i,s:o,s:o,s:o,s:o,s:o,s:o}", "step", index, "kernel",
                     json_text(step->kernel), "shape", json_text(step->shape), "gflops",
                     json_number(gflops), "fused", json_text(step->fused), "nodes",
                     json_text(step->nodes), "step_ms", json_number(step->ms));
}

void trace_append(json_t *events, const cvk_session *session, int pid, const char *name,
                  double run_ms)
{
    cvk_session_info info = {0};
    rows all = {.count = 0};
    json_array_append_new(events, named("process_name", pid, 0, name));
    json_array_append_new(events, slice("run", pid, 0, 0, run_ms, json_object()));
    cvk_session_get_info(session, &info);
    for (int i = 0; i < info.steps; i++) {
        cvk_step_info step;
        if (cvk_session_step(session, i, &step) || !step.n_slices) continue;
        int row = first_row(&all, &step);
        for (int k = 0; k < step.n_slices; k++) {
            if (step.slices[k].ms <= 0) continue; /* took no part */
            json_array_append_new(events, slice(step.op, pid, row + k, step.slices[k].begin_ms,
                                                step.slices[k].ms, step_args(i, &step)));
        }
    }
    name_rows(events, &all, pid);
}

int trace_write(json_t *events, const char *path)
{
    json_t *root = json_pack("{s:O,s:s}", "traceEvents", events, "displayTimeUnit", "ms");
    int wrong = !root || json_dump_file(root, path, JSON_COMPACT | JSON_REAL_PRECISION(12));
    json_decref(root);
    return wrong ? fail(BAD_FILE, "%s: the trace cannot be written", path) : DONE;
}
