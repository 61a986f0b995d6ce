/* SPDX-License-Identifier: Apache-2.0
 *
 * BitShift: unsigned integers shifted by as many bits as b says, broadcast; bits that leave the
 * type are lost.
 */
#include <string.h>

#include "ops/common.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    const char *direction;
    CVK_TRY(cvk_attrs_string(attrs, "direction", "", &direction));
    if (strcmp(direction, "RIGHT") == 0)
        ((cvk_binary_params *)params)->kind = CVK_BINARY_SHIFT_RIGHT;
    else if (strcmp(direction, "LEFT") != 0)
        return cvk_fail(CVK_BAD_MODEL, "attribute 'direction' is '%s', LEFT or RIGHT is expected",
                        direction);
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    cvk_dtype dtype = in[0].dtype;
    if (dtype != CVK_U8 && dtype != CVK_U16 && dtype != CVK_U32 && dtype != CVK_U64)
        return cvk_fail(CVK_UNSUPPORTED, "input has type %s, an unsigned integer type is expected",
                        cvk_dtype_name(dtype));
    return cvk_infer_broadcast(params, in, n_in, out, n_out);
}

const cvk_op cvk_op_BitShift = {
    .name = "BitShift",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_binary_params),
    .form = {.kind = CVK_FORM_BINARY, .binary = CVK_BINARY_SHIFT_LEFT},
    .parse = parse,
    .infer = infer,
    .reference = cvk_reference_binary,
};
