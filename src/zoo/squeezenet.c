/* SPDX-License-Identifier: Apache-2.0
 *
 * SqueezeNet (Iandola et al. 2016) 1.0 and 1.1: fire modules squeeze with 1x1 filters, then expand
 * with 1x1 and 3x3 ones.
 */
#include "zoo/net.h"

static void fire(net *n, int index, int squeeze, int expand)
{
    net_value parts[2];
    net_enter(n, "fire%d", index);
    net_conv_act(n, "squeeze", (net_spec){.filters = squeeze, .kernel = 1}, NET_RELU);
    const net_value x = n->at;
    net_conv_act(n, "expand1x1", (net_spec){.filters = expand, .kernel = 1}, NET_RELU);
    parts[0] = n->at;
    n->at = x;
    net_conv_act(n, "expand3x3", (net_spec){.filters = expand, .kernel = 3, .pad = 1}, NET_RELU);
    parts[1] = n->at;
    net_concat(n, "concat", parts, 2);
    net_leave(n);
}

/* `pools`: the bits of the fire modules that a max pool follows. */
static void build(net *n, net_spec first, unsigned pools)
{
    static const int squeeze[] = {16, 16, 32, 32, 48, 48, 64, 64};
    const net_spec halve = {.kernel = 3, .stride = 2, .ceil = true};
    net_conv_act(n, "conv1", first, NET_RELU);
    net_max_pool(n, "pool1", halve);
    for (int i = 2; i < 10; i++) {
        char name[NET_NAME];
        fire(n, i, squeeze[i - 2], 4 * squeeze[i - 2]);
        net_text(n, name, "pool%d", i);
        if (pools >> i & 1) net_max_pool(n, name, halve);
    }
    net_conv_act(n, "conv10", (net_spec){.filters = n->classes, .kernel = 1}, NET_RELU);
    net_global_average_pool(n, "pool10");
    net_flatten(n, "flatten");
    net_softmax(n, "softmax");
}

void cvk_zoo_squeezenet1_0(net *n)
{
    build(n, (net_spec){.filters = 96, .kernel = 7, .stride = 2}, 1u << 4 | 1u << 8);
}

void cvk_zoo_squeezenet1_1(net *n)
{
    build(n, (net_spec){.filters = 64, .kernel = 3, .stride = 2}, 1u << 3 | 1u << 5);
}
