/* SPDX-License-Identifier: Apache-2.0
 *
 * GatherND: for each tuple in the last dimension of indices, the slice of the data at it. The first
 * batch_dims dims are common to both, and tuples count from behind them.
 */
#include <string.h>

#include "ops/move.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    return cvk_attrs_int(attrs, "batch_dims", 0, &((cvk_gather_nd_params *)params)->batch_dims);
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_in, (void)n_out;
    int64_t batch = ((const cvk_gather_nd_params *)params)->batch_dims, tuple;
    const cvk_shape *data = &in[0].shape, *indices = &in[1].shape;
    cvk_shape shape = cvk_shape_unknown();
    CVK_TRY(cvk_check_tuples(&in[0], &in[1], batch, &tuple));
    if (tuple >= 0) {
        int lead = indices->rank - 1, skip = (int)(batch + tuple);
        CVK_TRY(cvk_shape_of_rank(lead + data->rank - skip, &shape));
        for (int d = 0; d < shape.rank; d++)
            shape.dims[d] = d < lead ? indices->dims[d] : data->dims[d - lead + skip];
    }
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_shape *data = &in[0].shape, *indices = &in[1].shape;
    int batch = (int)((const cvk_gather_nd_params *)params)->batch_dims, last = indices->rank - 1,
        tuple = (int)indices->dims[last];
    int64_t count = cvk_shape_span(indices, 0, last),
            each = cvk_shape_span(indices, batch, last), /* tuples of one batch */
        places = cvk_shape_span(data, batch, batch + tuple);
    size_t bytes =
        (size_t)cvk_shape_span(data, batch + tuple, data->rank) * cvk_dtype_bytes(in[0].dtype);
    for (int64_t i = 0; i < count; i++) {
        int64_t at;
        CVK_TRY(cvk_tuple_place(&in[1], i, tuple, data->dims + batch, &at));
        at += i / each * places;
        if (bytes)
            memcpy((char *)out->data + (size_t)i * bytes,
                   (const char *)in->data + (size_t)at * bytes, bytes);
    }
    return CVK_OK;
}

const cvk_op cvk_op_GatherND = {
    .name = "GatherND",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_gather_nd_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
};
