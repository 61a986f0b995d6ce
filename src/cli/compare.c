/* SPDX-License-Identifier: Apache-2.0
 *
 * convoke compare: the same input on two devices, step by step: where they part, and by how much.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/inputs.h"
#include "cli/numbers.h"
#include "cli/table.h"

/* One of the two. */
typedef struct side {
    device_set devices;
    cvk_session *session;
    tensor_set inputs, outputs;
} side;

typedef struct work {
    shared_options shared;
    text_list files;
    uint64_t seed;
    double tolerance;

    cvk_model *model;
    cvk_model_info info;
    given_inputs given;
    shape_set shapes;
    side sides[2];
    int picture;
    json_t *steps;
    table table;
    const char *parted; /* the first step beyond the tolerance */
    double rel_l2;      /* of the outputs */
} work;

static int open_side(work *w, side *s, const char *spec)
{
    cvk_session_options options = session_options(&w->shared, &w->shapes, NULL);
    options.keep_values = true;
    int code = devices_open_for(&w->shared, spec, w->model, &w->shapes, &s->devices);
    if (!code)
        code = fail_status(cvk_session_create(w->model, s->devices.items, s->devices.count,
                                              &options, &s->session));
    if (!code) code = session_tensors(s->session, w->info.inputs, false, &s->inputs);
    if (!code) code = session_tensors(s->session, w->info.outputs, true, &s->outputs);
    return code;
}

static void close_side(side *s)
{
    tensors_free(&s->inputs);
    tensors_free(&s->outputs);
    cvk_session_free(&s->session);
    devices_close(&s->devices);
}

/* Random numbers, then what was given, then the picture. */
static int fill(work *w, side *s, const image *img)
{
    for (int i = 0; i < s->inputs.count; i++)
        fill_random(&s->inputs.items[i], w->seed + (uint64_t)i);
    int code = inputs_fill(&w->given, &s->inputs);
    if (!code && img) code = inputs_put_picture(&w->shared, img, &s->inputs.items[w->picture]);
    return code;
}

static int run_side(work *w, side *s, const image *img)
{
    int code = fill(w, s, img);
    if (code) return code;
    return fail_status(session_run(s->session, &s->inputs, &s->outputs));
}

/* Value `name` of a session, with memory of its own; false if the plan does not have it. */
static bool read_value(cvk_session *session, const char *name, cvk_tensor *t)
{
    *t = (cvk_tensor){0};
    if (cvk_session_read(session, name, t)) return false;
    t->data = need((size_t)cvk_tensor_count(t), cvk_dtype_bytes(t->dtype));
    if (!cvk_session_read(session, name, t)) return true;
    free(t->data);
    return false;
}

static void compare_step(work *w, const cvk_step_info *step)
{
    cvk_tensor a, b;
    if (!read_value(w->sides[0].session, step->output, &a)) return;
    if (read_value(w->sides[1].session, step->output, &b)) {
        if (cvk_tensor_count(&a) == cvk_tensor_count(&b)) {
            distance d = tensor_distance(&a, &b, 0, 0);
            json_array_append_new(
                w->steps,
                json_pack("{s:o,s:o,s:o,s:o,s:o}", "node", json_text(step->nodes), "op",
                          json_text(step->op), "output", json_text(step->output), "max_abs",
                          json_number(d.max_abs), "rel_l2", json_number(d.rel_l2)));
            table_row(&w->table, "%s\t%s\t%s\t%.3g\t%.3g", step->nodes, step->op, step->output,
                      d.max_abs, d.rel_l2);
            if (!w->parted && !(d.rel_l2 <= w->tolerance)) w->parted = step->nodes;
        }
        free(b.data);
    }
    free(a.data);
}

static int compare_all(work *w)
{
    cvk_session_info info;
    cvk_step_info step;
    int code = fail_status(cvk_session_get_info(w->sides[0].session, &info));
    for (int i = 0; !code && i < info.steps; i++) {
        code = fail_status(cvk_session_step(w->sides[0].session, i, &step));
        if (!code) compare_step(w, &step);
    }
    for (int i = 0; i < w->info.outputs; i++) {
        distance d =
            tensor_distance(&w->sides[0].outputs.items[i], &w->sides[1].outputs.items[i], 0, 0);
        w->rel_l2 = d.rel_l2 > w->rel_l2 ? d.rel_l2 : w->rel_l2;
    }
    return code;
}

static void report(work *w)
{
    if (w->shared.json) {
        json_print(json_pack("{s:[s,s],s:O,s:o,s:o}", "devices", w->sides[0].devices.name,
                             w->sides[1].devices.name, "steps", w->steps, "rel_l2",
                             json_number(w->rel_l2), "parted_at", json_text(w->parted)));
        return;
    }
    table_print(&w->table, stdout);
    printf("outputs of %s and %s: relative L2 %.3g\n", w->sides[0].devices.name,
           w->sides[1].devices.name, w->rel_l2);
    if (w->parted) printf("they part (beyond %.3g) at %s\n", w->tolerance, w->parted);
}

static int prepare(work *w, const char *model, const char *picture, image *img)
{
    int code = model_open(model, &w->model);
    if (!code) code = fail_status(cvk_model_get_info(w->model, &w->info));
    if (!code) code = inputs_load(w->model, &w->files, &w->given);
    if (!code) code = shapes_from_options(&w->shared, w->model, &w->shapes);
    if (!code) inputs_shapes(&w->given, &w->shapes);
    if (!code && picture) code = image_load(picture, img);
    if (!code && picture)
        code = inputs_picture(&w->shared, w->model, &w->given, img, &w->shapes, &w->picture);
    return code;
}

/* "A,B" into two; false if it is not that. */
static bool split_devices(const char *list, char **first, char **second)
{
    const char *comma = list ? strchr(list, ',') : NULL;
    if (!comma || comma == list || !comma[1] || strchr(comma + 1, ',')) return false;
    *first = need_text("%.*s", (int)(comma - list), list);
    *second = need_text("%s", comma + 1);
    return true;
}

static int compare_devices(work *w, char **words, int count, const char *first, const char *second)
{
    image img = {0};
    const image *picture = count > 1 ? &img : NULL;
    int code = prepare(w, words[0], count > 1 ? words[1] : NULL, &img);
    if (!code) code = open_side(w, &w->sides[0], first);
    if (!code) code = open_side(w, &w->sides[1], second);
    if (!code) code = run_side(w, &w->sides[0], picture);
    if (!code) code = run_side(w, &w->sides[1], picture);
    if (!code) code = compare_all(w);
    if (!code) report(w);
    image_free(&img);
    return code;
}

int command_compare(int argc, char **argv)
{
    work w = {.seed = 1, .tolerance = 1e-4, .picture = -1};
    char **words, *first = NULL, *second = NULL;
    int count;
    const option_row rows[] = {{"input", OPTION_LIST, &w.files, "NAME=FILE",
                                "an input from a .npy or .pb file; may be given several times", 0},
                               {"seed", OPTION_SEED, &w.seed, "N",
                                "of the numbers for inputs that are not given (default 1)", 0},
                               {"tolerance", OPTION_REAL, &w.tolerance, "X",
                                "relative L2 up to which they agree (default 1e-4)", 0},
                               {0}};
    const usage usage = {
        "compare MODEL [IMAGE] --device A,B [OPTIONS]",
        "The same input on two devices, step by step. Exit status 1 if the outputs do not agree.",
        rows,
        TAKES_IMAGE | TAKES_DEVICE | TAKES_SHAPE | TAKES_PLAN,
        1,
        2};
    int code = options_read(&usage, &w.shared, argc, argv, &words, &count);
    if (code != GO_ON) {
        free(w.files.items);
        return code;
    }
    w.steps = json_array();
    w.table = table_make("lllrr");
    table_row(&w.table, "node\toperator\toutput\tmax abs\trel L2");
    code = split_devices(w.shared.device, &first, &second)
               ? compare_devices(&w, words, count, first, second)
               : fail(WRONG_USE, "compare: --device wants two devices, such as cpu,opencl");
    table_free(&w.table);
    json_decref(w.steps);
    close_side(&w.sides[0]);
    close_side(&w.sides[1]);
    shapes_free(&w.shapes);
    inputs_free(&w.given);
    cvk_model_free(&w.model);
    options_free(&w.shared);
    free(w.files.items);
    free(first);
    free(second);
    return code ? code : w.rel_l2 <= w.tolerance ? DONE : ANSWER_NO;
}
