/* SPDX-License-Identifier: Apache-2.0
 *
 * Gather: slices along an axis, picked by int32 or int64 indices; elements of any type.
 */
#include <string.h>

#include "kernels/cpu/index.h"
#include "kernels/cpu/vec.h"

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const cvk_axis_params *params = step->node->params;
    const cvk_view *src = &step->in[0], *indices = &step->in[1];
    const int axis = (int)params->axis, outer = (int)cvk_shape_span(&src->shape, 0, axis);
    const int picks = (int)cvk_view_count(indices);
    const int64_t dim = src->shape.dims[axis];
    const size_t bytes = (size_t)cvk_shape_span(&src->shape, axis + 1, src->shape.rank) *
                         cvk_dtype_bytes(src->dtype);
    int begin, end;
    cvk_team_share(outer * picks, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        int o = i / picks, k = i % picks;
        int64_t index = index_get(indices, k, dim);
        if (index < 0) return index_fail(step, k, dim);
        memcpy((char *)step->out[0].data + (size_t)i * bytes,
               (const char *)src->data + ((size_t)o * (size_t)dim + (size_t)index) * bytes, bytes);
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    if (!index_accepts(&p->in[1], why_not)) return false;
    return row_sized(p, why_not) && row_no_posts(p, why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_gather) = {
    .op = CVK_OP_Gather,
    .name = "gather",
    .accepts = accepts,
    .run = run,
};
