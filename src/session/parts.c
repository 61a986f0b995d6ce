/* SPDX-License-Identifier: Apache-2.0
 *
 * Making a session whose batch is in parts: see parts.h.
 */
#include "session/parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

static size_t memory_limit(const cvk_device *device, const cvk_session_options *options)
{
    if (options->memory_bytes) return options->memory_bytes;
    return device->backend->host || !device->info.memory_bytes ? SIZE_MAX
                                                               : (size_t)device->info.memory_bytes;
}

static size_t memory_of(const cvk_plan *plan)
{
    const cvk_space_memory m = cvk_plan_memory(plan);
    return m.activation_bytes + m.workspace_bytes + plan->weight_bytes;
}

static bool fits(const cvk_session *session, const cvk_session_options *options)
{
    return memory_of(session->plan) <= memory_limit(session->plan->devices[0], options);
}

/* A session of the lane's devices for so many pictures. */
static cvk_status open_session(const struct cvk_parts *p, const cvk_graph *model,
                               const cvk_share *where, const cvk_session_options *options,
                               int64_t count, cvk_session **session)
{
    cvk_session_options own = *options;
    cvk_tensor *inputs = calloc((size_t)p->batch.n_inputs + 1, sizeof *inputs);
    if (!inputs) return cvk_fail(CVK_NO_MEMORY, "out of memory: a part of a batch");
    for (int i = 0; i < p->batch.n_inputs; i++) {
        inputs[i] = p->batch.inputs[i];
        if (p->batch.has_batch[i]) inputs[i].dims[0] = count;
    }
    own.inputs = inputs;
    own.n_inputs = p->batch.n_inputs;
    cvk_status status =
        cvk_session_open(model, where->devices, where->n_devices, &own, NULL, session);
    free(inputs);
    return status;
}

static cvk_status keep_session(struct cvk_parts *p, cvk_session *session)
{
    cvk_session **more = cvk_arena_grow(p->arena, p->sessions, sizeof(cvk_session *),
                                        p->n_sessions + 1, &p->sessions_capacity);
    if (!more) {
        cvk_session_unmake(&session);
        return CVK_NO_MEMORY;
    }
    p->sessions = more;
    p->sessions[p->n_sessions++] = session;
    return CVK_OK;
}

static cvk_status add_part(struct cvk_parts *p, int64_t first, int64_t count)
{
    p->all = cvk_arena_grow(p->arena, p->all, sizeof *p->all, p->n + 1, &p->capacity);
    if (!p->all) return CVK_NO_MEMORY;
    p->all[p->n++] = (cvk_part){p->n_sessions - 1, p->n_lanes, first, count};
    p->predicted_ms[p->n_lanes] += p->sessions[p->n_sessions - 1]->plan->predicted_ms;
    return CVK_OK;
}

/* Pictures for which the lane's memory is enough, at most `count`, and a session for so many. What
 * activations take grows with the pictures; what is needed beside them is known once it is planned. */
static cvk_status open_fitting(struct cvk_parts *p, const cvk_graph *model, const cvk_share *where,
                               const cvk_session_options *options, int64_t count, int64_t *size,
                               cvk_session **session)
{
    int64_t runs = 1;
    for (;;) {
        *size = (count + runs - 1) / runs;
        cvk_status status = open_session(p, model, where, options, *size, session);
        if (!status && fits(*session, options)) return CVK_OK;
        if (!status) {
            status =
                cvk_fail(CVK_NO_MEMORY, "%s: a batch of %lld takes %zu bytes, there are %zu",
                         where->devices[0]->info.id, (long long)*size, memory_of((*session)->plan),
                         memory_limit(where->devices[0], options));
            cvk_session_unmake(session);
        }
        if (status != CVK_NO_MEMORY || *size == 1) return status;
        runs = *size <= 2 ? count : runs * 2 < count ? runs * 2 : count;
    }
}

/* The lane's pictures, from `first` on, in as few runs as its memory allows. */
static cvk_status add_lane(struct cvk_parts *p, const cvk_graph *model, const cvk_share *where,
                           const cvk_session_options *options, int64_t first)
{
    int64_t size = 0, done = 0;
    cvk_session *session = NULL;
    CVK_TRY(open_fitting(p, model, where, options, where->count, &size, &session));
    CVK_TRY(keep_session(p, session));
    for (; done + size <= where->count; done += size) CVK_TRY(add_part(p, first + done, size));
    if (done < where->count) {
        CVK_TRY(open_session(p, model, where, options, where->count - done, &session));
        CVK_TRY(keep_session(p, session));
        CVK_TRY(add_part(p, first + done, where->count - done));
    }
    p->lanes[p->n_lanes] = (cvk_lane){.parts = p, .index = p->n_lanes};
    p->n_lanes++;
    return CVK_OK;
}

/* "batch of 8: 5 on opencl:0, predicted 3.1 ms, 3 on cpu in 2 runs, predicted 3 ms". */
static cvk_status tell(struct cvk_parts *p, const cvk_share *shares, int n_shares)
{
    const char *text = cvk_arena_printf(p->arena, "batch of %lld:", (long long)p->batch.count);
    for (int l = 0, at = 0; text && l < n_shares; l++) {
        int runs = 0;
        if (!shares[l].count) {
            text =
                cvk_arena_printf(p->arena, "%s%s none on %s, predicted %.3g ms for all of it", text,
                                 l ? "," : "", shares[l].devices[0]->info.id, shares[l].ms);
            continue;
        }
        for (int i = 0; i < p->n; i++) runs += p->all[i].lane == at;
        text = cvk_arena_printf(
            p->arena, "%s%s %lld on %s in %d run%s, predicted %.3g ms", text, l ? "," : "",
            (long long)shares[l].count, shares[l].devices[0]->info.id, runs,
            runs > 1 ? "s, since memory holds no more" : "", p->predicted_ms[at]);
        at++;
    }
    p->text = text;
    return text ? CVK_OK : CVK_NO_MEMORY;
}

/* The table of each session under what is where, in the first one's plan. */
static cvk_status describe(struct cvk_parts *p)
{
    cvk_plan *plan = p->sessions[0]->plan;
    const char *text = cvk_arena_printf(plan->arena, "%s\n", p->text);
    for (int i = 0; text && i < p->n_sessions; i++)
        text = cvk_arena_printf(plan->arena, "%s%s%s", text, i ? "\n" : "",
                                p->sessions[i]->plan->text);
    if (text) plan->text = text;
    return text ? CVK_OK : CVK_NO_MEMORY;
}

static void free_parts(struct cvk_parts **parts, bool all)
{
    struct cvk_parts *p = *parts;
    for (int i = all ? 0 : 1; p && i < p->n_sessions; i++) cvk_session_unmake(&p->sessions[i]);
    if (p) {
        cvk_arena *arena = p->arena;
        cvk_arena_free(&arena);
    }
    *parts = NULL;
}

void cvk_session_parts_free(struct cvk_parts **parts)
{
    free_parts(parts, false);
}

static cvk_status make(struct cvk_parts *p, const cvk_graph *model, cvk_device *const *devices,
                       int n_devices, const cvk_session_options *options)
{
    cvk_share shares[CVK_MOST_LANES] = {{.count = 0}};
    int64_t first = 0;
    int n = 0;
    CVK_TRY(cvk_shares_make(&p->batch, model, devices, n_devices, options, shares, &n));
    for (int i = 0; i < n; i++) {
        if (!shares[i].count) continue;
        CVK_TRY(add_lane(p, model, &shares[i], options, first));
        first += shares[i].count;
    }
    CVK_TRY(tell(p, shares, n));
    return describe(p);
}

/* Why a session with these options is in one part, whatever the batch; NULL: it need not be. */
static const char *in_one_part(const cvk_session_options *options)
{
    if (options->plans > 1) return "options.plans";
    if (options->keep_values) return "options.keep_values";
    return options->continue_on ? "options.continue_on" : NULL;
}

/* Why the batch is in one part: half a sentence; NULL: it need not be. */
static cvk_status find_batch(struct cvk_parts *p, const cvk_graph *model,
                             const cvk_session_options *options, const char **why)
{
    const cvk_schedule_options schedule = cvk_session_scheduling(options);
    const char *option = in_one_part(options);
    *why = NULL;
    if (!option) {
        CVK_TRY(cvk_batch_find(p->arena, model, &schedule, &p->batch));
        *why = p->batch.why;
        return CVK_OK;
    }
    *why = cvk_arena_printf(p->arena, "%s is set", option);
    return *why ? CVK_OK : CVK_NO_MEMORY;
}

/* What a caller hears of a batch that is not in parts: with a shortage of memory, why that matters. */
static cvk_status refuse(const char *shortage, const char *why)
{
    return shortage ? cvk_fail(CVK_NO_MEMORY, "%s; the batch cannot be split: %s", shortage, why)
                    : cvk_fail(CVK_UNSUPPORTED, "the batch cannot be split: %s", why);
}

/* The batch in parts. whole: a session in one part that is thought to be too large, or NULL; it goes
 * once it is clear that there are parts. */
static cvk_status open_parts(const cvk_graph *model, cvk_device *const *devices, int n_devices,
                             const cvk_session_options *options, const char *shortage,
                             cvk_session **whole, cvk_session **session)
{
    cvk_arena *arena = cvk_arena_create();
    struct cvk_parts *p = arena ? cvk_arena_alloc(arena, sizeof *p) : NULL;
    const char *why = NULL;
    if (!p) {
        cvk_arena_free(&arena);
        return CVK_NO_MEMORY;
    }
    p->arena = arena;
    cvk_status status = find_batch(p, model, options, &why);
    if (why) status = refuse(shortage, why);
    if (!status) {
        cvk_session_unmake(whole);
        status = make(p, model, devices, n_devices, options);
    }
    if (status) {
        free_parts(&p, true);
        return status;
    }
    *session = p->sessions[0];
    (*session)->parts = p;
    return CVK_OK;
}

cvk_status cvk_session_open_parts(const cvk_graph *model, cvk_device *const *devices, int n_devices,
                                  const cvk_session_options *options, cvk_session **session)
{
    char shortage[CVK_SENTENCE];
    cvk_session *whole = NULL;
    if (options->split_batch && n_devices > CVK_MOST_LANES)
        return cvk_fail(CVK_BAD_ARGUMENT, "%d devices, at most %d can share a batch", n_devices,
                        CVK_MOST_LANES);
    if (options->split_batch && n_devices > 1)
        return open_parts(model, devices, n_devices, options, NULL, NULL, session);
    cvk_status status = cvk_session_open_shapes(model, devices, n_devices, options, &whole);
    if (!status && fits(whole, options)) {
        *session = whole;
        return CVK_OK;
    }
    if (status && status != CVK_NO_MEMORY) return status;
    snprintf(shortage, sizeof shortage, "%s", cvk_last_error());
    if (!status)
        snprintf(shortage, sizeof shortage, "%s: the plan takes %zu bytes, there are %zu",
                 devices[0]->info.id, memory_of(whole->plan), memory_limit(devices[0], options));
    status = open_parts(model, devices, n_devices, options, shortage, &whole, session);
    if (!status || !whole) return status;
    if (options->memory_bytes) {
        cvk_session_unmake(&whole);
        return status;
    }
    cvk_log(CVK_LOG_WARN, "%s", cvk_last_error());
    *session = whole; /* the driver has not said that it is too large */
    return CVK_OK;
}
