/* SPDX-License-Identifier: Apache-2.0
 *
 * Plans of typical blocks and of some classics as text, compared with golden/<name>.txt. One worker and no vectors, so
 * that the text is the same on every machine; offsets and bytes are left out.
 *     test_plan [--write]     writes the files anew
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model_text.h"
#include "zoo/zoo.h"

enum { MAX_TEXT = 1 << 16 };
static bool rewrite;

static const struct plan_case {
    const char *name, *net; /* golden/<name>.txt is the plan of golden/<net>.net, or of the zoo's
                               network `name` if there is no net */
    bool no_fuse;
} cases[] = {
    {"lenet", "lenet", false},
    {"residual", "residual", false},
    {"residual_no_fuse", "residual", true},
    {"inception", "inception", false},
    {"separable", "separable", false},
    {"bottleneck", "bottleneck", false},
    {"pools", "pools", false},
    {"squeezenet1.1", NULL, false},
    {"resnet18", NULL, false},
    {"googlenet", NULL, false},
};

/* Numbers in names that the scheduler made up ("x#26") would change with every node. */
static void strip_numbers(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        *to++ = *from;
        if (*from == '#') from += strspn(from + 1, "0123456789");
    }
    *to = 0;
}

/* The plan without what depends on memory and machine. */
static void plan_text(const cvk_session *session, char *text)
{
    cvk_step_info step;
    cvk_session_info info;
    size_t at = 0;
    for (int i = 0; cvk_session_step(session, i, &step) == CVK_OK; i++) {
        at += (size_t)snprintf(text + at, MAX_TEXT - at, "%s [%s] %s: %s <- %s", step.kernel,
                               *step.nodes ? step.nodes : "-", step.op, step.shape, step.inputs);
        if (*step.fused) at += (size_t)snprintf(text + at, MAX_TEXT - at, " + %s", step.fused);
        if (*step.note) at += (size_t)snprintf(text + at, MAX_TEXT - at, " (%s)", step.note);
        at += (size_t)snprintf(text + at, MAX_TEXT - at, "\n");
    }
    expect_ok(cvk_session_get_info(session, &info), "info");
    snprintf(text + at, MAX_TEXT - at, "%d steps, %d nodes, %d fused\n", info.steps, info.nodes,
             info.fused);
    strip_numbers(text);
}

/* A file of the golden folder, or what is to become it. */
static FILE *open_golden(const char *name, const char *ending, const char *mode)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/golden/%s.%s", TESTS_DIR, name, ending);
    FILE *file = fopen(path, mode);
    if (!file) fail_msg("cannot open %s", path);
    return file;
}

static char *read_golden(const char *name, const char *ending)
{
    FILE *file = open_golden(name, ending, "rb");
    char *text = calloc(1, MAX_TEXT);
    assert_non_null(text);
    size_t bytes = fread(text, 1, MAX_TEXT - 1, file);
    fclose(file);
    assert_true(bytes > 0);
    return text;
}

static void compare(const char *name, const char *text)
{
    if (rewrite) {
        FILE *file = open_golden(name, "txt", "wb");
        fputs(text, file);
        fclose(file);
        return;
    }
    char *golden = read_golden(name, "txt");
    bool same = strcmp(golden, text) == 0;
    if (!same) printf("--- golden/%s.txt\n%s+++ this plan\n%s", name, golden, text);
    free(golden);
    if (!same)
        fail_msg("the plan of '%s' has changed: if that is meant, run test_plan --write", name);
}

static cvk_model *make_model(const struct plan_case *c)
{
    const cvk_zoo_options options = {.seed = 1, .batch = 1};
    cvk_model *model = NULL;
    if (c->net) {
        char *net = read_golden(c->net, "net");
        model = model_text(net);
        free(net);
        return model;
    }
    const cvk_zoo_entry *entry = cvk_zoo_find(c->name);
    assert_non_null(entry);
    expect_ok(cvk_zoo_build(entry, &options, &model, NULL), c->name);
    return model;
}

static void golden_plan(void **state)
{
    const struct plan_case *c = *state;
    const cvk_device_options one = {.threads = 1, .isa = "scalar"};
    const cvk_session_options options = {.no_fuse = c->no_fuse, .fuse = FUSE_ALL_BUT_CHOICE};
    cvk_device *device = NULL;
    expect_ok(cvk_device_open("cpu", &one, &device), "cpu");
    char *text = calloc(1, MAX_TEXT);
    cvk_model *model = make_model(c);
    cvk_session *session = NULL;
    assert_non_null(text);
    expect_ok(cvk_session_create(model, &device, 1, &options, &session), c->name);
    cvk_model_free(&model);
    plan_text(session, text);
    compare(c->name, text);
    free(text);
    cvk_session_free(&session);
    cvk_device_close(&device);
}

int main(int argc, char **argv)
{
    enum { CASES = sizeof cases / sizeof *cases };
    struct CMUnitTest tests[CASES];
    for (int i = 0; i < CASES; i++)
        tests[i] = (struct CMUnitTest){
            .name = cases[i].name, .test_func = golden_plan, .initial_state = (void *)&cases[i]};
    rewrite = argc > 1 && strcmp(argv[1], "--write") == 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
