/* SPDX-License-Identifier: Apache-2.0
 *
 * convoke cache: the store of tuned and denied kernel rows and program binaries: listed, checked,
 * emptied, copied to a file and from one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/options.h"
#include "cli/table.h"

enum { MAX_PATH = 4096 };

typedef struct work {
    shared_options shared;
    char path[MAX_PATH];
    json_t *entries;
    table table;
    cvk_cache_sum sum;
} work;

static void time_text(int64_t seconds, char *text, size_t size)
{
    time_t moment = (time_t)seconds;
    struct tm local;
    *text = 0;
    if (localtime_r(&moment, &local)) strftime(text, size, "%Y-%m-%d %H:%M", &local);
}

/* The lines of a text in one, with semicolons. */
static char *one_line(const char *text)
{
    char *line = need_text("%s", text);
    for (char *c = line; *c; c++)
        if (*c == '\n' || *c == '\t') *c = ';';
    return line;
}

static void on_entry(void *user, const cvk_cache_entry *entry)
{
    work *w = user;
    char used[32];
    time_text(entry->used, used, sizeof used);
    json_array_append_new(w->entries,
                          json_pack("{s:o,s:o,s:o,s:I,s:I,s:b}", "kind", json_text(entry->kind),
                                    "name", json_text(entry->name), "value",
                                    json_text(entry->value), "bytes", (json_int_t)entry->bytes,
                                    "used", (json_int_t)entry->used, "sound", entry->sound));
    char *name = one_line(entry->name), *value = one_line(entry->value);
    table_row(&w->table, "%s\t%s\t%zu\t%s\t%s\t%s", entry->kind, used, entry->bytes,
              entry->sound ? "" : "damaged", value, name);
    free(name);
    free(value);
}

/* rows, bytes and what else there is to say; `more` may be NULL. */
static int print_sum(const work *w, const char *what, json_t *more)
{
    const cvk_cache_sum *s = &w->sum;
    if (w->shared.json) {
        json_t *object =
            json_pack("{s:o,s:I,s:I,s:I}", "path", json_text(w->path), "rows", (json_int_t)s->rows,
                      "bytes", (json_int_t)s->bytes, "damaged", (json_int_t)s->damaged);
        if (more) json_object_update_new(object, more);
        return json_print(object);
    }
    json_decref(more);
    printf("%s %lld rows, %lld bytes", what, (long long)s->rows, (long long)s->bytes);
    if (s->damaged) printf("; %lld damaged rows", (long long)s->damaged);
    printf(" (%s)\n", w->path);
    return DONE;
}

static int list(work *w)
{
    w->entries = json_array();
    w->table = table_make("llrlll");
    table_row(&w->table, "kind\tlast used\tbytes\t\tvalue\tname");
    int code = fail_status(cvk_cache_visit(on_entry, w, &w->sum));
    if (!code && !w->shared.json && json_array_size(w->entries)) table_print(&w->table, stdout);
    if (!code) code = print_sum(w, "in all", json_pack("{s:O}", "entries", w->entries));
    table_free(&w->table);
    json_decref(w->entries);
    return code;
}

static int clear(work *w)
{
    int code = fail_status(cvk_cache_clear(&w->sum));
    return code ? code : print_sum(w, "cleared", NULL);
}

/* A damaged file is an answer, not a failure. */
static int verify(work *w)
{
    cvk_status status = cvk_cache_visit(NULL, NULL, &w->sum);
    const char *problem = status == CVK_BAD_INPUT ? cvk_last_error() : NULL;
    if (status && !problem) return fail_status(status);
    if (problem && !w->shared.json) printf("%s\n", problem);
    if (!problem || w->shared.json) {
        int code = print_sum(w, "checked", json_pack("{s:o}", "problem", json_text(problem)));
        if (code) return code;
    }
    if (!problem && !w->sum.damaged) return DONE;
    fputs("what is damaged is dropped and made again when it is next needed; `convoke cache clear` "
          "empties the store\n",
          stderr);
    return ANSWER_NO;
}

static int copy(work *w, const char *path, bool out)
{
    int code = fail_status(out ? cvk_cache_export(path, &w->sum) : cvk_cache_import(path, &w->sum));
    if (code) return code;
    return print_sum(w, out ? "exported" : "imported", json_pack("{s:o}", "file", json_text(path)));
}

static int run(work *w, char **words, int count)
{
    const char *what = words[0];
    bool out = strcmp(what, "export") == 0, in = strcmp(what, "import") == 0;
    if ((out || in) && count < 2)
        return fail(WRONG_USE, "cache %s: a file is missing: convoke cache %s FILE", what, what);
    if (!out && !in && count > 1)
        return fail(WRONG_USE, "cache %s: '%s' is one argument too many", what, words[1]);
    int code = fail_status(cvk_cache_path(w->path, sizeof w->path));
    if (code) return code;
    if (out || in) return copy(w, words[1], out);
    if (strcmp(what, "list") == 0) return list(w);
    if (strcmp(what, "clear") == 0) return clear(w);
    if (strcmp(what, "verify") == 0) return verify(w);
    return fail(WRONG_USE, "cache '%s': expected list, clear, verify, export or import", what);
}

int command_cache(int argc, char **argv)
{
    work w = {.entries = NULL};
    char **words;
    int count;
    const usage usage = {
        "cache list | clear | verify | export FILE | import FILE [OPTIONS]",
        "The store of tuned and denied kernel rows and program binaries. verify: exit status 1 if\n"
        "something in it is damaged. import: entries of the file replace those of the same name.",
        NULL,
        0,
        1,
        2};
    int code = options_read(&usage, &w.shared, argc, argv, &words, &count);
    if (code != GO_ON) return code;
    code = run(&w, words, count);
    options_free(&w.shared);
    return code;
}
