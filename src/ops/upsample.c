/* SPDX-License-Identifier: Apache-2.0
 *
 * Upsample: Resize with asymmetric coordinates, rounded down. Scales are an attribute before opset
 * 9 and an input since.
 */
#include <string.h>

#include "ops/resize.h"

static cvk_status parse_scales(const cvk_attrs *attrs, cvk_resize_params *p)
{
    const cvk_attr *scales = cvk_attrs_find(attrs, "scales");
    if (!scales || scales->kind != CVK_ATTR_FLOATS)
        return cvk_fail(CVK_BAD_MODEL, "attribute scales is missing");
    if (scales->count < 1 || scales->count > CVK_MAX_RANK)
        return cvk_fail(CVK_BAD_MODEL, "attribute scales has %zu entries", scales->count);
    p->n = (int)scales->count;
    memcpy(p->scales, scales->floats, scales->count * sizeof *scales->floats);
    return CVK_OK;
}

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_resize_params *p = params;
    const char *mode;
    CVK_TRY(cvk_attrs_string(attrs, "mode", "nearest", &mode));
    bool linear = strcmp(mode, "linear") == 0 || strcmp(mode, "bilinear") == 0;
    if (!linear && strcmp(mode, "nearest") != 0)
        return cvk_fail(CVK_UNSUPPORTED, "mode '%s' of Upsample is not supported", mode);
    p->mode = linear ? CVK_RESIZE_LINEAR : CVK_RESIZE_NEAREST;
    p->coord = CVK_COORD_ASYMMETRIC;
    p->round = CVK_ROUND_FLOOR;
    p->upsample = true;
    return attrs->opset < 9 ? parse_scales(attrs, p) : CVK_OK;
}

const cvk_op cvk_op_Upsample = {
    .name = "Upsample",
    .min_in = 1,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_resize_params),
    .form = {.kind = CVK_FORM_RESIZE},
    .parse = parse,
    .infer = cvk_infer_resize,
    .reference = cvk_reference_resize,
    .settings = CVK_ALL_BUT_FIRST,
    .needs_elements = true,
};
