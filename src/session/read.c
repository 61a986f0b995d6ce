/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading any value after a run of a session that keeps them: also one that no step of its own
 * makes, because it is another's under a different shape or a concatenation made in place.
 */
#include <stdlib.h>
#include <string.h>

#include "session/session.h"

/* The bytes of a value where the last run left them, to host memory. */
static cvk_status fetch_raw(const cvk_plan *plan, int id, void *dst, size_t bytes)
{
    int space = plan->graph->values[id].device;
    size_t offset = plan->offsets[plan->storage[id].root] + plan->storage[id].offset;
    if (!space) {
        memcpy(dst, (const char *)plan->spaces[0].activations + offset, bytes);
        return CVK_OK;
    }
    cvk_device *device = plan->devices[space - 1];
    void *part;
    CVK_TRY(device->backend->part(device, plan->spaces[space].activations, offset, bytes, &part));
    cvk_status status = device->backend->read(device, dst, part, bytes, true);
    device->backend->release_part(device, part);
    return status;
}

static cvk_status fetch(const cvk_plan *plan, int id, void *dst)
{
    const cvk_view view = cvk_graph_view(plan->graph, id);
    const cvk_shape *s = &view.shape;
    size_t bytes = cvk_view_bytes(&view);
    if (view.layout == CVK_LAYOUT_PLAIN) return fetch_raw(plan, id, dst, bytes);
    void *blocked = malloc(bytes);
    if (!blocked) return cvk_fail(CVK_NO_MEMORY, "out of memory: %zu bytes", bytes);
    cvk_status status = fetch_raw(plan, id, blocked, bytes);
    if (!status)
        cvk_layout_unblock(view.dtype, blocked, dst, s->dims[0], s->dims[1],
                           cvk_shape_span(s, 2, s->rank));
    free(blocked);
    return status;
}

static void describe(const cvk_value *value, cvk_tensor *tensor)
{
    void *data = tensor->data;
    *tensor = (cvk_tensor){.name = value->name,
                           .dtype = value->dtype,
                           .rank = value->has_shape ? value->shape.rank : -1,
                           .data = data};
    memcpy(tensor->dims, value->shape.dims, sizeof tensor->dims);
}

/* The tail's values are all kept until the next run. */
static cvk_status fetch_late(const cvk_session *session, int id, cvk_tensor *tensor)
{
    const cvk_value *value = cvk_session_tail_value(session, id);
    if (tensor->data && (!value->data || !session->has_run))
        return cvk_fail(CVK_BAD_ARGUMENT, "no run has computed '%s', or the last one failed",
                        value->name);
    describe(value, tensor);
    cvk_view view = {.dtype = value->dtype, .shape = value->shape};
    if (tensor->data) memcpy(tensor->data, value->data, cvk_view_bytes(&view));
    return CVK_OK;
}

cvk_status cvk_session_fetch(cvk_session *session, const char *name, cvk_tensor *tensor)
{
    const cvk_plan *plan = session->plan;
    if (session->parts)
        return cvk_fail(CVK_BAD_ARGUMENT,
                        "'%s' cannot be read: the batch is in parts, which keep no values", name);
    int late = plan->tail ? cvk_graph_find(plan->tail->graph, name) : -1;
    if (late >= 0 && plan->tail->graph->values[late].producer >= 0)
        return fetch_late(session, late, tensor);
    if (!plan->keep_values && tensor->data)
        return cvk_fail(CVK_BAD_ARGUMENT,
                        "the session does not keep values: set keep_values when it is created");
    int id = cvk_graph_find(plan->graph, name);
    const cvk_value *value = id < 0 ? NULL : &plan->graph->values[id];
    if (!value || value->data || value->producer < 0 || plan->external[plan->storage[id].root])
        return cvk_fail(CVK_BAD_ARGUMENT,
                        "the plan does not compute '%s': it was fused away or folded, or is an "
                        "input or unknown",
                        name);
    if (tensor->data && !session->has_run)
        return cvk_fail(CVK_BAD_ARGUMENT, "no run has computed '%s', or the last one failed", name);
    describe(value, tensor);
    return tensor->data ? fetch(plan, id, tensor->data) : CVK_OK;
}
