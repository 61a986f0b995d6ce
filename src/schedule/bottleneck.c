/* SPDX-License-Identifier: Apache-2.0
 *
 * A depthwise convolution and the 1x1 convolutions before and behind it become one node, as far as a
 * kernel row of their device takes it, with the activations between them. After fuse.c: what follows
 * the last of them stays its posts. Why a row refused is kept in the depthwise convolution's note.
 */
#include <string.h>

#include "schedule/passes.h"
#include "schedule/rewriting.h"

typedef struct joiner {
    cvk_scheduler *s;
    int *readers; /* by value: index of the only reader */
    char *gone;   /* by node: became part of another */
} joiner;

/* Nodes by index; -1: none. */
typedef struct trio {
    int expand, depthwise, project;
} trio;

static bool is_plain_conv(const cvk_graph *graph, const cvk_node *node)
{
    return node->op == CVK_OP_Conv && !node->pre.on && cvk_is_const(graph, node->in[1]) &&
           graph->values[node->in[0]].dtype == CVK_F32 &&
           graph->values[node->in[0]].shape.rank == 4;
}

static bool is_depthwise(const cvk_graph *graph, const cvk_node *node)
{
    if (!is_plain_conv(graph, node)) return false;
    const cvk_conv_params *conv = node->params;
    const cvk_shape *w = &graph->values[node->in[1]].shape;
    return conv->group > 1 && w->dims[0] == conv->group && w->dims[1] == 1;
}

static bool is_pointwise(const cvk_graph *graph, const cvk_node *node)
{
    if (!is_plain_conv(graph, node)) return false;
    const cvk_conv_params *conv = node->params;
    return conv->group == 1 && cvk_window_is_pointwise(&conv->window);
}

/* Whether what follows the convolution is something that is computed between two of them. */
static bool can_precede(const cvk_node *node)
{
    return node->n_posts == 0 || (node->n_posts == 1 && (node->posts[0].kind == CVK_POST_ACT ||
                                                         node->posts[0].kind == CVK_POST_PRELU));
}

/* The convolutions around node `index`. */
static trio around(const joiner *j, int index)
{
    const cvk_graph *graph = j->s->graph;
    const cvk_node *node = &graph->nodes[index];
    trio t = {.expand = graph->values[node->in[0]].producer,
              .depthwise = index,
              .project = j->readers[node->out[0]]};
    if (t.expand >= 0) {
        const cvk_node *expand = &graph->nodes[t.expand];
        if (j->gone[t.expand] || j->readers[node->in[0]] != index || !can_precede(expand) ||
            !is_pointwise(graph, expand))
            t.expand = -1;
    }
    if (t.project >= 0) {
        const cvk_node *project = &graph->nodes[t.project];
        if (!can_precede(node) || !is_pointwise(graph, project) || project->in[0] != node->out[0])
            t.project = -1;
    }
    return t;
}

/* Where the convolution's bias and the slopes behind it are, -1: it has none. */
static int bias_of(const cvk_node *conv)
{
    for (int p = 0; p < conv->n_posts; p++)
        if (cvk_post_has_input(&conv->posts[p]) && conv->posts[p].input == 2) return -1;
    return conv->n_in > 2 ? conv->in[2] : -1;
}

static int slope_of(const cvk_node *conv)
{
    return conv->n_posts && conv->posts[0].kind == CVK_POST_PRELU ? conv->in[conv->posts[0].input]
                                                                  : -1;
}

static cvk_act act_of(const cvk_node *conv)
{
    return conv->n_posts && conv->posts[0].kind == CVK_POST_ACT ? conv->posts[0].act
                                                                : (cvk_act){.kind = CVK_ACT_NONE};
}

/* "expand, Clip, 3x3/2, Clip, project" */
static const char *tell_stages(cvk_arena *arena, const cvk_node *e, const cvk_node *d,
                               const cvk_node *p)
{
    const cvk_window *w = &((const cvk_conv_params *)d->params)->window;
    const char *text = "";
    if (e)
        text = cvk_arena_printf(arena, "expand, %s%s", e->n_posts ? e->posts[0].name : "",
                                e->n_posts ? ", " : "");
    if (text)
        text = cvk_arena_printf(arena, "%s%dx%d/%d", text, (int)w->kernel[0], (int)w->kernel[1],
                                (int)w->stride[0]);
    if (text && p)
        text = cvk_arena_printf(arena, "%s%s%s, project", text, d->n_posts ? ", " : "",
                                d->n_posts ? d->posts[0].name : "");
    return text;
}

/* Inputs and parameters; the posts of the last convolution keep theirs, at other places. */
static cvk_status set_inputs(cvk_graph *graph, const cvk_node *e, const cvk_node *d,
                             const cvk_node *p, cvk_node *made)
{
    const cvk_node *last = p ? p : d;
    int *in =
        cvk_arena_alloc(graph->arena, (CVK_BOTTLENECK_INPUTS + (size_t)CVK_MAX_POSTS) * sizeof *in);
    cvk_bottleneck_params *params = cvk_arena_alloc(graph->arena, sizeof *params);
    if (!in || !params) return CVK_NO_MEMORY;
    params->depthwise = *(const cvk_conv_params *)d->params;
    params->expand_act = e ? act_of(e) : (cvk_act){.kind = CVK_ACT_NONE};
    params->depthwise_act = p ? act_of(d) : (cvk_act){.kind = CVK_ACT_NONE};
    in[CVK_BOTTLENECK_X] = e ? e->in[0] : d->in[0];
    in[CVK_BOTTLENECK_DW] = d->in[1];
    in[CVK_BOTTLENECK_DB] = bias_of(d);
    in[CVK_BOTTLENECK_DS] = p ? slope_of(d) : -1;
    in[CVK_BOTTLENECK_EW] = e ? e->in[1] : -1;
    in[CVK_BOTTLENECK_EB] = e ? bias_of(e) : -1;
    in[CVK_BOTTLENECK_ES] = e ? slope_of(e) : -1;
    in[CVK_BOTTLENECK_PW] = p ? p->in[1] : -1;
    in[CVK_BOTTLENECK_PB] = p ? bias_of(p) : -1;
    made->n_in = CVK_BOTTLENECK_INPUTS;
    for (int i = 0; i < last->n_posts; i++) {
        if (!cvk_post_has_input(&last->posts[i])) continue;
        in[made->n_in] = last->in[last->posts[i].input];
        made->posts[i].input = made->n_in++;
    }
    made->in = in;
    made->params = params;
    made->params_bytes = sizeof *params;
    return CVK_OK;
}

static cvk_status join(cvk_graph *graph, const trio *t, cvk_node *made)
{
    const cvk_node *e = t->expand < 0 ? NULL : &graph->nodes[t->expand];
    const cvk_node *p = t->project < 0 ? NULL : &graph->nodes[t->project];
    const cvk_node *d = &graph->nodes[t->depthwise];
    *made = p ? *p : *d;
    made->op = CVK_OP_Bottleneck;
    made->attrs = NULL;
    made->n_attrs = 0;
    CVK_TRY(set_inputs(graph, e, d, p, made));
    made->within = tell_stages(graph->arena, e, d, p);
    cvk_node first = *d;
    if (e) first.members = cvk_join_members(graph->arena, e, d);
    if (e && !first.members) return CVK_NO_MEMORY;
    made->members = p ? cvk_join_members(graph->arena, &first, p) : first.members;
    return made->within && made->members ? CVK_OK : CVK_NO_MEMORY;
}

/* The device that computes all of them, and its row for the joint node; NULL: there is none, or
 * another is preferred. */
static cvk_status row_for(joiner *j, const trio *t, int *device, const cvk_kernel **row)
{
    cvk_scheduler *s = j->s;
    const int nodes[] = {t->depthwise, t->expand, t->project};
    *row = NULL;
    for (int i = 0; i < 3; i++) {
        int at;
        const cvk_kernel *alone;
        if (nodes[i] < 0) continue;
        CVK_TRY(cvk_place_node(s, &s->graph->nodes[nodes[i]], &at, &alone, NULL));
        if (at == CVK_HOST || (i && at != *device)) return CVK_OK;
        *device = at;
    }
    const cvk_device *dev = s->devices[*device];
    const char *prefer = s->options->prefer_kernel;
    for (int r = 0; r < dev->n_kernels; r++)
        if (dev->kernels[r].op == CVK_OP_Bottleneck &&
            (!prefer || strcmp(prefer, dev->kernels[r].name) == 0))
            *row = &dev->kernels[r];
    return CVK_OK;
}

/* Makes them one node at the place of the last, if the row takes it. */
static cvk_status try_join(joiner *j, const trio *t, bool *done)
{
    cvk_graph *graph = j->s->graph;
    cvk_node *depthwise = &graph->nodes[t->depthwise], made;
    const cvk_kernel *row;
    const char *why;
    int device = CVK_HOST;
    *done = false;
    CVK_TRY(row_for(j, t, &device, &row));
    if (!row) return CVK_OK;
    CVK_TRY(join(graph, t, &made));
    CVK_TRY(cvk_place_takes(j->s, &made, device, row, done, &why));
    if (!*done) {
        depthwise->note = cvk_arena_printf(graph->arena, "%s%s%s not fused: %s",
                                           depthwise->note ? depthwise->note : "",
                                           depthwise->note ? "; " : "", made.within, why);
        return depthwise->note ? CVK_OK : CVK_NO_MEMORY;
    }
    if (t->expand >= 0) j->gone[t->expand] = 1;
    if (t->project >= 0) j->gone[t->depthwise] = 1;
    graph->nodes[t->project >= 0 ? t->project : t->depthwise] = made;
    return CVK_OK;
}

static cvk_status join_around(joiner *j, int index)
{
    const trio all = around(j, index);
    const trio without_expand = {-1, index, all.project};
    const trio without_project = {all.expand, index, -1};
    bool done = false;
    if (all.expand >= 0 && all.project >= 0) CVK_TRY(try_join(j, &all, &done));
    if (!done && all.project >= 0) CVK_TRY(try_join(j, &without_expand, &done));
    if (!done && all.expand >= 0) CVK_TRY(try_join(j, &without_project, &done));
    return CVK_OK;
}

cvk_status cvk_pass_bottleneck(cvk_scheduler *s)
{
    cvk_graph *graph = s->graph;
    if (s->half) return CVK_OK; /* no row takes the float16 that stands between its steps */
    joiner j = {.s = s, .readers = cvk_graph_readers(graph, graph->arena)};
    j.gone = cvk_arena_alloc(graph->arena, (size_t)graph->n_nodes + 1);
    if (!j.readers || !j.gone) return CVK_NO_MEMORY;
    for (int i = 0; i < graph->n_nodes; i++)
        if (!j.gone[i] && is_depthwise(graph, &graph->nodes[i])) CVK_TRY(join_around(&j, i));
    int kept = 0;
    for (int i = 0; i < graph->n_nodes; i++)
        if (!j.gone[i]) graph->nodes[kept++] = graph->nodes[i];
    graph->n_nodes = kept;
    CVK_TRY(cvk_graph_prune(graph));
    return cvk_graph_link(graph);
}
