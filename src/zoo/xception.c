/* SPDX-License-Identifier: Apache-2.0
 *
 * Xception (Chollet 2016) as Keras Applications has it: separable convolutions, each followed by batch
 * normalisation; no biases but the last.
 */
#include "zoo/net.h"

/* 3x3 depthwise, 1x1, batch normalisation. */
static void separable(net *n, const char *name, int filters)
{
    net_enter(n, "%s", name);
    net_separable(n, "sep",
                  (net_spec){.filters = filters, .kernel = 3, .same = true, .no_bias = true});
    net_batch_norm(n, "bn");
    net_leave(n);
}

/* Two separable convolutions and a pool that halves the size, added to a strided projection. */
static void entry(net *n, int inner, int filters, bool activated)
{
    const net_value input = n->at;
    net_conv_bn(n, "shortcut",
                (net_spec){.filters = filters,
                           .kernel = 1,
                           .stride = 2,
                           .same = true,
                           .no_bias = true,
                           .linear = true},
                NET_LINEAR);
    const net_value shortcut = n->at;
    n->at = input;
    if (!activated) net_relu(n, "relu1");
    separable(n, "sep1", inner);
    net_relu(n, "relu2");
    separable(n, "sep2", filters);
    net_max_pool(n, "pool", (net_spec){.kernel = 3, .stride = 2, .same = true});
    net_add(n, "out", &shortcut);
}

/* Three separable convolutions, added to their input. */
static void middle(net *n)
{
    const net_value input = n->at;
    net_relu(n, "relu1");
    separable(n, "sep1", 728);
    net_relu(n, "relu2");
    separable(n, "sep2", 728);
    net_relu(n, "relu3");
    separable(n, "sep3", 728);
    net_add(n, "out", &input);
}

static void entry_block(net *n, int block, int inner, int filters)
{
    net_enter(n, "block%d", block);
    entry(n, inner, filters, block == 2); /* what the stem gives is activated already */
    net_leave(n);
}

void cvk_zoo_xception(net *n)
{
    n->epsilon = 1e-3f;
    net_conv_bn(n, "conv1", (net_spec){.filters = 32, .kernel = 3, .stride = 2, .no_bias = true},
                NET_RELU);
    net_conv_bn(n, "conv2", (net_spec){.filters = 64, .kernel = 3, .no_bias = true}, NET_RELU);
    entry_block(n, 2, 128, 128);
    entry_block(n, 3, 256, 256);
    entry_block(n, 4, 728, 728);
    for (int block = 5; block <= 12; block++) {
        net_enter(n, "block%d", block);
        middle(n);
        net_leave(n);
    }
    entry_block(n, 13, 728, 1024);
    separable(n, "sep1", 1536);
    net_relu(n, "relu1");
    separable(n, "sep2", 2048);
    net_relu(n, "relu2");
    net_global_average_pool(n, "pool");
    net_dense(n, "predictions", n->classes);
    net_softmax(n, "softmax");
}
