/* SPDX-License-Identifier: Apache-2.0
 *
 * Tuning: what is measured is kept, is not measured again, and decides a plan's rows; a record that
 * cannot be followed changes nothing; a store that is wrong costs a warning.
 *     test_tune [device]
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ops/op.h"
#include "schedule/tuned.h"
#include "session/contest.h"
#include "tests/model_reference.h"

enum { MOST = 16, NAME = 64, KEY = 4096 };

static cvk_device *device;
static char folder[64], file[96];
static int warnings;

/* The network of the test in hand. */
static const char usual_net[] =
    "in x 1x16x12x12; const w 32x16x3x3; const b 32; c = Conv x w b pads=[1,1,1,1]; r = Relu c; "
    "const v 32x32x3x3; s = Conv r v pads=[1,1,1,1]; t = Conv s v pads=[1,1,1,1]; "
    "g = GlobalAveragePool t; f = Flatten g; const m 32x10; const n 10; y = Gemm f m n; out y";
static const char *net = usual_net;

static void sink(void *user, cvk_log_level level, const char *message)
{
    (void)user, (void)message;
    warnings += level <= CVK_LOG_WARN;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info, (void)type, (void)at;
    return remove(path);
}

/* Every test has a store of its own. */
static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, P_tmpdir "/convoke-tune-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(file, sizeof file, "%s/convoke.sqlite", folder);
    setenv("CONVOKE_CACHE_DIR", folder, 1);
    cvk_log_set(sink, NULL, CVK_LOG_WARN);
    warnings = 0;
    net = usual_net;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cvk_log_set(NULL, NULL, CVK_LOG_WARN);
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Layers as the tuner told them. */
typedef struct told {
    int count, steps;
    bool measured[MOST];
    char problem[MOST][512], kernel[MOST][NAME], usual[MOST][NAME], refused[MOST][512];
    double ms[MOST], default_ms[MOST];
} told;

static void note_layer(void *user, const cvk_tune_layer *layer)
{
    told *t = user;
    assert_true(t->count < MOST);
    int i = t->count++;
    snprintf(t->problem[i], sizeof t->problem[i], "%s", layer->problem);
    snprintf(t->kernel[i], NAME, "%s", layer->kernel);
    snprintf(t->usual[i], NAME, "%s", layer->default_kernel);
    t->measured[i] = layer->measured;
    t->ms[i] = layer->ms;
    t->default_ms[i] = layer->default_ms;
    t->steps += layer->steps;
    assert_non_null(strstr(device->info.id, layer->device));
    snprintf(t->refused[i], sizeof t->refused[i], "%s", layer->refused);
}

static told tune(double budget_s, cvk_tune_result *result)
{
    told t = {.count = 0};
    cvk_model *model = model_text(net);
    const cvk_tune_options options = {.budget_s = budget_s, .layer = note_layer, .user = &t};
    expect_ok(cvk_tune(model, &device, 1, NULL, &options, result), "tune");
    cvk_model_free(&model);
    return t;
}

/* The store's key of the problem that begins with `word`. */
typedef struct search {
    const char *word;
    char key[KEY];
    int found;
} search;

static cvk_status look(void *user, const cvk_store_entry *entry)
{
    search *s = user;
    char key[KEY];
    if (strcmp(entry->kind, "tuned row") != 0) return CVK_OK;
    assert_true(entry->sound && entry->key_bytes < sizeof key);
    snprintf(key, sizeof key, "%.*s", (int)entry->key_bytes, (const char *)entry->key);
    if (strncmp(cvk_tuned_problem(key), s->word, strlen(s->word)) != 0) return CVK_OK;
    memcpy(s->key, key, sizeof key);
    s->found++;
    return CVK_OK;
}

/* Makes the record of a problem, as it is in the store, say something else. */
static void put(const char *word, const char *record)
{
    search s = {.word = word};
    expect_ok(cvk_store_walk(file, look, &s), "walk");
    assert_int_equal(s.found, 1);
    cvk_store *store = cvk_store_open();
    assert_true(cvk_store_put(store, "tuned row", s.key, strlen(s.key), record, strlen(record)));
    cvk_store_close(store);
}

static void expect_step(const cvk_session *session, const char *node, const char *kernel,
                        const char *note)
{
    const cvk_step_info *step = step_of(session, node);
    assert_non_null(step);
    assert_string_equal(step->kernel, kernel);
    if (!strstr(step->note, note)) fail_msg("'%s' does not say '%s'", step->note, note);
    if (!*note) assert_null(strstr(step->note, "tuned"));
    if (*note) assert_non_null(strstr(cvk_session_describe(session), note));
}

/* A run of the network with the store as it is, its results checked, and one step looked at. */
static void expect_run(cvk_device *on, const cvk_session_options *options, const char *node,
                       const char *kernel, const char *note)
{
    cvk_model *model = model_text(net);
    test_run run = run_make(model, &on, 1, options);
    run_once(&run);
    expect_reference(model, &run);
    expect_step(run.session, node, kernel, note);
    run_free(&run);
    cvk_model_free(&model);
}

static const char *usual_of(const told *t, const char *word)
{
    for (int i = 0; i < t->count; i++)
        if (strncmp(t->problem[i], word, strlen(word)) == 0) return t->usual[i];
    fail_msg("no problem '%s'", word);
    return NULL;
}

/* A row that takes any Gemm of the device, other than `usual`. */
static const char *other_gemm(const char *usual)
{
    static const char *const names[] = {"gemm", "gemm_any", "gemm_plain"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int r = 0; r < device->n_kernels; r++)
            if (device->kernels[r].op == CVK_OP_Gemm && strcmp(names[i], usual) != 0 &&
                strcmp(device->kernels[r].name, names[i]) == 0)
                return names[i];
    fail_msg("no other row than %s", usual);
    return NULL;
}

static void measured_once(void **state)
{
    (void)state;
    cvk_tune_result first, second;
    told a = tune(0, &first), b;
    assert_true(first.problems >= 1);
    assert_int_equal(first.measured, first.problems);
    assert_int_equal(first.known + first.left, 0);
    assert_int_equal(a.count, first.problems);
    for (int i = 0; i < a.count; i++) {
        assert_true(a.measured[i]);
        assert_true(a.ms[i] > 0 && a.ms[i] <= a.default_ms[i]);
        if (strcmp(a.kernel[i], a.usual[i]) == 0)
            assert_true(a.ms[i] == a.default_ms[i]);
        else
            assert_true(a.ms[i] < 0.97 * a.default_ms[i]);
    }
    b = tune(0, &second);
    assert_int_equal(second.problems, first.problems);
    assert_int_equal(second.known, first.problems);
    assert_int_equal(second.measured + second.left, 0);
    assert_int_equal(a.count, b.count);
    assert_int_equal(a.steps, b.steps);
    for (int i = 0; i < b.count; i++) {
        assert_false(b.measured[i]);
        assert_string_equal(a.problem[i], b.problem[i]);
        assert_string_equal(a.kernel[i], b.kernel[i]);
        assert_string_equal(a.usual[i], b.usual[i]);
    }
    assert_int_equal(warnings, 0);
}

static void budget(void **state)
{
    (void)state;
    cvk_tune_result result;
    told t = tune(1e-9, &result);
    assert_int_equal(t.count, 0);
    assert_true(result.problems >= 1);
    assert_int_equal(result.left, result.problems);
    assert_int_equal(result.measured + result.known, 0);
    tune(0, &result); /* goes on */
    assert_int_equal(result.measured, result.problems);
}

/* Of a row that takes the problem; by a session that is told not to; on another device. */
static void records_are_followed(void **state)
{
    (void)state;
    cvk_tune_result result;
    told t = tune(0, &result);
    const char *usual = usual_of(&t, "Gemm |"), *other = other_gemm(usual);
    char record[128], note[128];
    snprintf(record, sizeof record, "%s 1 ms, default 2 ms", other);
    snprintf(note, sizeof note, "tuned: %s instead of %s", other, usual);
    put("Gemm |", record);
    expect_run(device, NULL, "y", other, note);
    expect_run(device, &(cvk_session_options){.no_tuned = true}, "y", usual, "");
    expect_run(device, &(cvk_session_options){.prefer_kernel = usual}, "y", usual, "");
    if (device->backend->host) {
        cvk_device *one = NULL;
        expect_ok(cvk_device_open("cpu", &(cvk_device_options){.threads = 1}, &one), "open");
        expect_run(one, NULL, "y", usual, "");
        cvk_device_close(&one);
    }
    told again = tune(0, &result); /* what the record says, and no new measurement */
    for (int i = 0; i < again.count; i++)
        if (strncmp(again.problem[i], "Gemm |", 6) == 0) {
            assert_string_equal(again.kernel[i], other);
            assert_true(again.ms[i] == 1 && again.default_ms[i] == 2);
        }
    assert_int_equal(result.measured, 0);
    assert_int_equal(warnings, 0);
}

/* Of another way of a row; OpenCL's gemm has one for each width of its tile. */
static void variants_are_followed(void **state)
{
    (void)state;
    cvk_tune_result result;
    told t = tune(0, &result);
    const char *usual = usual_of(&t, "Gemm |");
    put("Gemm |", "gemm:1x4 1 ms, default 2 ms");
    if (device->backend->host) {
        expect_run(device, NULL, "y", usual, "tuned: gemm:1x4 is not used: ");
    } else {
        expect_run(device, NULL, "y", "gemm", "tuned: gemm:1x4");
        told again = tune(0, &result);
        assert_int_equal(again.count, t.count);
        assert_int_equal(result.measured, 0);
    }
    put("Gemm |", "gemm:9x9 1 ms, default 2 ms");
    expect_run(device, NULL, "y", usual,
               "tuned: gemm:9x9 is not used: there is no such row for this step");
    assert_int_equal(warnings, 0);
}

static void records_that_cannot_be_followed(void **state)
{
    (void)state;
    cvk_tune_result result;
    told t = tune(0, &result);
    const char *usual = usual_of(&t, "Gemm |");
    put("Gemm |", "no_such_row 1 ms, default 2 ms");
    expect_run(device, NULL, "y", usual,
               "tuned: no_such_row is not used: there is no such row for this step");
    put("Gemm |", "nonsense");
    expect_run(device, NULL, "y", usual, "");
    tune(0, &result); /* measured anew */
    assert_int_equal(result.measured, 1);
    assert_int_equal(result.known, result.problems - 1);
    assert_int_equal(warnings, 0);
}

/* A row of the right layout that refuses this node: its own reason is in the plan. */
static void a_row_that_does_not_accept(void **state)
{
    (void)state;
    cvk_model *model = model_text(net);
    cvk_session *session = NULL;
    expect_ok(cvk_session_create(model, &device, 1, NULL, &session), "create");
    const cvk_step_info *step = step_of(session, "s");
    char usual[NAME], key[KEY] = "";
    snprintf(usual, sizeof usual, "%s", step->kernel);
    cvk_session_free(&session);
    /* The key as the scheduler makes it, of a node like that one. */
    cvk_arena *arena = cvk_arena_create();
    cvk_graph *graph = cvk_graph_create(arena, "one", 13);
    const int64_t shapes[][4] = {{1, 32, 12, 12}, {32, 32, 3, 3}, {1, 32, 12, 12}};
    static const float weights[32 * 32 * 9];
    int ids[3];
    for (int i = 0; i < 3; i++) {
        cvk_shape shape = cvk_shape_make(4, shapes[i]);
        expect_ok(cvk_graph_add_temp_of(graph, "v", CVK_F32, &shape, &ids[i]), "value");
    }
    graph->values[ids[1]].data = weights;
    cvk_node *node;
    expect_ok(cvk_graph_add_node(graph, CVK_OP_Conv, "s", ids, 2, &ids[2], 1,
                                 sizeof(cvk_conv_params), &node),
              "node");
    cvk_conv_params *conv = node->params;
    conv->group = 1;
    conv->window = (cvk_window){.spatial = 2,
                                .kernel = {3, 3},
                                .stride = {1, 1},
                                .dilation = {1, 1},
                                .pad_begin = {1, 1},
                                .pad_end = {1, 1}};
    const cvk_kernel *row = NULL;
    for (int r = 0; r < device->n_kernels; r++)
        if (device->kernels[r].op == CVK_OP_Conv && strcmp(device->kernels[r].name, usual) == 0)
            row = &device->kernels[r];
    assert_non_null(row);
    cvk_plan plan = {.arena = arena, .graph = graph, .devices = &device, .n_devices = 1};
    cvk_schedule_options options = {0};
    cvk_scheduler s = {
        .plan = &plan, .graph = graph, .devices = &device, .n_devices = 1, .options = &options};
    const char *made = NULL;
    expect_ok(cvk_tuned_key(&s, node, device, row, &made), "key");
    assert_non_null(made);
    snprintf(key, sizeof key, "%s", made);
    cvk_arena_free(&arena);
    cvk_store *store = cvk_store_open();
    assert_true(cvk_tuned_write(store, key, &(cvk_tuned){.row = "depthwise", .ms = 1}));
    cvk_store_close(store);
    expect_run(device, NULL, "s", usual, "tuned: depthwise is not used: ");
    cvk_model_free(&model);
}

/* A row that wants its input in another layout than the default: with a reorder before it. */
static void a_row_of_another_input_layout(void **state)
{
    (void)state;
    cvk_tune_result result;
    net = "in x 1x3x12x12; const w 32x3x3x3; c = Conv x w - pads=[1,1,1,1]; r = Relu c; "
          "g = GlobalAveragePool r; out g"; /* no reorder, in whichever layout r is */
    told t = tune(0, &result);
    assert_int_equal(t.count, 1);
    assert_string_equal(t.usual[0], "conv_first");
    assert_null(strstr(t.refused[0], "conv_direct")); /* it was timed */
    put("Conv |", "conv_direct 1 ms, default 2 ms");
    expect_run(device, NULL, "r", "conv_direct", "tuned: conv_direct instead of conv_first");
    cvk_model *model = model_text(net);
    cvk_session *session = NULL;
    cvk_step_info step;
    expect_ok(cvk_session_create(model, &device, 1, NULL, &session), "create");
    int reorders = 0;
    for (int i = 0; cvk_session_step(session, i, &step) == CVK_OK; i++)
        reorders += strcmp(step.op, "Reorder") == 0;
    assert_int_equal(reorders, 1); /* of the input */
    cvk_session_free(&session);
    cvk_model_free(&model);
}

/* float16, two outputs, integers, and all that can be fused. */
static void other_types(void **state)
{
    (void)state;
    static const char *const nets[] = {
        "in x 1x3x12x12:f16; const w 16x3x3x3:f16 ~-0.1,0.1; c = Conv x w - pads=[1,1,1,1]; "
        "r = Relu c; out r",
        "in x 2x3x8x8; y,i = MaxPool x kernel_shape=[2,2] strides=[2,2]; out y; out i",
        "const sx s =0.02; const zx s:u8 =60; const sw s =0.005; const sy s =0.04; "
        "const zy s:u8 =100; in x 5x33:u8; const w 33x20:i8 ~-128,127; "
        "const zw s:i8 =3; y = QLinearMatMul x sx zx w sw zw sy zy; out y",
        "in x 1x32x12x12; const w 32x32x3x3; c = Conv x w - pads=[1,1,1,1]; a = Add c x; "
        "const s 32x1x1; r = PRelu a s; y = MaxPool r kernel_shape=[2,2] strides=[2,2]; out y",
    };
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        cvk_tune_result first, second;
        net = nets[i];
        told t = tune(0, &first);
        assert_int_equal(first.measured, first.problems);
        if (device->backend->host && i != 1 && first.problems < 1) fail_msg("no choice in %s", net);
        for (int k = 0; k < t.count; k++)
            if (strstr(t.refused[k], "differs")) fail_msg("%s: %s", t.problem[k], t.refused[k]);
        tune(0, &second);
        assert_int_equal(second.known, first.problems);
        cvk_model *model = model_text(net);
        test_run run = run_make(model, &device, 1, NULL);
        run_once(&run);
        if (!(distance_to_reference(model, &run) < 1e-3)) fail_msg("%s: wrong", net);
        run_free(&run);
        cvk_model_free(&model);
    }
}

/* Planning needs no store; tuning does. */
static void stores_that_are_wrong(void **state)
{
    (void)state;
    cvk_tune_result result;
    told t = tune(0, &result);
    const char *usual = usual_of(&t, "Gemm |");
    FILE *out = fopen(file, "wb");
    for (int i = 0; i < 1000; i++) fputs("not a store ", out);
    fclose(out);
    expect_run(device, NULL, "y", usual, "");
    assert_int_equal(warnings, 1);
    setenv("CONVOKE_CACHE_DIR", "", 1);
    expect_run(device, NULL, "y", usual, "");
    cvk_model *model = model_text(net);
    expect_failure(cvk_tune(model, &device, 1, NULL, NULL, NULL), CVK_IO,
                   "there is no store to keep what is measured: CONVOKE_CACHE_DIR is empty, or its "
                   "folder cannot be used");
    cvk_model_free(&model);
    assert_int_equal(warnings, 1);
    setenv("CONVOKE_CACHE_DIR", folder, 1);
}

/* Planning makes no store where there is none: on the CPU nothing else does. */
static void planning_makes_no_file(void **state)
{
    (void)state;
    if (!device->backend->host) skip();
    cvk_model *model = model_text(net);
    cvk_session *session = NULL;
    expect_ok(cvk_session_create(model, &device, 1, NULL, &session), "create");
    cvk_session_free(&session);
    cvk_model_free(&model);
    assert_int_equal(access(file, F_OK), -1);
}

static void wrong_arguments(void **state)
{
    (void)state;
    cvk_model *model = model_text(net);
    cvk_device *none = NULL;
    assert_int_equal(cvk_tune(NULL, &device, 1, NULL, NULL, NULL), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_tune(model, NULL, 1, NULL, NULL, NULL), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_tune(model, &device, 0, NULL, NULL, NULL), CVK_BAD_ARGUMENT);
    assert_int_equal(cvk_tune(model, &none, 1, NULL, NULL, NULL), CVK_BAD_ARGUMENT);
    expect_failure(
        cvk_tune(model, &device, 1, &(cvk_session_options){.prefer_kernel = "gemm"}, NULL, NULL),
        CVK_BAD_ARGUMENT, "cvk_tune: with prefer_kernel there is no choice to measure");
    expect_failure(cvk_tune(model, &device, 1, NULL, &(cvk_tune_options){.budget_s = -1}, NULL),
                   CVK_BAD_ARGUMENT, "cvk_tune: budget_s is -1, 0 or more is expected");
    assert_int_equal(access(file, F_OK), -1);
    cvk_model_free(&model);
}

/* Where rows compete, their operator must have words for what it does. */
static void operators_have_words(void **state)
{
    (void)state;
    for (int a = 0; a < device->n_kernels; a++)
        for (int b = 0; b < a; b++) {
            const cvk_op *op = cvk_op_get(device->kernels[a].op);
            if (!cvk_tuned_rival(&device->kernels[a], &device->kernels[b])) continue;
            if (op->params_bytes && !op->tell)
                fail_msg("rows %s and %s compete, but %s has no cvk_op.tell",
                         device->kernels[a].name, device->kernels[b].name,
                         cvk_op_kind_name(device->kernels[a].op));
        }
}

/* Takes part for as many milliseconds a launch as *self says. */
static bool take_time(void *self, int launches)
{
    for (int i = 0; i < launches; i++)
        nanosleep(&(struct timespec){.tv_nsec = *(long *)self}, NULL);
    return true;
}

static void launches_that_are_too_long(void **state)
{
    (void)state;
    long ns[] = {30000000, 30000000, 100};
    cvk_contestant all[3] = {{.name = "default"}, {.name = "slow"}, {.name = "fast"}};
    for (int i = 0; i < 3; i++) {
        all[i].run = take_time;
        all[i].self = &ns[i];
    }
    const cvk_contest_rules rules = {.rounds = 2, .most_ms = 20};
    assert_true(cvk_contest_measure(all, 3, &rules, NULL));
    assert_null(all[0].refused);
    assert_string_equal(all[1].refused, "a launch of it takes longer than a watchdog may allow");
    for (int i = 0; i < 3; i++) free(all[i].ms);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(measured_once),
        TEST(budget),
        TEST(records_are_followed),
        TEST(variants_are_followed),
        TEST(records_that_cannot_be_followed),
        TEST(a_row_that_does_not_accept),
        TEST(a_row_of_another_input_layout),
        TEST(other_types),
        TEST(stores_that_are_wrong),
        TEST(planning_makes_no_file),
        TEST(wrong_arguments),
        cmocka_unit_test(operators_have_words),
        cmocka_unit_test(launches_that_are_too_long),
    };
    return run_device_tests(argc, argv, &device, tests, sizeof tests / sizeof *tests);
}
