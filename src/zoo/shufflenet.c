/* SPDX-License-Identifier: Apache-2.0
 *
 * ShuffleNet (Zhang et al. 2017), 3 groups, width 1, and ShuffleNet V2 (Ma et al. 2018), width 1:
 * channels are shuffled so that groups hear of each other.
 */
#include "zoo/net.h"

enum { GROUPS = 3, STAGES = 3 };
static const int repeats[STAGES] = {4, 8, 4};

static void start(net *n)
{
    net_conv_bn(n, "conv1",
                (net_spec){.filters = 24, .kernel = 3, .stride = 2, .pad = 1, .no_bias = true},
                NET_RELU);
    net_max_pool(n, "pool1", (net_spec){.kernel = 3, .stride = 2, .pad = 1});
}

static void finish(net *n)
{
    net_global_average_pool(n, "pool");
    net_dense(n, "classes", n->classes);
    net_softmax(n, "softmax");
}

static void pointwise(net *n, const char *name, int filters, int groups, net_act act)
{
    net_conv_bn(n, name,
                (net_spec){.filters = filters, .kernel = 1, .groups = groups, .no_bias = true},
                act);
}

static void depthwise(net *n, const char *name, int stride)
{
    net_conv_bn(
        n, name,
        (net_spec){.depthwise = true, .kernel = 3, .stride = stride, .pad = 1, .no_bias = true},
        NET_LINEAR);
}

/* Narrow, shuffled, depthwise, wide. With stride 2 the averaged input is concatenated, else the
 * input is added. The very first narrow layer reads too few channels for groups. */
static void unit(net *n, int filters, int stride)
{
    const net_value x = n->at;
    int wide = stride == 2 ? filters - (int)x.c : filters;
    pointwise(n, "narrow", filters / 4, x.c == 24 ? 1 : GROUPS, NET_RELU);
    net_shuffle(n, "shuffle", GROUPS);
    depthwise(n, "depthwise", stride);
    pointwise(n, "wide", wide, GROUPS, NET_LINEAR);
    if (stride == 2) {
        net_value parts[2] = {[1] = n->at};
        n->at = x;
        net_average_pool(n, "pool", (net_spec){.kernel = 3, .stride = 2, .pad = 1});
        parts[0] = n->at;
        net_concat(n, "concat", parts, 2);
    } else {
        net_add(n, "add", &x);
    }
    net_relu(n, "relu");
}

void cvk_zoo_shufflenet(net *n)
{
    start(n);
    for (int stage = 0; stage < STAGES; stage++)
        for (int i = 0; i < repeats[stage]; i++) {
            net_enter(n, "stage%d.%d", stage + 2, i);
            unit(n, 240 << stage, i == 0 ? 2 : 1);
            net_leave(n);
        }
    finish(n);
}

/* Right branch: narrow, depthwise, wide, all of `filters`. */
static net_value right_branch(net *n, int filters, int stride)
{
    pointwise(n, "narrow", filters, 1, NET_RELU);
    depthwise(n, "depthwise", stride);
    pointwise(n, "wide", filters, 1, NET_RELU);
    return n->at;
}

/* With stride 1 half of the channels pass as they are; with stride 2 both branches read all. */
static void unit_v2(net *n, int filters, int stride)
{
    const net_value x = n->at;
    net_value parts[2];
    if (stride == 2) {
        depthwise(n, "left_depthwise", 2);
        pointwise(n, "left", filters / 2, 1, NET_RELU);
        parts[0] = n->at;
        n->at = x;
    } else {
        net_channels(n, "left", 0, x.c / 2);
        parts[0] = n->at;
        n->at = x;
        net_channels(n, "right", x.c / 2, x.c);
    }
    parts[1] = right_branch(n, filters / 2, stride);
    net_concat(n, "concat", parts, 2);
    net_shuffle(n, "shuffle", 2);
}

void cvk_zoo_shufflenetv2(net *n)
{
    start(n);
    for (int stage = 0; stage < STAGES; stage++)
        for (int i = 0; i < repeats[stage]; i++) {
            net_enter(n, "stage%d.%d", stage + 2, i);
            unit_v2(n, 116 << stage, i == 0 ? 2 : 1);
            net_leave(n);
        }
    pointwise(n, "conv5", 1024, 1, NET_RELU);
    finish(n);
}
