/* SPDX-License-Identifier: Apache-2.0
 *
 * One program of several files. A program costs its compiler's start and headers each time, whatever
 * its text, so that one of all the kernels that a plan wants is built and loaded far sooner than many;
 * and a file may stand in it several times, with other defines. C has no name spaces: the names that
 * a file declares outside its functions become macros for numbered ones while its text lasts.
 *
 *     #define PX 8            of the section's defines
 *     #define conv conv_3     for every function, type, constant and enumerator of the file
 *     ... the text; "__kernel" of a kernel that nobody wants: a static function, which is dropped
 *     #undef conv             and all that the text defines
 */
#include "backend/opencl/compose.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A piece of the source. */
typedef struct span {
    const char *at;
    size_t length;
} span;

typedef struct spans {
    span *list;
    size_t count, room;
    bool failed;
} spans;

/* The names in a file's text: to be numbered, and macros. */
typedef struct names {
    spans declared, macros;
} names;

void cvk_cl_text_add(cvk_cl_text *text, const char *data, size_t bytes)
{
    if (text->failed) return;
    if (text->bytes + bytes + 1 > text->room) {
        const size_t room = 2 * text->room + bytes + 1;
        char *grown = realloc(text->data, room);
        if (!grown) {
            text->failed = true;
            return;
        }
        text->data = grown;
        text->room = room;
    }
    memcpy(text->data + text->bytes, data, bytes);
    text->bytes += bytes;
    text->data[text->bytes] = '\0';
}

static void add_word(cvk_cl_text *text, const char *word)
{
    cvk_cl_text_add(text, word, strlen(word));
}

static void add_span(cvk_cl_text *text, span s)
{
    cvk_cl_text_add(text, s.at, s.length);
}

static bool same(span a, span b)
{
    return a.length == b.length && memcmp(a.at, b.at, a.length) == 0;
}

static bool is_word(span s, const char *word)
{
    return same(s, (span){word, strlen(word)});
}

/* Each once. */
static void remember(spans *all, span s)
{
    for (size_t i = 0; i < all->count; i++)
        if (same(all->list[i], s)) return;
    if (all->count == all->room) {
        const size_t room = 2 * all->room + 16;
        span *grown = realloc(all->list, room * sizeof *grown);
        if (!grown) {
            all->failed = true;
            return;
        }
        all->list = grown;
        all->room = room;
    }
    all->list[all->count++] = s;
}

/* Behind blanks and comments. */
static const char *skip_blank(const char *p)
{
    for (;;) {
        while (isspace((unsigned char)*p)) p++;
        if (p[0] != '/' || p[1] != '*') return p;
        const char *end = strstr(p + 2, "*/");
        p = end ? end + 2 : p + strlen(p);
    }
}

static span word_at(const char *p)
{
    const char *end = p;
    while (isalnum((unsigned char)*end) || *end == '_') end++;
    return (span){p, (size_t)(end - p)};
}

/* Behind the directive's lines; notes what it defines. */
static const char *skip_directive(const char *p, spans *macros)
{
    const char *name = p + 1;
    while (*name == ' ') name++;
    if (strncmp(name, "define ", 7) == 0) remember(macros, word_at(skip_blank(name + 7)));
    for (; *p && *p != '\n'; p++)
        if (p[0] == '\\' && p[1] == '\n') p++;
    return p;
}

/* Whether `next`, the character behind a word outside braces and parentheses, makes it a declared
 * name: of a function, of an array, of a type. */
static bool declares(span word, char next)
{
    return (next == '(' && !is_word(word, "__attribute__")) || next == '[' || next == ';';
}

/* Goes through the text once; braces and parentheses are counted, enumerators are declared too. */
static void find_names(const char *p, names *found)
{
    int braces = 0, rounds = 0;
    bool enumeration = false;
    while (*(p = skip_blank(p))) {
        if (*p == '#') {
            p = skip_directive(p, &found->macros);
        } else if (isalpha((unsigned char)*p) || *p == '_') {
            const span word = word_at(p);
            const char next = *skip_blank(p += word.length);
            if (is_word(word, "enum")) enumeration = true;
            if (!rounds && !braces && declares(word, next)) remember(&found->declared, word);
            if (enumeration && braces == 1 && (next == ',' || next == '=' || next == '}'))
                remember(&found->declared, word);
        } else {
            braces += (*p == '{') - (*p == '}');
            rounds += (*p == '(') - (*p == ')');
            if (*p == ';' && !braces) enumeration = false;
            p += isdigit((unsigned char)*p) ? word_at(p).length : 1;
        }
    }
}

static void undefine(cvk_cl_text *out, span name)
{
    add_word(out, "#undef ");
    add_span(out, name);
    add_word(out, "\n");
}

/* "-DNAME=VALUE -DNAME=VALUE ..": as directives; a macro that is known (common.cl's) makes way. */
static void add_defines(cvk_cl_text *out, const char *defines, spans *macros)
{
    for (const char *p = strstr(defines, "-D"); p; p = strstr(p, "-D")) {
        const span name = word_at(p + 2);
        const char *value = name.at + name.length;
        const size_t length = strcspn(value, " ");
        remember(macros, name);
        undefine(out, name);
        add_word(out, "#define ");
        add_span(out, name);
        add_word(out, " ");
        if (length) cvk_cl_text_add(out, value + 1, length - 1);
        add_word(out, "\n");
        p = value + length;
    }
}

static void add_numbered(cvk_cl_text *out, span name, int number)
{
    char suffix[16];
    snprintf(suffix, sizeof suffix, "_%d\n", number);
    add_word(out, "#define ");
    add_span(out, name);
    add_word(out, " ");
    add_span(out, name);
    add_word(out, suffix);
}

static bool wanted(const cvk_cl_section *section, span kernel)
{
    for (int i = 0; i < section->n_kernels; i++)
        if (is_word(kernel, section->kernels[i])) return true;
    return false;
}

/* "__kernel void NAME(": the qualifier goes where the kernel is not wanted. */
static void add_text(cvk_cl_text *out, const cvk_cl_section *section)
{
    static const char qualifier[] = "__kernel ", result[] = "void ";
    const char *p = section->text;
    for (const char *at = strstr(p, qualifier); at; at = strstr(at + 1, qualifier)) {
        const char *type = at + strlen(qualifier);
        if (strncmp(type, result, strlen(result)) != 0 ||
            wanted(section, word_at(type + strlen(result))))
            continue;
        cvk_cl_text_add(out, p, (size_t)(at - p));
        add_word(out, "static __attribute__((unused)) ");
        p = type;
    }
    add_word(out, p);
}

void cvk_cl_compose(cvk_cl_text *out, const cvk_cl_section *section)
{
    names found = {0};
    find_names(section->text, &found);
    char posts[24];
    snprintf(posts, sizeof posts, "-DPOSTS=%d", section->posts);
    add_defines(out, posts, &found.macros);
    add_defines(out, section->defines, &found.macros);
    for (size_t i = 0; i < found.declared.count; i++)
        add_numbered(out, found.declared.list[i], section->number);
    add_text(out, section);
    add_word(out, "\n");
    for (size_t i = 0; i < found.declared.count; i++) undefine(out, found.declared.list[i]);
    for (size_t i = 0; i < found.macros.count; i++) undefine(out, found.macros.list[i]);
    if (found.declared.failed || found.macros.failed) out->failed = true;
    free(found.declared.list);
    free(found.macros.list);
}
