/* SPDX-License-Identifier: Apache-2.0
 *
 * Every input where and how its reader wants it: a Reorder between layouts, a Transfer between
 * memory spaces, each made once per value. Graph outputs end plain and in host memory. After this
 * pass the nodes are final.
 */
#include "schedule/denied.h"

/* A value's other forms, as a list. */
typedef struct variant {
    int value;
    cvk_layout layout;
    int space;
    struct variant *next;
} variant;

typedef struct layouter {
    cvk_scheduler *s;
    variant **variants; /* by original value */
    int n_known;
    const cvk_kernel **rows;
    const char **refused;
    int capacity, refused_capacity;
} layouter;

static cvk_status record(layouter *l, const cvk_kernel *row, const char *refused)
{
    cvk_graph *graph = l->s->graph;
    l->rows = cvk_arena_grow(graph->arena, l->rows, sizeof *l->rows, graph->n_nodes, &l->capacity);
    l->refused = cvk_arena_grow(graph->arena, l->refused, sizeof *l->refused, graph->n_nodes,
                                &l->refused_capacity);
    if (!l->rows || !l->refused) return CVK_NO_MEMORY;
    l->rows[graph->n_nodes - 1] = row;
    l->refused[graph->n_nodes - 1] = refused;
    return CVK_OK;
}

static int device_of_space(int space)
{
    return space - 1;
}

/* The device that can reorder in a space: the space's own, or for the host a CPU device. */
static int reorder_device(const cvk_scheduler *s, int space)
{
    if (space > 0) return device_of_space(space);
    for (int d = 0; d < s->n_devices; d++)
        if (s->devices[d]->backend->host) return d;
    return CVK_HOST;
}

/* With one pixel and whole blocks both layouts have the elements in the same order. Without whole
 * blocks that holds for one picture, but the blocked form is longer: the shorter memory of a plain
 * one cannot be seen as blocked, nor a buffer of the caller's stand in for a blocked one (a
 * device's outputs). */
bool cvk_reorder_moves_nothing(const cvk_value *from, cvk_layout to)
{
    const cvk_shape *shape = &from->shape;
    if (cvk_shape_span(shape, 2, shape->rank) != 1) return false;
    if (shape->dims[1] % CVK_BLOCK == 0) return true;
    return shape->dims[0] == 1 && to == CVK_LAYOUT_PLAIN && from->device == 0;
}

static cvk_status new_form(cvk_graph *graph, int from, cvk_layout layout, int space, int *id)
{
    const cvk_value *source = &graph->values[from];
    CVK_TRY(cvk_graph_add_temp_of(graph, source->name, source->dtype, &source->shape, id));
    cvk_value *value = &graph->values[*id];
    value->layout = layout;
    value->device = space;
    return CVK_OK;
}

const cvk_kernel *cvk_reorder_row(const cvk_scheduler *s, int device, cvk_layout layout)
{
    const cvk_device *dev = device == CVK_HOST ? NULL : s->devices[device];
    for (int r = 0; dev && r < dev->n_kernels; r++) {
        const cvk_kernel *row = &dev->kernels[r];
        if (row->op == CVK_OP_Reorder && row->in_layout != layout && row->out_layout == layout &&
            !cvk_denied(s, dev, row))
            return row;
    }
    return NULL;
}

/* "row: why" for every row that would make `layout` but is denied; NULL: out of memory. */
static const char *denied_reorders(const cvk_scheduler *s, cvk_layout layout)
{
    const char *text = "";
    for (int d = 0; s->denied && d < s->n_devices; d++)
        for (int r = 0; text && r < s->devices[d]->n_kernels; r++) {
            const cvk_kernel *row = &s->devices[d]->kernels[r];
            if (row->op == CVK_OP_Reorder && row->out_layout == layout &&
                cvk_denied(s, s->devices[d], row))
                text = cvk_arena_printf(s->graph->arena, "%s%s%s: " CVK_DENIED_WHY, text,
                                        *text ? "; " : "", row->name);
        }
    return text;
}

static cvk_status emit_reorder(layouter *l, int from, cvk_layout layout, int *to)
{
    cvk_graph *graph = l->s->graph;
    int space = graph->values[from].device;
    CVK_TRY(new_form(graph, from, layout, space, to));
    bool moves = !cvk_reorder_moves_nothing(&graph->values[from], layout);
    cvk_node *node;
    CVK_TRY(cvk_graph_add_node(graph, moves ? CVK_OP_Reorder : CVK_OP_Reshape, NULL, &from, 1, to,
                               1, moves ? 0 : sizeof(cvk_reshape_params), &node));
    node->members = "";
    node->device = reorder_device(l->s, space);
    if (!moves) return record(l, NULL, "");
    const cvk_kernel *row = cvk_reorder_row(l->s, node->device, layout);
    const char *refused = denied_reorders(l->s, layout);
    if (!row) node->device = CVK_HOST;
    return refused ? record(l, row ? row : &cvk_reference_row, refused) : CVK_NO_MEMORY;
}

static cvk_status emit_transfer(layouter *l, int from, int space, int *to)
{
    cvk_graph *graph = l->s->graph;
    CVK_TRY(new_form(graph, from, graph->values[from].layout, space, to));
    cvk_node *node;
    CVK_TRY(cvk_graph_add_node(graph, CVK_OP_Transfer, NULL, &from, 1, to, 1, 0, &node));
    node->members = "";
    node->device = CVK_HOST;
    return record(l, NULL, "");
}

/* Whether a space can reorder: a device by a row, the host by the reference if need be. */
static bool reorders(const cvk_scheduler *s, int space, cvk_layout layout)
{
    return space == 0 || cvk_reorder_row(s, device_of_space(space), layout);
}

/* The next form on the way from `from` to the wanted one: reorders happen on a device that can
 * rather than on the host, and transfers go to and from the host only. */
static void next_form(const cvk_scheduler *s, const cvk_value *from, cvk_layout *layout, int *space)
{
    bool wrong_layout = from->layout != *layout, wrong_space = from->device != *space;
    bool last_chance = !wrong_space || from->device > 0 || !reorders(s, *space, *layout);
    if (wrong_layout && last_chance && reorders(s, from->device, *layout)) {
        *space = from->device; /* reorder here */
        return;
    }
    *layout = from->layout; /* transfer as it is */
    if (from->device > 0) *space = 0;
}

/* The form of `value` in layout and space, made from the form `from` unless it is there already. */
static cvk_status make_form(layouter *l, int value, int from, cvk_layout layout, int space,
                            int *form)
{
    for (const variant *v = l->variants[value]; v; v = v->next)
        if (v->layout == layout && v->space == space) {
            *form = v->value;
            return CVK_OK;
        }
    bool here = l->s->graph->values[from].device == space;
    CVK_TRY(here ? emit_reorder(l, from, layout, form) : emit_transfer(l, from, space, form));
    variant *v = cvk_arena_alloc(l->s->graph->arena, sizeof *v);
    if (!v) return CVK_NO_MEMORY;
    *v = (variant){.value = *form, .layout = layout, .space = space, .next = l->variants[value]};
    l->variants[value] = v;
    return CVK_OK;
}

static cvk_status obtain(layouter *l, int value, cvk_layout layout, int space, int *form)
{
    cvk_graph *graph = l->s->graph;
    *form = value;
    while (graph->values[*form].layout != layout || graph->values[*form].device != space) {
        cvk_layout step_layout = layout;
        int step_space = space;
        next_form(l->s, &graph->values[*form], &step_layout, &step_space);
        CVK_TRY(make_form(l, value, *form, step_layout, step_space, form));
    }
    return CVK_OK;
}

static cvk_status place_inputs(layouter *l, cvk_node *node, const cvk_kernel *row)
{
    cvk_graph *graph = l->s->graph;
    int *in = cvk_arena_copy(graph->arena, node->in, ((size_t)node->n_in) * sizeof *in);
    if (!in) return CVK_NO_MEMORY;
    int space = cvk_plan_space(l->s->plan, node->device);
    for (int i = 0; i < node->n_in; i++) {
        if (in[i] < 0 || cvk_is_const(graph, in[i])) continue;
        cvk_layout layout = cvk_row_input_layout(row, node, i, &graph->values[in[i]]);
        CVK_TRY(obtain(l, in[i], layout, space, &in[i]));
    }
    node->in = in;
    return CVK_OK;
}

cvk_status cvk_pass_layout(cvk_scheduler *s)
{
    cvk_graph *graph = s->graph;
    layouter l = {.s = s, .n_known = graph->n_values};
    l.variants = cvk_arena_alloc(graph->arena, ((size_t)graph->n_values + 1) * sizeof *l.variants);
    int count;
    cvk_node *nodes = cvk_nodes_take(graph, &count);
    if (!l.variants || !nodes) return CVK_NO_MEMORY;
    for (int i = 0; i < count; i++) {
        CVK_TRY(place_inputs(&l, &nodes[i], s->rows[i]));
        CVK_TRY(cvk_nodes_keep(graph, &nodes[i]));
        CVK_TRY(record(&l, s->rows[i], s->refused[i]));
    }
    for (int i = 0; i < graph->n_outputs; i++)
        if (!cvk_is_const(graph, graph->outputs[i]))
            CVK_TRY(obtain(&l, graph->outputs[i], CVK_LAYOUT_PLAIN, 0, &graph->outputs[i]));
    s->rows = l.rows;
    s->refused = l.refused;
    return CVK_OK;
}
