/* SPDX-License-Identifier: Apache-2.0
 *
 * How devices share a batch: by the predicted time of the whole of it on each.
 */
#include <math.h>

#include "session/parts.h"

static const double least_ms = 1e-6;
/* Of what the fastest device takes alone: below, sharing is worth its threads. */
static const double least_gain = 0.95;

/* How long the batch takes each device alone. */
static cvk_status predict(const cvk_batch *batch, const cvk_graph *model,
                          const cvk_session_options *options, cvk_share *s)
{
    cvk_schedule_options schedule = cvk_session_scheduling(options);
    cvk_plan *plan = NULL;
    schedule.draft = true;
    schedule.inputs = batch->inputs;
    schedule.n_inputs = batch->n_inputs;
    CVK_TRY(cvk_schedule(model, s->devices, s->n_devices, &schedule, &plan));
    s->ms = fmax(plan->predicted_ms, least_ms);
    cvk_plan_free(&plan);
    return CVK_OK;
}

/* A CPU's OpenCL driver and the CPU itself only take the cores from each other. */
static bool same_cores(const cvk_share *a, const cvk_share *b)
{
    return a->devices[0]->info.kind == CVK_DEVICE_CPU && b->devices[0]->info.kind == CVK_DEVICE_CPU;
}

static int fastest(const cvk_share *shares, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (shares[i].ms < shares[best].ms) best = i;
    return best;
}

/* The share with cores of its own that has its pictures and one more done first; there is one, the
 * fastest. */
static int next_share(const cvk_share *shares, const bool *own, int n)
{
    int best = -1;
    for (int i = 0; i < n; i++)
        if (own[i] && (best < 0 || (double)(shares[i].count + 1) * shares[i].ms <
                                       (double)(shares[best].count + 1) * shares[best].ms))
            best = i;
    return best;
}

/* Each picture to the device that is done with it first, so that shares are in proportion to
 * predicted speed. All are the fastest device's where that is predicted to take hardly longer. */
static void divide(cvk_share *shares, int n, int64_t pictures)
{
    const int best = fastest(shares, n);
    bool own[CVK_MOST_LANES]; /* cores, which no faster device of the list has */
    double longest = 0;
    for (int i = 0; i < n; i++) {
        own[i] = true;
        for (int k = 0; k < n; k++)
            if (k != i && same_cores(&shares[i], &shares[k]) &&
                (shares[k].ms < shares[i].ms || (shares[k].ms == shares[i].ms && k < i)))
                own[i] = false;
    }
    for (int64_t i = 0; i < pictures; i++) shares[next_share(shares, own, n)].count++;
    for (int i = 0; i < n; i++)
        longest = fmax(longest, shares[i].ms * (double)shares[i].count / (double)pictures);
    if (longest <= least_gain * shares[best].ms) return;
    for (int i = 0; i < n; i++) shares[i].count = i == best ? pictures : 0;
}

cvk_status cvk_shares_make(const cvk_batch *batch, const cvk_graph *model,
                           cvk_device *const *devices, int n_devices,
                           const cvk_session_options *options, cvk_share *shares, int *count)
{
    cvk_device *host = NULL;
    for (int d = n_devices - 1; d >= 0; d--)
        if (devices[d]->backend->host) host = devices[d];
    if (!options->split_batch) {
        shares[0] = (cvk_share){.devices = devices, .n_devices = n_devices, .count = batch->count};
        *count = 1;
        return CVK_OK;
    }
    for (int i = 0; i < n_devices; i++) {
        cvk_share *s = &shares[i];
        *s = (cvk_share){.pair = {devices[i], host}, .devices = s->pair, .n_devices = 1};
        if (!devices[i]->backend->host && host) s->n_devices = 2;
        CVK_TRY(predict(batch, model, options, s));
    }
    divide(shares, n_devices, batch->count);
    *count = n_devices;
    return CVK_OK;
}
