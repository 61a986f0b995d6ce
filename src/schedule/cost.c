/* SPDX-License-Identifier: Apache-2.0
 *
 * Predictions: see cost.h.
 */
#include "schedule/cost.h"

#include <math.h>

#include "ops/op.h"
#include "schedule/rates.h"

/* Of the last cache, what a process can count on: others use it too. */
static const double cache_part = 0.5;
/* In multiply-adds at the peak: an element's activation with an exponential in it, and an element
 * that a window visits. */
static const double rare_act_macs = 12, visit_macs = 2;
/* In bytes read: a byte written, whose line is fetched before and put away afterwards. */
static const double write_bytes = 2;
/* A reference on the host: for an element that it visits. */
static const double reference_ms = 5e-6;

/* The smallest memory that holds so many bytes, if the lanes share them. */
static int level_of(const cvk_cost_place *place, double bytes)
{
    const cvk_caps *caps = place->caps;
    const double units = (caps->units > 0 ? caps->units : 1) * place->lanes;
    if (bytes <= (double)caps->l1_bytes * units) return CVK_LEVEL_L1;
    if (bytes <= (double)caps->l2_bytes * units) return CVK_LEVEL_L2;
    return bytes <= cache_part * (double)caps->l3_bytes ? CVK_LEVEL_L3 : CVK_LEVEL_MEMORY;
}

static bool is_rare(const cvk_act *act)
{
    switch (act->kind) {
    case CVK_ACT_NONE:
    case CVK_ACT_RELU:
    case CVK_ACT_CLIP:
    case CVK_ACT_ABS:
    case CVK_ACT_NEG:
    case CVK_ACT_FLOOR:
    case CVK_ACT_CEIL:
    case CVK_ACT_ROUND:
    case CVK_ACT_SIGN:
    case CVK_ACT_THRESHOLDED_RELU:
    case CVK_ACT_SHRINK:
    case CVK_ACT_QDQ:
    case CVK_ACT_LEAKY_RELU:
    case CVK_ACT_HARD_SIGMOID:
    case CVK_ACT_HARD_SWISH:
    case CVK_ACT_LINEAR: return false;
    default: return true; /* an exponential, a root or a division */
    }
}

double cvk_cost_ms(const cvk_work *work, const cvk_cost_place *place)
{
    const cvk_device_rates *rates = place->rates;
    const bool shared = place->lanes * place->caps->units > 1;
    int tensors = level_of(place, work->bytes);
    /* What another lane has written is not in this one's own caches. */
    if (shared && tensors < CVK_LEVEL_L3) tensors = CVK_LEVEL_L3;
    const int constants = level_of(place, fmax(place->resident, work->bytes));
    const double busy = work->macs / rates->macs + work->bytes / rates->bytes[tensors] +
                        work->weight_bytes / rates->bytes[constants];
    const double meeting = shared ? rates->meet_ms : 0;
    return busy / place->lanes + work->passes * (rates->step_ms + meeting);
}

double cvk_cost_cold_ms(double bytes, const cvk_cost_place *place)
{
    const int near = level_of(place, bytes), far = level_of(place, fmax(place->resident, bytes));
    const double *rates = place->rates->bytes;
    return rates[far] < rates[near] ? bytes / rates[far] - bytes / rates[near] : 0;
}

/* Multiply-adds that take as long as the activations of the node, which have a division or an
 * exponential; simple ones wait for no one. */
static double act_macs(const cvk_node *node, const cvk_problem *problem)
{
    int rare = node->op == CVK_OP_Softmax || node->op == CVK_OP_LogSoftmax;
    if (node->op == CVK_OP_Unary) rare = is_rare(&((const cvk_unary_params *)node->params)->act);
    for (int p = 0; p < node->n_posts; p++)
        rare += node->posts[p].kind == CVK_POST_ACT && is_rare(&node->posts[p].act);
    return rare * rare_act_macs * (double)cvk_view_count(&problem->out[0]);
}

void cvk_cost_work(const cvk_graph *graph, const cvk_problem *problem, const cvk_kernel *row,
                   cvk_work *work)
{
    const cvk_node *node = problem->node;
    const double macs = (double)cvk_node_macs(graph, node);
    *work = (cvk_work){.macs = macs > 0 ? macs : visit_macs * (double)cvk_node_work(graph, node),
                       .passes = 1};
    for (int i = 0; i < node->n_in; i++) {
        cvk_view view = problem->in[i];
        if (view.dtype == CVK_NONE) continue;
        view.layout = cvk_row_input_layout(row, node, i, &graph->values[node->in[i]]);
        *(view.data ? &work->weight_bytes : &work->bytes) += (double)cvk_view_bytes(&view);
    }
    for (int i = 0; i < node->n_out; i++) {
        cvk_view view = problem->out[i];
        if (node->out[i] < 0) continue;
        view.layout = cvk_row_output_layout(row, &graph->values[node->out[i]]);
        work->bytes += write_bytes * (double)cvk_view_bytes(&view);
    }
    if (row->cost) row->cost(problem, work);
    work->macs += act_macs(node, problem);
}

double cvk_cost_resident(const cvk_graph *graph)
{
    double bytes = 0;
    for (int i = 0; i < graph->n_nodes; i++)
        for (int k = 0; k < graph->nodes[i].n_in; k++)
            if (cvk_is_const(graph, graph->nodes[i].in[k]))
                bytes += (double)cvk_graph_value_bytes(graph, graph->nodes[i].in[k]);
    return bytes;
}

static double elements_of(const cvk_step *step)
{
    double count = 0;
    for (int i = 0; i < step->node->n_in; i++)
        if (step->node->in[i] >= 0) count += (double)cvk_view_count(&step->in[i]);
    for (int i = 0; i < step->node->n_out; i++)
        if (step->node->out[i] >= 0) count += (double)cvk_view_count(&step->out[i]);
    return count;
}

/* What no device computes: a copy between host and device, or a reference on the host. */
static double host_ms(const cvk_scheduler *s, const cvk_plan_step *made)
{
    const cvk_node *node = made->step.node;
    if (node->op != CVK_OP_Transfer)
        return reference_ms * fmax((double)cvk_node_work(s->graph, node), elements_of(&made->step));
    const int from = s->graph->values[node->in[0]].device,
              to = s->graph->values[node->out[0]].device;
    const cvk_device_rates *rates = &s->plan->rates[(to ? to : from) - 1];
    const double bytes = (double)cvk_view_bytes(&made->step.out[0]);
    return rates->transfer_ms + (rates->transfer_bytes > 0 ? bytes / rates->transfer_bytes : 0);
}

static cvk_status predict(cvk_scheduler *s, cvk_plan_step *made)
{
    const cvk_step *step = &made->step;
    if (made->device == CVK_HOST) {
        made->predicted_ms = host_ms(s, made);
        return CVK_OK;
    }
    const cvk_device *device = s->devices[made->device];
    const cvk_cost_place place = {
        .caps = &device->caps,
        .rates = &s->plan->rates[made->device],
        .lanes = step->lanes && device->lanes > 0 ? (double)step->lanes / device->lanes : 1,
        .resident = (double)s->plan->weight_bytes};
    cvk_problem problem;
    cvk_work work;
    CVK_TRY(cvk_problem_make(s, step->node, &device->caps, &problem));
    cvk_cost_work(s->graph, &problem, step->kernel, &work);
    made->predicted_ms =
        step->node->tuned_ms > 0 ? step->node->tuned_ms : cvk_cost_ms(&work, &place);
    return CVK_OK;
}

cvk_status cvk_pass_rates(cvk_scheduler *s)
{
    cvk_plan *plan = s->plan;
    plan->rates = cvk_arena_alloc(plan->arena, ((size_t)s->n_devices + 1) * sizeof *plan->rates);
    if (!plan->rates) return CVK_NO_MEMORY;
    plan->calibrated = true;
    for (int d = 0; d < s->n_devices; d++) {
        if (cvk_rates_read(s->store, s->devices[d], &plan->rates[d])) continue;
        plan->rates[d] = s->devices[d]->rates;
        plan->calibrated = false;
    }
    return CVK_OK;
}

cvk_status cvk_pass_cost(cvk_scheduler *s)
{
    cvk_plan *plan = s->plan;
    for (int i = 0; i < plan->n_steps; i++) {
        CVK_TRY(predict(s, &plan->steps[i]));
        plan->predicted_ms += plan->steps[i].predicted_ms;
    }
    return CVK_OK;
}
