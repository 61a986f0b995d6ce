/* SPDX-License-Identifier: Apache-2.0
 *
 * Inception v3 (Szegedy et al. 2015) and Inception-ResNet v2 (Szegedy et al. 2016) as Keras Applications
 * has them: convolutions without biases, batch normalisation without scales, and ReLU; average pools
 * that do not count their padding.
 */
#include "zoo/net.h"

/* A convolution h x w: it keeps the size, or it strides and has no padding. */
typedef struct step {
    int filters, h, w, stride;
} step;

/* The convolutions up to one without filters, from `from` on. */
static net_value branch(net *n, const char *name, const net_value *from, const step *steps)
{
    char conv[16] = "1";
    net_enter(n, "%s", name);
    n->at = *from;
    for (const step *s = steps; s->filters; s++, conv[0]++)
        net_conv_bn(n, conv,
                    (net_spec){.filters = s->filters,
                               .kernel = s->h,
                               .kernel_w = s->w,
                               .stride = s->stride ? s->stride : 1,
                               .same = !s->stride,
                               .no_bias = true},
                    NET_RELU);
    net_leave(n);
    return n->at;
}

static net_value average_branch(net *n, const net_value *from, int filters)
{
    n->at = *from;
    net_average_pool(n, "pool", (net_spec){.kernel = 3, .stride = 1, .same = true});
    const net_value pooled = n->at;
    return branch(n, "pooled", &pooled, (const step[]){{filters, 1, 1, 0}, {0}});
}

static net_value max_branch(net *n, const net_value *from)
{
    n->at = *from;
    net_max_pool(n, "pool", (net_spec){.kernel = 3, .stride = 2});
    return n->at;
}

/* Both begin so: 299 to 35. */
static void stem(net *n)
{
    const net_value image = n->at;
    branch(n, "stem1", &image, (const step[]){{32, 3, 3, 2}, {32, 3, 3, 1}, {64, 3, 3, 0}, {0}});
    net_max_pool(n, "stem1.pool", (net_spec){.kernel = 3, .stride = 2});
    const net_value pooled = n->at;
    branch(n, "stem2", &pooled, (const step[]){{80, 1, 1, 1}, {192, 3, 3, 1}, {0}});
    net_max_pool(n, "stem2.pool", (net_spec){.kernel = 3, .stride = 2});
}

static void head(net *n)
{
    net_global_average_pool(n, "pool");
    net_dense(n, "predictions", n->classes);
    net_softmax(n, "softmax");
}

/* 35 x 35. */
static void mixed_35(net *n, int first, int pooled)
{
    const net_value from = n->at;
    net_value b[4];
    b[0] = branch(n, "b1", &from, (const step[]){{first, 1, 1, 0}, {0}});
    b[1] = branch(n, "b2", &from, (const step[]){{48, 1, 1, 0}, {64, 5, 5, 0}, {0}});
    b[2] = branch(n, "b3", &from, (const step[]){{64, 1, 1, 0}, {96, 3, 3, 0}, {96, 3, 3, 0}, {0}});
    b[3] = average_branch(n, &from, pooled);
    net_concat(n, "out", b, 4);
}

/* 35 x 35 to 17 x 17. */
static void reduce_35(net *n, const step *deep)
{
    const net_value from = n->at;
    net_value b[3];
    b[0] = branch(n, "b1", &from, (const step[]){{384, 3, 3, 2}, {0}});
    b[1] = branch(n, "b2", &from, deep);
    b[2] = max_branch(n, &from);
    net_concat(n, "out", b, 3);
}

/* 17 x 17. */
static void mixed_17(net *n, int f)
{
    const net_value from = n->at;
    net_value b[4];
    b[0] = branch(n, "b1", &from, (const step[]){{192, 1, 1, 0}, {0}});
    b[1] = branch(n, "b2", &from, (const step[]){{f, 1, 1, 0}, {f, 1, 7, 0}, {192, 7, 1, 0}, {0}});
    b[2] = branch(n, "b3", &from,
                  (const step[]){
                      {f, 1, 1, 0}, {f, 7, 1, 0}, {f, 1, 7, 0}, {f, 7, 1, 0}, {192, 1, 7, 0}, {0}});
    b[3] = average_branch(n, &from, 192);
    net_concat(n, "out", b, 4);
}

/* 17 x 17 to 8 x 8. */
static void reduce_17(net *n)
{
    const net_value from = n->at;
    net_value b[3];
    b[0] = branch(n, "b1", &from, (const step[]){{192, 1, 1, 0}, {320, 3, 3, 2}, {0}});
    b[1] =
        branch(n, "b2", &from,
               (const step[]){{192, 1, 1, 0}, {192, 1, 7, 0}, {192, 7, 1, 0}, {192, 3, 3, 2}, {0}});
    b[2] = max_branch(n, &from);
    net_concat(n, "out", b, 3);
}

/* 8 x 8: two of the branches end in two, 1x3 and 3x1. */
static void mixed_8(net *n)
{
    static const step wide[] = {{384, 1, 3, 0}, {0}}, high[] = {{384, 3, 1, 0}, {0}};
    const net_value from = n->at;
    const net_value trunk2 = branch(n, "b2", &from, (const step[]){{384, 1, 1, 0}, {0}});
    const net_value trunk3 =
        branch(n, "b3", &from, (const step[]){{448, 1, 1, 0}, {384, 3, 3, 0}, {0}});
    net_value b[6];
    b[0] = branch(n, "b1", &from, (const step[]){{320, 1, 1, 0}, {0}});
    b[1] = branch(n, "b2.wide", &trunk2, wide);
    b[2] = branch(n, "b2.high", &trunk2, high);
    b[3] = branch(n, "b3.wide", &trunk3, wide);
    b[4] = branch(n, "b3.high", &trunk3, high);
    b[5] = average_branch(n, &from, 192);
    net_concat(n, "out", b, 6);
}

static void mixed(net *n, int index)
{
    static const int pooled_35[] = {32, 64, 64}, filters_17[] = {128, 160, 160, 192};
    if (index < 3)
        mixed_35(n, 64, pooled_35[index]);
    else if (index == 3)
        reduce_35(n, (const step[]){{64, 1, 1, 0}, {96, 3, 3, 0}, {96, 3, 3, 2}, {0}});
    else if (index < 8)
        mixed_17(n, filters_17[index - 4]);
    else if (index == 8)
        reduce_17(n);
    else
        mixed_8(n);
}

void cvk_zoo_inception_v3(net *n)
{
    n->epsilon = 1e-3f;
    n->fixed_scale = true;
    stem(n);
    for (int index = 0; index < 11; index++) {
        net_enter(n, "mixed%d", index);
        mixed(n, index);
        net_leave(n);
    }
    head(n);
}

/* What Inception-ResNet repeats. */
typedef struct residual {
    const char *name;
    int repeats;
    double scale;
    int n_paths;
    step paths[3][4];
} residual;

static const residual residual_35 = {"block35",
                                     10,
                                     0.17,
                                     3,
                                     {{{32, 1, 1, 0}},
                                      {{32, 1, 1, 0}, {32, 3, 3, 0}},
                                      {{32, 1, 1, 0}, {48, 3, 3, 0}, {64, 3, 3, 0}}}};
static const residual residual_17 = {
    "block17", 20, 0.1, 2, {{{192, 1, 1, 0}}, {{128, 1, 1, 0}, {160, 1, 7, 0}, {192, 7, 1, 0}}}};
static const residual residual_8 = {
    "block8", 9, 0.2, 2, {{{192, 1, 1, 0}}, {{192, 1, 1, 0}, {224, 1, 3, 0}, {256, 3, 1, 0}}}};

/* The branches, a 1x1 convolution with bias back to the channels that came in, scaled, added. */
static void add_residual(net *n, const residual *r, double scale, bool activated)
{
    static const char *const names[] = {"b1", "b2", "b3"};
    const net_value from = n->at;
    net_value b[3];
    for (int i = 0; i < r->n_paths; i++) b[i] = branch(n, names[i], &from, r->paths[i]);
    net_concat(n, "all", b, r->n_paths);
    net_conv(n, "up", (net_spec){.filters = (int)from.c, .kernel = 1, .linear = true});
    if (scale != 1) net_scale(n, "scaled", scale);
    net_add(n, "sum", &from);
    if (activated) net_relu(n, "out");
}

static void repeat(net *n, const residual *r)
{
    for (int i = 0; i < r->repeats; i++) {
        net_enter(n, "%s_%d", r->name, i + 1);
        add_residual(n, r, r->scale, true);
        net_leave(n);
    }
}

/* 17 x 17 to 8 x 8, in Inception-ResNet. */
static void residual_reduce_17(net *n)
{
    const net_value from = n->at;
    net_value b[4];
    b[0] = branch(n, "b1", &from, (const step[]){{256, 1, 1, 0}, {384, 3, 3, 2}, {0}});
    b[1] = branch(n, "b2", &from, (const step[]){{256, 1, 1, 0}, {288, 3, 3, 2}, {0}});
    b[2] =
        branch(n, "b3", &from, (const step[]){{256, 1, 1, 0}, {288, 3, 3, 0}, {320, 3, 3, 2}, {0}});
    b[3] = max_branch(n, &from);
    net_concat(n, "out", b, 4);
}

void cvk_zoo_inception_resnet_v2(net *n)
{
    n->epsilon = 1e-3f;
    n->fixed_scale = true;
    stem(n);
    net_enter(n, "mixed_5b");
    mixed_35(n, 96, 64);
    net_leave(n);
    repeat(n, &residual_35);
    net_enter(n, "mixed_6a");
    reduce_35(n, (const step[]){{256, 1, 1, 0}, {256, 3, 3, 0}, {384, 3, 3, 2}, {0}});
    net_leave(n);
    repeat(n, &residual_17);
    net_enter(n, "mixed_7a");
    residual_reduce_17(n);
    net_leave(n);
    repeat(n, &residual_8);
    net_enter(n, "block8_10");
    add_residual(n, &residual_8, 1, false);
    net_leave(n);
    const net_value from = n->at;
    branch(n, "conv_7b", &from, (const step[]){{1536, 1, 1, 0}, {0}});
    head(n);
}
