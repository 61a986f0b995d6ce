/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows: the number of spatial dimensions, output lengths, and the geometry of references.
 */
#include "ops/window.h"

#include <inttypes.h>

#include "graph/geom.h"

cvk_status cvk_window_fit(cvk_window *window, const cvk_shape *in, const char *what)
{
    char text[CVK_SHAPE_TEXT];
    int spatial = in->rank - 2;
    if (spatial < 1)
        return cvk_fail(CVK_SHAPE, "input has shape %s, %s wants N x C x spatial dimensions",
                        cvk_shape_text(in, text), what);
    if (spatial > CVK_MAX_SPATIAL)
        return cvk_fail(CVK_UNSUPPORTED, "%d-D %s is not supported, at most %d-D is", spatial, what,
                        CVK_MAX_SPATIAL);
    if (window->spatial && window->spatial != spatial)
        return cvk_fail(CVK_SHAPE, "attributes describe %d spatial dimensions, input has %d",
                        window->spatial, spatial);
    window->spatial = spatial;
    return CVK_OK;
}

cvk_status cvk_window_output(cvk_window *window, const cvk_shape *in, bool ceil_mode,
                             cvk_shape *out)
{
    for (int d = 0; d < window->spatial; d++) {
        int64_t length = in->dims[2 + d];
        out->dims[2 + d] = -1;
        if (length < 0 || window->kernel[d] < 1) continue;
        out->dims[2 + d] = cvk_window_resolve(window, d, length, ceil_mode);
        if (out->dims[2 + d] < 0)
            return cvk_fail(CVK_SHAPE,
                            "spatial dimension %d: a window of %" PRId64 " with dilation %" PRId64
                            " does not fit into %" PRId64 " with padding %" PRId64 " + %" PRId64,
                            d, window->kernel[d], window->dilation[d], length, window->pad_begin[d],
                            window->pad_end[d]);
    }
    return CVK_OK;
}

cvk_sweep cvk_sweep_make(const cvk_window *window, int64_t group, const cvk_shape *in,
                         const cvk_shape *out)
{
    cvk_sweep s = {.n = in->dims[0],
                   .ic = in->dims[1],
                   .oc = out->dims[1],
                   .group = group,
                   .in_count = 1,
                   .out_count = 1,
                   .kernel_count = 1};
    for (int a = CVK_MAX_SPATIAL - 1; a >= 0; a--) {
        int d = a - (CVK_MAX_SPATIAL - window->spatial); /* below 0: an axis that is not there */
        cvk_sweep_axis *axis = &s.axis[a];
        *axis = (cvk_sweep_axis){.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1};
        if (d >= 0)
            *axis = (cvk_sweep_axis){.in = in->dims[2 + d],
                                     .out = out->dims[2 + d],
                                     .kernel = window->kernel[d],
                                     .stride = window->stride[d],
                                     .dilation = window->dilation[d],
                                     .pad_begin = window->pad_begin[d],
                                     .pad_end = window->pad_end[d]};
        axis->in_pitch = s.in_count;
        axis->out_pitch = s.out_count;
        axis->kernel_pitch = s.kernel_count;
        s.in_count *= axis->in;
        s.out_count *= axis->out;
        s.kernel_count *= axis->kernel;
    }
    return s;
}
