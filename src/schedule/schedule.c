/* SPDX-License-Identifier: Apache-2.0
 *
 * Graph and devices in, plan out: the passes in their order.
 */
#include <stdlib.h>

#include "schedule/denied.h"

int cvk_plan_space(const cvk_plan *plan, int device)
{
    return device == CVK_HOST || plan->devices[device]->backend->host ? 0 : 1 + device;
}

cvk_space_memory cvk_plan_memory(const cvk_plan *plan)
{
    cvk_space_memory total = {0};
    for (int space = 0; space <= plan->n_devices; space++) {
        total.activation_bytes += plan->spaces[space].activation_bytes;
        total.lower_bound_bytes += plan->spaces[space].lower_bound_bytes;
        total.workspace_bytes += plan->spaces[space].workspace_bytes;
    }
    return total;
}

static cvk_status make_plan(const cvk_graph *model, cvk_device *const *devices, int n_devices,
                            const cvk_schedule_options *options, cvk_plan **made)
{
    cvk_arena *arena = cvk_arena_create();
    cvk_plan *plan = arena ? cvk_arena_alloc(arena, sizeof *plan) : NULL;
    if (!plan) {
        cvk_arena_free(&arena);
        return CVK_NO_MEMORY;
    }
    plan->arena = arena;
    *made = plan;
    plan->devices = cvk_arena_copy(arena, devices, (size_t)n_devices * sizeof *devices);
    plan->spaces = cvk_arena_alloc(arena, ((size_t)n_devices + 1) * sizeof *plan->spaces);
    if (!plan->devices || !plan->spaces) return CVK_NO_MEMORY;
    plan->n_devices = n_devices;
    plan->keep_values = options->keep_values;
    plan->draft = options->draft;
    plan->n_model_nodes = model->n_nodes;
    plan->graph = cvk_graph_clone(arena, model, true);
    return plan->graph ? CVK_OK : CVK_NO_MEMORY;
}

/* How many of the model's nodes stand in another's step. */
static int count_fused(const cvk_plan *plan)
{
    int fused = 0;
    for (int i = 0; i < plan->n_steps; i++) {
        const char *members = plan->steps[i].step.node->members;
        for (; members && *members; members++) fused += *members == ',';
    }
    return fused;
}

static void set_tolerance(cvk_scheduler *s)
{
    for (int i = 0; i < s->graph->n_nodes; i++)
        s->graph->nodes[i].tolerance = s->options->tolerance;
}

static cvk_status rewrite(cvk_scheduler *s)
{
    if (s->fusions & CVK_FUSE_REWRITE) {
        CVK_TRY(cvk_pass_copies(s->graph));
        CVK_TRY(cvk_pass_rewrite(s->graph));
    }
    if (s->fusions & CVK_FUSE_FOLD) CVK_TRY(cvk_pass_fold(s));
    if (!(s->fusions & CVK_FUSE_REWRITE)) return CVK_OK;
    CVK_TRY(cvk_pass_linear(s->graph));
    CVK_TRY(cvk_pass_commute(s->graph));
    return cvk_pass_pictures(s->graph);
}

cvk_status cvk_passes_lower(cvk_scheduler *s)
{
    if (s->fusions & CVK_FUSE_QUANTISE) CVK_TRY(cvk_pass_quantise(s->graph));
    CVK_TRY(cvk_pass_widen(s));
    return cvk_pass_lower(s->graph);
}

static cvk_status run_passes(cvk_scheduler *s)
{
    CVK_TRY(cvk_pass_bind(s));
    CVK_TRY(cvk_pass_cut(s));
    CVK_TRY(cvk_passes_lower(s));
    CVK_TRY(rewrite(s));
    set_tolerance(s);
    CVK_TRY(cvk_pass_fuse(s));
    if (s->fusions & CVK_FUSE_BOTTLENECK) CVK_TRY(cvk_pass_bottleneck(s));
    CVK_TRY(cvk_pass_precision(s));
    CVK_TRY(cvk_pass_narrow(s));
    CVK_TRY(cvk_pass_rates(s));
    CVK_TRY(cvk_pass_assign(s));
    CVK_TRY(cvk_pass_place(s));
    if (s->fusions & CVK_FUSE_CHOICE) CVK_TRY(cvk_pass_choose(s));
    CVK_TRY(cvk_pass_layout(s));
    CVK_TRY(cvk_pass_storage(s));
    CVK_TRY(cvk_pass_prepare(s));
    cvk_pass_lanes(s);
    CVK_TRY(cvk_pass_cost(s));
    s->plan->n_fused = count_fused(s->plan);
    if (s->options->draft) return CVK_OK;
    CVK_TRY(cvk_pass_memory(s));
    return cvk_pass_describe(s);
}

cvk_status cvk_schedule(const cvk_graph *model, cvk_device *const *devices, int n_devices,
                        const cvk_schedule_options *options, cvk_plan **plan)
{
    cvk_plan *made = NULL;
    cvk_status status = make_plan(model, devices, n_devices, options, &made);
    if (!status) {
        cvk_scheduler s = {
            .plan = made, .graph = made->graph, .devices = devices, .n_devices = n_devices};
        s.options = options;
        s.brief = cvk_arena_create();
        s.store = cvk_store_open_present();
        status = s.brief ? cvk_denied_load(&s) : CVK_NO_MEMORY;
        if (!status) status = cvk_fusions_read(options->no_fuse ? "" : options->fuse, &s.fusions);
        if (!status) status = run_passes(&s);
        if (options->keep_values || options->keep_constants)
            made->brief = s.brief;
        else
            cvk_arena_free(&s.brief);
        cvk_store_close(s.store);
    }
    if (status)
        cvk_plan_free(&made);
    else
        *plan = made;
    return status;
}

void cvk_plan_free(cvk_plan **plan)
{
    if (!plan || !*plan) return;
    cvk_plan *p = *plan;
    for (int i = 0; i < p->n_steps && !p->draft; i++) {
        cvk_plan_step *made = &p->steps[i];
        cvk_device *device = made->device == CVK_HOST ? NULL : p->devices[made->device];
        if (!device || !made->step.kernel) continue;
        if (made->step.kernel->release) made->step.kernel->release(device, &made->step);
        cvk_step_unpack(device, &made->step);
    }
    for (int i = 0; i < p->n_parts; i++) {
        cvk_device *device = p->devices[p->part_device[i]];
        device->backend->release_part(device, p->parts[i]);
    }
    for (int space = 0; p->spaces && space <= p->n_devices; space++) {
        void *memory[] = {p->spaces[space].activations, p->spaces[space].workspace};
        for (int i = 0; i < 2; i++) {
            if (!memory[i]) continue;
            if (space)
                p->devices[space - 1]->backend->release(p->devices[space - 1], memory[i]);
            else
                free(memory[i]);
        }
    }
    cvk_arena *arena = p->arena;
    cvk_arena_free(&p->brief);
    *plan = NULL;
    cvk_arena_free(&arena);
}
