/* SPDX-License-Identifier: Apache-2.0
 *
 * EfficientNet-B0 (Tan and Le 2019) as Keras Applications has it, without the normalisation of the input
 * that is a layer there: its 7 numbers (means, variances, a count) are no parameters here, so that
 * 5,330,564 remain of 5,330,571.
 */
#include "zoo/net.h"

typedef struct stage {
    int repeats, kernel, stride, expansion, filters;
} stage;

/* A gate for each channel, from the mean of each: 1x1 to `reduced`, swish, 1x1 back, sigmoid. */
static void squeeze_excite(net *n, int64_t reduced)
{
    const net_value input = n->at;
    net_global_average_pool(n, "se.pool");
    net_conv_act(n, "se.reduce", (net_spec){.filters = (int)reduced, .kernel = 1}, NET_SWISH);
    net_conv(n, "se.expand", (net_spec){.filters = (int)input.c, .kernel = 1, .linear = true});
    net_activate(n, "se.gate", NET_SIGMOID);
    net_mul(n, "se", &input);
}

static void block(net *n, const stage *s, int stride)
{
    const net_value input = n->at;
    if (s->expansion > 1)
        net_conv_bn(
            n, "expand",
            (net_spec){.filters = (int)input.c * s->expansion, .kernel = 1, .no_bias = true},
            NET_SWISH);
    net_conv_bn(n, "depthwise",
                (net_spec){.filters = (int)n->at.c,
                           .groups = (int)n->at.c,
                           .kernel = s->kernel,
                           .stride = stride,
                           .same = true,
                           .no_bias = true},
                NET_SWISH);
    squeeze_excite(n, input.c / 4);
    net_conv_bn(n, "project", (net_spec){.filters = s->filters, .kernel = 1, .no_bias = true},
                NET_LINEAR);
    if (stride == 1 && input.c == s->filters) net_add(n, "add", &input);
}

void cvk_zoo_efficientnet_b0(net *n)
{
    static const stage stages[] = {{1, 3, 1, 1, 16}, {2, 3, 2, 6, 24},  {2, 5, 2, 6, 40},
                                   {3, 3, 2, 6, 80}, {3, 5, 1, 6, 112}, {4, 5, 2, 6, 192},
                                   {1, 3, 1, 6, 320}};
    n->epsilon = 1e-3f;
    net_conv_bn(n, "stem",
                (net_spec){.filters = 32, .kernel = 3, .stride = 2, .same = true, .no_bias = true},
                NET_SWISH);
    for (int i = 0; i < 7; i++)
        for (int j = 0; j < stages[i].repeats; j++) {
            net_enter(n, "block%d%c", i + 1, 'a' + j);
            block(n, &stages[i], j == 0 ? stages[i].stride : 1);
            net_leave(n);
        }
    net_conv_bn(n, "top", (net_spec){.filters = 1280, .kernel = 1, .no_bias = true}, NET_SWISH);
    net_global_average_pool(n, "pool");
    net_dense(n, "predictions", n->classes);
    net_softmax(n, "softmax");
}
