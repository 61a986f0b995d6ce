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
    cvk_status status = device->backend->read(device, dst, part, bytes);
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

cvk_status cvk_session_fetch(cvk_session *session, const char *name, cvk_tensor *tensor)
{
    const cvk_plan *plan = session->plan;
    int id = cvk_graph_find(plan->graph, name);
    const cvk_value *value = id < 0 ? NULL : &plan->graph->values[id];
    if (!value || value->data || value->producer < 0 || plan->external[plan->storage[id].root])
        return cvk_fail(CVK_BAD_ARGUMENT,
                        "the plan does not compute '%s': it was fused away or folded, or is an "
                        "input or unknown",
                        name);
    if (tensor->data && !session->has_run)
        return cvk_fail(CVK_BAD_ARGUMENT, "no run has computed '%s' yet", name);
    void *data = tensor->data;
    *tensor = (cvk_tensor){
        .name = value->name, .dtype = value->dtype, .rank = value->shape.rank, .data = data};
    memcpy(tensor->dims, value->shape.dims, sizeof tensor->dims);
    return data ? fetch(plan, id, data) : CVK_OK;
}
