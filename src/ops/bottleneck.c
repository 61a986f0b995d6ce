/* SPDX-License-Identifier: Apache-2.0
 *
 * Bottleneck: up to three convolutions in a row, 1x1, depthwise and 1x1, as schedule/bottleneck.c
 * joins them (graph/params.h).
 */
#include <stdlib.h>

#include "ops/common.h"
#include "ops/tell.h"

/* Conv's parameters for the 1x1 convolutions. */
static cvk_conv_params pointwise(const cvk_bottleneck_params *params)
{
    cvk_conv_params conv = {.group = 1, .window.spatial = params->depthwise.window.spatial};
    for (int d = 0; d < CVK_MAX_SPATIAL; d++) conv.window.stride[d] = conv.window.dilation[d] = 1;
    for (int d = 0; d < conv.window.spatial; d++) conv.window.kernel[d] = 1;
    return conv;
}

/* One of the three convolutions of x; w: its weights, its bias follows. */
static cvk_status infer_stage(cvk_conv_params *conv, const cvk_view *x, const cvk_view *in,
                              int n_in, int w, cvk_view *out)
{
    const cvk_view *bias = cvk_input(in, n_in, w + 1);
    const cvk_view all[3] = {*x, in[w], bias ? *bias : (cvk_view){0}};
    return cvk_op_Conv.infer(conv, all, bias ? 3 : 2, out, 1);
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    cvk_bottleneck_params *p = params;
    cvk_conv_params conv = pointwise(p);
    cvk_view x = in[CVK_BOTTLENECK_X], y = {.shape = cvk_shape_unknown()};
    if (cvk_input(in, n_in, CVK_BOTTLENECK_EW)) {
        CVK_TRY(infer_stage(&conv, &x, in, n_in, CVK_BOTTLENECK_EW, &y));
        x = y;
    }
    CVK_TRY(infer_stage(&p->depthwise, &x, in, n_in, CVK_BOTTLENECK_DW, &y));
    x = y;
    if (cvk_input(in, n_in, CVK_BOTTLENECK_PW))
        CVK_TRY(infer_stage(&conv, &x, in, n_in, CVK_BOTTLENECK_PW, &y));
    cvk_set_out(&out[0], y.dtype, &y.shape);
    return CVK_OK;
}

/* In place. */
static cvk_status activate(const cvk_act *act, const cvk_view *slope, cvk_view *x)
{
    if (!slope) return cvk_reference_act(act, x, x);
    const int64_t count = cvk_view_count(x), slopes = cvk_view_count(slope);
    const int64_t span = cvk_shape_span(&x->shape, 2, x->shape.rank), channels = x->shape.dims[1];
    for (int64_t i = 0; i < count; i++) {
        double a = cvk_view_get(slope, slopes == 1 ? 0 : i / span % channels);
        cvk_view_set(x, i, cvk_binary_apply(CVK_BINARY_PRELU, cvk_view_get(x, i), a));
    }
    return CVK_OK;
}

/* x, whose memory it frees, becomes the stage's result. */
static cvk_status run_stage(const cvk_conv_params *conv, const cvk_view *in, int n_in, int w,
                            const cvk_shape *shape, cvk_view *x)
{
    const cvk_view *bias = cvk_input(in, n_in, w + 1);
    const cvk_view all[3] = {*x, in[w], bias ? *bias : (cvk_view){0}};
    cvk_view y;
    CVK_TRY(cvk_view_temp(shape, &y));
    cvk_status status = cvk_op_Conv.reference(conv, all, bias ? 3 : 2, &y, 1);
    if (x->data != in[CVK_BOTTLENECK_X].data) free(x->data);
    *x = y;
    return status;
}

static cvk_status run_stages(const cvk_bottleneck_params *p, const cvk_view *in, int n_in,
                             const cvk_shape *out, cvk_view *x)
{
    const cvk_conv_params conv = pointwise(p);
    const int64_t middle = in[CVK_BOTTLENECK_DW].shape.dims[0];
    if (cvk_input(in, n_in, CVK_BOTTLENECK_EW)) {
        cvk_shape shape = x->shape;
        shape.dims[1] = middle;
        CVK_TRY(run_stage(&conv, in, n_in, CVK_BOTTLENECK_EW, &shape, x));
        CVK_TRY(activate(&p->expand_act, cvk_input(in, n_in, CVK_BOTTLENECK_ES), x));
    }
    cvk_shape shape = *out;
    shape.dims[1] = middle;
    CVK_TRY(run_stage(&p->depthwise, in, n_in, CVK_BOTTLENECK_DW, &shape, x));
    if (!cvk_input(in, n_in, CVK_BOTTLENECK_PW)) return CVK_OK;
    CVK_TRY(activate(&p->depthwise_act, cvk_input(in, n_in, CVK_BOTTLENECK_DS), x));
    return run_stage(&conv, in, n_in, CVK_BOTTLENECK_PW, out, x);
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_out;
    cvk_view x = in[CVK_BOTTLENECK_X];
    cvk_status status = run_stages(params, in, n_in, &out[0].shape, &x);
    if (!status) cvk_view_convert(&x, &out[0]);
    if (x.data != in[CVK_BOTTLENECK_X].data) free(x.data);
    return status;
}

static uint64_t macs(const void *params, const cvk_view *in, int n_in, const cvk_view *out)
{
    (void)params;
    const cvk_shape *dw = &in[CVK_BOTTLENECK_DW].shape;
    uint64_t pixels = (uint64_t)(cvk_view_count(out) / out->shape.dims[1]);
    uint64_t sum = pixels * (uint64_t)cvk_shape_count(dw);
    if (cvk_input(in, n_in, CVK_BOTTLENECK_EW))
        sum += (uint64_t)cvk_view_count(&in[CVK_BOTTLENECK_X]) * (uint64_t)dw->dims[0];
    if (cvk_input(in, n_in, CVK_BOTTLENECK_PW))
        sum += pixels * (uint64_t)cvk_view_count(&in[CVK_BOTTLENECK_PW]);
    return sum;
}

static void tell(const void *params, char *text, size_t size)
{
    const cvk_bottleneck_params *p = params;
    cvk_tell_conv(&p->depthwise, text, size);
    if (p->expand_act.kind != CVK_ACT_NONE) {
        cvk_tell(text, size, " expand");
        cvk_tell_act(&p->expand_act, text, size);
    }
    if (p->depthwise_act.kind != CVK_ACT_NONE) {
        cvk_tell(text, size, " depthwise");
        cvk_tell_act(&p->depthwise_act, text, size);
    }
}

const cvk_op cvk_op_Bottleneck = {
    .name = "Bottleneck",
    .min_in = 2,
    .max_in = CVK_BOTTLENECK_INPUTS,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_bottleneck_params),
    .infer = infer,
    .reference = reference,
    .macs = macs,
    .tell = tell,
    .needs_elements = true,
    .internal = true,
};
