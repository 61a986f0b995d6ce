/* SPDX-License-Identifier: Apache-2.0
 *
 * Residual networks. ResNet-50, 101, 152 (He et al. 2015) and their second form with activation
 * first (He et al. 2016) as Keras Applications has them: every convolution of the first form has a
 * bias, and the first of a block strides. ResNet-18 and 34, and ResNeXt-50 32x4d (Xie et al. 2016) as
 * torchvision has them: no biases, and the 3x3 convolution strides.
 */
#include "zoo/net.h"

/* What the four stages of a network have. */
typedef struct stages {
    int blocks[4];
    int filters;   /* of the 3x3 convolutions of the first stage; each stage doubles them */
    int expansion; /* a block's outputs for each output filter; 1: two 3x3, no bottleneck */
    int groups;
    bool torch; /* as torchvision has it */
} stages;

typedef void block_fn(net *n, const stages *s, int stage, int stride, bool first);

static void stem(net *n, bool no_bias, bool activated)
{
    const net_spec conv = {.filters = 64, .kernel = 7, .stride = 2, .pad = 3, .no_bias = no_bias};
    if (activated)
        net_conv_bn(n, "conv1", conv, NET_RELU);
    else
        net_conv(n, "conv1", conv);
}

static void head(net *n)
{
    net_global_average_pool(n, "pool5");
    net_dense(n, "predictions", n->classes);
    net_softmax(n, "softmax");
}

/* 1x1, 3x3, 1x1, or 3x3, 3x3; added to the input, or to its projection; ReLU. */
static void block(net *n, const stages *s, int stage, int stride, bool first)
{
    const int filters = s->filters << stage, out = (64 << stage) * s->expansion;
    const bool bottleneck = s->expansion > 1, plain = s->torch;
    const net_value input = n->at;
    net_value shortcut = input;
    if (first && (stride > 1 || input.c != out)) {
        net_conv_bn(n, "shortcut",
                    (net_spec){.filters = out, .kernel = 1, .stride = stride, .no_bias = plain},
                    NET_LINEAR);
        shortcut = n->at;
        n->at = input;
    }
    if (bottleneck) {
        const int early = plain ? 1 : stride;
        net_conv_bn(n, "conv1",
                    (net_spec){.filters = filters, .kernel = 1, .stride = early, .no_bias = plain},
                    NET_RELU);
        stride /= early;
    }
    net_conv_bn(n, "conv2",
                (net_spec){.filters = filters,
                           .kernel = 3,
                           .stride = stride,
                           .pad = 1,
                           .groups = s->groups,
                           .no_bias = plain},
                NET_RELU);
    net_conv_bn(n, "conv3",
                (net_spec){.filters = out,
                           .kernel = bottleneck ? 1 : 3,
                           .pad = bottleneck ? 0 : 1,
                           .no_bias = plain,
                           .linear = true},
                NET_LINEAR);
    net_add(n, "add", &shortcut);
    net_relu(n, "out");
}

/* The second form: normalise and activate, then 1x1, 3x3, 1x1, added to what came in, or to the
 * projection of what was activated. */
static void preactivated_block(net *n, const stages *s, int stage, int stride, bool first)
{
    const int filters = s->filters << stage, out = filters * s->expansion;
    net_value shortcut = n->at;
    if (!first && stride > 1) {
        net_max_pool(n, "shortcut", (net_spec){.kernel = 1, .stride = stride});
        const net_value pooled = n->at;
        n->at = shortcut;
        shortcut = pooled;
    }
    net_batch_norm(n, "preact.bn");
    net_relu(n, "preact");
    if (first) {
        const net_value input = n->at;
        net_conv(n, "shortcut",
                 (net_spec){.filters = out, .kernel = 1, .stride = stride, .linear = true});
        shortcut = n->at;
        n->at = input;
    }
    net_conv_bn(n, "conv1", (net_spec){.filters = filters, .kernel = 1, .no_bias = true}, NET_RELU);
    net_conv_bn(
        n, "conv2",
        (net_spec){.filters = filters, .kernel = 3, .stride = stride, .pad = 1, .no_bias = true},
        NET_RELU);
    net_conv(n, "conv3", (net_spec){.filters = out, .kernel = 1, .linear = true});
    net_add(n, "out", &shortcut);
}

/* The four stages. A stage halves the picture in its first block, the first stage not at all; or,
 * `late`, in its last block, and the last stage not at all. */
static void all_stages(net *n, const stages *s, block_fn *one, bool late)
{
    for (int stage = 0; stage < 4; stage++)
        for (int i = 0; i < s->blocks[stage]; i++) {
            const bool first = i == 0, last = i == s->blocks[stage] - 1;
            const bool strides = late ? last && stage < 3 : first && stage > 0;
            net_enter(n, "conv%d_block%d", stage + 2, i + 1);
            one(n, s, stage, strides ? 2 : 1, first);
            net_leave(n);
        }
}

static void first_form(net *n, const stages *s)
{
    if (!s->torch) n->epsilon = 1.001e-5f;
    stem(n, s->torch, true);
    net_max_pool(n, "pool1", (net_spec){.kernel = 3, .stride = 2, .pad = 1});
    all_stages(n, s, block, false);
    head(n);
}

static void second_form(net *n, const stages *s)
{
    n->epsilon = 1.001e-5f;
    stem(n, false, false);
    /* nothing is activated yet: the zeros of this padding may be the maximum of a window */
    net_pad(n, "pool1_pad", (const int[]){1, 1, 1, 1});
    net_max_pool(n, "pool1", (net_spec){.kernel = 3, .stride = 2});
    all_stages(n, s, preactivated_block, true);
    net_batch_norm(n, "post.bn");
    net_relu(n, "post");
    head(n);
}

static const stages resnet18 = {{2, 2, 2, 2}, 64, 1, 1, true};
static const stages resnet34 = {{3, 4, 6, 3}, 64, 1, 1, true};
static const stages resnet50 = {{3, 4, 6, 3}, 64, 4, 1, false};
static const stages resnet101 = {{3, 4, 23, 3}, 64, 4, 1, false};
static const stages resnet152 = {{3, 8, 36, 3}, 64, 4, 1, false};
static const stages resnext50 = {{3, 4, 6, 3}, 128, 4, 32, true};

void cvk_zoo_resnet18(net *n)
{
    first_form(n, &resnet18);
}

void cvk_zoo_resnet34(net *n)
{
    first_form(n, &resnet34);
}

void cvk_zoo_resnet50(net *n)
{
    first_form(n, &resnet50);
}

void cvk_zoo_resnet101(net *n)
{
    first_form(n, &resnet101);
}

void cvk_zoo_resnet152(net *n)
{
    first_form(n, &resnet152);
}

void cvk_zoo_resnext50(net *n)
{
    first_form(n, &resnext50);
}

void cvk_zoo_resnet50v2(net *n)
{
    second_form(n, &resnet50);
}

void cvk_zoo_resnet101v2(net *n)
{
    second_form(n, &resnet101);
}

void cvk_zoo_resnet152v2(net *n)
{
    second_form(n, &resnet152);
}
