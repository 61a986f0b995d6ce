/* SPDX-License-Identifier: Apache-2.0
 *
 * VGG (Simonyan, Zisserman 2014), configurations D and E, and FCN-8s (Long, Shelhamer, Darrell
 * 2015) on the former.
 */
#include "zoo/vgg.h"

void net_vgg_stages(net *n, int repeats, net_value pools[5])
{
    static const int filters[] = {64, 128, 256, 512, 512};
    for (int stage = 0; stage < 5; stage++) {
        net_enter(n, "stage%d", stage + 1);
        for (int i = 0; i < (stage < 2 ? 2 : repeats); i++) {
            char name[NET_NAME];
            net_text(n, name, "conv%d", i + 1);
            net_conv_act(n, name, (net_spec){.filters = filters[stage], .kernel = 3, .pad = 1},
                         NET_RELU);
        }
        net_max_pool(n, "pool", (net_spec){.kernel = 2, .stride = 2});
        if (pools) pools[stage] = n->at;
        net_leave(n);
    }
}

void net_vgg_head(net *n)
{
    net_dense_he(n, "fc6", 4096);
    net_relu(n, "relu6");
    net_dense_he(n, "fc7", 4096);
    net_relu(n, "relu7");
    net_dense(n, "fc8", n->classes);
    net_softmax(n, "softmax");
}

static void vgg(net *n, int repeats)
{
    net_vgg_stages(n, repeats, NULL);
    net_vgg_head(n);
}

void cvk_zoo_vgg16(net *n)
{
    vgg(n, 3);
}

void cvk_zoo_vgg19(net *n)
{
    vgg(n, 4);
}

/* Twice as large, plus the scores of an earlier stage. */
static void refine(net *n, const char *name, const net_value *stage)
{
    const net_spec twice = {.filters = n->classes,
                            .kernel = 4,
                            .stride = 2,
                            .same = true,
                            .no_bias = true,
                            .linear = true};
    net_enter(n, "%s", name);
    net_conv_transpose(n, "larger", twice);
    const net_value larger = n->at;
    n->at = *stage;
    net_conv(n, "score", (net_spec){.filters = n->classes, .kernel = 1, .linear = true});
    net_add(n, "sum", &larger);
    net_leave(n);
}

/* The dense layers as convolutions; "same" padding, so that no cropping is needed. */
void cvk_zoo_fcn8s(net *n)
{
    net_value pools[5];
    net_vgg_stages(n, 3, pools);
    net_conv_act(n, "fc6", (net_spec){.filters = 4096, .kernel = 7, .same = true}, NET_RELU);
    net_conv_act(n, "fc7", (net_spec){.filters = 4096, .kernel = 1}, NET_RELU);
    net_conv(n, "score", (net_spec){.filters = n->classes, .kernel = 1, .linear = true});
    refine(n, "pool4", &pools[3]);
    refine(n, "pool3", &pools[2]);
    net_conv_transpose(n, "upscore",
                       (net_spec){.filters = n->classes,
                                  .kernel = 16,
                                  .stride = 8,
                                  .same = true,
                                  .no_bias = true,
                                  .linear = true});
    net_softmax(n, "softmax");
}
