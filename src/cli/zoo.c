/* SPDX-License-Identifier: Apache-2.0
 *
 * convoke zoo: classic networks with seeded weights, listed or saved as ONNX.
 */
#include "zoo/zoo.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/options.h"
#include "cli/table.h"

static json_t *entry_json(const char *name, const cvk_model_info *info)
{
    return json_pack("{s:s,s:I,s:I,s:I}", "name", name, "parameters", (json_int_t)info->parameters,
                     "macs", (json_int_t)info->macs, "weight_bytes",
                     (json_int_t)info->weight_bytes);
}

static int list(const cvk_zoo_options *options, bool as_json)
{
    json_t *entries = json_array();
    table rows = table_make("lrrl");
    int code = DONE;
    table_row(&rows, "name\tparameters\tmultiply-adds\t");
    for (const cvk_zoo_entry *entry = cvk_zoo; !code && entry->name; entry++) {
        cvk_model *model = NULL;
        cvk_model_info info;
        code = fail_status(entry->build(options, &model));
        if (!code) code = fail_status(cvk_model_get_info(model, &info));
        if (!code) {
            table_row(&rows, "%s\t%" PRIu64 "\t%" PRIu64 "\t%s", entry->name, info.parameters,
                      info.macs, entry->about);
            json_array_append_new(entries, entry_json(entry->name, &info));
        }
        cvk_model_free(&model);
    }
    if (!code && as_json)
        json_print(json_pack("{s:O}", "networks", entries));
    else if (!code)
        table_print(&rows, stdout);
    table_free(&rows);
    json_decref(entries);
    return code;
}

static bool known(const char *name)
{
    for (const cvk_zoo_entry *entry = cvk_zoo; entry->name; entry++)
        if (strcmp(entry->name, name) == 0) return true;
    return false;
}

static int save(const char *name, const cvk_zoo_options *options, const char *path, bool as_json)
{
    cvk_model *model = NULL;
    cvk_model_info info;
    if (!known(name))
        return fail(WRONG_USE, "zoo: no network is called '%s': see convoke zoo list", name);
    if (!path) return fail(WRONG_USE, "zoo %s: -o FILE is missing", name);
    int code = fail_status(cvk_zoo_build(name, options, &model));
    if (!code) code = fail_status(cvk_model_get_info(model, &info));
    if (!code) code = fail_status(cvk_model_save(model, path));
    if (!code && as_json)
        code = json_print(entry_json(name, &info));
    else if (!code)
        printf("%s: %" PRIu64 " parameters, %" PRIu64 " multiply-adds\n", path, info.parameters,
               info.macs);
    cvk_model_free(&model);
    return code;
}

int command_zoo(int argc, char **argv)
{
    shared_options shared;
    cvk_zoo_options options = {.seed = 1};
    const char *path = NULL;
    char **words;
    int count;
    const option_row rows[] = {
        {"output", OPTION_TEXT, &path, "FILE", "the ONNX file to write", 'o'},
        {"classes", OPTION_COUNT, &options.classes, "N",
         "classes to tell apart (default: the network's own)", 0},
        {"size", OPTION_COUNT, &options.size, "N",
         "height and width of the input (default: the network's own)", 0},
        {"batch", OPTION_COUNT, &options.batch, "N", "a fixed batch (default: free)", 0},
        {"seed", OPTION_SEED, &options.seed, "N", "of the weights (default 1)", 0},
        {0}};
    const usage usage = {"zoo list | zoo NAME -o FILE [OPTIONS]",
                         "Classic networks with seeded weights, saved as ONNX.",
                         rows,
                         0,
                         1,
                         1};
    int code = options_read(&usage, &shared, argc, argv, &words, &count);
    if (code != GO_ON) return code;
    bool all = strcmp(words[0], "list") == 0;
    code = all ? list(&options, shared.json) : save(words[0], &options, path, shared.json);
    options_free(&shared);
    return code;
}
