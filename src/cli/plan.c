/* SPDX-License-Identifier: Apache-2.0
 *
 * convoke plan: the scheduled steps as text, JSON, DOT or SVG.
 */
#include "cli/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/files.h"

/* "a, b" as an array. */
static json_t *split(const char *list)
{
    json_t *items = json_array();
    for (const char *at = list; at && *at;) {
        size_t n = strcspn(at, ",");
        char *item = need_text("%.*s", (int)n, at);
        json_array_append_new(items, json_text(item));
        free(item);
        at += n;
        at += strspn(at, ", ");
    }
    return items;
}

json_t *step_json(const cvk_step_info *step)
{
    json_t *row = json_pack("{s:o,s:o,s:o,s:o,s:o}", "nodes", split(step->nodes), "op",
                            json_text(step->op), "device", json_text(step->device), "kernel",
                            json_text(step->kernel), "fused", split(step->fused));
    json_t *more = json_pack("{s:o,s:o,s:I,s:I,s:I,s:o,s:o}", "output", json_text(step->output),
                             "shape", json_text(step->shape), "offset", (json_int_t)step->offset,
                             "bytes", (json_int_t)step->bytes, "macs", (json_int_t)step->macs,
                             "refused", json_text(step->refused), "note", json_text(step->note));
    json_object_update_new(row, more);
    json_object_set_new(row, "inputs", split(step->inputs));
    json_object_set_new(row, "predicted_ms", json_number(step->predicted_ms));
    if (step->weights) {
        json_object_set_new(row, "weights", json_text(cvk_dtype_name(step->weights)));
        json_object_set_new(row, "weights_rel_l2", json_number(step->weights_rel_l2));
    }
    return row;
}

static json_t *plan_json(const cvk_session *session, const cvk_session_info *info)
{
    json_t *steps = json_array();
    cvk_step_info step;
    for (int i = 0; i < info->steps; i++)
        if (!cvk_session_step(session, i, &step)) json_array_append_new(steps, step_json(&step));
    return json_pack(
        "{s:o,s:i,s:i,s:I,s:I,s:I,s:I,s:o,s:o,s:b,s:o,s:o}", "steps", steps, "nodes", info->nodes,
        "fused", info->fused, "activation_bytes", (json_int_t)info->activation_bytes,
        "lower_bound_bytes", (json_int_t)info->lower_bound_bytes, "workspace_bytes",
        (json_int_t)info->workspace_bytes, "weight_bytes", (json_int_t)info->weight_bytes,
        "build_ms", json_number(info->build_ms), "predicted_ms", json_number(info->predicted_ms),
        "calibrated", info->calibrated, "choice", json_text(info->choice), "batch",
        json_text(info->batch));
}

static int draw(const cvk_session *session, const char *path, char *(*drawing)(const cvk_session *))
{
    if (!path) return DONE;
    char *text = drawing(session);
    int code = file_write(path, text);
    free(text);
    return code;
}

/* A session of the model at `path` for the shared options. */
static int open_plan(const shared_options *shared, const char *path, device_set *devices,
                     cvk_session **session)
{
    cvk_model *model = NULL;
    shape_set shapes = {0};
    int code = model_open(path, &model);
    if (!code) code = shapes_from_options(shared, model, &shapes);
    if (!code) code = devices_open_for(shared, shared->device, model, &shapes, devices);
    if (!code) {
        cvk_session_options options = session_options(shared, &shapes, NULL);
        code = fail_status(
            cvk_session_create(model, devices->items, devices->count, &options, session));
    }
    shapes_free(&shapes);
    cvk_model_free(&model);
    return code;
}

int command_plan(int argc, char **argv)
{
    shared_options shared;
    char **words;
    int count;
    const char *dot = NULL, *svg = NULL;
    const option_row rows[] = {{"dot", OPTION_TEXT, &dot, "FILE", "draw the steps for Graphviz", 0},
                               {"svg", OPTION_TEXT, &svg, "FILE", "draw the steps as a picture", 0},
                               {0}};
    const usage usage = {
        "plan MODEL [OPTIONS]",
        "The scheduled steps: fused nodes, device, kernel, why others were refused, memory.",
        rows,
        TAKES_DEVICE | TAKES_SHAPE | TAKES_PLAN,
        1,
        1};
    int code = options_read(&usage, &shared, argc, argv, &words, &count);
    if (code != GO_ON) return code;
    device_set devices = {.count = 0};
    cvk_session *session = NULL;
    cvk_session_info info;
    code = open_plan(&shared, words[0], &devices, &session);
    if (!code) code = fail_status(cvk_session_get_info(session, &info));
    if (!code) code = draw(session, dot, plan_dot);
    if (!code) code = draw(session, svg, plan_svg);
    if (!code && shared.json)
        code = json_print(plan_json(session, &info));
    else if (!code)
        fputs(cvk_session_describe(session), stdout);
    cvk_session_free(&session);
    devices_close(&devices);
    options_free(&shared);
    return code;
}
