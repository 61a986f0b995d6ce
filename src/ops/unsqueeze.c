/* SPDX-License-Identifier: Apache-2.0
 *
 * Unsqueeze: dims of 1 at the places that `axes` lists, counted in the output; an attribute before
 * opset 13 and an input since.
 */
#include "ops/move.h"

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    cvk_axes_params *p = params;
    bool known;
    CVK_TRY(cvk_input_axes(in, n_in, 1, p, &known));
    if (known && n_in < 2 && p->n_axes == 0) return cvk_fail(CVK_BAD_MODEL, "axes is missing");
    int64_t added = known ? p->n_axes : cvk_input_length(&in[1]);
    bool ranked = cvk_ranked(in) && added >= 0;
    cvk_shape shape;
    CVK_TRY(cvk_shape_of_rank(ranked ? in->shape.rank + added : -1, &shape));
    if (ranked && known) {
        CVK_TRY(cvk_axes_normalise(p->n_axes, p->axes, shape.rank));
        for (int i = 0, at = 0, from = 0; i < shape.rank; i++) {
            bool new = at < p->n_axes && p->axes[at] == i;
            shape.dims[i] = new ? 1 : in->shape.dims[from];
            at += new;
            from += !new;
        }
    }
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

const cvk_op cvk_op_Unsqueeze = {
    .name = "Unsqueeze",
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
