/* SPDX-License-Identifier: Apache-2.0
 *
 * Who executes each step, and how many of its lanes (workers) the step is worth: by itself, and as
 * one of those in a row that the same device executes.
 */
#include "schedule/passes.h"

/* References run among the steps of a CPU device if there is one. */
static int executor(const cvk_plan *plan, const cvk_plan_step *made)
{
    if (made->step.node->op == CVK_OP_Transfer || made->device != CVK_HOST) return made->device;
    for (int d = 0; d < plan->n_devices; d++)
        if (plan->devices[d]->backend->host) return d;
    return CVK_HOST;
}

static cvk_load load_of(const cvk_plan_step *made)
{
    const cvk_step *step = &made->step;
    cvk_load load = {.macs = made->macs, .bytes = made->weight_bytes, .steps = 1};
    for (int k = 0; k < step->node->n_in; k++)
        if (step->node->in[k] >= 0) load.bytes += cvk_view_bytes(&step->in[k]);
    for (int k = 0; k < step->node->n_out; k++)
        if (step->node->out[k] >= 0) load.bytes += cvk_view_bytes(&step->out[k]);
    return load;
}

/* Steps [first, end) run in a row on the device. */
static void choose(cvk_plan *plan, const cvk_device *device, int first, int end)
{
    cvk_load all = {.steps = 0};
    if (!device->backend->lanes || device->share_all) return;
    for (int i = first; i < end; i++) {
        const cvk_load load = load_of(&plan->steps[i]);
        all.macs += load.macs;
        all.bytes += load.bytes;
        all.steps += load.steps;
        plan->steps[i].step.lanes = device->backend->step_lanes(device, &load);
    }
    const int most = device->backend->lanes(device, &all);
    for (int i = first; i < end; i++)
        if (plan->steps[i].step.lanes > most) plan->steps[i].step.lanes = most;
}

void cvk_pass_lanes(cvk_scheduler *s)
{
    cvk_plan *plan = s->plan;
    for (int i = 0; i < plan->n_steps; i++)
        plan->steps[i].executor = executor(plan, &plan->steps[i]);
    for (int i = 0, end; i < plan->n_steps; i = end) {
        const int device = plan->steps[i].executor;
        for (end = i + 1; end < plan->n_steps && plan->steps[end].executor == device;) end++;
        if (device != CVK_HOST) choose(plan, plan->devices[device], i, end);
    }
}
