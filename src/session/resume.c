/* SPDX-License-Identifier: Apache-2.0
 *
 * When a device fails: the model is planned again for the device that the options name, and the run
 * repeated there. What the session was stays in it, since its strings are lent to the caller.
 */
#include <stdio.h>

#include "base/log.h"
#include "session/session.h"

/* What it takes to plan once more: the options with all that they point to. */
struct cvk_resume {
    const cvk_graph *model;
    cvk_device *device;
    cvk_session_options options;
};

/* Copies of tensors' names and, if they are wanted, data. */
static cvk_status copy_tensors(cvk_arena *arena, const cvk_tensor **tensors, int count, bool data)
{
    if (!count) return CVK_OK;
    cvk_tensor *copy = cvk_arena_copy(arena, *tensors, (size_t)count * sizeof *copy);
    if (!copy) return CVK_NO_MEMORY;
    for (int i = 0; i < count; i++) {
        const cvk_tensor *from = &(*tensors)[i];
        int64_t n = cvk_tensor_count(from);
        copy[i].name = cvk_arena_string(arena, from->name);
        if (from->name && !copy[i].name) return CVK_NO_MEMORY;
        copy[i].data = NULL;
        if (!data || !from->data || n < 0) continue;
        copy[i].data = cvk_arena_copy(arena, from->data, (size_t)n * cvk_dtype_bytes(from->dtype));
        if (!copy[i].data) return CVK_NO_MEMORY;
    }
    *tensors = copy;
    return CVK_OK;
}

cvk_status cvk_session_options_copy(cvk_arena *arena, const cvk_session_options *options,
                                    cvk_session_options *copy)
{
    *copy = *options;
    copy->prefer_kernel = cvk_arena_string(arena, options->prefer_kernel);
    copy->fuse = cvk_arena_string(arena, options->fuse);
    if ((options->prefer_kernel && !copy->prefer_kernel) || (options->fuse && !copy->fuse))
        return CVK_NO_MEMORY;
    CVK_TRY(copy_tensors(arena, &copy->inputs, options->n_inputs, false));
    return copy_tensors(arena, &copy->constants, options->n_constants, true);
}

/* Whether there is a device that can fail while the other goes on. */
static bool can_resume(cvk_device *const *devices, int n_devices, const cvk_device *other)
{
    bool differs = false;
    for (int d = 0; d < n_devices; d++) differs = differs || devices[d] != other;
    return other && differs;
}

static cvk_status prepare(cvk_session *session, const cvk_graph *model,
                          const cvk_session_options *options)
{
    cvk_arena *arena = session->plan->arena;
    cvk_resume *resume = cvk_arena_alloc(arena, sizeof *resume);
    if (!resume) return CVK_NO_MEMORY;
    *resume = (cvk_resume){.model = model, .device = options->continue_on};
    CVK_TRY(cvk_session_options_copy(arena, options, &resume->options));
    session->resume = resume;
    return CVK_OK;
}

static bool is_the_devices(cvk_status status)
{
    return status == CVK_DEVICE_FAILED || status == CVK_NO_MEMORY;
}

/* A session on `device` that says why it is there. */
static cvk_status make_there(const cvk_graph *model, cvk_device *device,
                             const cvk_session_options *options, const char *why,
                             cvk_session **made)
{
    CVK_TRY(cvk_session_make(model, &device, 1, options, false, NULL, made));
    cvk_plan *plan = (*made)->plan;
    (*made)->continued = cvk_arena_string(plan->arena, why);
    const char *text =
        cvk_arena_printf(plan->arena, "continued on %s, because of a failure: %s\n%s",
                         device->info.id, why, plan->text);
    if (!(*made)->continued || !text) {
        cvk_session_unmake(made);
        return CVK_NO_MEMORY;
    }
    plan->text = text;
    cvk_log(CVK_LOG_WARN, "continued on %s, because of a failure: %s", device->info.id, why);
    return CVK_OK;
}

cvk_status cvk_session_open(const cvk_graph *model, cvk_device *const *devices, int n_devices,
                            const cvk_session_options *options, struct cvk_reuse *reuse,
                            cvk_session **session)
{
    char why[1024];
    cvk_session *made = NULL;
    cvk_status status = cvk_session_make(model, devices, n_devices, options, false, reuse, &made);
    if (can_resume(devices, n_devices, options->continue_on)) {
        snprintf(why, sizeof why, "%s", cvk_last_error());
        if (is_the_devices(status))
            status = make_there(model, options->continue_on, options, why, &made);
        else if (!status)
            status = prepare(made, model, options);
    }
    if (status)
        cvk_session_unmake(&made);
    else
        *session = made;
    return status;
}

/* The name of an input or output that lies in a buffer of the caller's on a device; NULL: none. */
static const char *stand_in(const cvk_session *session)
{
    const cvk_graph *graph = session->plan->graph;
    for (int i = 0; i < graph->n_inputs + graph->n_outputs; i++)
        if (session->device_binds[i].buffer)
            return graph->values[session->device_binds[i].value].name;
    return NULL;
}

static void take_over(cvk_session *session, cvk_session *made)
{
    const cvk_session before = *session;
    *session = *made;
    *made = before;
    session->shapes = before.shapes;
    made->shapes = NULL;
    session->before = made;
}

cvk_status cvk_session_resume(cvk_session *session, cvk_status status, const cvk_tensor *inputs,
                              int n_inputs, const cvk_tensor *outputs, int n_outputs)
{
    const cvk_resume *resume = session->resume;
    cvk_session *made = NULL;
    char why[1024];
    if (!resume || !is_the_devices(status)) return status;
    snprintf(why, sizeof why, "%s", cvk_last_error());
    const char *buffer = stand_in(session);
    if (buffer)
        return cvk_fail(status, "%.800s; the run cannot continue on %s: '%s' is bound to a buffer",
                        why, resume->device->info.id, buffer);
    CVK_TRY(make_there(resume->model, resume->device, &resume->options, why, &made));
    take_over(session, made);
    return cvk_session_execute(session, inputs, n_inputs, outputs, n_outputs);
}
