/* SPDX-License-Identifier: Apache-2.0
 *
 * LeNet-5 (LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition,
 * 1998): as that paper has it, and as it is usually written today, with ReLU and max pooling.
 */
#include "zoo/net.h"

static void build(net *n, int filters)
{
    net_conv(n, "conv1", (net_spec){.filters = filters, .kernel = 5});
    net_relu(n, "relu1");
    net_max_pool(n, "pool1", (net_spec){.kernel = 2, .stride = 2});
    net_conv(n, "conv2", (net_spec){.filters = 16, .kernel = 5});
    net_relu(n, "relu2");
    net_max_pool(n, "pool2", (net_spec){.kernel = 2, .stride = 2});
    net_dense_he(n, "fc3", 120);
    net_relu(n, "relu3");
    net_dense_he(n, "fc4", 84);
    net_relu(n, "relu4");
    net_dense(n, "fc5", n->classes);
    net_softmax(n, "softmax");
}

void cvk_zoo_lenet5(net *n)
{
    build(n, 6);
}

void cvk_zoo_lenet5_rgb(net *n)
{
    build(n, 8);
}

/* 1.7159 tanh(2/3 x). */
static void squash(net *n, const char *name)
{
    net_enter(n, "%s", name);
    net_scale(n, "in", 2.0 / 3);
    net_activate(n, "tanh", NET_TANH);
    net_scale(n, "out", 1.7159);
    net_leave(n);
}

/* Averages of 2x2, one trained coefficient and bias per map, squashed. */
static void subsample(net *n, const char *name)
{
    const int64_t dims[] = {1, n->at.c, 1, 1};
    char full[NET_NAME];
    net_enter(n, "%s", name);
    net_average_pool(n, "mean", (net_spec){.kernel = 2, .stride = 2});
    const char *inputs[] = {n->at.name, full};
    net_weights(n, "scaled", "coefficient", 4, dims, 2, 0.2, full);
    net_node(n, "Mul", "scaled", inputs, 2, NULL, 0);
    net_weights(n, "shifted", "bias", 4, dims, 0, 0.1, full);
    net_node(n, "Add", "shifted", inputs, 2, NULL, 0);
    n->at.variance *= 4;
    squash(n, "squash");
    net_leave(n);
}

/* The maps listed, `group` of them for each of count / group filters. */
static void connect(net *n, const char *name, const int64_t *maps, int count, int group)
{
    char full[NET_NAME];
    const cvk_attr axis = {.name = "axis", .kind = CVK_ATTR_INT, .i = 1};
    const char *inputs[] = {n->at.name, full};
    net_enter(n, "%s", name);
    net_integers(n, "maps", "indices", maps, count, full);
    net_node(n, "Gather", "maps", inputs, 2, &axis, 1);
    net_conv(n, "conv", (net_spec){.filters = count / group, .kernel = 5, .groups = count / group});
    net_leave(n);
}

/* Layer C3: 16 maps, each of which sees 3, 4 or all 6 of the maps before (table I of the paper). */
static void connect_partly(net *n)
{
    static const int64_t three[] = {0, 1, 2, 1, 2, 3, 2, 3, 4, 3, 4, 5, 0, 4, 5, 0, 1, 5};
    static const int64_t four[] = {0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 0, 3, 4, 5, 0, 1,
                                   4, 5, 0, 1, 2, 5, 0, 1, 3, 4, 1, 2, 4, 5, 0, 2, 3, 5};
    const net_value x = n->at;
    net_value parts[3];
    net_enter(n, "c3");
    connect(n, "three", three, 18, 3);
    parts[0] = n->at;
    n->at = x;
    connect(n, "four", four, 36, 4);
    parts[1] = n->at;
    n->at = x;
    net_conv(n, "six", (net_spec){.filters = 1, .kernel = 5});
    parts[2] = n->at;
    net_concat(n, "maps", parts, 3);
    net_leave(n);
}

/* Squared distances from one drawing of 7 x 12 pixels per class: the least is the answer. */
static void radial_basis(net *n, int classes)
{
    char full[NET_NAME];
    const int64_t dims[] = {1, classes, n->at.c}, shape[] = {0, 1, n->at.c}, axis = 2;
    const cvk_attr keep = {.name = "keepdims", .kind = CVK_ATTR_INT, .i = 0};
    const char *inputs[] = {n->at.name, full};
    net_enter(n, "rbf");
    net_integers(n, "row", "shape", shape, 3, full);
    net_node(n, "Reshape", "row", inputs, 2, NULL, 0);
    net_weights(n, "difference", "drawings", 3, dims, 0, 1, full);
    net_node(n, "Sub", "difference", inputs, 2, NULL, 0);
    net_mul(n, "square", &n->at);
    net_leave(n);
    net_integers(n, "distance", "axes", &axis, 1, full);
    net_node(n, "ReduceSum", "distance", inputs, 2, &keep, 1);
    n->at.depth++;
}

void cvk_zoo_lenet5_1998(net *n)
{
    net_conv(n, "c1", (net_spec){.filters = 6, .kernel = 5});
    squash(n, "squash1");
    subsample(n, "s2");
    connect_partly(n);
    squash(n, "squash3");
    subsample(n, "s4");
    net_conv(n, "c5", (net_spec){.filters = 120, .kernel = 5});
    squash(n, "squash5");
    net_dense_he(n, "f6", 84);
    squash(n, "squash6");
    radial_basis(n, n->classes);
}
