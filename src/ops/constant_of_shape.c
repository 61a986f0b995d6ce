/* SPDX-License-Identifier: Apache-2.0
 *
 * ConstantOfShape: a tensor of the shape that the input lists, all elements the one of the
 * attribute `value` (float 0 without it).
 */
#include <string.h>

#include "ops/move.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_view *value = &((cvk_constant_params *)params)->value;
    const cvk_attr *attr = cvk_attrs_find(attrs, "value");
    *value = (cvk_view){.dtype = CVK_F32};
    if (!attr) {
        value->data = cvk_arena_alloc(attrs->arena, sizeof(float));
        return value->data ? CVK_OK : CVK_NO_MEMORY;
    }
    const cvk_tensor *tensor = attr->kind == CVK_ATTR_TENSOR ? attr->tensor : NULL;
    if (!tensor || !tensor->data || cvk_dtype_bytes(tensor->dtype) == 0 ||
        cvk_tensor_count(tensor) != 1)
        return cvk_fail(CVK_BAD_MODEL, "attribute value is no tensor of one element");
    value->dtype = tensor->dtype;
    value->data = tensor->data;
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    cvk_shape shape = {0};
    if (cvk_input_constant(in, n_in, 0))
        CVK_TRY(cvk_const_shape(in, &shape));
    else
        CVK_TRY(cvk_shape_of_rank(cvk_input_length(in), &shape));
    cvk_set_out(&out[0], ((const cvk_constant_params *)params)->value.dtype, &shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)in, (void)n_in, (void)n_out;
    size_t size = cvk_dtype_bytes(out->dtype);
    int64_t count = cvk_view_count(out);
    const void *element = ((const cvk_constant_params *)params)->value.data;
    for (int64_t i = 0; i < count; i++) memcpy((char *)out->data + (size_t)i * size, element, size);
    return CVK_OK;
}

const cvk_op cvk_op_ConstantOfShape = {
    .name = "ConstantOfShape",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_constant_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
};
