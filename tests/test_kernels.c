/* SPDX-License-Identifier: Apache-2.0
 *
 * Every kernel row of one device against the references in double precision, over op_cases.def. A
 * row that no case reaches fails.
 *
 *     test_kernels cpu [isa]      test_kernels opencl[:N]     [only cases of this operator]
 *
 * Inputs are surrounded by nothing and lanes beyond the channels hold NaN, so that a kernel that
 * reads what it must not shows it.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend/devices.h"
#include "schedule/trial.h"
#include "tests/op_case.h"

static cvk_device *device;
static const char *only_op;
static int *reached; /* by row */
static bool each;    /* every element counts for itself */

enum { WORKERS = 3 }; /* uneven shares, and more than this machine may have cores */

/* A value in host memory: plain, and as the row wants it. */
typedef struct tensor {
    cvk_view plain, placed; /* placed: the view of the step, data on the device */
} tensor;

static void *checked_malloc(size_t bytes)
{
    void *data = malloc(bytes ? bytes : 1);
    assert_non_null(data);
    return data;
}

/* Plain elements as bytes in the view's layout, NaN in lanes that hold no channel. */
static void *to_layout(const cvk_view *plain, const cvk_view *placed)
{
    size_t bytes = cvk_view_bytes(placed);
    void *image = checked_malloc(bytes);
    if (placed->layout == CVK_LAYOUT_PLAIN) return memcpy(image, plain->data, bytes);
    const cvk_shape *s = &placed->shape;
    int64_t spatial = cvk_shape_span(s, 2, s->rank), c = s->dims[1],
            blocks = (c + CVK_BLOCK - 1) / CVK_BLOCK;
    cvk_layout_block(plain->dtype, plain->data, image, s->dims[0], c, spatial);
    for (int64_t i = 0; i < s->dims[0] * blocks * spatial * CVK_BLOCK; i++) {
        int64_t channel = i / (spatial * CVK_BLOCK) % blocks * CVK_BLOCK + i % CVK_BLOCK;
        if (channel < c) continue;
        if (placed->dtype == CVK_F16)
            ((uint16_t *)image)[i] = 0x7e00;
        else
            ((float *)image)[i] = NAN;
    }
    return image;
}

static void from_layout(const void *image, const cvk_view *placed, void *plain)
{
    const cvk_shape *s = &placed->shape;
    if (placed->layout == CVK_LAYOUT_PLAIN)
        memcpy(plain, image, cvk_view_bytes(placed));
    else
        cvk_layout_unblock(placed->dtype, image, plain, s->dims[0], s->dims[1],
                           cvk_shape_span(s, 2, s->rank));
}

static void check(cvk_status status, const char *what)
{
    if (status) fail_msg("%s: %s (%s)", what, cvk_last_error(), cvk_status_string(status));
}

/* Within 1e-5 of the reference, or both too small to be a normal float32. */
static void compare_one(double a, double b, int64_t i, const char *row)
{
    if (fabs(a - b) > 1e-5 * fabs(b) + 1.2e-38)
        fail_msg("%s: element %lld is %.9g, the reference says %.9g", row, (long long)i, a, b);
}

/* Relative L2 of floats against the reference, NaN equal to NaN; integers must be equal. */
static void compare(const cvk_view *got, const cvk_view *want, const char *row)
{
    double error = 0, norm = 0;
    int64_t count = cvk_view_count(got);
    for (int64_t i = 0; i < count; i++) {
        double a = cvk_view_get(got, i), b = cvk_view_get(want, i);
        if (!cvk_dtype_is_float(got->dtype)) {
            if (a != b)
                fail_msg("%s: element %lld is %g, the reference says %g", row, (long long)i, a, b);
            continue;
        }
        if (isnan(b) || isinf(b)) {
            if (isnan(a) != isnan(b) || (!isnan(b) && a != b))
                fail_msg("%s: element %lld is %g, the reference says %g", row, (long long)i, a, b);
            continue;
        }
        if (isnan(a) || isinf(a))
            fail_msg("%s: element %lld is %g, the reference says %g", row, (long long)i, a, b);
        if (each) compare_one(a, b, i, row);
        error += (a - b) * (a - b);
        norm += b * b;
    }
    double relative = norm > 0 ? sqrt(error / norm) : sqrt(error);
    double tolerance = got->dtype == CVK_F16 ? 1e-3 : 1e-5;
    if (!(relative <= tolerance))
        fail_msg("%s: relative L2 error %.3g, at most %.0e is allowed", row, relative, tolerance);
}

/* Device memory for a step's view, filled from plain elements (NULL: with garbage). */
static void *place(const cvk_view *view, const cvk_view *plain)
{
    size_t bytes = cvk_view_bytes(view);
    void *memory = NULL, *image;
    check(device->backend->alloc(device, bytes, &memory), "alloc");
    if (plain) {
        image = to_layout(plain, view);
    } else {
        image = checked_malloc(bytes);
        memset(image, 0xab, bytes);
    }
    check(device->backend->write(device, memory, image, bytes), "write");
    check(device->backend->finish(device), "finish");
    free(image);
    return memory;
}

static void execute_and_compare(cvk_step *step, const cvk_view *want, const char *label)
{
    check(device->backend->execute(device, &step, 1, 0, NULL), label);
    for (int i = 0; i < step->node->n_out; i++) {
        if (step->node->out[i] < 0) continue;
        size_t bytes = cvk_view_bytes(&step->out[i]);
        void *image = checked_malloc(bytes);
        check(device->backend->read(device, image, step->out[i].data, bytes), "read");
        cvk_view got = want[i];
        got.dtype = step->out[i].dtype;
        got.data = checked_malloc(bytes);
        from_layout(image, &step->out[i], got.data);
        compare(&got, &want[i], label);
        free(got.data);
        free(image);
    }
}

/* What the shares of `workers` workers, one after the other, leave in output `i`: plain bytes. */
static void *output_of(const cvk_step *step, int workers, int i)
{
    size_t bytes = cvk_view_bytes(&step->out[i]);
    memset(step->out[i].data, 0xab, bytes);
    for (int worker = 0; worker < workers; worker++)
        check(step->kernel->run(device, step, worker, workers), step->kernel->name);
    void *plain = checked_malloc(bytes);
    from_layout(step->out[i].data, &step->out[i], plain);
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

static void run_row(cvk_scheduler *s, const cvk_node *node, const cvk_kernel *row,
                    const cvk_view *in, const cvk_view *want)
{
    cvk_step step;
    char label[160];
    snprintf(label, sizeof label, "row %s", row->name);
    check(cvk_step_make(s, node, device, row, &step), label);
    void *memory[64];
    int used = 0;
    for (int i = 0; i < node->n_in; i++)
        if (node->in[i] >= 0 && !cvk_is_const(s->graph, node->in[i]))
            step.in[i].data = memory[used++] = place(&step.in[i], &in[i]);
    for (int i = 0; i < node->n_out; i++)
        if (node->out[i] >= 0) step.out[i].data = memory[used++] = place(&step.out[i], NULL);
    if (step.scratch_bytes) {
        check(device->backend->alloc(device, step.scratch_bytes, &step.scratch), "alloc");
        memory[used++] = step.scratch;
    }
    execute_and_compare(&step, want, label);
    if (device->backend->host) expect_same_for_any_workers(&step);
    if (row->inplace && step.in[0].data && !cvk_is_const(s->graph, node->in[0]) &&
        cvk_view_bytes(&step.in[0]) == cvk_view_bytes(&step.out[0]) &&
        step.in[0].layout == step.out[0].layout) {
        step.out[0].data = step.in[0].data;
        snprintf(label, sizeof label, "row %s in place", row->name);
        execute_and_compare(&step, want, label);
    }
    for (int i = 0; i < used; i++) device->backend->release(device, memory[i]);
    cvk_step_unmake(device, &step);
}

/* Inputs of the node filled, and what the reference makes of them. */
static void run_node(cvk_scheduler *s, const op_case *c, const cvk_node *node)
{
    cvk_arena *arena = s->graph->arena;
    each = false;
    cvk_view *in = cvk_arena_alloc(arena, ((size_t)node->n_in + 1) * sizeof *in);
    cvk_view *want = cvk_arena_alloc(arena, ((size_t)node->n_out + 1) * sizeof *want);
    assert_true(in && want);
    for (int i = 0; i < node->n_in; i++) {
        double low, high;
        in[i] = cvk_graph_view(s->graph, node->in[i]);
        if (in[i].data || node->in[i] < 0) continue;
        in[i].data = cvk_arena_alloc(arena, cvk_view_bytes(&in[i]) + 8);
        op_case_range(c, i, &low, &high);
        each = each || isinf(high);
        op_case_fill(&in[i], (uint64_t)i + 1, low, high);
    }
    for (int i = 0; i < node->n_out; i++) {
        want[i] = cvk_graph_view(s->graph, node->out[i]);
        if (node->out[i] >= 0) want[i].data = cvk_arena_alloc(arena, cvk_view_bytes(&want[i]) + 8);
    }
    check(cvk_node_reference(node, in, want), "reference");
    cvk_problem problem = {.node = node, .caps = &device->caps};
    cvk_view *views =
        cvk_arena_alloc(arena, ((size_t)node->n_in + (size_t)node->n_out + 1) * sizeof *views);
    assert_non_null(views);
    for (int i = 0; i < node->n_in; i++) views[i] = cvk_graph_view(s->graph, node->in[i]);
    for (int i = 0; i < node->n_out; i++)
        views[node->n_in + i] = cvk_graph_view(s->graph, node->out[i]);
    problem.in = views;
    problem.out = views + node->n_in;
    for (int r = 0; r < device->n_kernels; r++) {
        const cvk_kernel *row = &device->kernels[r];
        const char *why = "";
        if (row->op != node->op || (row->needs & ~device->caps.bits) ||
            !row->accepts(&problem, &why))
            continue;
        run_row(s, node, row, in, want);
        reached[r]++;
    }
}

static void run_case(void **state)
{
    const op_case *c = *state;
    cvk_arena *arena = cvk_arena_create();
    cvk_graph *graph;
    assert_non_null(arena);
    check(op_case_graph(arena, c, &graph), "case");
    /* A layout other than plain exists in steps only. */
    cvk_plan plan = {.arena = arena, .graph = graph, .devices = &device, .n_devices = 1};
    cvk_schedule_options options = {0};
    cvk_scheduler s = {
        .plan = &plan, .graph = graph, .devices = &device, .n_devices = 1, .options = &options};
    for (int i = 0; i < graph->n_nodes; i++)
        if (!cvk_op_get(graph->nodes[i].op)->alias) run_node(&s, c, &graph->nodes[i]);
    cvk_arena_free(&arena);
}

/* Reorder has no ONNX operator: all shapes through both rows, of float32 and of float16. */
static void run_reorder(void **state)
{
    static const int64_t shapes[][4] = {{1, 1, 1, 1},  {1, 3, 5, 7},   {2, 16, 3, 3},
                                        {3, 17, 4, 9}, {1, 33, 1, 11}, {1, 64, 14, 14}};
    (void)state;
    for (size_t k = 0; k < 2 * (sizeof shapes / sizeof *shapes); k++) {
        size_t i = k / 2;
        cvk_arena *arena = cvk_arena_create();
        cvk_graph *graph = cvk_graph_create(arena, "reorder", 13);
        assert_non_null(graph);
        int ids[2];
        for (int v = 0; v < 2; v++) {
            check(cvk_graph_add_temp(graph, "v", &ids[v]), "value");
            cvk_value *value = &graph->values[ids[v]];
            value->dtype = k % 2 ? CVK_F16 : CVK_F32;
            value->has_shape = true;
            value->shape =
                cvk_shape_make(i == 4 ? 3 : 4, i == 4 ? (const int64_t[]){1, 33, 11} : shapes[i]);
        }
        cvk_node *node;
        check(
            cvk_graph_add_node(graph, CVK_OP_Reorder, "reorder", &ids[0], 1, &ids[1], 1, 0, &node),
            "node");
        cvk_plan plan = {.arena = arena, .graph = graph, .devices = &device, .n_devices = 1};
        cvk_schedule_options options = {0};
        cvk_scheduler s = {
            .plan = &plan, .graph = graph, .devices = &device, .n_devices = 1, .options = &options};
        run_node(&s, &(op_case){"Reorder", "", "", ""}, node);
        cvk_arena_free(&arena);
    }
}

static void all_rows_reached(void **state)
{
    (void)state;
    int missing = 0;
    for (int r = 0; r < device->n_kernels; r++) {
        if (reached[r]) continue;
        if (device->kernels[r].needs & ~device->caps.bits) {
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
    struct CMUnitTest *tests = calloc((size_t)op_cases_count + 2, sizeof *tests);
    int count = 0;
    if (!tests) return 1;
    for (int i = 0; i < op_cases_count; i++) {
        const op_case *c = &op_cases[i];
        if (only_op && strcmp(only_op, c->op) != 0) continue;
        char name[512];
        snprintf(name, sizeof name, "%s %s; %s; %s", c->op, c->inputs, c->attrs, c->posts);
        tests[count++] = (struct CMUnitTest){
            .name = strdup(name), .test_func = run_case, .initial_state = (void *)c};
    }
    tests[count++] = (struct CMUnitTest){.name = "Reorder", .test_func = run_reorder};
    if (!only_op)
        tests[count++] =
            (struct CMUnitTest){.name = "every row is reached", .test_func = all_rows_reached};
    int failed = _cmocka_run_group_tests(device->info.id, tests, (size_t)count, NULL, NULL);
    for (int i = 0; i < count - 1; i++)
        if (tests[i].initial_state) free((char *)tests[i].name);
    free(tests);
    return failed;
}

int main(int argc, char **argv)
{
    const char *spec = argc > 1 ? argv[1] : "cpu";
    bool cpu = strcmp(spec, "cpu") == 0;
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
    reached = calloc((size_t)device->n_kernels + 1, sizeof *reached);
    int failed = reached ? run_all() : 1;
    free(reached);
    device->backend->close(device);
    return failed != 0;
}
