/* SPDX-License-Identifier: Apache-2.0
 *
 * NASNet-A (Zoph et al. 2017), Mobile 4 @ 1056 and Large 6 @ 4032, as Keras Applications has it: cells that
 * read the outputs of the two cells before; no biases but the last.
 */
#include "zoo/net.h"

/* What the last two cells gave; `older` counts only if has_older. */
typedef struct cells {
    net_value older, newer;
    bool has_older;
} cells;

/* ReLU, separable convolution (strided), batch normalisation, and all that again, unstrided. */
static net_value separable(net *n, const char *name, const net_value *from, int filters, int kernel,
                           int stride)
{
    net_spec spec = {
        .filters = filters, .kernel = kernel, .stride = stride, .same = true, .no_bias = true};
    net_enter(n, "%s", name);
    n->at = *from;
    net_relu(n, "relu1");
    net_separable(n, "conv1", spec);
    net_batch_norm(n, "bn1");
    net_relu(n, "relu2");
    spec.stride = 1;
    net_separable(n, "conv2", spec);
    net_batch_norm(n, "bn2");
    net_leave(n);
    return n->at;
}

static net_value sum(net *n, const char *name, const net_value *a, const net_value *b)
{
    n->at = *a;
    net_add(n, name, b);
    return n->at;
}

/* 3x3, keeps the size. */
static net_value averaged(net *n, const char *name, const net_value *from)
{
    n->at = *from;
    net_average_pool(n, name, (net_spec){.kernel = 3, .stride = 1, .same = true});
    return n->at;
}

/* 3x3, stride 2, of a value that has its zeros around it already: they count. */
static net_value halved(net *n, const char *name, const net_value *padded, bool max)
{
    const net_spec spec = {.kernel = 3, .stride = 2};
    n->at = *padded;
    if (max)
        net_max_pool(n, name, spec);
    else
        net_average_pool(n, name, spec);
    return n->at;
}

/* 1x1 of what n->at holds every second row and column of. */
static net_value thinned(net *n, const char *name, int filters)
{
    net_enter(n, "%s", name);
    net_average_pool(n, "pool", (net_spec){.kernel = 1, .stride = 2});
    net_conv(n, "conv",
             (net_spec){.filters = filters, .kernel = 1, .no_bias = true, .linear = true});
    net_leave(n);
    return n->at;
}

/* The older value at half its size: two grids of its elements, one step apart. */
static void adjust_size(net *n, int filters)
{
    net_relu(n, "relu");
    const net_value active = n->at;
    net_value half[2];
    half[0] = thinned(n, "even", filters / 2);
    n->at = active;
    net_pad(n, "shift.pad", (const int[]){0, 0, 1, 1});
    net_crop(n, "shift", 1, 1, active.h, active.w);
    half[1] = thinned(n, "odd", filters / 2);
    net_concat(n, "both", half, 2);
    net_batch_norm(n, "bn");
}

/* ReLU, 1x1, batch normalisation. */
static void project(net *n, int filters)
{
    net_relu(n, "relu");
    net_conv_bn(n, "conv", (net_spec){.filters = filters, .kernel = 1, .no_bias = true},
                NET_LINEAR);
}

/* The older value with the size of the newer one and `filters` channels; the newer one where there
 * is no older one. */
static net_value adjusted(net *n, const cells *c, int filters)
{
    if (!c->has_older) return c->newer;
    n->at = c->older;
    net_enter(n, "adjust");
    if (c->older.h != c->newer.h || c->older.w != c->newer.w)
        adjust_size(n, filters);
    else if (c->older.c != filters)
        project(n, filters);
    net_leave(n);
    return n->at;
}

static net_value squeezed(net *n, const net_value *from, int filters)
{
    n->at = *from;
    net_enter(n, "squeeze");
    project(n, filters);
    net_leave(n);
    return n->at;
}

static void normal_cell(net *n, const cells *c, int filters)
{
    const net_value p = adjusted(n, c, filters), h = squeezed(n, &c->newer, filters);
    net_value left, right, out[6] = {p};
    left = separable(n, "left1", &h, filters, 5, 1);
    right = separable(n, "right1", &p, filters, 3, 1);
    out[1] = sum(n, "sum1", &left, &right);
    left = separable(n, "left2", &p, filters, 5, 1);
    right = separable(n, "right2", &p, filters, 3, 1);
    out[2] = sum(n, "sum2", &left, &right);
    left = averaged(n, "left3", &h);
    out[3] = sum(n, "sum3", &left, &p);
    left = averaged(n, "left4", &p);
    right = averaged(n, "right4", &p);
    out[4] = sum(n, "sum4", &left, &right);
    left = separable(n, "left5", &h, filters, 3, 1);
    out[5] = sum(n, "sum5", &left, &h);
    net_concat(n, "out", out, 6);
}

/* h with the zeros around it that SAME padding of a 3x3 window and stride 2 asks for. */
static net_value padded(net *n, const net_value *h)
{
    n->at = *h;
    net_pad(n, "pad", (const int[]){(int)(h->h % 2), (int)(h->w % 2), 1, 1});
    return n->at;
}

static void reduction_cell(net *n, const cells *c, int filters)
{
    const net_value p = adjusted(n, c, filters), h = squeezed(n, &c->newer, filters);
    const net_value wide = padded(n, &h);
    net_value left, right, first, out[4];
    left = separable(n, "left1", &h, filters, 5, 2);
    right = separable(n, "right1", &p, filters, 7, 2);
    first = sum(n, "sum1", &left, &right);
    left = halved(n, "left2", &wide, true);
    right = separable(n, "right2", &p, filters, 7, 2);
    out[0] = sum(n, "sum2", &left, &right);
    left = halved(n, "left3", &wide, false);
    right = separable(n, "right3", &p, filters, 5, 2);
    out[1] = sum(n, "sum3", &left, &right);
    left = averaged(n, "left4", &first);
    out[2] = sum(n, "sum4", &left, &out[0]);
    left = separable(n, "left5", &first, filters, 3, 1);
    right = halved(n, "right5", &wide, true);
    out[3] = sum(n, "sum5", &left, &right);
    net_concat(n, "out", out, 4);
}

/* Adds a cell; its output is the newer value from now on, and what was that the older one, unless
 * the older one is kept. */
static void cell(net *n, cells *c, void (*kind)(net *, const cells *, int), int filters,
                 bool keep_older)
{
    kind(n, c, filters);
    if (!keep_older) c->older = c->newer;
    c->has_older = true;
    c->newer = n->at;
}

static void reduction(net *n, cells *c, const char *name, int filters, bool keep_older)
{
    net_enter(n, "%s", name);
    cell(n, c, reduction_cell, filters, keep_older);
    net_leave(n);
}

/* `skip`: the cell after a reduction reads what the reduction's older value was. */
static void nasnet(net *n, int stem_filters, int filters, int blocks, bool skip)
{
    static const char *const reductions[] = {"", "reduce1", "reduce2"};
    cells c = {0};
    n->epsilon = 1e-3f;
    net_conv_bn(n, "stem",
                (net_spec){.filters = stem_filters, .kernel = 3, .stride = 2, .no_bias = true},
                NET_LINEAR);
    c.newer = n->at;
    reduction(n, &c, "stem1", filters / 4, false);
    reduction(n, &c, "stem2", filters / 2, false);
    for (int stage = 0; stage < 3; stage++) {
        const int wide = filters << stage;
        if (stage > 0) reduction(n, &c, reductions[stage], wide, skip);
        for (int i = 0; i < blocks; i++) {
            net_enter(n, "cell%d_%d", stage + 1, i + 1);
            cell(n, &c, normal_cell, wide, false);
            net_leave(n);
        }
    }
    net_relu(n, "relu");
    net_global_average_pool(n, "pool");
    net_dense(n, "predictions", n->classes);
    net_softmax(n, "softmax");
}

void cvk_zoo_nasnet_mobile(net *n)
{
    nasnet(n, 32, 44, 4, false);
}

void cvk_zoo_nasnet_large(net *n)
{
    nasnet(n, 96, 168, 6, true);
}
