/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows, and pooling.
 */
#include "zoo/window.h"

#include <math.h>
#include <string.h>

/* Keras' SAME: as many outputs as strides fit, the odd row or column at the end. */
static void pad_same(net_window *window, int dim, int64_t size)
{
    int64_t extent = (window->kernel[dim] - 1) * window->dilation[dim] + 1;
    int64_t outputs = (size + window->stride[dim] - 1) / window->stride[dim];
    int64_t total = (outputs - 1) * window->stride[dim] + extent - size;
    if (total < 0) total = 0;
    window->pads[dim] += total / 2;
    window->pads[dim + 2] += total - total / 2;
}

static net_window plain(const net_spec *spec)
{
    int64_t stride = spec->stride ? spec->stride : 1,
            dilation = spec->dilation ? spec->dilation : 1;
    net_window window = {.kernel = {spec->kernel, spec->kernel_w ? spec->kernel_w : spec->kernel},
                         .stride = {stride, stride},
                         .dilation = {dilation, dilation}};
    for (int i = 0; i < 4; i++) window.pads[i] = spec->pad + spec->pads[i];
    return window;
}

net_window net_window_of(const net *n, const net_spec *spec)
{
    net_window window = plain(spec);
    if (spec->same) {
        pad_same(&window, 0, n->at.h);
        pad_same(&window, 1, n->at.w);
    }
    return window;
}

net_window net_window_of_transposed(const net_spec *spec)
{
    net_window window = plain(spec);
    for (int dim = 0; spec->same && dim < 2; dim++) {
        int64_t extent = (window.kernel[dim] - 1) * window.dilation[dim] + 1;
        int64_t total = extent - window.stride[dim];
        window.pads[dim] += total / 2;
        window.pads[dim + 2] += total - total / 2;
    }
    return window;
}

int net_window_attrs(const net_window *window, cvk_attr attrs[NET_WINDOW_ATTRS])
{
    const cvk_attr all[NET_WINDOW_ATTRS] = {
        {.name = "kernel_shape", .kind = CVK_ATTR_INTS, .ints = window->kernel, .count = 2},
        {.name = "strides", .kind = CVK_ATTR_INTS, .ints = window->stride, .count = 2},
        {.name = "pads", .kind = CVK_ATTR_INTS, .ints = window->pads, .count = 4},
        {.name = "dilations", .kind = CVK_ATTR_INTS, .ints = window->dilation, .count = 2}};
    int count = window->dilation[0] > 1 ? 4 : 3; /* older average pools know no dilation */
    memcpy(attrs, all, (size_t)count * sizeof *attrs);
    return count;
}

double net_window_share(const net_window *window, int dim, int64_t size)
{
    int64_t extent = (window->kernel[dim] - 1) * window->dilation[dim] + 1, taps = 0, met = 0;
    int64_t end = size + window->pads[dim + 2] - extent;
    for (int64_t at = -window->pads[dim]; at <= end; at += window->stride[dim])
        for (int64_t k = 0; k < window->kernel[dim]; k++, taps++) {
            int64_t i = at + k * window->dilation[dim];
            met += i >= 0 && i < size;
        }
    return taps ? (double)met / (double)taps : 1;
}

double net_coarse(double value)
{
    int exponent;
    double fraction = frexp(value, &exponent);
    return ldexp(nearbyint(ldexp(fraction, 12)), exponent - 12);
}

static void pool(net *n, const char *op, const char *name, const net_spec *spec, bool count_pad)
{
    net_window window = net_window_of(n, spec);
    const char *input = n->at.name;
    cvk_attr attrs[NET_WINDOW_ATTRS + 2];
    int count = net_window_attrs(&window, attrs);
    if (spec->ceil) attrs[count++] = (cvk_attr){.name = "ceil_mode", .kind = CVK_ATTR_INT, .i = 1};
    if (count_pad)
        attrs[count++] = (cvk_attr){.name = "count_include_pad", .kind = CVK_ATTR_INT, .i = 1};
    net_node(n, op, name, &input, 1, attrs, count);
}

/* Neighbours are alike: a window of them has half the variance of its elements, and its largest is
 * a standard deviation above their mean. */
void net_max_pool(net *n, const char *name, net_spec spec)
{
    pool(n, "MaxPool", name, &spec, false);
    n->at.mean = net_coarse(n->at.mean + 0.8 * sqrt(n->at.variance));
    n->at.variance /= 2;
}

void net_average_pool(net *n, const char *name, net_spec spec)
{
    pool(n, "AveragePool", name, &spec, spec.count_pad);
    n->at.variance /= 2;
}

static void global_pool(net *n, const char *op, const char *name)
{
    const char *input = n->at.name;
    net_node(n, op, name, &input, 1, NULL, 0);
}

void net_global_average_pool(net *n, const char *name)
{
    global_pool(n, "GlobalAveragePool", name);
    n->at.variance /= 4;
}

void net_global_max_pool(net *n, const char *name)
{
    global_pool(n, "GlobalMaxPool", name);
    n->at.mean = net_coarse(n->at.mean + 2 * sqrt(n->at.variance));
    n->at.variance /= 2;
}
