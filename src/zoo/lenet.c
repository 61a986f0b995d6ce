/* SPDX-License-Identifier: Apache-2.0
 *
 * LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998), as it is usually written today: ReLU and max
 * pooling, softmax.
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
