/* SPDX-License-Identifier: Apache-2.0
 *
 * The self-test: all rows pass here; a row that is made wrong is found, denied and avoided until it
 * is right again; whatever is denied, sessions give the right answers and say what they do without.
 *     test_selftest [device]
 */
#include <glob.h>

#include "ops/op.h"
#include "schedule/denied.h"
#include "schedule/tuned.h"
#include "tests/model_reference.h"
#include "tests/store_checks.h"

enum { MOST = 128, NAME = 64, TEXT = 1 << 16 };

static cvk_device *device;

static const char net[] =
    "in x 1x16x12x12; const w 32x16x3x3; const b 32; c = Conv x w b pads=[1,1,1,1]; r = Relu c; "
    "const v 32x32x3x3; s = Conv r v pads=[1,1,1,1]; m = MaxPool s kernel_shape=[2,2] "
    "strides=[2,2]; const d 32x1x3x3; t = Conv m d - group=32; out t; "
    "g = GlobalAveragePool t; f = Flatten g; const n 32x10; y = Gemm f n; out y";

/* Rows as the self-test told them. */
typedef struct told {
    int count;
    cvk_selftest_row rows[MOST];
    char reason[MOST][CVK_DENIED_REASON];
} told;

static void note_row(void *user, const cvk_selftest_row *row)
{
    told *t = user;
    assert_true(t->count < MOST);
    assert_true(strlen(row->reason) < CVK_DENIED_REASON);
    strcpy(t->reason[t->count], row->reason);
    t->rows[t->count] = *row;
    t->rows[t->count].reason = t->reason[t->count];
    t->count++;
}

static told test_rows(cvk_device *on, const char *kernel, cvk_status wanted,
                      cvk_selftest_result *result)
{
    told t = {.count = 0};
    const cvk_selftest_options options = {.kernel = kernel, .row = note_row, .user = &t};
    cvk_status status = cvk_selftest(on, &options, result);
    if (status != wanted) fail_msg("status %d: %s", (int)status, cvk_last_error());
    assert_int_equal(t.count, result->rows);
    assert_int_equal(result->rows,
                     result->passed + result->wrong + result->failed + result->not_reached);
    return t;
}

static const cvk_kernel *row_of(const cvk_device *on, cvk_op_kind op, const char *name)
{
    for (int r = 0; r < on->n_kernels; r++)
        if (on->kernels[r].op == op && strcmp(on->kernels[r].name, name) == 0)
            return &on->kernels[r];
    fail_msg("no row %s", name);
    return NULL;
}

/* Puts rows of an operator on the list: those called `name`, or all. */
static void deny(const cvk_device *of, cvk_op_kind op, const char *name)
{
    cvk_store *store = open_store();
    for (int r = 0; r < of->n_kernels; r++)
        if (of->kernels[r].op == op && (!name || strcmp(of->kernels[r].name, name) == 0))
            assert_true(cvk_denied_write(store, of, &of->kernels[r], "a test says so"));
    cvk_store_close(store);
}

static bool is_denied(cvk_op_kind op, const char *name)
{
    char reason[CVK_DENIED_REASON];
    cvk_store *store = open_store();
    bool denied = cvk_denied_read(store, device, row_of(device, op, name), reason);
    cvk_store_close(store);
    return denied;
}

/* A run of a network, its results checked; to be freed. */
static test_run right_run(const char *text, const cvk_session_options *options)
{
    cvk_model *model = model_text(text);
    test_run run = run_make(model, &device, 1, options);
    run_once(&run);
    expect_reference(model, &run);
    cvk_model_free(&model);
    return run;
}

/* The row that computes a node. */
static void usual_row(const char *node, char name[NAME])
{
    test_run run = right_run(net, NULL);
    const cvk_step_info *step = step_of(run.session, node);
    assert_non_null(step);
    snprintf(name, NAME, "%s", step->kernel);
    assert_null(strstr(step->note, CVK_DENIED_WHY));
    run_free(&run);
}

/* A step does without `name` and says so everywhere. */
static void expect_avoided(const cvk_session *session, const char *node, const char *name)
{
    char text[NAME + 64];
    const cvk_step_info *step = step_of(session, node);
    assert_non_null(step);
    assert_string_not_equal(step->kernel, name);
    snprintf(text, sizeof text, "%s: denied by selftest on this driver", name);
    if (!strstr(step->refused, text)) fail_msg("refused: '%s'", step->refused);
    if (!strstr(step->note, text)) fail_msg("note: '%s'", step->note);
    assert_non_null(strstr(cvk_session_describe(session), text));
}

static void all_rows_pass(void **state)
{
    (void)state;
    cvk_selftest_result result;
    told t = test_rows(device, NULL, CVK_OK, &result);
    assert_int_equal(result.rows, device->n_kernels);
    assert_int_equal(result.wrong + result.failed + result.denied, 0);
    int cases = 0;
    for (int r = 0; r < t.count; r++) {
        const cvk_selftest_row *row = &t.rows[r];
        const cvk_kernel *kernel = &device->kernels[r];
        assert_string_equal(row->kernel, kernel->name);
        assert_string_equal(row->op, cvk_op_kind_name(kernel->op));
        assert_string_equal(row->device, device->info.id);
        assert_false(row->denied || row->was_denied || row->wrong);
        cases += row->cases;
        if (cvk_row_lacks(device, kernel)) {
            assert_int_equal(row->status, CVK_SELFTEST_NOT_REACHED);
            assert_string_equal(row->reason, cvk_row_lacks(device, kernel));
            continue;
        }
        if (row->status != CVK_SELFTEST_PASSED) fail_msg("%s: %s", row->kernel, row->reason);
        assert_true(row->cases >= 1 && row->rel_l2 <= 1e-3);
        assert_string_equal(row->reason, "");
    }
    assert_int_equal(result.cases, cases);
    if (device->backend->host) assert_int_equal(access(file, F_OK), -1);
    assert_int_equal(warnings, 0);
}

static void a_denied_row_is_avoided(void **state)
{
    (void)state;
    static const char *const nodes[] = {"s", "t", "y"};
    static const cvk_op_kind ops[] = {CVK_OP_Conv, CVK_OP_Conv, CVK_OP_Gemm};
    char usual[NAME];
    for (int i = 0; i < 3; i++) {
        usual_row(nodes[i], usual);
        deny(device, ops[i], usual);
        test_run run = right_run(net, NULL);
        expect_avoided(run.session, nodes[i], usual);
        run_free(&run);
        run = right_run(net, &(cvk_session_options){.no_tuned = true, .no_fuse = true});
        assert_string_not_equal(step_of(run.session, nodes[i])->kernel, usual);
        run_free(&run);
        expect_ok(cvk_cache_clear(NULL), "clear");
        usual_row(nodes[i], usual);
    }
    assert_int_equal(warnings, 0);
}

static void without_any_row_the_host_computes(void **state)
{
    (void)state;
    char usual[NAME];
    usual_row("s", usual);
    deny(device, CVK_OP_Conv, NULL);
    test_run run = right_run(net, NULL);
    const cvk_step_info *step = step_of(run.session, "s");
    assert_string_equal(step->device, "host");
    assert_string_equal(step->kernel, "reference");
    expect_avoided(run.session, "s", usual);
    run_free(&run);
    for (int r = 0; r < device->n_kernels; r++) deny(device, device->kernels[r].op, NULL);
    run = right_run(net, NULL);
    cvk_step_info info;
    for (int i = 0; cvk_session_step(run.session, i, &info) == CVK_OK; i++)
        assert_string_equal(info.device, "host");
    run_free(&run);
}

/* Reorders that the scheduler puts in: the host makes them. */
static void reorders(void **state)
{
    (void)state;
    static const char *const names[] = {"reorder_block", "reorder_plain", "reorder_unblock"};
    for (size_t i = 0; i < sizeof names / sizeof *names + 1; i++) {
        int denied = 0, host = 0;
        for (int r = 0; r < device->n_kernels; r++)
            denied += device->kernels[r].op == CVK_OP_Reorder &&
                      (i == 3 || strcmp(device->kernels[r].name, names[i]) == 0);
        if (!denied) continue;
        deny(device, CVK_OP_Reorder, i == 3 ? NULL : names[i]);
        test_run run = right_run(net, NULL);
        cvk_step_info info;
        for (int k = 0; cvk_session_step(run.session, k, &info) == CVK_OK; k++) {
            if (strcmp(info.op, "Reorder") != 0) continue;
            bool here = strcmp(info.device, "host") == 0;
            host += here;
            assert_true(here || i != 3);
            if (here) assert_string_equal(info.kernel, "reference");
            if (here) assert_non_null(strstr(info.refused, CVK_DENIED_WHY));
        }
        assert_true(host >= 1);
        run_free(&run);
        expect_ok(cvk_cache_clear(NULL), "clear");
    }
}

static void a_denied_row_cannot_be_preferred(void **state)
{
    (void)state;
    char usual[NAME], sentence[256];
    usual_row("s", usual);
    deny(device, CVK_OP_Conv, usual);
    cvk_model *model = model_text(net);
    cvk_session *session = NULL;
    snprintf(sentence, sizeof sentence,
             "row '%s' of %s cannot be preferred: it is denied by selftest on this driver (a test "
             "says so)",
             usual, device->info.id);
    expect_failure(cvk_session_create(model, &device, 1,
                                      &(cvk_session_options){.prefer_kernel = usual}, &session),
                   CVK_BAD_ARGUMENT, sentence);
    cvk_model_free(&model);
    test_run run = right_run(net, &(cvk_session_options){.prefer_kernel = "conv_plain"});
    run_free(&run);
}

static void other_drivers_are_other_lists(void **state)
{
    (void)state;
    char usual[NAME], again[NAME];
    cvk_device other = *device;
    snprintf(other.info.driver, sizeof other.info.driver, "another driver");
    usual_row("s", usual);
    deny(&other, CVK_OP_Conv, usual);
    usual_row("s", again);
    assert_string_equal(usual, again);
}

/* The record of a problem that begins with "Gemm |" names `row` from now on. */
typedef struct search {
    char key[4096];
    int found;
} search;

static cvk_status look(void *user, const cvk_store_entry *entry)
{
    search *s = user;
    char key[sizeof s->key];
    if (strcmp(entry->kind, "tuned row") != 0) return CVK_OK;
    snprintf(key, sizeof key, "%.*s", (int)entry->key_bytes, (const char *)entry->key);
    if (strncmp(cvk_tuned_problem(key), "Gemm |", 6) != 0) return CVK_OK;
    memcpy(s->key, key, sizeof key);
    s->found++;
    return CVK_OK;
}

typedef struct layers {
    const char *denied;
    int count;
} layers;

static void note_layer(void *user, const cvk_tune_layer *layer)
{
    layers *l = user;
    l->count++;
    if (strncmp(layer->problem, "Gemm |", 6) != 0) return;
    assert_string_not_equal(layer->kernel, l->denied);
    assert_string_not_equal(layer->default_kernel, l->denied);
}

static void tuning_heeds_the_list(void **state)
{
    (void)state;
    char usual[NAME], text[128];
    usual_row("y", usual);
    const char *other = NULL;
    for (int r = 0; r < device->n_kernels && !other; r++)
        if (device->kernels[r].op == CVK_OP_Gemm && strcmp(device->kernels[r].name, usual) != 0)
            other = device->kernels[r].name;
    assert_non_null(other);
    cvk_model *model = model_text(net);
    expect_ok(cvk_tune(model, &device, 1, NULL, NULL, NULL), "tune");
    search s = {.found = 0};
    expect_ok(cvk_store_walk(file, look, &s), "walk");
    assert_int_equal(s.found, 1);
    cvk_store *store = open_store();
    cvk_tuned record = {.ms = 1, .default_ms = 2};
    snprintf(record.row, sizeof record.row, "%s", other);
    assert_true(cvk_tuned_write(store, s.key, &record));
    cvk_store_close(store);
    deny(device, CVK_OP_Gemm, other);
    test_run run = right_run(net, NULL);
    const cvk_step_info *step = step_of(run.session, "y");
    snprintf(text, sizeof text, "tuned: %s is not used: denied by selftest on this driver", other);
    if (!strstr(step->note, text)) fail_msg("'%s' does not say '%s'", step->note, text);
    run_free(&run);
    expect_ok(cvk_cache_clear(NULL), "clear");
    deny(device, CVK_OP_Gemm, usual);
    layers l = {.denied = usual};
    const cvk_tune_options options = {.layer = note_layer, .user = &l};
    expect_ok(cvk_tune(model, &device, 1, NULL, &options, NULL), "tune");
    assert_true(l.count >= 1);
    cvk_model_free(&model);
}

static void a_row_that_passes_leaves_the_list(void **state)
{
    (void)state;
    char usual[NAME];
    cvk_selftest_result result;
    usual_row("t", usual);
    deny(device, CVK_OP_Conv, usual);
    deny(device, CVK_OP_LRN, NULL);
    told t = test_rows(device, usual, CVK_OK, &result);
    assert_int_equal(result.rows, 1);
    assert_int_equal(result.passed, 1);
    assert_int_equal(result.denied, 0);
    assert_true(t.rows[0].was_denied && !t.rows[0].denied);
    assert_false(is_denied(CVK_OP_Conv, usual));
    assert_true(is_denied(CVK_OP_LRN, "lrn_blocked")); /* which was not asked for */
}

/* Kernels of a CPU device that are made wrong. */
static cvk_backend failing; /* a copy of the CPU's */
static bool dead;

static cvk_status run_not(cvk_device *on, const cvk_step *step, int worker, int workers)
{
    (void)on, (void)step, (void)worker, (void)workers;
    return CVK_OK;
}

static cvk_status run_failing(cvk_device *on, const cvk_step *step, int worker, int workers)
{
    (void)on, (void)step, (void)worker, (void)workers;
    return cvk_fail(CVK_DEVICE_FAILED, "the test's kernel\n\tfails");
}

static cvk_status run_deadly(cvk_device *on, const cvk_step *step, int worker, int workers)
{
    if (worker == 0) dead = true;
    return run_failing(on, step, worker, workers);
}

static cvk_status alloc_unless_dead(cvk_device *on, size_t bytes, void **data)
{
    if (dead) return cvk_fail(CVK_DEVICE_FAILED, "the test's device is gone");
    return cvk_backend_cpu.alloc(on, bytes, data);
}

/* A device of its own whose rows may be changed: the CPU's are a copy of the table. */
static cvk_device *changed_cpu(cvk_op_kind op, const char *name,
                               cvk_status (*run)(cvk_device *, const cvk_step *, int, int))
{
    cvk_device *changed = NULL;
    expect_ok(cvk_device_open("cpu", &(cvk_device_options){.threads = 2}, &changed), "open");
    ((cvk_kernel *)row_of(changed, op, name))->run = run;
    failing = cvk_backend_cpu;
    failing.alloc = alloc_unless_dead;
    changed->backend = &failing;
    dead = false;
    return changed;
}

static void wrong_rows_of_a_cpu(void **state)
{
    (void)state;
    if (!device->backend->host) skip();
    cvk_selftest_result result;
    cvk_device *changed = changed_cpu(CVK_OP_Conv, "depthwise", run_not);
    told t = test_rows(changed, "depthwise", CVK_OK, &result);
    assert_int_equal(result.wrong, 1);
    assert_int_equal(result.denied, 1);
    assert_true(t.rows[0].denied && !t.rows[0].was_denied);
    assert_int_equal(t.rows[0].status, CVK_SELFTEST_WRONG);
    assert_true(t.rows[0].cases >= 1 && t.rows[0].wrong == t.rows[0].cases);
    assert_true(t.rows[0].rel_l2 > 1e-5);
    assert_int_equal(strncmp(t.rows[0].reason, "Conv ", 5), 0);
    assert_non_null(strstr(t.rows[0].reason, "relative L2 error "));
    cvk_device_close(&changed);
    test_run run = right_run(net, NULL);
    expect_avoided(run.session, "t", "depthwise");
    run_free(&run);
    changed = changed_cpu(CVK_OP_Conv, "depthwise", run_failing);
    t = test_rows(changed, "depthwise", CVK_OK, &result);
    assert_int_equal(result.failed, 1);
    assert_int_equal(t.rows[0].cases, 1); /* it is not run again */
    assert_true(t.rows[0].denied && t.rows[0].was_denied);
    assert_non_null(strstr(t.rows[0].reason, "the test's kernel  fails"));
    setenv("CONVOKE_CACHE_DIR", "", 1);
    t = test_rows(changed, "depthwise", CVK_IO, &result);
    assert_int_equal(result.failed, 1);
    assert_false(t.rows[0].denied);
    assert_non_null(strstr(cvk_last_error(), "the deny list cannot be kept"));
    cvk_device_close(&changed);
    assert_int_equal(warnings, 0);
}

static void a_device_that_stops_answering(void **state)
{
    (void)state;
    if (!device->backend->host) skip();
    cvk_selftest_result result;
    cvk_device *changed = changed_cpu(CVK_OP_Conv, "conv_any", run_deadly);
    told t = test_rows(changed, NULL, CVK_DEVICE_FAILED, &result);
    assert_int_equal(result.failed, 1);
    assert_int_equal(result.not_reached, result.rows - 1);
    assert_int_equal(result.denied, 1);
    assert_true(is_denied(CVK_OP_Conv, "conv_any"));
    for (int i = 0; i < t.count; i++) {
        bool culprit = strcmp(t.rows[i].kernel, "conv_any") == 0;
        assert_int_equal(t.rows[i].denied, culprit);
        if (!culprit && !cvk_row_lacks(changed, &changed->kernels[i]))
            assert_string_equal(t.rows[i].reason, "the device stopped answering at row conv_any");
    }
    dead = false;
    t = test_rows(changed, NULL, CVK_DEVICE_FAILED, &result); /* that row comes last now */
    assert_int_equal(result.failed, 1);
    for (int i = 0; i < t.count; i++)
        if (strcmp(t.rows[i].kernel, "conv_any") != 0 &&
            !cvk_row_lacks(changed, &changed->kernels[i]))
            assert_int_equal(t.rows[i].status, CVK_SELFTEST_PASSED);
    cvk_device_close(&changed);
}

/* The whole file, with `old` (if not NULL; it must be there) replaced. */
static void copy_source(const char *from, const char *to, const char *old, const char *new)
{
    char *text = calloc(1, TEXT);
    assert_non_null(text);
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    assert_true(in && out);
    assert_true(fread(text, 1, TEXT - 1, in) < TEXT - 1);
    char *at = old ? strstr(text, old) : NULL;
    if (old && !at) fail_msg("'%s' is not in %s", old, from);
    fwrite(text, 1, at ? (size_t)(at - text) : strlen(text), out);
    if (at) fprintf(out, "%s%s", new, at + strlen(old));
    fclose(in);
    fclose(out);
    free(text);
}

/* A folder of all kernels, one of which is changed. */
static void make_sources(const char *name, const char *old, const char *new)
{
    char dir[80], to[512];
    glob_t all;
    snprintf(dir, sizeof dir, "%s/cl", folder);
    mkdir(dir, 0700);
    assert_int_equal(glob(TESTS_DIR "/../kernels/opencl/*.cl", 0, NULL, &all), 0);
    for (size_t i = 0; i < all.gl_pathc; i++) {
        const char *base = strrchr(all.gl_pathv[i], '/') + 1;
        bool changed = strcmp(base, name) == 0;
        snprintf(to, sizeof to, "%s/%s", dir, base);
        copy_source(all.gl_pathv[i], to, changed ? old : NULL, new);
    }
    globfree(&all);
    setenv("CONVOKE_CL_DIR", dir, 1);
}

/* A fresh device: an open one keeps what it has built. */
static told test_anew(cvk_selftest_result *result)
{
    cvk_device *fresh = NULL;
    expect_ok(cvk_device_open(device->info.id, NULL, &fresh), "open");
    told t = test_rows(fresh, "depthwise", CVK_OK, result);
    cvk_device_close(&fresh);
    return t;
}

static void wrong_sources(void **state)
{
    (void)state;
    if (device->backend->host) skip();
    static const char old[] = "tap = wgt[kx];";
    cvk_selftest_result result;
    make_sources("depthwise.cl", old, "tap = -wgt[kx];");
    told t = test_anew(&result);
    assert_int_equal(result.wrong, 1);
    assert_int_equal(t.rows[0].status, CVK_SELFTEST_WRONG);
    assert_true(t.rows[0].denied && t.rows[0].rel_l2 > 0.1);
    assert_true(is_denied(CVK_OP_Conv, "depthwise"));
    unsetenv("CONVOKE_CL_DIR");
    test_run run = right_run(net, NULL);
    expect_avoided(run.session, "t", "depthwise");
    run_free(&run);
    make_sources("depthwise.cl", old, "this builds nowhere(");
    t = test_anew(&result);
    assert_int_equal(result.failed, 1);
    assert_true(t.rows[0].was_denied && t.rows[0].denied);
    assert_non_null(strstr(t.rows[0].reason, "depthwise.cl does not build"));
    make_sources("depthwise.cl", NULL, NULL);
    t = test_anew(&result);
    assert_int_equal(result.passed, 1);
    assert_true(t.rows[0].was_denied && !t.rows[0].denied);
    unsetenv("CONVOKE_CL_DIR");
    char usual[NAME];
    usual_row("t", usual);
    assert_string_equal(usual, "depthwise");
}

static void wrong_arguments(void **state)
{
    (void)state;
    char sentence[128];
    expect_failure(cvk_selftest(NULL, NULL, NULL), CVK_BAD_ARGUMENT,
                   "cvk_selftest: device is NULL");
    snprintf(sentence, sizeof sentence, "device %s has no kernel row 'teapot'", device->info.id);
    expect_failure(cvk_selftest(device, &(cvk_selftest_options){.kernel = "teapot"}, NULL),
                   CVK_BAD_ARGUMENT, sentence);
    expect_ok(cvk_selftest(device, &(cvk_selftest_options){.kernel = "softmax"}, NULL), "softmax");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(all_rows_pass),
        TEST(a_denied_row_is_avoided),
        TEST(without_any_row_the_host_computes),
        TEST(reorders),
        TEST(a_denied_row_cannot_be_preferred),
        TEST(other_drivers_are_other_lists),
        TEST(tuning_heeds_the_list),
        TEST(a_row_that_passes_leaves_the_list),
        TEST(wrong_rows_of_a_cpu),
        TEST(a_device_that_stops_answering),
        TEST(wrong_sources),
        TEST(wrong_arguments),
    };
    return run_device_tests(argc, argv, &device, tests, sizeof tests / sizeof *tests);
}
