/* SPDX-License-Identifier: Apache-2.0
 *
 * MobileNet (Howard et al. 2017) and MobileNetV2 (Sandler et al. 2018), width 1, as Keras
 * Applications has them.
 */
#include "zoo/net.h"

void cvk_zoo_mobilenet(net *n)
{
    static const struct {
        int filters, stride;
    } blocks[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
                  {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
    n->epsilon = 1e-3f;
    net_conv_bn(n, "conv1",
                (net_spec){.filters = 32, .kernel = 3, .stride = 2, .same = true, .no_bias = true},
                NET_RELU6);
    for (int i = 0; i < (int)(sizeof blocks / sizeof *blocks); i++) {
        net_enter(n, "block%d", i + 1);
        net_conv_bn(n, "depthwise",
                    (net_spec){.depthwise = true,
                               .kernel = 3,
                               .stride = blocks[i].stride,
                               .same = true,
                               .no_bias = true},
                    NET_RELU6);
        net_conv_bn(n, "pointwise",
                    (net_spec){.filters = blocks[i].filters, .kernel = 1, .no_bias = true},
                    NET_RELU6);
        net_leave(n);
    }
    net_global_average_pool(n, "pool");
    net_conv(n, "classes", (net_spec){.filters = n->classes, .kernel = 1, .linear = true});
    net_flatten(n, "flatten");
    net_softmax(n, "softmax");
}

/* Inverted residual: wide, depthwise, narrow again without an activation; summed with its input
 * where the shapes are equal. */
static void inverted_residual(net *n, int expansion, int filters, int stride)
{
    const net_value x = n->at;
    if (expansion > 1)
        net_conv_bn(n, "expand",
                    (net_spec){.filters = expansion * (int)x.c, .kernel = 1, .no_bias = true},
                    NET_RELU6);
    net_conv_bn(
        n, "depthwise",
        (net_spec){.depthwise = true, .kernel = 3, .stride = stride, .same = true, .no_bias = true},
        NET_RELU6);
    net_conv_bn(n, "project", (net_spec){.filters = filters, .kernel = 1, .no_bias = true},
                NET_LINEAR);
    if (stride == 1 && x.c == filters) net_add(n, "add", &x);
}

void cvk_zoo_mobilenetv2(net *n)
{
    static const struct {
        int expansion, filters, repeats, stride;
    } stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                  {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    int block = 0;
    n->epsilon = 1e-3f;
    net_conv_bn(n, "conv1",
                (net_spec){.filters = 32, .kernel = 3, .stride = 2, .same = true, .no_bias = true},
                NET_RELU6);
    for (int i = 0; i < (int)(sizeof stages / sizeof *stages); i++)
        for (int k = 0; k < stages[i].repeats; k++) {
            net_enter(n, "block%d", block++);
            inverted_residual(n, stages[i].expansion, stages[i].filters,
                              k == 0 ? stages[i].stride : 1);
            net_leave(n);
        }
    net_conv_bn(n, "conv2", (net_spec){.filters = 1280, .kernel = 1, .no_bias = true}, NET_RELU6);
    net_global_average_pool(n, "pool");
    net_dense(n, "classes", n->classes);
    net_softmax(n, "softmax");
}
