/* SPDX-License-Identifier: Apache-2.0
 *
 * Network in Network (Lin, Chen, Yan 2013), for ImageNet, as its authors published it for Caffe:
 * each convolution is followed by two of 1x1, and a global average ends it.
 */
#include "zoo/net.h"

static void block(net *n, int index, net_spec spec, int last)
{
    net_enter(n, "block%d", index);
    net_conv_act(n, "conv", spec, NET_RELU);
    net_conv_act(n, "mix1", (net_spec){.filters = spec.filters, .kernel = 1}, NET_RELU);
    net_conv_act(n, "mix2", (net_spec){.filters = last, .kernel = 1}, NET_RELU);
    if (index < 4) net_max_pool(n, "pool", (net_spec){.kernel = 3, .stride = 2, .ceil = true});
    net_leave(n);
}

void cvk_zoo_nin(net *n)
{
    block(n, 1, (net_spec){.filters = 96, .kernel = 11, .stride = 4}, 96);
    block(n, 2, (net_spec){.filters = 256, .kernel = 5, .pad = 2}, 256);
    block(n, 3, (net_spec){.filters = 384, .kernel = 3, .pad = 1}, 384);
    block(n, 4, (net_spec){.filters = 1024, .kernel = 3, .pad = 1}, n->classes);
    net_global_average_pool(n, "pool");
    net_flatten(n, "flatten");
    net_softmax(n, "softmax");
}
