/* SPDX-License-Identifier: Apache-2.0
 *
 * Unique: each element, or slice along an axis, once; in ascending order or that of first
 * occurrence. Further outputs: where each occurs first, which of them each input is, how often each
 * comes. All NaNs are one. How many there are is known with the elements.
 */
#include <stdlib.h>

#include "ops/move.h"
#include "ops/order.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_along_params *p = params;
    int64_t sorted;
    p->flat = !cvk_attrs_find(attrs, "axis");
    CVK_TRY(cvk_attrs_int(attrs, "sorted", 1, &sorted));
    p->unsorted = sorted == 0;
    return cvk_attrs_int(attrs, "axis", 0, &p->axis);
}

/* The input as `length` items, each outer x inner elements. */
typedef struct items {
    const cvk_view *in;
    int64_t outer, length, inner;
} items;

static items items_of(const cvk_along_params *p, const cvk_view *in)
{
    if (p->flat) return (items){in, 1, cvk_view_count(in), 1};
    int axis = (int)p->axis;
    return (items){in, cvk_shape_span(&in->shape, 0, axis), in->shape.dims[axis],
                   cvk_shape_span(&in->shape, axis + 1, in->shape.rank)};
}

static int order(const items *s, int64_t i, int64_t k)
{
    int result = 0;
    for (int64_t e = 0; !result && e < s->outer * s->inner; e++) {
        int64_t base = e / s->inner * s->length * s->inner + e % s->inner;
        result = cvk_order(s->in, base + i * s->inner, s->in, base + k * s->inner);
    }
    return result;
}

static bool before(const void *context, int64_t i, int64_t k)
{
    return order(context, i, k) < 0;
}

/* What is the same as what. */
typedef struct groups {
    int64_t n;
    int64_t *first, *times; /* by group: its first item, how many */
    int64_t *group;         /* by item */
} groups;

static void groups_drop(groups *g)
{
    free(g->first);
    free(g->times);
    free(g->group);
}

static bool first_before(const void *context, int64_t i, int64_t k)
{
    const int64_t *first = context;
    return first[i] < first[k];
}

/* Numbers the groups anew, in the order of their first items. */
static cvk_status renumber(groups *g, int64_t length)
{
    size_t bytes = ((size_t)g->n + 1) * sizeof(int64_t);
    int64_t *order = malloc(bytes), *number = malloc(bytes), *first = malloc(bytes),
            *times = malloc(bytes);
    cvk_status status = order && number && first && times
                            ? CVK_OK
                            : cvk_fail(CVK_NO_MEMORY, "out of memory: %lld items", (long long)g->n);
    for (int64_t i = 0; !status && i < g->n; i++) order[i] = i;
    if (!status) status = cvk_sort(order, g->n, first_before, g->first);
    for (int64_t i = 0; !status && i < g->n; i++) {
        number[order[i]] = i;
        first[i] = g->first[order[i]];
        times[i] = g->times[order[i]];
    }
    for (int64_t i = 0; !status && i < length; i++) g->group[i] = number[g->group[i]];
    free(order);
    free(number);
    free(status ? first : g->first);
    free(status ? times : g->times);
    if (status) return status;
    g->first = first;
    g->times = times;
    return CVK_OK;
}

static cvk_status groups_make(const cvk_along_params *p, const cvk_view *in, groups *g)
{
    items s = items_of(p, in);
    size_t bytes = ((size_t)s.length + 1) * sizeof(int64_t);
    int64_t *sorted = malloc(bytes);
    *g = (groups){.first = malloc(bytes), .times = malloc(bytes), .group = malloc(bytes)};
    cvk_status status =
        sorted && g->first && g->times && g->group
            ? CVK_OK
            : cvk_fail(CVK_NO_MEMORY, "out of memory: %lld items", (long long)s.length);
    for (int64_t i = 0; !status && i < s.length; i++) sorted[i] = i;
    if (!status) status = cvk_sort(sorted, s.length, before, &s);
    for (int64_t i = 0; !status && i < s.length; i++) {
        if (i == 0 || order(&s, sorted[i - 1], sorted[i])) {
            g->first[g->n] = sorted[i]; /* the sort is stable: the first of its kind */
            g->times[g->n++] = 0;
        }
        g->times[g->n - 1]++;
        g->group[sorted[i]] = g->n - 1;
    }
    free(sorted);
    if (!status && p->unsorted) status = renumber(g, s.length);
    return status;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    cvk_along_params *p = params;
    cvk_shape shape = {.rank = 1, .dims = {-1}}, list = shape, all = shape;
    if (!p->flat) shape = in->shape;
    if (cvk_ranked(in) && !p->flat) {
        CVK_TRY(cvk_check_axis(&p->axis, in->shape.rank));
        all.dims[0] = shape.dims[p->axis];
        shape.dims[p->axis] = -1;
    } else if (cvk_ranked(in)) {
        all.dims[0] = cvk_shape_count(&in->shape);
    }
    if (cvk_input_constant(in, n_in, 0)) {
        groups g;
        cvk_status status = groups_make(p, in, &g);
        list.dims[0] = shape.dims[p->flat ? 0 : p->axis] = g.n;
        groups_drop(&g);
        CVK_TRY(status);
    }
    cvk_set_out(&out[0], in->dtype, &shape);
    for (int i = 1; i < n_out; i++) cvk_set_out(&out[i], CVK_I64, i == 2 ? &all : &list);
    return CVK_OK;
}

static void write_items(const cvk_along_params *p, const cvk_view *in, const groups *g,
                        cvk_view *out)
{
    items s = items_of(p, in);
    for (int64_t o = 0; o < s.outer; o++)
        for (int64_t i = 0; i < g->n; i++)
            for (int64_t e = 0; e < s.inner; e++)
                cvk_move_one(in, (o * s.length + g->first[i]) * s.inner + e, out,
                             (o * g->n + i) * s.inner + e);
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in;
    groups g;
    cvk_status status = groups_make(params, in, &g);
    if (!status && cvk_wanted(out, n_out, 0)) write_items(params, in, &g, &out[0]);
    const int64_t *lists[] = {NULL, g.first, g.group, g.times};
    for (int i = 1; !status && i < 4; i++) {
        if (!cvk_wanted(out, n_out, i)) continue;
        int64_t count = cvk_view_count(&out[i]);
        for (int64_t k = 0; k < count; k++) ((int64_t *)out[i].data)[k] = lists[i][k];
    }
    groups_drop(&g);
    return status;
}

const cvk_op cvk_op_Unique = {
    .name = "Unique",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 4,
    .params_bytes = sizeof(cvk_along_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
};
