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

typedef struct built {
    cvk_model *model;
    cvk_model_info info;
    int depth;
} built;

static int build(const cvk_zoo_entry *entry, const cvk_zoo_options *options, built *b)
{
    *b = (built){0};
    if (!cvk_zoo_takes_size(entry, options->size)) {
        char multiple[48] = "";
        if (entry->multiple > 1)
            snprintf(multiple, sizeof multiple, " and a multiple of %d", entry->multiple);
        return fail(BAD_FILE, "zoo %s: --size %d: expected %d to %d%s", entry->name, options->size,
                    entry->least, CVK_ZOO_LARGEST, multiple);
    }
    int code = fail_status(cvk_zoo_build(entry, options, &b->model, &b->depth));
    return code ? code : fail_status(cvk_model_get_info(b->model, &b->info));
}

static json_t *entry_json(const char *name, const built *b)
{
    return json_pack("{s:s,s:I,s:I,s:i,s:I}", "name", name, "parameters",
                     (json_int_t)b->info.parameters, "macs", (json_int_t)b->info.macs, "depth",
                     b->depth, "weight_bytes", (json_int_t)b->info.weight_bytes);
}

/* Networks that do not take the size asked for are left out. */
static int list(cvk_zoo_options options, bool as_json)
{
    json_t *entries = json_array();
    table rows = table_make("lrrrl");
    int code = DONE;
    options.outline = true;
    table_row(&rows, "name\tparameters\tmultiply-adds\tdepth\t");
    for (const cvk_zoo_entry *entry = cvk_zoo; !code && entry->name; entry++) {
        built b;
        if (!cvk_zoo_takes_size(entry, options.size)) continue;
        code = build(entry, &options, &b);
        if (!code) {
            table_row(&rows, "%s\t%" PRIu64 "\t%" PRIu64 "\t%d\t%s", entry->name, b.info.parameters,
                      b.info.macs, b.depth, entry->about);
            json_array_append_new(entries, entry_json(entry->name, &b));
        }
        cvk_model_free(&b.model);
    }
    if (!code && as_json)
        json_print(json_pack("{s:O}", "networks", entries));
    else if (!code)
        table_print(&rows, stdout);
    table_free(&rows);
    json_decref(entries);
    return code;
}

static int save(const char *name, const cvk_zoo_options *options, const char *path, bool as_json)
{
    const cvk_zoo_entry *entry = cvk_zoo_find(name);
    built b;
    if (!entry)
        return fail(WRONG_USE, "zoo: no network is called '%s': see convoke zoo list", name);
    if (!path) return fail(WRONG_USE, "zoo %s: -o FILE is missing", name);
    if (options->classes && !entry->classes)
        return fail(WRONG_USE, "zoo %s: --classes: this network tells no classes apart", name);
    int code = build(entry, options, &b);
    if (!code) code = fail_status(cvk_model_save(b.model, path));
    if (!code && as_json)
        code = json_print(entry_json(name, &b));
    else if (!code)
        printf("%s: %" PRIu64 " parameters, %" PRIu64 " multiply-adds, depth %d\n", path,
               b.info.parameters, b.info.macs, b.depth);
    cvk_model_free(&b.model);
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
    const usage usage = {
        "zoo list | zoo NAME -o FILE [OPTIONS]",
        "Classic networks with seeded weights, saved as ONNX. list: their parameters (statistics "
        "of batch normalisation counted), multiply-adds, and depth (layers with "
        "weights on the longest way).",
        rows,
        0,
        1,
        1};
    int code = options_read(&usage, &shared, argc, argv, &words, &count);
    if (code != GO_ON) return code;
    bool all = strcmp(words[0], "list") == 0;
    code = all ? list(options, shared.json) : save(words[0], &options, path, shared.json);
    options_free(&shared);
    return code;
}
