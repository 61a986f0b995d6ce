/* SPDX-License-Identifier: Apache-2.0
 *
 * Where: the element of the second input where the first holds, else that of the third, all
 * broadcast, of any type.
 */
#include <string.h>

#include "ops/common.h"

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)params, (void)n_out;
    cvk_shape shape;
    if (in[0].dtype != CVK_BOOL)
        return cvk_fail(CVK_UNSUPPORTED, "condition has type %s, bool is expected",
                        cvk_dtype_name(in[0].dtype));
    if (in[1].dtype != in[2].dtype)
        return cvk_fail(CVK_BAD_MODEL, "X has type %s, Y has type %s, one type is expected",
                        cvk_dtype_name(in[1].dtype), cvk_dtype_name(in[2].dtype));
    CVK_TRY(cvk_broadcast_all(in, n_in, &shape));
    cvk_set_out(&out[0], in[1].dtype, &shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)params, (void)n_out;
    size_t size = cvk_dtype_bytes(in[1].dtype);
    int64_t strides[3][CVK_MAX_RANK], index[CVK_MAX_RANK] = {0}, at = 0;
    int rank = out[0].shape.rank;
    if (cvk_view_count(&out[0]) <= 0) return CVK_OK;
    for (int i = 0; i < n_in; i++)
        cvk_shape_broadcast_strides(&in[i].shape, &out[0].shape, strides[i]);
    do {
        bool holds = cvk_view_get_int(&in[0], cvk_index_dot(index, strides[0], rank)) != 0;
        int taken = holds ? 1 : 2;
        const char *from = in[taken].data;
        from += (size_t)cvk_index_dot(index, strides[taken], rank) * size;
        memcpy((char *)out[0].data + (size_t)at++ * size, from, size);
    } while (cvk_index_next(&out[0].shape, index));
    return CVK_OK;
}

const cvk_op cvk_op_Where = {
    .name = "Where",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .infer = infer,
    .reference = reference,
};
