/* SPDX-License-Identifier: Apache-2.0
 *
 * The tuner: problems of a plan, largest first; for each, the rows between which there is a choice
 * take turns, and the best is kept in the store (schedule/tuned.h).
 *
 * What is fair: only rows that give the default row's output layout compete, so that the steps
 * behind are what they were; a row that wants an input in another layout than the default is timed
 * together with the reorders which that costs. It may be cheaper in a plan, where the input lies in
 * that layout already or a neighbour shares the reorder, never dearer: a row that wins here is
 * worth it everywhere. Weights are in a cache while a row takes its turns, and in a plan of many they
 * are not: what reading them from there takes longer is added (cvk_cost_cold_ms), or rows that make
 * more of them would win here and lose there.
 */
#include "session/tune.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "schedule/cost.h"
#include "schedule/denied.h"
#include "schedule/describe.h"
#include "schedule/rates.h"
#include "schedule/tuned.h"
#include "session/contest.h"
#include "session/rows.h"
#include "session/session.h"

enum { ROUNDS = 15, LEAST_ROUNDS = 5, SERIES = 3, MOST_RIVALS = 32 };
static const double watchdog_ms = 1000; /* of a launch on a device that may also draw a screen */
static const double worth = 0.97;       /* of the default's time */
static const double calm = 1.25; /* upper quartile to lower, of turns that nothing disturbed */

/* A distinct problem of the plan. */
typedef struct problem {
    const char *key;
    const cvk_plan_step *made; /* the first of its steps */
    int steps, device;
    double weight; /* multiply-adds of all of them */
} problem;

typedef struct tuner {
    const cvk_plan *plan;
    cvk_scheduler s; /* asks rows as the scheduler does */
    cvk_store *store;
    const cvk_tune_options *options;
    double until_ms; /* 0: no limit */
    problem *problems;
    cvk_tune_result result;
} tuner;

/* One problem while it is measured; by rival, the default first. */
typedef struct trial {
    const problem *p;
    cvk_plan scratch; /* its arena ends with the trial */
    cvk_scheduler s;
    cvk_contestant all[MOST_RIVALS];
    cvk_row_run runs[MOST_RIVALS];
    int count;
    const char *refused;
    cvk_view *plain;      /* by input */
    cvk_view *want, *got; /* by output */
    void **dst;           /* by output */
} trial;

static int heavier_first(const void *left, const void *right)
{
    const problem *a = left, *b = right;
    if (a->weight != b->weight) return a->weight < b->weight ? 1 : -1;
    return a->made < b->made ? -1 : a->made > b->made;
}

/* Whether a row besides the step's own takes its node, or its own has another way. */
static cvk_status has_choice(tuner *t, const cvk_plan_step *made, bool *choice)
{
    const cvk_device *device = t->plan->devices[made->device];
    cvk_problem problem;
    *choice = false;
    if (made->step.kernel->variant) {
        CVK_TRY(cvk_problem_make(&t->s, made->step.node, &device->caps, &problem));
        *choice = made->step.kernel->variant(&problem, 1) != NULL;
    }
    for (int r = 0; r < device->n_kernels && !*choice; r++) {
        const cvk_kernel *row = &device->kernels[r];
        const char *why;
        if (row == made->step.kernel || !cvk_tuned_rival(made->step.kernel, row)) continue;
        CVK_TRY(cvk_place_takes(&t->s, made->step.node, made->device, row, choice, &why));
    }
    return CVK_OK;
}

/* Steps on a device for which there is a choice of rows, each problem once. */
static cvk_status collect(tuner *t)
{
    const cvk_plan *plan = t->plan;
    cvk_arena *arena = t->s.graph->arena;
    t->problems = cvk_arena_alloc(arena, ((size_t)plan->n_steps + 1) * sizeof *t->problems);
    if (!t->problems) return CVK_NO_MEMORY;
    for (int i = 0; i < plan->n_steps; i++) {
        const cvk_plan_step *made = &plan->steps[i];
        const char *key;
        bool choice;
        int k = 0;
        if (made->device == CVK_HOST || made->step.node->op == CVK_OP_Reorder) continue;
        CVK_TRY(cvk_tuned_key(&t->s, made->step.node, plan->devices[made->device],
                              made->step.kernel, &key));
        if (key) CVK_TRY(has_choice(t, made, &choice));
        if (!key || !choice) continue;
        while (k < t->result.problems && strcmp(t->problems[k].key, key) != 0) k++;
        problem *p = &t->problems[k];
        if (k == t->result.problems) {
            *p = (problem){.key = key, .made = made, .device = made->device};
            t->result.problems++;
        }
        p->steps++;
        p->weight += (double)made->macs;
    }
    qsort(t->problems, (size_t)t->result.problems, sizeof *t->problems, heavier_first);
    return CVK_OK;
}

static cvk_status refuse(trial *tr, const char *row, const char *why)
{
    tr->refused = cvk_arena_printf(tr->scratch.arena, "%s%s%s: %s", tr->refused,
                                   *tr->refused ? "; " : "", row, why);
    return tr->refused ? CVK_OK : CVK_NO_MEMORY;
}

/* splitmix64, as a number in [0, 1). */
static double noise(uint64_t index)
{
    uint64_t x = (index + 1) * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return (double)((x ^ x >> 31) >> 11) * 0x1p-53;
}

/* Floats from -1 to 1, 8-bit integers of their whole range, all else 0. */
static void fill(cvk_view *view, int input)
{
    int64_t count = cvk_view_count(view);
    double low = view->dtype == CVK_I8 ? -128 : view->dtype == CVK_U8 ? 0 : -1;
    double span = cvk_dtype_is_float(view->dtype) ? 2 : 256;
    bool bytes = view->dtype == CVK_I8 || view->dtype == CVK_U8;
    if (!bytes && !cvk_dtype_is_float(view->dtype)) return;
    for (int64_t i = 0; i < count; i++) {
        double x = low + span * noise((uint64_t)input << 40 ^ (uint64_t)i);
        cvk_view_set(view, i, bytes ? floor(x) : x);
    }
}

/* A view of a value with zeroed memory of its own, plain. Constants keep their data. */
static cvk_status make_plain(trial *tr, int id, cvk_view *view)
{
    *view = cvk_graph_view(tr->s.graph, id);
    view->layout = CVK_LAYOUT_PLAIN;
    if (id < 0 || view->data) return CVK_OK;
    view->data = cvk_arena_alloc(tr->scratch.arena, cvk_view_bytes(view) + 8);
    return view->data ? CVK_OK : CVK_NO_MEMORY;
}

static cvk_status make_tensors(trial *tr)
{
    const cvk_node *node = tr->p->made->step.node;
    cvk_arena *arena = tr->scratch.arena;
    size_t n_out = (size_t)node->n_out + 1;
    tr->plain = cvk_arena_alloc(arena, ((size_t)node->n_in + 1) * sizeof *tr->plain);
    tr->want = cvk_arena_alloc(arena, n_out * sizeof *tr->want);
    tr->got = cvk_arena_alloc(arena, n_out * sizeof *tr->got);
    tr->dst = cvk_arena_alloc(arena, n_out * sizeof *tr->dst);
    if (!tr->plain || !tr->want || !tr->got || !tr->dst) return CVK_NO_MEMORY;
    for (int i = 0; i < node->n_in; i++) {
        CVK_TRY(make_plain(tr, node->in[i], &tr->plain[i]));
        if (node->in[i] >= 0 && !cvk_is_const(tr->s.graph, node->in[i])) fill(&tr->plain[i], i);
    }
    for (int i = 0; i < node->n_out; i++) {
        CVK_TRY(make_plain(tr, node->out[i], &tr->want[i]));
        CVK_TRY(make_plain(tr, node->out[i], &tr->got[i]));
    }
    return CVK_OK;
}

/* Relative L2; infinite if one has a NaN or an infinity that the other has not. */
static double distance(const cvk_view *got, const cvk_view *want)
{
    double error = 0, norm = 0;
    int64_t count = cvk_view_count(want);
    for (int64_t i = 0; i < count; i++) {
        double a = cvk_view_get(got, i), b = cvk_view_get(want, i);
        if (a == b || (isnan(a) && isnan(b))) {
            norm += isfinite(b) ? b * b : 0;
            continue;
        }
        if (!isfinite(a) || !isfinite(b)) return INFINITY;
        error += (a - b) * (a - b);
        norm += b * b;
    }
    return norm > 0 ? sqrt(error / norm) : sqrt(error);
}

/* Whether the results of the row that ran last are those of the default. */
static bool agrees(const trial *tr)
{
    const cvk_node *node = tr->p->made->step.node;
    for (int i = 0; i < node->n_out; i++) {
        if (node->out[i] < 0) continue;
        double bound = tr->want[i].dtype == CVK_F16 ? 1e-3 : 1e-4;
        if (!(distance(&tr->got[i], &tr->want[i]) <= bound)) return false;
    }
    return true;
}

/* Opens the row, in one of its ways, and looks at its results. A rival that fails is refused; the
 * default must not. */
static cvk_status add_way(trial *tr, const cvk_kernel *row, int variant, const char *name)
{
    const cvk_step *step = &tr->p->made->step;
    cvk_device *device = tr->s.devices[tr->p->device];
    bool first = tr->count == 0;
    if (tr->count == MOST_RIVALS) return refuse(tr, name, "too many rows compete");
    cvk_row_run *run = &tr->runs[tr->count];
    cvk_view *results = first ? tr->want : tr->got;
    cvk_node node = *step->node;
    node.variant = variant;
    for (int i = 0; i < node.n_out; i++) tr->dst[i] = results[i].data;
    cvk_status status = cvk_row_open(&tr->s, device, &node, row, step->kernel, tr->plain, run);
    if (!status) status = cvk_row_result(run, tr->dst);
    if (!status && (first || agrees(tr))) {
        tr->all[tr->count++] =
            (cvk_contestant){.name = name, .run = cvk_row_launch, .self = run, .error = -1};
        return CVK_OK;
    }
    cvk_row_close(run);
    if (first) return status;
    if (!status) return refuse(tr, name, "its result differs from the default's");
    return refuse(tr, name, cvk_last_error());
}

/* The row as it would run by itself, then its other ways. */
static cvk_status add_row(trial *tr, const cvk_kernel *row)
{
    const cvk_node *node = tr->p->made->step.node;
    cvk_problem problem;
    const char *variant = NULL;
    CVK_TRY(add_way(tr, row, 0, row->name));
    CVK_TRY(cvk_problem_make(&tr->s, node, &tr->s.devices[tr->p->device]->caps, &problem));
    for (int k = 1; row->variant && (variant = row->variant(&problem, k)); k++) {
        const char *name = cvk_tuned_name(tr->scratch.arena, row, variant);
        CVK_TRY(name ? add_way(tr, row, k, name) : CVK_NO_MEMORY);
    }
    return CVK_OK;
}

static cvk_status add_rows(trial *tr)
{
    const cvk_plan_step *made = tr->p->made;
    const cvk_device *device = tr->s.devices[tr->p->device];
    CVK_TRY(make_tensors(tr));
    CVK_TRY(add_row(tr, made->step.kernel));
    for (int r = 0; r < device->n_kernels; r++) {
        const cvk_kernel *row = &device->kernels[r];
        const char *why;
        bool takes;
        if (row == made->step.kernel || !cvk_tuned_rival(made->step.kernel, row)) continue;
        CVK_TRY(cvk_place_takes(&tr->s, made->step.node, tr->p->device, row, &takes, &why));
        CVK_TRY(takes ? add_row(tr, row) : refuse(tr, row->name, why));
    }
    return CVK_OK;
}

/* The best of those that were timed: the default unless another is faster by more than noise: its
 * median by 3 %, and three quarters of its turns than the default's median. */
static int choose(const trial *tr)
{
    const cvk_contestant *usual = &tr->all[0];
    int best = 0;
    for (int i = 1; i < tr->count; i++) {
        const cvk_contestant *c = &tr->all[i];
        if (!c->refused && c->median < worth * usual->median && c->high < usual->median &&
            c->median < tr->all[best].median)
            best = i;
    }
    return best;
}

/* Rounds until the default's times lie close together: again, if something else kept the machine
 * busy meanwhile, but not for ever. *rounds: of the series that counts, the last. */
static cvk_status take_turns(const tuner *t, trial *tr, int *rounds)
{
    const uint32_t bits = tr->s.devices[tr->p->device]->caps.bits;
    const bool own = tr->s.devices[tr->p->device]->backend->host || bits & CVK_CAP_CPU;
    const cvk_contest_rules rules = {
        .rounds = ROUNDS, .until_ms = t->until_ms, .most_ms = own ? 0 : watchdog_ms};
    for (int series = 0; series < SERIES; series++) {
        for (int i = 0; i < tr->count; i++) {
            free(tr->all[i].ms);
            tr->all[i].ms = NULL;
        }
        if (!cvk_contest_measure(tr->all, tr->count, &rules, rounds))
            return cvk_fail(CVK_NO_MEMORY, "out of memory: times of rows");
        if (tr->all[0].refused) return cvk_fail_at(CVK_DEVICE_FAILED, "row %s", tr->all[0].name);
        if (*rounds < ROUNDS || tr->all[0].high <= calm * tr->all[0].low) break;
    }
    return CVK_OK;
}

/* Adds what a plan's weights take longer than the ones measured. */
static void add_cold(const tuner *t, trial *tr)
{
    const cvk_device *device = tr->s.devices[tr->p->device];
    cvk_device_rates rates;
    if (!cvk_rates_read(t->store, device, &rates)) rates = device->rates;
    const cvk_cost_place place = {.caps = &device->caps,
                                  .rates = &rates,
                                  .lanes = 1,
                                  .resident = (double)t->plan->weight_bytes};
    for (int i = 0; i < tr->count; i++) {
        const cvk_step *own = &tr->runs[i].steps[tr->runs[i].n_steps - 1];
        const double ms = cvk_cost_cold_ms((double)cvk_step_pack_bytes(own), &place);
        tr->all[i].median += ms;
        tr->all[i].low += ms;
        tr->all[i].high += ms;
    }
}

/* *decided: false if the budget was used up first. */
static cvk_status contest(const tuner *t, trial *tr, cvk_tuned *tuned, bool *decided)
{
    int rounds = 0;
    CVK_TRY(add_rows(tr));
    CVK_TRY(take_turns(t, tr, &rounds));
    *decided = rounds >= LEAST_ROUNDS;
    for (int i = 1; i < tr->count; i++)
        if (tr->all[i].refused) CVK_TRY(refuse(tr, tr->all[i].name, tr->all[i].refused));
    add_cold(t, tr);
    int best = choose(tr);
    *tuned = (cvk_tuned){.ms = tr->all[best].median, .default_ms = tr->all[0].median};
    strncat(tuned->row, tr->all[best].name, sizeof tuned->row - 1);
    return CVK_OK;
}

static void tell(const tuner *t, const problem *p, const cvk_tuned *tuned, const char *refused)
{
    const cvk_tune_layer layer = {.problem = cvk_tuned_problem(p->key),
                                  .device = cvk_step_device_name(t->plan, p->made),
                                  .kernel = tuned->row,
                                  .default_kernel = p->made->step.kernel->name,
                                  .ms = tuned->ms,
                                  .default_ms = tuned->default_ms,
                                  .steps = p->steps,
                                  .measured = refused != NULL,
                                  .refused = refused ? refused : ""};
    if (t->options->layer) t->options->layer(t->options->user, &layer);
}

static cvk_status keep(tuner *t, trial *tr, const cvk_tuned *tuned)
{
    if (!cvk_tuned_write(t->store, tr->p->key, tuned)) {
        char path[1024] = "";
        cvk_store_path(path, sizeof path);
        return cvk_fail(CVK_IO, "'%s' cannot be written: what was measured would be lost", path);
    }
    t->result.measured++;
    tell(t, tr->p, tuned, tr->refused);
    return CVK_OK;
}

static cvk_status measure(tuner *t, const problem *p)
{
    trial *tr = calloc(1, sizeof *tr);
    if (!tr) return cvk_fail(CVK_NO_MEMORY, "out of memory: a trial");
    tr->p = p;
    tr->refused = "";
    tr->s = t->s;
    tr->scratch = *t->s.plan;
    tr->scratch.arena = cvk_arena_create();
    tr->s.plan = &tr->scratch;
    cvk_tuned tuned;
    bool decided = false;
    cvk_status status = tr->scratch.arena ? contest(t, tr, &tuned, &decided) : CVK_NO_MEMORY;
    if (!status && decided) status = keep(t, tr, &tuned);
    if (!status && !decided) t->result.left++;
    for (int i = 0; i < tr->count; i++) {
        free(tr->all[i].ms);
        cvk_row_close(&tr->runs[i]);
    }
    cvk_arena_free(&tr->scratch.arena);
    free(tr);
    return status ? cvk_fail_at(status, "tuning '%s'", cvk_tuned_problem(p->key)) : CVK_OK;
}

/* Whether the budget is used up. */
static bool over(const tuner *t)
{
    return t->until_ms > 0 && cvk_session_clock() >= t->until_ms;
}

static cvk_status visit(tuner *t)
{
    for (int i = 0; i < t->result.problems; i++) {
        const problem *p = &t->problems[i];
        cvk_tuned tuned;
        if (cvk_tuned_read(t->store, p->key, &tuned)) {
            t->result.known++;
            tell(t, p, &tuned, NULL);
        } else if (over(t)) {
            t->result.left++;
        } else {
            CVK_TRY(measure(t, p));
        }
    }
    return CVK_OK;
}

/* With a graph of its own beside the plan, whose arena holds what is asked of it. */
static cvk_status tune(tuner *t, cvk_device *const *devices, int n_devices,
                       const cvk_session_options *session_options)
{
    cvk_arena *arena = cvk_arena_create();
    cvk_graph *graph = arena ? cvk_graph_clone(arena, t->plan->graph, true) : NULL;
    cvk_plan beside = {
        .arena = arena, .graph = graph, .devices = t->plan->devices, .n_devices = n_devices};
    const cvk_schedule_options asked = {.workspace_bytes = session_options->workspace_bytes};
    t->s = (cvk_scheduler){.plan = &beside,
                           .graph = graph,
                           .devices = devices,
                           .n_devices = n_devices,
                           .options = &asked,
                           .store = t->store};
    cvk_status status = graph ? cvk_denied_load(&t->s) : CVK_NO_MEMORY;
    if (!status) status = collect(t);
    if (!status) status = visit(t);
    cvk_arena_free(&arena);
    return status;
}

cvk_status cvk_tune_plan(const cvk_graph *model, cvk_device *const *devices, int n_devices,
                         const cvk_session_options *session_options,
                         const cvk_tune_options *options, cvk_tune_result *result)
{
    cvk_session_options plain = *session_options;
    cvk_session *session = NULL;
    tuner t = {.options = options};
    plain.no_tuned = true;
    if (options->budget_s > 0) t.until_ms = cvk_session_clock() + 1e3 * options->budget_s;
    t.store = cvk_store_open();
    if (!t.store)
        return cvk_fail(CVK_IO, "there is no store to keep what is measured: CONVOKE_CACHE_DIR is "
                                "empty, or its folder cannot be used");
    cvk_status status = cvk_session_make(model, devices, n_devices, &plain, true, NULL, &session);
    for (int d = 0; !status && d < n_devices && !over(&t); d++)
        status = cvk_rates_ensure(devices[d]);
    if (!status) {
        t.plan = session->plan;
        status = tune(&t, devices, n_devices, session_options);
    }
    cvk_session_unmake(&session);
    cvk_store_close(t.store);
    if (!status && result) *result = t.result;
    return status;
}
