/* SPDX-License-Identifier: Apache-2.0
 *
 * Times every kernel row that accepts a problem: GFLOP/s, the fraction of the f32 peak or of the
 * bandwidth measured in the same run, whichever binds, and the time relative to the fastest row.
 * With --against other libraries solve the same problem in the same run, and their results are
 * compared with ours before a time counts. All take turns; medians of the rounds count.
 *
 *     bench_kernels cpu                                         bench/layers/common.txt
 *     bench_kernels cpu --layers bench/layers/resnet50.txt --against onednn,xnnpack
 *     bench_kernels opencl --bare --against clblast,openblas    products only, which these have
 *     bench_kernels --help
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/devices.h"
#include "bench/options.h"
#include "bench/problem.h"
#include "bench/report.h"
#include "schedule/tuned.h"
#include "selftest/case.h"
#include "session/rows.h"

enum { LINE = 1024, MOST_ROWS = 48, MOST_OUTPUTS = 64, FIELDS = 6 };
static const double tolerance = 1e-4; /* relative L2 */

typedef struct bench {
    bench_options options;
    cvk_device *device;
    const against_library *libraries[MOST_LIBRARIES];
    int n_libraries;
    report report;
} bench;

/* One node's problem while it is measured. */
typedef struct match {
    cvk_contestant all[MOST_ROWS + MOST_LIBRARIES];
    cvk_row_run rows[MOST_ROWS];
    int n_rows, count;
    cvk_view *plain;  /* by input of the node */
    void *want, *got; /* results */
    against_problem asked;
} match;

static cvk_status start_libraries(bench *b)
{
    char name[32];
    int threads = b->options.threads ? b->options.threads : cvk_cpu_cores();
    for (const char *at = b->options.against; at && *at;) {
        const against_library *library;
        char about[512] = "not found when this program was configured";
        int n = (int)strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", n, at);
        at += n + (at[n] == ',');
        if (!against_find(name, &library))
            return cvk_fail(CVK_BAD_ARGUMENT, "no library is called '%s'", name);
        bool works = library && b->n_libraries < MOST_LIBRARIES &&
                     library->start(threads, about, sizeof about);
        report_library(&b->report, library ? library->name : name, library, works, about);
        if (works) b->libraries[b->n_libraries++] = library;
    }
    return CVK_OK;
}

static cvk_status fill_inputs(const cvk_graph *graph, const cvk_node *node, const cvk_case *c,
                              match *m)
{
    m->plain = cvk_arena_alloc(graph->arena, ((size_t)node->n_in + 1) * sizeof *m->plain);
    if (!m->plain) return CVK_NO_MEMORY;
    for (int i = 0; i < node->n_in; i++) {
        double low, high;
        cvk_view *view = &m->plain[i];
        *view = cvk_graph_view(graph, node->in[i]);
        if (node->in[i] < 0 || view->data) continue;
        view->data = cvk_arena_alloc(graph->arena, cvk_view_bytes(view) + 8);
        if (!view->data) return CVK_NO_MEMORY;
        cvk_case_range(c, i, &low, &high);
        cvk_case_fill(view, (uint64_t)i + 1, low, high);
    }
    cvk_view out = cvk_graph_view(graph, node->out[0]);
    m->want = cvk_arena_alloc(graph->arena, cvk_view_bytes(&out) + 8);
    m->got = cvk_arena_alloc(graph->arena, cvk_view_bytes(&out) + 8);
    return m->want && m->got ? CVK_OK : CVK_NO_MEMORY;
}

static double distance(const match *m, size_t count)
{
    double error = 0, norm = 0;
    const float *want = m->want, *got = m->got;
    for (size_t i = 0; i < count; i++) {
        error += ((double)got[i] - want[i]) * ((double)got[i] - want[i]);
        norm += (double)want[i] * want[i];
    }
    return norm > 0 ? sqrt(error / norm) : sqrt(error);
}

static void judge(match *m, cvk_contestant *c, size_t count)
{
    c->error = distance(m, count);
    if (!(c->error <= tolerance)) c->refused = "its result differs from the first row's";
}

static cvk_status add_row(bench *b, cvk_scheduler *s, const cvk_node *node, const cvk_kernel *row,
                          const char *name, match *m)
{
    if (m->n_rows == MOST_ROWS) return CVK_OK;
    const cvk_view out = cvk_graph_view(s->graph, node->out[0]);
    cvk_row_run *run = &m->rows[m->n_rows];
    cvk_contestant *c = &m->all[m->n_rows++];
    *c = (cvk_contestant){.name = name, .run = cvk_row_launch, .self = run, .error = -1};
    CVK_TRY(cvk_row_open(s, b->device, node, row, NULL, m->plain, run));
    void *dst[MOST_OUTPUTS] = {m->n_rows == 1 ? m->want : m->got};
    CVK_TRY(cvk_row_result(run, dst));
    if (m->n_rows > 1 && out.dtype == CVK_F32) judge(m, c, (size_t)cvk_view_count(&out));
    return CVK_OK;
}

static cvk_status add_rows(bench *b, cvk_scheduler *s, const cvk_node *node, match *m)
{
    const cvk_graph *graph = s->graph;
    size_t views_bytes = (size_t)(node->n_in + node->n_out + 1) * sizeof(cvk_view);
    cvk_view *views = cvk_arena_alloc(graph->arena, views_bytes);
    if (!views) return CVK_NO_MEMORY;
    for (int i = 0; i < node->n_in; i++) views[i] = cvk_graph_view(graph, node->in[i]);
    for (int i = 0; i < node->n_out; i++)
        views[node->n_in + i] = cvk_graph_view(graph, node->out[i]);
    cvk_problem problem = {
        .node = node, .in = views, .out = views + node->n_in, .caps = &b->device->caps};
    for (int r = 0; r < b->device->n_kernels; r++) {
        const cvk_kernel *row = &b->device->kernels[r];
        const char *why, *way = NULL;
        if (row->op != node->op || (row->needs & ~b->device->caps.bits) ||
            !bench_listed(b->options.rows, row->name) || !row->accepts(&problem, &why))
            continue;
        CVK_TRY(add_row(b, s, node, row, row->name, m));
        for (int k = 1; b->options.ways && row->variant && (way = row->variant(&problem, k)); k++) {
            cvk_node other = *node;
            other.variant = k;
            const char *name = cvk_tuned_name(graph->arena, row, way);
            CVK_TRY(name ? add_row(b, s, &other, row, name, m) : CVK_NO_MEMORY);
        }
    }
    return CVK_OK;
}

static void add_libraries(bench *b, const cvk_graph *graph, const cvk_node *node, match *m)
{
    const char *why;
    bool comparable = problem_from_node(graph, node, m->plain, &m->asked, &why);
    for (int i = 0; i < b->n_libraries; i++) {
        const against_library *library = b->libraries[i];
        cvk_contestant *c = &m->all[m->count++];
        *c = (cvk_contestant){
            .name = library->name, .run = library->run, .error = -1, .refused = why};
        if (!comparable) continue;
        c->self = library->make(&m->asked, &c->refused);
        if (!c->self) continue;
        c->refused = NULL;
        c->detail = library->detail(c->self);
        if (library->result(c->self, m->got))
            judge(m, c, against_dst_count(&m->asked));
        else
            c->refused = "it failed while it ran";
    }
}

static void close_match(bench *b, match *m)
{
    for (int i = 0; i < m->count; i++) free(m->all[i].ms);
    for (int i = 0; i < m->n_rows; i++) cvk_row_close(&m->rows[i]);
    for (int i = 0; m->count > m->n_rows && i < b->n_libraries; i++)
        if (m->all[m->n_rows + i].self) b->libraries[i]->drop(m->all[m->n_rows + i].self);
    free(m);
}

static cvk_status bench_node(bench *b, cvk_scheduler *s, const cvk_node *node, const cvk_case *c,
                             const bench_problem *p)
{
    match *m = calloc(1, sizeof *m);
    if (!m) return cvk_fail(CVK_NO_MEMORY, "out of memory");
    cvk_status status = fill_inputs(s->graph, node, c, m);
    if (!status) status = add_rows(b, s, node, m);
    m->count = m->n_rows;
    if (!status && m->n_rows) {
        add_libraries(b, s->graph, node, m);
        const cvk_contest_rules rules = {.rounds = b->options.rounds, .pause = b->n_libraries > 0};
        if (cvk_contest_measure(m->all, m->count, &rules, NULL))
            report_problem(&b->report, p, m->all, m->count, m->n_rows,
                           (double)cvk_node_macs(s->graph, node), problem_bytes(s->graph, node));
        else
            status = cvk_fail(CVK_NO_MEMORY, "out of memory");
    } else if (!status) {
        printf("%-34s no row\n", p->name);
    }
    close_match(b, m);
    return status;
}

/* The first two words: without bias. */
static void cut_bias(const char *inputs, char *text, size_t size)
{
    const char *end = inputs;
    for (int word = 0; word < 2; word++) {
        end += strspn(end, " ");
        end += strcspn(end, " ");
    }
    snprintf(text, size, "%.*s", (int)(end - inputs), inputs);
}

/* Every node of the case; 1 after a sentence on stderr. */
static int bench_case(bench *b, bench_problem p)
{
    char inputs[LINE];
    if (b->options.only && !strstr(p.name, b->options.only)) return 0;
    if (b->options.bare && (strcmp(p.op, "Conv") == 0 || strcmp(p.op, "Gemm") == 0)) {
        cut_bias(p.inputs, inputs, sizeof inputs);
        p.inputs = inputs;
        p.posts = "";
    }
    cvk_case c = {p.op, p.inputs, p.attrs, p.posts};
    cvk_arena *arena = cvk_arena_create();
    cvk_graph *graph;
    if (!arena) return 1;
    cvk_status status = cvk_case_graph(arena, &c, &graph);
    cvk_plan plan = {.arena = arena, .devices = &b->device, .n_devices = 1};
    cvk_schedule_options options = {0};
    cvk_scheduler s = {.plan = &plan, .devices = &b->device, .n_devices = 1, .options = &options};
    if (!status) plan.graph = s.graph = graph;
    for (int i = 0; !status && i < graph->n_nodes; i++)
        if (!cvk_is_alias(&graph->nodes[i])) status = bench_node(b, &s, &graph->nodes[i], &c, &p);
    cvk_arena_free(&arena);
    if (status) fprintf(stderr, "%s: %s\n", p.name, cvk_last_error());
    return status != CVK_OK;
}

static char *trim(char *text)
{
    while (*text == ' ') text++;
    for (size_t n = strlen(text); n && (text[n - 1] == ' ' || text[n - 1] == '\n'); n--)
        text[n - 1] = 0;
    return text;
}

/* "name | op | inputs | attributes | posts | count" into fields; false for a comment or a short
 * line. */
static bool read_line(char *line, char *fields[FIELDS])
{
    static char none[] = "";
    if (*line == '#') return false;
    for (int i = 0; i < FIELDS; i++) {
        char *bar = line ? strchr(line, '|') : NULL;
        if (bar) *bar = 0;
        if (!bar && i < 3) return false;
        fields[i] = line ? trim(line) : none;
        line = bar ? bar + 1 : NULL;
    }
    return true;
}

static int bench_list(bench *b, const char *path)
{
    char line[LINE], *field[FIELDS];
    int failed = 0;
    const char *slash = strrchr(path, '/');
    FILE *file = fopen(path, "r");
    if (!file) {
        fprintf(stderr, "cannot read %s\n", path);
        return 2;
    }
    while (fgets(line, sizeof line, file)) {
        if (!read_line(line, field)) continue;
        int count = atoi(field[5]);
        bench_problem p = {field[0],
                           field[1],
                           field[2],
                           field[3],
                           field[4],
                           slash ? slash + 1 : path,
                           count > 0 ? count : 1};
        failed |= bench_case(b, p);
    }
    fclose(file);
    return failed;
}

static int bench_cases(bench *b)
{
    int failed = 0;
    for (cvk_case c = {.op = NULL}; cvk_case_next(&c);) {
        char name[LINE];
        snprintf(name, sizeof name, "%s %s%s%s%s%s", c.op, c.inputs, *c.attrs ? " " : "", c.attrs,
                 *c.posts ? " " : "", c.posts);
        bench_problem p = {name, c.op, c.inputs, c.attrs, c.posts, "op_cases.def", 1};
        failed |= bench_case(b, p);
    }
    return failed;
}

static int bench_all(bench *b)
{
    int code = 0;
    for (int i = 0; i < b->options.n_layers; i++) {
        int failed = bench_list(b, b->options.layers[i]);
        if (failed) code = failed;
    }
    if (b->options.cases && bench_cases(b)) code = 1;
    if (!report_end(&b->report, b->options.json)) code = 3;
    return code;
}

int main(int argc, char **argv)
{
    bench b = {.device = NULL};
    int code = bench_options_read(argc, argv, &b.options);
    if (code) return code > 0 ? code : 0;
    if (!b.options.n_layers && !b.options.cases)
        b.options.layers[b.options.n_layers++] = BENCH_DIR "/layers/common.txt";
    const cvk_device_options wanted = {.threads = b.options.threads, .isa = b.options.isa};
    if (cvk_devices_open(b.options.device, &wanted, &b.device) ||
        !report_start(&b.report, b.device, b.options.rounds, b.options.bare) ||
        start_libraries(&b)) {
        fprintf(stderr, "%s\n", cvk_last_error());
        return 4;
    }
    code = bench_all(&b);
    b.device->backend->close(b.device);
    return code;
}
