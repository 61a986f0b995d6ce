/* SPDX-License-Identifier: Apache-2.0
 *
 * A run: check and bind the caller's tensors, walk the segments, hand the outputs over.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ops/op.h"
#include "session/session.h"

static cvk_status check_tensor(const cvk_tensor *tensor, const cvk_value *value, const char *name,
                               const char *what)
{
    char have[CVK_SHAPE_TEXT], want[CVK_SHAPE_TEXT];
    if (tensor->dtype != value->dtype)
        return cvk_fail(CVK_BAD_INPUT, "%s '%s' has type %s, the session was planned for %s", what,
                        name, cvk_dtype_name(tensor->dtype), cvk_dtype_name(value->dtype));
    if (tensor->rank < 0 || tensor->rank > CVK_MAX_RANK)
        return cvk_fail(CVK_BAD_ARGUMENT, "%s '%s': rank %d is outside 0 to %d", what, name,
                        tensor->rank, CVK_MAX_RANK);
    cvk_shape shape = cvk_shape_make(tensor->rank, tensor->dims);
    if (!cvk_shape_equal(&shape, &value->shape))
        return cvk_fail(CVK_SHAPE, "%s '%s' has shape %s, the session was planned for %s", what,
                        name, cvk_shape_text(&shape, have), cvk_shape_text(&value->shape, want));
    if (!tensor->data && cvk_shape_count(&shape))
        return cvk_fail(CVK_BAD_ARGUMENT, "%s '%s' has no data", what, name);
    return CVK_OK;
}

enum { PIECE = 128 }; /* elements */

/* Whether one of PIECE elements is NaN. Compilers make vectors of such a loop, which they must not
 * of a sum of floats. */
static bool has_nan(const float *data)
{
    int any = 0;
    for (int i = 0; i < PIECE / 2; i++) any |= -isunordered(data[i], data[i + PIECE / 2]);
    return any;
}

static int64_t find_nan(const float *data, int64_t count)
{
    int64_t i = 0;
    while (count - i >= PIECE && !has_nan(data + i)) i += PIECE;
    while (i < count && !isnan(data[i])) i++;
    return i < count ? i : -1;
}

/* The name of the first node that computes with a value: copies and other shapes of it are seen
 * through. */
static const char *reader_of(const cvk_graph *graph, int id)
{
    for (int i = 0; i < graph->n_nodes; i++) {
        const cvk_node *node = &graph->nodes[i];
        bool moves = node->op == CVK_OP_Transfer || node->op == CVK_OP_Reorder ||
                     cvk_op_get(node->op)->alias;
        for (int k = 0; k < node->n_in; k++) {
            if (node->in[k] != id) continue;
            if (!moves) return node->name;
            id = node->out[0]; /* what reads this comes later */
            break;
        }
    }
    return "none";
}

static cvk_status check_nan(const cvk_session *session, const cvk_tensor *tensor, int id)
{
    if (session->allow_nan || tensor->dtype != CVK_F32) return CVK_OK;
    int64_t at = find_nan(tensor->data, cvk_tensor_count(tensor));
    if (at < 0) return CVK_OK;
    const cvk_graph *graph = session->plan->graph;
    return cvk_fail(CVK_BAD_INPUT,
                    "input '%s', read by node '%s': element %lld is not a number (NaN)",
                    graph->values[id].name, reader_of(graph, id), (long long)at);
}

static cvk_status bind_inputs(cvk_session *session, const cvk_tensor *inputs, int n_inputs)
{
    const cvk_graph *graph = session->plan->graph;
    for (int i = 0; i < graph->n_inputs; i++) session->bound[graph->inputs[i]] = NULL;
    for (int i = 0; i < n_inputs; i++) {
        int index = inputs[i].name ? cvk_session_find(session, inputs[i].name, false) : i;
        if (index < 0 || index >= graph->n_inputs)
            return inputs[i].name ? cvk_fail(CVK_BAD_ARGUMENT, "the model has no input called '%s'",
                                             inputs[i].name)
                                  : cvk_fail(CVK_BAD_ARGUMENT, "%d inputs given, the model has %d",
                                             n_inputs, graph->n_inputs);
        int id = graph->inputs[index];
        if (graph->values[id].data) continue; /* a constant of the session */
        CVK_TRY(check_tensor(&inputs[i], &graph->values[id], graph->values[id].name, "input"));
        if (session->device_binds[index].buffer)
            return cvk_fail(CVK_BAD_ARGUMENT,
                            "input '%s' has a device buffer bound: unbind it first",
                            graph->values[id].name);
        CVK_TRY(check_nan(session, &inputs[i], id));
        session->bound[id] = inputs[i].data;
    }
    for (int i = 0; i < graph->n_inputs; i++)
        if (!session->bound[graph->inputs[i]] && !session->device_binds[i].buffer &&
            !graph->values[graph->inputs[i]].data)
            return cvk_fail(CVK_BAD_ARGUMENT, "input '%s' is missing",
                            graph->values[graph->inputs[i]].name);
    return CVK_OK;
}

bool cvk_session_is_input(const cvk_session *session, int id)
{
    const cvk_graph *graph = session->plan->graph;
    for (int i = 0; i < graph->n_inputs; i++)
        if (graph->inputs[i] == id) return true;
    return false;
}

/* Which output of the model the caller's tensor `i` is. */
static cvk_status find_output(const cvk_session *session, const cvk_tensor *outputs, int n_outputs,
                              int i, const cvk_output **output)
{
    const char *name = outputs[i].name;
    int index = name ? cvk_session_find(session, name, true) : i;
    if (index < 0) return cvk_fail(CVK_BAD_ARGUMENT, "the model has no output called '%s'", name);
    if (index >= session->n_outputs)
        return cvk_fail(CVK_BAD_ARGUMENT, "%d outputs given, the model has %d", n_outputs,
                        session->n_outputs);
    *output = &session->outputs[index];
    return CVK_OK;
}

/* The caller's tensor is where the run writes output `index` of the plan, unless the session has the result
 * elsewhere: in its own memory, or in an input of which the output is another name. */
static cvk_status bind_output(cvk_session *session, const cvk_tensor *tensor, int index,
                              const char *name)
{
    const cvk_plan *plan = session->plan;
    const cvk_graph *graph = plan->graph;
    int id = graph->outputs[index], root = plan->storage[id].root;
    CVK_TRY(check_tensor(tensor, &graph->values[id], name, "output"));
    if (session->device_binds[graph->n_inputs + index].buffer)
        return cvk_fail(CVK_BAD_ARGUMENT, "output '%s' has a device buffer bound: unbind it first",
                        name);
    if (graph->values[id].data || !plan->external[root]) return CVK_OK;
    if (!cvk_session_is_input(session, root))
        session->bound[id] = tensor->data;
    else if (!session->bound[root])
        return cvk_fail(CVK_BAD_ARGUMENT,
                        "output '%s' is input '%s', which has a device buffer bound", name,
                        graph->values[root].name);
    return CVK_OK;
}

static cvk_status bind_outputs(cvk_session *session, const cvk_tensor *outputs, int n_outputs)
{
    cvk_plan *plan = session->plan;
    const cvk_graph *graph = plan->graph;
    for (int i = 0; i < graph->n_outputs; i++) {
        bool stand_in = session->device_binds[graph->n_inputs + i].buffer;
        if (cvk_session_is_input(session, graph->outputs[i])) continue;
        session->bound[graph->outputs[i]] = stand_in ? NULL : plan->output_data[graph->outputs[i]];
    }
    for (int i = 0; i < n_outputs; i++) {
        const cvk_output *output;
        CVK_TRY(find_output(session, outputs, n_outputs, i, &output));
        if (output->index >= 0)
            CVK_TRY(bind_output(session, &outputs[i], output->index, output->name));
    }
    return CVK_OK;
}

void cvk_session_apply(cvk_session *session)
{
    const cvk_plan *plan = session->plan;
    for (int i = 0; i < plan->n_bindings; i++) {
        const cvk_binding *b = &plan->bindings[i];
        char *base = session->bound[b->value];
        b->view->data = base ? base + b->offset : NULL;
    }
}

const void *cvk_session_output_data(const cvk_session *session, int index)
{
    const cvk_plan *plan = session->plan;
    int id = plan->graph->outputs[index];
    if (plan->graph->values[id].data) return plan->output_data[id];
    cvk_storage at = plan->storage[id];
    if (!plan->external[at.root])
        return (char *)plan->spaces[0].activations + plan->offsets[at.root] + at.offset;
    if (cvk_session_is_input(session, at.root))
        return (const char *)session->bound[at.root] + at.offset;
    return session->bound[id];
}

/* An output that only this run could plan: the caller must have guessed its shape. */
static cvk_status deliver_late(const cvk_session *session, const cvk_tensor *tensor,
                               const cvk_output *output)
{
    const cvk_value *value = cvk_session_tail_value(session, output->value);
    cvk_status status = check_tensor(tensor, value, output->name, "output");
    if (status)
        return cvk_fail_at(status, "the shape depends on data: leave it out and read it after the "
                                   "run with cvk_session_read");
    size_t bytes = (size_t)cvk_tensor_count(tensor) * cvk_dtype_bytes(tensor->dtype);
    if (bytes) memcpy(tensor->data, value->data, bytes);
    return CVK_OK;
}

static cvk_status deliver(const cvk_session *session, const cvk_tensor *outputs, int n_outputs)
{
    for (int i = 0; i < n_outputs; i++) {
        const cvk_output *output;
        CVK_TRY(find_output(session, outputs, n_outputs, i, &output));
        if (output->index < 0) {
            CVK_TRY(deliver_late(session, &outputs[i], output));
            continue;
        }
        const void *source = cvk_session_output_data(session, output->index);
        size_t bytes = (size_t)cvk_tensor_count(&outputs[i]) * cvk_dtype_bytes(outputs[i].dtype);
        if (source && source != outputs[i].data) memcpy(outputs[i].data, source, bytes);
    }
    return CVK_OK;
}

/* A transfer reads or writes the device on whose side its device view lies. */
static cvk_status run_transfer(const cvk_plan *plan, const cvk_step *step)
{
    const cvk_node *node = step->node;
    int from = plan->graph->values[node->in[0]].device,
        to = plan->graph->values[node->out[0]].device;
    size_t bytes = cvk_view_bytes(&step->out[0]);
    cvk_device *device = plan->devices[(to ? to : from) - 1];
    if (!bytes) return CVK_OK;
    if (!to) return device->backend->read(device, step->out[0].data, step->in[0].data, bytes, true);
    /* The plan's memory on the host may be another value's before the run ends. */
    CVK_TRY(device->backend->write(device, step->out[0].data, step->in[0].data, bytes));
    return device->backend->finish(device);
}

static cvk_status run_host(const cvk_plan *plan, cvk_segment *segment, bool profile)
{
    cvk_step *step = segment->steps[0];
    cvk_exchange *exchange = segment->exchange;
    double begin = profile ? cvk_session_clock() : 0;
    CVK_TRY(exchange                            ? cvk_exchange_run(exchange)
            : step->node->op == CVK_OP_Transfer ? run_transfer(plan, step)
                                                : step->kernel->run(NULL, step, 0, 1));
    if (!profile) return CVK_OK;
    if (exchange) CVK_TRY(exchange->device->backend->finish(exchange->device));
    segment->timing.ms[0] = cvk_session_clock() - begin;
    segment->timing.slices[0] = (cvk_slice){begin, segment->timing.ms[0]};
    return CVK_OK;
}

/* Times count from the begin of the run. */
static void keep_timing(cvk_plan *plan, cvk_segment *segment, double start)
{
    for (int k = 0; k < segment->count; k++)
        plan->steps[segment->first + k].ms = segment->timing.ms[k];
    for (int k = 0; k < segment->count * segment->lanes; k++)
        segment->timing.slices[k].begin_ms -= start;
}

static cvk_status walk_segments(cvk_session *session)
{
    cvk_plan *plan = session->plan;
    bool profile = session->profile;
    double start = profile ? cvk_session_clock() : 0;
    for (int i = 0; i < session->n_segments; i++) {
        cvk_segment *segment = &session->segments[i];
        cvk_device *device = segment->device == CVK_HOST ? NULL : plan->devices[segment->device];
        CVK_TRY(device ? device->backend->execute(device, segment->steps, segment->count,
                                                  segment->used, profile ? &segment->timing : NULL)
                       : run_host(plan, segment, profile));
        if (profile) keep_timing(plan, segment, start);
    }
    return CVK_OK;
}

/* A run that fails waits too: devices may still read the caller's tensors. What it says is why it
 * failed, not how that went. */
cvk_status cvk_session_walk(cvk_session *session, bool wait)
{
    enum { SENTENCE = 512 };
    const cvk_plan *plan = session->plan;
    cvk_status status = walk_segments(session);
    char why[SENTENCE];
    snprintf(why, sizeof why, "%s", status ? cvk_last_error() : "");
    for (int d = 0; d < plan->n_devices; d++) {
        cvk_device *device = plan->devices[d];
        if (device->backend->host || !(wait || status)) continue;
        if (status)
            device->backend->finish(device);
        else if ((status = device->backend->finish(device)))
            snprintf(why, sizeof why, "%s", cvk_last_error());
    }
    return status ? cvk_fail(status, "%s", why) : CVK_OK;
}

cvk_status cvk_session_execute(cvk_session *session, const cvk_tensor *inputs, int n_inputs,
                               const cvk_tensor *outputs, int n_outputs)
{
    return (session->parts ? cvk_session_run_parts : cvk_session_execute_plan)(
        session, inputs, n_inputs, outputs, n_outputs);
}

cvk_status cvk_session_execute_plan(cvk_session *session, const cvk_tensor *inputs, int n_inputs,
                                    const cvk_tensor *outputs, int n_outputs)
{
    CVK_TRY(bind_inputs(session, inputs, n_inputs));
    CVK_TRY(bind_outputs(session, outputs, n_outputs));
    cvk_session_apply(session);
    CVK_TRY(cvk_exchanges_begin(session));
    session->has_run = false;
    CVK_TRY(cvk_session_walk(session, true));
    if (session->plan->tail) CVK_TRY(cvk_session_run_tail(session));
    session->has_run = true;
    return deliver(session, outputs, n_outputs);
}
