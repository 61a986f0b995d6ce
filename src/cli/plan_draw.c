/* SPDX-License-Identifier: Apache-2.0
 *
 * Plans as DOT (for Graphviz) and as SVG: a box per step with what is fused into it, its device by
 * colour and its share of the time by shade; an arrow wherever one step reads what another
 * wrote, with the bytes of that.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/plan.h"
#include "cli/plan_layout.h"

enum {
    WIDTH = 236,
    HEIGHT = 64,
    GAP = 28,
    ROOM = 44,
    LEGEND = 56,
    CHIP = 15,
    BAR = 6,
    MOST_DEVICES = 8
};

/* By device, in the order of their first steps. */
static const char *const colours[MOST_DEVICES] = {"#3b6ea5", "#4f9d69", "#b0722f", "#8a5aa8",
                                                  "#a33b4e", "#3d9a9a", "#7a7a2c", "#666666"};

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
static void put_quoted(text *t, const char *raw, size_t length, bool xml)
{
    for (size_t i = 0; i < length; i++)
        if (xml && raw[i] == '<')
            put(t, "&lt;");
        else if (xml && raw[i] == '&')
            put(t, "&amp;");
        else if (!xml && (raw[i] == '"' || raw[i] == '\\'))
            put(t, "\\%c", raw[i]);
        else
            put(t, "%c", (unsigned char)raw[i] < ' ' ? ' ' : raw[i]);
}

static void put_word(text *t, const char *raw, bool xml)
{
    put_quoted(t, raw, strlen(raw), xml);
}

static void put_bytes(text *t, size_t bytes)
{
    if (bytes >= 1u << 20)
        put(t, "%.1f MiB", (double)bytes / (1 << 20));
    else if (bytes >= 1u << 10)
        put(t, "%.0f KiB", (double)bytes / (1 << 10));
    else
        put(t, "%zu B", bytes);
}

static const char *colour_of(const plan_layout *l, int step)
{
    int number = 0;
    for (int i = 0; i < step; i++) {
        bool first = true;
        for (int k = 0; k < i; k++)
            first = first && strcmp(l->steps[k].device, l->steps[i].device) != 0;
        if (strcmp(l->steps[i].device, l->steps[step].device) == 0) break;
        number += first;
    }
    return colours[number % MOST_DEVICES];
}

/* From 0 to 1: the step's predicted time to that of the step that takes longest. */
static double share_of(const plan_layout *l, int step)
{
    double most = 0;
    for (int i = 0; i < l->n_steps; i++)
        if (l->steps[i].predicted_ms > most) most = l->steps[i].predicted_ms;
    return most > 0 ? l->steps[step].predicted_ms / most : 0;
}

/* White to orange. */
static void put_shade(text *t, double share)
{
    put(t, "#ff%02x%02x", (unsigned)(255 - 90 * share), (unsigned)(255 - 180 * share));
}

/* --- DOT --- */

char *plan_dot(const cvk_session *session)
{
    text t = {0};
    plan_layout l = plan_layout_make(session, WIDTH, GAP);
    put(&t, "digraph plan {\n    node [shape=box, style=filled, fontname=\"sans-serif\", "
            "fontsize=10];\n    edge [fontname=\"sans-serif\", fontsize=8];\n");
    for (int i = 0; i < l.n_steps; i++) {
        const cvk_step_info *s = &l.steps[i];
        put(&t, "    s%d [color=\"%s\", fillcolor=\"", i, colour_of(&l, i));
        put_shade(&t, share_of(&l, i));
        put(&t, "\", label=\"");
        put_word(&t, s->op, false);
        put(&t, "%s", *s->fused ? " + " : "");
        put_word(&t, s->fused, false);
        put(&t, "\\n");
        put_word(&t, s->device, false);
        put(&t, "  ");
        put_word(&t, s->kernel, false);
        put(&t, "  ");
        put_word(&t, s->shape, false);
        put(&t, "\"];\n");
    }
    for (int i = 0; i < l.n_links; i++) {
        if (!l.links[i].last) continue;
        put(&t, "    s%d -> s%d [label=\"", l.links[i].writer, l.spots[l.links[i].to].step);
        put_bytes(&t, l.steps[l.links[i].writer].bytes);
        put(&t, "\"];\n");
    }
    put(&t, "}\n");
    plan_layout_free(&l);
    return t.at;
}

/* --- SVG --- */

static double top_of(const plan_spot *spot)
{
    return LEGEND + spot->layer * (HEIGHT + ROOM);
}

static void put_chips(text *t, const char *list, double x, double y)
{
    const double begin = x;
    while (*list) {
        const char *comma = strstr(list, ", ");
        size_t length = comma ? (size_t)(comma - list) : strlen(list);
        double width = 9 + 5.6 * (double)length;
        if (x + width > begin + WIDTH - BAR - 12) return; /* the title names them, too */
        put(t,
            "<rect x='%.0f' y='%.0f' width='%.0f' height='%d' rx='7' fill='white' "
            "stroke='#888'/><text x='%.0f' y='%.0f' font-size='10'>",
            x, y, width, CHIP, x + 5, y + 11);
        put_quoted(t, list, length, true);
        put(t, "</text>\n");
        x += width + 4;
        list = comma ? comma + 2 : list + length;
    }
}

static void put_box(text *t, const plan_layout *l, int i)
{
    const cvk_step_info *s = &l->steps[i];
    const double x = l->spots[i].x - l->spots[i].width / 2, y = top_of(&l->spots[i]);
    put(t, "<g><title>");
    put_word(t, s->nodes, true);
    put(t, ": ");
    put_word(t, s->op, true);
    put(t, "%s", *s->fused ? " + " : "");
    put_word(t, s->fused, true);
    put(t, ", predicted %.4g ms", s->predicted_ms);
    put(t, "</title><rect x='%.0f' y='%.0f' width='%d' height='%d' rx='4' fill='", x, y, WIDTH,
        HEIGHT);
    put_shade(t, share_of(l, i));
    put(t, "' stroke='#555'/><rect x='%.0f' y='%.0f' width='%d' height='%d' fill='%s'/>\n", x, y,
        BAR, HEIGHT, colour_of(l, i));
    put(t, "<text x='%.0f' y='%.0f' font-size='12' font-weight='bold'>%d  ", x + BAR + 6, y + 16,
        i);
    put_word(t, s->op, true);
    put(t, "</text><text x='%.0f' y='%.0f' font-size='11' text-anchor='end'>", x + WIDTH - 6,
        y + 16);
    put_word(t, s->kernel, true);
    put(t, "</text><text x='%.0f' y='%.0f' font-size='11' fill='#444'>", x + BAR + 6, y + 32);
    put_word(t, s->shape, true);
    put(t, "</text>\n");
    put_chips(t, s->fused, x + BAR + 6, y + 42);
    put(t, "</g>\n");
}

/* From the foot of a box, or straight through a bend, to the head of the next. */
static void put_link(text *t, const plan_layout *l, const plan_link *link)
{
    const plan_spot *from = &l->spots[link->from], *to = &l->spots[link->to];
    double y0 = top_of(from) + HEIGHT, y1 = top_of(to) - (link->last ? 2 : 0);
    double middle = (y0 + y1) / 2;
    put(t, "<path d='M%.0f %.0f", from->x, top_of(from) + (from->step < 0 ? 0 : HEIGHT));
    put(t, "V%.0fC%.0f %.0f %.0f %.0f %.0f %.0f'%s/>\n", y0, from->x, middle, link->end_x, middle,
        link->end_x, y1, link->last ? " marker-end='url(#head)'" : "");
}

static void put_link_bytes(text *t, const plan_layout *l, const plan_link *link)
{
    const plan_spot *to = &l->spots[link->to];
    put(t, "<text x='%.0f' y='%.0f'>", link->end_x + 4, top_of(to) - 5);
    put_bytes(t, l->steps[link->writer].bytes);
    put(t, "</text>\n");
}

static void put_legend(text *t, const plan_layout *l)
{
    double x = GAP;
    for (int i = 0; i < l->n_steps; i++) {
        bool first = true;
        for (int k = 0; k < i; k++)
            first = first && strcmp(l->steps[k].device, l->steps[i].device) != 0;
        if (!first) continue;
        put(t, "<rect x='%.0f' y='12' width='12' height='12' fill='%s'/><text x='%.0f' y='22'>", x,
            colour_of(l, i), x + 17);
        put_word(t, l->steps[i].device, true);
        put(t, "</text>\n");
        x += 32 + 7 * (double)strlen(l->steps[i].device);
    }
    put(t,
        "<text x='%d' y='42' fill='#444'>shade: predicted time, to the longest step's; on "
        "arrows: bytes</text>\n",
        GAP);
}

char *plan_svg(const cvk_session *session)
{
    text t = {0};
    plan_layout l = plan_layout_make(session, WIDTH, GAP);
    put(&t,
        "<svg xmlns='http://www.w3.org/2000/svg' width='%.0f' height='%d' "
        "font-family='sans-serif' font-size='12'>\n"
        "<defs><marker id='head' markerWidth='8' markerHeight='8' refX='6' refY='3' orient='auto'>"
        "<path d='M0 0L7 3L0 6z' fill='#555'/></marker></defs>\n<rect width='100%%' height='100%%' "
        "fill='white'/>\n",
        l.width < 400 ? 400 : l.width, LEGEND + l.layers * (HEIGHT + ROOM));
    put_legend(&t, &l);
    put(&t, "<g fill='none' stroke='#777'>\n");
    for (int i = 0; i < l.n_links; i++) put_link(&t, &l, &l.links[i]);
    put(&t, "</g>\n<g font-size='9' fill='#555'>\n");
    for (int i = 0; i < l.n_links; i++)
        if (l.links[i].last) put_link_bytes(&t, &l, &l.links[i]);
    put(&t, "</g>\n");
    for (int i = 0; i < l.n_steps; i++) put_box(&t, &l, i);
    put(&t, "</svg>\n");
    plan_layout_free(&l);
    return t.at;
}
