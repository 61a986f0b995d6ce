/* SPDX-License-Identifier: Apache-2.0
 *
 * Creating and freeing a session, and what it tells about its plan.
 */
#include "session/session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "schedule/describe.h"

double cvk_session_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* Room for what a profiled run measures of a segment's steps. */
static cvk_status make_timing(cvk_arena *arena, cvk_segment *segment)
{
    size_t steps = (size_t)segment->count;
    segment->timing.ms = cvk_arena_alloc(arena, steps * sizeof *segment->timing.ms);
    segment->timing.slices =
        cvk_arena_alloc(arena, steps * (size_t)segment->lanes * sizeof *segment->timing.slices);
    return segment->timing.ms && segment->timing.slices ? CVK_OK : CVK_NO_MEMORY;
}

/* As many lanes as its hungriest step is worth. */
static void count_lanes(const cvk_plan *plan, cvk_segment *segment)
{
    segment->lanes = segment->device == CVK_HOST ? 1 : plan->devices[segment->device]->lanes;
    segment->used = 1;
    for (int i = 0; i < segment->count; i++) {
        const int lanes = segment->steps[i]->lanes ? segment->steps[i]->lanes : segment->lanes;
        if (lanes > segment->used) segment->used = lanes;
    }
}

static cvk_status make_segments(cvk_session *session)
{
    cvk_plan *plan = session->plan;
    size_t n = (size_t)plan->n_steps + 1;
    session->segments = cvk_arena_alloc(plan->arena, n * sizeof *session->segments);
    cvk_step **steps = cvk_arena_alloc(plan->arena, n * sizeof *steps);
    if (!session->segments || !steps) return CVK_NO_MEMORY;
    for (int i = 0; i < plan->n_steps; i++) {
        int device = plan->steps[i].executor;
        cvk_segment *last =
            session->n_segments ? &session->segments[session->n_segments - 1] : NULL;
        if (!last || last->device != device || device == CVK_HOST) {
            last = &session->segments[session->n_segments++];
            *last = (cvk_segment){.device = device, .first = i, .steps = steps + i};
            last->exchange = cvk_exchange_of(session, &plan->steps[i].step);
        }
        last->steps[last->count++] = &plan->steps[i].step;
    }
    for (int i = 0; i < session->n_segments; i++) count_lanes(plan, &session->segments[i]);
    for (int i = 0; session->profile && i < session->n_segments; i++)
        CVK_TRY(make_timing(plan->arena, &session->segments[i]));
    return CVK_OK;
}

int cvk_session_workers(const cvk_session *session)
{
    int most = 0;
    for (int i = 0; i < session->n_segments; i++) {
        const cvk_segment *segment = &session->segments[i];
        if (segment->device == CVK_HOST || !session->plan->devices[segment->device]->backend->host)
            continue;
        if (segment->used > most) most = segment->used;
    }
    return most;
}

/* Where the steps of a segment leave their slices. */
static void tell_slices(cvk_session *session, const cvk_segment *segment)
{
    for (int k = 0; k < segment->count; k++) {
        cvk_step_info *info = &session->infos[segment->first + k];
        info->executor =
            segment->device == CVK_HOST ? "host" : session->plan->devices[segment->device]->info.id;
        if (!session->profile) continue;
        info->slices = segment->timing.slices + (size_t)k * (size_t)segment->lanes;
        info->n_slices = segment->lanes;
    }
}

static cvk_status make_infos(cvk_session *session)
{
    cvk_plan *plan = session->plan;
    const cvk_graph *late = plan->tail ? plan->tail->graph : NULL;
    session->n_infos = plan->n_steps + (late ? late->n_nodes : 0);
    session->infos =
        cvk_arena_alloc(plan->arena, ((size_t)session->n_infos + 1) * sizeof *session->infos);
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
            .predicted_ms = made->predicted_ms,
            .weights = cvk_step_weights(plan, made),
            .weights_rel_l2 = node->weights_rel_l2,
        };
        if (!info->fused || !info->shape || !info->inputs) return CVK_NO_MEMORY;
    }
    for (int i = 0; i < session->n_segments; i++) tell_slices(session, &session->segments[i]);
    for (int i = 0; late && i < late->n_nodes; i++) {
        cvk_step_info *info = &session->infos[plan->n_steps + i];
        CVK_TRY(cvk_late_info(plan, &late->nodes[i], info));
    }
    return CVK_OK;
}

/* Where each output of the model comes from. */
static cvk_status make_outputs(cvk_session *session, const cvk_graph *model)
{
    const cvk_plan *plan = session->plan;
    size_t n = (size_t)model->n_outputs + 1;
    session->n_outputs = model->n_outputs;
    session->outputs = cvk_arena_alloc(plan->arena, n * sizeof *session->outputs);
    if (!session->outputs) return CVK_NO_MEMORY;
    for (int i = 0; i < model->n_outputs; i++) {
        cvk_output *output = &session->outputs[i];
        *output = (cvk_output){.name = plan->graph->values[model->outputs[i]].name, .index = -1};
        for (int k = plan->graph->n_outputs - 1; k >= 0; k--)
            if (plan->outputs[k] == model->outputs[i]) output->index = k;
        if (output->index < 0) output->value = cvk_graph_find(plan->tail->graph, output->name);
    }
    return CVK_OK;
}

static cvk_status fill(cvk_session *session, const cvk_graph *model)
{
    cvk_plan *plan = session->plan;
    const cvk_graph *graph = plan->graph;
    session->bound =
        cvk_arena_alloc(plan->arena, ((size_t)graph->n_values + 1) * sizeof *session->bound);
    session->device_binds =
        cvk_arena_alloc(plan->arena, (size_t)(graph->n_inputs + graph->n_outputs + 1) *
                                         sizeof *session->device_binds);
    if (!session->bound || !session->device_binds) return CVK_NO_MEMORY;
    for (int i = 0; i < graph->n_inputs + graph->n_outputs; i++)
        session->device_binds[i].value =
            i < graph->n_inputs ? graph->inputs[i] : graph->outputs[i - graph->n_inputs];
    CVK_TRY(make_outputs(session, model));
    CVK_TRY(cvk_exchanges_make(session));
    CVK_TRY(make_segments(session));
    return make_infos(session);
}

cvk_schedule_options cvk_session_scheduling(const cvk_session_options *options)
{
    return (cvk_schedule_options){.no_fuse = options->no_fuse,
                                  .fuse = options->fuse,
                                  .keep_values = options->keep_values,
                                  .no_tuned = options->no_tuned,
                                  .workspace_bytes = options->workspace_bytes,
                                  .prefer_kernel = options->prefer_kernel,
                                  .tolerance = options->tolerance,
                                  .precision = options->precision,
                                  .inputs = options->inputs,
                                  .n_inputs = options->n_inputs,
                                  .constants = options->constants,
                                  .n_constants = options->n_constants};
}

cvk_status cvk_session_make(const cvk_graph *model, cvk_device *const *devices, int n_devices,
                            const cvk_session_options *options, bool keep_constants,
                            struct cvk_reuse *reuse, cvk_session **session)
{
    double start = cvk_session_clock();
    cvk_schedule_options schedule = cvk_session_scheduling(options);
    schedule.keep_constants = keep_constants;
    schedule.reuse = reuse;
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
    made->build_ms = cvk_session_clock() - start;
    *session = made;
    return CVK_OK;
}

void cvk_session_unmake(cvk_session **session)
{
    cvk_tensor *tensors;
    if (!session || !*session) return;
    cvk_session_join(*session, &tensors);
    free(tensors);
    cvk_session_unmake(&(*session)->before);
    cvk_session_parts_free(&(*session)->parts);
    cvk_plan *plan = (*session)->plan;
    for (int d = 0; plan && (*session)->registered && d < plan->n_devices; d++) {
        pthread_mutex_lock(&plan->devices[d]->lock);
        plan->devices[d]->sessions--;
        pthread_mutex_unlock(&plan->devices[d]->lock);
    }
    cvk_exchanges_free(*session);
    for (int i = 0;
         plan && (*session)->device_binds && i < plan->graph->n_inputs + plan->graph->n_outputs;
         i++) {
        const cvk_device_bind *bind = &(*session)->device_binds[i];
        if (bind->buffer) bind->device->backend->release_part(bind->device, bind->buffer);
    }
    cvk_arena_free(&(*session)->tail_arena);
    cvk_plan_free(&(*session)->plan);
    cvk_session_shapes_free(&(*session)->shapes);
    free(*session);
    *session = NULL;
}

int cvk_session_find(const cvk_session *session, const char *name, bool output)
{
    const cvk_graph *graph = session->plan->graph;
    int count = output ? session->n_outputs : graph->n_inputs;
    for (int i = 0; i < count; i++) {
        const char *own = output ? session->outputs[i].name : graph->values[graph->inputs[i]].name;
        if (strcmp(own, name) == 0) return i;
    }
    return -1;
}

void cvk_session_describe_output(const cvk_session *session, int index, cvk_tensor *tensor)
{
    const cvk_output *output = &session->outputs[index];
    const cvk_graph *graph = session->plan->graph;
    const cvk_value *value = output->index < 0 ? cvk_session_tail_value(session, output->value)
                                               : &graph->values[graph->outputs[output->index]];
    *tensor = (cvk_tensor){.name = output->name,
                           .dtype = value->dtype,
                           .rank = value->has_shape ? value->shape.rank : -1};
    for (int d = 0; d < tensor->rank; d++) tensor->dims[d] = value->shape.dims[d];
    cvk_session_whole_batch(session, NULL, tensor);
}
