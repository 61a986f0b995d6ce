/* SPDX-License-Identifier: Apache-2.0
 *
 * Constant: a tensor, or numbers, held in an attribute. The elements stay where the attribute has
 * them.
 */
#include <string.h>

#include "ops/move.h"

static cvk_status from_tensor(const cvk_tensor *tensor, cvk_view *value)
{
    if (!tensor || !tensor->data || tensor->rank < 0 || tensor->rank > CVK_MAX_RANK ||
        cvk_dtype_bytes(tensor->dtype) == 0)
        return cvk_fail(CVK_BAD_MODEL, "attribute value holds no tensor");
    *value = (cvk_view){.dtype = tensor->dtype,
                        .shape = cvk_shape_make(tensor->rank, tensor->dims),
                        .data = tensor->data};
    if (cvk_view_count(value) < 0)
        return cvk_fail(CVK_BAD_MODEL, "attribute value has an impossible shape");
    return CVK_OK;
}

/* A list of numbers, or one alone (rank 0). */
static cvk_status from_numbers(const cvk_attrs *attrs, const cvk_attr *attr, cvk_view *value)
{
    bool ints = attr->kind == CVK_ATTR_INT || attr->kind == CVK_ATTR_INTS;
    bool list = attr->kind == CVK_ATTR_INTS || attr->kind == CVK_ATTR_FLOATS;
    const void *data = attr->kind == CVK_ATTR_INT ? (const void *)&attr->i : &attr->f;
    if (list) data = ints ? (const void *)attr->ints : attr->floats;
    size_t bytes = (list ? attr->count : 1) * (ints ? sizeof *attr->ints : sizeof *attr->floats);
    *value = (cvk_view){.dtype = ints ? CVK_I64 : CVK_F32,
                        .shape = {.rank = list, .dims = {list ? (int64_t)attr->count : 0}}};
    value->data = cvk_arena_copy(attrs->arena, data, bytes);
    return value->data ? CVK_OK : CVK_NO_MEMORY;
}

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    static const struct {
        const char *name;
        cvk_attr_kind kind;
    } forms[] = {{"value", CVK_ATTR_TENSOR},
                 {"value_int", CVK_ATTR_INT},
                 {"value_ints", CVK_ATTR_INTS},
                 {"value_float", CVK_ATTR_FLOAT},
                 {"value_floats", CVK_ATTR_FLOATS}};
    static const char *const refused[] = {"value_string", "value_strings", "sparse_value"};
    cvk_view *value = &((cvk_constant_params *)params)->value;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const cvk_attr *attr = cvk_attrs_find(attrs, forms[i].name);
        if (!attr) continue;
        if (attr->kind != forms[i].kind)
            return cvk_fail(CVK_BAD_MODEL, "attribute %s has the wrong kind", forms[i].name);
        return attr->kind == CVK_ATTR_TENSOR ? from_tensor(attr->tensor, value)
                                             : from_numbers(attrs, attr, value);
    }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (cvk_attrs_find(attrs, refused[i]))
            return cvk_fail(CVK_UNSUPPORTED, "attribute %s of Constant is not supported",
                            refused[i]);
    return cvk_fail(CVK_BAD_MODEL, "Constant has no value");
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)in, (void)n_in, (void)n_out;
    const cvk_view *value = &((const cvk_constant_params *)params)->value;
    cvk_set_out(&out[0], value->dtype, &value->shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)in, (void)n_in, (void)n_out;
    cvk_move_all(&((const cvk_constant_params *)params)->value, &out[0]);
    return CVK_OK;
}

const cvk_op cvk_op_Constant = {
    .name = "Constant",
    .min_in = 0,
    .max_in = 0,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_constant_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
};
