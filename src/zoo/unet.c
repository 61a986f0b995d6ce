/* SPDX-License-Identifier: Apache-2.0
 *
 * U-Net (Ronneberger, Fischer, Brox 2015), 64 to 1024 channels, with "same" padding, so that the
 * mask is as large as the picture and nothing is cropped.
 */
#include "zoo/net.h"

enum { LEVELS = 5 };

static void two_convs(net *n, int filters)
{
    net_conv_act(n, "conv1", (net_spec){.filters = filters, .kernel = 3, .pad = 1}, NET_RELU);
    net_conv_act(n, "conv2", (net_spec){.filters = filters, .kernel = 3, .pad = 1}, NET_RELU);
}

static void descend(net *n, net_value sides[LEVELS])
{
    for (int level = 0; level < LEVELS; level++) {
        net_enter(n, "down%d", level + 1);
        if (level) net_max_pool(n, "pool", (net_spec){.kernel = 2, .stride = 2});
        two_convs(n, 64 << level);
        sides[level] = n->at;
        net_leave(n);
    }
}

static void ascend(net *n, const net_value sides[LEVELS])
{
    for (int level = LEVELS - 2; level >= 0; level--) {
        net_value parts[2] = {sides[level]};
        net_enter(n, "up%d", level + 1);
        net_conv_transpose(
            n, "larger",
            (net_spec){.filters = 64 << level, .kernel = 2, .stride = 2, .linear = true});
        parts[1] = n->at;
        net_concat(n, "concat", parts, 2);
        two_convs(n, 64 << level);
        net_leave(n);
    }
}

void cvk_zoo_unet(net *n)
{
    net_value sides[LEVELS];
    descend(n, sides);
    ascend(n, sides);
    net_conv(n, "mask", (net_spec){.filters = n->classes, .kernel = 1, .linear = true});
    net_softmax(n, "softmax");
}
