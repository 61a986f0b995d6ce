/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers that move elements: concatenation, slices, padding, channel shuffle; and softmax.
 */

#include "zoo/window.h"

/* A node that reads n->at and integers NAME.SUFFIX of its own. */
static void move(net *n, const char *op, const char *name, const char *suffix,
                 const int64_t *values, int count)
{
    char integers[NET_NAME];
    const char *inputs[] = {n->at.name, integers};
    net_integers(n, name, suffix, values, count, integers);
    net_node(n, op, name, inputs, 2, NULL, 0);
}

static void with_axis(net *n, const char *op, const char *name)
{
    const char *input = n->at.name;
    const cvk_attr axis = {.name = "axis", .kind = CVK_ATTR_INT, .i = 1};
    net_node(n, op, name, &input, 1, &axis, 1);
}

void net_softmax(net *n, const char *name)
{
    with_axis(n, "Softmax", name);
}

void net_flatten(net *n, const char *name)
{
    with_axis(n, "Flatten", name);
}

enum { MOST_VALUES = 64 };

void net_concat(net *n, const char *name, const net_value *values, int count)
{
    const char *inputs[MOST_VALUES];
    const cvk_attr axis = {.name = "axis", .kind = CVK_ATTR_INT, .i = 1};
    double all = 0, mean = 0, power = 0;
    int depth = 0;
    if (count > MOST_VALUES && !n->status) n->status = CVK_BAD_ARGUMENT;
    for (int i = 0; !n->status && i < count; i++) {
        const net_value *value = &values[i];
        inputs[i] = value->name;
        all += (double)value->c;
        mean += (double)value->c * value->mean;
        power += (double)value->c * (value->mean * value->mean + value->variance);
        if (value->depth > depth) depth = value->depth;
    }
    net_node(n, "Concat", name, inputs, count, &axis, 1);
    if (n->status) return;
    n->at.mean = net_coarse(mean / all);
    n->at.variance = net_coarse(power / all - n->at.mean * n->at.mean);
    n->at.depth = depth;
}

void net_shuffle(net *n, const char *name, int groups)
{
    char part[NET_NAME];
    const char *input = n->at.name;
    const int64_t apart[] = {0, groups, n->at.c / groups, n->at.h, n->at.w};
    const int64_t together[] = {0, n->at.c, n->at.h, n->at.w}, order[] = {0, 2, 1, 3, 4};
    const cvk_attr perm = {.name = "perm", .kind = CVK_ATTR_INTS, .ints = order, .count = 5};
    net_text(n, part, "%s.groups", name);
    move(n, "Reshape", part, "shape", apart, 5);
    net_text(n, part, "%s.swapped", name);
    net_node(n, "Transpose", part, &input, 1, &perm, 1);
    move(n, "Reshape", name, "shape", together, 4);
}

static void slice(net *n, const char *name, const int64_t *axes, const int64_t *starts,
                  const int64_t *ends, int count)
{
    char start[NET_NAME], end[NET_NAME], axis[NET_NAME];
    const char *inputs[] = {n->at.name, start, end, axis};
    net_integers(n, name, "starts", starts, count, start);
    net_integers(n, name, "ends", ends, count, end);
    net_integers(n, name, "axes", axes, count, axis);
    net_node(n, "Slice", name, inputs, 4, NULL, 0);
}

void net_channels(net *n, const char *name, int64_t from, int64_t to)
{
    const int64_t axis = 1;
    slice(n, name, &axis, &from, &to, 1);
}

void net_crop(net *n, const char *name, int64_t top, int64_t left, int64_t h, int64_t w)
{
    const int64_t axes[] = {2, 3}, starts[] = {top, left}, ends[] = {top + h, left + w};
    slice(n, name, axes, starts, ends, 2);
}

void net_pad(net *n, const char *name, const int pads[4])
{
    const int64_t all[] = {0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]};
    move(n, "Pad", name, "pads", all, 8);
}
