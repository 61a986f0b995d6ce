/* SPDX-License-Identifier: Apache-2.0
 *
 * Plans as DOT (for Graphviz) and as SVG: a box per step from top to bottom in the order they run,
 * an arrow wherever one step reads what another wrote.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/plan.h"

enum { BOX_WIDTH = 460, BOX_HEIGHT = 46, GAP = 22, LEFT = 20, LANES = 8, LANE = 26 };

typedef struct text {
    char *at;
    size_t used;
} text;

static void put(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(text *t, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    size_t n = (size_t)vsnprintf(NULL, 0, format, args);
    t->at = need_more(t->at, t->used + n + 1, 1);
    vsnprintf(t->at + t->used, n + 1, format, again);
    t->used += n;
    va_end(again);
    va_end(args);
}

/* Text in which the format's own characters are harmless. */
static void put_quoted(text *t, const char *raw, bool xml)
{
    for (; *raw; raw++)
        if (xml && *raw == '<')
            put(t, "&lt;");
        else if (xml && *raw == '&')
            put(t, "&amp;");
        else if (!xml && (*raw == '"' || *raw == '\\'))
            put(t, "\\%c", *raw);
        else
            put(t, "%c", (unsigned char)*raw < ' ' ? ' ' : *raw);
}

/* The steps with their number; the caller frees. */
static cvk_step_info *all_steps(const cvk_session *session, int *count)
{
    cvk_session_info info = {0};
    *count = 0;
    if (cvk_session_get_info(session, &info)) return need(1, sizeof(cvk_step_info));
    cvk_step_info *steps = need((size_t)info.steps, sizeof *steps);
    while (*count < info.steps && !cvk_session_step(session, *count, &steps[*count])) ++*count;
    return steps;
}

/* The step before `last` that wrote the value called name[0 .. length); -1: an input of the model.
 */
static int find_writer(const cvk_step_info *steps, int last, const char *name, size_t length)
{
    for (int i = last - 1; i >= 0; i--)
        if (strlen(steps[i].output) == length && strncmp(steps[i].output, name, length) == 0)
            return i;
    return -1;
}

/* Goes through the sources of step `reader`: returns the rest of the list after taking one. */
static const char *next_source(const cvk_step_info *steps, int reader, const char *list,
                               int *writer)
{
    const char *comma = strstr(list, ", ");
    size_t n = comma ? (size_t)(comma - list) : strlen(list);
    *writer = find_writer(steps, reader, list, n);
    return comma ? comma + 2 : list + n;
}

static void put_title(text *t, const cvk_step_info *s, bool xml)
{
    put_quoted(t, s->op, xml);
    if (*s->fused) put_quoted(t, " + ", xml);
    put_quoted(t, s->fused, xml);
}

static void put_detail(text *t, const cvk_step_info *s, bool xml)
{
    char *line = need_text("%s  %s  %s", s->device, s->kernel, s->shape);
    put_quoted(t, line, xml);
    free(line);
}

char *plan_dot(const cvk_session *session)
{
    text t = {0};
    int count, writer;
    cvk_step_info *steps = all_steps(session, &count);
    put(&t, "digraph plan {\n    node [shape=box, fontname=\"sans-serif\", fontsize=10];\n");
    for (int i = 0; i < count; i++) {
        put(&t, "    s%d [label=\"", i);
        put_title(&t, &steps[i], false);
        put(&t, "\\n");
        put_detail(&t, &steps[i], false);
        put(&t, "\"];\n");
        for (const char *list = steps[i].inputs; *list;) {
            list = next_source(steps, i, list, &writer);
            if (writer >= 0) put(&t, "    s%d -> s%d;\n", writer, i);
        }
    }
    put(&t, "}\n");
    free(steps);
    return t.at;
}

static int box_top(int index)
{
    return GAP + index * (BOX_HEIGHT + GAP);
}

static void put_box(text *t, const cvk_step_info *s, int index)
{
    int y = box_top(index);
    const char *fill = strcmp(s->device, "host") == 0 ? "#f6ddcc"
                       : *s->fused                    ? "#dcecdc"
                                                      : "#eef0f4";
    put(t, "<rect x='%d' y='%d' width='%d' height='%d' rx='4' fill='%s' stroke='#555'/>\n", LEFT, y,
        BOX_WIDTH, BOX_HEIGHT, fill);
    put(t, "<text x='%d' y='%d' font-size='13'>%d  ", LEFT + 8, y + 19, index);
    put_title(t, s, true);
    put(t, "</text>\n<text x='%d' y='%d' font-size='11' fill='#555'>", LEFT + 8, y + 37);
    put_detail(t, s, true);
    put(t, "</text>\n");
}

static void put_arrow(text *t, int from, int to)
{
    int right = LEFT + BOX_WIDTH, middle = LEFT + BOX_WIDTH / 2;
    int lane = to - from < LANES ? to - from : LANES;
    if (to == from + 1)
        put(t, "<path d='M%d %dV%d'/>\n", middle, box_top(from) + BOX_HEIGHT, box_top(to) - 2);
    else
        put(t, "<path d='M%d %dc%d 0 %d %d 2 %d'/>\n", right, box_top(from) + BOX_HEIGHT / 2,
            lane * LANE, lane * LANE, box_top(to) - box_top(from), box_top(to) - box_top(from));
}

char *plan_svg(const cvk_session *session)
{
    text t = {0};
    int count, writer;
    cvk_step_info *steps = all_steps(session, &count);
    int width = LEFT + BOX_WIDTH + LANES * LANE, height = box_top(count);
    put(&t,
        "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' "
        "font-family='sans-serif'>\n",
        width, height);
    put(&t,
        "<defs><marker id='head' markerWidth='8' markerHeight='8' refX='6' refY='3' orient='auto'>"
        "<path d='M0 0L7 3L0 6z' fill='#555'/></marker></defs>\n<rect width='100%%' height='100%%' "
        "fill='white'/>\n");
    for (int i = 0; i < count; i++) put_box(&t, &steps[i], i);
    put(&t, "<g fill='none' stroke='#555' marker-end='url(#head)'>\n");
    for (int i = 0; i < count; i++)
        for (const char *list = steps[i].inputs; *list;) {
            list = next_source(steps, i, list, &writer);
            if (writer >= 0) put_arrow(&t, writer, i);
        }
    put(&t, "</g>\n</svg>\n");
    free(steps);
    return t.at;
}
