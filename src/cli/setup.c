/* SPDX-License-Identifier: Apache-2.0
 *
 * Devices, shapes and sessions from options.
 */
#include "cli/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool device_is_all(const shared_options *shared)
{
    return shared->device && strcmp(shared->device, "all") == 0;
}

/* The device behind the last is open. */
static int name_device(device_set *set)
{
    cvk_device_info info;
    int code = fail_status(cvk_device_get_info(set->items[set->count++], &info));
    size_t used = strlen(set->name);
    snprintf(set->name + used, sizeof set->name - used, "%s%s", used ? "," : "", info.id);
    return code;
}

static int add_device(device_set *set, const char *spec, const cvk_device_options *options)
{
    if (set->count == MAX_DEVICES)
        return fail(WRONG_USE, "--device: more than %d devices", MAX_DEVICES);
    int code = fail_status(cvk_device_open(spec, options, &set->items[set->count]));
    return code ? code : name_device(set);
}

static cvk_device_options device_options(const shared_options *shared)
{
    return (cvk_device_options){.threads = shared->threads, .isa = shared->isa};
}

static int add_continue_on(const shared_options *shared, device_set *set)
{
    const cvk_device_options options = device_options(shared);
    return shared->continue_on_cpu
               ? fail_status(cvk_device_open("cpu", &options, &set->continue_on))
               : DONE;
}

int devices_open(const shared_options *shared, const char *spec, device_set *set)
{
    const cvk_device_options options = device_options(shared);
    *set = (device_set){.count = 0};
    if (!spec) spec = "auto";
    if (strcmp(spec, "all") == 0)
        return fail(WRONG_USE, "--device all compares devices: this command wants one, or a list "
                               "in order of preference");
    int code = DONE;
    for (const char *at = spec; !code; at += strcspn(at, ",") + 1) {
        char *one = need_text("%.*s", (int)strcspn(at, ","), at);
        code = add_device(set, one, &options);
        free(one);
        if (!at[strcspn(at, ",")]) break;
    }
    if (!code) code = add_continue_on(shared, set);
    if (code) devices_close(set);
    return code;
}

int devices_open_for(const shared_options *shared, const char *spec, const cvk_model *model,
                     const shape_set *shapes, device_set *set)
{
    if (spec && strcmp(spec, "auto") != 0) return devices_open(shared, spec, set);
    const cvk_device_options options = device_options(shared);
    const cvk_session_options session = session_options(shared, shapes, NULL);
    int count = 0;
    *set = (device_set){.count = 0};
    int code = fail_status(
        cvk_device_open_for(model, &session, &options, set->items, MAX_DEVICES, &count));
    while (!code && set->count < count) code = name_device(set);
    if (!code) code = add_continue_on(shared, set);
    if (code) devices_close(set);
    return code;
}

void devices_close(device_set *set)
{
    for (int i = 0; i < set->count; i++) cvk_device_close(&set->items[i]);
    cvk_device_close(&set->continue_on);
    set->count = 0;
}

const char *devices_in_use(device_set *set, const cvk_session *session)
{
    cvk_session_info info;
    if (cvk_session_get_info(session, &info) || !*info.continued) return set->name;
    if (!set->told) fprintf(stderr, "convoke: warning: continued on the CPU: %s\n", info.continued);
    set->told = true;
    return "cpu";
}

int devices_each(const shared_options *shared, device_visit visit, void *context)
{
    if (!device_is_all(shared)) return visit(shared->device, context);
    cvk_device_info infos[MAX_DEVICES];
    int count = 0, first = fail_status(cvk_device_list(infos, MAX_DEVICES, &count));
    for (int i = 0; i < count && i < MAX_DEVICES; i++) {
        int code = visit(infos[i].id, context);
        if (!first) first = code;
    }
    return first;
}

int model_open(const char *path, cvk_model **model)
{
    return fail_status(cvk_model_load(path, model));
}

cvk_tensor *shapes_find(const shape_set *set, const char *name)
{
    for (int i = 0; i < set->count; i++)
        if (strcmp(set->items[i].name, name) == 0) return &set->items[i];
    return NULL;
}

void shapes_put(shape_set *set, const cvk_tensor *tensor)
{
    cvk_tensor *place = shapes_find(set, tensor->name);
    if (!place) {
        set->items = need_more(set->items, (size_t)set->count + 1, sizeof *set->items);
        place = &set->items[set->count++];
    }
    *place = *tensor;
}

/* Input `index` of a model, or NULL behind the last. */
static const cvk_tensor *model_input(const cvk_model *model, int index, cvk_tensor *input)
{
    cvk_model_info info;
    if (cvk_model_get_info(model, &info) || index >= info.inputs) return NULL;
    return cvk_model_input(model, index, input, NULL) ? NULL : input;
}

static int add_shape(shape_set *set, const cvk_model *model, const char *text)
{
    const char *equals = strrchr(text, '=');
    cvk_tensor shape, input;
    if (!equals || !parse_dims(equals + 1, &shape))
        return fail(WRONG_USE, "--shape '%s': expected NAME=1x3x224x224", text);
    for (int i = 0; model_input(model, i, &input); i++) {
        if (strlen(input.name) != (size_t)(equals - text) ||
            strncmp(input.name, text, strlen(input.name)))
            continue;
        input.rank = shape.rank;
        memcpy(input.dims, shape.dims, sizeof input.dims);
        shapes_put(set, &input);
        return DONE;
    }
    return fail(WRONG_USE, "--shape '%s': the model has no such input; `convoke info` lists them",
                text);
}

int shapes_from_options(const shared_options *shared, const cvk_model *model, shape_set *set)
{
    int code = DONE;
    *set = (shape_set){0};
    for (int i = 0; !code && i < shared->shapes.count; i++)
        code = add_shape(set, model, shared->shapes.items[i]);
    if (code) shapes_free(set);
    return code;
}

int shapes_set_batch(shape_set *set, const cvk_model *model, int batch)
{
    cvk_tensor input;
    bool any_free = false;
    for (int i = 0; model_input(model, i, &input); i++)
        any_free |= input.rank > 0 && input.dims[0] < 0;
    for (int i = 0; model_input(model, i, &input); i++) {
        if (input.rank == 0 || (any_free && input.dims[0] >= 0)) continue;
        if (input.dims[0] >= 0 && input.dims[0] != batch)
            return fail(
                BAD_FILE,
                "--batch %d: the batch of input '%s' is %lld in the model and cannot be changed",
                batch, input.name, (long long)input.dims[0]);
        const cvk_tensor *given = shapes_find(set, input.name);
        cvk_tensor shape = given ? *given : input;
        shape.dims[0] = batch;
        bool known = true;
        for (int d = 0; d < shape.rank; d++) known = known && shape.dims[d] >= 0;
        if (known)
            shapes_put(set, &shape);
        else
            return fail(BAD_FILE,
                        "input '%s' has free dimensions besides the batch: give --shape %s=DIMS",
                        input.name, input.name);
    }
    return DONE;
}

void shapes_free(shape_set *set)
{
    free(set->items);
    *set = (shape_set){0};
}

cvk_session_options session_options(const shared_options *shared, const shape_set *shapes,
                                    const device_set *set)
{
    const bool half = shared->precision && strcmp(shared->precision, "f16") == 0;
    return (cvk_session_options){.inputs = shapes ? shapes->items : NULL,
                                 .n_inputs = shapes ? shapes->count : 0,
                                 .no_fuse = shared->no_fuse,
                                 .fuse = shared->fuse,
                                 .workspace_bytes = shared->workspace,
                                 .split_batch = shared->split_batch,
                                 .memory_bytes = shared->memory,
                                 .prefer_kernel = shared->prefer,
                                 .tolerance = shared->tolerance,
                                 .precision = half ? CVK_F16 : CVK_NONE,
                                 .continue_on = set ? set->continue_on : NULL};
}

int session_tensors(const cvk_session *session, int count, bool outputs, tensor_set *set)
{
    int code = DONE;
    *set = (tensor_set){need((size_t)count, sizeof(cvk_tensor)), need((size_t)count, 1), 0};
    for (int i = 0; !code && i < count; i++) {
        cvk_tensor *t = &set->items[i];
        code = fail_status((outputs ? cvk_session_output : cvk_session_input)(session, i, t));
        if (code) break;
        set->late[i] = t->rank < 0 || cvk_tensor_count(t) < 0;
        t->data = set->late[i] ? NULL : need_tensor(t);
        set->count++;
    }
    if (code) tensors_free(set);
    return code;
}

static cvk_status read_late(cvk_session *session, int index, cvk_tensor *t)
{
    free(t->data);
    *t = (cvk_tensor){0};
    cvk_status status = cvk_session_output(session, index, t);
    if (status) return status;
    t->data = need_tensor(t);
    return cvk_session_read(session, t->name, t);
}

cvk_status session_run(cvk_session *session, const tensor_set *inputs, tensor_set *outputs)
{
    cvk_tensor *fixed = need((size_t)outputs->count, sizeof *fixed);
    int count = 0;
    for (int i = 0; i < outputs->count; i++)
        if (!outputs->late[i]) fixed[count++] = outputs->items[i];
    cvk_status status = cvk_session_run(session, inputs->items, inputs->count, fixed, count);
    free(fixed);
    for (int i = 0; !status && i < outputs->count; i++)
        if (outputs->late[i]) status = read_late(session, i, &outputs->items[i]);
    return status;
}

void tensors_free(tensor_set *set)
{
    for (int i = 0; i < set->count; i++) free(set->items[i].data);
    free(set->items);
    free(set->late);
    *set = (tensor_set){0};
}

double session_rounding(const cvk_session *session)
{
    cvk_step_info step;
    double most = 0;
    for (int i = 0; cvk_session_step(session, i, &step) == CVK_OK; i++)
        if (step.weights_rel_l2 > most) most = step.weights_rel_l2;
    return most;
}

uint64_t session_macs(const cvk_session *session)
{
    cvk_session_info info;
    cvk_step_info step;
    uint64_t macs = 0;
    if (cvk_session_get_info(session, &info)) return 0;
    for (int i = 0; i < info.steps; i++)
        macs += cvk_session_step(session, i, &step) ? 0 : step.macs;
    return macs;
}
