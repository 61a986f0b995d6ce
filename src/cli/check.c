/* SPDX-License-Identifier: Apache-2.0
 *
 * convoke check: ONNX backend-test folders (model.onnx, test_data_set_N with input_N.pb and
 * output_N.pb). A case that needs an operator or type that Convoke does not have is skipped. Unless
 * told otherwise, floats are judged by what they are computed in: where steps give float16, or have
 * weights rounded to it, by their relative L2 norm, since every rounding is to 11 bits and small
 * elements carry the errors of large ones; else element by element. A model that quantises what it
 * computes turns a difference of one rounding into a step of its scale, and engines round at
 * different places: --quantised says how far those may be.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/files.h"
#include "cli/numbers.h"
#include "cli/setup.h"

/* What a few dozen roundings to 2^-11 of the result add up to. */
#define HALF_REL_L2 5e-3

typedef struct work {
    shared_options shared;
    double rtol, atol, rel_l2, half, quantised; /* below 0: by default */
    char **folders;
    int n_folders;

    device_set devices; /* of this pass */
    json_t *cases, *results;
    int passed, failed, skipped, all_failed;
    bool found;
} work;

typedef enum verdict { PASSED, FAILED, SKIPPED } verdict;
static const char *const verdict_names[] = {"passed", "failed", "skipped"};

/* One folder. */
typedef struct test_case {
    const char *path;
    verdict verdict;
    char reason[512];
    distance worst;
    bool quantised; /* the model's activations are, not its weights alone */
} test_case;

/* Input or output tensors of a data set. */
typedef struct file_tensors {
    cvk_tensor *items;
    int count;
} file_tensors;

static void decide(test_case *t, verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void decide(test_case *t, verdict verdict, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(t->reason, sizeof t->reason, format, args);
    va_end(args);
    t->verdict = verdict;
}

/* False, with the verdict, unless the status is CVK_OK. */
static bool good(test_case *t, cvk_status status)
{
    if (status) decide(t, status == CVK_UNSUPPORTED ? SKIPPED : FAILED, "%s", cvk_last_error());
    return !status;
}

static void free_tensors(file_tensors *set)
{
    for (int i = 0; i < set->count; i++) cvk_tensor_free_data(&set->items[i]);
    free(set->items);
    *set = (file_tensors){0};
}

/* FOLDER/STEM_0.pb and on, or .npy. */
static bool load_tensors(test_case *t, const char *folder, const char *stem, file_tensors *set)
{
    for (bool fine = true; fine;) {
        char *path = need_text("%s/%s_%d.pb", folder, stem, set->count);
        if (!is_file(path)) {
            free(path);
            path = need_text("%s/%s_%d.npy", folder, stem, set->count);
        }
        bool more = is_file(path);
        if (more) {
            set->items = need_more(set->items, (size_t)set->count + 1, sizeof *set->items);
            fine = good(t, cvk_tensor_load(path, &set->items[set->count]));
            set->count += fine;
        }
        free(path);
        if (!more) return true;
    }
    return false;
}

/* Names and descriptions of the model's inputs for the tensors, by position. */
static bool name_inputs(test_case *t, const cvk_model *model, file_tensors *inputs)
{
    cvk_model_info info;
    cvk_tensor described;
    if (!good(t, cvk_model_get_info(model, &info))) return false;
    if (inputs->count > info.inputs) {
        decide(t, FAILED, "%d inputs in the data set, %d in the model", inputs->count, info.inputs);
        return false;
    }
    for (int i = 0; i < inputs->count; i++) {
        if (!good(t, cvk_model_input(model, i, &described, NULL))) return false;
        inputs->items[i].name = described.name;
    }
    return true;
}

static bool has_late_nodes(const cvk_session *session)
{
    cvk_session_info info;
    return !cvk_session_get_info(session, &info) && info.late_nodes > 0;
}

/* Plans with the inputs' shapes alone; if a shape depends on an input's data, with the data of
 * whole numbers, and then of all inputs but the first. */
static bool create(const work *w, test_case *t, const cvk_model *model, const file_tensors *inputs,
                   cvk_session **session)
{
    cvk_tensor *shapes = need((size_t)inputs->count, sizeof *shapes);
    cvk_tensor *constants = need((size_t)inputs->count, sizeof *constants);
    shape_set set = {shapes, inputs->count};
    cvk_session_options options = session_options(&w->shared, &set, NULL);
    options.allow_nan = true;
    options.constants = constants;
    cvk_status status = CVK_UNSUPPORTED;
    bool late = true;
    for (int level = 0; level < 3 && late; level++) {
        options.n_constants = 0;
        for (int i = 0; i < inputs->count; i++) {
            shapes[i] = inputs->items[i];
            shapes[i].data = NULL;
            bool constant = level == 1 ? shapes[i].dtype == CVK_I64 : level == 2 && i > 0;
            if (constant) constants[options.n_constants++] = inputs->items[i];
        }
        cvk_session *made = NULL;
        status = cvk_session_create(model, w->devices.items, w->devices.count, &options, &made);
        if (status && *session) break;
        cvk_session_free(session);
        *session = made;
        late = status == CVK_UNSUPPORTED || status == CVK_SHAPE || has_late_nodes(made);
    }
    free(shapes);
    free(constants);
    return *session || good(t, status);
}

/* Whether a step rounds to float16, or its weights were. */
static bool computes_in_half(const cvk_session *session)
{
    cvk_step_info step;
    for (int i = 0; cvk_session_step(session, i, &step) == CVK_OK; i++)
        if (strstr(step.shape, "float16") || step.weights_rel_l2 > 0) return true;
    return false;
}

/* The bound of the relative L2 norm for such an output; below 0: element by element. */
static double norm_bound(const work *w, const test_case *t, cvk_dtype dtype, bool half)
{
    if (t->quantised && w->quantised >= 0) return is_float(dtype) ? w->quantised : -1;
    half = half && is_float(dtype);
    if (half && w->half >= 0) return w->half;
    if (w->rel_l2 >= 0) return w->rel_l2;
    bool told = w->rtol >= 0 || w->atol >= 0;
    return half && !told ? HALF_REL_L2 : -1;
}

static bool compare(const work *w, test_case *t, const cvk_tensor *got, const cvk_tensor *want,
                    bool half)
{
    const double atol = w->atol >= 0 ? w->atol : 1e-5, rtol = w->rtol >= 0 ? w->rtol : 1e-3;
    const double bound = norm_bound(w, t, got->dtype, half);
    char have[128], wanted[128];
    shape_text(got, NULL, have, sizeof have);
    shape_text(want, NULL, wanted, sizeof wanted);
    if (got->dtype != want->dtype || strcmp(have, wanted) != 0) {
        decide(t, FAILED, "output '%s' is %s %s, expected %s %s", got->name,
               cvk_dtype_name(got->dtype), have, cvk_dtype_name(want->dtype), wanted);
        return false;
    }
    const bool step = t->quantised && w->quantised >= 0;
    distance d = tensor_distance(got, want, rtol,
                                 step && (got->dtype == CVK_U8 || got->dtype == CVK_I8) ? 1 : atol);
    if (d.max_abs > t->worst.max_abs) t->worst.max_abs = d.max_abs;
    if (d.max_rel > t->worst.max_rel) t->worst.max_rel = d.max_rel;
    if (d.rel_l2 > t->worst.rel_l2) t->worst.rel_l2 = d.rel_l2;
    bool near = bound >= 0 ? d.rel_l2 <= bound || d.max_abs <= atol : d.outside == 0;
    if (near) return true;
    decide(t, FAILED,
           "output '%s': %zu of %lld elements differ, relative L2 %.3g; largest difference at "
           "element %zu: %.9g, expected %.9g",
           got->name, d.outside, (long long)cvk_tensor_count(want), d.rel_l2, d.worst,
           number_get(got, d.worst), number_get(want, d.worst));
    return false;
}

static bool run_and_compare(const work *w, test_case *t, cvk_session *session,
                            const file_tensors *inputs, const file_tensors *wanted)
{
    tensor_set got;
    if (session_tensors(session, wanted->count, true, &got)) {
        decide(t, FAILED, "%d outputs in the data set are not those of the model", wanted->count);
        return false;
    }
    bool fine =
        good(t, session_run(session, &(tensor_set){.items = inputs->items, .count = inputs->count},
                            &got));
    const bool half = computes_in_half(session);
    for (int i = 0; fine && i < got.count; i++)
        fine = compare(w, t, &got.items[i], &wanted->items[i], half);
    tensors_free(&got);
    return fine;
}

static bool run_data_set(const work *w, test_case *t, const cvk_model *model, const char *folder)
{
    file_tensors inputs = {0}, wanted = {0};
    cvk_session *session = NULL;
    bool fine = load_tensors(t, folder, "input", &inputs) &&
                load_tensors(t, folder, "output", &wanted) && name_inputs(t, model, &inputs) &&
                create(w, t, model, &inputs, &session) &&
                run_and_compare(w, t, session, &inputs, &wanted);
    cvk_session_free(&session);
    free_tensors(&inputs);
    free_tensors(&wanted);
    return fine;
}

/* FOLDER/model.onnx. Where links are checked out as files that hold the target's path (as git does
 * without core.symlinks), the target. */
static char *model_path(const char *folder)
{
    char *path = need_text("%s/model.onnx", folder), line[512] = "";
    FILE *file = fopen(path, "rb");
    size_t n = file ? fread(line, 1, sizeof line - 1, file) : 0;
    if (file) fclose(file);
    line[n] = '\0';
    line[strcspn(line, "\n")] = '\0';
    char *target = need_text("%s/%s", folder, line);
    bool is_link = n + 1 < sizeof line && *line && is_file(target);
    free(is_link ? path : target);
    return is_link ? target : path;
}

/* Whether nodes of the model round what they compute to integers. */
static bool is_quantised(const cvk_model *model)
{
    static const char *const rounding[] = {"QuantizeLinear", "DynamicQuantizeLinear", "QLinearConv",
                                           "QLinearMatMul"};
    const char *op;
    for (int i = 0; cvk_model_node(model, i, &op, NULL) == CVK_OK; i++)
        for (size_t k = 0; k < sizeof rounding / sizeof *rounding; k++)
            if (strcmp(op, rounding[k]) == 0) return true;
    return false;
}

static void run_case(const work *w, test_case *t)
{
    cvk_model *model = NULL;
    name_list names = {0};
    char *path = model_path(t->path);
    bool fine = good(t, cvk_model_load(path, &model));
    int sets = 0;
    t->quantised = fine && is_quantised(model);
    if (fine && folder_list(t->path, &names)) decide(t, FAILED, "the folder cannot be read");
    for (int i = 0; fine && i < names.count; i++) {
        if (strncmp(names.items[i], "test_data_set_", 14) != 0) continue;
        char *folder = need_text("%s/%s", t->path, names.items[i]);
        fine = run_data_set(w, t, model, folder);
        sets++;
        free(folder);
    }
    if (fine && sets == 0) decide(t, FAILED, "no folder test_data_set_0 with inputs and outputs");
    names_free(&names);
    free(path);
    cvk_model_free(&model);
}

static void report_case(work *w, const test_case *t)
{
    char *name = path_base(t->path);
    w->passed += t->verdict == PASSED;
    w->failed += t->verdict == FAILED;
    w->skipped += t->verdict == SKIPPED;
    json_array_append_new(
        w->cases, json_pack("{s:o,s:s,s:o,s:o,s:o,s:o}", "name", json_text(name), "status",
                            verdict_names[t->verdict], "reason", json_text(t->reason), "max_abs",
                            json_number(t->worst.max_abs), "max_rel", json_number(t->worst.max_rel),
                            "rel_l2", json_number(t->worst.rel_l2)));
    if (!w->shared.json && t->verdict != PASSED)
        printf("%s %s: %s\n", verdict_names[t->verdict], name, t->reason);
    free(name);
}

/* `path` is a case, or a folder of cases at any depth. */
static int walk(work *w, const char *path)
{
    char *model = need_text("%s/model.onnx", path);
    bool is_case = is_file(model);
    free(model);
    if (is_case) {
        test_case t = {.path = path};
        run_case(w, &t);
        report_case(w, &t);
        w->found = true;
        return DONE;
    }
    name_list names;
    int code = folder_list(path, &names);
    for (int i = 0; !code && i < names.count; i++) {
        char *inner = need_text("%s/%s", path, names.items[i]);
        if (is_folder(inner)) code = walk(w, inner);
        free(inner);
    }
    names_free(&names);
    return code;
}

static int visit(const char *spec, void *context)
{
    work *w = context;
    int code = devices_open(&w->shared, spec, &w->devices);
    if (code) return code;
    w->passed = w->failed = w->skipped = 0;
    w->cases = json_array();
    if (device_is_all(&w->shared) && !w->shared.json) printf("%s\n", w->devices.name);
    for (int i = 0; !code && i < w->n_folders; i++) {
        w->found = false;
        code = walk(w, w->folders[i]);
        if (!code && !w->found)
            code = fail(BAD_FILE, "%s: no model.onnx in it or in a folder below", w->folders[i]);
    }
    if (!code && !w->shared.json)
        printf("%d passed, %d failed, %d skipped\n", w->passed, w->failed, w->skipped);
    json_array_append_new(w->results, json_pack("{s:s,s:o,s:i,s:i,s:i}", "device", w->devices.name,
                                                "cases", w->cases, "passed", w->passed, "failed",
                                                w->failed, "skipped", w->skipped));
    w->all_failed += w->failed;
    devices_close(&w->devices);
    return code;
}

int command_check(int argc, char **argv)
{
    work w = {.rtol = -1, .atol = -1, .rel_l2 = -1, .half = -1, .quantised = -1};
    const option_row rows[] = {{"rtol", OPTION_REAL, &w.rtol, "R",
                                "per element |difference| <= A + R |expected| (default R 1e-3)", 0},
                               {"atol", OPTION_REAL, &w.atol, "A", "(default A 1e-5)", 0},
                               {"rel-l2", OPTION_REAL, &w.rel_l2, "X",
                                "instead: relative L2 of each output at most X, or every "
                                "difference at most A",
                                0},
                               {"half", OPTION_REAL, &w.half, "X",
                                "the same where a network computes in float16; the default there, "
                                "with X 5e-3",
                                0},
                               {"quantised", OPTION_REAL, &w.quantised, "X",
                                "the same where the model quantises what it computes, and 8-bit "
                                "outputs within one step",
                                0},
                               {0}};
    const usage usage = {"check DIR... [OPTIONS]",
                         "Runs ONNX backend-test folders, and those found in folders below. Exit "
                         "status 1 if a case failed.",
                         rows,
                         TAKES_DEVICE | TAKES_PLAN,
                         1,
                         -1};
    int code = options_read(&usage, &w.shared, argc, argv, &w.folders, &w.n_folders);
    if (code != GO_ON) return code;
    w.results = json_array();
    code = devices_each(&w.shared, visit, &w);
    if (w.shared.json) json_print_runs(w.results, device_is_all(&w.shared));
    json_decref(w.results);
    options_free(&w.shared);
    return code ? code : w.all_failed ? ANSWER_NO : DONE;
}
