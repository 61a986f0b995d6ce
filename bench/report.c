/* SPDX-License-Identifier: Apache-2.0
 *
 * The roofline of a problem: the time that its arithmetic takes at the measured peak, and its bytes
 * at the measured bandwidth; the longer one binds.
 */
#include "bench/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool report_start(report *r, const cvk_device *device, int rounds, bool bare)
{
    *r = (report){0};
    cvk_device_rates rates;
    if (device->backend->measure((cvk_device *)device, &rates)) return false;
    r->peak = 2e-6 * rates.macs;
    r->bandwidth = 1e-6 * rates.bytes[CVK_LEVEL_MEMORY];
    r->libraries = json_array();
    r->problems = json_array();
    r->root = json_pack("{s:s,s:s,s:i,s:f,s:f,s:i,s:b,s:O,s:O}", "device", device->info.id,
                        "device_name", device->info.name, "units", device->info.units,
                        "peak_gflops", r->peak, "bandwidth_gbytes_per_s", r->bandwidth, "rounds",
                        rounds, "bare", bare, "libraries", r->libraries, "problems", r->problems);
    printf("%s (%s): f32 peak %.1f GFLOP/s, memory %.1f GB/s\n", device->info.id, device->info.name,
           r->peak, r->bandwidth);
    return r->root;
}

void report_library(report *r, const char *name, bool found, bool works, const char *about)
{
    printf("%s: %s%s\n", name, found && !works ? "not used: " : "", about);
    json_array_append_new(r->libraries, json_pack("{s:s,s:b,s:b,s:s}", "name", name, "found", found,
                                                  "works", works, "about", about));
    if (works && r->n_sums < MOST_LIBRARIES) r->sums[r->n_sums++].name = name;
}

/* The fastest of Convoke's rows; NULL: none ran. */
static const cvk_contestant *fastest(const cvk_contestant *all, int n_rows)
{
    const cvk_contestant *best = NULL;
    for (int i = 0; i < n_rows; i++)
        if (!all[i].refused && (!best || all[i].median < best->median)) best = &all[i];
    return best;
}

static void add_sums(report *r, const cvk_contestant *libraries, const cvk_contestant *best,
                     int count)
{
    for (int i = 0; i < r->n_sums; i++) {
        library_sum *sum = &r->sums[i];
        sum->asked += count;
        if (libraries[i].refused || !best) continue;
        sum->ran += count;
        sum->theirs_ms += count * libraries[i].median;
        sum->ours_ms += count * best->median;
        sum->log_ratio += count * log(best->median / libraries[i].median);
    }
}

static void print_line(const bench_problem *p, const cvk_contestant *c, bool ours, double gflops,
                       double fraction, bool memory_binds, double ratio)
{
    printf("%-34s %-18s ", p->name, c->name);
    if (c->refused)
        printf("- %s\n", c->refused);
    else
        printf("%9.4f ms (%9.4f to %9.4f)  %8.1f GFLOP/s  %6.3f of %s  %6.2f x the best row%s%s\n",
               c->median, c->low, c->high, gflops, fraction,
               memory_binds ? "bandwidth" : "peak     ", ratio, !ours && c->detail ? "  " : "",
               !ours && c->detail ? c->detail : "");
}

void report_problem(report *r, const bench_problem *p, const cvk_contestant *all, int count,
                    int n_rows, double macs, double bytes)
{
    const cvk_contestant *best = fastest(all, n_rows);
    double peak_ms = 2e-6 * macs / r->peak, memory_ms = 1e-6 * bytes / r->bandwidth;
    bool memory_binds = memory_ms > peak_ms;
    json_t *entries = json_array();
    for (int i = 0; i < count; i++) {
        const cvk_contestant *c = &all[i];
        json_t *entry =
            json_pack("{s:s,s:s,s:s*,s:s*}", "name", c->name, "by",
                      i < n_rows ? "convoke" : c->name, "detail", c->detail, "refused", c->refused);
        double gflops = 2e-6 * macs / c->median, ratio = best ? c->median / best->median : 0,
               fraction = (memory_binds ? memory_ms : peak_ms) / c->median;
        if (!c->refused)
            json_object_update_new(
                entry, json_pack("{s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f}", "median_ms", c->median,
                                 "low_ms", c->low, "high_ms", c->high, "gflops", gflops,
                                 "peak_fraction", peak_ms / c->median, "bandwidth_fraction",
                                 memory_ms / c->median, "fraction", fraction, "ratio", ratio));
        if (c->error >= 0) json_object_set_new(entry, "relative_l2", json_real(c->error));
        json_array_append_new(entries, entry);
        print_line(p, c, i < n_rows, gflops, fraction, memory_binds, ratio);
    }
    add_sums(r, all + n_rows, best, p->count);
    json_array_append_new(r->problems,
                          json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:f,s:f,s:s,s:o}", "name",
                                    p->name, "list", p->list, "op", p->op, "inputs", p->inputs,
                                    "attributes", p->attrs, "posts", p->posts, "count", p->count,
                                    "macs", macs, "bytes", bytes, "bound",
                                    memory_binds ? "bandwidth" : "peak", "entries", entries));
    fflush(stdout);
}

bool report_end(report *r, const char *path)
{
    json_t *sums = json_array();
    for (int i = 0; i < r->n_sums; i++) {
        const library_sum *s = &r->sums[i];
        double ratio = s->ran ? s->ours_ms / s->theirs_ms : 0,
               mean = s->ran ? exp(s->log_ratio / s->ran) : 0;
        printf("%s: %d of %d problems; theirs %.3f ms, ours (best rows) %.3f ms: ours / theirs "
               "%.3f, geometric mean %.3f\n",
               s->name, s->ran, s->asked, s->theirs_ms, s->ours_ms, ratio, mean);
        json_array_append_new(sums, json_pack("{s:s,s:i,s:i,s:f,s:f,s:f,s:f}", "name", s->name,
                                              "ran", s->ran, "asked", s->asked, "theirs_ms",
                                              s->theirs_ms, "ours_ms", s->ours_ms, "ratio", ratio,
                                              "geometric_mean", mean));
    }
    json_object_set_new(r->root, "sums", sums);
    bool ok = !path || !json_dump_file(r->root, path, JSON_INDENT(1) | JSON_REAL_PRECISION(7));
    if (!ok) fprintf(stderr, "%s cannot be written\n", path);
    json_decref(r->root);
    json_decref(r->libraries);
    json_decref(r->problems);
    return ok;
}
