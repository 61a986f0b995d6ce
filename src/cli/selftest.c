/* SPDX-License-Identifier: Apache-2.0
 *
 * convoke selftest: every kernel row of a device against the operators' references; what is wrong
 * is not used on this driver from then on.
 */
#include <stdio.h>
#include <string.h>

#include "cli/setup.h"
#include "cli/table.h"

typedef struct work {
    shared_options shared;
    const char *kernel;

    json_t *runs;
    int found_wrong; /* rows, of all devices */
    /* of the device at hand */
    json_t *kernels, *denied;
    table table;
} work;

static const char *status_name(cvk_selftest_status status)
{
    switch (status) {
    case CVK_SELFTEST_PASSED: return "passed";
    case CVK_SELFTEST_WRONG: return "wrong";
    case CVK_SELFTEST_FAILED: return "failed";
    case CVK_SELFTEST_NOT_REACHED: break;
    }
    return "not reached";
}

static const char *list_name(const cvk_selftest_row *row)
{
    if (row->denied) return row->was_denied ? "denied still" : "denied now";
    return row->was_denied ? "no longer denied" : "";
}

static void on_row(void *user, const cvk_selftest_row *row)
{
    work *w = user;
    json_t *object =
        json_pack("{s:o,s:o,s:i,s:i,s:s,s:o,s:o,s:b,s:b}", "kernel", json_text(row->kernel), "op",
                  json_text(row->op), "cases", row->cases, "wrong", row->wrong, "status",
                  status_name(row->status), "rel_l2", json_number(row->rel_l2), "reason",
                  json_text(row->reason), "denied", row->denied, "was_denied", row->was_denied);
    json_array_append_new(w->kernels, object);
    if (row->denied) json_array_append_new(w->denied, json_text(row->kernel));
    table_row(&w->table, "%s\t%s\t%d\t%d\t%.2g\t%s\t%s\t%s", row->kernel, row->op, row->cases,
              row->wrong, row->rel_l2, status_name(row->status), list_name(row), row->reason);
}

static void report(work *w, const cvk_device_info *info, const cvk_selftest_result *r, double ms)
{
    json_t *run =
        json_pack("{s:o,s:o,s:o,s:o}", "device", json_text(info->id), "name", json_text(info->name),
                  "driver", json_text(info->driver), "ms", json_number(ms));
    json_t *more = json_pack("{s:O,s:O,s:i,s:i,s:i,s:i,s:i,s:i}", "kernels", w->kernels, "denied",
                             w->denied, "rows", r->rows, "passed", r->passed, "wrong", r->wrong,
                             "failed", r->failed, "not_reached", r->not_reached, "cases", r->cases);
    json_object_update_new(run, more);
    json_array_append_new(w->runs, run);
    if (w->shared.json) return;
    printf("%s  %s\n", info->id, info->name);
    table_print(&w->table, stdout);
    printf(
        "%d rows, %d cases in %.1f s: %d passed, %d wrong, %d failed, %d not reached; %d denied\n",
        r->rows, r->cases, ms * 1e-3, r->passed, r->wrong, r->failed, r->not_reached, r->denied);
}

static int test_device(work *w, cvk_device *device)
{
    const cvk_selftest_options options = {.kernel = w->kernel, .row = on_row, .user = w};
    cvk_selftest_result result = {.rows = 0};
    cvk_device_info info;
    int code = fail_status(cvk_device_get_info(device, &info));
    if (code) return code;
    w->kernels = json_array();
    w->denied = json_array();
    w->table = table_make("llrrrlll");
    table_row(&w->table, "kernel\toperator\tcases\twrong\trel L2\tstatus\tdeny list\treason");
    double begin = now_ms();
    code = fail_status(cvk_selftest(device, &options, &result));
    if (result.rows) report(w, &info, &result, now_ms() - begin);
    w->found_wrong += result.wrong + result.failed;
    json_decref(w->kernels);
    json_decref(w->denied);
    table_free(&w->table);
    return code;
}

static int visit(const char *spec, void *context)
{
    work *w = context;
    device_set devices;
    int code = devices_open(&w->shared, spec, &devices), first = code;
    for (int i = 0; !code && i < devices.count; i++) {
        int status = test_device(w, devices.items[i]);
        if (!first) first = status;
    }
    devices_close(&devices);
    return first;
}

int command_selftest(int argc, char **argv)
{
    work w = {.kernel = NULL};
    char **words;
    int count;
    const option_row rows[] = {
        {"kernel", OPTION_TEXT, &w.kernel, "NAME", "only kernel rows of this name", 0}, {0}};
    const usage usage = {
        "selftest [OPTIONS]",
        "Runs every kernel row of the device on small problems and compares the results with the\n"
        "operators' references. A row that is wrong goes on the deny list of this driver in the\n"
        "store, and plans do without it until it passes again. Exit status 1 if a row is wrong.",
        rows,
        TAKES_DEVICE,
        0,
        0};
    int code = options_read(&usage, &w.shared, argc, argv, &words, &count);
    if (code != GO_ON) return code;
    w.runs = json_array();
    code = devices_each(&w.shared, visit, &w);
    if (w.shared.json)
        json_print_runs(w.runs, device_is_all(&w.shared) || json_array_size(w.runs) > 1);
    json_decref(w.runs);
    options_free(&w.shared);
    return code ? code : w.found_wrong ? ANSWER_NO : DONE;
}
