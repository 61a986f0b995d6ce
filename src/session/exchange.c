/* SPDX-License-Identifier: Apache-2.0
 *
 * A tensor that is used in place stands where a buffer of the caller's would (stand_in.c): every
 * view over that storage points to it. It is wrapped once and kept for the next runs with the same
 * address. Outputs stay mapped, for reading only, until they are written again, and inputs are
 * mapped only to tell the device that they may have changed: the driver never touches a tensor
 * between runs, so that the caller may free it.
 */
#include "session/exchange.h"

#include "base/log.h"
#include "session/session.h"

/* Whether a Transfer takes a tensor of the caller's to a device, which nothing changes before the
 * end of the run, or an output of the model from one, which nothing looks at before that. */
static bool exchanges(const cvk_session *session, const cvk_step *copy)
{
    const cvk_plan *plan = session->plan;
    const int from = copy->node->in[0], to = copy->node->out[0];
    bool alone;
    if (!cvk_view_bytes(&copy->in[0])) return false;
    if (plan->graph->values[to].device)
        return cvk_session_is_input(session, plan->storage[from].root);
    return plan->external[plan->storage[to].root] &&
           cvk_session_copy(session, to, true, &alone) == copy && alone;
}

/* Whether what lies on the device under this root is one tensor of the caller's and no other. */
static bool may_share(const cvk_session *session, const cvk_exchange *exchange)
{
    const cvk_plan *plan = session->plan;
    if (plan->keep_values || !exchange->device->backend->wrap) return false;
    for (const cvk_exchange *e = session->exchanges; exchange->output && e->copy; e++)
        if (e != exchange && e->device == exchange->device && e->root == exchange->root)
            return false;
    return true;
}

static void fill(const cvk_session *session, cvk_step *copy, cvk_exchange *exchange)
{
    const cvk_plan *plan = session->plan;
    const cvk_node *node = copy->node;
    const bool output = !plan->graph->values[node->out[0]].device;
    const int id = output ? node->in[0] : node->out[0];
    *exchange = (cvk_exchange){.copy = copy,
                               .device = plan->devices[plan->graph->values[id].device - 1],
                               .output = output,
                               .root = plan->storage[id].root,
                               .own = output ? copy->in[0].data : copy->out[0].data};
}

cvk_status cvk_exchanges_make(cvk_session *session)
{
    cvk_plan *plan = session->plan;
    int count = 0;
    session->exchanges =
        cvk_arena_alloc(plan->arena, ((size_t)plan->n_steps + 1) * sizeof *session->exchanges);
    if (!session->exchanges) return CVK_NO_MEMORY;
    for (int i = 0; i < plan->n_steps; i++) {
        cvk_step *step = &plan->steps[i].step;
        if (step->node->op == CVK_OP_Transfer && exchanges(session, step))
            fill(session, step, &session->exchanges[count++]);
    }
    for (cvk_exchange *e = session->exchanges; e->copy; e++) e->shared = may_share(session, e);
    return CVK_OK;
}

cvk_exchange *cvk_exchange_of(const cvk_session *session, const cvk_step *copy)
{
    cvk_exchange *e = session->exchanges;
    while (e->copy && e->copy != copy) e++;
    return e->copy ? e : NULL;
}

static size_t bytes_of(const cvk_exchange *e)
{
    return cvk_view_bytes(&e->copy->in[0]);
}

static void *host_of(const cvk_exchange *e)
{
    return e->output ? e->copy->out[0].data : e->copy->in[0].data;
}

static cvk_status unmap(cvk_exchange *e)
{
    void *mapped = e->mapped;
    e->mapped = NULL;
    return mapped ? e->device->backend->unmap(e->device, e->data, mapped) : CVK_OK;
}

/* Whether another tensor of the run has a byte in common with this one. */
static bool overlaps(const cvk_session *session, const cvk_exchange *exchange)
{
    const char *begin = host_of(exchange), *end = begin + bytes_of(exchange);
    for (const cvk_exchange *e = session->exchanges; e->copy; e++) {
        const char *other = host_of(e);
        if (e != exchange && other && other < end && begin < other + bytes_of(e)) return true;
    }
    return false;
}

/* The tensor as memory of the device, if it has been passed lately, else wrapped now. What the
 * device does not take is copied. */
static void *find_data(cvk_exchange *e, void *host)
{
    cvk_device *device = e->device;
    void *data = NULL;
    for (int i = 0; i < CVK_KEPT_TENSORS; i++)
        if (e->kept[i].data && e->kept[i].host == host) return e->kept[i].data;
    if (device->backend->wrap(device, host, bytes_of(e), e->output, &data)) {
        cvk_log(CVK_LOG_DEBUG, "%s: a tensor is copied: %s", device->info.id, cvk_last_error());
        return NULL;
    }
    if (!data) return NULL;
    cvk_kept_tensor *kept = &e->kept[e->oldest];
    if (kept->data) device->backend->release(device, kept->data);
    *kept = (cvk_kept_tensor){.host = host, .data = data};
    e->oldest = (e->oldest + 1) % CVK_KEPT_TENSORS;
    return data;
}

static void forget(cvk_exchange *e)
{
    unmap(e); /* a run that failed says why it did */
    for (int i = 0; i < CVK_KEPT_TENSORS; i++)
        if (e->kept[i].data) e->device->backend->release(e->device, e->kept[i].data);
    *e = (cvk_exchange){.copy = e->copy,
                        .device = e->device,
                        .output = e->output,
                        .root = e->root,
                        .own = e->own,
                        .shared = e->shared};
}

void cvk_exchanges_free(cvk_session *session)
{
    for (cvk_exchange *e = session->exchanges; e && e->copy; e++) forget(e);
}

void cvk_exchange_reset(cvk_session *session, const cvk_step *copy)
{
    cvk_exchange *e = cvk_exchange_of(session, copy);
    if (!e) return;
    if (e->data) cvk_session_point(session->plan, e->root, e->own);
    forget(e);
}

cvk_status cvk_exchanges_begin(cvk_session *session)
{
    bool same = true;
    for (cvk_exchange *e = session->exchanges; e->copy; e++) {
        CVK_TRY(unmap(e));
        same = same && e->host == host_of(e);
    }
    for (cvk_exchange *e = session->exchanges; e->copy && !same; e++) {
        void *host = host_of(e);
        void *data = host && e->shared && !overlaps(session, e) ? find_data(e, host) : NULL;
        if (data != e->data) cvk_session_point(session->plan, e->root, data ? data : e->own);
        e->data = data;
        e->host = host;
    }
    return CVK_OK;
}

/* Maps to tell, and for outputs until begin. */
static cvk_status hand_over(cvk_exchange *e)
{
    const cvk_backend *backend = e->device->backend;
    CVK_TRY(backend->map(e->device, e->data, bytes_of(e), !e->output, &e->mapped));
    return e->output ? CVK_OK : unmap(e);
}

cvk_status cvk_exchange_run(cvk_exchange *e)
{
    const cvk_backend *backend = e->device->backend;
    if (!e->host) return CVK_OK; /* the caller's device buffer stands in */
    if (e->data) return hand_over(e);
    const cvk_step *copy = e->copy;
    return e->output ? backend->read(e->device, e->host, copy->in[0].data, bytes_of(e), false)
                     : backend->write(e->device, copy->out[0].data, e->host, bytes_of(e));
}
