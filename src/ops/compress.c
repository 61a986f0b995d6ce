/* SPDX-License-Identifier: Apache-2.0
 *
 * Compress: the slices along an axis, or the elements in order, at which the condition is true. A
 * condition that is shorter leaves out the rest.
 */
#include <string.h>

#include "ops/move.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_along_params *p = params;
    p->flat = !cvk_attrs_find(attrs, "axis");
    return cvk_attrs_int(attrs, "axis", 0, &p->axis);
}

static int64_t count_true(const cvk_view *condition, int64_t length)
{
    int64_t count = 0;
    for (int64_t i = 0; i < length; i++) count += ((const unsigned char *)condition->data)[i] != 0;
    return count;
}

static cvk_status check_condition(const cvk_view *condition)
{
    if (condition->dtype != CVK_BOOL)
        return cvk_fail(CVK_BAD_MODEL, "condition is %s, expected bool",
                        cvk_dtype_name(condition->dtype));
    return cvk_check_vector(condition, -1, "condition");
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    cvk_along_params *p = params;
    cvk_shape shape = cvk_shape_unknown();
    int64_t dim = -1, kept = -1;
    CVK_TRY(check_condition(&in[1]));
    if (cvk_ranked(in) && !p->flat) {
        CVK_TRY(cvk_check_axis(&p->axis, in->shape.rank));
        shape = in->shape;
        dim = shape.dims[p->axis];
    } else if (p->flat) {
        shape = (cvk_shape){.rank = 1};
        dim = cvk_ranked(in) ? cvk_shape_count(&in->shape) : -1;
    }
    if (cvk_input_constant(in, n_in, 1)) {
        int64_t length = cvk_view_count(&in[1]);
        kept = count_true(&in[1], length);
        if (dim >= 0 && length > dim)
            return cvk_fail(CVK_SHAPE, "condition has %lld elements for %lld to choose from",
                            (long long)length, (long long)dim);
    }
    if (shape.rank >= 0) shape.dims[p->flat ? 0 : p->axis] = kept;
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_along_params *p = params;
    int axis = (int)p->axis;
    const cvk_shape *shape = &in->shape;
    int64_t length = cvk_view_count(&in[1]), outer = p->flat ? 1 : cvk_shape_span(shape, 0, axis),
            dim = p->flat ? cvk_view_count(in) : shape->dims[axis];
    size_t bytes = cvk_dtype_bytes(in->dtype) *
                   (size_t)(p->flat ? 1 : cvk_shape_span(shape, axis + 1, shape->rank));
    const unsigned char *condition = in[1].data;
    char *to = out->data;
    for (int64_t o = 0; bytes && o < outer; o++)
        for (int64_t i = 0; i < length && i < dim; i++) {
            if (!condition[i]) continue;
            memcpy(to, (const char *)in->data + (size_t)(o * dim + i) * bytes, bytes);
            to += bytes;
        }
    return CVK_OK;
}

const cvk_op cvk_op_Compress = {
    .name = "Compress",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_along_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .settings = CVK_ALL_BUT_FIRST,
};
