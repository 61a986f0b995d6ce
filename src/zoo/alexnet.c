/* SPDX-License-Identifier: Apache-2.0
 *
 * AlexNet (Krizhevsky, Sutskever, Hinton 2012), two groups as on its two GPUs, and ZFNet (Zeiler,
 * Fergus 2013), which widened its first layers: five convolutions, three dense layers.
 */
#include "zoo/vgg.h"

/* (2 + 1e-4 * sum over 5 channels of x^2)^0.75; ONNX divides alpha by the size. */
static void normalise(net *n, const char *name)
{
    net_lrn(n, name, 5, 5e-4, 0.75, 2);
}

/* Convolutions 3 to 5, and the dense layers. */
static void finish(net *n, int groups)
{
    net_conv_act(n, "conv3", (net_spec){.filters = 384, .kernel = 3, .pad = 1}, NET_RELU);
    net_conv_act(n, "conv4", (net_spec){.filters = 384, .kernel = 3, .pad = 1, .groups = groups},
                 NET_RELU);
    net_conv_act(n, "conv5", (net_spec){.filters = 256, .kernel = 3, .pad = 1, .groups = groups},
                 NET_RELU);
    net_max_pool(n, "pool5", (net_spec){.kernel = 3, .stride = 2});
    net_vgg_head(n);
}

void cvk_zoo_alexnet(net *n)
{
    net_conv_act(n, "conv1", (net_spec){.filters = 96, .kernel = 11, .stride = 4}, NET_RELU);
    normalise(n, "norm1");
    net_max_pool(n, "pool1", (net_spec){.kernel = 3, .stride = 2});
    net_conv_act(n, "conv2", (net_spec){.filters = 256, .kernel = 5, .pad = 2, .groups = 2},
                 NET_RELU);
    normalise(n, "norm2");
    net_max_pool(n, "pool2", (net_spec){.kernel = 3, .stride = 2});
    finish(n, 2);
}

void cvk_zoo_zfnet(net *n)
{
    net_conv_act(n, "conv1", (net_spec){.filters = 96, .kernel = 7, .stride = 2, .pad = 1},
                 NET_RELU);
    net_max_pool(n, "pool1", (net_spec){.kernel = 3, .stride = 2, .pad = 1});
    normalise(n, "norm1");
    net_conv_act(n, "conv2", (net_spec){.filters = 256, .kernel = 5, .stride = 2}, NET_RELU);
    net_max_pool(n, "pool2", (net_spec){.kernel = 3, .stride = 2, .pad = 1});
    normalise(n, "norm2");
    finish(n, 1);
}
