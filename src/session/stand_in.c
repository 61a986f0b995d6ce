/* SPDX-License-Identifier: Apache-2.0
 *
 * A caller's buffer in a device's memory that stands in for an input or output: every view over
 * that storage points to it, and the copy from or to the host is left out.
 */
#include "session/session.h"

static bool lies_in(const cvk_plan *plan, int value, int root)
{
    return value >= 0 && plan->storage[value].root == root;
}

const cvk_step *cvk_session_copy(const cvk_session *session, int value, bool output, bool *alone)
{
    const cvk_plan *plan = session->plan;
    const cvk_step *copy = NULL;
    int root = plan->storage[value].root;
    *alone = true;
    for (int i = 0; i < plan->n_steps; i++) {
        const cvk_step *step = &plan->steps[i].step;
        bool transfer = step->node->op == CVK_OP_Transfer;
        if (transfer && output && step->node->out[0] == value) copy = step;
        for (int k = 0; k < step->node->n_in; k++) {
            if (!lies_in(plan, step->node->in[k], root)) continue;
            if (output || !transfer || copy)
                *alone = false;
            else
                copy = step;
        }
    }
    return copy;
}

/* Whether another output that has a buffer already is the same memory on the device under another
 * name. */
static bool is_taken(const cvk_session *session, const cvk_device_bind *bind, int root)
{
    const cvk_plan *plan = session->plan;
    for (int i = 0; i < plan->graph->n_outputs; i++) {
        const cvk_device_bind *other = &session->device_binds[plan->graph->n_inputs + i];
        bool alone;
        if (other == bind || !other->buffer) continue;
        if (lies_in(plan, cvk_session_copy(session, other->value, true, &alone)->node->in[0], root))
            return true;
    }
    return false;
}

void cvk_session_point(cvk_plan *plan, int root, void *memory)
{
    for (int i = 0; i < plan->n_steps; i++) {
        cvk_step *step = &plan->steps[i].step;
        const cvk_node *node = step->node;
        for (int k = 0; k < node->n_in; k++)
            if (lies_in(plan, node->in[k], root)) {
                step->in[k].data = memory;
                step->moved++;
            }
        for (int k = 0; k < node->n_out; k++)
            if (lies_in(plan, node->out[k], root)) {
                step->out[k].data = memory;
                step->moved++;
            }
    }
}

cvk_status cvk_session_stand_in(cvk_session *session, const char *name, void *buffer,
                                cvk_device **device, size_t *bytes, void **previous)
{
    cvk_plan *plan = session->plan;
    bool output = false;
    if (session->parts)
        return cvk_fail(CVK_UNSUPPORTED, "buffers cannot be bound: the batch is in parts");
    int index = cvk_session_find(session, name, false);
    if (index < 0) {
        output = true;
        index = cvk_session_find(session, name, true);
    }
    if (index < 0)
        return cvk_fail(CVK_BAD_ARGUMENT, "the model has no input or output called '%s'", name);
    if (output && (index = session->outputs[index].index) < 0)
        return cvk_fail(CVK_UNSUPPORTED, "the shape of '%s' depends on data: it lies on the host",
                        name);
    cvk_device_bind *bind = &session->device_binds[output ? plan->graph->n_inputs + index : index];
    bool alone;
    const cvk_step *copy = cvk_session_copy(session, bind->value, output, &alone);
    if (!copy)
        return cvk_fail(CVK_UNSUPPORTED,
                        "'%s' never lies in the memory of an OpenCL device in this plan", name);
    if (!alone)
        return cvk_fail(CVK_UNSUPPORTED,
                        "'%s' is also read outside this OpenCL device in this plan", name);
    int id = output ? copy->node->in[0] : copy->node->out[0];
    if (output && buffer && is_taken(session, bind, plan->storage[id].root))
        return cvk_fail(CVK_UNSUPPORTED, "'%s' is the same as an output that has a buffer already",
                        name);
    cvk_exchange_reset(session, copy);
    const cvk_view *view = output ? &copy->in[0] : &copy->out[0];
    if (!bind->own) bind->own = view->data;
    bind->device = *device = plan->devices[plan->graph->values[id].device - 1];
    *bytes = cvk_view_bytes(view);
    *previous = bind->buffer;
    bind->buffer = buffer;
    cvk_session_point(plan, plan->storage[id].root, buffer ? buffer : bind->own);
    return CVK_OK;
}

/* Every input and output bound, every step on one and the same device but for their copies. */
cvk_status cvk_session_enqueue(cvk_session *session, cvk_device **device)
{
    const cvk_plan *plan = session->plan;
    const cvk_graph *graph = plan->graph;
    int n_inputs = graph->n_inputs, count = n_inputs + graph->n_outputs;
    if (plan->tail)
        return cvk_fail(CVK_UNSUPPORTED,
                        "the shape of what node '%s' makes depends on data: it runs on the host",
                        plan->tail->cause);
    for (int i = 0; i < count; i++)
        if (!session->device_binds[i].buffer &&
            !(i < n_inputs && graph->values[graph->inputs[i]].data))
            return cvk_fail(
                CVK_BAD_ARGUMENT, "%s '%s' has no buffer bound", i < n_inputs ? "input" : "output",
                graph->values[i < n_inputs ? graph->inputs[i] : plan->outputs[i - n_inputs]].name);
    int only = CVK_HOST;
    for (int i = 0; i < plan->n_steps; i++) {
        if (plan->steps[i].step.node->op == CVK_OP_Transfer) continue;
        if (plan->steps[i].device == CVK_HOST ||
            (only != CVK_HOST && plan->steps[i].device != only))
            return cvk_fail(CVK_UNSUPPORTED, "node '%s' does not run on the OpenCL device",
                            plan->steps[i].step.node->name);
        only = plan->steps[i].device;
    }
    if (only == CVK_HOST) return cvk_fail(CVK_UNSUPPORTED, "the plan has no step to enqueue");
    *device = plan->devices[only];
    for (int i = 0; i < n_inputs; i++) session->bound[graph->inputs[i]] = NULL;
    for (int i = 0; i < graph->n_outputs; i++) session->bound[graph->outputs[i]] = NULL;
    cvk_session_apply(session);
    CVK_TRY(cvk_exchanges_begin(session));
    session->has_run = false;
    CVK_TRY(cvk_session_walk(session, false));
    session->has_run = true;
    return CVK_OK;
}
