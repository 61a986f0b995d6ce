/* SPDX-License-Identifier: Apache-2.0
 *
 * convoke info: what a model is, without running it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/setup.h"

/* Operators and how often each occurs, in order of first use. */
static json_t *count_operators(const cvk_model *model, int nodes)
{
    json_t *ops = json_object();
    for (int i = 0; i < nodes; i++) {
        const char *op;
        if (cvk_model_node(model, i, &op, NULL)) continue;
        json_int_t n = json_integer_value(json_object_get(ops, op));
        json_object_set_new(ops, op, json_integer(n + 1));
    }
    return ops;
}

typedef cvk_status (*describe_fn)(const cvk_model *, int, cvk_tensor *, const char **);

static json_t *list_tensors(const cvk_model *model, int count, describe_fn describe, bool print,
                            const char *title)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++) {
        cvk_tensor t;
        const char *names[CVK_MAX_RANK] = {0};
        char shape[256];
        if (describe(model, i, &t, names)) continue;
        shape_text(&t, names, shape, sizeof shape);
        if (print)
            printf("%-13s %s  %s  %s\n", i ? "" : title, t.name, cvk_dtype_name(t.dtype), shape);
        json_array_append_new(list, json_pack("{s:o,s:s,s:o}", "name", json_text(t.name), "type",
                                              cvk_dtype_name(t.dtype), "shape", json_shape(&t)));
    }
    return list;
}

/* Multiply-adds with the shapes of --shape: those of a plan for the CPU. */
static int planned_macs(const shared_options *shared, const cvk_model *model, uint64_t *macs)
{
    device_set devices;
    shape_set shapes;
    cvk_session *session = NULL;
    int code = devices_open(shared, "cpu", &devices);
    if (code) return code;
    code = shapes_from_options(shared, model, &shapes);
    if (!code) {
        cvk_session_options options = session_options(shared, &shapes, NULL);
        code = fail_status(
            cvk_session_create(model, devices.items, devices.count, &options, &session));
        shapes_free(&shapes);
    }
    if (!code) *macs = session_macs(session);
    cvk_session_free(&session);
    devices_close(&devices);
    return code;
}

static void print_operators(json_t *ops)
{
    const char *op, *title = "operators";
    json_t *n;
    json_object_foreach(ops, op, n)
    {
        printf("%-13s %s %" JSON_INTEGER_FORMAT "\n", title, op, json_integer_value(n));
        title = "";
    }
}

static int report(const cvk_model *model, const cvk_model_info *info, uint64_t macs, bool as_json)
{
    if (!as_json) printf("%-13s %s\n%-13s %d\n", "name", info->name, "opset", info->opset);
    json_t *inputs = list_tensors(model, info->inputs, cvk_model_input, !as_json, "inputs");
    json_t *outputs = list_tensors(model, info->outputs, cvk_model_output, !as_json, "outputs");
    json_t *ops = count_operators(model, info->nodes);
    json_t *result =
        json_pack("{s:o,s:i,s:o,s:o,s:i,s:o,s:I,s:I,s:I}", "name", json_text(info->name), "opset",
                  info->opset, "inputs", inputs, "outputs", outputs, "nodes", info->nodes, "ops",
                  ops, "parameters", (json_int_t)info->parameters, "macs", (json_int_t)macs,
                  "weight_bytes", (json_int_t)info->weight_bytes);
    if (as_json) return json_print(result);
    print_operators(ops);
    json_decref(result);
    printf("%-13s %d\n%-13s %" PRIu64 "\n", "nodes", info->nodes, "parameters", info->parameters);
    printf("%-13s %" PRIu64 "%s\n", "multiply-adds", macs,
           macs ? "" : " (are free dimensions to be given with --shape?)");
    printf("%-13s %" PRIu64 " bytes\n", "weights", info->weight_bytes);
    return DONE;
}

int command_info(int argc, char **argv)
{
    shared_options shared;
    char **words;
    int count;
    const usage usage = {"info MODEL [OPTIONS]",
                         "Inputs, outputs, operators, parameters, and multiply-adds (for the "
                         "shapes given) of a model.",
                         NULL,
                         TAKES_SHAPE,
                         1,
                         1};
    int code = options_read(&usage, &shared, argc, argv, &words, &count);
    if (code != GO_ON) return code;
    cvk_model *model = NULL;
    cvk_model_info info;
    if (shared.shapes.count)
        code = model_open(words[0], &model);
    else /* nothing is computed: weights are not looked at */
        code = fail_status(cvk_model_load_outline(words[0], &model));
    if (!code) code = fail_status(cvk_model_get_info(model, &info));
    uint64_t macs = code ? 0 : info.macs;
    if (!code && shared.shapes.count) code = planned_macs(&shared, model, &macs);
    if (!code) code = report(model, &info, macs, shared.json);
    cvk_model_free(&model);
    options_free(&shared);
    return code;
}
