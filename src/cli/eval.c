/* SPDX-License-Identifier: Apache-2.0
 *
 * convoke eval: accuracy and speed over a data set, on one device or on each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "cli/classes.h"
#include "cli/dataset.h"
#include "cli/inputs.h"
#include "cli/results.h"
#include "cli/sheet.h"

enum { BEST = 5, DEFAULT_BATCH = 64 };

/* The command. */
typedef struct work {
    shared_options shared;
    const char *data_path, *labels_path, *sheet_path;
    double expect;
    int batch, limit; /* 0: not given */

    cvk_model *model;
    dataset set;
    int count; /* pictures used */
    label_list labels;
    json_t *results;
    table table;
    bool sheet_done, below;
} work;

/* One device. */
typedef struct pass {
    device_set devices;
    cvk_session *session;
    tensor_set inputs, outputs;
    int picture, batch;
    int *predicted; /* by picture */
    int right, right5;
    double run_ms;
    image sheet;
} pass;

static const char *class_name(const work *w, int index, char text[16])
{
    const char *label = label_of(&w->labels, index);
    if (label) return label;
    snprintf(text, 16, "%d", index);
    return text;
}

static void put_on_sheet(const work *w, pass *p, int index, const image *img)
{
    char a[16], b[16];
    int predicted = p->predicted[index], truth = w->set.labels[index];
    sheet_put(&p->sheet, index, img, class_name(w, predicted, a),
              predicted == truth ? NULL : class_name(w, truth, b));
}

/* Reads pictures first .. first + n - 1 into the slots of the batch; the rest of the slots repeat
 * the last. */
static int load_batch(const work *w, pass *p, int first, int n, image *pictures)
{
    int code = DONE;
    for (int i = 0; !code && i < n; i++) {
        code = dataset_image(&w->set, first + i, &pictures[i]);
        if (!code)
            code = image_to_tensor(&w->shared, &pictures[i], &p->inputs.items[p->picture], i);
    }
    for (int i = n; !code && i < p->batch; i++)
        code = image_to_tensor(&w->shared, &pictures[n - 1], &p->inputs.items[p->picture], i);
    return code;
}

static void count_batch(const work *w, pass *p, int first, int n, const image *pictures)
{
    for (int i = 0; i < n; i++) {
        ranked best[BEST];
        int found = best_classes(&p->outputs.items[0], i, BEST, best),
            truth = w->set.labels[first + i];
        p->predicted[first + i] = found ? best[0].index : -1;
        p->right += found && best[0].index == truth;
        for (int k = 0; k < found; k++) p->right5 += best[k].index == truth;
        if (p->sheet.pixels && first + i < SHEET_PICTURES)
            put_on_sheet(w, p, first + i, &pictures[i]);
    }
}

static int run_batch(const work *w, pass *p, int first, int n)
{
    image *pictures = need((size_t)n, sizeof *pictures);
    int code = load_batch(w, p, first, n, pictures);
    if (!code) {
        double start = now_ms();
        code = fail_status(session_run(p->session, &p->inputs, &p->outputs));
        p->run_ms += now_ms() - start;
    }
    if (!code) count_batch(w, p, first, n, pictures);
    for (int i = 0; i < n; i++) image_free(&pictures[i]);
    free(pictures);
    return code;
}

static int check_outputs(const pass *p)
{
    const cvk_tensor *output = &p->outputs.items[0];
    char shape[128];
    shape_text(output, NULL, shape, sizeof shape);
    if (!class_count(output) || output->dims[0] != p->batch)
        return fail(BAD_FILE,
                    "output '%s' is %s: expected one score per class for each of %d pictures",
                    output->name, shape, p->batch);
    return DONE;
}

/* A batch of --batch pictures, else what the model says, else DEFAULT_BATCH. */
static int plan_shapes(const work *w, pass *p, const image *first, shape_set *shapes)
{
    const given_inputs none = {0};
    cvk_model_info info;
    cvk_tensor input;
    int code = shapes_from_options(&w->shared, w->model, shapes);
    if (!code) code = fail_status(cvk_model_get_info(w->model, &info));
    if (!code && info.inputs != 1)
        code =
            fail(BAD_FILE, "eval: the model has %d inputs: expected one for pictures", info.inputs);
    if (!code) code = fail_status(cvk_model_input(w->model, 0, &input, NULL));
    bool shaped = shapes->count > 0;
    if (!code) code = inputs_picture(&w->shared, w->model, &none, first, shapes, &p->picture);
    int automatic =
        !shaped && input.dims[0] < 0 ? (w->count < DEFAULT_BATCH ? w->count : DEFAULT_BATCH) : 0;
    int batch = w->batch ? w->batch : automatic;
    if (!code && batch) code = shapes_set_batch(shapes, w->model, batch);
    return code;
}

static int open_pass(const work *w, const char *spec, pass *p)
{
    shape_set shapes = {0};
    image first = {0};
    int code = dataset_image(&w->set, 0, &first);
    if (!code) code = plan_shapes(w, p, &first, &shapes);
    if (!code) code = devices_open_for(&w->shared, spec, w->model, &shapes, &p->devices);
    if (!code) {
        cvk_session_options options = session_options(&w->shared, &shapes, &p->devices);
        code = fail_status(cvk_session_create(w->model, p->devices.items, p->devices.count,
                                              &options, &p->session));
    }
    if (!code) code = session_tensors(p->session, 1, false, &p->inputs);
    if (!code) code = session_tensors(p->session, 1, true, &p->outputs);
    if (!code) {
        p->batch = (int)p->inputs.items[0].dims[0];
        p->predicted = need((size_t)w->count, sizeof *p->predicted);
        code = check_outputs(p);
    }
    image_free(&first);
    shapes_free(&shapes);
    return code;
}

static void close_pass(pass *p)
{
    tensors_free(&p->inputs);
    tensors_free(&p->outputs);
    cvk_session_free(&p->session);
    devices_close(&p->devices);
    image_free(&p->sheet);
    free(p->predicted);
}

/* CRC-32 of the predictions as 32-bit little-endian integers. */
static uint32_t predictions_crc(const int *predicted, int count)
{
    uLong crc = crc32(0, NULL, 0);
    for (int i = 0; i < count; i++) {
        uint32_t v = (uint32_t)predicted[i];
        unsigned char bytes[4] = {(unsigned char)v, (unsigned char)(v >> 8),
                                  (unsigned char)(v >> 16), (unsigned char)(v >> 24)};
        crc = crc32(crc, bytes, sizeof bytes);
    }
    return (uint32_t)crc;
}

static void report(work *w, pass *p)
{
    cvk_session_info info = {0};
    const char *device = devices_in_use(&p->devices, p->session);
    cvk_session_get_info(p->session, &info);
    double n = w->count, accuracy = p->right / n, top5 = p->right5 / n, speed = n / p->run_ms * 1e3;
    char crc[16];
    snprintf(crc, sizeof crc, "%08x", predictions_crc(p->predicted, w->count));
    w->below = w->below || accuracy < w->expect;
    json_t *row =
        json_pack("{s:s,s:i,s:i,s:o,s:o,s:o,s:s}", "device", device, "images", w->count, "batch",
                  p->batch, "accuracy", json_number(accuracy), "top5", json_number(top5),
                  "images_per_s", json_number(speed), "predictions_crc", crc);
    json_t *more = json_pack("{s:o,s:i,s:i,s:i}", "run_ms", json_number(p->run_ms), "steps",
                             info.steps, "nodes", info.nodes, "fused", info.fused);
    json_object_update_new(row, more);
    json_array_append_new(w->results, row);
    table_row(&w->table, "%s\t%d\t%.2f %%\t%.2f %%\t%.0f\t%d\t%d\t%s", device, w->count,
              100 * accuracy, 100 * top5, speed, info.steps, info.fused, crc);
}

static void show_progress(const pass *p, int done, int count)
{
    if (!isatty(STDERR_FILENO)) return;
    fprintf(stderr, "\r%s: %d of %d pictures ", p->devices.name, done, count);
    if (done == count) fprintf(stderr, "\r%*s\r", 60, "");
}

static int visit(const char *spec, void *context)
{
    work *w = context;
    pass p = {.devices = {.count = 0}};
    int code = open_pass(w, spec, &p);
    if (!code && w->sheet_path && !w->sheet_done)
        p.sheet = sheet_make(w->count < SHEET_PICTURES ? w->count : SHEET_PICTURES);
    for (int first = 0; !code && first < w->count; first += p.batch) {
        int n = w->count - first < p.batch ? w->count - first : p.batch;
        code = run_batch(w, &p, first, n);
        if (!code) show_progress(&p, first + n, w->count);
    }
    if (!code) report(w, &p);
    if (!code && p.sheet.pixels) {
        code = image_save_png(w->sheet_path, &p.sheet);
        w->sheet_done = true;
    }
    close_pass(&p);
    return code;
}

static int prepare(work *w, const char *model)
{
    if (!w->data_path) return fail(WRONG_USE, "eval: --dataset is missing");
    if (w->expect > 1)
        return fail(WRONG_USE, "eval: --expect is a share of 1 (or a percentage such as 90%%)");
    int code = model_open(model, &w->model);
    if (!code) code = dataset_open(w->data_path, &w->set);
    if (!code && w->labels_path) code = labels_load(w->labels_path, &w->labels);
    w->count = w->limit && w->limit < w->set.count ? w->limit : w->set.count;
    return code;
}

int command_eval(int argc, char **argv)
{
    work w = {.batch = 0};
    char **words;
    int count;
    const option_row rows[] = {
        {"dataset", OPTION_TEXT, &w.data_path, "DIR-OR-IDX",
         "IDX files as MNIST has them, or folders of pictures by class", 0},
        {"expect", OPTION_REAL, &w.expect, "ACC", "exit status 1 below this accuracy (0.9 or 90%)",
         0},
        {"batch", OPTION_COUNT, &w.batch, "N",
         "pictures per run (default 64 where the model leaves it free)", 0},
        {"limit", OPTION_COUNT, &w.limit, "N", "only the first N pictures", 0},
        {"labels", OPTION_TEXT, &w.labels_path, "FILE",
         "names of the classes, one a line, for the contact sheet", 0},
        {"contact-sheet", OPTION_TEXT, &w.sheet_path, "FILE",
         "write the first 100 pictures with their labels as PNG", 0},
        {0}};
    const usage usage = {"eval MODEL --dataset DIR-OR-IDX [OPTIONS]",
                         "Accuracy over a data set. images_per_s counts the runs of the network, "
                         "not the reading of pictures.\n"
                         "With --device all every device takes its turn.",
                         rows,
                         TAKES_IMAGE | TAKES_DEVICE | TAKES_CONTINUE | TAKES_SHAPE | TAKES_PLAN,
                         1,
                         1};
    int code = options_read(&usage, &w.shared, argc, argv, &words, &count);
    if (code != GO_ON) return code;
    w.results = json_array();
    w.table = table_make("lrrrrrrl");
    table_row(&w.table, "device\timages\taccuracy\ttop-5\timages/s\tsteps\tfused\tpredictions");
    code = prepare(&w, words[0]);
    if (!code) code = devices_each(&w.shared, visit, &w);
    results_print(&w.shared, w.results, &w.table);
    json_decref(w.results);
    labels_free(&w.labels);
    dataset_close(&w.set);
    cvk_model_free(&w.model);
    options_free(&w.shared);
    return code ? code : w.below ? ANSWER_NO : DONE;
}
