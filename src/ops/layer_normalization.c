/* SPDX-License-Identifier: Apache-2.0
 *
 * LayerNormalization: all dimensions from `axis` on to mean 0 and variance 1, then scale and B,
 * which broadcast to X. Outputs Y, [mean], [1 / standard deviation].
 */
#include <stdlib.h>

#include "ops/normalise.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_row_normalization_params *p = params;
    int64_t stash;
    CVK_TRY(cvk_attrs_int(attrs, "axis", -1, &p->axis));
    CVK_TRY(cvk_attrs_float(attrs, "epsilon", 1e-5f, &p->epsilon));
    return cvk_attrs_int(attrs, "stash_type", 1, &stash); /* computed in double or float anyhow */
}

static cvk_status check_broadcast(const cvk_view *view, const cvk_shape *to, const char *what)
{
    char text[CVK_SHAPE_TEXT], other[CVK_SHAPE_TEXT];
    cvk_shape both;
    if (!view || !cvk_shaped(view) || !cvk_shape_known(to)) return CVK_OK;
    if (cvk_shape_broadcast(&view->shape, to, &both) && cvk_shape_equal(&both, to)) return CVK_OK;
    return cvk_fail(CVK_SHAPE, "%s has shape %s, which does not broadcast to %s", what,
                    cvk_shape_text(&view->shape, text), cvk_shape_text(to, other));
}

/* Elements per entry of scale or B: a row if there is one entry, 1 if there are the same in every
 * row, else 0. */
static int64_t inner_of(const cvk_view *view, const cvk_shape *x, int axis, int64_t length)
{
    int64_t count = cvk_view_count(view);
    int rank = view->shape.rank, along = x->rank - axis;
    if (count == 1) return length;
    if (count != length || rank < along) return 0;
    for (int d = 1; d <= along; d++)
        if (view->shape.dims[rank - d] != x->dims[x->rank - d]) return 0;
    return 1;
}

static void fill(cvk_row_normalization_params *p, const cvk_view *in, int n_in)
{
    const cvk_shape *shape = &in[0].shape;
    const cvk_view *shift = cvk_input(in, n_in, 2);
    p->rows = cvk_shape_span(shape, 0, (int)p->axis);
    p->length = cvk_shape_span(shape, (int)p->axis, shape->rank);
    p->groups = 1;
    int axis = (int)p->axis;
    p->inner = cvk_shaped(&in[1]) ? inner_of(&in[1], shape, axis, p->length) : 0;
    if (shift && (!cvk_shaped(shift) || inner_of(shift, shape, axis, p->length) != p->inner))
        p->inner = 0;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    cvk_row_normalization_params *p = params;
    cvk_shape shape = in[0].shape;
    CVK_TRY(cvk_row_norm_infer(in, n_in, out));
    if (shape.rank >= 0) {
        CVK_TRY(cvk_check_axis(&p->axis, shape.rank));
        CVK_TRY(check_broadcast(cvk_input(in, n_in, 1), &shape, "scale"));
        CVK_TRY(check_broadcast(cvk_input(in, n_in, 2), &shape, "B"));
        if (cvk_shape_known(&shape)) fill(p, in, n_in);
        for (int d = (int)p->axis; d < shape.rank; d++) shape.dims[d] = 1;
    }
    for (int i = 1; i < n_out; i++) cvk_set_out(&out[i], CVK_F32, &shape);
    return CVK_OK;
}

/* Entry of scale or B for each element in turn, by broadcasting. */
static double entry(const cvk_view *view, const cvk_shape *shape, const int64_t *index)
{
    int64_t strides[CVK_MAX_RANK];
    cvk_shape_broadcast_strides(&view->shape, shape, strides);
    return cvk_view_get(view, cvk_index_dot(index, strides, shape->rank));
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    cvk_row_normalization_params plain = *(const cvk_row_normalization_params *)params;
    const cvk_view *shift = cvk_input(in, n_in, 2);
    const cvk_shape *shape = &in[0].shape;
    if (plain.inner || !cvk_view_count(&in[0]))
        return cvk_row_norm_reference(&plain, in, n_in, out, n_out);
    plain.inner = 1;
    cvk_view temp, outs[3] = {{0}};
    CVK_TRY(cvk_view_temp(shape, &temp));
    for (int i = 0; i < n_out; i++) outs[i] = out[i];
    outs[0] = temp;
    cvk_status status = cvk_row_norm_reference(&plain, in, 1, outs, n_out);
    int64_t index[CVK_MAX_RANK] = {0}, i = 0;
    do {
        double y = cvk_view_get(&temp, i) * entry(&in[1], shape, index);
        cvk_view_set(&out[0], i++, shift ? y + entry(shift, shape, index) : y);
    } while (cvk_index_next(shape, index));
    free(temp.data);
    return status;
}

const cvk_op cvk_op_LayerNormalization = {
    .name = "LayerNormalization",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 3,
    .params_bytes = sizeof(cvk_row_normalization_params),
    .form = {.kind = CVK_FORM_ROW_NORM},
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .needs_elements = true,
};
