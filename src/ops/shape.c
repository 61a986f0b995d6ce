/* SPDX-License-Identifier: Apache-2.0
 *
 * Shape: the dims [start, end) of the input as int64; start and end are attributes since opset 15.
 */
#include "ops/move.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_shape_params *p = params;
    CVK_TRY(cvk_attrs_int(attrs, "start", 0, &p->start));
    return cvk_attrs_int(attrs, "end", INT64_MAX, &p->end);
}

static int64_t clamp(int64_t at, int rank)
{
    if (at < 0) at += rank;
    return at < 0 ? 0 : at > rank ? rank : at;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_in, (void)n_out;
    cvk_shape_params *p = params;
    cvk_shape shape = {.rank = 1, .dims = {-1}};
    if (cvk_ranked(in)) {
        p->start = clamp(p->start, in->shape.rank);
        p->end = clamp(p->end, in->shape.rank);
        shape.dims[0] = p->end > p->start ? p->end - p->start : 0;
    }
    cvk_set_out(&out[0], CVK_I64, &shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_shape_params *p = params;
    for (int64_t d = p->start; d < p->end; d++)
        ((int64_t *)out->data)[d - p->start] = in->shape.dims[d];
    return CVK_OK;
}

const cvk_op cvk_op_Shape = {
    .name = "Shape",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_shape_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .shape_only = true,
};
