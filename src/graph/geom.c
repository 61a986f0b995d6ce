/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows: padding, output lengths, and the plain-int geometry for kernels.
 */
#include "graph/geom.h"

#include <limits.h>

int64_t cvk_window_resolve(cvk_window *window, int dim, int64_t in, bool ceil_mode)
{
    int64_t stride = window->stride[dim];
    int64_t reach = (window->kernel[dim] - 1) * window->dilation[dim] + 1;
    if (in < 0) return -1;
    if (window->auto_pad == CVK_PAD_SAME_UPPER || window->auto_pad == CVK_PAD_SAME_LOWER) {
        int64_t out = (in + stride - 1) / stride;
        int64_t total = (out - 1) * stride + reach - in;
        if (total < 0) total = 0;
        int64_t small = total / 2, large = total - small;
        bool upper = window->auto_pad == CVK_PAD_SAME_UPPER;
        window->pad_begin[dim] = upper ? small : large;
        window->pad_end[dim] = upper ? large : small;
    } else if (window->auto_pad == CVK_PAD_VALID) {
        window->pad_begin[dim] = window->pad_end[dim] = 0;
    }
    int64_t room = in + window->pad_begin[dim] + window->pad_end[dim] - reach;
    if (room < 0) return -1;
    int64_t out = (ceil_mode ? room + stride - 1 : room) / stride + 1;
    if (ceil_mode && (out - 1) * stride >= in + window->pad_begin[dim]) out--;
    return out;
}

static bool narrow(int64_t value, int *out)
{
    if (value < INT_MIN / 2 || value > INT_MAX / 2) return false;
    *out = (int)value;
    return true;
}

/* Kernels count in ints: positions in the padded image, also some strides beyond its end, and taps.
 */
static bool axis_fits(const cvk_axis_geom *a)
{
    const int64_t most = INT_MAX / 2, stride = 1 << 20;
    return (int64_t)a->kernel * a->dilation <= most &&
           (int64_t)a->in + a->pad_begin + a->pad_end <= most && a->stride <= stride;
}

/* Spatial dimension d of the window. */
static bool make_axis(const cvk_window *window, int d, const cvk_shape *in, const cvk_shape *out,
                      cvk_axis_geom *a)
{
    return narrow(in->dims[2 + d], &a->in) && narrow(out->dims[2 + d], &a->out) &&
           narrow(window->kernel[d], &a->kernel) && narrow(window->stride[d], &a->stride) &&
           narrow(window->dilation[d], &a->dilation) &&
           narrow(window->pad_begin[d], &a->pad_begin) && narrow(window->pad_end[d], &a->pad_end) &&
           axis_fits(a);
}

bool cvk_geom3_make(const cvk_window *window, int64_t group, const cvk_shape *in,
                    const cvk_shape *out, cvk_geom3 *geom)
{
    int spatial = window->spatial, lead = CVK_MAX_SPATIAL - spatial;
    if (spatial < 1 || lead < 0 || in->rank != spatial + 2 || out->rank != in->rank) return false;
    int64_t in_count = cvk_shape_count(in), out_count = cvk_shape_count(out), taps = 1;
    if (in_count < 0 || out_count < 0 || in_count > INT_MAX / 16 || out_count > INT_MAX / 16)
        return false;
    cvk_geom3 g;
    if (!narrow(in->dims[0], &g.n) || !narrow(in->dims[1], &g.ic) || !narrow(out->dims[1], &g.oc) ||
        !narrow(group, &g.group))
        return false;
    for (int a = 0; a < CVK_MAX_SPATIAL; a++) {
        g.axis[a] = (cvk_axis_geom){.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1};
        if (a < lead) continue;
        if (!make_axis(window, a - lead, in, out, &g.axis[a])) return false;
        taps *= g.axis[a].kernel;
        if (taps > INT_MAX / 2) return false;
    }
    *geom = g;
    return true;
}

bool cvk_geom_make(const cvk_window *window, int64_t group, const cvk_shape *in,
                   const cvk_shape *out, cvk_geom *geom)
{
    cvk_geom3 g;
    if (!cvk_geom3_make(window, group, in, out, &g) || in->rank > 4) return false;
    const cvk_axis_geom *h = &g.axis[1], *w = &g.axis[2];
    *geom = (cvk_geom){.n = g.n,
                       .ic = g.ic,
                       .ih = h->in,
                       .iw = w->in,
                       .oc = g.oc,
                       .oh = h->out,
                       .ow = w->out,
                       .kh = h->kernel,
                       .kw = w->kernel,
                       .sh = h->stride,
                       .sw = w->stride,
                       .dh = h->dilation,
                       .dw = w->dilation,
                       .pt = h->pad_begin,
                       .pl = w->pad_begin,
                       .pb = h->pad_end,
                       .pr = w->pad_end,
                       .group = g.group};
    return true;
}

bool cvk_geom_conv(const cvk_node *node, const cvk_shape *in, const cvk_shape *out, cvk_geom *geom)
{
    const cvk_conv_params *params = node->params;
    bool pooled = node->n_posts && node->posts[node->n_posts - 1].kind == CVK_POST_POOL;
    return cvk_geom_make(&params->window, params->group, in, pooled ? &node->conv_shape : out,
                         geom);
}

bool cvk_geom_post_pool(const cvk_node *node, const cvk_post *post, const cvk_shape *out,
                        cvk_geom *geom)
{
    return cvk_geom_make(&post->pool.window, 1, &node->conv_shape, out, geom);
}
