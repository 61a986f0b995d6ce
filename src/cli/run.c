/* SPDX-License-Identifier: Apache-2.0
 *
 * convoke run: a model on pictures or tensors.
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/classes.h"
#include "cli/files.h"
#include "cli/inputs.h"
#include "cli/numbers.h"

typedef struct work {
    shared_options shared;
    int top;
    bool softmax;
    const char *labels_path, *save, *save_image;
    text_list files; /* of --input */

    cvk_model *model;
    given_inputs given;
    label_list labels;
    device_set devices;
    cvk_session *session;
    tensor_set inputs, outputs;
    int picture; /* which input pictures go into; -1: none */
    json_t *results;
} work;

/* Scores of each picture as probabilities: exp(score - max) / sum. */
static void apply_softmax(cvk_tensor *output)
{
    int classes = class_count(output);
    int64_t rows = classes ? cvk_tensor_count(output) / classes : 0;
    for (int64_t row = 0; row < rows; row++) {
        size_t first = (size_t)(row * classes), n = (size_t)classes;
        double most = -INFINITY, sum = 0;
        for (size_t i = 0; i < n; i++) most = fmax(most, number_get(output, first + i));
        for (size_t i = 0; i < n; i++) sum += exp(number_get(output, first + i) - most);
        for (size_t i = 0; i < n; i++)
            number_set(output, first + i, exp(number_get(output, first + i) - most) / sum);
    }
}

static json_t *report_classes(const work *w, const cvk_tensor *output)
{
    json_t *list = json_array();
    ranked *best = need((size_t)w->top, sizeof *best);
    int n = best_classes(output, 0, w->top, best);
    for (int i = 0; i < n; i++) {
        const char *label = label_of(&w->labels, best[i].index);
        if (!w->shared.json)
            printf("  %6d  %-10.6g %s\n", best[i].index, best[i].score, label ? label : "");
        json_array_append_new(list,
                              json_pack("{s:i,s:o,s:o}", "index", best[i].index, "label",
                                        json_text(label), "score", json_number(best[i].score)));
    }
    free(best);
    return list;
}

static json_t *report_range(const work *w, const cvk_tensor *output)
{
    double low = INFINITY, high = -INFINITY, sum = 0;
    size_t count = (size_t)cvk_tensor_count(output);
    for (size_t i = 0; i < count; i++) {
        double value = number_get(output, i);
        low = fmin(low, value);
        high = fmax(high, value);
        sum += value;
    }
    if (!w->shared.json)
        printf("  min %.6g  max %.6g  mean %.6g\n", low, high, sum / (double)count);
    return json_pack("{s:o,s:o,s:o}", "min", json_number(low), "max", json_number(high), "mean",
                     json_number(sum / (double)count));
}

static json_t *report_output(const work *w, const cvk_tensor *output)
{
    char shape[128];
    shape_text(output, NULL, shape, sizeof shape);
    if (!w->shared.json) printf("%s  %s  %s\n", output->name, cvk_dtype_name(output->dtype), shape);
    json_t *row = json_pack("{s:o,s:s,s:o}", "name", json_text(output->name), "type",
                            cvk_dtype_name(output->dtype), "shape", json_shape(output));
    if (class_count(output))
        json_object_set_new(row, "top", report_classes(w, output));
    else
        json_object_update_new(row, report_range(w, output));
    return row;
}

/* DIR/[picture.]output.npy, with characters that file names may not have as '_'. */
static int save_output(const work *w, const cvk_tensor *output, const char *picture)
{
    char *base = picture ? path_base(picture) : need_text("%s", "");
    char *name = need_text("%s%s%s", base, *base ? "." : "", output->name);
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("._-", *c)) *c = '_';
    char *path = need_text("%s/%s.npy", w->save, name);
    int code = fail_status(cvk_tensor_save_npy(path, output));
    free(path);
    free(name);
    free(base);
    return code;
}

static int save_picture(const work *w)
{
    const cvk_tensor *output = &w->outputs.items[0];
    for (int i = 0; i < w->outputs.count; i++)
        if (w->outputs.items[i].rank == 4) {
            output = &w->outputs.items[i];
            break;
        }
    image img;
    int code = tensor_to_image(&w->shared, output, &img);
    if (code) return code;
    code = image_save_png(w->save_image, &img);
    image_free(&img);
    return code;
}

/* Runs on what the inputs hold, then reports and saves. */
static int run_once(work *w, const char *picture)
{
    double start = now_ms();
    int code = fail_status(session_run(w->session, &w->inputs, &w->outputs));
    double ms = now_ms() - start;
    if (code) return code;
    json_t *outputs = json_array();
    cvk_session_info info = {.choice = ""};
    cvk_session_get_info(w->session, &info);
    const char *device = devices_in_use(&w->devices, w->session);
    if (!w->shared.json && *info.choice && !json_array_size(w->results))
        printf("taken: %s\n", info.choice);
    if (!w->shared.json)
        printf("%s%s%.3f ms on %s\n", picture ? picture : "", picture ? ": " : "", ms, device);
    for (int i = 0; !code && i < w->outputs.count; i++) {
        cvk_tensor *output = &w->outputs.items[i];
        if (w->save) code = save_output(w, output, picture);
        if (w->softmax) apply_softmax(output);
        json_array_append_new(outputs, report_output(w, output));
    }
    json_array_append_new(w->results,
                          json_pack("{s:o,s:s,s:o,s:o,s:o,s:o}", "image", json_text(picture),
                                    "device", device, "choice", json_text(info.choice), "outputs",
                                    outputs, "ms", json_number(ms), "weights_rel_l2",
                                    json_number(session_rounding(w->session))));
    if (!code && w->save_image) code = save_picture(w);
    return code;
}

/* The session, planned for the given tensors and, if there is one, the first picture. */
static int open_session(work *w, const image *first)
{
    cvk_model_info info;
    shape_set shapes = {0};
    w->picture = -1;
    int code = fail_status(cvk_model_get_info(w->model, &info));
    if (!code) code = shapes_from_options(&w->shared, w->model, &shapes);
    if (!code) {
        inputs_shapes(&w->given, &shapes);
        if (first)
            code = inputs_picture(&w->shared, w->model, &w->given, first, &shapes, &w->picture);
    }
    if (!code)
        code = devices_open_for(&w->shared, w->shared.device, w->model, &shapes, &w->devices);
    if (!code) {
        cvk_session_options options = session_options(&w->shared, &shapes, &w->devices);
        code = fail_status(cvk_session_create(w->model, w->devices.items, w->devices.count,
                                              &options, &w->session));
    }
    if (!code) code = session_tensors(w->session, info.inputs, false, &w->inputs);
    if (!code) code = session_tensors(w->session, info.outputs, true, &w->outputs);
    if (!code) code = inputs_complete(&w->given, &w->inputs, w->picture);
    if (!code) code = inputs_fill(&w->given, &w->inputs);
    shapes_free(&shapes);
    return code;
}

static int run_pictures(work *w, char **paths, int count)
{
    int code = DONE;
    for (int i = 0; !code && i < count; i++) {
        image img = {0};
        code = image_load(paths[i], &img);
        if (!code && !w->session) code = open_session(w, &img);
        if (!code) code = inputs_put_picture(&w->shared, &img, &w->inputs.items[w->picture]);
        if (!code) code = run_once(w, paths[i]);
        image_free(&img);
    }
    return code;
}

static int run_tensors(work *w)
{
    int code = open_session(w, NULL);
    return code ? code : run_once(w, NULL);
}

static void close_all(work *w)
{
    json_decref(w->results);
    tensors_free(&w->inputs);
    tensors_free(&w->outputs);
    cvk_session_free(&w->session);
    devices_close(&w->devices);
    labels_free(&w->labels);
    inputs_free(&w->given);
    cvk_model_free(&w->model);
    options_free(&w->shared);
    free(w->files.items);
}

int command_run(int argc, char **argv)
{
    work w = {.top = 5, .picture = -1};
    char **words;
    int count;
    const option_row rows[] = {
        {"input", OPTION_LIST, &w.files, "NAME=FILE",
         "an input from a .npy or .pb file; may be given several times", 0},
        {"labels", OPTION_TEXT, &w.labels_path, "FILE", "names of the classes, one a line", 0},
        {"top", OPTION_COUNT, &w.top, "K", "how many classes to show (default 5)", 0},
        {"softmax", OPTION_FLAG, &w.softmax, NULL, "show scores of classes as probabilities", 0},
        {"save", OPTION_TEXT, &w.save, "DIR", "write every output as DIR/[IMAGE.]OUTPUT.npy", 0},
        {"save-image", OPTION_TEXT, &w.save_image, "FILE",
         "write an output that is a picture as PNG, --scale, --mean and --std undone", 0},
        {0}};
    const usage usage = {
        "run MODEL [IMAGE...] [OPTIONS]",
        "Runs a model on pictures (JPEG, PNG), one after the other, or on tensors.",
        rows,
        TAKES_IMAGE | TAKES_DEVICE | TAKES_CONTINUE | TAKES_SHAPE | TAKES_PLAN,
        1,
        -1};
    int code = options_read(&usage, &w.shared, argc, argv, &words, &count);
    if (code != GO_ON) {
        free(w.files.items);
        return code;
    }
    code = DONE;
    if (count == 1 && w.files.count == 0)
        code = fail(WRONG_USE, "run: nothing to run on: give pictures or --input NAME=FILE");
    if (count > 2 && w.save_image)
        code = fail(WRONG_USE, "run: --save-image takes one picture at a time");
    if (!code) code = model_open(words[0], &w.model);
    if (!code && w.labels_path) code = labels_load(w.labels_path, &w.labels);
    if (!code && w.save) code = folder_make(w.save);
    if (!code) code = inputs_load(w.model, &w.files, &w.given);
    w.results = json_array();
    if (!code) code = count > 1 ? run_pictures(&w, words + 1, count - 1) : run_tensors(&w);
    if (w.shared.json) json_print_runs(w.results, count > 2);
    close_all(&w);
    return code;
}
