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

/* Kernels count in ints: positions in the padded image, also some strides beyond its end, and taps. */
static bool window_fits(const cvk_geom *g)
{
    const int64_t most = INT_MAX / 2, stride = 1 << 20;
    return (int64_t)g->kh * g->kw <= most && (int64_t)g->kh * g->dh <= most &&
           (int64_t)g->kw * g->dw <= most && (int64_t)g->ih + g->pt + g->pb <= most &&
           (int64_t)g->iw + g->pl + g->pr <= most && g->sh <= stride && g->sw <= stride;
}

bool cvk_geom_make(const cvk_window *window, int64_t group, const cvk_shape *in,
                   const cvk_shape *out, cvk_geom *geom)
{
    int rank = in->rank;
    if ((rank != 3 && rank != 4) || out->rank != rank || window->spatial != rank - 2) return false;
    int64_t in_count = cvk_shape_count(in), out_count = cvk_shape_count(out);
    if (in_count < 0 || out_count < 0 || in_count > INT_MAX / 16 || out_count > INT_MAX / 16)
        return false;
    cvk_geom g = {.ih = 1, .oh = 1, .kh = 1, .sh = 1, .dh = 1};
    int w = rank - 3; /* the window's entry for W; H is 0 in 2-D */
    bool ok = narrow(in->dims[0], &g.n) && narrow(in->dims[1], &g.ic) &&
              narrow(out->dims[1], &g.oc) && narrow(group, &g.group) &&
              narrow(in->dims[rank - 1], &g.iw) && narrow(out->dims[rank - 1], &g.ow) &&
              narrow(window->kernel[w], &g.kw) && narrow(window->stride[w], &g.sw) &&
              narrow(window->dilation[w], &g.dw) && narrow(window->pad_begin[w], &g.pl) &&
              narrow(window->pad_end[w], &g.pr);
    if (ok && rank == 4)
        ok = narrow(in->dims[2], &g.ih) && narrow(out->dims[2], &g.oh) &&
             narrow(window->kernel[0], &g.kh) && narrow(window->stride[0], &g.sh) &&
             narrow(window->dilation[0], &g.dh) && narrow(window->pad_begin[0], &g.pt) &&
             narrow(window->pad_end[0], &g.pb);
    if (!ok || !window_fits(&g)) return false;
    *geom = g;
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
