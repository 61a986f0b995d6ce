/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks the cases, one graph in memory at a time, and gives each node to every row that accepts it.
 * Rows that are on the deny list already have a round of their own behind the others, so that one
 * that stops the device does not keep them from being tested.
 */
#include "selftest/selftest.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "schedule/denied.h"
#include "selftest/check.h"

/* What is known of a row. */
typedef struct tally {
    const cvk_kernel *row;
    bool asked; /* the caller wants it tested */
    bool was_denied, denied;
    bool failed; /* it is not run again */
    int cases, wrong;
    double rel_l2;
    char reason[CVK_DENIED_REASON]; /* what went wrong first, or why the last case was not for it */
} tally;

typedef struct selftest {
    cvk_device *device;
    const cvk_selftest_options *options;
    tally *rows;
    bool again;           /* the round of rows that were denied before */
    const tally *culprit; /* the row at which the device stopped answering; NULL: it answers */
} selftest;

/* Whether the row is run in this round. */
static bool takes_part(const selftest *t, const tally *r)
{
    return r->asked && !r->failed && r->was_denied == t->again && !t->culprit;
}

/* "Conv 1x3x9x9 c:8x3x3x3; pads=[1,1,1,1]; Relu: relative L2 error 0.7, ...", in one line. */
static void write_reason(char reason[CVK_DENIED_REASON], const cvk_case *c, const char *why)
{
    snprintf(reason, CVK_DENIED_REASON, "%s %s%s%s%s%s: %s", c->op, c->inputs,
             *c->attrs ? "; " : "", c->attrs, *c->posts ? "; " : "", c->posts, why);
    for (char *at = reason; *at; at++)
        if ((unsigned char)*at < 0x20) *at = ' ';
}

static void blame(const selftest *t, tally *r, const cvk_case *c, const char *why)
{
    char reason[CVK_DENIED_REASON];
    write_reason(reason, c, why);
    if (!r->wrong++) memcpy(r->reason, reason, sizeof reason);
    cvk_log(CVK_LOG_INFO, "%s: row %s: %s", t->device->info.id, r->row->name, reason);
}

/* Whether bytes go to the device and come back. */
static bool answers(cvk_device *device)
{
    const cvk_backend *backend = device->backend;
    char out[64] = "are you there?", back[64] = "";
    void *data = NULL;
    if (backend->alloc(device, sizeof out, &data)) return false;
    bool same = !backend->write(device, data, out, sizeof out) && !backend->finish(device) &&
                !backend->read(device, back, data, sizeof back, true) &&
                memcmp(out, back, sizeof out) == 0;
    backend->release(device, data);
    return same;
}

/* One run of a row that is open. */
static cvk_status run_once(selftest *t, tally *r, const cvk_case *c, cvk_check *check)
{
    cvk_verdict verdict;
    CVK_TRY(cvk_check_run(check, &verdict));
    if (!verdict.right) blame(t, r, c, verdict.reason);
    if (verdict.rel_l2 > r->rel_l2) r->rel_l2 = verdict.rel_l2;
    return CVK_OK;
}

/* A row that fails is not run again; the test goes on if the device does. */
static cvk_status give(selftest *t, tally *r, cvk_scheduler *s, const cvk_case *c,
                       const cvk_expected *e)
{
    cvk_check check;
    int wrong = r->wrong;
    cvk_status status = cvk_check_open(s, t->device, r->row, e, &check);
    bool opened = !status;
    r->cases++;
    if (!status) status = run_once(t, r, c, &check);
    if (!status && r->wrong == wrong && cvk_check_share(&check)) status = run_once(t, r, c, &check);
    cvk_check_close(&check);
    if (!status || (status == CVK_NO_MEMORY && !opened)) return status;
    blame(t, r, c, cvk_last_error());
    r->failed = true;
    if (!answers(t->device)) t->culprit = r;
    return CVK_OK;
}

static bool is_wanted(const selftest *t, const cvk_node *node)
{
    for (int i = 0; i < t->device->n_kernels; i++)
        if (t->rows[i].row->op == node->op && takes_part(t, &t->rows[i])) return true;
    return false;
}

static cvk_status visit_node(selftest *t, cvk_scheduler *s, const cvk_case *c, const cvk_node *node)
{
    cvk_expected e;
    if (cvk_is_alias(node) || !is_wanted(t, node)) return CVK_OK;
    CVK_TRY(cvk_expected_make(s->graph, c, node, false, &e));
    for (int i = 0; i < t->device->n_kernels; i++) {
        tally *r = &t->rows[i];
        const char *why;
        if (r->row->op != node->op || !takes_part(t, r)) continue;
        if (cvk_place_accepts(s, node, 0, r->row, &why))
            CVK_TRY(give(t, r, s, c, &e));
        else if (!r->cases)
            snprintf(r->reason, sizeof r->reason, "%s", why);
    }
    return CVK_OK;
}

static cvk_status visit_case(selftest *t, const cvk_case *c)
{
    cvk_arena *arena = cvk_arena_create();
    cvk_plan plan = {.arena = arena, .devices = &t->device, .n_devices = 1};
    cvk_schedule_options options = {0};
    cvk_scheduler s = {.plan = &plan, .devices = &t->device, .n_devices = 1, .options = &options};
    cvk_status status = arena ? cvk_case_graph(arena, c, &plan.graph) : CVK_NO_MEMORY;
    s.graph = plan.graph;
    for (int i = 0; !status && i < plan.graph->n_nodes; i++)
        status = visit_node(t, &s, c, &plan.graph->nodes[i]);
    cvk_arena_free(&arena);
    return status ? cvk_fail_at(status, "case '%s %s'", c->op, c->inputs) : CVK_OK;
}

static cvk_status play_round(selftest *t, bool again)
{
    bool any = false;
    t->again = again;
    for (int i = 0; i < t->device->n_kernels; i++) any = any || takes_part(t, &t->rows[i]);
    for (cvk_case c = {.op = NULL}; any && !t->culprit && cvk_case_next(&c);)
        CVK_TRY(visit_case(t, &c));
    return CVK_OK;
}

/* The cases are written as the C locale writes numbers; other threads keep theirs. */
static cvk_status play(selftest *t)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain) return cvk_fail(CVK_NO_MEMORY, "out of memory: the C locale");
    locale_t before = uselocale(plain);
    cvk_status status = play_round(t, false);
    if (!status && !t->culprit) status = play_round(t, true);
    uselocale(before);
    freelocale(plain);
    return status;
}

/* Whether all cases were walked in the row's round. */
static bool is_complete(const selftest *t, const tally *r)
{
    return !t->culprit || (t->again && !r->was_denied);
}

static cvk_selftest_status judge(const selftest *t, const tally *r)
{
    if (r->failed) return CVK_SELFTEST_FAILED;
    if (r->wrong) return CVK_SELFTEST_WRONG;
    return r->cases && is_complete(t, r) ? CVK_SELFTEST_PASSED : CVK_SELFTEST_NOT_REACHED;
}

/* What is not passed has a reason. */
static void explain(const selftest *t, tally *r)
{
    const char *lacks = cvk_row_lacks(t->device, r->row);
    if (judge(t, r) != CVK_SELFTEST_NOT_REACHED) return;
    if (lacks)
        snprintf(r->reason, sizeof r->reason, "%s", lacks);
    else if (!is_complete(t, r))
        snprintf(r->reason, sizeof r->reason, "the device stopped answering at row %s",
                 t->culprit->row->name);
    else if (!*r->reason)
        snprintf(r->reason, sizeof r->reason, "no case has its operator");
}

/* The deny list as it should be now. */
static cvk_status keep(selftest *t)
{
    cvk_store *store = NULL;
    cvk_status status = CVK_OK;
    for (int i = 0; i < t->device->n_kernels; i++) {
        tally *r = &t->rows[i];
        const cvk_selftest_status now = judge(t, r);
        const bool deny = now == CVK_SELFTEST_WRONG || now == CVK_SELFTEST_FAILED;
        if (!deny && !(r->was_denied && now == CVK_SELFTEST_PASSED)) continue;
        if (!store) store = cvk_store_open();
        const bool kept = deny ? cvk_denied_write(store, t->device, r->row, r->reason)
                               : cvk_denied_drop(store, t->device, r->row);
        if (kept) r->denied = deny;
        if (!kept && !status)
            status =
                cvk_fail(CVK_IO,
                         "row %s of %s %s, but the deny list cannot be kept: there is no store, "
                         "or it cannot be written to",
                         r->row->name, t->device->info.id, deny ? "is wrong" : "passes again");
    }
    cvk_store_close(store);
    return status;
}

static void tell(const selftest *t, cvk_selftest_result *result)
{
    for (int i = 0; i < t->device->n_kernels; i++) {
        const tally *r = &t->rows[i];
        if (!r->asked) continue;
        const cvk_selftest_row row = {
            .device = t->device->info.id,
            .kernel = r->row->name,
            .op = cvk_op_kind_name(r->row->op),
            .cases = r->cases,
            .wrong = r->wrong,
            .status = judge(t, r),
            .rel_l2 = r->rel_l2,
            .reason = r->wrong || judge(t, r) != CVK_SELFTEST_PASSED ? r->reason : "",
            .denied = r->denied,
            .was_denied = r->was_denied};
        result->rows++;
        result->passed += row.status == CVK_SELFTEST_PASSED;
        result->wrong += row.status == CVK_SELFTEST_WRONG;
        result->failed += row.status == CVK_SELFTEST_FAILED;
        result->not_reached += row.status == CVK_SELFTEST_NOT_REACHED;
        result->cases += row.cases;
        result->denied += row.denied;
        if (t->options->row) t->options->row(t->options->user, &row);
    }
}

/* The rows that are asked for, and which of them are denied. */
static cvk_status collect(selftest *t)
{
    const char *only = t->options->kernel;
    cvk_store *store = cvk_store_open_present();
    bool any = false;
    for (int i = 0; i < t->device->n_kernels; i++) {
        tally *r = &t->rows[i];
        r->row = &t->device->kernels[i];
        r->asked = !only || strcmp(only, r->row->name) == 0;
        any = any || r->asked;
        r->was_denied = r->asked && cvk_denied_read(store, t->device, r->row, r->reason);
        r->denied = r->was_denied;
        r->reason[0] = 0;
    }
    cvk_store_close(store);
    if (any) return CVK_OK;
    return cvk_fail(CVK_BAD_ARGUMENT, "device %s has no kernel row '%s'", t->device->info.id, only);
}

static cvk_status test(selftest *t, cvk_selftest_result *result)
{
    CVK_TRY(collect(t));
    CVK_TRY(play(t));
    for (int i = 0; i < t->device->n_kernels; i++) explain(t, &t->rows[i]);
    cvk_status status = keep(t);
    tell(t, result);
    if (!status && t->culprit)
        status = cvk_fail(CVK_DEVICE_FAILED, "%s stopped answering at row %s: %s",
                          t->device->info.id, t->culprit->row->name, t->culprit->reason);
    return status;
}

cvk_status cvk_selftest_device(cvk_device *device, const cvk_selftest_options *options,
                               cvk_selftest_result *result)
{
    selftest t = {.device = device, .options = options};
    cvk_selftest_result sum = {.rows = 0};
    t.rows = calloc((size_t)device->n_kernels + 1, sizeof *t.rows);
    if (!t.rows) return cvk_fail(CVK_NO_MEMORY, "out of memory: the rows of %s", device->info.id);
    cvk_status status = test(&t, &sum);
    if (result && (!status || sum.rows)) *result = sum;
    free(t.rows);
    return status;
}
