/* SPDX-License-Identifier: Apache-2.0
 *
 * convoke devices: what is here, and how fast it is.
 */
#include <stdio.h>
#include <string.h>

#include "cli/setup.h"
#include "cli/table.h"

typedef struct work {
    const shared_options *shared;
    bool measure;
    json_t *list;
    table table;
} work;

static const char *kind_name(cvk_device_kind kind)
{
    return kind == CVK_DEVICE_GPU ? "gpu" : kind == CVK_DEVICE_CPU ? "cpu" : "accelerator";
}

static void report(work *w, const cvk_device_info *d, double gflops, double gbytes)
{
    json_t *features = json_pack("{s:b,s:b,s:b,s:b}", "fp16", d->fp16, "fp64", d->fp64, "subgroups",
                                 d->subgroups, "unified_memory", d->unified_memory);
    json_t *row = json_pack("{s:s,s:o,s:s,s:s,s:o,s:o,s:i,s:I}", "id", d->id, "name",
                            json_text(d->name), "kind", kind_name(d->kind), "backend", d->backend,
                            "driver", json_text(d->driver), "version", json_text(d->version),
                            "units", d->units, "memory_bytes", (json_int_t)d->memory_bytes);
    json_object_update_new(row, features);
    if (w->measure) {
        json_object_set_new(row, "peak_gflops", json_number(gflops));
        json_object_set_new(row, "gbytes_per_s", json_number(gbytes));
    }
    json_array_append_new(w->list, row);
    char speed[64] = "-\t-"; /* two cells */
    if (w->measure) snprintf(speed, sizeof speed, "%.1f\t%.1f", gflops, gbytes);
    table_row(&w->table, "%s\t%s\t%s\t%s\t%d\t%.1f\t%s\t%s\t%s\t%s", d->id, kind_name(d->kind),
              d->name, d->driver, d->units, (double)d->memory_bytes / (1 << 30),
              d->fp16 ? "yes" : "no", d->subgroups ? "yes" : "no", speed, d->version);
}

static int visit(const char *spec, void *context)
{
    work *w = context;
    device_set devices;
    int code = devices_open(w->shared, spec, &devices);
    if (code) return code;
    for (int i = 0; !code && i < devices.count; i++) {
        cvk_device_info info;
        double gflops = 0, gbytes = 0;
        code = fail_status(cvk_device_get_info(devices.items[i], &info));
        if (!code && w->measure)
            code = fail_status(cvk_device_measure(devices.items[i], &gflops, &gbytes));
        if (!code) report(w, &info, gflops, gbytes);
    }
    devices_close(&devices);
    return code;
}

int command_devices(int argc, char **argv)
{
    shared_options shared;
    char **words;
    int count;
    work w = {.shared = &shared};
    const option_row rows[] = {{"measure", OPTION_FLAG, &w.measure, NULL,
                                "measure f32 operations and bytes per second (0.3 s each)", 0},
                               {0}};
    const usage usage = {"devices [OPTIONS]",
                         "Lists the CPU and every OpenCL device (--device all is the default).",
                         rows,
                         TAKES_DEVICE,
                         0,
                         0};
    int code = options_read(&usage, &shared, argc, argv, &words, &count);
    if (code != GO_ON) return code;
    if (!shared.device) shared.device = "all";
    w.list = json_array();
    w.table = table_make("llllrrllrrl");
    table_row(&w.table,
              "id\tkind\tname\tdriver\tunits\tGiB\tfp16\tsub-groups\tGflop/s\tGB/s\tversion");
    code = devices_each(&shared, visit, &w);
    bool any = json_array_size(w.list) > 0;
    if (shared.json && any) json_print(json_pack("{s:O}", "devices", w.list));
    if (!shared.json && any)
        table_print(&w.table, stdout);
    else
        table_free(&w.table);
    json_decref(w.list);
    options_free(&shared);
    return code;
}
