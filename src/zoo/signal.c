/* SPDX-License-Identifier: Apache-2.0
 *
 * Element by element: activations, sums, gates, local response normalisation, and the mean and
 * variance that are expected after them.
 */
#include <math.h>

#include "zoo/window.h"

/* For a normal distribution, summed over 65 points of it. */
void net_expect(net *n, double (*f)(double))
{
    double sum = 0, first = 0, second = 0, deviation = sqrt(n->at.variance);
    for (int i = -32; i <= 32; i++) {
        double z = i / 8.0, weight = exp(-z * z / 2), y = f(n->at.mean + deviation * z);
        sum += weight;
        first += weight * y;
        second += weight * y * y;
    }
    n->at.mean = net_coarse(first / sum);
    n->at.variance = net_coarse(second / sum - n->at.mean * n->at.mean);
}

static double relu(double x)
{
    return x > 0 ? x : 0;
}

static double relu6(double x)
{
    return x > 6 ? 6 : relu(x);
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double swish(double x)
{
    return x * sigmoid(x);
}

/* A node with one input, or with n->at and a second. */
static void elementwise(net *n, const char *op, const char *name, const char *second,
                        const char *third)
{
    const char *inputs[] = {n->at.name, second, third};
    net_node(n, op, name, inputs, third ? 3 : second ? 2 : 1, NULL, 0);
}

static void multiply_by_sigmoid(net *n, const char *name)
{
    char gate[NET_NAME];
    const net_value x = n->at;
    net_text(n, gate, "%s.gate", name);
    elementwise(n, "Sigmoid", gate, NULL, NULL);
    elementwise(n, "Mul", name, x.name, NULL);
}

void net_activate(net *n, const char *name, net_act act)
{
    static const struct {
        const char *op, *least, *most;
        double (*f)(double);
    } acts[] = {
        [NET_RELU] = {"Relu", NULL, NULL, relu},
        [NET_RELU6] = {"Clip", "zero", "six", relu6},
        [NET_SIGMOID] = {"Sigmoid", NULL, NULL, sigmoid},
        [NET_TANH] = {"Tanh", NULL, NULL, tanh},
        [NET_SWISH] = {NULL, NULL, NULL, swish},
    };
    if (act == NET_LINEAR) return;
    if (acts[act].least) {
        net_scalar(n, "zero", 0);
        net_scalar(n, "six", 6);
    }
    if (act == NET_SWISH)
        multiply_by_sigmoid(n, name);
    else
        elementwise(n, acts[act].op, name, acts[act].least, acts[act].most);
    net_expect(n, acts[act].f);
}

void net_relu(net *n, const char *name)
{
    net_activate(n, name, NET_RELU);
}

void net_conv_bn(net *n, const char *name, net_spec spec, net_act act)
{
    char full[NET_NAME];
    spec.linear = act == NET_LINEAR;
    net_conv(n, name, spec);
    net_text(n, full, "%s.bn", name);
    net_batch_norm(n, full);
    net_text(n, full, "%s.act", name);
    net_activate(n, full, act);
}

void net_conv_act(net *n, const char *name, net_spec spec, net_act act)
{
    char full[NET_NAME];
    spec.linear = act == NET_LINEAR;
    net_conv(n, name, spec);
    net_text(n, full, "%s.act", name);
    net_activate(n, full, act);
}

static int deeper(int a, int b)
{
    return a > b ? a : b;
}

void net_add(net *n, const char *name, const net_value *other)
{
    elementwise(n, "Add", name, other->name, NULL);
    n->at.mean += other->mean;
    n->at.variance += other->variance;
    n->at.depth = deeper(n->at.depth, other->depth);
}

void net_sub(net *n, const char *name, const net_value *other)
{
    elementwise(n, "Sub", name, other->name, NULL);
    n->at.mean -= other->mean;
    n->at.variance += other->variance;
    n->at.depth = deeper(n->at.depth, other->depth);
}

void net_mul(net *n, const char *name, const net_value *other)
{
    double power =
        (n->at.mean * n->at.mean + n->at.variance) * (other->mean * other->mean + other->variance);
    elementwise(n, "Mul", name, other->name, NULL);
    n->at.mean = net_coarse(n->at.mean * other->mean);
    n->at.variance = net_coarse(power - n->at.mean * n->at.mean);
    n->at.depth = deeper(n->at.depth, other->depth);
}

void net_scale(net *n, const char *name, double factor)
{
    char full[NET_NAME];
    net_text(n, full, "%g", factor);
    net_scalar(n, full, factor);
    elementwise(n, "Mul", name, full, NULL);
    n->at.mean = net_coarse(n->at.mean * factor);
    n->at.variance = net_coarse(n->at.variance * factor * factor);
}

void net_lrn(net *n, const char *name, int size, double alpha, double beta, double bias)
{
    const char *input = n->at.name;
    const cvk_attr attrs[] = {{.name = "size", .kind = CVK_ATTR_INT, .i = size},
                              {.name = "alpha", .kind = CVK_ATTR_FLOAT, .f = (float)alpha},
                              {.name = "beta", .kind = CVK_ATTR_FLOAT, .f = (float)beta},
                              {.name = "bias", .kind = CVK_ATTR_FLOAT, .f = (float)bias}};
    double power = n->at.mean * n->at.mean + n->at.variance;
    double divisor = pow(bias + alpha * power, beta);
    net_node(n, "LRN", name, &input, 1, attrs, 4);
    n->at.mean = net_coarse(n->at.mean / divisor);
    n->at.variance = net_coarse(n->at.variance / (divisor * divisor));
}
