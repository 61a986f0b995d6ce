/* SPDX-License-Identifier: Apache-2.0
 *
 * Creating and freeing a session, and what it tells about its plan.
 */
#include "session/session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "schedule/describe.h"

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* The device whose execute runs a step: references run among the steps of a CPU device if there is
 * one. */
static int executor(const cvk_plan *plan, const cvk_plan_step *made)
{
    if (made->step.node->op == CVK_OP_Transfer || made->device != CVK_HOST) return made->device;
    for (int d = 0; d < plan->n_devices; d++)
        if (plan->devices[d]->backend->host) return d;
    return CVK_HOST;
}

static cvk_status make_segments(cvk_session *session)
{
    cvk_plan *plan = session->plan;
    size_t n = (size_t)plan->n_steps + 1;
    session->segments = cvk_arena_alloc(plan->arena, n * sizeof *session->segments);
    cvk_step **steps = cvk_arena_alloc(plan->arena, n * sizeof *steps);
    double *ms = cvk_arena_alloc(plan->arena, n * sizeof *ms);
    if (!session->segments || !steps || !ms) return CVK_NO_MEMORY;
    for (int i = 0; i < plan->n_steps; i++) {
        int device = executor(plan, &plan->steps[i]);
        cvk_segment *last =
            session->n_segments ? &session->segments[session->n_segments - 1] : NULL;
        if (!last || last->device != device || device == CVK_HOST) {
            last = &session->segments[session->n_segments++];
            *last = (cvk_segment){.device = device, .first = i, .steps = steps + i, .ms = ms + i};
        }
        last->steps[last->count++] = &plan->steps[i].step;
    }
    return CVK_OK;
}

static cvk_status make_infos(cvk_session *session)
{
    cvk_plan *plan = session->plan;
    session->infos =
        cvk_arena_alloc(plan->arena, ((size_t)plan->n_steps + 1) * sizeof *session->infos);
    if (!session->infos) return CVK_NO_MEMORY;
    for (int i = 0; i < plan->n_steps; i++) {
        const cvk_plan_step *made = &plan->steps[i];
        const cvk_node *node = made->step.node;
        cvk_step_info *info = &session->infos[i];
        *info = (cvk_step_info){
            .op = cvk_step_op_name(made),
            .nodes = node->members ? node->members : node->name,
            .device = cvk_step_device_name(plan, made),
            .kernel = made->step.kernel->name,
            .fused = cvk_step_fused_names(plan->arena, made),
            .refused = made->refused ? made->refused : "",
            .note = node->note ? node->note : "",
            .output = plan->graph->values[node->out[0]].name,
            .shape = cvk_step_shape_text(plan->arena, made),
            .inputs = cvk_step_input_names(plan, made),
            .offset = made->offset,
            .bytes = cvk_view_bytes(&made->step.out[0]),
            .macs = made->macs,
        };
        if (!info->fused || !info->shape || !info->inputs) return CVK_NO_MEMORY;
    }
    return CVK_OK;
}

static cvk_status fill(cvk_session *session, const cvk_graph *model)
{
    cvk_plan *plan = session->plan;
    const cvk_graph *graph = plan->graph;
    session->bound =
        cvk_arena_alloc(plan->arena, ((size_t)graph->n_values + 1) * sizeof *session->bound);
    session->outputs =
        cvk_arena_copy(plan->arena, model->outputs, ((size_t)model->n_outputs) * sizeof(int));
    session->device_binds =
        cvk_arena_alloc(plan->arena, (size_t)(graph->n_inputs + graph->n_outputs + 1) *
                                         sizeof *session->device_binds);
    if (!session->bound || !session->outputs || !session->device_binds) return CVK_NO_MEMORY;
    for (int i = 0; i < graph->n_inputs + graph->n_outputs; i++)
        session->device_binds[i].value =
            i < graph->n_inputs ? graph->inputs[i] : graph->outputs[i - graph->n_inputs];
    CVK_TRY(make_segments(session));
    return make_infos(session);
}

cvk_status cvk_session_make(const cvk_graph *model, cvk_device *const *devices, int n_devices,
                            const cvk_session_options *options, cvk_session **session)
{
    double start = now_ms();
    cvk_schedule_options schedule = {.no_fuse = options->no_fuse,
                                     .keep_values = options->keep_values,
                                     .workspace_bytes = options->workspace_bytes,
                                     .prefer_kernel = options->prefer_kernel,
                                     .inputs = options->inputs,
                                     .n_inputs = options->n_inputs,
                                     .constants = options->constants,
                                     .n_constants = options->n_constants};
    cvk_session *made = calloc(1, sizeof *made);
    if (!made) return cvk_fail(CVK_NO_MEMORY, "out of memory: no session");
    made->profile = options->profile;
    made->allow_nan = options->allow_nan;
    cvk_status status = cvk_schedule(model, devices, n_devices, &schedule, &made->plan);
    if (!status) status = fill(made, model);
    if (status) {
        cvk_session_unmake(&made);
        return status;
    }
    for (int d = 0; d < n_devices; d++) {
        pthread_mutex_lock(&devices[d]->lock);
        devices[d]->sessions++;
        pthread_mutex_unlock(&devices[d]->lock);
    }
    made->registered = true;
    made->build_ms = now_ms() - start;
    *session = made;
    return CVK_OK;
}

void cvk_session_unmake(cvk_session **session)
{
    if (!session || !*session) return;
    cvk_session_join(*session);
    cvk_plan *plan = (*session)->plan;
    for (int d = 0; plan && (*session)->registered && d < plan->n_devices; d++) {
        pthread_mutex_lock(&plan->devices[d]->lock);
        plan->devices[d]->sessions--;
        pthread_mutex_unlock(&plan->devices[d]->lock);
    }
    for (int i = 0;
         plan && (*session)->device_binds && i < plan->graph->n_inputs + plan->graph->n_outputs;
         i++) {
        const cvk_device_bind *bind = &(*session)->device_binds[i];
        if (bind->buffer) bind->device->backend->release_part(bind->device, bind->buffer);
    }
    cvk_plan_free(&(*session)->plan);
    free(*session);
    *session = NULL;
}

int cvk_session_find(const cvk_session *session, const char *name, bool output)
{
    const cvk_graph *graph = session->plan->graph;
    int count = output ? graph->n_outputs : graph->n_inputs;
    for (int i = 0; i < count; i++)
        if (strcmp(graph->values[output ? session->outputs[i] : graph->inputs[i]].name, name) == 0)
            return i;
    return -1;
}
