/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows chosen over the graph: place.c takes each node's best row for the data as they lie; here the
 * predicted time of the whole graph decides, reorders between layouts counted. The devices stay as
 * they are, and so do rows that the tuner has measured.
 *
 *     conv_plain -> reorder -> conv_direct -> reorder -> pool_plain
 *        1.0          0.8         0.9           0.8          0.3        3.8 ms
 *     conv_plain            -> conv_plain             -> pool_plain
 *        1.0                      1.2                        0.3        2.5 ms
 *
 * There are two layouts, so the choice is a cut: a vertex for what a node reads and one for what it
 * gives, on the source's side where that is plain, on the sink's where it is blocked; arcs between
 * them cost what the rows and the reorders take. The cheapest cut is the best choice there is, by
 * the predictions. As those err, a row or a reorder that place did not choose is charged `demand`:
 * nothing that is chosen is predicted to be slower than place's plan, and what is changed saves a
 * good part of what it costs.
 */
#include <math.h>
#include <string.h>

#include "schedule/cost.h"
#include "schedule/mincut.h"

/* Predictions of the rows for a problem are up to a third off, either way. */
static const double demand = 1.4;
/* Between choices that take the same time, place's. */
static const double tie_ms = 1e-6;
/* A reorder that a device has no row for, or none that may be used. */
static const double host_reorder_ms = 100;
/* What no sum of times reaches, in ms. */
static const double never = 1e6;

typedef struct option {
    const cvk_kernel *row; /* NULL: none */
    double ms;             /* as predicted, with what is charged */
} option;

/* A node: its best row by layouts, [in + 2 * out], and where the cut has these. */
typedef struct choice {
    option options[4];
    int in, out; /* vertices */
} choice;

/* A value on its way from the node that makes it to those that read it. */
typedef struct passage {
    int readers;
    bool reordered; /* as place has it */
    int any, all;   /* vertices: a reader wants it blocked, all do; 0: none yet */
} passage;

typedef struct chooser {
    cvk_scheduler *s;
    choice *choices;     /* by node */
    passage *passages;   /* by value */
    double weight_bytes; /* of all constants */
    bool better;         /* a node's row is not the best for it alone, or a value is reordered */
    cvk_cut cut;
} chooser;

/* --- what there is to choose from --- */

static cvk_cost_place place_of(const chooser *c, int device)
{
    return (cvk_cost_place){.caps = &c->s->devices[device]->caps,
                            .rates = &c->s->plan->rates[device],
                            .lanes = 1,
                            .resident = c->weight_bytes};
}

/* Whether a Concat of that layout can be made in place by those before it (storage.c), as far as
 * that depends on the layout. */
static bool vanishes(const cvk_scheduler *s, const cvk_node *node, cvk_layout layout)
{
    const cvk_shape *out = &s->graph->values[node->out[0]].shape;
    const int64_t axis = ((const cvk_axis_params *)node->params)->axis;
    if (!(s->fusions & CVK_FUSE_CONCAT) || cvk_shape_span(out, 0, (int)axis) != 1) return false;
    for (int k = 0; layout == CVK_LAYOUT_BLOCKED && k + 1 < node->n_in; k++)
        if (s->graph->values[node->in[k]].shape.dims[1] % CVK_BLOCK) return false;
    return layout == CVK_LAYOUT_PLAIN || axis == 1;
}

static double row_ms(const chooser *c, const cvk_problem *problem, const cvk_kernel *row)
{
    const cvk_node *node = problem->node;
    const cvk_cost_place place = place_of(c, node->device);
    cvk_work work;
    if (node->op == CVK_OP_Concat && vanishes(c->s, node, row->out_layout)) return 0;
    cvk_cost_work(c->s->graph, problem, row, &work);
    return cvk_cost_ms(&work, &place);
}

static option *option_of(choice *of, const cvk_kernel *row)
{
    return &of->options[row->in_layout + 2 * row->out_layout];
}

/* A rival of the node's row takes the place of what is slower, and of no row at all. */
static void add_rival(chooser *c, choice *of, const cvk_problem *problem, const cvk_kernel *row,
                      double own_ms)
{
    option *o = option_of(of, row);
    if (o->row && !(o->row->cost && row->cost)) return; /* the table has the better one first */
    const double ms = row_ms(c, problem, row) * demand + tie_ms;
    if (ms < own_ms) c->better = true;
    if (!o->row || ms < o->ms) *o = (option){row, ms};
}

/* All rows that take the node and are predicted in the same way as its own: of those that multiply,
 * either all or none by a cost of their own, as none is as fast as the device's peak. */
static cvk_status list_options(chooser *c, int index)
{
    cvk_scheduler *s = c->s;
    const cvk_node *node = &s->graph->nodes[index];
    const cvk_kernel *own = s->rows[index];
    choice *of = &c->choices[index];
    const uint32_t takes = node->tuned_ms > 0 || node->device == CVK_HOST ? 0 : s->takes[index];
    cvk_problem problem;
    if (!own) return CVK_OK;
    option_of(of, own)->row = own;
    if (!(takes & (takes - 1))) return CVK_OK;
    const cvk_device *device = s->devices[node->device];
    CVK_TRY(cvk_problem_make(s, node, &device->caps, &problem));
    const double own_ms = option_of(of, own)->ms = row_ms(c, &problem, own);
    const bool multiplies = cvk_node_macs(s->graph, node) > 0;
    uint32_t bit = 1;
    for (int r = 0; r < device->n_kernels; r++) {
        const cvk_kernel *row = &device->kernels[r];
        if (row->op != node->op) continue;
        if (takes & bit && row != own && (!multiplies || !row->cost == !own->cost))
            add_rival(c, of, &problem, row, own_ms);
        bit <<= 1;
    }
    /* A cut knows rows of one mixed pair of layouts beside those that keep the layout. */
    option *mixed = of->options[1].row == own ? &of->options[2] : &of->options[1];
    if (of->options[1].row && of->options[2].row) mixed->row = NULL;
    return CVK_OK;
}

/* --- the cut --- */

static int terminal(cvk_layout layout)
{
    return layout == CVK_LAYOUT_BLOCKED ? CVK_CUT_SINK : CVK_CUT_SOURCE;
}

/* Arcs that lead to the source or from the sink cost nothing, and one from the source to the sink is
 * always cut. */
static cvk_status add_arc(chooser *c, int from, int to, double ms)
{
    if (from == CVK_CUT_SINK || to == CVK_CUT_SOURCE) return CVK_OK;
    if (from == CVK_CUT_SOURCE && to == CVK_CUT_SINK) return CVK_OK;
    return cvk_cut_add_edge(&c->cut, from, to, ms);
}

/* What has the layout of options with `bit`, or either, is a vertex of its own. */
static cvk_status add_layout(chooser *c, const choice *of, int bit, int *vertex)
{
    bool plain = false, blocked = false;
    for (int i = 0; i < 4; i++)
        if (of->options[i].row) *(i & bit ? &blocked : &plain) = true;
    *vertex = terminal(blocked ? CVK_LAYOUT_BLOCKED : CVK_LAYOUT_PLAIN);
    return plain && blocked ? cvk_cut_add_vertex(&c->cut, vertex) : CVK_OK;
}

/* What it costs if the vertex is blocked; if negative, what it costs if it is plain. */
static cvk_status add_side(chooser *c, int vertex, double ms)
{
    return ms > 0 ? add_arc(c, CVK_CUT_SOURCE, vertex, ms) : add_arc(c, vertex, CVK_CUT_SINK, -ms);
}

/* The costs of four pairs of layouts as those of two vertices and of an arc between them, which a
 * plain input with a blocked output cuts. */
static cvk_status add_node(chooser *c, choice *of)
{
    double ms[4];
    for (int i = 0; i < 4; i++)
        ms[i] = of->options[i].row ? of->options[i].ms : i == 1 || i == 2 ? 4 * never : never;
    CVK_TRY(add_layout(c, of, 1, &of->in));
    CVK_TRY(add_layout(c, of, 2, &of->out));
    CVK_TRY(add_arc(c, of->in, of->out, ms[1] + ms[2] - ms[0] - ms[3]));
    CVK_TRY(add_side(c, of->in, ms[1] - ms[0]));
    return add_side(c, of->out, ms[3] - ms[1]);
}

/* The vertex of input k's layout: rows want it as their input, their output (a residual), or
 * plain. */
static int wanted(const chooser *c, int index, int k)
{
    static const cvk_kernel in = {.in_layout = CVK_LAYOUT_BLOCKED},
                            out = {.out_layout = CVK_LAYOUT_BLOCKED};
    const cvk_node *node = &c->s->graph->nodes[index];
    const cvk_value *value = &c->s->graph->values[node->in[k]];
    const choice *of = &c->choices[index];
    if (!c->s->rows[index]) return CVK_CUT_SOURCE;
    if (cvk_row_input_layout(&in, node, k, value) == CVK_LAYOUT_BLOCKED) return of->in;
    return cvk_row_input_layout(&out, node, k, value) == CVK_LAYOUT_BLOCKED ? of->out
                                                                            : CVK_CUT_SOURCE;
}

static int made(const chooser *c, int id)
{
    static const cvk_kernel out = {.out_layout = CVK_LAYOUT_BLOCKED};
    const cvk_value *value = &c->s->graph->values[id];
    if (value->producer < 0 || !c->s->rows[value->producer]) return CVK_CUT_SOURCE;
    return cvk_row_output_layout(&out, value) == CVK_LAYOUT_BLOCKED
               ? c->choices[value->producer].out
               : CVK_CUT_SOURCE;
}

/* What it takes to have a value in another layout, too. A device that cannot reorder leaves that to
 * the host, which is to be avoided. */
static cvk_status reorder_ms(chooser *c, int id, cvk_layout layout, double *cost)
{
    cvk_scheduler *s = c->s;
    const cvk_value *value = &s->graph->values[id];
    const int device = value->producer >= 0 ? s->graph->nodes[value->producer].device : 0;
    *cost = 0;
    if (device == CVK_HOST || cvk_reorder_moves_nothing(value, layout)) return CVK_OK;
    const cvk_kernel *row = cvk_reorder_row(s, device, layout);
    const cvk_node node = {.op = CVK_OP_Reorder, .n_in = 1, .n_out = 1, .in = &id, .out = &id};
    const cvk_cost_place place = place_of(c, device);
    cvk_problem problem;
    cvk_work work;
    CVK_TRY(cvk_problem_make(s, &node, place.caps, &problem));
    if (row) cvk_cost_work(s->graph, &problem, row, &work);
    *cost = ((row ? cvk_cost_ms(&work, &place) : host_reorder_ms) *
             (c->passages[id].reordered ? 1 : demand));
    return CVK_OK;
}

/* One more reader of a value, which wants it in the layout of a vertex. A value is reordered once,
 * however many want that: with several readers, vertices of its own say whether any or all do. */
static cvk_status add_reader(chooser *c, int id, int vertex)
{
    passage *p = &c->passages[id];
    const int from = made(c, id);
    if (p->readers < 2 && from == vertex) return CVK_OK;
    double block, unblock;
    CVK_TRY(reorder_ms(c, id, CVK_LAYOUT_BLOCKED, &block));
    CVK_TRY(reorder_ms(c, id, CVK_LAYOUT_PLAIN, &unblock));
    if (p->readers < 2) {
        CVK_TRY(add_arc(c, from, vertex, block));
        return add_arc(c, vertex, from, unblock);
    }
    if (!p->any) {
        CVK_TRY(cvk_cut_add_vertex(&c->cut, &p->any));
        CVK_TRY(cvk_cut_add_vertex(&c->cut, &p->all));
        CVK_TRY(add_arc(c, from, p->any, block));
        CVK_TRY(add_arc(c, p->all, from, unblock));
    }
    CVK_TRY(add_arc(c, p->any, vertex, never));
    return add_arc(c, vertex, p->all, never);
}

static cvk_status add_readers(chooser *c)
{
    const cvk_graph *graph = c->s->graph;
    for (int i = 0; i < graph->n_nodes; i++)
        for (int k = 0; k < graph->nodes[i].n_in; k++) {
            const int id = graph->nodes[i].in[k];
            if (id >= 0 && !cvk_is_const(graph, id)) CVK_TRY(add_reader(c, id, wanted(c, i, k)));
        }
    for (int i = 0; i < graph->n_outputs; i++)
        if (!cvk_is_const(graph, graph->outputs[i]))
            CVK_TRY(add_reader(c, graph->outputs[i], CVK_CUT_SOURCE));
    return CVK_OK;
}

/* --- the pass --- */

static void note_reader(chooser *c, int id, cvk_layout layout)
{
    passage *p = &c->passages[id];
    p->readers++;
    if (cvk_is_const(c->s->graph, id) || c->s->graph->values[id].layout == layout) return;
    p->reordered = c->better = true;
}

/* Who reads what, and what is reordered for it. */
static void note_readers(chooser *c)
{
    const cvk_graph *graph = c->s->graph;
    for (int i = 0; i < graph->n_nodes; i++) {
        const cvk_node *node = &graph->nodes[i];
        for (int k = 0; k < node->n_in; k++)
            if (node->in[k] >= 0)
                note_reader(
                    c, node->in[k],
                    cvk_row_input_layout(c->s->rows[i], node, k, &graph->values[node->in[k]]));
    }
    for (int i = 0; i < graph->n_outputs; i++) note_reader(c, graph->outputs[i], CVK_LAYOUT_PLAIN);
}

/* The row that the cut has chosen, unless it is the node's own. */
static cvk_status keep(chooser *c, int index)
{
    cvk_scheduler *s = c->s;
    cvk_graph *graph = s->graph;
    cvk_node *node = &graph->nodes[index];
    const choice *of = &c->choices[index];
    const cvk_kernel *own = s->rows[index];
    if (!own) return CVK_OK;
    const int in = cvk_cut_on_sink_side(&c->cut, of->in),
              out = cvk_cut_on_sink_side(&c->cut, of->out);
    const cvk_kernel *row = of->options[in + 2 * out].row;
    if (row == own) return CVK_OK;
    node->note = cvk_arena_printf(graph->arena, "%s%s%s instead of %s: the whole is faster",
                                  node->note ? node->note : "", node->note ? "; " : "", row->name,
                                  own->name);
    if (!node->note) return CVK_NO_MEMORY;
    s->rows[index] = row;
    CVK_TRY(cvk_place_tuned(s, node, node->device, &s->rows[index]));
    cvk_place_outputs(s, node, row, node->device);
    return CVK_OK;
}

static cvk_status solve(chooser *c)
{
    const cvk_graph *graph = c->s->graph;
    for (int i = 0; i < graph->n_nodes; i++)
        if (c->s->rows[i]) CVK_TRY(add_node(c, &c->choices[i]));
    CVK_TRY(add_readers(c));
    CVK_TRY(cvk_cut_solve(&c->cut));
    for (int i = 0; i < graph->n_nodes; i++) CVK_TRY(keep(c, i));
    return CVK_OK;
}

static cvk_status choose(chooser *c)
{
    const cvk_graph *graph = c->s->graph;
    CVK_TRY(cvk_cut_make(c->cut.arena, &c->cut));
    c->choices = cvk_arena_alloc(c->cut.arena, ((size_t)graph->n_nodes + 1) * sizeof *c->choices);
    c->passages =
        cvk_arena_alloc(c->cut.arena, ((size_t)graph->n_values + 1) * sizeof *c->passages);
    if (!c->choices || !c->passages) return CVK_NO_MEMORY;
    c->weight_bytes = cvk_cost_resident(graph);
    for (int i = 0; i < graph->n_nodes; i++) CVK_TRY(list_options(c, i));
    note_readers(c);
    return c->better ? solve(c) : CVK_OK;
}

cvk_status cvk_pass_choose(cvk_scheduler *s)
{
    chooser c = {.s = s};
    if (s->options->prefer_kernel) return CVK_OK;
    c.cut.arena = cvk_arena_create();
    const cvk_status status = c.cut.arena ? choose(&c) : CVK_NO_MEMORY;
    cvk_arena_free(&c.cut.arena);
    return status;
}
