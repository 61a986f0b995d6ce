/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows: the number of spatial dimensions, output lengths, and plain-int geometry.
 */
#include "ops/window.h"

#include <inttypes.h>

cvk_status cvk_window_fit(cvk_window *window, const cvk_shape *in, const char *what)
{
    char text[CVK_SHAPE_TEXT];
    int spatial = in->rank - 2;
    if (spatial < 1)
        return cvk_fail(CVK_SHAPE, "input has shape %s, %s wants N x C x spatial dimensions",
                        cvk_shape_text(in, text), what);
    if (spatial > 2) return cvk_fail(CVK_UNSUPPORTED, "%d-D %s is not supported", spatial, what);
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

cvk_status cvk_window_geom(const cvk_window *window, int64_t group, const cvk_shape *in,
                           const cvk_shape *out, cvk_geom *geom)
{
    char text[CVK_SHAPE_TEXT], other[CVK_SHAPE_TEXT];
    if (cvk_geom_make(window, group, in, out, geom)) return CVK_OK;
    return cvk_fail(CVK_UNSUPPORTED, "from %s to %s is too large", cvk_shape_text(in, text),
                    cvk_shape_text(out, other));
}
