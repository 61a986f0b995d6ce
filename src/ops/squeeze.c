/* SPDX-License-Identifier: Apache-2.0
 *
 * Squeeze: drops the dims of 1 that `axes` lists, an attribute before opset 13 and an input since;
 * without it, all of them.
 */
#include "ops/move.h"

/* Without axes: all dims of 1, once every dim is known. False: not known yet. */
static bool list_ones(const cvk_shape *in, cvk_axes_params *p)
{
    if (!cvk_shape_known(in)) return false;
    for (int i = 0; i < in->rank; i++)
        if (in->dims[i] == 1) p->axes[p->n_axes++] = i;
    return true;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    cvk_axes_params *p = params;
    const cvk_view *list = cvk_input(in, n_in, 1);
    cvk_shape shape = cvk_shape_unknown();
    bool known;
    CVK_TRY(cvk_input_axes(in, n_in, 1, p, &known));
    bool all = !list && p->n_axes == 0;
    if (cvk_ranked(in) && !known && cvk_input_length(list) >= 0) {
        if (cvk_input_length(list) > in->shape.rank)
            return cvk_fail(CVK_SHAPE, "more axes than the input's rank %d", in->shape.rank);
        CVK_TRY(cvk_shape_of_rank(in->shape.rank - cvk_input_length(list), &shape));
    } else if (cvk_ranked(in) && known && (!all || list_ones(&in->shape, p))) {
        CVK_TRY(cvk_axes_normalise(p->n_axes, p->axes, in->shape.rank));
        shape.rank = 0;
        for (int i = 0, at = 0; i < in->shape.rank; i++) {
            int64_t dim = in->shape.dims[i];
            if (at >= p->n_axes || p->axes[at] != i) {
                shape.dims[shape.rank++] = dim;
                continue;
            }
            at++;
            if (dim >= 0 && dim != 1)
                return cvk_fail(CVK_SHAPE, "axis %d is %lld and cannot be dropped, only 1 can", i,
                                (long long)dim);
        }
    }
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

const cvk_op cvk_op_Squeeze = {
    .name = "Squeeze",
    .min_in = 1,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_axes_params),
    .parse = cvk_parse_axes,
    .infer = infer,
    .reference = cvk_reference_alias,
    .alias = true,
    .settings = CVK_ALL_BUT_FIRST,
};
