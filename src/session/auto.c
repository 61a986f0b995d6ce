/* SPDX-License-Identifier: Apache-2.0
 *
 * The device for a model, by the cost model: drafts of its plan for each device that may be the
 * fastest, none of them opened before one is taken. The CPU is always among them, and stands behind
 * any other for what that has no kernels for.
 */
#include "session/auto.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "schedule/rates.h"
#include "session/session.h"

enum { MOST = 16, REASON = 1024, SMALL = 4 << 20 };

/* What no device with a queue goes below, in ms: a launch, a copy to it or from it. */
static const double least_launch_ms = 0.004, least_copy_ms = 0.01;
/* By how much a CPU's OpenCL driver must be faster than the CPU itself: as much as predictions for
 * one and the same machine err. */
static const double same_cores_margin = 1.25;

typedef struct candidate {
    const cvk_backend *backend;
    int index; /* of the backend's list */
    cvk_device_info info;
    cvk_device *device; /* peeked at */
    double ms;          /* predicted; infinite: not asked */
    double worth;       /* what counts of it: with the margin */
    bool measured;
    bool with_cpu;   /* something of it is the CPU's */
    const char *why; /* not asked */
} candidate;

typedef struct chooser {
    const cvk_graph *model;
    cvk_schedule_options schedule;
    const cvk_device_options *options;
    cvk_device *cpu;
    candidate all[MOST];
    int count, capacity;
    bool any; /* of the others may be the best */
} chooser;

/* Predicts for a device and, behind it, the CPU. */
static cvk_status draft(chooser *c, candidate *who)
{
    cvk_device *devices[] = {who->device, c->cpu};
    const int n = c->capacity < 2 ? 1 : 2;
    cvk_plan *plan = NULL;
    CVK_TRY(cvk_schedule(c->model, devices, n, &c->schedule, &plan));
    who->ms = who->worth = plan->predicted_ms;
    who->measured = plan->calibrated;
    for (int i = 0; n == 2 && i < plan->n_steps; i++) {
        const cvk_plan_step *made = &plan->steps[i];
        who->with_cpu |= made->device == 1 ||
                         (made->device == CVK_HOST && made->step.node->op != CVK_OP_Transfer);
    }
    cvk_plan_free(&plan);
    return CVK_OK;
}

/* Steps of the CPU's draft, which any device would have to launch, and the tensors it would copy. */
static double floor_ms(const cvk_graph *model, int steps)
{
    return least_launch_ms * steps + least_copy_ms * (model->n_inputs + model->n_outputs);
}

static cvk_status ask_cpu(chooser *c, bool *is_least)
{
    candidate *cpu = &c->all[0];
    cvk_plan *plan = NULL;
    CVK_TRY(cvk_schedule(c->model, &c->cpu, 1, &c->schedule, &plan));
    cpu->ms = cpu->worth = plan->predicted_ms;
    cpu->measured = plan->calibrated;
    *is_least = cpu->ms <= floor_ms(c->model, plan->n_steps);
    cvk_plan_free(&plan);
    return CVK_OK;
}

static bool was_measured(const cvk_device *device)
{
    cvk_device_rates rates;
    cvk_store *store = cvk_store_open_present();
    const bool found = cvk_rates_read(store, device, &rates);
    cvk_store_close(store);
    return found;
}

static void leave_out(candidate *who)
{
    who->why = "it cannot be planned for";
    cvk_log(CVK_LOG_WARN, "auto: %s is left out: %s", who->info.id, cvk_last_error());
}

/* Adds a device that may be the best, or why it is not. */
static void look_at(chooser *c, const cvk_backend *backend, int index, const cvk_device_info *info)
{
    candidate *who = &c->all[c->count++];
    *who = (candidate){.backend = backend, .index = index, .info = *info};
    who->ms = who->worth = INFINITY;
    if ((backend->peek ? backend->peek : backend->open)(index, c->options, &who->device))
        leave_out(who);
    else if (info->kind == CVK_DEVICE_CPU && !was_measured(who->device))
        who->why = "a CPU as well, not measured";
    c->any |= !who->why;
}

static void look_around(chooser *c)
{
    for (int b = 1; cvk_backends[b]; b++) {
        cvk_device_info infos[MOST];
        const int count = cvk_backends[b]->list(infos, MOST);
        for (int i = 0; i < count && c->count < MOST; i++)
            look_at(c, cvk_backends[b], i, &infos[i]);
    }
}

/* What keeps a device from being taken is no failure of the choice. */
static void ask_others(chooser *c)
{
    for (int i = 1; i < c->count; i++) {
        candidate *who = &c->all[i];
        if (who->why) continue;
        if (draft(c, who)) leave_out(who);
        if (who->info.kind == CVK_DEVICE_CPU) who->worth *= same_cores_margin;
    }
}

/* "opencl:0 and cpu predicted 3.9 ms (not measured)". */
static void tell(const candidate *who, char *text, size_t bytes)
{
    if (!who->why && !isfinite(who->ms))
        snprintf(text, bytes, "%s", who->info.id);
    else if (who->why)
        snprintf(text, bytes, "%s left out (%s)", who->info.id, who->why);
    else
        snprintf(text, bytes, "%s%s predicted %.3g ms%s", who->info.id,
                 who->with_cpu ? " and cpu" : "", who->ms, who->measured ? "" : " (not measured)");
}

/* The one taken, then the others. */
static char *reason(const chooser *c, const candidate *taken, bool is_least)
{
    char text[REASON];
    tell(taken, text, sizeof text);
    if (is_least)
        strncat(text, ", less than copies and launches take on other devices",
                sizeof text - strlen(text) - 1);
    for (int i = 0; i < c->count; i++) {
        char one[128];
        if (&c->all[i] == taken) continue;
        tell(&c->all[i], one, sizeof one);
        strncat(text, ", ", sizeof text - strlen(text) - 1);
        strncat(text, one, sizeof text - strlen(text) - 1);
    }
    return strdup(text);
}

static candidate *best_of(chooser *c)
{
    candidate *best = &c->all[0];
    for (int i = 1; i < c->count; i++)
        if (c->all[i].worth < best->worth) best = &c->all[i];
    return best;
}

/* The best that can be opened; the CPU is open already. */
static candidate *open_best(chooser *c, cvk_device **device)
{
    for (;;) {
        candidate *best = best_of(c);
        *device = c->cpu;
        if (best == &c->all[0] || !best->backend->open(best->index, c->options, device))
            return best;
        cvk_log(CVK_LOG_WARN, "auto: the next device is taken: %s", cvk_last_error());
        best->worth = INFINITY;
        best->why = "cannot be opened";
    }
}

/* A small network is planned sooner than drivers are loaded, others are not. */
static cvk_status ask(chooser *c, bool *is_least)
{
    size_t bytes = 0;
    for (int i = 0; i < c->model->n_values; i++)
        if (c->model->values[i].data) bytes += cvk_graph_value_bytes(c->model, i);
    const bool small = bytes <= SMALL;
    *is_least = false;
    if (small) CVK_TRY(ask_cpu(c, is_least));
    if (*is_least) return CVK_OK;
    look_around(c);
    if (!c->any) return CVK_OK;
    if (!small) CVK_TRY(ask_cpu(c, is_least));
    *is_least = false;
    ask_others(c);
    return CVK_OK;
}

static cvk_status choose(chooser *c, cvk_device **devices, int *count)
{
    bool is_least = false;
    c->all[c->count++] = (candidate){
        .backend = c->cpu->backend, .info = c->cpu->info, .ms = INFINITY, .worth = DBL_MAX};
    if (cvk_backends[1]) CVK_TRY(ask(c, &is_least));
    cvk_device *device;
    const candidate *best = open_best(c, &device);
    device->choice = reason(c, best, is_least);
    devices[0] = device;
    if (best->with_cpu) devices[1] = c->cpu;
    if (device != c->cpu && !best->with_cpu) c->cpu->backend->close(c->cpu);
    *count = best->with_cpu ? 2 : 1;
    return CVK_OK;
}

cvk_status cvk_devices_choose(const cvk_graph *model, const cvk_session_options *session_options,
                              const cvk_device_options *options, cvk_device **devices, int capacity,
                              int *count)
{
    chooser c = {.model = model,
                 .schedule = cvk_session_scheduling(session_options),
                 .options = options,
                 .capacity = capacity};
    c.schedule.draft = true;
    CVK_TRY(cvk_backends[0]->open(0, options, &c.cpu));
    cvk_status status = choose(&c, devices, count);
    for (int i = 0; i < c.count; i++)
        if (c.all[i].device) c.all[i].backend->close(c.all[i].device);
    if (status) c.cpu->backend->close(c.cpu);
    return status;
}
