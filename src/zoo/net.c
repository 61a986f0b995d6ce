/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers with seeded weights.
 */
#include "zoo/net.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* splitmix64; uniform in [-1, 1). */
static double next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (double)(z >> 11) * 0x1p-52 - 1;
}

/* Adds constant NAME.SUFFIX with uniform numbers of this variance. */
static void add_weights(net *n, const char *name, const char *suffix, cvk_tensor tensor,
                        double variance)
{
    if (n->status) return;
    char full[80];
    snprintf(full, sizeof full, "%s.%s", name, suffix);
    int64_t count = cvk_tensor_count(&tensor);
    float *data = calloc((size_t)count, sizeof *data);
    if (!data) {
        n->status = CVK_NO_MEMORY;
        return;
    }
    double reach = sqrt(3 * variance);
    for (int64_t i = 0; variance > 0 && i < count; i++)
        data[i] = (float)(reach * next_random(&n->random));
    tensor.name = full;
    tensor.dtype = CVK_F32;
    tensor.data = data;
    n->status = cvk_model_add_constant(n->model, &tensor);
    free(data);
}

/* Adds the node whose output is called like the layer; `weighted`: it reads NAME.weight, NAME.bias.
 */
static void add_node(net *n, const char *op, const char *name, bool weighted, const cvk_attr *attrs,
                     int n_attrs)
{
    if (n->status) return;
    char weight[80], bias[80];
    snprintf(weight, sizeof weight, "%s.weight", name);
    snprintf(bias, sizeof bias, "%s.bias", name);
    const char *inputs[] = {n->at, weight, bias};
    n->status =
        cvk_model_add_node(n->model, op, name, inputs, weighted ? 3 : 1, &name, 1, attrs, n_attrs);
    snprintf(n->at, sizeof n->at, "%s", name);
}

void net_begin(net *n, const char *name, int batch, int channels, int size, uint64_t seed)
{
    *n = (net){.random = seed, .at = "image", .channels = channels, .size = size};
    cvk_tensor input = {.name = "image",
                        .dtype = CVK_F32,
                        .rank = 4,
                        .dims = {batch ? batch : -1, channels, size, size}};
    n->status = cvk_model_create(name, 13, &n->model);
    if (!n->status) n->status = cvk_model_add_input(n->model, &input);
}

void net_conv(net *n, const char *name, int filters, int kernel, int pad)
{
    double fan_in = (double)n->channels * kernel * kernel;
    add_weights(n, name, "weight",
                (cvk_tensor){.rank = 4, .dims = {filters, n->channels, kernel, kernel}},
                2 / fan_in);
    add_weights(n, name, "bias", (cvk_tensor){.rank = 1, .dims = {filters}}, 0);
    const int64_t window[] = {kernel, kernel}, pads[] = {pad, pad, pad, pad};
    const cvk_attr attrs[] = {
        {.name = "kernel_shape", .kind = CVK_ATTR_INTS, .ints = window, .count = 2},
        {.name = "pads", .kind = CVK_ATTR_INTS, .ints = pads, .count = 4}};
    add_node(n, "Conv", name, true, attrs, 2);
    n->channels = filters;
    n->size += 2 * pad - kernel + 1;
}

void net_relu(net *n, const char *name)
{
    add_node(n, "Relu", name, false, NULL, 0);
}

void net_max_pool(net *n, const char *name, int kernel, int stride)
{
    const int64_t window[] = {kernel, kernel}, strides[] = {stride, stride};
    const cvk_attr attrs[] = {
        {.name = "kernel_shape", .kind = CVK_ATTR_INTS, .ints = window, .count = 2},
        {.name = "strides", .kind = CVK_ATTR_INTS, .ints = strides, .count = 2}};
    add_node(n, "MaxPool", name, false, attrs, 2);
    n->size = (n->size - kernel) / stride + 1;
}

void net_flatten(net *n, const char *name)
{
    add_node(n, "Flatten", name, false, NULL, 0);
    n->channels *= n->size * n->size;
    n->size = 1;
}

void net_dense(net *n, const char *name, int features)
{
    double fans = (double)n->channels + features;
    add_weights(n, name, "weight", (cvk_tensor){.rank = 2, .dims = {features, n->channels}},
                2 / fans);
    add_weights(n, name, "bias", (cvk_tensor){.rank = 1, .dims = {features}}, 0);
    const cvk_attr attr = {.name = "transB", .kind = CVK_ATTR_INT, .i = 1};
    add_node(n, "Gemm", name, true, &attr, 1);
    n->channels = features;
}

void net_softmax(net *n, const char *name)
{
    const cvk_attr attr = {.name = "axis", .kind = CVK_ATTR_INT, .i = 1};
    add_node(n, "Softmax", name, false, &attr, 1);
}

cvk_status net_end(net *n, cvk_model **model)
{
    if (!n->status) n->status = cvk_model_set_output(n->model, n->at);
    if (n->status)
        cvk_model_free(&n->model);
    else
        *model = n->model;
    return n->status;
}
