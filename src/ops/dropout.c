/* SPDX-License-Identifier: Apache-2.0
 *
 * Dropout as inference has it: y = x, and a mask that keeps everything, of bool since operator set
 * 10, before of the type of x. Inputs X, [ratio], [training_mode] (both since operator set 12).
 * Training mode is refused by name.
 */
#include "ops/move.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    ((cvk_dropout_params *)params)->typed_mask = attrs->opset < 10;
    if (attrs->opset < 12)
        cvk_attrs_ignore(attrs, "ratio");
    else
        cvk_attrs_ignore(attrs, "seed");
    return CVK_OK;
}

static cvk_status refuse_training(const cvk_view *in, int n_in)
{
    const cvk_view *training = cvk_input(in, n_in, 2);
    if (training && training->data && cvk_view_count(training) > 0 &&
        cvk_view_get(training, 0) != 0)
        return cvk_fail(CVK_UNSUPPORTED,
                        "training_mode is true: Dropout is done for inference only");
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    bool typed_mask = ((const cvk_dropout_params *)params)->typed_mask;
    CVK_TRY(refuse_training(in, n_in));
    cvk_set_out(&out[0], in->dtype, &in->shape);
    if (n_out > 1) cvk_set_out(&out[1], typed_mask ? in->dtype : CVK_BOOL, &in->shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    CVK_TRY(refuse_training(in, n_in));
    int64_t count = cvk_wanted(out, n_out, 1) ? cvk_view_count(&out[1]) : 0;
    for (int64_t i = 0; i < count; i++) cvk_view_set(&out[1], i, 1);
    return cvk_wanted(out, n_out, 0) ? cvk_reference_alias(params, in, n_in, out, n_out) : CVK_OK;
}

const cvk_op cvk_op_Dropout = {
    .name = "Dropout",
    .min_in = 1,
    .max_in = 3,
    .min_out = 1,
    .max_out = 2,
    .params_bytes = sizeof(cvk_dropout_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .alias = true,
    .settings = CVK_ALL_BUT_FIRST,
};
