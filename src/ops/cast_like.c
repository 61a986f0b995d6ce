/* SPDX-License-Identifier: Apache-2.0
 *
 * CastLike: Cast of the first input to the type of the second.
 */
#include "ops/common.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    (void)params;
    if (attrs->opset >= 19) cvk_attrs_ignore(attrs, "saturate"); /* of casts to float8 */
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    ((cvk_cast_params *)params)->to = in[1].dtype;
    return cvk_op_Cast.infer(params, in, n_in, out, n_out);
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    return cvk_op_Cast.reference(params, in, n_in, out, n_out);
}

const cvk_op cvk_op_CastLike = {
    .name = "CastLike",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_cast_params),
    .form = {.kind = CVK_FORM_CAST},
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .type_only = true,
};
