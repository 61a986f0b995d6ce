/* SPDX-License-Identifier: Apache-2.0
 *
 * MaxUnpool: the elements that a MaxPool took, put back where its indices say they were; 0
 * elsewhere. Inputs X, indices, [output_shape]. The indices count in a tensor whose lengths are
 * (x - 1) stride + kernel - pads, even where output_shape asks for more: then that tensor lies in
 * the output's first corner. Source: ONNX operators, MaxUnpool, and its backend test.
 */
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "ops/common.h"
#include "ops/move.h"
#include "ops/window.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_window *window = &((cvk_unpool_params *)params)->window;
    CVK_TRY(cvk_attrs_window(attrs, window));
    if (window->kernel[0] < 1)
        return cvk_fail(CVK_BAD_MODEL, "attribute 'kernel_shape' is missing");
    return CVK_OK;
}

/* Lengths before the pool; -1 where the input's are not known. */
static cvk_status unpooled(const cvk_window *window, const cvk_shape *in, cvk_shape *shape)
{
    *shape = *in;
    for (int d = 0; d < window->spatial; d++) {
        int64_t length = in->dims[2 + d], pads = window->pad_begin[d] + window->pad_end[d];
        if (length < 0) continue;
        int64_t full =
            length > INT_MAX ? -1 : (length - 1) * window->stride[d] + window->kernel[d] - pads;
        if (full < 1)
            return cvk_fail(CVK_SHAPE,
                            "spatial dimension %d: nothing pools to %" PRId64
                            " with a window of %" PRId64 ", stride %" PRId64
                            " and padding %" PRId64,
                            d, length, window->kernel[d], window->stride[d], pads);
        shape->dims[2 + d] = full;
    }
    return CVK_OK;
}

/* The shape that input 2 asks for. */
static cvk_status wanted_shape(const cvk_view *in, const cvk_shape *least, cvk_shape *shape)
{
    char text[CVK_SHAPE_TEXT], other[CVK_SHAPE_TEXT];
    CVK_TRY(cvk_const_ints(in, "output_shape", CVK_MAX_RANK, shape->dims, &shape->rank));
    bool fits = shape->rank == least->rank;
    for (int d = 0; fits && d < shape->rank; d++) {
        int64_t length = shape->dims[d], needed = least->dims[d];
        fits = d < 2 ? length >= 0 && cvk_dims_agree(length, needed) : length >= needed;
    }
    if (fits) return CVK_OK;
    return cvk_fail(CVK_SHAPE, "output_shape is %s, at least %s is expected",
                    cvk_shape_text(shape, text), cvk_shape_text(least, other));
}

static cvk_status check_indices(const cvk_view *x, const cvk_view *indices)
{
    char text[CVK_SHAPE_TEXT], other[CVK_SHAPE_TEXT];
    if (indices->dtype != CVK_I64)
        return cvk_fail(CVK_BAD_MODEL, "indices have type %s, int64 is expected",
                        cvk_dtype_name(indices->dtype));
    if (!cvk_shaped(x) || !cvk_shaped(indices) || cvk_shape_equal(&x->shape, &indices->shape))
        return CVK_OK;
    return cvk_fail(CVK_SHAPE, "indices have shape %s, that of the input, %s, is expected",
                    cvk_shape_text(&indices->shape, text), cvk_shape_text(&x->shape, other));
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    cvk_unpool_params *p = params;
    cvk_shape shape = in[0].shape;
    CVK_TRY(cvk_check_float(&in[0], "input"));
    CVK_TRY(check_indices(&in[0], &in[1]));
    if (cvk_ranked(&in[0])) {
        CVK_TRY(cvk_window_fit(&p->window, &in[0].shape, "unpooling"));
        CVK_TRY(unpooled(&p->window, &in[0].shape, &p->shape));
        shape = p->shape;
        if (cvk_input_constant(in, n_in, 2))
            CVK_TRY(wanted_shape(&in[2], &p->shape, &shape));
        else if (cvk_input(in, n_in, 2))
            for (int d = 2; d < shape.rank; d++) shape.dims[d] = -1;
    }
    cvk_set_out(&out[0], in[0].dtype, &shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_unpool_params *p = params;
    int64_t strides[CVK_MAX_RANK], count = cvk_view_count(&in[0]);
    int64_t places = cvk_shape_count(&p->shape);
    cvk_shape_strides(&out[0].shape, strides);
    memset(out[0].data, 0, cvk_view_bytes(&out[0]));
    for (int64_t i = 0; i < count; i++) {
        int64_t place = cvk_view_get_int(&in[1], i), at = 0;
        if (place < 0 || place >= places)
            return cvk_fail(CVK_SHAPE,
                            "index %" PRId64 " is outside the %" PRId64 " elements before the pool",
                            place, places);
        for (int d = p->shape.rank - 1; d >= 0; place /= p->shape.dims[d], d--)
            at += place % p->shape.dims[d] * strides[d];
        cvk_view_set(&out[0], at, cvk_view_get(&in[0], i));
    }
    return CVK_OK;
}

const cvk_op cvk_op_MaxUnpool = {
    .name = "MaxUnpool",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_unpool_params),
    .form = {.kind = CVK_FORM_PAIR},
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .settings = UINT32_C(1) << 2,
    .needs_elements = true,
};
