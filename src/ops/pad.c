/* SPDX-License-Identifier: Apache-2.0
 *
 * Pad: a border of a constant, of mirrored, repeated or (since opset 19) wrapped elements; a negative
 * pad crops. Pads and value are attributes before opset 11 and inputs since; since 18 an input may
 * say which axes the pads are about.
 */
#include <stdlib.h>
#include <string.h>

#include "ops/move.h"

static cvk_status parse_mode(const cvk_attrs *attrs, cvk_pad_mode *mode)
{
    static const char *const names[] = {"constant", "reflect", "edge", "wrap"};
    int known = attrs->opset >= 19 ? 4 : 3;
    const char *text;
    CVK_TRY(cvk_attrs_string(attrs, "mode", "constant", &text));
    for (int i = 0; i < known; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        *mode = (cvk_pad_mode)i;
        return CVK_OK;
    }
    return cvk_fail(CVK_UNSUPPORTED, "mode '%s' of Pad is not supported", text);
}

static cvk_status set_pads(cvk_pad_params *p, const int64_t *pads, int count)
{
    if (count % 2)
        return cvk_fail(CVK_BAD_MODEL, "pads has %d entries, expected two per dimension", count);
    p->n = count / 2;
    for (int d = 0; d < p->n; d++) {
        p->begin[d] = pads[d];
        p->end[d] = pads[p->n + d];
    }
    return CVK_OK;
}

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_pad_params *p = params;
    int64_t pads[2 * CVK_MAX_RANK];
    int count;
    CVK_TRY(parse_mode(attrs, &p->mode));
    if (attrs->opset >= 11) return CVK_OK;
    CVK_TRY(cvk_attrs_float(attrs, "value", 0, &p->value));
    CVK_TRY(cvk_attrs_ints(attrs, "pads", 2 * CVK_MAX_RANK, pads, &count));
    if (count < 0) return cvk_fail(CVK_BAD_MODEL, "attribute pads is missing");
    return set_pads(p, pads, count);
}

/* The length of dimension d after padding. */
static cvk_status padded(const cvk_pad_params *p, int d, int64_t dim, int64_t *length)
{
    int64_t begin = p->begin[d], end = p->end[d];
    if (dim < 0) {
        *length = begin == 0 && end == 0 ? dim : -1;
        return CVK_OK;
    }
    if (__builtin_add_overflow(dim, begin, length) ||
        __builtin_add_overflow(*length, end, length) || *length < 0)
        return cvk_fail(CVK_SHAPE, "dimension %d of %lld cannot be padded by %lld and %lld", d,
                        (long long)dim, (long long)begin, (long long)end);
    if (p->mode == CVK_PAD_REFLECT && (begin >= dim || end >= dim) && (begin > 0 || end > 0))
        return cvk_fail(CVK_SHAPE,
                        "dimension %d of %lld is too short to mirror %lld and %lld elements", d,
                        (long long)dim, (long long)begin, (long long)end);
    if ((p->mode == CVK_PAD_EDGE || p->mode == CVK_PAD_WRAP) && dim == 0 && *length > 0)
        return cvk_fail(CVK_SHAPE, "dimension %d is empty and has nothing to repeat", d);
    return CVK_OK;
}

/* The pads of some axes as those of all dimensions. */
static cvk_status spread(cvk_pad_params *p, const cvk_view *axes, int rank)
{
    int64_t list[CVK_MAX_RANK];
    cvk_pad_params all = {.mode = p->mode, .n = rank, .value = p->value};
    int count;
    CVK_TRY(cvk_const_ints(axes, "axes", CVK_MAX_RANK, list, &count));
    if (count != p->n)
        return cvk_fail(CVK_BAD_MODEL, "pads has %d entries for %d axes", 2 * p->n, count);
    for (int i = 0; i < count; i++) {
        CVK_TRY(cvk_check_axis(&list[i], rank));
        for (int k = 0; k < i; k++)
            if (list[k] == list[i])
                return cvk_fail(CVK_BAD_MODEL, "axis %d comes twice", (int)list[i]);
        all.begin[list[i]] = p->begin[i];
        all.end[list[i]] = p->end[i];
    }
    *p = all;
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    cvk_pad_params *p = params;
    cvk_shape shape = in->shape;
    bool listed = cvk_input(in, n_in, 1) != NULL, constant = cvk_input_constant(in, n_in, 1);
    if (constant) {
        int64_t pads[2 * CVK_MAX_RANK];
        int count;
        CVK_TRY(cvk_const_ints(&in[1], "pads", 2 * CVK_MAX_RANK, pads, &count));
        CVK_TRY(set_pads(p, pads, count));
    }
    if (cvk_input_constant(in, n_in, 2)) {
        if (cvk_view_count(&in[2]) != 1)
            return cvk_fail(CVK_SHAPE, "the value of Pad is no scalar");
        p->value = (float)cvk_view_get(&in[2], 0);
    }
    const cvk_view *axes = cvk_input(in, n_in, 3);
    bool known = (constant || !listed) && (!axes || cvk_input_constant(in, n_in, 3));
    if (known && axes && cvk_ranked(in)) CVK_TRY(spread(p, axes, in->shape.rank));
    if (cvk_ranked(in) && known && p->n != in->shape.rank)
        return cvk_fail(CVK_BAD_MODEL, "pads has %d entries for a tensor of rank %d", 2 * p->n,
                        in->shape.rank);
    for (int d = 0; d < shape.rank; d++) {
        if (known)
            CVK_TRY(padded(p, d, in->shape.dims[d], &shape.dims[d]));
        else
            shape.dims[d] = -1;
    }
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

/* Input index for each output index along dimension d; -1: the constant. */
static int64_t *index_map(const cvk_pad_params *p, int d, int64_t dim, int64_t length)
{
    int64_t *map = malloc((size_t)(length ? length : 1) * sizeof *map);
    if (!map) cvk_fail(CVK_NO_MEMORY, "out of memory: padding dimension %d", d);
    for (int64_t i = 0; map && i < length; i++) {
        int64_t from = i - p->begin[d];
        if (p->mode == CVK_PAD_WRAP) {
            from = (from % dim + dim) % dim;
        } else if (from < 0) {
            from = p->mode == CVK_PAD_CONSTANT ? -1 : p->mode == CVK_PAD_EDGE ? 0 : -from;
        } else if (from >= dim) {
            from = p->mode == CVK_PAD_CONSTANT ? -1
                   : p->mode == CVK_PAD_EDGE   ? dim - 1
                                               : 2 * (dim - 1) - from;
        }
        map[i] = from;
    }
    return map;
}

/* The element that fills, in the input's own type. */
static void fill_element(const cvk_pad_params *p, const cvk_view *in, int n_in,
                         unsigned char element[8])
{
    cvk_view one = {.dtype = in->dtype, .data = element};
    const cvk_view *value = cvk_input(in, n_in, 2);
    if (!value)
        cvk_view_set(&one, 0, (double)p->value);
    else if (cvk_dtype_is_float(in->dtype))
        cvk_view_set(&one, 0, cvk_view_get(value, 0));
    else
        cvk_view_set_int(&one, 0, cvk_view_get_int(value, 0));
}

static void pad(const cvk_view *in, cvk_view *out, int64_t *const *maps, const unsigned char *fill)
{
    size_t size = cvk_dtype_bytes(in->dtype);
    int rank = in->shape.rank;
    int64_t strides[CVK_MAX_RANK], index[CVK_MAX_RANK] = {0};
    char *dst = out->data;
    cvk_shape_strides(&in->shape, strides);
    if (cvk_view_count(out) == 0) return;
    do {
        int64_t from = 0;
        for (int d = 0; d < rank && from >= 0; d++)
            from = maps[d][index[d]] < 0 ? -1 : from + maps[d][index[d]] * strides[d];
        memcpy(dst, from < 0 ? (const char *)fill : (const char *)in->data + (size_t)from * size,
               size);
        dst += size;
    } while (cvk_index_next(&out->shape, index));
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_out;
    const cvk_pad_params *p = params;
    int64_t *maps[CVK_MAX_RANK] = {NULL};
    unsigned char fill[8];
    cvk_status status = CVK_OK;
    for (int d = 0; d < in->shape.rank; d++) {
        maps[d] = index_map(p, d, in->shape.dims[d], out->shape.dims[d]);
        if (!maps[d]) status = CVK_NO_MEMORY;
    }
    fill_element(p, in, n_in, fill);
    if (!status) pad(in, out, maps, fill);
    for (int d = 0; d < in->shape.rank; d++) free(maps[d]);
    return status;
}

const cvk_op cvk_op_Pad = {
    .name = "Pad",
    .min_in = 1,
    .max_in = 4,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_pad_params),
    .form = {.kind = CVK_FORM_DATA},
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .settings = CVK_ALL_BUT_FIRST,
};
