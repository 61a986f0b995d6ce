/* SPDX-License-Identifier: Apache-2.0
 *
 * Every kernel row of one device against the references in double precision, over the cases of
 * selftest (src/selftest/op_cases.def), as selftest compares them; on the CPU also the same bits
 * for any number of workers. A row that no case reaches fails.
 *
 *     test_kernels cpu [isa]      test_kernels opencl[:N]     [only cases of this operator]
 *         --seldom-clblast    CLBlast's rows on a part of the cases only
 *         --ways              only convolutions and rows with several ways to compute a problem, on a
 *                             part of the cases, each way of them
 *         --vector-floats N   an OpenCL CPU device as if its vectors had N floats
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend/devices.h"
#include "selftest/check.h"

static cvk_device *device;
static const char *only_op;
static int *reached; /* by row */
static bool seldom;  /* CLBlast's rows on one case of SELDOM: it takes a simulator long */
static bool ways;    /* only rows with variants, on one case of FEW: each is a program of its own */

enum { SELDOM = 16, FEW = 12 };
enum { WORKERS = 3 }; /* uneven shares, and more than this machine may have cores */

static void *checked_malloc(size_t bytes)
{
    void *data = malloc(bytes ? bytes : 1);
    assert_non_null(data);
    return data;
}

static void check(cvk_status status, const char *what)
{
    if (status) fail_msg("%s: %s (%s)", what, cvk_last_error(), cvk_status_string(status));
}

/* What the shares of `workers` workers, one after the other, leave in output `i`: plain bytes. */
static void *output_of(const cvk_step *step, int workers, int i)
{
    size_t bytes = cvk_view_bytes(&step->out[i]);
    memset(step->out[i].data, 0xab, bytes);
    for (int worker = 0; worker < workers; worker++)
        check(step->kernel->run(device, step, worker, workers), step->kernel->name);
    void *plain = checked_malloc(bytes);
    cvk_check_unlay(step->out[i].data, &step->out[i], plain);
    return plain;
}

/* A run may get fewer workers than the step was prepared for: the same bits. */
static void expect_same_for_any_workers(const cvk_step *step)
{
    for (int i = 0; i < step->node->n_out; i++) {
        if (step->node->out[i] < 0) continue;
        cvk_view plain = step->out[i];
        plain.layout = CVK_LAYOUT_PLAIN;
        void *want = output_of(step, WORKERS, i);
        for (int workers = 1; workers < WORKERS; workers++) {
            void *got = output_of(step, workers, i);
            if (memcmp(got, want, cvk_view_bytes(&plain)) != 0)
                fail_msg("row %s: output %d differs between %d workers and %d", step->kernel->name,
                         i, workers, WORKERS);
            free(got);
        }
        free(want);
    }
}

static void expect_right(cvk_check *c, const char *how)
{
    cvk_verdict verdict;
    const char *row = c->step.kernel->name;
    check(cvk_check_run(c, &verdict), row);
    if (!verdict.right) fail_msg("row %s%s: %s", row, how, verdict.reason);
}

static void run_row(cvk_scheduler *s, const cvk_kernel *row, const cvk_expected *e)
{
    cvk_check c;
    check(cvk_check_open(s, device, row, e, &c), row->name);
    expect_right(&c, "");
    if (device->backend->host) expect_same_for_any_workers(&c.step);
    if (cvk_check_share(&c)) expect_right(&c, " in place");
    cvk_check_close(&c);
}

/* Row by row the other ways, of which there is none of two names. */
static void run_ways(cvk_scheduler *s, const cvk_kernel *row, const cvk_expected *e)
{
    cvk_expected other = *e;
    cvk_node node = *e->node;
    cvk_problem problem;
    char names[512] = " ";
    check(cvk_problem_make(s, &node, cvk_device_caps(device), &problem), "problem");
    other.node = &node;
    for (int k = 1; row->variant(&problem, k); k++) {
        char name[64];
        snprintf(name, sizeof name, " %s ", row->variant(&problem, k));
        if (strstr(names, name)) fail_msg("row %s: two variants%s", row->name, name);
        assert_true(strlen(names) + strlen(name) < sizeof names);
        strcat(names, name);
        node.variant = k;
        run_row(s, row, &other);
    }
}

static void run_node(cvk_scheduler *s, const cvk_case *c, const cvk_node *node)
{
    cvk_expected e;
    check(cvk_expected_make(s->graph, c, node, true, &e), "reference");
    for (int r = 0; r < device->n_kernels; r++) {
        const cvk_kernel *row = &device->kernels[r];
        const char *why = "";
        if (row->op != node->op || !cvk_place_accepts(s, node, 0, row, &why)) continue;
        const int before = reached[r]++;
        if (before % SELDOM && seldom && row->needs & CVK_CAP_CLBLAST) continue;
        if (ways && (!(row->variant || row->op == CVK_OP_Conv) || before % FEW)) continue;
        run_row(s, row, &e);
        if (ways && row->variant) run_ways(s, row, &e);
    }
}

static void run_case(void **state)
{
    const cvk_case *c = *state;
    cvk_arena *arena = cvk_arena_create();
    cvk_graph *graph;
    assert_non_null(arena);
    check(cvk_case_graph(arena, c, &graph), "case");
    /* A layout other than plain exists in steps only. */
    cvk_plan plan = {.arena = arena, .graph = graph, .devices = &device, .n_devices = 1};
    cvk_schedule_options options = {0};
    cvk_scheduler s = {
        .plan = &plan, .graph = graph, .devices = &device, .n_devices = 1, .options = &options};
    for (int i = 0; i < graph->n_nodes; i++)
        if (!cvk_is_alias(&graph->nodes[i])) run_node(&s, c, &graph->nodes[i]);
    cvk_arena_free(&arena);
}

static void all_rows_reached(void **state)
{
    (void)state;
    int missing = 0;
    for (int r = 0; r < device->n_kernels; r++) {
        if (reached[r]) continue;
        if (cvk_row_lacks(device, &device->kernels[r])) {
            printf("row %s needs what this device lacks: not tested\n", device->kernels[r].name);
            continue;
        }
        printf("row %s is reached by no case of op_cases.def\n", device->kernels[r].name);
        missing++;
    }
    assert_int_equal(missing, 0);
}

static int run_all(void)
{
    int room = 1, count = 0;
    for (cvk_case c = {.op = NULL}; cvk_case_next(&c);) room++;
    struct CMUnitTest *tests = calloc((size_t)room, sizeof *tests);
    cvk_case *cases = calloc((size_t)room, sizeof *cases);
    if (!tests || !cases) return 1;
    for (cvk_case c = {.op = NULL}; cvk_case_next(&c);) {
        if (only_op && strcmp(only_op, c.op) != 0) continue;
        char name[512];
        snprintf(name, sizeof name, "%s %s; %s; %s", c.op, c.inputs, c.attrs, c.posts);
        cases[count] = c;
        tests[count] = (struct CMUnitTest){
            .name = strdup(name), .test_func = run_case, .initial_state = &cases[count]};
        count++;
    }
    if (!only_op && !ways)
        tests[count++] =
            (struct CMUnitTest){.name = "every row is reached", .test_func = all_rows_reached};
    int failed = _cmocka_run_group_tests(device->info.id, tests, (size_t)count, NULL, NULL);
    for (int i = 0; i < count; i++)
        if (tests[i].initial_state) free((char *)tests[i].name);
    free(tests);
    free(cases);
    return failed;
}

/* The options behind the words, taken away; returns the floats of a vector, 0 if nobody asks. */
static int read_options(int *argc, char **argv)
{
    int words = 0, vector_floats = 0;
    for (int i = 0; i < *argc; i++) {
        if (strcmp(argv[i], "--seldom-clblast") == 0)
            seldom = true;
        else if (strcmp(argv[i], "--ways") == 0)
            ways = true;
        else if (strcmp(argv[i], "--vector-floats") == 0 && i + 1 < *argc)
            vector_floats = atoi(argv[++i]);
        else
            argv[words++] = argv[i];
    }
    *argc = words;
    return vector_floats;
}

int main(int argc, char **argv)
{
    const char *spec = argc > 1 ? argv[1] : "cpu";
    bool cpu = strcmp(spec, "cpu") == 0;
    const int vector_floats = read_options(&argc, argv);
    cvk_device_options options = {.threads = WORKERS, .isa = cpu && argc > 2 ? argv[2] : NULL};
    only_op = argc > (cpu ? 3 : 2) ? argv[cpu ? 3 : 2] : NULL;
    cvk_isa isa;
    if (options.isa && cvk_isa_parse(options.isa, &isa) && !cvk_cpu_has(isa)) {
        printf("skipped: this processor has no %s\n", options.isa);
        return 77;
    }
    if (cvk_devices_open(spec, &options, &device)) {
        printf("skipped: %s\n", cvk_last_error());
        return 77;
    }
    if (vector_floats) device->caps.vector_floats = vector_floats;
    reached = calloc((size_t)device->n_kernels + 1, sizeof *reached);
    int failed = reached ? run_all() : 1;
    free(reached);
    device->backend->close(device);
    return failed != 0;
}
