/* SPDX-License-Identifier: Apache-2.0
 *
 * One session, several shapes: sessions of the same model and devices wait beside the one that the
 * caller has, and change places with it when a run's inputs have the shapes that they are planned
 * for. What is not there yet is planned; the one that was used the longest ago goes. Weights are
 * packed once, since devices find them by content, and hashed and folded once (schedule/reuse.h).
 */
#include <stdlib.h>

#include "ops/op.h"
#include "schedule/reuse.h"
#include "session/session.h"

/* What it takes to plan for another shape, and the plans that wait, the last used first. */
struct cvk_shapes {
    cvk_arena *arena;
    cvk_reuse *reuse;
    const cvk_graph *model;
    cvk_device **devices;
    int n_devices;
    cvk_session_options options;
    cvk_session **waiting;
    int n_waiting, most; /* most: options.plans but the one in use */
};

static struct cvk_shapes *make_shapes(const cvk_graph *model, cvk_device *const *devices,
                                      int n_devices, const cvk_session_options *options)
{
    struct cvk_shapes *shapes = calloc(1, sizeof *shapes);
    if (!shapes) return NULL;
    shapes->arena = cvk_arena_create();
    shapes->reuse = cvk_reuse_create(model);
    if (!shapes->arena || !shapes->reuse ||
        cvk_session_options_copy(shapes->arena, options, &shapes->options)) {
        cvk_session_shapes_free(&shapes);
        return NULL;
    }
    shapes->model = model;
    shapes->n_devices = n_devices;
    shapes->most = options->plans - 1;
    shapes->devices =
        cvk_arena_copy(shapes->arena, devices, (size_t)n_devices * sizeof *shapes->devices);
    shapes->waiting = calloc((size_t)shapes->most + 1, sizeof(cvk_session *));
    if (!shapes->devices || !shapes->waiting) cvk_session_shapes_free(&shapes);
    return shapes;
}

void cvk_session_shapes_free(struct cvk_shapes **shapes)
{
    struct cvk_shapes *s = *shapes;
    if (!s) return;
    for (int i = 0; i < s->n_waiting; i++) cvk_session_unmake(&s->waiting[i]);
    cvk_reuse_free(&s->reuse);
    cvk_arena_free(&s->arena);
    free(s->waiting);
    free(s);
    *shapes = NULL;
}

cvk_status cvk_session_open_shapes(const cvk_graph *model, cvk_device *const *devices,
                                   int n_devices, const cvk_session_options *options,
                                   cvk_session **session)
{
    if (options->plans < 2)
        return cvk_session_open(model, devices, n_devices, options, NULL, session);
    struct cvk_shapes *shapes = make_shapes(model, devices, n_devices, options);
    if (!shapes) return cvk_fail(CVK_NO_MEMORY, "out of memory: no session for several shapes");
    cvk_status status =
        cvk_session_open(model, devices, n_devices, options, shapes->reuse, session);
    if (status)
        cvk_session_shapes_free(&shapes);
    else
        (*session)->shapes = shapes;
    return status;
}

/* The run's tensor for input `index` of the plan; NULL: it is left out. */
static const cvk_tensor *given(const cvk_session *session, const cvk_tensor *inputs, int n_inputs,
                               int index)
{
    for (int i = 0; i < n_inputs; i++)
        if ((inputs[i].name ? cvk_session_find(session, inputs[i].name, false) : i) == index)
            return &inputs[i];
    return NULL;
}

/* Whether a session's inputs have these shapes: of those that the run gives, and that are no
 * constants. */
static bool fits(const cvk_session *session, const cvk_tensor *inputs, int n_inputs)
{
    const cvk_graph *graph = session->plan->graph;
    for (int i = 0; i < graph->n_inputs; i++) {
        const cvk_value *value = &graph->values[graph->inputs[i]];
        const cvk_tensor *tensor = given(session, inputs, n_inputs, i);
        if (!tensor || value->data || tensor->rank < 0 || tensor->rank > CVK_MAX_RANK) continue;
        const cvk_shape shape = cvk_shape_make(tensor->rank, tensor->dims);
        if (!cvk_shape_equal(&shape, &value->shape)) return false;
    }
    return true;
}

/* A session for the shapes that the run gives, and else for those of this one. */
static cvk_status plan_for(const cvk_session *session, const cvk_tensor *inputs, int n_inputs,
                           cvk_session **made)
{
    const struct cvk_shapes *shapes = session->shapes;
    const cvk_graph *graph = session->plan->graph;
    cvk_tensor *wanted = calloc((size_t)graph->n_inputs + 1, sizeof *wanted);
    int count = 0;
    if (!wanted) return cvk_fail(CVK_NO_MEMORY, "out of memory: %d inputs", graph->n_inputs);
    for (int i = 0; i < graph->n_inputs; i++) {
        const cvk_value *value = &graph->values[graph->inputs[i]];
        const cvk_tensor *tensor = given(session, inputs, n_inputs, i);
        if (value->data) continue; /* of options.constants */
        cvk_tensor *to = &wanted[count++];
        *to = (cvk_tensor){.name = value->name, .dtype = value->dtype, .rank = value->shape.rank};
        for (int d = 0; d < value->shape.rank; d++) to->dims[d] = value->shape.dims[d];
        if (!tensor) continue;
        to->rank = tensor->rank;
        for (int d = 0; d < tensor->rank && d < CVK_MAX_RANK; d++) to->dims[d] = tensor->dims[d];
    }
    cvk_session_options options = shapes->options;
    options.inputs = wanted;
    options.n_inputs = count;
    cvk_status status = cvk_session_open(shapes->model, shapes->devices, shapes->n_devices,
                                         &options, shapes->reuse, made);
    free(wanted);
    return status;
}

/* The session becomes `other`, and what it was waits where that did, first of all. */
static void change_places(cvk_session *session, cvk_session *other)
{
    struct cvk_shapes *shapes = session->shapes;
    const cvk_session before = *session;
    *session = *other;
    *other = before;
    session->shapes = shapes;
    other->shapes = NULL;
    for (int i = shapes->n_waiting++; i > 0; i--) shapes->waiting[i] = shapes->waiting[i - 1];
    shapes->waiting[0] = other;
}

cvk_status cvk_session_fit(cvk_session *session, const cvk_tensor *inputs, int n_inputs)
{
    struct cvk_shapes *shapes = session->shapes;
    cvk_session *other = NULL;
    if (!shapes || fits(session, inputs, n_inputs)) return CVK_OK;
    for (int i = 0; i < session->plan->graph->n_inputs + session->plan->graph->n_outputs; i++)
        if (session->device_binds[i].buffer)
            return cvk_fail(CVK_BAD_ARGUMENT,
                            "a run of another shape while device buffers are bound: unbind them "
                            "first");
    int at = 0;
    while (at < shapes->n_waiting && !fits(shapes->waiting[at], inputs, n_inputs)) at++;
    if (at < shapes->n_waiting) {
        other = shapes->waiting[at];
        for (int i = at + 1; i < shapes->n_waiting; i++)
            shapes->waiting[i - 1] = shapes->waiting[i];
        shapes->n_waiting--;
    } else {
        CVK_TRY(plan_for(session, inputs, n_inputs, &other));
        if (shapes->n_waiting == shapes->most)
            cvk_session_unmake(&shapes->waiting[--shapes->n_waiting]);
    }
    change_places(session, other);
    return CVK_OK;
}
