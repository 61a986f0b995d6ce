/* SPDX-License-Identifier: Apache-2.0
 *
 * GoogLeNet, Inception v1 (Szegedy et al. 2014), with local response normalisation as its Caffe
 * form has it, without the classifiers that helped training.
 */
#include "zoo/net.h"

typedef struct widths {
    const char *name;
    int one, reduce3, three, reduce5, five, pool;
    bool halved; /* a max pool follows */
} widths;

static net_value branch(net *n, const net_value *x, const char *first, int reduce,
                        const char *second, int filters, int kernel)
{
    n->at = *x;
    if (reduce) net_conv_act(n, first, (net_spec){.filters = reduce, .kernel = 1}, NET_RELU);
    net_conv_act(n, second, (net_spec){.filters = filters, .kernel = kernel, .pad = kernel / 2},
                 NET_RELU);
    return n->at;
}

static void inception(net *n, const widths *w)
{
    const net_value x = n->at;
    net_value parts[4];
    net_enter(n, "%s", w->name);
    parts[0] = branch(n, &x, NULL, 0, "1x1", w->one, 1);
    parts[1] = branch(n, &x, "3x3_reduce", w->reduce3, "3x3", w->three, 3);
    parts[2] = branch(n, &x, "5x5_reduce", w->reduce5, "5x5", w->five, 5);
    n->at = x;
    net_max_pool(n, "pool", (net_spec){.kernel = 3, .stride = 1, .pad = 1});
    const net_value pooled = n->at;
    parts[3] = branch(n, &pooled, NULL, 0, "pool_proj", w->pool, 1);
    net_concat(n, "output", parts, 4);
    if (w->halved) net_max_pool(n, "halved", (net_spec){.kernel = 3, .stride = 2, .ceil = true});
    net_leave(n);
}

void cvk_zoo_googlenet(net *n)
{
    static const widths modules[] = {
        {"3a", 64, 96, 128, 16, 32, 32, false},     {"3b", 128, 128, 192, 32, 96, 64, true},
        {"4a", 192, 96, 208, 16, 48, 64, false},    {"4b", 160, 112, 224, 24, 64, 64, false},
        {"4c", 128, 128, 256, 24, 64, 64, false},   {"4d", 112, 144, 288, 32, 64, 64, false},
        {"4e", 256, 160, 320, 32, 128, 128, true},  {"5a", 256, 160, 320, 32, 128, 128, false},
        {"5b", 384, 192, 384, 48, 128, 128, false},
    };
    const net_spec halve = {.kernel = 3, .stride = 2, .ceil = true};
    net_conv_act(n, "conv1", (net_spec){.filters = 64, .kernel = 7, .stride = 2, .pad = 3},
                 NET_RELU);
    net_max_pool(n, "pool1", halve);
    net_lrn(n, "norm1", 5, 1e-4, 0.75, 1);
    net_conv_act(n, "conv2_reduce", (net_spec){.filters = 64, .kernel = 1}, NET_RELU);
    net_conv_act(n, "conv2", (net_spec){.filters = 192, .kernel = 3, .pad = 1}, NET_RELU);
    net_lrn(n, "norm2", 5, 1e-4, 0.75, 1);
    net_max_pool(n, "pool2", halve);
    for (int i = 0; i < (int)(sizeof modules / sizeof *modules); i++) inception(n, &modules[i]);
    net_global_average_pool(n, "pool5");
    net_dense(n, "classifier", n->classes);
    net_softmax(n, "softmax");
}
