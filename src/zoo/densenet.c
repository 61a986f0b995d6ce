/* SPDX-License-Identifier: Apache-2.0
 *
 * DenseNet (Huang et al. 2016), growth 32, as Keras Applications has it: no biases but the last.
 */
#include "zoo/net.h"

enum { GROWTH = 32 };

static void normalise(net *n, const char *bn, const char *relu)
{
    net_batch_norm(n, bn);
    net_relu(n, relu);
}

static void conv(net *n, const char *name, int64_t filters, int kernel)
{
    net_conv(
        n, name,
        (net_spec){.filters = (int)filters, .kernel = kernel, .pad = kernel / 2, .no_bias = true});
}

/* 32 channels more, behind those that came in. */
static void layer(net *n)
{
    net_value both[2] = {n->at};
    normalise(n, "bn1", "relu1");
    conv(n, "conv1", 4 * GROWTH, 1);
    normalise(n, "bn2", "relu2");
    conv(n, "conv2", GROWTH, 3);
    both[1] = n->at;
    net_concat(n, "out", both, 2);
}

/* Half the channels, half the size. */
static void transition(net *n)
{
    normalise(n, "bn", "relu");
    conv(n, "conv", n->at.c / 2, 1);
    net_average_pool(n, "pool", (net_spec){.kernel = 2, .stride = 2});
}

static void densenet(net *n, const int blocks[4])
{
    n->epsilon = 1.001e-5f;
    net_conv_bn(n, "conv1",
                (net_spec){.filters = 64, .kernel = 7, .stride = 2, .pad = 3, .no_bias = true},
                NET_RELU);
    net_max_pool(n, "pool1", (net_spec){.kernel = 3, .stride = 2, .pad = 1});
    for (int block = 0; block < 4; block++) {
        for (int i = 0; i < blocks[block]; i++) {
            net_enter(n, "conv%d_block%d", block + 2, i + 1);
            layer(n);
            net_leave(n);
        }
        if (block == 3) break;
        net_enter(n, "pool%d", block + 2);
        transition(n);
        net_leave(n);
    }
    normalise(n, "bn", "relu");
    net_global_average_pool(n, "pool5");
    net_dense(n, "predictions", n->classes);
    net_softmax(n, "softmax");
}

void cvk_zoo_densenet121(net *n)
{
    densenet(n, (const int[]){6, 12, 24, 16});
}

void cvk_zoo_densenet169(net *n)
{
    densenet(n, (const int[]){6, 12, 32, 32});
}

void cvk_zoo_densenet201(net *n)
{
    densenet(n, (const int[]){6, 12, 48, 32});
}
