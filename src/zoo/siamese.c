/* SPDX-License-Identifier: Apache-2.0
 *
 * A siamese network (Koch, Zemel, Salakhutdinov: Siamese neural networks for one-shot image
 * recognition, 2015): two pictures through the same weights; the weighted L1 distance of their
 * features, and the probability that both show the same.
 */
#include "zoo/net.h"

static net_value features(net *n)
{
    static const struct {
        int filters, kernel;
    } layers[] = {{64, 10}, {128, 7}, {128, 4}, {256, 4}};
    for (int i = 0; i < 4; i++) {
        net_enter(n, "layer%d", i + 1);
        net_conv_act(n, "conv",
                     (net_spec){.filters = layers[i].filters, .kernel = layers[i].kernel},
                     NET_RELU);
        if (i < 3) net_max_pool(n, "pool", (net_spec){.kernel = 2, .stride = 2});
        net_leave(n);
    }
    net_dense(n, "features", 4096);
    net_activate(n, "squashed", NET_SIGMOID);
    return n->at;
}

/* |a - b| as the larger of a - b and b - a. */
static void absolute_difference(net *n, const net_value *a, const net_value *b)
{
    n->at = *a;
    net_sub(n, "ab", b);
    const net_value ab = n->at;
    n->at = *b;
    net_sub(n, "ba", a);
    const char *inputs[] = {ab.name, n->at.name};
    net_node(n, "Max", "difference", inputs, 2, NULL, 0);
    n->at.mean = 0;
}

void cvk_zoo_siamese(net *n)
{
    const net_value a = features(n);
    net_tower(n, "other");
    net_input(n, "image2");
    const net_value b = features(n);
    net_tower(n, "");
    absolute_difference(n, &a, &b);
    net_dense(n, "distance", 1);
    net_output(n);
    net_activate(n, "same", NET_SIGMOID);
    net_output(n);
}
