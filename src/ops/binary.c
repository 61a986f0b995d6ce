/* SPDX-License-Identifier: Apache-2.0
 *
 * Binary, the form into which the element-wise operators of two inputs are lowered.
 */
#include "ops/common.h"
#include "ops/tell.h"

/* As the operator from which it came. */
static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    cvk_binary_kind kind = ((const cvk_binary_params *)params)->kind;
    for (int i = 0; i < CVK_OP_COUNT; i++) {
        const cvk_op *op = cvk_op_get((cvk_op_kind)i);
        if (op->form.kind == CVK_FORM_BINARY && op->form.binary == kind)
            return op->infer(params, in, n_in, out, n_out);
    }
    return cvk_infer_broadcast(params, in, n_in, out, n_out);
}

static void tell(const void *params, char *text, size_t size)
{
    cvk_tell(text, size, " %s", cvk_binary_name(((const cvk_binary_params *)params)->kind));
}

const cvk_op cvk_op_Binary = {
    .name = "Binary",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_binary_params),
    .infer = infer,
    .reference = cvk_reference_binary,
    .tell = tell,
    .internal = true,
};
