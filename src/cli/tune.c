/* SPDX-License-Identifier: Apache-2.0
 *
 * convoke tune: measures the kernel rows between which a model's plan can choose, keeps the best,
 * and says what that does for the whole model.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/numbers.h"
#include "cli/results.h"

/* The whole model before and after: rounds of one run each, at most so many or so long, but never
 * fewer than LEAST_ROUNDS. */
enum { MOST_ROUNDS = 31, LEAST_ROUNDS = 3 };
static const double check_ms = 2000;

typedef struct work {
    shared_options shared;
    double budget;

    cvk_model *model;
    device_set devices;
    shape_set shapes;
    cvk_tune_result result;
    json_t *layers;
    table table;
    bool differs;   /* a row is not the default */
    double speedup; /* of the whole model; 1: the plan is as it was */
    double ms[2];   /* of the whole model, default and tuned; 0: not measured */
} work;

static void on_layer(void *user, const cvk_tune_layer *layer)
{
    work *w = user;
    json_t *row = json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "problem", json_text(layer->problem),
                            "kernel", json_text(layer->kernel), "ms", json_number(layer->ms),
                            "default_ms", json_number(layer->default_ms), "default_kernel",
                            json_text(layer->default_kernel), "device", json_text(layer->device));
    json_t *more = json_pack("{s:i,s:b,s:o}", "steps", layer->steps, "measured", layer->measured,
                             "refused", json_text(layer->refused));
    json_object_update_new(row, more);
    json_array_append_new(w->layers, row);
    bool other = strcmp(layer->kernel, layer->default_kernel) != 0;
    w->differs = w->differs || other;
    table_row(&w->table, "%d\t%s\t%.4f\t%s\t%.4f\t%s\t%s", layer->steps, layer->kernel, layer->ms,
              other ? layer->default_kernel : "", layer->default_ms,
              layer->measured ? "now" : "before", layer->problem);
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "%s: %s, %.4f ms\n", layer->problem, layer->kernel, layer->ms);
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* One session of the two that are compared. */
typedef struct side {
    cvk_session *session;
    tensor_set inputs, outputs;
    double ms[MOST_ROUNDS];
} side;

static int open_side(const work *w, bool no_tuned, side *s)
{
    cvk_session_options options = session_options(&w->shared, &w->shapes, NULL);
    cvk_model_info info;
    options.no_tuned = no_tuned;
    int code = fail_status(cvk_model_get_info(w->model, &info));
    if (!code)
        code = fail_status(cvk_session_create(w->model, w->devices.items, w->devices.count,
                                              &options, &s->session));
    if (!code) code = session_tensors(s->session, info.inputs, false, &s->inputs);
    if (!code) code = session_tensors(s->session, info.outputs, true, &s->outputs);
    for (int i = 0; !code && i < s->inputs.count; i++)
        fill_random(&s->inputs.items[i], (uint64_t)i + 1);
    return code;
}

static void close_side(side *s)
{
    tensors_free(&s->inputs);
    tensors_free(&s->outputs);
    cvk_session_free(&s->session);
}

/* Both take turns; round -1 is not timed. */
static int play(side sides[2], int *rounds)
{
    double begin = now_ms();
    int code = DONE;
    for (int round = -1; !code && round < MOST_ROUNDS; round++) {
        if (round >= LEAST_ROUNDS && now_ms() - begin > check_ms) break;
        for (int i = 0; !code && i < 2; i++) {
            double start = now_ms();
            code = fail_status(session_run(sides[i].session, &sides[i].inputs, &sides[i].outputs));
            if (round >= 0) sides[i].ms[round] = now_ms() - start;
        }
        *rounds = round + 1;
    }
    return code;
}

/* What the rows do for the whole model. */
static int compare(work *w)
{
    side sides[2] = {{0}, {0}};
    int rounds = 0;
    w->speedup = 1;
    if (!w->differs) return DONE;
    int code = open_side(w, true, &sides[0]);
    if (!code) code = open_side(w, false, &sides[1]);
    if (!code) code = play(sides, &rounds);
    for (int i = 0; !code && i < 2; i++) {
        qsort(sides[i].ms, (size_t)rounds, sizeof *sides[i].ms, by_value);
        w->ms[i] = sides[i].ms[rounds / 2];
    }
    if (!code) w->speedup = w->ms[0] / w->ms[1];
    close_side(&sides[0]);
    close_side(&sides[1]);
    return code;
}

static void report(work *w)
{
    const cvk_tune_result *r = &w->result;
    if (w->shared.json) {
        json_print(json_pack("{s:s,s:O,s:i,s:i,s:i,s:i,s:o}", "device", w->devices.name, "layers",
                             w->layers, "problems", r->problems, "known", r->known, "measured",
                             r->measured, "left", r->left, "speedup", json_number(w->speedup)));
        return;
    }
    if (json_array_size(w->layers)) table_print(&w->table, stdout);
    printf("%s: %d problems with a choice: %d were known, %d measured now, %d left%s\n",
           w->devices.name, r->problems, r->known, r->measured, r->left,
           r->left ? " (the budget was used up: run it again to go on)" : "");
    if (w->differs)
        printf("the model: %.4f ms, %.4f ms untuned: speedup %.3f\n", w->ms[1], w->ms[0],
               w->speedup);
    else
        printf("no row is clearly faster than the default: speedup 1\n");
}

static int tune(work *w, const char *path)
{
    int code = model_open(path, &w->model);
    if (!code) code = shapes_from_options(&w->shared, w->model, &w->shapes);
    if (!code)
        code = devices_open_for(&w->shared, w->shared.device, w->model, &w->shapes, &w->devices);
    if (code) return code;
    const cvk_session_options plan = session_options(&w->shared, &w->shapes, NULL);
    const cvk_tune_options options = {.budget_s = w->budget, .layer = on_layer, .user = w};
    code = fail_status(
        cvk_tune(w->model, w->devices.items, w->devices.count, &plan, &options, &w->result));
    if (!code) code = compare(w);
    if (!code) report(w);
    return code;
}

int command_tune(int argc, char **argv)
{
    work w = {.budget = 60};
    char **words;
    int count;
    const option_row rows[] = {{"budget", OPTION_REAL, &w.budget, "SECONDS",
                                "stop measuring after this time (default 60)", 0},
                               {0}};
    const usage usage = {
        "tune MODEL [OPTIONS]",
        "Measures the kernels between which the plan can choose, the default among them, and "
        "keeps\n"
        "the best in the store, where later runs on this device find them. What was measured "
        "before\n"
        "is not measured again. The model is timed afterwards, tuned and untuned in turns.",
        rows,
        TAKES_DEVICE | TAKES_SHAPE | TAKES_PLAN,
        1,
        1};
    int code = options_read(&usage, &w.shared, argc, argv, &words, &count);
    if (code != GO_ON) return code;
    w.layers = json_array();
    w.table = table_make("rlrlrll");
    table_row(&w.table, "steps\tkernel\tms\tinstead of\tdefault ms\tmeasured\tproblem");
    code = w.budget > 0 ? tune(&w, words[0])
                        : fail(WRONG_USE, "--budget '0': expected seconds, more than 0");
    table_free(&w.table);
    json_decref(w.layers);
    shapes_free(&w.shapes);
    devices_close(&w.devices);
    cvk_model_free(&w.model);
    options_free(&w.shared);
    return code;
}
