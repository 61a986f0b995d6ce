/* SPDX-License-Identifier: Apache-2.0
 *
 * Running a session whose batch is in parts, and what it tells of them.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/parts.h"

/* The caller's tensors with only the pictures of a part. */
static cvk_status slice(const struct cvk_parts *p, const cvk_part *part, const cvk_tensor *tensors,
                        int n, bool output, cvk_tensor *own)
{
    const cvk_session *session = p->sessions[0];
    for (int i = 0; i < n; i++) {
        own[i] = tensors[i];
        bool batched = output;
        const int index = tensors[i].name ? cvk_session_find(session, tensors[i].name, output) : i;
        const cvk_graph *graph = session->plan->graph;
        for (int k = 0; !output && index >= 0 && index < graph->n_inputs && k < p->batch.n_inputs;
             k++)
            if (strcmp(p->batch.inputs[k].name, graph->values[graph->inputs[index]].name) == 0)
                batched = p->batch.has_batch[k];
        if (!batched || tensors[i].rank < 1 || tensors[i].rank > CVK_MAX_RANK) continue;
        if (tensors[i].dims[0] != p->batch.count)
            return cvk_fail(CVK_SHAPE,
                            "%s '%s' has a batch of %lld, the session was planned for %lld",
                            output ? "output" : "input", tensors[i].name ? tensors[i].name : "",
                            (long long)tensors[i].dims[0], (long long)p->batch.count);
        const int64_t count = cvk_tensor_count(&tensors[i]);
        own[i].dims[0] = part->count;
        if (count > 0 && tensors[i].data)
            own[i].data = (char *)tensors[i].data + (size_t)(count / p->batch.count * part->first) *
                                                        cvk_dtype_bytes(tensors[i].dtype);
    }
    return CVK_OK;
}

static cvk_status run_part(const cvk_lane *l, const cvk_part *part)
{
    const struct cvk_parts *p = l->parts;
    const size_t n = (size_t)l->n_inputs + (size_t)l->n_outputs;
    cvk_tensor *own = calloc(n + 1, sizeof *own);
    if (!own) return cvk_fail(CVK_NO_MEMORY, "out of memory: %zu tensors", n);
    cvk_status status = slice(p, part, l->inputs, l->n_inputs, false, own);
    if (!status) status = slice(p, part, l->outputs, l->n_outputs, true, own + l->n_inputs);
    if (!status)
        status = cvk_session_execute_plan(p->sessions[part->session], own, l->n_inputs,
                                          own + l->n_inputs, l->n_outputs);
    free(own);
    return status;
}

static void *run_lane(void *arg)
{
    cvk_lane *l = arg;
    l->status = CVK_OK;
    for (int i = 0; i < l->parts->n && !l->status; i++)
        if (l->parts->all[i].lane == l->index) l->status = run_part(l, &l->parts->all[i]);
    if (l->status) snprintf(l->sentence, sizeof l->sentence, "%s", cvk_last_error());
    return NULL;
}

cvk_status cvk_session_run_parts(cvk_session *session, const cvk_tensor *inputs, int n_inputs,
                                 const cvk_tensor *outputs, int n_outputs)
{
    struct cvk_parts *p = session->parts;
    bool started[CVK_MOST_LANES] = {false};
    for (int i = 0; i < p->n_lanes; i++) {
        cvk_lane *l = &p->lanes[i];
        l->inputs = inputs;
        l->outputs = outputs;
        l->n_inputs = n_inputs;
        l->n_outputs = n_outputs;
        started[i] = i && pthread_create(&l->thread, NULL, run_lane, l) == 0;
    }
    for (int i = 0; i < p->n_lanes; i++) /* what has no thread of its own runs here */
        if (!started[i]) run_lane(&p->lanes[i]);
    for (int i = 0; i < p->n_lanes; i++)
        if (started[i]) pthread_join(p->lanes[i].thread, NULL);
    for (int i = 0; i < p->n_lanes; i++)
        if (p->lanes[i].status) return cvk_fail(p->lanes[i].status, "%s", p->lanes[i].sentence);
    return CVK_OK;
}

const cvk_session *cvk_session_of_step(const cvk_session *session, int *index)
{
    const struct cvk_parts *p = session->parts;
    for (int i = 0; p && i < p->n_sessions; i++) {
        if (*index < p->sessions[i]->n_infos) return p->sessions[i];
        *index -= p->sessions[i]->n_infos;
    }
    return session;
}

void cvk_session_whole_batch(const cvk_session *session, const char *input, cvk_tensor *tensor)
{
    const struct cvk_parts *p = session->parts;
    bool batched = p && !input;
    for (int i = 0; p && input && i < p->batch.n_inputs; i++)
        if (strcmp(p->batch.inputs[i].name, input) == 0) batched = p->batch.has_batch[i];
    if (batched) tensor->dims[0] = p->batch.count;
}

void cvk_session_tell_parts(const cvk_session *session, cvk_session_info *info)
{
    const struct cvk_parts *p = session->parts;
    info->batch_runs = p ? p->n : 1;
    info->batch = p ? p->text : "";
    if (!p) return;
    info->predicted_ms = 0;
    for (int i = 0; i < p->n_lanes; i++)
        info->predicted_ms = fmax(info->predicted_ms, p->predicted_ms[i]);
    for (int i = 1; i < p->n_sessions; i++) {
        const cvk_session *other = p->sessions[i];
        const cvk_space_memory memory = cvk_plan_memory(other->plan);
        const int workers = cvk_session_workers(other);
        info->steps += other->n_infos;
        info->activation_bytes += memory.activation_bytes;
        info->lower_bound_bytes += memory.lower_bound_bytes;
        info->workspace_bytes += memory.workspace_bytes;
        info->weight_bytes += other->plan->weight_bytes;
        info->build_ms += other->build_ms;
        info->calibrated = info->calibrated && other->plan->calibrated;
        if (workers > info->workers) info->workers = workers;
    }
}
