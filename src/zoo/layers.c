/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers with weights, and batch normalisation: what they add, and what they are expected to make
 * of a signal.
 */
#include <math.h>

#include "zoo/net.h"
#include "zoo/window.h"

/* Uniform in [-reach, reach] has this variance. */
static double reach_of(double variance)
{
    return sqrt(3 * variance);
}

static double power(const net_value *value)
{
    return value->mean * value->mean + value->variance;
}

/* n->at is now a sum of `taps` products with weights of this variance. */
static void expect_sum(net *n, double taps, double variance)
{
    n->at.variance = net_coarse(taps * variance * power(&n->at));
    n->at.mean = 0;
    n->at.depth++;
}

/* The node of a layer with weights; biases are small against what they are added to. */
static void weighted(net *n, const char *op, const char *name, const char *weight, int64_t outputs,
                     bool no_bias, const cvk_attr *attrs, int n_attrs)
{
    char bias[NET_NAME];
    const char *inputs[] = {n->at.name, weight, bias};
    if (!no_bias)
        net_weights(n, name, "bias", 1, &outputs, 0, reach_of(0.01 * n->at.variance), bias);
    net_node(n, op, name, inputs, no_bias ? 2 : 3, attrs, n_attrs);
}

static double variance_of(double fan_in, double fan_out, bool linear)
{
    return linear ? 2 / (fan_in + fan_out) : 2 / fan_in;
}

void net_conv(net *n, const char *name, net_spec spec)
{
    net_window window = net_window_of(n, &spec);
    int groups = spec.depthwise ? (int)n->at.c : spec.groups ? spec.groups : 1;
    if (spec.depthwise) spec.filters = groups * (spec.filters ? spec.filters : 1);
    int64_t dims[] = {spec.filters, n->at.c / groups, window.kernel[0], window.kernel[1]};
    double taps = (double)(window.kernel[0] * window.kernel[1]);
    double fan_in = taps * (double)dims[1], fan_out = taps * spec.filters / groups;
    double variance = variance_of(fan_in, fan_out, spec.linear);
    double seen = net_window_share(&window, 0, n->at.h) * net_window_share(&window, 1, n->at.w);
    char weight[NET_NAME];
    cvk_attr attrs[NET_WINDOW_ATTRS + 1];
    int count = net_window_attrs(&window, attrs);
    if (groups > 1) attrs[count++] = (cvk_attr){.name = "group", .kind = CVK_ATTR_INT, .i = groups};
    net_weights(n, name, "weight", 4, dims, 0, reach_of(variance), weight);
    expect_sum(n, fan_in * seen, variance);
    weighted(n, "Conv", name, weight, spec.filters, spec.no_bias, attrs, count);
}

void net_separable(net *n, const char *name, net_spec spec)
{
    char full[NET_NAME];
    net_spec point = {
        .filters = spec.filters, .kernel = 1, .no_bias = spec.no_bias, .linear = spec.linear};
    spec.depthwise = spec.no_bias = spec.linear = true;
    spec.filters = 1;
    net_text(n, full, "%s.depthwise", name);
    net_conv(n, full, spec);
    net_text(n, full, "%s.pointwise", name);
    net_conv(n, full, point);
}

void net_conv_transpose(net *n, const char *name, net_spec spec)
{
    net_window window = net_window_of_transposed(&spec);
    int64_t dims[] = {n->at.c, spec.filters, window.kernel[0], window.kernel[1]};
    double taps = (double)(dims[2] * dims[3]) / (double)(window.stride[0] * window.stride[1]);
    double fan_in = taps * (double)dims[0], fan_out = taps * spec.filters;
    double variance = variance_of(fan_in, fan_out, spec.linear);
    const int64_t more[] = {spec.output_padding, spec.output_padding};
    char weight[NET_NAME];
    cvk_attr attrs[NET_WINDOW_ATTRS + 1];
    int count = net_window_attrs(&window, attrs);
    if (spec.output_padding)
        attrs[count++] =
            (cvk_attr){.name = "output_padding", .kind = CVK_ATTR_INTS, .ints = more, .count = 2};
    net_weights(n, name, "weight", 4, dims, 0, reach_of(variance), weight);
    expect_sum(n, fan_in, variance);
    weighted(n, "ConvTranspose", name, weight, spec.filters, spec.no_bias, attrs, count);
}

static void dense(net *n, const char *name, int features, bool linear)
{
    char full[NET_NAME];
    net_text(n, full, "%s.flat", name);
    if (n->at.rank > 2) net_flatten(n, full);
    double fan_in = (double)n->at.c, variance = variance_of(fan_in, features, linear);
    const cvk_attr attr = {.name = "transB", .kind = CVK_ATTR_INT, .i = 1};
    net_weights(n, name, "weight", 2, (const int64_t[]){features, n->at.c}, 0, reach_of(variance),
                full);
    expect_sum(n, fan_in, variance);
    weighted(n, "Gemm", name, full, features, false, &attr, 1);
}

void net_dense(net *n, const char *name, int features)
{
    dense(n, name, features, true);
}

void net_dense_he(net *n, const char *name, int features)
{
    dense(n, name, features, false);
}

/* Ones that are computed, so that they are no parameters; one value for each length. */
static void make_ones(net *n, int64_t count, char full[NET_NAME])
{
    cvk_tensor found;
    net_text(n, full, "ones%lld", (long long)count);
    if (n->status || cvk_model_value(n->model, full, &found) == CVK_OK) return;
    float one = 1;
    const cvk_tensor value = {.dtype = CVK_F32, .rank = 1, .dims = {1}, .data = &one};
    const cvk_attr attr = {.name = "value", .kind = CVK_ATTR_TENSOR, .tensor = &value};
    char length[NET_NAME];
    net_text(n, length, "%s.length", full);
    const cvk_tensor shape = {
        .name = length, .dtype = CVK_I64, .rank = 1, .dims = {1}, .data = &count};
    const char *input = length, *output = full;
    n->status = cvk_model_add_constant(n->model, &shape);
    if (!n->status)
        n->status =
            cvk_model_add_node(n->model, "ConstantOfShape", full, &input, 1, &output, 1, &attr, 1);
}

/* What is left of variance 1: divided by a variance that is off by up to a fifth, which is 1.0137
 * times as much on average, after a mean that is off by up to a tenth; times scales in 1 +- 0.2;
 * and shifts in +- 0.2. */
static double normalised_variance(const net *n)
{
    const double scales = n->fixed_scale ? 1 : 1 + 0.2 * 0.2 / 3;
    return net_coarse(1.0137 * (1 + 0.1 * 0.1 / 3) * scales + 0.2 * 0.2 / 3);
}

void net_batch_norm(net *n, const char *name)
{
    char scale[NET_NAME], shift[NET_NAME], mean[NET_NAME], variance[NET_NAME];
    const char *inputs[] = {n->at.name, scale, shift, mean, variance};
    const int64_t channels = n->at.c;
    const double v = n->at.variance;
    const cvk_attr epsilon = {.name = "epsilon", .kind = CVK_ATTR_FLOAT, .f = n->epsilon};
    if (n->fixed_scale)
        make_ones(n, channels, scale);
    else
        net_weights(n, name, "scale", 1, &channels, 1, 0.2, scale);
    net_weights(n, name, "bias", 1, &channels, 0, 0.2, shift);
    net_weights(n, name, "mean", 1, &channels, n->at.mean, 0.1 * sqrt(v), mean);
    net_weights(n, name, "variance", 1, &channels, v, 0.2 * v, variance);
    net_node(n, "BatchNormalization", name, inputs, 5, &epsilon, 1);
    n->at.mean = 0;
    n->at.variance = v > 0 ? normalised_variance(n) : 0;
}
