/* SPDX-License-Identifier: Apache-2.0
 *
 * convoke bench: how long a model takes, on one device or on each; per step with --layers or
 * --profile.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/numbers.h"
#include "cli/plan.h"
#include "cli/results.h"
#include "cli/trace.h"

enum { PROFILE_RUNS = 10 };

typedef struct work {
    shared_options shared;
    int batch, repeat, warmup;
    bool layers;
    const char *trace_path;
    uint64_t seed;

    cvk_model *model;
    json_t *results, *trace; /* events */
    table table;
    int visited;
} work;

/* One device. */
typedef struct pass {
    device_set devices;
    shape_set shapes;
    cvk_session *session, *profiled;
    tensor_set inputs, outputs;
    double *ms;            /* of the repeats, sorted */
    double first_ms, peak; /* peak: Gflop/s; 0: unknown */
    double *step_ms;       /* median by step of the profiled session */
    json_t *trace;         /* events of its fastest run */
} pass;

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The value below which `part` of the sorted values lie. */
static double quantile(const double *sorted, int count, double part)
{
    int index = (int)ceil(part * count) - 1;
    return sorted[index < 0 ? 0 : index];
}

static int run_timed(cvk_session *session, pass *p, double *ms)
{
    double start = now_ms();
    int code = fail_status(session_run(session, &p->inputs, &p->outputs));
    *ms = now_ms() - start;
    return code;
}

static int create(const work *w, pass *p, bool profile, cvk_session **session)
{
    cvk_session_options options = session_options(&w->shared, &p->shapes, &p->devices);
    options.profile = profile;
    return fail_status(
        cvk_session_create(w->model, p->devices.items, p->devices.count, &options, session));
}

/* Before sessions are made, whose plans predict by what is measured. */
static void measure_devices(pass *p)
{
    double gflops, gbytes;
    for (int i = 0; i < p->devices.count; i++)
        if (!cvk_device_measure(p->devices.items[i], &gflops, &gbytes))
            p->peak = gflops > p->peak ? gflops : p->peak;
}

static int open_pass(const work *w, const char *spec, pass *p)
{
    cvk_model_info info;
    int code = fail_status(cvk_model_get_info(w->model, &info));
    if (!code) code = shapes_from_options(&w->shared, w->model, &p->shapes);
    if (!code && w->batch) code = shapes_set_batch(&p->shapes, w->model, w->batch);
    if (!code) code = devices_open_for(&w->shared, spec, w->model, &p->shapes, &p->devices);
    if (!code) measure_devices(p);
    if (!code) code = create(w, p, false, &p->session);
    if (!code) code = session_tensors(p->session, info.inputs, false, &p->inputs);
    if (!code) code = session_tensors(p->session, info.outputs, true, &p->outputs);
    for (int i = 0; !code && i < p->inputs.count; i++)
        fill_random(&p->inputs.items[i], w->seed + (uint64_t)i);
    return code;
}

static void close_pass(pass *p)
{
    free(p->ms);
    free(p->step_ms);
    json_decref(p->trace);
    tensors_free(&p->inputs);
    tensors_free(&p->outputs);
    cvk_session_free(&p->session);
    cvk_session_free(&p->profiled);
    shapes_free(&p->shapes);
    devices_close(&p->devices);
}

static int measure(const work *w, pass *p)
{
    double ignored;
    int code = run_timed(p->session, p, &p->first_ms);
    for (int i = 0; !code && i < w->warmup; i++) code = run_timed(p->session, p, &ignored);
    p->ms = need((size_t)w->repeat, sizeof *p->ms);
    for (int i = 0; !code && i < w->repeat; i++) code = run_timed(p->session, p, &p->ms[i]);
    qsort(p->ms, (size_t)w->repeat, sizeof *p->ms, by_value);
    return code;
}

/* The fastest profiled run so far, for the trace. */
static void keep_run(const work *w, pass *p, double ms, double *fastest)
{
    if (!w->trace_path || (p->trace && ms >= *fastest)) return;
    *fastest = ms;
    json_decref(p->trace);
    p->trace = json_array();
    trace_append(p->trace, p->profiled, w->visited, p->devices.name, ms);
}

/* Median time of each step over some runs of a session of its own, since profiling costs time. */
static int profile_steps(const work *w, pass *p)
{
    cvk_session_info info;
    double all, fastest = 0;
    int code = create(w, p, true, &p->profiled);
    if (!code) code = fail_status(cvk_session_get_info(p->profiled, &info));
    if (code) return code;
    double *ms = need((size_t)info.steps * PROFILE_RUNS, sizeof *ms);
    for (int run = -1; !code && run < PROFILE_RUNS; run++) {
        code = run_timed(p->profiled, p, &all);
        if (!code && run >= 0) keep_run(w, p, all, &fastest);
        cvk_step_info step;
        for (int i = 0; !code && run >= 0 && i < info.steps; i++)
            ms[i * PROFILE_RUNS + run] = cvk_session_step(p->profiled, i, &step) ? 0 : step.ms;
    }
    p->step_ms = need((size_t)info.steps, sizeof *p->step_ms);
    for (int i = 0; !code && i < info.steps; i++) {
        qsort(ms + i * PROFILE_RUNS, PROFILE_RUNS, sizeof *ms, by_value);
        p->step_ms[i] = quantile(ms + i * PROFILE_RUNS, PROFILE_RUNS, 0.5);
    }
    free(ms);
    return code;
}

static double gflops_of(uint64_t macs, double ms)
{
    return ms > 0 ? 2e-6 * (double)macs / ms : 0;
}

/* Of a prediction, relative to what was measured. */
static json_t *error_of(double predicted_ms, double ms)
{
    return ms > 0 ? json_number(predicted_ms / ms - 1) : json_null();
}

/* The steps of the plan, with times if they were profiled, which are also printed. */
static json_t *report_steps(const work *w, const pass *p, const char *device)
{
    json_t *list = json_array();
    cvk_session *session = p->profiled ? p->profiled : p->session;
    cvk_session_info info = {0};
    table rows = table_make("rllllrrrrr");
    table_row(&rows, "step\toperator\tfused\tkernel\toutput\tms\tpredicted\terror\tGflop/s\tshare");
    double total = 0;
    cvk_session_get_info(session, &info);
    for (int i = 0; p->step_ms && i < info.steps; i++) total += p->step_ms[i];
    for (int i = 0; i < info.steps; i++) {
        cvk_step_info step;
        if (cvk_session_step(session, i, &step)) continue;
        json_t *row = step_json(&step);
        json_array_append_new(list, row);
        if (!p->step_ms) continue;
        double ms = p->step_ms[i], gflops = gflops_of(step.macs, ms);
        json_object_set_new(row, "ms", json_number(ms));
        json_object_set_new(row, "gflops", json_number(gflops));
        json_object_set_new(row, "predicted_error", error_of(step.predicted_ms, ms));
        table_row(&rows, "%d\t%s\t%s\t%s\t%s\t%.4f\t%.4f\t%+.0f %%\t%.1f\t%.1f %%", i, step.op,
                  step.fused, step.kernel, step.shape, ms, step.predicted_ms,
                  ms > 0 ? 100 * (step.predicted_ms / ms - 1) : 0, gflops,
                  total > 0 ? 100 * ms / total : 0);
    }
    if (w->layers && !w->shared.json) {
        printf("%s\n", device);
        table_print(&rows, stdout);
    }
    table_free(&rows);
    return list;
}

static void report(work *w, pass *p)
{
    cvk_session_info info = {.continued = ""};
    const char *device = devices_in_use(&p->devices, p->session);
    cvk_session_get_info(p->session, &info);
    const double peak = *info.continued ? 0 : p->peak; /* of the device that did not finish */
    double median = quantile(p->ms, w->repeat, 0.5), best = p->ms[0],
           p90 = quantile(p->ms, w->repeat, 0.9);
    double gflops = gflops_of(session_macs(p->session), median);
    int batch = p->inputs.count && p->inputs.items[0].rank ? (int)p->inputs.items[0].dims[0] : 1;
    size_t resident = info.weight_bytes + info.activation_bytes + info.workspace_bytes;
    json_t *row = json_pack("{s:s,s:i,s:o,s:o,s:o,s:o,s:o,s:o}", "device", device, "batch", batch,
                            "median_ms", json_number(median), "min_ms", json_number(best), "p90_ms",
                            json_number(p90), "images_per_s", json_number(batch / median * 1e3),
                            "gflops", json_number(gflops), "peak_fraction",
                            peak > 0 ? json_number(gflops / peak) : json_null());
    json_t *more = json_pack(
        "{s:o,s:o,s:b,s:o,s:o,s:o,s:I,s:o,s:i,s:o}", "predicted_ms", json_number(info.predicted_ms),
        "predicted_error", error_of(info.predicted_ms, median), "calibrated", info.calibrated,
        "peak_gflops", peak > 0 ? json_number(peak) : json_null(), "build_ms",
        json_number(info.build_ms), "first_run_ms", json_number(p->first_ms), "resident_bytes",
        (json_int_t)resident, "weights_rel_l2", json_number(session_rounding(p->session)), "repeat",
        w->repeat, "steps", report_steps(w, p, device));
    json_object_update_new(row, more);
    json_array_append_new(w->results, row);
    table_row(&w->table, "%s\t%d\t%.4f\t%.4f\t%.4f\t%.1f\t%.1f\t%.3f\t%.1f\t%.3f\t%.1f", device,
              batch, median, best, p90, batch / median * 1e3, gflops, peak > 0 ? gflops / peak : 0,
              info.build_ms, p->first_ms, (double)resident / (1 << 20));
}

static int visit(const char *spec, void *context)
{
    work *w = context;
    pass p = {.devices = {.count = 0}};
    int code = open_pass(w, spec, &p);
    w->visited++;
    if (!code) code = measure(w, &p);
    if (!code && (w->layers || w->trace_path)) code = profile_steps(w, &p);
    if (!code) {
        json_array_extend(w->trace, p.trace);
        report(w, &p);
    }
    close_pass(&p);
    return code;
}

int command_bench(int argc, char **argv)
{
    work w = {.repeat = 30, .warmup = 3, .seed = 1};
    char **words;
    int count;
    const option_row rows[] = {
        {"batch", OPTION_COUNT, &w.batch, "N", "the free batch dimension of the inputs", 0},
        {"repeat", OPTION_COUNT, &w.repeat, "N", "timed runs (default 30)", 0},
        {"warmup", OPTION_COUNT, &w.warmup, "N", "runs before them (default 3), besides the first",
         0},
        {"layers", OPTION_FLAG, &w.layers, NULL, "time each step, in a profiled session of its own",
         0},
        {"profile", OPTION_TEXT, &w.trace_path, "FILE",
         "write the fastest profiled run as Chrome trace JSON (opens in Perfetto)", 0},
        {"seed", OPTION_SEED, &w.seed, "N", "of the input's numbers (default 1)", 0},
        {0}};
    const usage usage = {"bench MODEL [OPTIONS]",
                         "Warm-up, then repeats on numbers that look random. With --device all "
                         "every device takes its turn.",
                         rows,
                         TAKES_DEVICE | TAKES_CONTINUE | TAKES_SHAPE | TAKES_PLAN,
                         1,
                         1};
    int code = options_read(&usage, &w.shared, argc, argv, &words, &count);
    if (code != GO_ON) return code;
    w.results = json_array();
    w.trace = json_array();
    w.table = table_make("lrrrrrrrrrr");
    table_row(&w.table, "device\tbatch\tmedian ms\tmin ms\tp90 ms\timages/s\tGflop/s\tof "
                        "peak\tbuild ms\tfirst ms\tresident MiB");
    code = model_open(words[0], &w.model);
    if (!code) code = devices_each(&w.shared, visit, &w);
    if (!code && w.trace_path) code = trace_write(w.trace, w.trace_path);
    results_print(&w.shared, w.results, &w.table);
    json_decref(w.results);
    json_decref(w.trace);
    cvk_model_free(&w.model);
    options_free(&w.shared);
    return code;
}
