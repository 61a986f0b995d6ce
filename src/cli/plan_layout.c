/* SPDX-License-Identifier: Apache-2.0
 *
 * Layered drawing of a plan (K. Sugiyama and others, 1981): a step lies in the layer below the
 * lowest of those whose results it reads; an arrow over several layers has a bend in each of them;
 * then layer by layer, down and up again, each spot moves to the middle of its neighbours and its
 * layer makes room.
 */
#include "cli/plan_layout.h"

#include <stdlib.h>
#include <string.h>

enum { SWEEPS = 6, BEND_WIDTH = 8 };

/* --- steps and arrows --- */

static void read_steps(const cvk_session *session, plan_layout *l)
{
    cvk_session_info info = {0};
    if (cvk_session_get_info(session, &info)) info.steps = 0;
    l->steps = need((size_t)info.steps + 1, sizeof *l->steps);
    while (l->n_steps < info.steps && !cvk_session_step(session, l->n_steps, &l->steps[l->n_steps]))
        l->n_steps++;
}

/* The step before `last` that wrote the value called name[0 .. length); -1: an input of the model.
 */
static int find_writer(const plan_layout *l, int last, const char *name, size_t length)
{
    for (int i = last - 1; i >= 0; i--)
        if (strlen(l->steps[i].output) == length && strncmp(l->steps[i].output, name, length) == 0)
            return i;
    return -1;
}

static int add_spot(plan_layout *l, int step, int layer, double width)
{
    l->spots = need_more(l->spots, (size_t)l->n_spots + 1, sizeof *l->spots);
    l->spots[l->n_spots] = (plan_spot){.step = step, .layer = layer, .width = width};
    if (layer + 1 > l->layers) l->layers = layer + 1;
    return l->n_spots++;
}

static void add_link(plan_layout *l, int from, int to, int writer)
{
    l->links = need_more(l->links, (size_t)l->n_links + 1, sizeof *l->links);
    l->links[l->n_links++] =
        (plan_link){.from = from, .to = to, .writer = writer, .last = l->spots[to].step >= 0};
}

static void add_arrow(plan_layout *l, int writer, int reader)
{
    int at = writer;
    while (l->spots[at].layer + 1 < l->spots[reader].layer) {
        int bend = add_spot(l, -1, l->spots[at].layer + 1, BEND_WIDTH);
        add_link(l, at, bend, writer);
        at = bend;
    }
    add_link(l, at, reader, writer);
}

/* Calls visit(l, writer, reader) for each result that a step reads of another's. */
static void each_arrow(plan_layout *l, void (*visit)(plan_layout *l, int writer, int reader))
{
    for (int i = 0; i < l->n_steps; i++) {
        for (const char *list = l->steps[i].inputs; *list;) {
            const char *comma = strstr(list, ", ");
            size_t length = comma ? (size_t)(comma - list) : strlen(list);
            int writer = find_writer(l, i, list, length);
            list = comma ? comma + 2 : list + length;
            if (writer >= 0) visit(l, writer, i);
        }
    }
}

static void go_below(plan_layout *l, int writer, int reader)
{
    if (l->spots[reader].layer <= l->spots[writer].layer)
        l->spots[reader].layer = l->spots[writer].layer + 1;
    if (l->spots[reader].layer + 1 > l->layers) l->layers = l->spots[reader].layer + 1;
}

/* --- places --- */

typedef struct wish {
    int spot;
    double x;
} wish;

static int by_wish(const void *a, const void *b)
{
    const wish *p = a, *q = b;
    if (p->x != q->x) return p->x < q->x ? -1 : 1;
    return p->spot - q->spot;
}

/* The middle of the neighbours above (down) or below; where it is, if there are none. */
static double wished(const plan_layout *l, int spot, bool down)
{
    double sum = 0;
    int count = 0;
    for (int i = 0; i < l->n_links; i++) {
        const plan_link *link = &l->links[i];
        if ((down ? link->to : link->from) != spot) continue;
        sum += l->spots[down ? link->from : link->to].x;
        count++;
    }
    return count ? sum / count : l->spots[spot].x;
}

/* In the order of their wishes, as near to them as the widths allow, the layer's middle kept. */
static void place_layer(plan_layout *l, int layer, bool down, double gap)
{
    wish *wishes = need((size_t)l->n_spots + 1, sizeof *wishes);
    int count = 0;
    double off = 0, right = 0;
    for (int i = 0; i < l->n_spots; i++)
        if (l->spots[i].layer == layer)
            wishes[count++] = (wish){.spot = i, .x = wished(l, i, down)};
    qsort(wishes, (size_t)count, sizeof *wishes, by_wish);
    for (int i = 0; i < count; i++) {
        plan_spot *spot = &l->spots[wishes[i].spot];
        double least = right + gap + spot->width / 2;
        spot->x = i && wishes[i].x < least ? least : wishes[i].x;
        right = spot->x + spot->width / 2;
        off += spot->x - wishes[i].x;
    }
    for (int i = 0; i < count; i++) l->spots[wishes[i].spot].x -= off / count;
    free(wishes);
}

/* The arrows into a box end side by side, in the order in which they come. */
static void place_ends(plan_layout *l)
{
    for (int i = 0; i < l->n_links; i++) {
        plan_link *link = &l->links[i];
        const plan_spot *to = &l->spots[link->to];
        int all = 0, before = 0;
        for (int k = 0; link->last && k < l->n_links; k++) {
            double away = l->spots[l->links[k].from].x - l->spots[link->from].x;
            if (l->links[k].to != link->to) continue;
            all++;
            before += away < 0 || (away == 0 && k < i);
        }
        link->end_x = to->x + (all > 1 ? to->width * ((before + 0.5) / all - 0.5) : 0);
    }
}

static void move_to_margin(plan_layout *l, double gap)
{
    double left = 0, right = 0;
    for (int i = 0; i < l->n_spots; i++) {
        const plan_spot *spot = &l->spots[i];
        if (spot->x - spot->width / 2 < left) left = spot->x - spot->width / 2;
        if (spot->x + spot->width / 2 > right) right = spot->x + spot->width / 2;
    }
    for (int i = 0; i < l->n_spots; i++) l->spots[i].x += gap - left;
    l->width = right - left + 2 * gap;
}

plan_layout plan_layout_make(const cvk_session *session, double box_width, double gap)
{
    plan_layout l = {0};
    read_steps(session, &l);
    for (int i = 0; i < l.n_steps; i++) add_spot(&l, i, 0, box_width);
    each_arrow(&l, go_below);
    each_arrow(&l, add_arrow);
    for (int sweep = 0; sweep < SWEEPS; sweep++)
        for (int i = 0; i < l.layers; i++)
            place_layer(&l, sweep % 2 ? l.layers - 1 - i : i, sweep % 2 == 0, gap);
    move_to_margin(&l, gap);
    place_ends(&l);
    return l;
}

void plan_layout_free(plan_layout *layout)
{
    free(layout->steps);
    free(layout->spots);
    free(layout->links);
    *layout = (plan_layout){0};
}
