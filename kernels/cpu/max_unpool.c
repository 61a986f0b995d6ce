/* SPDX-License-Identifier: Apache-2.0
 *
 * MaxUnpool: elements put back where a MaxPool's indices say. Each worker fills a range of the
 * output: with zeros, then with those elements whose place lies in it. Indices outside are left
 * out.
 */
#include <string.h>

#include "kernels/cpu/row.h"
#include "kernels/cpu/vec.h"

/* From a place in the tensor that the indices count in to one in the output. */
typedef struct state {
    bool same;
    int rank;
    int64_t places, dims[CVK_MAX_RANK], strides[CVK_MAX_RANK];
} state;

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    (void)device;
    const cvk_unpool_params *params = step->node->params;
    state *s = cvk_step_alloc(step, sizeof *s);
    if (!s) return CVK_NO_MEMORY;
    s->same = cvk_shape_equal(&params->shape, &step->out[0].shape);
    s->rank = params->shape.rank;
    s->places = cvk_shape_count(&params->shape);
    for (int d = 0; d < s->rank; d++) s->dims[d] = params->shape.dims[d];
    cvk_shape_strides(&step->out[0].shape, s->strides);
    step->state = s;
    return CVK_OK;
}

static int64_t output_place(const state *s, int64_t place)
{
    int64_t at = 0;
    if (s->same) return place;
    for (int d = s->rank - 1; d >= 0; place /= s->dims[d], d--)
        at += place % s->dims[d] * s->strides[d];
    return at;
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const state *s = step->state;
    const float *src = step->in[0].data;
    const int64_t *indices = step->in[1].data;
    float *dst = step->out[0].data;
    const int count = (int)cvk_view_count(&step->in[0]);
    int begin, end;
    row_share((int)cvk_view_count(&step->out[0]), worker, workers, &begin, &end);
    memset(dst + begin, 0, (size_t)(end - begin) * sizeof *dst);
    for (int i = 0; i < count; i++) {
        if (indices[i] < 0 || indices[i] >= s->places) continue;
        int64_t at = output_place(s, indices[i]);
        if (at >= begin && at < end) dst[at] = src[i];
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    if (p->node->n_in != 2) return row_refuse(why_not, "output_shape is computed");
    if (p->in[0].dtype != CVK_F32) return row_refuse(why_not, "float32 only");
    return row_sized(p, why_not) && row_no_posts(p, why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_max_unpool) = {
    .op = CVK_OP_MaxUnpool,
    .name = "max_unpool",
    .accepts = accepts,
    .prepare = prepare,
    .run = run,
};
