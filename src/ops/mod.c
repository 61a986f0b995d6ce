/* SPDX-License-Identifier: Apache-2.0
 *
 * Mod: the remainder of a / b, broadcast. With the sign of the divisor; with fmod, which alone
 * takes floats, that of the dividend.
 */
#include "ops/common.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    int64_t fmod;
    CVK_TRY(cvk_attrs_int(attrs, "fmod", 0, &fmod));
    if (fmod) ((cvk_binary_params *)params)->kind = CVK_BINARY_FMOD;
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    if (((const cvk_binary_params *)params)->kind == CVK_BINARY_MOD &&
        cvk_dtype_is_float(in[0].dtype))
        return cvk_fail(CVK_BAD_MODEL, "input has type %s: fmod = 1 is expected with a float type",
                        cvk_dtype_name(in[0].dtype));
    return cvk_infer_broadcast(params, in, n_in, out, n_out);
}

const cvk_op cvk_op_Mod = {
    .name = "Mod",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_binary_params),
    .form = {.kind = CVK_FORM_BINARY, .binary = CVK_BINARY_MOD},
    .parse = parse,
    .infer = infer,
    .reference = cvk_reference_binary,
};
